#include <utility>

#include "sql/parse/nested.h"
#include "sql/parse/tree_reader.h"

namespace pando::parse {

using namespace ast;

std::unique_ptr<Select> TreeReader::select_node(const PgQuery__Node* node) {
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
    if (node != nullptr) {
      fail_unexpected("a subquery", node->node_case);
    }
    return nullptr;
  }
  return std::make_unique<Select>(select(*node->select_stmt));
}

Select TreeReader::select(const PgQuery__SelectStmt& node) {
  Select result;
  Nested nested(*this);
  if (!nested.ok()) {
    return result;
  }
  if (node.op != PG_QUERY__SET_OPERATION__SETOP_NONE && node.op != PG_QUERY__SET_OPERATION__SET_OPERATION_UNDEFINED) {
    SetOperation operation;
    operation.kind = node.op == PG_QUERY__SET_OPERATION__SETOP_UNION       ? SetOperation::Kind::kUnion
                     : node.op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT ? SetOperation::Kind::kIntersect
                                                                           : SetOperation::Kind::kExcept;
    operation.all = node.all;
    operation.left = std::make_unique<Select>(select(*node.larg));
    operation.right = std::make_unique<Select>(select(*node.rarg));
    result.body = std::move(operation);
  } else if (node.n_values_lists > 0) {
    ValuesLists values;
    values.rows.reserve(node.n_values_lists);
    for (std::size_t i = 0; i < node.n_values_lists; ++i) {
      values.rows.push_back(exprs(node.values_lists[i]->list->n_items, node.values_lists[i]->list->items));
    }
    result.body = std::move(values);
  } else {
    result.body = select_core(node);
  }
  result.with = with(node.with_clause);
  result.order_by = sort_list(node.n_sort_clause, node.sort_clause);
  result.limit = expr(node.limit_count);
  result.offset = expr(node.limit_offset);
  result.with_ties = node.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES;
  for (std::size_t i = 0; i < node.n_locking_clause; ++i) {
    result.locking.push_back(locking(*node.locking_clause[i]->locking_clause));
  }
  return result;
}

SelectCore TreeReader::select_core(const PgQuery__SelectStmt& node) {
  SelectCore core;
  core.distinct = node.n_distinct_clause > 0;
  core.distinct_on = exprs(node.n_distinct_clause, node.distinct_clause);
  core.items = select_items(node.n_target_list, node.target_list);
  core.from = from_list(node.n_from_clause, node.from_clause);
  core.where = expr(node.where_clause);
  core.group_by = exprs(node.n_group_clause, node.group_clause);
  core.group_distinct = node.group_distinct;
  core.having = expr(node.having_clause);
  for (std::size_t i = 0; i < node.n_window_clause; ++i) {
    core.windows.push_back(window(*node.window_clause[i]->window_def));
  }
  return core;
}

std::vector<SelectItem> TreeReader::select_items(std::size_t count, PgQuery__Node** nodes) {
  std::vector<SelectItem> items;
  items.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__ResTarget& target = *nodes[i]->res_target;
    items.push_back({expr(target.val), target.name, target.location});
  }
  return items;
}

std::vector<FromItemPtr> TreeReader::from_list(std::size_t count, PgQuery__Node** nodes) {
  std::vector<FromItemPtr> items;
  items.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    items.push_back(from_item(nodes[i]));
  }
  return items;
}

FromItemPtr TreeReader::from_item(const PgQuery__Node* node) {
  Nested nested(*this);
  auto item = std::make_unique<FromItem>();
  if (!nested.ok()) {
    return item;
  }
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      item->node = FromTable{relation(node->range_var), alias(node->range_var->alias), nullptr};
      item->location = node->range_var->location;
      return item;
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT: {
      const PgQuery__RangeSubselect& source = *node->range_subselect;
      item->node = FromSubquery{select_node(source.subquery), alias(source.alias), source.lateral != 0};
      return item;
    }
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
      return from_function(*node->range_function);
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
      return from_join(*node->join_expr);
    case PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE:
      return from_sample(*node->range_table_sample);
    case PG_QUERY__NODE__NODE_RANGE_TABLE_FUNC:
      item->node = FromUnsupported{"XMLTABLE"};
      item->location = node->range_table_func->location;
      return item;
    default:
      fail_unexpected("FROM", node->node_case);
      return item;
  }
}

