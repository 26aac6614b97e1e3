// rank(a) WITHIN GROUP (ORDER BY x) and its kin: where a row with these values would come among the group's. As that is
// asked of one row only, the rows before it are counted and nothing is sorted.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

ExprPtr logic(LogicExpr::Kind kind, std::vector<ExprPtr> arguments) {
  return arguments.size() == 1 ? arguments[0] : make_expr({oid::kBool}, LogicExpr{kind, std::move(arguments)});
}

ExprPtr is_null(const ExprPtr& value, bool negated) { return make_expr({oid::kBool}, NullTestExpr{value, negated}); }

const Function* count_rows() {
  const auto candidates = functions_named("count");
  const auto found = std::ranges::find_if(candidates, [](const Function* f) { return f->arguments.empty(); });
  return *found;
}

Status wrong_count(Binder& binder, const ast::FunctionCall& node, Scope& scope, int position) {
  std::vector<types::Oid> types;
  for (const ast::ExprPtr& argument : node.arguments) {
    PANDO_ASSIGN(const ExprPtr value, binder.expr(*argument, scope));
    types.push_back(value->type.oid);
  }
  for (const ast::SortBy& sort : node.order_by) {
    PANDO_ASSIGN(const ExprPtr value, binder.expr(*sort.expr, scope));
    types.push_back(value->type.oid);
  }
  return Status(sql_state::kUndefinedFunction, "function {} does not exist", signature_text(node.name, types))
      .with_hint(fmt::format("To use the hypothetical-set aggregate {}, the number of hypothetical direct arguments "
                             "(here {}) must match the number of ordering columns (here {}).",
                             name_text(node.name), node.arguments.size(), node.order_by.size()))
      .with_position(position);
}

}  // namespace

// Of one ORDER BY item: whether the group's value comes before the given one, and whether it is the same.
struct Binder::HypotheticalKey {
  ExprPtr before;
  ExprPtr same;
  ExprPtr value;
};

Result<Binder::HypotheticalKey> Binder::hypothetical_key(const ast::Expr& given, const ast::SortBy& sort,
                                                         Scope& scope) {
  PANDO_ASSIGN(ExprPtr argument, expr(given, scope));
  PANDO_ASSIGN(ExprPtr value, expr(*sort.expr, scope));
  const std::vector<ExprPtr> both{argument, value};
  PANDO_ASSIGN(const types::Oid common, select_common_type(both, "WITHIN GROUP"));
  PANDO_ASSIGN(argument, coerce_to_common(context_, std::move(argument), common, "WITHIN GROUP"));
  PANDO_ASSIGN(value, coerce_to_common(context_, std::move(value), common, "WITHIN GROUP"));
  PANDO_ASSIGN(const SortKey key, sort_key(sort, value));
  HypotheticalKey result;
  result.value = value;
  const int position = context_.position(sort.expr->location);
  PANDO_ASSIGN(ExprPtr less, apply_operator(context_, {key.descending ? ">" : "<"}, value, argument, position));
  // NULL is beyond all values, on the one side or the other.
  std::vector<ExprPtr> apart{is_null(value, !key.nulls_first), is_null(argument, key.nulls_first)};
  result.before = logic(LogicExpr::Kind::kOr, {std::move(less), logic(LogicExpr::Kind::kAnd, std::move(apart))});
  PANDO_ASSIGN(const Function* equality, coerce_operands(context_, {"="}, value, argument, position));
  result.same = make_expr({oid::kBool}, DistinctExpr{std::move(value), std::move(argument), equality, true}, position);
  return result;
}

// count(*), or count(DISTINCT row), of the group's rows that fulfil both conditions; each may be null for all.
Result<ExprPtr> Binder::count_in_group(std::vector<ExprPtr> conditions, ExprPtr distinct, std::size_t log_start,
                                       Scope& scope, int position) {
  AggregateExpr count;
  count.function = count_rows();
  count.star = distinct == nullptr;
  if (distinct != nullptr) {
    const ast::QualifiedName name{"count"};
    const std::vector<types::Oid> types{oid::kRecord};
    PANDO_ASSIGN(const FunctionChoice choice, choose_function(context_, CallShape{name, types, {}, false, false, 0}));
    count.function = choice.function;
    count.distinct = true;
    count.arguments = {std::move(distinct)};
  }
  std::erase(conditions, nullptr);
  count.filter = conditions.empty() ? nullptr : logic(LogicExpr::Kind::kAnd, std::move(conditions));
  PANDO_ASSIGN(ExprPtr result, register_aggregate(std::move(count), {oid::kInt8}, "count", log_start, scope, position));
  // The next count of the same call is beside this one, not around it.
  log_.pop_back();
  return result;
}

