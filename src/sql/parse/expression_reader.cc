#include <utility>

#include "sql/parse/nested.h"
#include "sql/parse/tree_reader.h"

namespace pando::parse {

using namespace ast;

namespace {

template <typename Node>
ExprPtr make_expr(Node node, Location location) {
  return std::make_unique<Expr>(Expr::Node(std::move(node)), location);
}

WindowFrame::Bound frame_bound(int32_t options, int32_t unbounded_preceding, int32_t unbounded_following,
                               int32_t offset_preceding, int32_t offset_following) {
  if (options & unbounded_preceding) {
    return WindowFrame::Bound::kUnboundedPreceding;
  }
  if (options & unbounded_following) {
    return WindowFrame::Bound::kUnboundedFollowing;
  }
  if (options & offset_preceding) {
    return WindowFrame::Bound::kPreceding;
  }
  return options & offset_following ? WindowFrame::Bound::kFollowing : WindowFrame::Bound::kCurrentRow;
}

}  // namespace

std::vector<std::string> string_list(std::size_t count, PgQuery__Node** nodes) {
  std::vector<std::string> strings;
  strings.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (nodes[i]->node_case == PG_QUERY__NODE__NODE_STRING) {
      strings.emplace_back(nodes[i]->string->sval);
    }
  }
  return strings;
}

void TreeReader::fail_unexpected(const char* where, int node_case) {
  if (status_.ok()) {
    status_ = Status(sql_state::kFeatureNotSupported, "syntax node {} in {} is not supported", node_case, where);
  }
}

ExprList TreeReader::exprs(std::size_t count, PgQuery__Node** nodes) {
  ExprList list;
  list.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (ExprPtr item = expr(nodes[i])) {
      list.push_back(std::move(item));
    }
  }
  return list;
}

ExprPtr TreeReader::expr(const PgQuery__Node* node) {
  if (node == nullptr || node->node_case == PG_QUERY__NODE__NODE__NOT_SET) {
    return nullptr;
  }
  Nested nested(*this);
  return nested.ok() ? expr_of_kind(node) : std::make_unique<Expr>();
}

ExprPtr TreeReader::expr_of_kind(const PgQuery__Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
      return constant(*node->a_const);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return column_ref(*node->column_ref);
    case PG_QUERY__NODE__NODE_PARAM_REF:
      return make_expr(ParameterRef{node->param_ref->number}, node->param_ref->location);
    case PG_QUERY__NODE__NODE_A_EXPR:
      return operation(*node->a_expr);
    case PG_QUERY__NODE__NODE_BOOL_EXPR: {
      const PgQuery__BoolExpr& logical = *node->bool_expr;
      const auto kind = logical.boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR  ? Logical::Kind::kAnd
                        : logical.boolop == PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR ? Logical::Kind::kOr
                                                                              : Logical::Kind::kNot;
      return make_expr(Logical{kind, exprs(logical.n_args, logical.args)}, logical.location);
    }
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return function_call(*node->func_call);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
      return make_expr(Cast{expr(node->type_cast->arg), type_name(node->type_cast->type_name)},
                       node->type_cast->location);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
      return case_expr(*node->case_expr);
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return subquery(*node->sub_link);
    case PG_QUERY__NODE__NODE_NULL_TEST:
      return make_expr(
          NullTest{expr(node->null_test->arg), node->null_test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL},
          node->null_test->location);
    case PG_QUERY__NODE__NODE_A_INDIRECTION: {
      const PgQuery__AIndirection& access = *node->a_indirection;
      ExprPtr operand = expr(access.arg);
      const Location location = operand == nullptr ? kNoLocation : operand->location;
      return make_expr(IndirectionExpr{std::move(operand), indirection(access.n_indirection, access.indirection)},
                       location);
    }
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return make_expr(ArrayConstructor{exprs(node->a_array_expr->n_elements, node->a_array_expr->elements)},
                       node->a_array_expr->location);
    default:
      return expr_of_other_kind(node);
  }
}

