#include <utility>

#include "sql/parse/nested.h"
#include "sql/parse/tree_reader.h"

namespace pando::parse {

using namespace ast;

namespace {

template <typename Node>
StatementPtr make_statement(Node node) {
  return std::make_unique<Statement>(Statement::Node(std::move(node)));
}

DropBehavior drop_behavior(PgQuery__DropBehavior behavior) {
  return behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE ? DropBehavior::kCascade : DropBehavior::kRestrict;
}

}  // namespace

StatementPtr TreeReader::statement(const PgQuery__Node* node) {
  Nested nested(*this);
  if (node == nullptr || !nested.ok()) {
    return std::make_unique<Statement>();
  }
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return select_statement(*node->select_stmt);
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      return make_statement(insert(*node->insert_stmt));
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      return make_statement(update(*node->update_stmt));
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return make_statement(delete_from(*node->delete_stmt));
    case PG_QUERY__NODE__NODE_MERGE_STMT:
      return make_statement(merge(*node->merge_stmt));
    default:
      return definition(node);
  }
}

// SELECT INTO is CREATE TABLE AS in other words.
StatementPtr TreeReader::select_statement(const PgQuery__SelectStmt& node) {
  Select query = select(node);
  const PgQuery__SelectStmt* first = &node;
  while (first->larg != nullptr) {
    first = first->larg;
  }
  if (first->into_clause == nullptr) {
    return make_statement(std::move(query));
  }
  CreateTableAs result;
  result.name = relation(first->into_clause->rel);
  result.select_into = true;
  result.query = make_statement(std::move(query));
  return make_statement(std::move(result));
}

StatementPtr TreeReader::definition(const PgQuery__Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
      return make_statement(create_table(*node->create_stmt));
    case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
      return make_statement(
          CreateEnum{string_list(node->create_enum_stmt->n_type_name, node->create_enum_stmt->type_name),
                     string_list(node->create_enum_stmt->n_vals, node->create_enum_stmt->vals)});
    case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT:
      return make_statement(create_composite(*node->composite_type_stmt));
    case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT:
      return make_statement(alter_enum(*node->alter_enum_stmt));
    case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
      return make_statement(create_domain(*node->create_domain_stmt));
    case PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT:
      return make_statement(alter_domain(*node->alter_domain_stmt));
    case PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT:
      return make_statement(
          CreateExtension{node->create_extension_stmt->extname, node->create_extension_stmt->if_not_exists != 0});
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
      return make_statement(create_table_as(*node->create_table_as_stmt));
    case PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT: {
      const PgQuery__RefreshMatViewStmt& refresh = *node->refresh_mat_view_stmt;
      return make_statement(
          RefreshMaterializedView{relation(refresh.relation), refresh.concurrent != 0, refresh.skip_data == 0});
    }
    case PG_QUERY__NODE__NODE_VIEW_STMT:
      return make_statement(create_view(*node->view_stmt));
    case PG_QUERY__NODE__NODE_INDEX_STMT:
      return make_statement(create_index(*node->index_stmt));
    case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT:
      return make_statement(create_schema(*node->create_schema_stmt));
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT: {
      const PgQuery__CreateSeqStmt& create = *node->create_seq_stmt;
      return make_statement(CreateSequence{relation(create.sequence), options(create.n_options, create.options),
                                           create.if_not_exists != 0});
    }
    case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT: {
      const PgQuery__AlterSeqStmt& alter = *node->alter_seq_stmt;
      return make_statement(
          AlterSequence{relation(alter.sequence), options(alter.n_options, alter.options), alter.missing_ok != 0});
    }
    case PG_QUERY__NODE__NODE_DROP_STMT:
      return make_statement(drop(*node->drop_stmt));
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
      return make_statement(alter_table(*node->alter_table_stmt));
    case PG_QUERY__NODE__NODE_RENAME_STMT:
      return make_statement(rename(*node->rename_stmt));
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
      return make_statement(alter_schema(*node->alter_object_schema_stmt));
    case PG_QUERY__NODE__NODE_ALTER_OWNER_STMT:
      return make_statement(alter_owner(*node->alter_owner_stmt));
    case PG_QUERY__NODE__NODE_COMMENT_STMT: {
      const PgQuery__CommentStmt& source = *node->comment_stmt;
      Comment comment{object_kind(source.objtype), object_kind_name(source.objtype), object_name(source.object), {}};
      // An empty comment removes it, as NULL does.
      if (source.comment[0] != '\0') {
        comment.text = source.comment;
      }
      return make_statement(std::move(comment));
    }
    case PG_QUERY__NODE__NODE_CREATEDB_STMT:
      return make_statement(CreateDatabase{node->createdb_stmt->dbname,
                                           options(node->createdb_stmt->n_options, node->createdb_stmt->options)});
    case PG_QUERY__NODE__NODE_DROPDB_STMT:
      return make_statement(DropDatabase{node->dropdb_stmt->dbname, node->dropdb_stmt->missing_ok != 0,
                                         options(node->dropdb_stmt->n_options, node->dropdb_stmt->options)});
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT: {
      const PgQuery__TruncateStmt& source = *node->truncate_stmt;
      return make_statement(Truncate{relations(source.n_relations, source.relations), source.restart_seqs != 0,
                                     drop_behavior(source.behavior)});
    }
    default:
      return command(node);
  }
}

