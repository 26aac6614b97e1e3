// Operators, comparisons with lists, rows and subqueries, logic.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/row_value.h"
#include "sql/bind/traverse.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

const ast::RowConstructor* as_row(const ast::Expr& node) { return std::get_if<ast::RowConstructor>(&node.node); }

Status unequal_rows(int position) {
  return Status(sql_state::kSyntaxError, "unequal number of entries in row expressions").with_position(position);
}

bool is_null_literal(const ast::Expr& node) {
  const auto* constant = std::get_if<ast::Constant>(&node.node);
  return constant != nullptr && std::holds_alternative<ast::NullLiteral>(constant->value);
}

ExprPtr logic(LogicExpr::Kind kind, std::vector<ExprPtr> arguments, int position) {
  if (arguments.size() == 1 && kind != LogicExpr::Kind::kNot) {
    return arguments[0];
  }
  return make_expr({oid::kBool}, LogicExpr{kind, std::move(arguments)}, position);
}

// A row that is compared field by field; one of a composite type is compared as a value.
const RowExpr* constructed_row(const ExprPtr& expr) {
  return expr != nullptr && expr->type.oid == oid::kRecord ? as<RowExpr>(expr) : nullptr;
}

// A row of compared() that is compared as a value after all.
Result<ExprPtr> as_value(BindContext& context, ExprPtr operand) {
  return as<RowExpr>(operand) == nullptr ? std::move(operand) : resolve_unknown(context, std::move(operand));
}

// Whether a value is there. IS NULL of a row looks at its fields; this does not.
Result<ExprPtr> value_null_test(BindContext& context, ExprPtr operand, bool is_not, int position) {
  if (!types::is_record(operand->type.oid)) {
    return make_expr({oid::kBool}, NullTestExpr{std::move(operand), is_not}, position);
  }
  ExprPtr null = make_constant(operand->type, types::Value::null());
  PANDO_ASSIGN(const Function* equality, coerce_operands(context, {"="}, operand, null, position));
  return make_expr({oid::kBool}, DistinctExpr{std::move(operand), std::move(null), equality, !is_not}, position);
}

}  // namespace

Result<ExprPtr> Binder::compared(const ast::Expr& node, Scope& scope) {
  const ast::RowConstructor* constructor = as_row(node);
  if (constructor == nullptr) {
    return expr(node, scope);
  }
  RowExpr result;
  PANDO_ASSIGN(result.fields, row_fields(*constructor, scope));
  ExprPtr value = make_expr({oid::kRecord}, std::move(result), context_.position(node.location));
  if (context_.options.trace != nullptr) {
    context_.options.trace->exprs[&node] = value;
  }
  return value;
}

Result<ExprPtr> Binder::operation(const ast::Operation& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  const ast::RowConstructor* left_row = node.left == nullptr ? nullptr : as_row(*node.left);
  const ast::RowConstructor* right_row = as_row(*node.right);
  // (a, b) op (SELECT c, d ...) is a comparison of rows too.
  const auto* right_query = std::get_if<ast::Subquery>(&node.right->node);
  if (left_row != nullptr && right_query != nullptr && right_query->kind == ast::Subquery::Kind::kScalar) {
    PANDO_ASSIGN(BoundQuery query, select(*right_query->query, &scope, {}));
    PANDO_ASSIGN(ExprPtr left, row(*left_row, scope, node.left->location));
    std::vector<ExprPtr> fields = as<RowExpr>(left)->fields;
    if (fields.size() != query.columns.size()) {
      return Status(sql_state::kSyntaxError, "subquery has too {} columns",
                    query.columns.size() < fields.size() ? "few" : "many")
          .with_position(position);
    }
    PANDO_ASSIGN(query, compared_rows(std::move(query), std::move(fields), node.name.back(), position));
    SubqueryExpr result;
    result.plan = query.plan;
    result.columns = {query.columns[0].id};
    return make_expr({oid::kBool}, std::move(result), position);
  }
  if (left_row != nullptr && right_row != nullptr) {
    PANDO_ASSIGN(std::vector<ExprPtr> left, row_fields(*left_row, scope));
    PANDO_ASSIGN(std::vector<ExprPtr> right, row_fields(*right_row, scope));
    return row_comparison(node.name.back(), std::move(left), std::move(right), position);
  }
  ExprPtr left;
  if (node.left != nullptr) {
    PANDO_ASSIGN(left, expr(*node.left, scope));
  }
  PANDO_ASSIGN(ExprPtr right, expr(*node.right, scope));
  const auto* left_value = constructed_row(left);
  const auto* right_value = constructed_row(right);
  if (left_value != nullptr && right_value != nullptr) {
    return row_comparison(node.name.back(), left_value->fields, right_value->fields, position);
  }
  return apply_operator(context_, node.name, std::move(left), std::move(right), position);
}