FromItemPtr TreeReader::from_sample(const PgQuery__RangeTableSample& node) {
  FromItemPtr item = from_item(node.relation);
  if (auto* table = std::get_if<FromTable>(&item->node)) {
    table->sample = std::make_unique<TableSample>(TableSample{
        string_list(node.n_method, node.method), exprs(node.n_args, node.args), expr(node.repeatable), node.location});
  }
  return item;
}

FromItemPtr TreeReader::from_join(const PgQuery__JoinExpr& node) {
  FromJoin join;
  join.kind = node.jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT    ? FromJoin::Kind::kLeft
              : node.jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT ? FromJoin::Kind::kRight
              : node.jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL  ? FromJoin::Kind::kFull
                                                                 : FromJoin::Kind::kInner;
  join.left = from_item(node.larg);
  join.right = from_item(node.rarg);
  join.natural = node.is_natural;
  join.using_columns = string_list(node.n_using_clause, node.using_clause);
  join.using_alias = alias(node.join_using_alias);
  join.condition = expr(node.quals);
  join.alias = alias(node.alias);
  auto item = std::make_unique<FromItem>();
  item->node = std::move(join);
  return item;
}

FromItemPtr TreeReader::from_function(const PgQuery__RangeFunction& node) {
  FromFunction function;
  auto item = std::make_unique<FromItem>();
  for (std::size_t i = 0; i < node.n_functions; ++i) {
    // Each is a list of the call and its column definitions.
    const PgQuery__Node& entry = *node.functions[i];
    if (entry.node_case != PG_QUERY__NODE__NODE_LIST || entry.list->n_items == 0) {
      fail_unexpected("ROWS FROM", entry.node_case);
      return item;
    }
    FromFunction::Item call;
    call.call = expr(entry.list->items[0]);
    if (entry.list->n_items > 1 && entry.list->items[1]->node_case == PG_QUERY__NODE__NODE_LIST) {
      const PgQuery__List& columns = *entry.list->items[1]->list;
      for (std::size_t c = 0; c < columns.n_items; ++c) {
        call.columns.push_back(column_item(columns.items[c]));
      }
    }
    if (item->location == kNoLocation && call.call != nullptr) {
      item->location = call.call->location;
    }
    function.functions.push_back(std::move(call));
  }
  function.alias = alias(node.alias);
  for (std::size_t i = 0; i < node.n_coldeflist; ++i) {
    function.columns.push_back(column_item(node.coldeflist[i]));
  }
  function.lateral = node.lateral;
  function.ordinality = node.ordinality;
  function.rows_from = node.is_rowsfrom;
  item->node = std::move(function);
  return item;
}

ColumnDefinitionItem TreeReader::column_item(const PgQuery__Node* node) {
  ColumnDefinitionItem item;
  const PgQuery__ColumnDef& column = *node->column_def;
  item.name = column.colname;
  item.type = type_name(column.type_name);
  if (column.coll_clause != nullptr) {
    item.collation = string_list(column.coll_clause->n_collname, column.coll_clause->collname);
  }
  item.location = column.location;
  return item;
}

RelationName TreeReader::relation(const PgQuery__RangeVar* node) {
  RelationName name;
  if (node == nullptr) {
    return name;
  }
  name.catalog = node->catalogname;
  name.schema = node->schemaname;
  name.name = node->relname;
  name.inherit = node->inh;
  name.persistence = node->relpersistence[0] == 't'   ? RelationName::Persistence::kTemporary
                     : node->relpersistence[0] == 'u' ? RelationName::Persistence::kUnlogged
                                                      : RelationName::Persistence::kPermanent;
  name.location = node->location;
  return name;
}

