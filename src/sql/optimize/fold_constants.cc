#include <algorithm>
#include <compare>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "sql/expr/walk.h"
#include "sql/function/function.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/rewrite.h"
#include "types/compare.h"
#include "types/text_io.h"

namespace pando::sql {
namespace {

using types::Value;
using types::Vector;

const Value* constant_of(const ExprPtr& expr) {
  const auto* constant = as<ConstantExpr>(expr);
  return constant == nullptr ? nullptr : &constant->value;
}

std::optional<bool> known_bool(const ExprPtr& expr) {
  const Value* value = constant_of(expr);
  return value != nullptr && value->holds<bool>() ? std::optional(value->as<bool>()) : std::nullopt;
}

// Columns that are the same constant in every row.
using KnownColumns = std::map<ColumnId, ExprPtr>;

// Folds from the top down, as PostgreSQL does: what a decided CASE, COALESCE, AND or OR never reaches is not looked at.
class Folder {
 public:
  // `known`: columns that are constants; may be null.
  explicit Folder(EvaluationContext* evaluation, const KnownColumns* known = nullptr)
      : evaluation_(evaluation), known_(known) {}

  ExprPtr fold(const ExprPtr& expr) {
    // A part whose folding met an error stays as it is, so that the error is found again: see constant_error().
    const Status before = std::exchange(error_, Status());
    ExprPtr folded = fold_node(expr);
    if (!error_.ok()) {
      folded = expr;
    }
    if (!before.ok()) {
      error_ = before;
    }
    return folded;
  }

  // The first error that computing a constant part gave.
  const Status& error() const { return error_; }

 private:
  ExprPtr fold_node(const ExprPtr& expr) {
    if (const auto* column = as<ColumnExpr>(expr); column != nullptr && known_ != nullptr) {
      const auto found = known_->find(column->column);
      return found == known_->end() ? expr : found->second;
    }
    if (const auto* logic = as<LogicExpr>(expr); logic != nullptr && logic->kind != LogicExpr::Kind::kNot) {
      return fold_logic(expr, *logic);
    }
    if (const auto* choice = as<CaseExpr>(expr)) {
      return fold_case(expr, *choice);
    }
    if (const auto* coalesce = as<CoalesceExpr>(expr)) {
      return fold_coalesce(expr, *coalesce);
    }
    const ExprPtr folded = rewrite_children(expr, [&](const ExprPtr& child) { return fold(child); });
    if (const auto* call = as<CallExpr>(folded)) {
      return fold_call(folded, *call);
    }
    if (const auto* cast = as<CastExpr>(folded)) {
      return fold_cast(folded, *cast);
    }
    if (const auto* null_if = as<NullIfExpr>(folded)) {
      return fold_null_if(folded, *null_if);
    }
    if (const auto* distinct = as<DistinctExpr>(folded)) {
      return fold_distinct(folded, *distinct);
    }
    if (const auto* test = as<BooleanTestExpr>(folded)) {
      return fold_boolean_test(folded, *test);
    }
    if (const auto* choice = as<MinMaxExpr>(folded)) {
      return fold_min_max(folded, *choice);
    }
    if (const auto* logic = as<LogicExpr>(folded)) {
      return fold_not(folded, logic->arguments[0]);
    }
    if (const auto* test = as<NullTestExpr>(folded)) {
      const Value* value = constant_of(test->argument);
      return value == nullptr ? folded : make_constant(folded->type, Value::of_bool(value->is_null() != test->is_not));
    }
    return folded;
  }

  ExprPtr fold_call(const ExprPtr& expr, const CallExpr& call) {
    const Function& function = *call.function;
    if (evaluation_ == nullptr || function.scalar == nullptr || function.kind != FunctionKind::kScalar) {
      return expr;
    }
    bool all_known = function.volatility == Volatility::kImmutable;
    for (const ExprPtr& argument : call.arguments) {
      const Value* value = constant_of(argument);
      all_known = all_known && value != nullptr;
      if (value != nullptr && value->is_null() && function.strict) {
        return make_constant(expr->type, Value::null());
      }
    }
    if (!all_known) {
      return expr;
    }
    const auto value = compute(function, call.arguments, expr->type, call.variadic_array);
    return value ? make_constant(expr->type, *value) : expr;
  }

