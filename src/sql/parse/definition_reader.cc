#include <utility>

#include "sql/parse/nested.h"
#include "sql/parse/tree_reader.h"

namespace pando::parse {

using namespace ast;

namespace {

ForeignKeyAction foreign_key_action(const char* code) {
  switch (code[0]) {
    case 'r':
      return ForeignKeyAction::kRestrict;
    case 'c':
      return ForeignKeyAction::kCascade;
    case 'n':
      return ForeignKeyAction::kSetNull;
    case 'd':
      return ForeignKeyAction::kSetDefault;
    default:
      return ForeignKeyAction::kNoAction;
  }
}

OnCommit on_commit(PgQuery__OnCommitAction action) {
  switch (action) {
    case PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_PRESERVE_ROWS:
      return OnCommit::kPreserveRows;
    case PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DELETE_ROWS:
      return OnCommit::kDeleteRows;
    case PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DROP:
      return OnCommit::kDrop;
    default:
      return OnCommit::kNone;
  }
}

Constraint::Kind constraint_kind(PgQuery__ConstrType type) {
  switch (type) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
      return Constraint::Kind::kNotNull;
    case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT:
      return Constraint::Kind::kDefault;
    case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
      return Constraint::Kind::kIdentity;
    case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
      return Constraint::Kind::kGenerated;
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
      return Constraint::Kind::kCheck;
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
      return Constraint::Kind::kPrimaryKey;
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
      return Constraint::Kind::kUnique;
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
      return Constraint::Kind::kExclusion;
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
      return Constraint::Kind::kForeignKey;
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE:
      return Constraint::Kind::kDeferrable;
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_NOT_DEFERRABLE:
      return Constraint::Kind::kNotDeferrable;
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED:
      return Constraint::Kind::kInitiallyDeferred;
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE:
      return Constraint::Kind::kInitiallyImmediate;
    default:
      return Constraint::Kind::kNull;
  }
}

}  // namespace

OptionList TreeReader::options(std::size_t count, PgQuery__Node** nodes) {
  OptionList list;
  list.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    list.push_back(option(nodes[i]));
  }
  return list;
}

Option TreeReader::option(const PgQuery__Node* node) {
  Option option;
  if (node->node_case != PG_QUERY__NODE__NODE_DEF_ELEM) {
    fail_unexpected("an option list", node->node_case);
    return option;
  }
  const PgQuery__DefElem& source = *node->def_elem;
  option.schema = source.defnamespace;
  option.name = source.defname;
  option.location = source.location;
  option.action = source.defaction == PG_QUERY__DEF_ELEM_ACTION__DEFELEM_SET    ? Option::Action::kSet
                  : source.defaction == PG_QUERY__DEF_ELEM_ACTION__DEFELEM_ADD  ? Option::Action::kAdd
                  : source.defaction == PG_QUERY__DEF_ELEM_ACTION__DEFELEM_DROP ? Option::Action::kDrop
                                                                                : Option::Action::kUnspecified;
  if (source.arg != nullptr) {
    option_value(source.arg, option);
  }
  return option;
}

void TreeReader::option_value(const PgQuery__Node* arg, Option& option) {
  switch (arg->node_case) {
    case PG_QUERY__NODE__NODE_INTEGER:
      option.value = static_cast<int64_t>(arg->integer->ival);
      return;
    case PG_QUERY__NODE__NODE_FLOAT:
      option.value = std::string(arg->float_->fval);
      option.is_number = true;
      return;
    case PG_QUERY__NODE__NODE_BOOLEAN:
      option.value = arg->boolean->boolval != 0;
      return;
    case PG_QUERY__NODE__NODE_STRING:
      option.value = std::string(arg->string->sval);
      return;
    case PG_QUERY__NODE__NODE_TYPE_NAME:
      option.value = type_name(arg->type_name);
      return;
    case PG_QUERY__NODE__NODE_LIST:
      option.value = string_list(arg->list->n_items, arg->list->items);
      return;
    case PG_QUERY__NODE__NODE_A_STAR:
      option.is_star = true;
      return;
    case PG_QUERY__NODE__NODE_ROLE_SPEC:
      option.value = std::string(arg->role_spec->rolename);
      return;
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      return;
    default:
      option.value = expr(arg);
      return;
  }
}