StatementPtr TreeReader::command(const PgQuery__Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
      return make_statement(transaction(*node->transaction_stmt));
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      return make_statement(set_variable(*node->variable_set_stmt));
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
      return make_statement(ShowVariable{node->variable_show_stmt->name});
    case PG_QUERY__NODE__NODE_COPY_STMT:
      return make_statement(copy(*node->copy_stmt));
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
      return make_statement(Explain{statement(node->explain_stmt->query),
                                    options(node->explain_stmt->n_options, node->explain_stmt->options)});
    case PG_QUERY__NODE__NODE_PREPARE_STMT:
      return make_statement(prepare(*node->prepare_stmt));
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
      return make_statement(
          Execute{node->execute_stmt->name, exprs(node->execute_stmt->n_params, node->execute_stmt->params)});
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
      return make_statement(Deallocate{node->deallocate_stmt->name});
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
      return make_statement(declare_cursor(*node->declare_cursor_stmt));
    case PG_QUERY__NODE__NODE_FETCH_STMT:
      return make_statement(fetch(*node->fetch_stmt));
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
      return make_statement(CloseCursor{node->close_portal_stmt->portalname});
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
      return make_statement(vacuum(*node->vacuum_stmt));
    case PG_QUERY__NODE__NODE_LOCK_STMT: {
      const PgQuery__LockStmt& lock = *node->lock_stmt;
      return make_statement(Lock{relations(lock.n_relations, lock.relations), lock.mode, lock.nowait != 0});
    }
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT: {
      const PgQuery__ConstraintsSetStmt& source = *node->constraints_set_stmt;
      return make_statement(SetConstraints{relations(source.n_constraints, source.constraints), source.deferred != 0});
    }
    case PG_QUERY__NODE__NODE_DISCARD_STMT:
      return make_statement(
          Discard{static_cast<Discard::Target>(node->discard_stmt->target - PG_QUERY__DISCARD_MODE__DISCARD_ALL)});
    case PG_QUERY__NODE__NODE_CALL_STMT:
      return make_statement(
          Call{node->call_stmt->funccall == nullptr ? nullptr : function_call(*node->call_stmt->funccall)});
    case PG_QUERY__NODE__NODE_DO_STMT:
      return make_statement(Do{options(node->do_stmt->n_args, node->do_stmt->args)});
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
      return make_statement(reindex(*node->reindex_stmt));
    case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
      return make_statement(Checkpoint{});
    default:
      return role_command(node);
  }
}