  // The function's result for constants; nullopt, and the error noted, when it gives one.
  std::optional<Value> compute(const Function& function, std::span<const ExprPtr> arguments, types::Type type,
                               bool variadic_array = false) {
    std::vector<Vector> vectors;
    std::vector<types::Type> types;
    for (const ExprPtr& argument : arguments) {
      vectors.emplace_back(types::physical_of(argument->type.oid)).reset_constant(*constant_of(argument), 1);
      types.push_back(argument->type);
    }
    std::vector<const Vector*> pointers;
    for (const Vector& vector : vectors) {
      pointers.push_back(&vector);
    }
    Vector result(types::physical_of(type.oid));
    result.reset(1);
    const Status status = function.scalar(*evaluation_, {types, type, variadic_array}, pointers, 1, result);
    if (status.ok()) {
      return result.get(0);
    }
    if (error_.ok()) {
      error_ = status;
    }
    return std::nullopt;
  }

  // Of two constants, NULL being equal to nothing; nullopt when they cannot be compared here.
  std::optional<bool> equal_constants(const Function* equality, const ExprPtr& left, const ExprPtr& right) {
    if (evaluation_ == nullptr || equality == nullptr || equality->scalar == nullptr ||
        equality->volatility != Volatility::kImmutable) {
      return std::nullopt;
    }
    if (constant_of(left)->is_null() || constant_of(right)->is_null()) {
      return false;
    }
    const ExprPtr both[] = {left, right};
    const auto value = compute(*equality, both, {types::oid::kBool});
    return value ? std::optional(!value->is_null() && value->as<bool>()) : std::nullopt;
  }

  ExprPtr fold_null_if(const ExprPtr& expr, const NullIfExpr& node) {
    const Value* left = constant_of(node.left);
    if (left == nullptr || constant_of(node.right) == nullptr) {
      return expr;
    }
    const auto equal = equal_constants(node.equality, node.left, node.right);
    return equal ? make_constant(expr->type, *equal ? Value::null() : *left) : expr;
  }

  ExprPtr fold_distinct(const ExprPtr& expr, const DistinctExpr& node) {
    const Value* left = constant_of(node.left);
    const Value* right = constant_of(node.right);
    if (left == nullptr || right == nullptr) {
      return expr;
    }
    const auto equal = left->is_null() && right->is_null() ? std::optional(true)
                                                           : equal_constants(node.equality, node.left, node.right);
    return equal ? make_constant(expr->type, Value::of_bool(*equal == node.is_not)) : expr;
  }

  static ExprPtr fold_boolean_test(const ExprPtr& expr, const BooleanTestExpr& test) {
    const Value* value = constant_of(test.argument);
    if (value == nullptr) {
      return expr;
    }
    const bool holds = test.kind == BooleanTestExpr::Kind::kUnknown
                           ? value->is_null()
                           : !value->is_null() && value->as<bool>() == (test.kind == BooleanTestExpr::Kind::kTrue);
    return make_constant(expr->type, Value::of_bool(holds != test.is_not));
  }

  static ExprPtr fold_min_max(const ExprPtr& expr, const MinMaxExpr& node) {
    const Value* best = nullptr;
    for (const ExprPtr& argument : node.arguments) {
      const Value* value = constant_of(argument);
      if (value == nullptr) {
        return expr;
      }
      if (value->is_null()) {
        continue;
      }
      const auto order =
          best == nullptr ? std::strong_ordering::equal : types::compare_values(expr->type.oid, *value, *best);
      best = best == nullptr || (node.greatest ? order > 0 : order < 0) ? value : best;
    }
    return make_constant(expr->type, best == nullptr ? Value::null() : *best);
  }