ExprPtr TreeReader::expr_of_other_kind(const PgQuery__Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return make_expr(Coalesce{exprs(node->coalesce_expr->n_args, node->coalesce_expr->args)},
                       node->coalesce_expr->location);
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      return make_expr(MinMax{node->min_max_expr->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST,
                              exprs(node->min_max_expr->n_args, node->min_max_expr->args)},
                       node->min_max_expr->location);
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST: {
      const auto kind =
          static_cast<BooleanTest::Kind>(node->boolean_test->booltesttype - PG_QUERY__BOOL_TEST_TYPE__IS_TRUE);
      return make_expr(BooleanTest{expr(node->boolean_test->arg), kind}, node->boolean_test->location);
    }
    case PG_QUERY__NODE__NODE_ROW_EXPR: {
      const bool written = node->row_expr->row_format == PG_QUERY__COERCION_FORM__COERCE_EXPLICIT_CALL;
      return make_expr(RowConstructor{exprs(node->row_expr->n_args, node->row_expr->args), written},
                       node->row_expr->location);
    }
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return make_expr(Collate{expr(node->collate_clause->arg),
                               string_list(node->collate_clause->n_collname, node->collate_clause->collname)},
                       node->collate_clause->location);
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return sql_value_function(*node->sqlvalue_function);
    case PG_QUERY__NODE__NODE_NAMED_ARG_EXPR:
      return make_expr(NamedArgument{node->named_arg_expr->name, expr(node->named_arg_expr->arg)},
                       node->named_arg_expr->location);
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return make_expr(GroupingCall{exprs(node->grouping_func->n_args, node->grouping_func->args)},
                       node->grouping_func->location);
    case PG_QUERY__NODE__NODE_GROUPING_SET:
      return grouping_set(*node->grouping_set);
    case PG_QUERY__NODE__NODE_SET_TO_DEFAULT:
      return make_expr(DefaultMarker{}, node->set_to_default->location);
    case PG_QUERY__NODE__NODE_CURRENT_OF_EXPR:
      return make_expr(CurrentOf{node->current_of_expr->cursor_name}, kNoLocation);
    case PG_QUERY__NODE__NODE_XML_EXPR:
      return make_expr(UnsupportedExpr{"XML expression"}, node->xml_expr->location);
    case PG_QUERY__NODE__NODE_XML_SERIALIZE:
      return make_expr(UnsupportedExpr{"XMLSERIALIZE"}, node->xml_serialize->location);
    case PG_QUERY__NODE__NODE_INTEGER:
      return make_expr(Constant{IntegerLiteral{node->integer->ival}}, kNoLocation);
    case PG_QUERY__NODE__NODE_FLOAT:
      return make_expr(Constant{DecimalLiteral{node->float_->fval}}, kNoLocation);
    case PG_QUERY__NODE__NODE_STRING:
      return make_expr(Constant{StringLiteral{node->string->sval}}, kNoLocation);
    case PG_QUERY__NODE__NODE_LIST:
      return make_expr(RowConstructor{exprs(node->list->n_items, node->list->items), false}, kNoLocation);
    default:
      fail_unexpected("an expression", node->node_case);
      return std::make_unique<Expr>();
  }
}

ExprPtr TreeReader::constant(const PgQuery__AConst& node) {
  Constant constant;
  switch (node.val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
      constant.value = IntegerLiteral{node.ival->ival};
      break;
    case PG_QUERY__A__CONST__VAL_FVAL:
      constant.value = DecimalLiteral{node.fval->fval};
      break;
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
      constant.value = BooleanLiteral{node.boolval->boolval != 0};
      break;
    case PG_QUERY__A__CONST__VAL_SVAL:
      constant.value = StringLiteral{node.sval->sval};
      break;
    case PG_QUERY__A__CONST__VAL_BSVAL:
      constant.value = BitStringLiteral{node.bsval->bsval};
      break;
    default:
      break;
  }
  return make_expr(std::move(constant), node.location);
}