StatementPtr TreeReader::role_command(const PgQuery__Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_ROLE_STMT: {
      const PgQuery__CreateRoleStmt& create = *node->create_role_stmt;
      const auto kind = create.stmt_type == PG_QUERY__ROLE_STMT_TYPE__ROLESTMT_USER    ? CreateRole::Kind::kUser
                        : create.stmt_type == PG_QUERY__ROLE_STMT_TYPE__ROLESTMT_GROUP ? CreateRole::Kind::kGroup
                                                                                       : CreateRole::Kind::kRole;
      return make_statement(CreateRole{kind, create.role, options(create.n_options, create.options)});
    }
    case PG_QUERY__NODE__NODE_ALTER_ROLE_STMT:
      return make_statement(AlterRole{role(node->alter_role_stmt->role),
                                      options(node->alter_role_stmt->n_options, node->alter_role_stmt->options)});
    case PG_QUERY__NODE__NODE_DROP_ROLE_STMT:
      return make_statement(DropRole{roles(node->drop_role_stmt->n_roles, node->drop_role_stmt->roles),
                                     node->drop_role_stmt->missing_ok != 0});
    case PG_QUERY__NODE__NODE_GRANT_STMT:
      return make_statement(grant(*node->grant_stmt));
    case PG_QUERY__NODE__NODE_GRANT_ROLE_STMT:
      return make_statement(grant_role(*node->grant_role_stmt));
    case PG_QUERY__NODE__NODE_LISTEN_STMT:
      return make_statement(Listen{Listen::Kind::kListen, node->listen_stmt->conditionname, ""});
    case PG_QUERY__NODE__NODE_UNLISTEN_STMT:
      return make_statement(Listen{Listen::Kind::kUnlisten, node->unlisten_stmt->conditionname, ""});
    case PG_QUERY__NODE__NODE_NOTIFY_STMT:
      return make_statement(
          Listen{Listen::Kind::kNotify, node->notify_stmt->conditionname, node->notify_stmt->payload});
    default:
      break;
  }
  if (node->node_case == PG_QUERY__NODE__NODE_DEFINE_STMT) {
    return make_statement(UnsupportedStatement{std::string("CREATE ") + object_kind_name(node->define_stmt->kind)});
  }
  if (const char* name = statement_name(node->node_case)) {
    return make_statement(UnsupportedStatement{name});
  }
  fail_unexpected("a statement", node->node_case);
  return std::make_unique<Statement>();
}

TransactionCommand TreeReader::transaction(const PgQuery__TransactionStmt& node) {
  TransactionCommand result;
  result.kind = static_cast<TransactionCommand::Kind>(node.kind - PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN);
  result.options = options(node.n_options, node.options);
  result.savepoint = node.savepoint_name;
  result.global_id = node.gid;
  result.chain = node.chain;
  return result;
}

SetVariable TreeReader::set_variable(const PgQuery__VariableSetStmt& node) {
  SetVariable result;
  result.name = node.name;
  result.local = node.is_local;
  switch (node.kind) {
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT:
      result.kind = SetVariable::Kind::kDefault;
      break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_CURRENT:
      result.kind = SetVariable::Kind::kCurrent;
      break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI:
      result.kind = SetVariable::Kind::kTransaction;
      break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET:
      result.kind = SetVariable::Kind::kReset;
      break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL:
      result.kind = SetVariable::Kind::kResetAll;
      break;
    default:
      result.kind = SetVariable::Kind::kValue;
      break;
  }
  if (result.kind == SetVariable::Kind::kTransaction && node.n_args > 0 &&
      node.args[0]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM) {
    result.options = options(node.n_args, node.args);
  } else {
    result.values = exprs(node.n_args, node.args);
  }
  return result;
}

Copy TreeReader::copy(const PgQuery__CopyStmt& node) {
  Copy result;
  if (node.relation != nullptr) {
    result.table = relation(node.relation);
  }
  if (node.query != nullptr) {
    result.query = statement(node.query);
  }
  result.columns = string_list(node.n_attlist, node.attlist);
  result.from = node.is_from;
  result.program = node.is_program;
  result.filename = node.filename;
  result.options = options(node.n_options, node.options);
  result.where = expr(node.where_clause);
  return result;
}

Prepare TreeReader::prepare(const PgQuery__PrepareStmt& node) {
  Prepare result;
  result.name = node.name;
  for (std::size_t i = 0; i < node.n_argtypes; ++i) {
    result.types.push_back(type_name(node.argtypes[i]->type_name));
  }
  result.statement = statement(node.query);
  return result;
}

DeclareCursor TreeReader::declare_cursor(const PgQuery__DeclareCursorStmt& node) {
  // PostgreSQL's CURSOR_OPT bits (nodes/parsenodes.h).
  DeclareCursor result;
  result.name = node.portalname;
  result.binary = (node.options & 0x1) != 0;
  result.scroll = (node.options & 0x2) != 0;
  result.no_scroll = (node.options & 0x4) != 0;
  result.insensitive = (node.options & 0x8) != 0;
  result.hold = (node.options & 0x20) != 0;
  result.query = statement(node.query);
  return result;
}

Fetch TreeReader::fetch(const PgQuery__FetchStmt& node) {
  Fetch result;
  result.direction = static_cast<Fetch::Direction>(node.direction - PG_QUERY__FETCH_DIRECTION__FETCH_FORWARD);
  result.count = node.how_many;
  result.cursor = node.portalname;
  result.move = node.ismove;
  return result;
}