std::optional<Alias> TreeReader::alias(const PgQuery__Alias* node) {
  if (node == nullptr) {
    return std::nullopt;
  }
  return Alias{node->aliasname, string_list(node->n_colnames, node->colnames)};
}

std::unique_ptr<WithClause> TreeReader::with(const PgQuery__WithClause* node) {
  if (node == nullptr) {
    return nullptr;
  }
  auto clause = std::make_unique<WithClause>();
  clause->recursive = node->recursive;
  clause->location = node->location;
  for (std::size_t i = 0; i < node->n_ctes; ++i) {
    const PgQuery__CommonTableExpr& source = *node->ctes[i]->common_table_expr;
    CommonTable table;
    table.name = source.ctename;
    table.columns = string_list(source.n_aliascolnames, source.aliascolnames);
    table.materialize =
        source.ctematerialized == PG_QUERY__CTEMATERIALIZE__CTEMaterializeAlways  ? CommonTable::Materialize::kAlways
        : source.ctematerialized == PG_QUERY__CTEMATERIALIZE__CTEMaterializeNever ? CommonTable::Materialize::kNever
                                                                                  : CommonTable::Materialize::kDefault;
    table.query = statement(source.ctequery);
    add_search(source, table);
    add_cycle(source, table);
    table.location = source.location;
    clause->tables.push_back(std::move(table));
  }
  return clause;
}

LockingClause TreeReader::locking(const PgQuery__LockingClause& node) {
  LockingClause clause;
  for (std::size_t i = 0; i < node.n_locked_rels; ++i) {
    clause.relations.push_back(relation(node.locked_rels[i]->range_var));
  }
  clause.strength =
      node.strength == PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORKEYSHARE      ? LockingClause::Strength::kKeyShare
      : node.strength == PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORSHARE       ? LockingClause::Strength::kShare
      : node.strength == PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORNOKEYUPDATE ? LockingClause::Strength::kNoKeyUpdate
                                                                            : LockingClause::Strength::kUpdate;
  clause.wait = node.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitSkip    ? LockingClause::Wait::kSkipLocked
                : node.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitError ? LockingClause::Wait::kNoWait
                                                                                : LockingClause::Wait::kBlock;
  return clause;
}

TargetColumn TreeReader::target_column(const PgQuery__ResTarget& node) {
  return {node.name, indirection(node.n_indirection, node.indirection), node.location};
}

std::vector<Assignment> TreeReader::assignments(std::size_t count, PgQuery__Node** nodes) {
  std::vector<Assignment> list;
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__ResTarget& target = *nodes[i]->res_target;
    const bool multiple = target.val != nullptr && target.val->node_case == PG_QUERY__NODE__NODE_MULTI_ASSIGN_REF;
    // The targets of SET (a, b) = value follow each other, each with a copy of the value.
    if (multiple && target.val->multi_assign_ref->colno > 1 && !list.empty()) {
      list.back().targets.push_back(target_column(target));
      continue;
    }
    Assignment assignment;
    assignment.targets.push_back(target_column(target));
    assignment.value = expr(multiple ? target.val->multi_assign_ref->source : target.val);
    assignment.multiple = multiple;
    list.push_back(std::move(assignment));
  }
  return list;
}

OnConflict TreeReader::on_conflict(const PgQuery__OnConflictClause& node) {
  OnConflict clause;
  clause.do_update = node.action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE;
  if (node.infer != nullptr) {
    for (std::size_t i = 0; i < node.infer->n_index_elems; ++i) {
      const PgQuery__IndexElem& element = *node.infer->index_elems[i]->index_elem;
      clause.elements.push_back({element.name, expr(element.expr), string_list(element.n_collation, element.collation),
                                 string_list(element.n_opclass, element.opclass)});
    }
    clause.element_where = expr(node.infer->where_clause);
    clause.constraint = node.infer->conname;
    clause.inference_location = node.infer->location;
  }
  clause.assignments = assignments(node.n_target_list, node.target_list);
  clause.where = expr(node.where_clause);
  clause.location = node.location;
  return clause;
}