  // Casts through text are computed where PostgreSQL's input and output functions are immutable.
  ExprPtr fold_cast(const ExprPtr& expr, const CastExpr& cast) {
    const Value* value = constant_of(cast.argument);
    if (value == nullptr) {
      return expr;
    }
    const bool same_form = types::physical_of(cast.argument->type.oid) == types::physical_of(expr->type.oid);
    if (value->is_null() || (cast.method == CastExpr::Method::kRelabel && same_form)) {
      return make_constant(expr->type, *value);
    }
    if (cast.method == CastExpr::Method::kModifier && !types::is_array(expr->type.oid)) {
      return computed(expr, types::apply_modifier(expr->type, *value, cast.is_explicit));
    }
    if (evaluation_ == nullptr || cast.method != CastExpr::Method::kText || !is_text(cast.argument->type.oid) ||
        !has_immutable_input(expr->type.oid)) {
      return expr;
    }
    return computed(expr, types::parse_text(expr->type, value->as<Bytes>(), evaluation_->settings));
  }
  ExprPtr computed(const ExprPtr& expr, Result<Value> value) {
    if (value.ok()) {
      return make_constant(expr->type, *std::move(value));
    }
    if (error_.ok()) {
      error_ = std::move(value).status();
    }
    return expr;
  }
  // Types whose values are their text.
  static bool is_text(types::Oid type) {
    return type == types::oid::kJson || type == types::oid::kText || type == types::oid::kVarchar ||
           type == types::oid::kBpchar || type == types::oid::kName;
  }
  static bool has_immutable_input(types::Oid type) {
    static constexpr types::Oid kTypes[] = {types::oid::kBool,    types::oid::kInt2,   types::oid::kInt4,
                                            types::oid::kInt8,    types::oid::kFloat4, types::oid::kFloat8,
                                            types::oid::kNumeric, types::oid::kUuid,   types::oid::kOid,
                                            types::oid::kJson,    types::oid::kJsonb,  types::oid::kBytea};
    return std::ranges::find(kTypes, type) != std::end(kTypes);
  }

  ExprPtr fold_logic(const ExprPtr& expr, const LogicExpr& logic) {
    const bool is_or = logic.kind == LogicExpr::Kind::kOr;
    std::vector<ExprPtr> kept;
    bool changed = false;
    for (const ExprPtr& given : logic.arguments) {
      const ExprPtr argument = fold(given);
      const auto known = known_bool(argument);
      if (known && *known == is_or) {
        // Decides, unless an argument before it may raise an error first, which PostgreSQL ignores too.
        return argument;
      }
      changed = changed || known || argument != given;
      if (known) {
        continue;
      }
      const auto* nested = as<LogicExpr>(argument);
      if (nested != nullptr && nested->kind == logic.kind) {
        kept.insert(kept.end(), nested->arguments.begin(), nested->arguments.end());
        changed = true;
      } else {
        kept.push_back(argument);
      }
    }
    if (kept.empty()) {
      return make_constant(expr->type, Value::of_bool(!is_or));
    }
    if (!changed) {
      return expr;
    }
    return is_or ? combine_disjuncts(std::move(kept)) : combine_conjuncts(std::move(kept));
  }

  static ExprPtr fold_not(const ExprPtr& expr, const ExprPtr& argument) {
    if (const Value* value = constant_of(argument)) {
      return value->is_null() ? make_constant(expr->type, Value::null())
                              : make_constant(expr->type, Value::of_bool(!value->as<bool>()));
    }
    if (const auto* nested = as<LogicExpr>(argument)) {
      if (nested->kind == LogicExpr::Kind::kNot) {
        return nested->arguments[0];
      }
      // De Morgan, so that conjuncts come to light.
      std::vector<ExprPtr> negated;
      for (const ExprPtr& part : nested->arguments) {
        const ExprPtr wrapped = make_expr(expr->type, LogicExpr{LogicExpr::Kind::kNot, {part}});
        negated.push_back(fold_not(wrapped, part));
      }
      return nested->kind == LogicExpr::Kind::kAnd ? combine_disjuncts(std::move(negated))
                                                   : combine_conjuncts(std::move(negated));
    }
    if (const auto* test = as<NullTestExpr>(argument);
        test != nullptr && as<RowExpr>(test->argument) == nullptr && !types::is_record(test->argument->type.oid)) {
      return make_expr(expr->type, NullTestExpr{test->argument, !test->is_not});
    }
    if (const auto comparison = as_comparison(argument)) {
      if (ExprPtr negated = negate_comparison(*comparison, expr->type)) {
        return negated;
      }
    }
    return expr;
  }