Result<ExprPtr> Binder::row_comparison(const std::string& op, std::vector<ExprPtr> left, std::vector<ExprPtr> right,
                                       int position) {
  if (left.size() != right.size()) {
    return unequal_rows(position);
  }
  if (left.empty()) {
    return Status(sql_state::kFeatureNotSupported, "cannot compare rows of zero length").with_position(position);
  }
  if (left.size() == 1) {
    PANDO_ASSIGN(left[0], as_value(context_, std::move(left[0])));
    PANDO_ASSIGN(right[0], as_value(context_, std::move(right[0])));
    return apply_operator(context_, {op}, left[0], right[0], position);
  }
  const bool is_equality = op == "=" || op == "<>";
  if (!is_equality && op != "<" && op != "<=" && op != ">" && op != ">=") {
    return Status(sql_state::kFeatureNotSupported, "could not determine interpretation of row comparison operator {}",
                  op)
        .with_hint("Row comparison operators must be associated with btree operator families.")
        .with_position(position);
  }
  RowComparisonExpr result;
  result.op = op;
  for (std::size_t i = 0; i < left.size(); ++i) {
    PANDO_ASSIGN(left[i], as_value(context_, std::move(left[i])));
    PANDO_ASSIGN(right[i], as_value(context_, std::move(right[i])));
    PANDO_ASSIGN(const Function* equality, coerce_operands(context_, {"="}, left[i], right[i], position));
    result.equality.push_back(equality);
    if (!is_equality) {
      PANDO_ASSIGN(const Function* less, coerce_operands(context_, {"<"}, left[i], right[i], position));
      result.less.push_back(less);
    }
  }
  result.left = std::move(left);
  result.right = std::move(right);
  return make_expr({oid::kBool}, std::move(result), position);
}

Result<ExprPtr> Binder::array_comparison(const ast::QualifiedName& name, ExprPtr left, ExprPtr right, bool all,
                                         int position) {
  types::Oid element = oid::kUnknown;
  if (right->type.oid != oid::kUnknown) {
    if (!types::is_array(right->type.oid) && right->type.oid != oid::kRecordArray) {
      return Status(sql_state::kWrongObjectType, "op ANY/ALL (array) requires array on right side")
          .with_position(position);
    }
    element = types::element_of(right->type.oid);
  }
  PANDO_ASSIGN(const OperatorChoice choice, choose_operator(name, left->type.oid, element, position));
  if (choice.result != oid::kBool) {
    return Status(sql_state::kWrongObjectType, "op ANY/ALL (array) requires operator to yield boolean")
        .with_position(position);
  }
  if (choice.op->function == nullptr) {
    return Status(sql_state::kFeatureNotSupported, "operator {} is not supported here", choice.op->name)
        .with_position(position);
  }
  const types::Oid array_type = types::array_of(choice.right);
  if (array_type == oid::kInvalid) {
    return Status(sql_state::kUndefinedObject, "could not find array type for data type {}", type_name(choice.right))
        .with_position(position);
  }
  PANDO_ASSIGN(left, coerce_argument(context_, std::move(left), choice.left));
  // int2vector and its like are read as they are: their elements have the right type.
  if (element != choice.right || right->type.oid == oid::kUnknown) {
    PANDO_ASSIGN(right, coerce_argument(context_, std::move(right), array_type));
  }
  ArrayComparisonExpr result;
  result.left = std::move(left);
  result.array = std::move(right);
  result.comparison = choice.op->function;
  result.spelling = choice.op->name;
  result.all = all;
  return make_expr({oid::kBool}, std::move(result), position);
}