Insert TreeReader::insert(const PgQuery__InsertStmt& node) {
  Insert insert;
  insert.table = relation(node.relation);
  if (node.relation != nullptr && node.relation->alias != nullptr) {
    insert.alias = node.relation->alias->aliasname;
  }
  for (std::size_t i = 0; i < node.n_cols; ++i) {
    insert.columns.push_back(target_column(*node.cols[i]->res_target));
  }
  if (node.select_stmt != nullptr) {
    insert.source = select_node(node.select_stmt);
  }
  if (node.on_conflict_clause != nullptr) {
    insert.on_conflict = on_conflict(*node.on_conflict_clause);
  }
  insert.returning = select_items(node.n_returning_list, node.returning_list);
  insert.with = with(node.with_clause);
  insert.overriding = node.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE ? Insert::Overriding::kUserValue
                      : node.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE
                          ? Insert::Overriding::kSystemValue
                          : Insert::Overriding::kNone;
  return insert;
}

Update TreeReader::update(const PgQuery__UpdateStmt& node) {
  Update update;
  update.table = relation(node.relation);
  if (node.relation != nullptr && node.relation->alias != nullptr) {
    update.alias = node.relation->alias->aliasname;
  }
  update.assignments = assignments(node.n_target_list, node.target_list);
  update.from = from_list(node.n_from_clause, node.from_clause);
  update.where = expr(node.where_clause);
  update.returning = select_items(node.n_returning_list, node.returning_list);
  update.with = with(node.with_clause);
  return update;
}

Delete TreeReader::delete_from(const PgQuery__DeleteStmt& node) {
  Delete result;
  result.table = relation(node.relation);
  if (node.relation != nullptr && node.relation->alias != nullptr) {
    result.alias = node.relation->alias->aliasname;
  }
  result.using_items = from_list(node.n_using_clause, node.using_clause);
  result.where = expr(node.where_clause);
  result.returning = select_items(node.n_returning_list, node.returning_list);
  result.with = with(node.with_clause);
  return result;
}

Merge TreeReader::merge(const PgQuery__MergeStmt& node) {
  Merge result;
  result.table = relation(node.relation);
  if (node.relation != nullptr && node.relation->alias != nullptr) {
    result.alias = node.relation->alias->aliasname;
  }
  result.location = result.table.location;
  result.source = from_item(node.source_relation);
  result.condition = expr(node.join_condition);
  for (std::size_t i = 0; i < node.n_merge_when_clauses; ++i) {
    const PgQuery__MergeWhenClause& source = *node.merge_when_clauses[i]->merge_when_clause;
    Merge::When when;
    when.matched = source.matched;
    when.condition = expr(source.condition);
    switch (source.command_type) {
      case PG_QUERY__CMD_TYPE__CMD_UPDATE:
        when.action = Merge::When::Action::kUpdate;
        when.assignments = assignments(source.n_target_list, source.target_list);
        break;
      case PG_QUERY__CMD_TYPE__CMD_DELETE:
        when.action = Merge::When::Action::kDelete;
        break;
      case PG_QUERY__CMD_TYPE__CMD_INSERT:
        when.action = Merge::When::Action::kInsert;
        for (std::size_t c = 0; c < source.n_target_list; ++c) {
          when.columns.push_back(target_column(*source.target_list[c]->res_target));
        }
        when.values = exprs(source.n_values, source.values);
        break;
      default:
        break;
    }
    when.overriding =
        source.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE     ? Insert::Overriding::kUserValue
        : source.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE ? Insert::Overriding::kSystemValue
                                                                                : Insert::Overriding::kNone;
    result.whens.push_back(std::move(when));
  }
  result.with = with(node.with_clause);
  return result;
}

}  // namespace pando::parse