ExprPtr TreeReader::operation(const PgQuery__AExpr& node) {
  const bool name_negates = node.n_name == 1 && node.name[0]->node_case == PG_QUERY__NODE__NODE_STRING &&
                            node.name[0]->string->sval[0] == '<';
  switch (node.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
    case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
    case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR: {
      const auto syntax = node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP      ? Operation::Syntax::kOperator
                          : node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_LIKE  ? Operation::Syntax::kLike
                          : node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE ? Operation::Syntax::kIlike
                                                                              : Operation::Syntax::kSimilar;
      return make_expr(Operation{string_list(node.n_name, node.name), expr(node.lexpr), expr(node.rexpr), syntax},
                       node.location);
    }
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
      return make_expr(ArrayComparison{string_list(node.n_name, node.name), expr(node.lexpr), expr(node.rexpr),
                                       node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL},
                       node.location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
      return make_expr(
          DistinctTest{expr(node.lexpr), expr(node.rexpr), node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT},
          node.location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF:
      return make_expr(NullIf{expr(node.lexpr), expr(node.rexpr)}, node.location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN: {
      ExprList list;
      if (node.rexpr != nullptr && node.rexpr->node_case == PG_QUERY__NODE__NODE_LIST) {
        list = exprs(node.rexpr->list->n_items, node.rexpr->list->items);
      }
      return make_expr(InList{expr(node.lexpr), std::move(list), name_negates}, node.location);
    }
    default:
      return operation_on_list(node);
  }
}

ExprPtr TreeReader::operation_on_list(const PgQuery__AExpr& node) {
  if (node.rexpr == nullptr || node.rexpr->node_case != PG_QUERY__NODE__NODE_LIST || node.rexpr->list->n_items != 2) {
    fail_unexpected("BETWEEN", node.kind);
    return std::make_unique<Expr>();
  }
  Between between;
  between.operand = expr(node.lexpr);
  between.low = expr(node.rexpr->list->items[0]);
  between.high = expr(node.rexpr->list->items[1]);
  between.negated = node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN ||
                    node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
  between.symmetric = node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM ||
                      node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
  return make_expr(std::move(between), node.location);
}

ExprPtr TreeReader::column_ref(const PgQuery__ColumnRef& node) {
  ColumnRef ref;
  ref.names = string_list(node.n_fields, node.fields);
  ref.star = node.n_fields > 0 && node.fields[node.n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
  return make_expr(std::move(ref), node.location);
}

ExprPtr TreeReader::function_call(const PgQuery__FuncCall& node) {
  FunctionCall call;
  call.name = string_list(node.n_funcname, node.funcname);
  call.arguments = exprs(node.n_args, node.args);
  call.order_by = sort_list(node.n_agg_order, node.agg_order);
  call.filter = expr(node.agg_filter);
  if (node.over != nullptr) {
    call.over = std::make_unique<WindowDefinition>(window(*node.over));
  }
  call.within_group = node.agg_within_group;
  call.star = node.agg_star;
  call.distinct = node.agg_distinct;
  call.variadic = node.func_variadic;
  call.sql_syntax = node.funcformat == PG_QUERY__COERCION_FORM__COERCE_SQL_SYNTAX;
  return make_expr(std::move(call), node.location);
}

ExprPtr TreeReader::case_expr(const PgQuery__CaseExpr& node) {
  CaseExpr result;
  result.operand = expr(node.arg);
  for (std::size_t i = 0; i < node.n_args; ++i) {
    const PgQuery__CaseWhen& when = *node.args[i]->case_when;
    result.whens.push_back({expr(when.expr), expr(when.result), when.location});
  }
  result.otherwise = expr(node.defresult);
  return make_expr(std::move(result), node.location);
}

ExprPtr TreeReader::subquery(const PgQuery__SubLink& node) {
  Subquery result;
  switch (node.sub_link_type) {
    case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK:
      result.kind = Subquery::Kind::kExists;
      break;
    case PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK:
      result.kind = Subquery::Kind::kAll;
      break;
    case PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK:
      result.kind = Subquery::Kind::kAny;
      break;
    case PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK:
      result.kind = Subquery::Kind::kArray;
      break;
    default:
      result.kind = Subquery::Kind::kScalar;
      break;
  }
  result.operand = expr(node.testexpr);
  result.operator_name = string_list(node.n_oper_name, node.oper_name);
  result.query = select_node(node.subselect);
  return make_expr(std::move(result), node.location);
}

ExprPtr TreeReader::sql_value_function(const PgQuery__SQLValueFunction& node) {
  using Kind = SqlValueFunction::Kind;
  SqlValueFunction function;
  function.precision = node.typmod;
  switch (node.op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
      function.kind = Kind::kCurrentTime;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
      function.kind = Kind::kCurrentTimestamp;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N:
      function.kind = Kind::kLocalTime;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N:
      function.kind = Kind::kLocalTimestamp;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_ROLE:
      function.kind = Kind::kCurrentRole;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER:
      function.kind = Kind::kCurrentUser;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_USER:
      function.kind = Kind::kUser;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER:
      function.kind = Kind::kSessionUser;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_CATALOG:
      function.kind = Kind::kCurrentCatalog;
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA:
      function.kind = Kind::kCurrentSchema;
      break;
    default:
      function.kind = Kind::kCurrentDate;
      break;
  }
  return make_expr(function, node.location);
}

ExprPtr TreeReader::grouping_set(const PgQuery__GroupingSet& node) {
  GroupingSet set;
  switch (node.kind) {
    case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_ROLLUP:
      set.kind = GroupingSet::Kind::kRollup;
      break;
    case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_CUBE:
      set.kind = GroupingSet::Kind::kCube;
      break;
    case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_SETS:
      set.kind = GroupingSet::Kind::kSets;
      break;
    default:
      set.kind = GroupingSet::Kind::kEmpty;
      break;
  }
  set.content = exprs(node.n_content, node.content);
  return make_expr(std::move(set), node.location);
}

std::vector<Indirection> TreeReader::indirection(std::size_t count, PgQuery__Node** nodes) {
  std::vector<Indirection> steps;
  steps.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    Indirection step;
    switch (nodes[i]->node_case) {
      case PG_QUERY__NODE__NODE_STRING:
        step.field = nodes[i]->string->sval;
        break;
      case PG_QUERY__NODE__NODE_A_STAR:
        step.kind = Indirection::Kind::kStar;
        break;
      case PG_QUERY__NODE__NODE_A_INDICES: {
        const PgQuery__AIndices& indices = *nodes[i]->a_indices;
        step.kind = indices.is_slice ? Indirection::Kind::kSlice : Indirection::Kind::kSubscript;
        step.lower = expr(indices.lidx);
        step.upper = expr(indices.uidx);
        break;
      }
      default:
        fail_unexpected("an indirection", nodes[i]->node_case);
        break;
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

WindowDefinition TreeReader::window(const PgQuery__WindowDef& node) {
  // PostgreSQL's FRAMEOPTION bits (nodes/parsenodes.h).
  constexpr int32_t kNonDefault = 0x1;
  constexpr int32_t kRows = 0x4;
  constexpr int32_t kGroups = 0x8;
  constexpr int32_t kExcludeCurrentRow = 0x8000;
  constexpr int32_t kExcludeGroup = 0x10000;
  constexpr int32_t kExcludeTies = 0x20000;
  WindowDefinition window;
  window.name = node.name;
  window.reference = node.refname;
  window.partition_by = exprs(node.n_partition_clause, node.partition_clause);
  window.order_by = sort_list(node.n_order_clause, node.order_clause);
  window.location = node.location;
  WindowFrame& frame = window.frame;
  const int32_t options = node.frame_options;
  frame.written = (options & kNonDefault) != 0;
  if (frame.written) {
    frame.mode = options & kRows     ? WindowFrame::Mode::kRows
                 : options & kGroups ? WindowFrame::Mode::kGroups
                                     : WindowFrame::Mode::kRange;
    frame.start = frame_bound(options, 0x20, 0x80, 0x800, 0x2000);
    frame.end = frame_bound(options, 0x40, 0x100, 0x1000, 0x4000);
    frame.exclusion = options & kExcludeCurrentRow ? WindowFrame::Exclusion::kCurrentRow
                      : options & kExcludeGroup    ? WindowFrame::Exclusion::kGroup
                      : options & kExcludeTies     ? WindowFrame::Exclusion::kTies
                                                   : WindowFrame::Exclusion::kNone;
    frame.start_offset = expr(node.start_offset);
    frame.end_offset = expr(node.end_offset);
  }
  return window;
}

SortBy TreeReader::sort_by(const PgQuery__Node* node) {
  const PgQuery__SortBy& source = *node->sort_by;
  SortBy sort;
  sort.expr = expr(source.node);
  sort.direction = source.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_ASC     ? SortBy::Direction::kAscending
                   : source.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC  ? SortBy::Direction::kDescending
                   : source.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING ? SortBy::Direction::kUsing
                                                                              : SortBy::Direction::kDefault;
  sort.nulls = source.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST  ? SortBy::Nulls::kFirst
               : source.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST ? SortBy::Nulls::kLast
                                                                                   : SortBy::Nulls::kDefault;
  sort.operator_name = string_list(source.n_use_op, source.use_op);
  sort.location = source.location;
  return sort;
}

std::vector<SortBy> TreeReader::sort_list(std::size_t count, PgQuery__Node** nodes) {
  std::vector<SortBy> list;
  list.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (nodes[i]->node_case == PG_QUERY__NODE__NODE_SORT_BY) {
      list.push_back(sort_by(nodes[i]));
    }
  }
  return list;
}

TypeName TreeReader::type_name(const PgQuery__TypeName* node) {
  TypeName type;
  if (node == nullptr) {
    return type;
  }
  type.names = string_list(node->n_names, node->names);
  type.modifiers = exprs(node->n_typmods, node->typmods);
  for (std::size_t i = 0; i < node->n_array_bounds; ++i) {
    const PgQuery__Node& bound = *node->array_bounds[i];
    type.array_bounds.push_back(bound.node_case == PG_QUERY__NODE__NODE_INTEGER ? bound.integer->ival : -1);
  }
  type.setof = node->setof;
  type.percent_type = node->pct_type;
  type.location = node->location;
  return type;
}

}  // namespace pando::parse