Result<ExprPtr> Binder::distinct_test(const ast::DistinctTest& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  // IS DISTINCT FROM NULL is a test for NULL; of a row, whether it is there, not whether its fields are NULL.
  if (is_null_literal(*node.right) || is_null_literal(*node.left)) {
    const ast::Expr& tested = is_null_literal(*node.right) ? *node.left : *node.right;
    PANDO_ASSIGN(ExprPtr operand, expr(tested, scope));
    return value_null_test(context_, std::move(operand), !node.negated, position);
  }
  PANDO_ASSIGN(ExprPtr left, compared(*node.left, scope));
  PANDO_ASSIGN(ExprPtr right, compared(*node.right, scope));
  const auto* left_row = constructed_row(left);
  const auto* right_row = constructed_row(right);
  if (left_row != nullptr && right_row != nullptr) {
    if (left_row->fields.size() != right_row->fields.size()) {
      return unequal_rows(position);
    }
    std::vector<ExprPtr> tests;
    for (std::size_t i = 0; i < left_row->fields.size(); ++i) {
      PANDO_ASSIGN(ExprPtr a, as_value(context_, left_row->fields[i]));
      PANDO_ASSIGN(ExprPtr b, as_value(context_, right_row->fields[i]));
      PANDO_ASSIGN(const Function* equality, coerce_operands(context_, {"="}, a, b, position));
      tests.push_back(
          make_expr({oid::kBool}, DistinctExpr{std::move(a), std::move(b), equality, node.negated}, position));
    }
    return logic(node.negated ? LogicExpr::Kind::kAnd : LogicExpr::Kind::kOr, std::move(tests), position);
  }
  PANDO_ASSIGN(left, as_value(context_, std::move(left)));
  PANDO_ASSIGN(right, as_value(context_, std::move(right)));
  PANDO_ASSIGN(const Function* equality, coerce_operands(context_, {"="}, left, right, position));
  return make_expr({oid::kBool}, DistinctExpr{std::move(left), std::move(right), equality, node.negated}, position);
}

Result<ExprPtr> Binder::null_if(const ast::NullIf& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  PANDO_ASSIGN(ExprPtr left, expr(*node.left, scope));
  PANDO_ASSIGN(ExprPtr right, expr(*node.right, scope));
  PANDO_ASSIGN(const Function* equality, coerce_operands(context_, {"="}, left, right, position));
  const types::Type type = left->type;
  return make_expr(type, NullIfExpr{std::move(left), std::move(right), equality}, position);
}

namespace {

// Whether an item of an IN list must be compared by itself: it names columns, so it cannot be part of a constant array.
bool has_columns(const ExprPtr& item) {
  bool found = as<ColumnExpr>(item) != nullptr || as<SubqueryExpr>(item) != nullptr;
  visit_children(*item, [&](const ExprPtr& child) { found = found || has_columns(child); });
  return found;
}

}  // namespace