Vacuum TreeReader::vacuum(const PgQuery__VacuumStmt& node) {
  Vacuum result;
  result.vacuum = node.is_vacuumcmd;
  result.options = options(node.n_options, node.options);
  for (std::size_t i = 0; i < node.n_rels; ++i) {
    const PgQuery__VacuumRelation& target = *node.rels[i]->vacuum_relation;
    result.targets.push_back({relation(target.relation), string_list(target.n_va_cols, target.va_cols)});
  }
  return result;
}

Reindex TreeReader::reindex(const PgQuery__ReindexStmt& node) {
  Reindex result;
  result.kind = static_cast<Reindex::Kind>(node.kind - PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX);
  if (node.relation != nullptr) {
    result.relation = relation(node.relation);
  }
  result.name = node.name;
  result.options = options(node.n_params, node.params);
  return result;
}

Grant TreeReader::grant(const PgQuery__GrantStmt& node) {
  Grant result;
  result.grant = node.is_grant;
  result.kind = object_kind(node.objtype);
  result.kind_name = object_kind_name(node.objtype);
  result.all_in_schema = node.targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_ALL_IN_SCHEMA;
  for (std::size_t i = 0; i < node.n_objects; ++i) {
    result.objects.push_back(object_name(node.objects[i]));
  }
  for (std::size_t i = 0; i < node.n_privileges; ++i) {
    const PgQuery__AccessPriv& privilege = *node.privileges[i]->access_priv;
    result.privileges.push_back({privilege.priv_name, string_list(privilege.n_cols, privilege.cols)});
  }
  result.grantees = roles(node.n_grantees, node.grantees);
  result.grant_option = node.grant_option;
  result.behavior = drop_behavior(node.behavior);
  return result;
}

GrantRole TreeReader::grant_role(const PgQuery__GrantRoleStmt& node) {
  GrantRole result;
  result.grant = node.is_grant;
  for (std::size_t i = 0; i < node.n_granted_roles; ++i) {
    if (node.granted_roles[i]->node_case == PG_QUERY__NODE__NODE_ACCESS_PRIV) {
      result.roles.emplace_back(node.granted_roles[i]->access_priv->priv_name);
    }
  }
  result.grantees = roles(node.n_grantee_roles, node.grantee_roles);
  result.admin_option = node.admin_opt;
  return result;
}

