// TABLESAMPLE: a filter on the rows' keys. The same seed chooses the same rows of a table.

#include "sql/function/table_sample.h"

#include "catalog/relation_forms.h"
#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"

namespace pando::sql {

namespace oid = types::oid;

Result<ExprPtr> Binder::sample_argument(const ast::Expr& node, types::Oid type, Scope& scope) {
  const Restore<bool> lateral(scope.lateral_active, true);
  PANDO_ASSIGN(ExprPtr bound, expr_in(node, scope, ExprPlace::kFromFunction));
  const std::string given = type_name(bound->type.oid);
  PANDO_ASSIGN(ExprPtr value, coerce(context_, std::move(bound), {type}, CastContext::kAssignment));
  if (value == nullptr) {
    return Status(sql_state::kDatatypeMismatch, "argument of TABLESAMPLE must be type {}, not type {}", type_name(type),
                  given)
        .with_position(context_.position(node.location));
  }
  return value;
}

Status Binder::sample_of_no_table(ast::Location location) const {
  return Status(sql_state::kWrongObjectType, "TABLESAMPLE clause can only be applied to tables and materialized views")
      .with_position(context_.position(location));
}

Result<Binder::FromResult> Binder::sampled(const catalog::TablePtr& table, const ast::FromTable& from, Scope& scope,
                                           ast::Location location) {
  const ast::TableSample& sample = *from.sample;
  if (!catalog::has_rows(*table)) {
    return sample_of_no_table(location);
  }
  const std::string& method = sample.method.back();
  if (method != "system" && method != "bernoulli") {
    return Status(sql_state::kUndefinedObject, "tablesample method {} does not exist", method)
        .with_position(context_.position(sample.location));
  }
  if (sample.arguments.size() != 1) {
    return Status(kInvalidTablesampleArgument, "tablesample method {} requires 1 argument, not {}", method,
                  sample.arguments.size())
        .with_position(context_.position(sample.location));
  }
  PANDO_ASSIGN(FromResult result, scan(table, from.alias, true));
  std::vector<OutputColumn> outputs = result.plan->outputs;
  const OutputColumn& key = outputs.back();
  CallExpr chosen{.function = sample.seed == nullptr ? &is_sampled() : &is_sampled_repeatably(),
                  .arguments = {make_expr(key.type, ColumnExpr{key.id, key.name})},
                  .spelling = "is_sampled"};
  PANDO_ASSIGN(ExprPtr percent, sample_argument(*sample.arguments[0], oid::kFloat4, scope));
  chosen.arguments.push_back(std::move(percent));
  if (sample.seed != nullptr) {
    PANDO_ASSIGN(ExprPtr seed, sample_argument(*sample.seed, oid::kFloat8, scope));
    chosen.arguments.push_back(std::move(seed));
  } else {
    // Two samples of one statement differ.
    chosen.arguments.push_back(
        make_constant({oid::kInt4}, types::Value::of_int32(static_cast<int32_t>(key.id.number()))));
  }
  if (!scan_row_keys_) {
    result.items.back().system_columns.pop_back();
  }
  ExprPtr predicate = make_expr({oid::kBool}, std::move(chosen), context_.position(sample.location));
  result.plan = make_logical(std::move(outputs), FilterNode{std::move(result.plan), std::move(predicate)});
  return result;
}

}  // namespace pando::sql
