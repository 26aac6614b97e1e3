// FROM: tables, views, subqueries, functions, WITH tables.

#include <algorithm>
#include <utility>

#include "catalog/relation_forms.h"
#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/traverse.h"
#include "sql/plan/system_attributes.h"

namespace pando::sql {

namespace oid = types::oid;

Status Binder::rename_columns(NamespaceItem& item, const std::optional<ast::Alias>& alias) {
  if (!alias.has_value()) {
    return {};
  }
  item.name = alias->name;
  item.schema.clear();
  if (alias->columns.size() > item.columns.size()) {
    return {sql_state::kInvalidColumnReference, "table \"{}\" has {} columns available but {} columns specified",
            item.name, item.columns.size(), alias->columns.size()};
  }
  for (std::size_t i = 0; i < alias->columns.size(); ++i) {
    item.columns[i].name = alias->columns[i];
  }
  return {};
}

Status Binder::add_items(std::vector<NamespaceItem> items, Scope& scope) {
  for (NamespaceItem& item : items) {
    if (item.relation_visible && !item.name.empty()) {
      for (const NamespaceItem& other : scope.items) {
        // Two tables of one name in different schemas can be told apart by them.
        const bool different_schemas = !item.schema.empty() && !other.schema.empty() && item.schema != other.schema;
        if (other.relation_visible && other.name == item.name && !different_schemas) {
          return {sql_state::kDuplicateAlias, "table name \"{}\" specified more than once", item.name};
        }
      }
    }
    scope.items.push_back(std::move(item));
  }
  return {};
}

Result<LogicalPtr> Binder::from_list(const std::vector<ast::FromItemPtr>& items, Scope& scope) {
  LogicalPtr plan;
  for (const ast::FromItemPtr& item : items) {
    // Items to the left are visible to this one only if it is LATERAL.
    for (NamespaceItem& left : scope.items) {
      left.lateral_only = true;
      left.lateral_legal = true;
    }
    const int references_before = scope.lateral_references;
    PANDO_ASSIGN(FromResult result, from_item(*item, scope));
    PANDO_TRY(add_items(std::move(result.items), scope));
    if (plan == nullptr) {
      plan = std::move(result.plan);
      continue;
    }
    std::vector<OutputColumn> outputs = plan->outputs;
    outputs.insert(outputs.end(), result.plan->outputs.begin(), result.plan->outputs.end());
    JoinNode join;
    join.left = std::move(plan);
    join.right = std::move(result.plan);
    join.lateral = scope.lateral_references != references_before;
    plan = make_logical(std::move(outputs), std::move(join));
  }
  for (NamespaceItem& item : scope.items) {
    item.lateral_only = false;
    item.lateral_legal = true;
  }
  if (plan == nullptr) {
    // No FROM: one row without columns.
    plan = make_logical({}, ValuesNode{{{}}});
  }
  return plan;
}

Result<Binder::FromResult> Binder::from_item(const ast::FromItem& item, Scope& scope) {
  PANDO_ASSIGN(FromResult result, from_node(item, scope));
  if (context_.options.trace != nullptr) {
    const NamespaceItem& whole = result.items.back();
    QueryTrace::Item& traced = context_.options.trace->items[&item];
    const auto* table = std::get_if<ast::FromTable>(&item.node);
    traced.table = whole.table;
    traced.is_cte = table != nullptr && whole.table == nullptr;
    traced.columns.clear();
    std::ranges::transform(whole.columns, std::back_inserter(traced.columns), &OutputColumn::name);
  }
  return result;
}

Result<Binder::FromResult> Binder::from_node(const ast::FromItem& item, Scope& scope) {
  if (const auto* table = std::get_if<ast::FromTable>(&item.node)) {
    return from_table(*table, scope, item.location);
  }
  if (const auto* subquery = std::get_if<ast::FromSubquery>(&item.node)) {
    return from_subquery(*subquery, scope);
  }
  if (const auto* function = std::get_if<ast::FromFunction>(&item.node)) {
    return from_function(*function, scope, item.location);
  }
  if (const auto* join = std::get_if<ast::FromJoin>(&item.node)) {
    return from_join(*join, scope);
  }
  return Status(sql_state::kFeatureNotSupported, "{} is not supported",
                std::get<ast::FromUnsupported>(item.node).feature)
      .with_position(context_.position(item.location));
}

Result<Binder::FromResult> Binder::scan(const catalog::TablePtr& table, const std::optional<ast::Alias>& alias,
                                        bool row_key) {
  NamespaceItem item;
  item.name = table->name;
  const catalog::SchemaPtr schema = context_.options.catalog->find_schema(table->schema);
  item.schema = schema == nullptr ? "" : schema->name;
  item.table = table;
  item.is_table_scan = true;
  ScanNode scan;
  scan.table = table;
  std::vector<OutputColumn> outputs;
  const auto add = [&](std::string name, types::Type type, catalog::AttributeNumber attribute) {
    outputs.push_back({context_.new_column(), std::move(name), type, table->oid, attribute});
    scan.attributes.push_back(attribute);
    return outputs.back();
  };
  for (const catalog::ColumnDescriptor& column : table->columns) {
    if (!column.dropped) {
      item.columns.push_back(add(column.name, column.type, column.number));
    }
  }
  if (system_columns_) {
    item.system_columns.push_back(add("tableoid", {oid::kOid}, kTableOidAttribute));
    if (catalog::has_rows(*table)) {
      item.system_columns.push_back(add("ctid", {oid::kTid}, kCtidAttribute));
      item.system_columns.push_back(add("xmin", {oid::kXid}, kXminAttribute));
      item.system_columns.push_back(add("cmin", {oid::kCid}, kCminAttribute));
      item.system_columns.push_back(add("xmax", {oid::kXid}, kXmaxAttribute));
      item.system_columns.push_back(add("cmax", {oid::kCid}, kCmaxAttribute));
    }
  }
  if (row_key && catalog::has_rows(*table)) {
    // A name that no statement can write.
    item.system_columns.push_back(add("", {oid::kBytea}, kRowKeyAttribute));
  }
  PANDO_TRY(rename_columns(item, alias));
  scan.alias = item.name;
  read_tables_.push_back(scan.table->oid);
  FromResult result;
  result.plan = make_logical(std::move(outputs), std::move(scan));
  result.items.push_back(std::move(item));
  return result;
}

Result<Binder::FromResult> Binder::view(const catalog::TablePtr& table, const std::optional<ast::Alias>& alias) {
  if (view_depth_ >= kViewDepthMax) {
    return Status(sql_state::kInvalidObjectDefinition, "infinite recursion detected in rules for relation \"{}\"",
                  table->name);
  }
  PANDO_ASSIGN(const ast::StatementPtr definition, context_.options.parse_statement(table->view_sql));
  const Restore<std::string_view> no_text(context_.text, {});
  const Restore<int> deeper(view_depth_, view_depth_ + 1);
  // What a view reads is its own business: only the view itself is a relation that this query names.
  const std::vector<types::Oid> used = used_relations_;
  PANDO_ASSIGN(BoundQuery query, statement(*definition, nullptr, {}));
  used_relations_ = used;
  NamespaceItem item;
  item.name = table->name;
  item.table = table;
  const catalog::SchemaPtr schema = context_.options.catalog->find_schema(table->schema);
  item.schema = schema == nullptr ? "" : schema->name;
  std::size_t at = 0;
  for (const catalog::ColumnDescriptor& column : table->columns) {
    if (column.dropped || at >= query.columns.size()) {
      continue;
    }
    OutputColumn output = query.columns[at++];
    output.name = column.name;
    output.table = table->oid;
    output.attribute = column.number;
    item.columns.push_back(std::move(output));
  }
  PANDO_TRY(rename_columns(item, alias));
  FromResult result;
  result.plan = std::move(query.plan);
  result.items.push_back(std::move(item));
  return result;
}

Result<Binder::FromResult> Binder::from_table(const ast::FromTable& table, Scope& scope, ast::Location location) {
  if (table.name.schema.empty()) {
    Scope* level = nullptr;
    if (CteEntry* cte = find_cte(table.name.name, scope, &level)) {
      if (table.sample != nullptr) {
        return sample_of_no_table(location);
      }
      scope.has_self_reference = scope.has_self_reference || cte->in_recursion;
      return cte_scan(*cte, table.alias, location);
    }
  }
  Result<catalog::TablePtr> resolved = relation(table.name);
  if (!resolved.ok() && resolved.status().is(sql_state::kUndefinedTable) && table.name.schema.empty()) {
    return explain_later_cte(std::move(resolved).status(), table.name.name, scope);
  }
  PANDO_ASSIGN(const catalog::TablePtr found, std::move(resolved));
  if (table.sample != nullptr) {
    return sampled(found, table, scope, location);
  }
  return found->kind == catalog::RelationKind::kView ? view(found, table.alias)
                                                     : scan(found, table.alias, scan_row_keys_);
}

// Adds to "relation does not exist" that a later WITH table has the name.
Status Binder::explain_later_cte(Status status, const std::string& name, const Scope& scope) {
  for (const Scope* level = &scope; level != nullptr; level = level->parent) {
    if (std::find(level->later_ctes.begin(), level->later_ctes.end(), name) != level->later_ctes.end()) {
      return std::move(status)
          .with_detail(fmt::format(
              "There is a WITH item named \"{}\", but it cannot be referenced from this part of the query.", name))
          .with_hint("Use WITH RECURSIVE, or re-order the WITH items to remove forward references.");
    }
  }
  return status;
}

Result<Binder::FromResult> Binder::from_subquery(const ast::FromSubquery& subquery, Scope& scope) {
  const Restore<bool> lateral(scope.lateral_active, subquery.lateral);
  const Restore<bool> keys(scan_row_keys_, false);
  PANDO_ASSIGN(BoundQuery query, select(*subquery.query, &scope, {}));
  FromResult result;
  NamespaceItem item;
  item.columns = query.columns;
  PANDO_TRY(rename_columns(item, subquery.alias));
  result.plan = std::move(query.plan);
  result.items.push_back(std::move(item));
  return result;
}

namespace {

bool has_set_function(const ExprPtr& expr) {
  const auto* call = as<CallExpr>(expr);
  bool found = call != nullptr && call->function->kind == FunctionKind::kSet;
  visit_children(*expr, [&](const ExprPtr& child) { found = found || has_set_function(child); });
  return found;
}

}  // namespace

Result<FunctionScanNode::Call> Binder::function_call(const ast::Expr& call,
                                                     const std::vector<ast::ColumnDefinitionItem>& columns,
                                                     const std::string& alias, Scope& scope) {
  FunctionScanNode::Call result;
  PANDO_ASSIGN(result.call, expr_in(call, scope, ExprPlace::kFromFunction));
  PANDO_ASSIGN(result.call, resolve_unknown(context_, std::move(result.call)));
  bool nested = false;
  visit_children(*result.call, [&](const ExprPtr& child) { nested = nested || has_set_function(child); });
  if (nested) {
    return Status(sql_state::kFeatureNotSupported, "set-returning functions must appear at top level of FROM")
        .with_position(context_.position(call.location));
  }
  const auto add = [&](std::string name, types::Type type) {
    result.columns.push_back({context_.new_column(), std::move(name), type});
  };
  const auto* function = as<CallExpr>(result.call);
  const bool is_record = result.call->type.oid == oid::kRecord;
  const bool has_columns = function != nullptr && !function->function->out_columns.empty();
  if (!columns.empty()) {
    if (!is_record || has_columns) {
      return Status::from_message(sql_state::kSyntaxError,
                                  has_columns
                                      ? "a column definition list is redundant for a function with OUT parameters"
                                      : "a column definition list is only allowed for functions returning \"record\"")
          .with_position(context_.position(columns[0].location));
    }
    for (const ast::ColumnDefinitionItem& column : columns) {
      PANDO_ASSIGN(const types::Type column_type, type(column.type));
      add(column.name, column_type);
    }
  } else if (has_columns) {
    PANDO_TRY(add_out_columns(*function, result));
  } else if (is_record) {
    return Status(sql_state::kSyntaxError, "a column definition list is required for functions returning \"record\"")
        .with_position(context_.position(call.location));
  } else {
    add(alias.empty() ? column_name(call) : alias, result.call->type);
  }
  return result;
}

// The columns of a function with OUT parameters; polymorphic ones follow from its arguments.
Status Binder::add_out_columns(const CallExpr& function, FunctionScanNode::Call& call) {
  std::vector<types::Oid> actual;
  for (const ExprPtr& argument : function.arguments) {
    actual.push_back(argument->type.oid);
  }
  for (const OutColumn& column : function.function->out_columns) {
    std::vector<types::Oid> declared(function.function->arguments.begin(), function.function->arguments.end());
    PANDO_ASSIGN(const types::Oid column_type, resolve_polymorphic(actual, declared, column.type));
    call.columns.push_back({context_.new_column(), std::string(column.name), {column_type}});
  }
  return {};
}

Result<Binder::FromResult> Binder::from_function(const ast::FromFunction& function, Scope& scope,
                                                 ast::Location location) {
  // Functions see the items to their left, LATERAL written or not.
  const Restore<bool> lateral(scope.lateral_active, true);
  PANDO_ASSIGN(std::optional<FromResult> record, json_record(function, scope));
  if (record.has_value()) {
    return *std::move(record);
  }
  FunctionScanNode node;
  node.ordinality = function.ordinality;
  const bool single = function.functions.size() == 1;
  const std::string alias = single && function.alias.has_value() ? function.alias->name : "";
  for (const ast::FromFunction::Item& item : function.functions) {
    const auto* call = std::get_if<ast::FunctionCall>(&item.call->node);
    const auto& columns = single && item.columns.empty() ? function.columns : item.columns;
    const bool is_unnest = call != nullptr && call->name.back() == "unnest" && call->arguments.size() > 1 &&
                           columns.empty() && call->order_by.empty() && !call->distinct;
    if (!is_unnest) {
      PANDO_ASSIGN(FunctionScanNode::Call bound, function_call(*item.call, columns, alias, scope));
      node.calls.push_back(std::move(bound));
      continue;
    }
    // unnest(a, b) is ROWS FROM (unnest(a), unnest(b)).
    for (const ast::ExprPtr& argument : call->arguments) {
      PANDO_ASSIGN(FunctionScanNode::Call bound, unnest_one(*call, *argument, scope, item.call->location));
      node.calls.push_back(std::move(bound));
    }
  }
  NamespaceItem item;
  item.name = single ? column_name(*function.functions[0].call) : "";
  for (const FunctionScanNode::Call& call : node.calls) {
    item.columns.insert(item.columns.end(), call.columns.begin(), call.columns.end());
  }
  item.is_scalar_function = item.columns.size() == 1 && !types::is_record(node.calls[0].call->type.oid);
  if (node.ordinality) {
    item.columns.push_back({context_.new_column(), "ordinality", {oid::kInt8}});
  }
  FromResult result;
  static_cast<void>(location);
  result.plan = expand_composites(std::move(node), item);
  PANDO_TRY(rename_columns(item, function.alias));
  result.items.push_back(std::move(item));
  return result;
}

// The plan of the functions whose columns `item` has. Values of a composite type become a column for each attribute.
LogicalPtr Binder::expand_composites(FunctionScanNode scan, NamespaceItem& item) {
  std::vector<OutputColumn> outputs = item.columns;
  std::vector<ColumnId> rows;
  for (const FunctionScanNode::Call& call : scan.calls) {
    if (call.columns.size() == 1 && types::is_composite(call.columns[0].type.oid) &&
        call.call->type.oid != oid::kRecord) {
      rows.push_back(call.columns[0].id);
    }
  }
  LogicalPtr plan = make_logical(outputs, std::move(scan));
  if (rows.empty()) {
    return plan;
  }
  ProjectNode project;
  item.columns.clear();
  for (const OutputColumn& column : outputs) {
    ExprPtr value = make_expr(column.type, ColumnExpr{column.id, column.name});
    if (std::ranges::find(rows, column.id) == rows.end()) {
      project.columns.push_back({column, std::move(value)});
      item.columns.push_back(column);
      continue;
    }
    uint32_t field = 0;
    for (const auto& [name, type] : context_.composite(column.type.oid)->attributes) {
      const OutputColumn output{context_.new_column(), name, type};
      project.columns.push_back({output, make_expr(type, FieldExpr{value, field++})});
      item.columns.push_back(output);
    }
  }
  project.input = std::move(plan);
  return make_logical(item.columns, std::move(project));
}

Result<FunctionScanNode::Call> Binder::unnest_one(const ast::FunctionCall& call, const ast::Expr& argument,
                                                  Scope& scope, ast::Location location) {
  PANDO_ASSIGN(ExprPtr array, expr_in(argument, scope, ExprPlace::kFromFunction));
  const std::vector<types::Oid> types{array->type.oid};
  const CallShape shape{call.name, types, {}, false, false, context_.position(location)};
  PANDO_ASSIGN(const FunctionChoice choice, choose_function(context_, shape));
  CallExpr bound;
  bound.function = choice.function;
  bound.spelling = call.name.back();
  PANDO_ASSIGN(bound.arguments, place_arguments(choice, {std::move(array)}));
  FunctionScanNode::Call result;
  result.call = make_expr({choice.result}, std::move(bound), shape.position);
  result.columns.push_back({context_.new_column(), "unnest", {choice.result}});
  return result;
}

Result<Binder::FromResult> Binder::cte_scan(CteEntry& cte, const std::optional<ast::Alias>& alias,
                                            ast::Location location) {
  const int position = context_.position(location);
  if (!cte.usable) {
    return Status(sql_state::kInvalidRecursion,
                  "recursive reference to query \"{}\" must not appear within its non-recursive term", cte.name)
        .with_position(position);
  }
  if (cte.lacks_rows) {
    return Status(sql_state::kFeatureNotSupported, "WITH query \"{}\" does not have a RETURNING clause", cte.name)
        .with_position(position);
  }
  if (cte.in_recursion && ++cte.self_references > 1) {
    return Status(sql_state::kInvalidRecursion, "recursive reference to query \"{}\" must not appear more than once",
                  cte.name)
        .with_position(position);
  }
  CteScanNode node;
  node.cte = cte.id;
  node.work_table = cte.in_recursion;
  NamespaceItem item;
  item.name = cte.name;
  for (const OutputColumn& column : cte.columns) {
    OutputColumn output = column;
    output.id = context_.new_column();
    node.sources.push_back(column.id);
    if (const auto fields = record_columns_.find(column.id.number()); fields != record_columns_.end()) {
      record_columns_[output.id.number()] = fields->second;
    }
    item.columns.push_back(std::move(output));
  }
  FromResult result;
  std::vector<OutputColumn> outputs = item.columns;
  PANDO_TRY(rename_columns(item, alias));
  node.alias = item.name;
  result.plan = make_logical(std::move(outputs), std::move(node));
  result.items.push_back(std::move(item));
  return result;
}

}  // namespace pando::sql