Constraint TreeReader::constraint(const PgQuery__Constraint& node) {
  Constraint result;
  result.kind = constraint_kind(node.contype);
  result.name = node.conname;
  result.expr = expr(node.raw_expr);
  result.generated_always = node.generated_when[0] == 'a';
  result.options = options(node.n_options, node.options);
  result.columns = string_list(node.n_keys, node.keys);
  result.including = string_list(node.n_including, node.including);
  result.nulls_not_distinct = node.nulls_not_distinct;
  result.index = node.indexname;
  result.deferrable = node.deferrable;
  result.initially_deferred = node.initdeferred;
  result.no_inherit = node.is_no_inherit;
  result.not_valid = node.skip_validation;
  result.location = node.location;
  if (result.kind == Constraint::Kind::kForeignKey) {
    foreign_key(node, result);
  }
  return result;
}

void TreeReader::foreign_key(const PgQuery__Constraint& node, Constraint& constraint) {
  constraint.columns = string_list(node.n_fk_attrs, node.fk_attrs);
  constraint.referenced_table = relation(node.pktable);
  constraint.referenced_columns = string_list(node.n_pk_attrs, node.pk_attrs);
  constraint.match = node.fk_matchtype[0] == 'f'   ? Constraint::Match::kFull
                     : node.fk_matchtype[0] == 'p' ? Constraint::Match::kPartial
                                                   : Constraint::Match::kSimple;
  constraint.on_update = foreign_key_action(node.fk_upd_action);
  constraint.on_delete = foreign_key_action(node.fk_del_action);
  constraint.on_delete_columns = string_list(node.n_fk_del_set_cols, node.fk_del_set_cols);
}

ColumnDefinition TreeReader::column(const PgQuery__ColumnDef& node) {
  ColumnDefinition result;
  result.name = node.colname;
  result.type = type_name(node.type_name);
  if (node.coll_clause != nullptr) {
    result.collation = string_list(node.coll_clause->n_collname, node.coll_clause->collname);
  }
  for (std::size_t i = 0; i < node.n_constraints; ++i) {
    if (node.constraints[i]->node_case == PG_QUERY__NODE__NODE_CONSTRAINT) {
      result.constraints.push_back(constraint(*node.constraints[i]->constraint));
    }
  }
  result.storage = node.storage;
  result.compression = node.compression;
  result.using_expr = expr(node.raw_default);
  result.location = node.location;
  return result;
}

CreateTable TreeReader::create_table(const PgQuery__CreateStmt& node) {
  CreateTable result;
  result.name = relation(node.relation);
  for (std::size_t i = 0; i < node.n_table_elts; ++i) {
    const PgQuery__Node& element = *node.table_elts[i];
    switch (element.node_case) {
      case PG_QUERY__NODE__NODE_COLUMN_DEF:
        result.elements.emplace_back(column(*element.column_def));
        break;
      case PG_QUERY__NODE__NODE_CONSTRAINT:
        result.elements.emplace_back(constraint(*element.constraint));
        break;
      case PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE:
        result.elements.emplace_back(
            TableLike{relation(element.table_like_clause->relation), element.table_like_clause->options});
        break;
      default:
        fail_unexpected("CREATE TABLE", element.node_case);
        break;
    }
  }
  result.inherits = relations(node.n_inh_relations, node.inh_relations);
  if (node.partspec != nullptr) {
    result.partition_by = partition_by(*node.partspec);
  }
  result.is_partition = node.partbound != nullptr;
  result.of_type = node.of_typename != nullptr;
  result.options = options(node.n_options, node.options);
  result.on_commit = on_commit(node.oncommit);
  result.tablespace = node.tablespacename;
  result.access_method = node.access_method;
  result.if_not_exists = node.if_not_exists;
  return result;
}