Result<ExprPtr> Binder::in_list(const ast::InList& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  PANDO_ASSIGN(ExprPtr operand, compared(*node.operand, scope));
  const std::string op = node.negated ? "<>" : "=";
  std::vector<ExprPtr> scalars;
  std::vector<ExprPtr> tests;
  std::vector<ExprPtr> others;
  for (const ast::ExprPtr& item : node.list) {
    PANDO_ASSIGN(ExprPtr value, compared(*item, scope));
    (constructed_row(value) != nullptr || has_columns(value) ? others : scalars).push_back(std::move(value));
  }
  // Several values without columns, of one common type, become one array; as in PostgreSQL the operand takes part in
  // choosing the type.
  if (scalars.size() > 1 && constructed_row(operand) == nullptr) {
    std::vector<ExprPtr> all{operand};
    all.insert(all.end(), scalars.begin(), scalars.end());
    Result<types::Oid> common = select_common_type(all, "IN");
    if (common.ok() && types::is_composite(*common)) {
      // No operator is found for arrays of them: each is compared.
      for (ExprPtr& value : scalars) {
        PANDO_ASSIGN(value, coerce_to_common(context_, std::move(value), *common, "IN"));
      }
    } else if (common.ok() && types::array_of(*common) != oid::kInvalid) {
      ArrayExpr array;
      for (ExprPtr& value : scalars) {
        PANDO_ASSIGN(ExprPtr element, coerce_to_common(context_, std::move(value), *common, "IN"));
        array.elements.push_back(std::move(element));
      }
      ExprPtr values = make_expr({types::array_of(*common)}, std::move(array), position);
      PANDO_ASSIGN(ExprPtr test, array_comparison({op}, operand, std::move(values), node.negated, position));
      tests.push_back(std::move(test));
      scalars.clear();
    }
  }
  scalars.insert(scalars.end(), others.begin(), others.end());
  for (ExprPtr& value : scalars) {
    const auto* left = constructed_row(operand);
    const auto* right = constructed_row(value);
    ExprPtr test;
    if (left != nullptr && right != nullptr) {
      PANDO_ASSIGN(test, row_comparison(op, left->fields, right->fields, position));
    } else {
      PANDO_ASSIGN(ExprPtr whole, as_value(context_, operand));
      PANDO_ASSIGN(value, as_value(context_, std::move(value)));
      PANDO_ASSIGN(test, apply_operator(context_, {op}, std::move(whole), std::move(value), position));
    }
    tests.push_back(std::move(test));
  }
  return logic(node.negated ? LogicExpr::Kind::kAnd : LogicExpr::Kind::kOr, std::move(tests), position);
}

Result<ExprPtr> Binder::between(const ast::Between& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  PANDO_ASSIGN(ExprPtr operand, compared(*node.operand, scope));
  PANDO_ASSIGN(ExprPtr low, compared(*node.low, scope));
  PANDO_ASSIGN(ExprPtr high, compared(*node.high, scope));
  const auto inside = [&](const ExprPtr& from, const ExprPtr& to) -> Result<ExprPtr> {
    const auto compare = [&](const char* op, const ExprPtr& bound) -> Result<ExprPtr> {
      const auto* left = constructed_row(operand);
      const auto* right = constructed_row(bound);
      if (left != nullptr && right != nullptr) {
        return row_comparison(op, left->fields, right->fields, position);
      }
      PANDO_ASSIGN(ExprPtr whole, as_value(context_, operand));
      PANDO_ASSIGN(ExprPtr limit, as_value(context_, bound));
      return apply_operator(context_, {op}, std::move(whole), std::move(limit), position);
    };
    PANDO_ASSIGN(ExprPtr lower, compare(node.negated ? "<" : ">=", from));
    PANDO_ASSIGN(ExprPtr upper, compare(node.negated ? ">" : "<=", to));
    return logic(node.negated ? LogicExpr::Kind::kOr : LogicExpr::Kind::kAnd, {std::move(lower), std::move(upper)},
                 position);
  };
  PANDO_ASSIGN(ExprPtr forward, inside(low, high));
  if (!node.symmetric) {
    return forward;
  }
  PANDO_ASSIGN(ExprPtr backward, inside(high, low));
  return logic(node.negated ? LogicExpr::Kind::kAnd : LogicExpr::Kind::kOr, {std::move(forward), std::move(backward)},
               position);
}

Result<ExprPtr> Binder::null_test(const ast::NullTest& node, Scope& scope, ast::Location location) {
  PANDO_ASSIGN(ExprPtr operand, expr(*node.operand, scope));
  const int position = context_.position(location);
  const RowExpr* record = row_in(operand);
  if (record == nullptr) {
    return make_expr({oid::kBool}, NullTestExpr{std::move(operand), node.negated}, position);
  }
  // A row IS NULL when all its fields are, and IS NOT NULL when none is.
  std::vector<ExprPtr> tests;
  for (const ExprPtr& field : record->fields) {
    PANDO_ASSIGN(ExprPtr test, value_null_test(context_, field, node.negated, position));
    tests.push_back(std::move(test));
  }
  if (tests.empty()) {
    return make_constant({oid::kBool}, types::Value::of_bool(true));
  }
  return logic(LogicExpr::Kind::kAnd, std::move(tests), position);
}