const char* statement_name(PgQuery__Node__NodeCase node_case) {
  struct Entry {
    PgQuery__Node__NodeCase node_case;
    const char* name;
  };
  static constexpr Entry kNames[] = {
      {PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT, "ALTER DEFAULT PRIVILEGES"},
      {PG_QUERY__NODE__NODE_CLUSTER_STMT, "CLUSTER"},
      {PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT, "CREATE FUNCTION"},
      {PG_QUERY__NODE__NODE_ALTER_FUNCTION_STMT, "ALTER FUNCTION"},
      {PG_QUERY__NODE__NODE_RULE_STMT, "CREATE RULE"},
      {PG_QUERY__NODE__NODE_LOAD_STMT, "LOAD"},
      {PG_QUERY__NODE__NODE_CREATE_TRIG_STMT, "CREATE TRIGGER"},
      {PG_QUERY__NODE__NODE_CREATE_PLANG_STMT, "CREATE LANGUAGE"},
      {PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT, "ALTER DATABASE"},
      {PG_QUERY__NODE__NODE_ALTER_DATABASE_REFRESH_COLL_STMT, "ALTER DATABASE"},
      {PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT, "ALTER DATABASE"},
      {PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT, "ALTER ROLE"},
      {PG_QUERY__NODE__NODE_CREATE_CONVERSION_STMT, "CREATE CONVERSION"},
      {PG_QUERY__NODE__NODE_CREATE_CAST_STMT, "CREATE CAST"},
      {PG_QUERY__NODE__NODE_CREATE_OP_CLASS_STMT, "CREATE OPERATOR CLASS"},
      {PG_QUERY__NODE__NODE_CREATE_OP_FAMILY_STMT, "CREATE OPERATOR FAMILY"},
      {PG_QUERY__NODE__NODE_ALTER_OP_FAMILY_STMT, "ALTER OPERATOR FAMILY"},
      {PG_QUERY__NODE__NODE_CREATE_TABLE_SPACE_STMT, "CREATE TABLESPACE"},
      {PG_QUERY__NODE__NODE_DROP_TABLE_SPACE_STMT, "DROP TABLESPACE"},
      {PG_QUERY__NODE__NODE_ALTER_OBJECT_DEPENDS_STMT, "ALTER ... DEPENDS ON EXTENSION"},
      {PG_QUERY__NODE__NODE_ALTER_OPERATOR_STMT, "ALTER OPERATOR"},
      {PG_QUERY__NODE__NODE_ALTER_TYPE_STMT, "ALTER TYPE"},
      {PG_QUERY__NODE__NODE_DROP_OWNED_STMT, "DROP OWNED"},
      {PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT, "REASSIGN OWNED"},
      {PG_QUERY__NODE__NODE_CREATE_RANGE_STMT, "CREATE TYPE"},
      {PG_QUERY__NODE__NODE_ALTER_TSDICTIONARY_STMT, "ALTER TEXT SEARCH DICTIONARY"},
      {PG_QUERY__NODE__NODE_ALTER_TSCONFIGURATION_STMT, "ALTER TEXT SEARCH CONFIGURATION"},
      {PG_QUERY__NODE__NODE_CREATE_FDW_STMT, "CREATE FOREIGN DATA WRAPPER"},
      {PG_QUERY__NODE__NODE_ALTER_FDW_STMT, "ALTER FOREIGN DATA WRAPPER"},
      {PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT, "CREATE SERVER"},
      {PG_QUERY__NODE__NODE_ALTER_FOREIGN_SERVER_STMT, "ALTER SERVER"},
      {PG_QUERY__NODE__NODE_CREATE_USER_MAPPING_STMT, "CREATE USER MAPPING"},
      {PG_QUERY__NODE__NODE_ALTER_USER_MAPPING_STMT, "ALTER USER MAPPING"},
      {PG_QUERY__NODE__NODE_DROP_USER_MAPPING_STMT, "DROP USER MAPPING"},
      {PG_QUERY__NODE__NODE_ALTER_TABLE_SPACE_OPTIONS_STMT, "ALTER TABLESPACE"},
      {PG_QUERY__NODE__NODE_ALTER_TABLE_MOVE_ALL_STMT, "ALTER TABLE ALL IN TABLESPACE"},
      {PG_QUERY__NODE__NODE_SEC_LABEL_STMT, "SECURITY LABEL"},
      {PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT, "CREATE FOREIGN TABLE"},
      {PG_QUERY__NODE__NODE_IMPORT_FOREIGN_SCHEMA_STMT, "IMPORT FOREIGN SCHEMA"},
      {PG_QUERY__NODE__NODE_ALTER_EXTENSION_STMT, "ALTER EXTENSION"},
      {PG_QUERY__NODE__NODE_ALTER_EXTENSION_CONTENTS_STMT, "ALTER EXTENSION"},
      {PG_QUERY__NODE__NODE_CREATE_EVENT_TRIG_STMT, "CREATE EVENT TRIGGER"},
      {PG_QUERY__NODE__NODE_ALTER_EVENT_TRIG_STMT, "ALTER EVENT TRIGGER"},
      {PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT, "REFRESH MATERIALIZED VIEW"},
      {PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT, "ALTER SYSTEM"},
      {PG_QUERY__NODE__NODE_CREATE_POLICY_STMT, "CREATE POLICY"},
      {PG_QUERY__NODE__NODE_ALTER_POLICY_STMT, "ALTER POLICY"},
      {PG_QUERY__NODE__NODE_CREATE_TRANSFORM_STMT, "CREATE TRANSFORM"},
      {PG_QUERY__NODE__NODE_CREATE_AM_STMT, "CREATE ACCESS METHOD"},
      {PG_QUERY__NODE__NODE_CREATE_PUBLICATION_STMT, "CREATE PUBLICATION"},
      {PG_QUERY__NODE__NODE_ALTER_PUBLICATION_STMT, "ALTER PUBLICATION"},
      {PG_QUERY__NODE__NODE_CREATE_SUBSCRIPTION_STMT, "CREATE SUBSCRIPTION"},
      {PG_QUERY__NODE__NODE_ALTER_SUBSCRIPTION_STMT, "ALTER SUBSCRIPTION"},
      {PG_QUERY__NODE__NODE_DROP_SUBSCRIPTION_STMT, "DROP SUBSCRIPTION"},
      {PG_QUERY__NODE__NODE_CREATE_STATS_STMT, "CREATE STATISTICS"},
      {PG_QUERY__NODE__NODE_ALTER_STATS_STMT, "ALTER STATISTICS"},
      {PG_QUERY__NODE__NODE_ALTER_COLLATION_STMT, "ALTER COLLATION"},
  };
  for (const Entry& entry : kNames) {
    if (entry.node_case == node_case) {
      return entry.name;
    }
  }
  return nullptr;
}

}  // namespace pando::parse