PartitionBy TreeReader::partition_by(const PgQuery__PartitionSpec& node) {
  PartitionBy result;
  result.strategy = node.strategy;
  result.location = node.location;
  for (std::size_t i = 0; i < node.n_part_params; ++i) {
    const PgQuery__PartitionElem& element = *node.part_params[i]->partition_elem;
    result.elements.push_back({element.name, expr(element.expr), string_list(element.n_collation, element.collation),
                               string_list(element.n_opclass, element.opclass), element.location});
  }
  return result;
}

CreateTableAs TreeReader::create_table_as(const PgQuery__CreateTableAsStmt& node) {
  CreateTableAs result;
  if (node.into != nullptr) {
    result.name = relation(node.into->rel);
    result.columns = string_list(node.into->n_col_names, node.into->col_names);
    result.access_method = node.into->access_method;
    result.tablespace = node.into->table_space_name;
    result.options = options(node.into->n_options, node.into->options);
    result.on_commit = on_commit(node.into->on_commit);
    result.with_data = !node.into->skip_data;
  }
  result.materialized_view = node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
  result.select_into = node.is_select_into;
  result.if_not_exists = node.if_not_exists;
  result.query = statement(node.query);
  return result;
}

CreateComposite TreeReader::create_composite(const PgQuery__CompositeTypeStmt& node) {
  CreateComposite result;
  const RelationName name = relation(node.typevar);
  if (!name.schema.empty()) {
    result.name.push_back(name.schema);
  }
  result.name.push_back(name.name);
  for (std::size_t i = 0; i < node.n_coldeflist; ++i) {
    result.attributes.push_back(column_item(node.coldeflist[i]));
  }
  return result;
}

CreateView TreeReader::create_view(const PgQuery__ViewStmt& node) {
  CreateView result;
  result.name = relation(node.view);
  result.columns = string_list(node.n_aliases, node.aliases);
  result.query = statement(node.query);
  result.options = options(node.n_options, node.options);
  result.replace = node.replace;
  if (node.with_check_option == PG_QUERY__VIEW_CHECK_OPTION__LOCAL_CHECK_OPTION) {
    result.check_option = CreateView::CheckOption::kLocal;
  } else if (node.with_check_option == PG_QUERY__VIEW_CHECK_OPTION__CASCADED_CHECK_OPTION) {
    result.check_option = CreateView::CheckOption::kCascaded;
  }
  return result;
}

AlterEnum TreeReader::alter_enum(const PgQuery__AlterEnumStmt& node) {
  AlterEnum result;
  result.name = string_list(node.n_type_name, node.type_name);
  const bool renames = node.old_val[0] != '\0';
  result.label = renames ? node.old_val : node.new_val;
  result.new_label = renames ? node.new_val : "";
  result.neighbor = node.new_val_neighbor;
  result.after = node.new_val_is_after;
  result.if_not_exists = node.skip_if_new_val_exists;
  return result;
}

CreateDomain TreeReader::create_domain(const PgQuery__CreateDomainStmt& node) {
  CreateDomain result;
  result.name = string_list(node.n_domainname, node.domainname);
  result.type = type_name(node.type_name);
  if (node.coll_clause != nullptr) {
    result.collation = string_list(node.coll_clause->n_collname, node.coll_clause->collname);
  }
  for (std::size_t i = 0; i < node.n_constraints; ++i) {
    result.constraints.push_back(constraint(*node.constraints[i]->constraint));
  }
  return result;
}

AlterDomain TreeReader::alter_domain(const PgQuery__AlterDomainStmt& node) {
  AlterDomain result;
  result.name = string_list(node.n_type_name, node.type_name);
  result.constraint_name = node.name;
  result.behavior =
      node.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE ? DropBehavior::kCascade : DropBehavior::kRestrict;
  result.missing_ok = node.missing_ok;
  switch (node.subtype[0]) {
    case 'N':
      result.kind = AlterDomain::Kind::kDropNotNull;
      break;
    case 'O':
      result.kind = AlterDomain::Kind::kSetNotNull;
      break;
    case 'C':
      result.kind = AlterDomain::Kind::kAddConstraint;
      result.constraint.push_back(constraint(*node.def->constraint));
      break;
    case 'X':
      result.kind = AlterDomain::Kind::kDropConstraint;
      break;
    case 'V':
      result.kind = AlterDomain::Kind::kValidateConstraint;
      break;
    default:
      result.expr = expr(node.def);
      break;
  }
  return result;
}