Result<ExprPtr> Binder::logical(const ast::Logical& node, Scope& scope, ast::Location location) {
  const char* construct = node.kind == ast::Logical::Kind::kAnd  ? "AND"
                          : node.kind == ast::Logical::Kind::kOr ? "OR"
                                                                 : "NOT";
  LogicExpr result;
  result.kind = node.kind == ast::Logical::Kind::kAnd  ? LogicExpr::Kind::kAnd
                : node.kind == ast::Logical::Kind::kOr ? LogicExpr::Kind::kOr
                                                       : LogicExpr::Kind::kNot;
  for (const ast::ExprPtr& item : node.operands) {
    PANDO_ASSIGN(ExprPtr operand, expr(*item, scope));
    PANDO_ASSIGN(operand, coerce_to_boolean(context_, std::move(operand), construct));
    result.arguments.push_back(std::move(operand));
  }
  return make_expr({oid::kBool}, std::move(result), context_.position(location));
}

Result<ExprPtr> Binder::boolean_test(const ast::BooleanTest& node, Scope& scope, ast::Location location) {
  using Source = ast::BooleanTest::Kind;
  BooleanTestExpr result;
  const char* construct = "";
  switch (node.kind) {
    case Source::kTrue:
    case Source::kNotTrue:
      result.kind = BooleanTestExpr::Kind::kTrue;
      construct = node.kind == Source::kTrue ? "IS TRUE" : "IS NOT TRUE";
      break;
    case Source::kFalse:
    case Source::kNotFalse:
      result.kind = BooleanTestExpr::Kind::kFalse;
      construct = node.kind == Source::kFalse ? "IS FALSE" : "IS NOT FALSE";
      break;
    case Source::kUnknown:
    case Source::kNotUnknown:
      result.kind = BooleanTestExpr::Kind::kUnknown;
      construct = node.kind == Source::kUnknown ? "IS UNKNOWN" : "IS NOT UNKNOWN";
      break;
  }
  result.is_not = node.kind == Source::kNotTrue || node.kind == Source::kNotFalse || node.kind == Source::kNotUnknown;
  PANDO_ASSIGN(ExprPtr operand, expr(*node.operand, scope));
  PANDO_ASSIGN(result.argument, coerce_to_boolean(context_, std::move(operand), construct));
  return make_expr({oid::kBool}, std::move(result), context_.position(location));
}

Result<ExprPtr> Binder::subquery(const ast::Subquery& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  static constexpr std::pair<ExprPlace, const char*> kRefusals[] = {
      {ExprPlace::kCheck, "cannot use subquery in check constraint"},
      {ExprPlace::kDefault, "cannot use subquery in DEFAULT expression"},
      {ExprPlace::kIndexExpression, "cannot use subquery in index expression"},
      {ExprPlace::kIndexPredicate, "cannot use subquery in index predicate"},
      {ExprPlace::kExecuteParameter, "cannot use subquery in EXECUTE parameter"},
      {ExprPlace::kCopyWhere, "cannot use subquery in COPY FROM WHERE condition"},
      {ExprPlace::kGenerated, "cannot use subquery in column generation expression"},
      {ExprPlace::kCallArgument, "cannot use subquery in CALL argument"},
  };
  for (const auto& [place, message] : kRefusals) {
    if (scope.place == place) {
      return Status(sql_state::kFeatureNotSupported, "{}", message).with_position(position);
    }
  }
  SelectUse use;
  use.is_exists = node.kind == ast::Subquery::Kind::kExists;
  PANDO_ASSIGN(BoundQuery query, select(*node.query, &scope, use));
  if (node.kind == ast::Subquery::Kind::kAny || node.kind == ast::Subquery::Kind::kAll) {
    return compare_subquery(node, std::move(query), scope, location);
  }
  SubqueryExpr result;
  result.plan = query.plan;
  if (node.kind == ast::Subquery::Kind::kExists) {
    result.kind = SubqueryExpr::Kind::kExists;
    return make_expr({oid::kBool}, std::move(result), position);
  }
  if (query.columns.size() != 1) {
    return Status(sql_state::kSyntaxError, "subquery must return only one column").with_position(position);
  }
  subquery_names_[&node] = query.columns[0].name;
  result.columns = {query.columns[0].id};
  types::Type type = query.columns[0].type;
  if (node.kind == ast::Subquery::Kind::kArray) {
    result.kind = SubqueryExpr::Kind::kArray;
    const types::Oid array = types::is_array(type.oid) ? type.oid : types::array_of(type.oid);
    if (array == oid::kInvalid) {
      return Status(sql_state::kUndefinedObject, "could not find array type for data type {}", type_name(type.oid))
          .with_position(position);
    }
    type = {array, type.modifier};
  }
  return make_expr(type, std::move(result), position);
}