bool Binder::is_hypothetical_set(const ast::FunctionCall& node) {
  const std::string& name = node.name.back();
  return node.within_group && (node.name.size() == 1 || node.name[0] == "pg_catalog") &&
         (name == "rank" || name == "dense_rank" || name == "percent_rank" || name == "cume_dist");
}

Result<ExprPtr> Binder::hypothetical_set(const ast::FunctionCall& node, Scope& scope, int position) {
  const std::size_t log_start = log_.size();
  if (node.arguments.size() != node.order_by.size()) {
    return wrong_count(*this, node, scope, position);
  }
  ExprPtr before;
  ExprPtr same;
  RowExpr row;
  for (std::size_t i = node.arguments.size(); i-- > 0;) {
    PANDO_ASSIGN(HypotheticalKey key, hypothetical_key(*node.arguments[i], node.order_by[i], scope));
    using Kind = LogicExpr::Kind;
    before = before == nullptr ? key.before
                               : logic(Kind::kOr, {key.before, logic(Kind::kAnd, {key.same, std::move(before)})});
    same = same == nullptr ? key.same : logic(Kind::kAnd, {key.same, std::move(same)});
    row.names.push_back(fmt::format("f{}", row.fields.size() + 1));
    row.fields.push_back(std::move(key.value));
  }
  ExprPtr filter;
  if (node.filter != nullptr) {
    PANDO_ASSIGN(filter, boolean_in(*node.filter, scope, ExprPlace::kFilter));
  }
  const auto count = [&](ExprPtr condition, ExprPtr distinct) {
    return count_in_group({filter, std::move(condition)}, std::move(distinct), log_start, scope, position);
  };
  const auto number = [](int64_t value) { return make_constant({oid::kInt8}, types::Value::of_int64(value)); };
  const auto plus_one = [&](ExprPtr value) {
    return apply_operator(context_, {"+"}, std::move(value), number(1), position);
  };
  const auto ratio = [&](ExprPtr part, ExprPtr whole) -> Result<ExprPtr> {
    PANDO_ASSIGN(part, coerce(context_, std::move(part), {oid::kFloat8}, CastContext::kExplicit));
    PANDO_ASSIGN(whole, coerce(context_, std::move(whole), {oid::kFloat8}, CastContext::kExplicit));
    return apply_operator(context_, {"/"}, std::move(part), std::move(whole), position);
  };
  Result<ExprPtr> result = [&]() -> Result<ExprPtr> {
    if (node.name.back() == "cume_dist") {
      PANDO_ASSIGN(ExprPtr part, count(logic(LogicExpr::Kind::kOr, {before, same}), nullptr));
      PANDO_ASSIGN(ExprPtr whole, count(nullptr, nullptr));
      PANDO_ASSIGN(part, plus_one(std::move(part)));
      PANDO_ASSIGN(whole, plus_one(std::move(whole)));
      return ratio(std::move(part), std::move(whole));
    }
    if (node.name.back() == "dense_rank") {
      PANDO_ASSIGN(ExprPtr rows, count(before, make_expr({oid::kRecord}, std::move(row))));
      return plus_one(std::move(rows));
    }
    PANDO_ASSIGN(ExprPtr rows, count(before, nullptr));
    if (node.name.back() == "rank") {
      return plus_one(std::move(rows));
    }
    // Of no rows it is 0.
    PANDO_ASSIGN(ExprPtr whole, count(nullptr, nullptr));
    MinMaxExpr at_least_one{true, {std::move(whole), number(1)}};
    return ratio(std::move(rows), make_expr({oid::kInt8}, std::move(at_least_one)));
  }();
  log_.push_back({&level_of(log_start, scope), true, position});
  return result;
}

}  // namespace pando::sql