std::vector<IndexElement> TreeReader::index_elements(std::size_t count, PgQuery__Node** nodes) {
  std::vector<IndexElement> elements;
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__IndexElem& source = *nodes[i]->index_elem;
    IndexElement element;
    element.column = source.name;
    element.expr = expr(source.expr);
    element.collation = string_list(source.n_collation, source.collation);
    element.operator_class = string_list(source.n_opclass, source.opclass);
    element.direction = source.ordering == PG_QUERY__SORT_BY_DIR__SORTBY_ASC    ? SortBy::Direction::kAscending
                        : source.ordering == PG_QUERY__SORT_BY_DIR__SORTBY_DESC ? SortBy::Direction::kDescending
                                                                                : SortBy::Direction::kDefault;
    element.nulls = source.nulls_ordering == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST  ? SortBy::Nulls::kFirst
                    : source.nulls_ordering == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST ? SortBy::Nulls::kLast
                                                                                          : SortBy::Nulls::kDefault;
    elements.push_back(std::move(element));
  }
  return elements;
}

CreateIndex TreeReader::create_index(const PgQuery__IndexStmt& node) {
  CreateIndex result;
  result.name = node.idxname;
  result.table = relation(node.relation);
  result.access_method = node.access_method;
  result.elements = index_elements(node.n_index_params, node.index_params);
  result.including = index_elements(node.n_index_including_params, node.index_including_params);
  result.options = options(node.n_options, node.options);
  result.where = expr(node.where_clause);
  result.tablespace = node.table_space;
  result.unique = node.unique;
  result.nulls_not_distinct = node.nulls_not_distinct;
  result.concurrently = node.concurrent;
  result.if_not_exists = node.if_not_exists;
  return result;
}

CreateSchema TreeReader::create_schema(const PgQuery__CreateSchemaStmt& node) {
  CreateSchema result;
  result.name = node.schemaname;
  if (node.authrole != nullptr) {
    result.authorization = role(node.authrole);
  }
  for (std::size_t i = 0; i < node.n_schema_elts; ++i) {
    result.elements.push_back(statement(node.schema_elts[i]));
  }
  result.if_not_exists = node.if_not_exists;
  return result;
}

RoleName TreeReader::role(const PgQuery__RoleSpec* node) {
  RoleName role;
  if (node == nullptr) {
    return role;
  }
  switch (node->roletype) {
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_ROLE:
      role.kind = RoleName::Kind::kCurrentRole;
      break;
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_USER:
      role.kind = RoleName::Kind::kCurrentUser;
      break;
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_SESSION_USER:
      role.kind = RoleName::Kind::kSessionUser;
      break;
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC:
      role.kind = RoleName::Kind::kPublic;
      break;
    default:
      role.name = node->rolename;
      break;
  }
  role.location = node->location;
  return role;
}

std::vector<RoleName> TreeReader::roles(std::size_t count, PgQuery__Node** nodes) {
  std::vector<RoleName> list;
  for (std::size_t i = 0; i < count; ++i) {
    if (nodes[i]->node_case == PG_QUERY__NODE__NODE_ROLE_SPEC) {
      list.push_back(role(nodes[i]->role_spec));
    }
  }
  return list;
}

std::vector<RelationName> TreeReader::relations(std::size_t count, PgQuery__Node** nodes) {
  std::vector<RelationName> list;
  for (std::size_t i = 0; i < count; ++i) {
    if (nodes[i]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
      list.push_back(relation(nodes[i]->range_var));
    }
  }
  return list;
}

}  // namespace pando::parse