// A query of one boolean column: the outer row `left` compared with each row of `query`.
Result<BoundQuery> Binder::compared_rows(BoundQuery query, std::vector<ExprPtr> left, const std::string& op,
                                         int position) {
  std::vector<ExprPtr> right;
  for (const OutputColumn& column : query.columns) {
    right.push_back(make_expr(column.type, ColumnExpr{column.id, column.name}));
  }
  BoundQuery result;
  OutputColumn output{context_.new_column(), "?column?", {oid::kBool}};
  PANDO_ASSIGN(ExprPtr comparison, row_comparison(op, std::move(left), std::move(right), position));
  result.columns = {output};
  result.exprs = {comparison};
  result.plan = make_logical({output}, ProjectNode{std::move(query.plan), {{output, std::move(comparison)}}});
  return result;
}

Result<ExprPtr> Binder::compare_subquery(const ast::Subquery& node, BoundQuery query, Scope& scope,
                                         ast::Location location) {
  const int position = context_.position(location);
  SubqueryExpr result;
  result.kind = node.kind == ast::Subquery::Kind::kAny ? SubqueryExpr::Kind::kAny : SubqueryExpr::Kind::kAll;
  const ast::QualifiedName op = node.operator_name.empty() ? ast::QualifiedName{"="} : node.operator_name;
  result.spelling = op.back();
  if (const ast::RowConstructor* row_node = as_row(*node.operand)) {
    for (const ast::ExprPtr& item : row_node->fields) {
      PANDO_ASSIGN(ExprPtr value, expr(*item, scope));
      result.left.push_back(std::move(value));
    }
  } else {
    PANDO_ASSIGN(ExprPtr value, expr(*node.operand, scope));
    const auto* row_value = constructed_row(value);
    result.left = row_value == nullptr ? std::vector<ExprPtr>{value} : row_value->fields;
  }
  if (result.left.size() != query.columns.size()) {
    return Status(sql_state::kSyntaxError, "subquery has too {} columns",
                  query.columns.size() < result.left.size() ? "few" : "many")
        .with_position(position);
  }
  if (result.left.size() > 1 && op.back() != "=" && op.back() != "<>") {
    PANDO_ASSIGN(query, compared_rows(std::move(query), std::move(result.left), op.back(), position));
    result.left = {make_constant({oid::kBool}, types::Value::of_bool(true))};
    PANDO_ASSIGN(const OperatorChoice equality, choose_operator({"="}, oid::kBool, oid::kBool, position));
    result.comparisons = {equality.op->function};
    result.spelling = "=";
    result.columns = {query.columns[0].id};
    result.plan = query.plan;
    return make_expr({oid::kBool}, std::move(result), position);
  }
  // A column whose type must change is computed above the subquery.
  std::vector<ProjectedColumn> projected;
  bool converts = false;
  for (std::size_t i = 0; i < query.columns.size(); ++i) {
    const OutputColumn& column = query.columns[i];
    ExprPtr before = make_expr(column.type, ColumnExpr{column.id, column.name});
    ExprPtr after = before;
    PANDO_ASSIGN(const Function* comparison, coerce_operands(context_, op, result.left[i], after, position));
    result.comparisons.push_back(comparison);
    OutputColumn output = column;
    if (after != before) {
      output = {context_.new_column(), column.name, after->type};
      converts = true;
    }
    result.columns.push_back(output.id);
    projected.push_back({output, std::move(after)});
  }
  result.plan = query.plan;
  if (converts) {
    std::vector<OutputColumn> outputs;
    for (const ProjectedColumn& column : projected) {
      outputs.push_back(column.column);
    }
    result.plan = make_logical(std::move(outputs), ProjectNode{query.plan, std::move(projected)});
  }
  return make_expr({oid::kBool}, std::move(result), position);
}

}  // namespace pando::sql