  static ExprPtr negate_comparison(const Comparison& comparison, types::Type type) {
    const std::string_view op = comparison.op;
    const std::string_view negated = op == "="    ? "<>"
                                     : op == "<>" ? "="
                                     : op == "<"  ? ">="
                                     : op == "<=" ? ">"
                                     : op == ">"  ? "<="
                                                  : "<";
    const Function* function =
        find_operator(negated, comparison.function->arguments[0], comparison.function->arguments[1]);
    return function == nullptr
               ? nullptr
               : make_expr(type, CallExpr{function, {comparison.left, comparison.right}, std::string(negated), false});
  }

  ExprPtr fold_case(const ExprPtr& expr, const CaseExpr& choice) {
    CaseExpr kept;
    kept.operand = choice.operand == nullptr ? nullptr : fold(choice.operand);
    kept.operand_column = choice.operand_column;
    const ExprPtr known_operand = constant_of(kept.operand) == nullptr ? nullptr : kept.operand;
    const auto with_known = [&](const ExprPtr& part) {
      return known_operand == nullptr ? part : with_operand(part, choice.operand_column, known_operand);
    };
    bool changed = kept.operand != choice.operand;
    bool decided = false;
    for (const CaseExpr::Branch& branch : choice.branches) {
      const ExprPtr condition = fold(with_known(branch.condition));
      const Value* known = constant_of(condition);
      if (known != nullptr && (known->is_null() || !known->as<bool>())) {
        changed = true;
        continue;
      }
      ExprPtr result = fold(with_known(branch.result));
      if (known != nullptr) {
        kept.otherwise = std::move(result);
        decided = true;
        break;
      }
      changed = changed || condition != branch.condition || result != branch.result;
      kept.branches.push_back({condition, std::move(result)});
    }
    if (!decided) {
      kept.otherwise = fold(with_known(choice.otherwise));
      changed = changed || kept.otherwise != choice.otherwise;
    }
    if (kept.branches.empty()) {
      return kept.operand == nullptr ? kept.otherwise
                                     : with_operand(kept.otherwise, choice.operand_column, kept.operand);
    }
    if (known_operand != nullptr) {
      kept.operand = nullptr;
    }
    return changed || decided ? make_expr(expr->type, std::move(kept), expr->position) : expr;
  }

  static ExprPtr with_operand(const ExprPtr& expr, ColumnId column, const ExprPtr& value) {
    const auto* named = as<ColumnExpr>(expr);
    if (named != nullptr && named->column == column) {
      return value;
    }
    return rewrite_children(expr, [&](const ExprPtr& child) { return with_operand(child, column, value); });
  }

  ExprPtr fold_coalesce(const ExprPtr& expr, const CoalesceExpr& coalesce) {
    CoalesceExpr kept;
    bool changed = false;
    for (const ExprPtr& given : coalesce.arguments) {
      ExprPtr argument = fold(given);
      const Value* known = constant_of(argument);
      changed = changed || argument != given;
      if (known != nullptr && known->is_null()) {
        continue;
      }
      kept.arguments.push_back(std::move(argument));
      if (known != nullptr) {
        break;
      }
    }
    if (kept.arguments.empty()) {
      return make_constant(expr->type, Value::null());
    }
    if (kept.arguments.size() == 1) {
      return kept.arguments[0];
    }
    changed = changed || kept.arguments.size() != coalesce.arguments.size();
    return changed ? make_expr(expr->type, std::move(kept), expr->position) : expr;
  }

  Status error_;
  EvaluationContext* evaluation_;
  const KnownColumns* known_;
};

}  // namespace

ExprPtr fold_constants(const ExprPtr& expr, EvaluationContext* evaluation) {
  const ExprPtr folded = Folder(evaluation).fold(expr);
  if (!has_subquery(folded)) {
    return folded;
  }
  // Subqueries' own plans.
  const std::function<ExprPtr(const ExprPtr&)> enter = [&](const ExprPtr& part) -> ExprPtr {
    const ExprPtr entered = rewrite_children(part, enter);
    const auto* subquery = as<SubqueryExpr>(entered);
    if (subquery == nullptr) {
      return entered;
    }
    LogicalPtr plan = fold_constants(subquery->plan, evaluation);
    if (plan == subquery->plan) {
      return entered;
    }
    SubqueryExpr copy = *subquery;
    copy.plan = std::move(plan);
    return make_expr(entered->type, std::move(copy), entered->position);
  };
  return enter(folded);
}

namespace {

// Looks for errors in constant parts, with columns that subqueries of FROM define as constants put in, as PostgreSQL
// sees them once it has merged such subqueries.
class ConstantErrorFinder {
 public:
  explicit ConstantErrorFinder(EvaluationContext* evaluation) : evaluation_(evaluation) {}

  // Gives the columns that are constants above the plan.
  KnownColumns visit(const LogicalPtr& plan) {
    const auto* join = std::get_if<JoinNode>(&plan->node);
    KnownColumns known;
    KnownColumns above;
    for_each_input(*plan, [&](const LogicalPtr& input) {
      KnownColumns more = visit(input);
      if (join == nullptr || keeps_rows(*join, input)) {
        above.insert(more.begin(), more.end());
      }
      known.merge(more);
    });
    for_each_expr(*plan, [&](const ExprPtr& expr) { check(expr, known); });
    if (const auto* project = std::get_if<ProjectNode>(&plan->node)) {
      return constants_of(*project, known);
    }
    const auto* values = std::get_if<ValuesNode>(&plan->node);
    for (std::size_t i = 0; values != nullptr && values->rows.size() == 1 && i < plan->outputs.size(); ++i) {
      if (constant_of(values->rows[0][i]) != nullptr) {
        above[plan->outputs[i].id] = values->rows[0][i];
      }
    }
    const bool passes = join != nullptr || values != nullptr || std::holds_alternative<FilterNode>(plan->node);
    return passes ? above : KnownColumns();
  }

  Status error;

 private:
  // Whether the join outputs the input's columns as they are, never NULL instead.
  static bool keeps_rows(const JoinNode& join, const LogicalPtr& input) {
    const bool is_left = input == join.left;
    return join.kind == JoinKind::kInner ||
           (is_left ? join.kind != JoinKind::kRight && join.kind != JoinKind::kFull : join.kind == JoinKind::kRight);
  }

  KnownColumns constants_of(const ProjectNode& project, const KnownColumns& known) {
    KnownColumns constants;
    for (const ProjectedColumn& column : project.columns) {
      ExprPtr folded = Folder(evaluation_, &known).fold(column.expr);
      if (constant_of(folded) != nullptr) {
        constants[column.column.id] = std::move(folded);
      }
    }
    return constants;
  }

  void check(const ExprPtr& expr, const KnownColumns& known) {
    Folder folder(evaluation_, &known);
    const ExprPtr folded = folder.fold(expr);
    if (error.ok()) {
      error = folder.error();
    }
    if (has_subquery(folded)) {
      enter_subqueries(folded);
    }
  }
  void enter_subqueries(const ExprPtr& part) {
    if (const auto* subquery = as<SubqueryExpr>(part)) {
      visit(subquery->plan);
    }
    for_each_child(part, [&](const ExprPtr& child) { enter_subqueries(child); });
  }

  EvaluationContext* evaluation_;
};

}  // namespace

Status constant_error(const LogicalPtr& plan, EvaluationContext* evaluation) {
  ConstantErrorFinder finder(evaluation);
  finder.visit(plan);
  return finder.error;
}

LogicalPtr fold_constants(const LogicalPtr& plan, EvaluationContext* evaluation) {
  return rebuild(
      plan, [&](const LogicalPtr& input) { return fold_constants(input, evaluation); },
      [&](const ExprPtr& expr) { return fold_constants(expr, evaluation); });
}

}  // namespace pando::sql
