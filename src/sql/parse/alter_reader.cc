#include <utility>

#include "sql/parse/tree_reader.h"

namespace pando::parse {

using namespace ast;

ObjectKind object_kind(PgQuery__ObjectType type) {
  switch (type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
      return ObjectKind::kTable;
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
      return ObjectKind::kView;
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
      return ObjectKind::kMaterializedView;
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
      return ObjectKind::kIndex;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
      return ObjectKind::kSequence;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA:
      return ObjectKind::kSchema;
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
    case PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE:
      return ObjectKind::kColumn;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT:
      return ObjectKind::kTableConstraint;
    case PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE:
      return ObjectKind::kDatabase;
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROLE:
      return ObjectKind::kRole;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE:
      return ObjectKind::kType;
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN:
      return ObjectKind::kDomain;
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMCONSTRAINT:
      return ObjectKind::kDomainConstraint;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
      return ObjectKind::kFunction;
    case PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION:
      return ObjectKind::kExtension;
    default:
      return ObjectKind::kOther;
  }
}

const char* object_kind_name(PgQuery__ObjectType type) {
  // Indexed by PgQuery__ObjectType, in the order of PostgreSQL's ObjectType after an undefined one.
  static constexpr const char* kNames[] = {"OBJECT",
                                           "ACCESS METHOD",
                                           "AGGREGATE",
                                           "OPERATOR CLASS",
                                           "OPERATOR CLASS",
                                           "ATTRIBUTE",
                                           "CAST",
                                           "COLUMN",
                                           "COLLATION",
                                           "CONVERSION",
                                           "DATABASE",
                                           "DEFAULT",
                                           "DEFAULT PRIVILEGES",
                                           "DOMAIN",
                                           "DOMAIN CONSTRAINT",
                                           "EVENT TRIGGER",
                                           "EXTENSION",
                                           "FOREIGN DATA WRAPPER",
                                           "SERVER",
                                           "FOREIGN TABLE",
                                           "FUNCTION",
                                           "INDEX",
                                           "LANGUAGE",
                                           "LARGE OBJECT",
                                           "MATERIALIZED VIEW",
                                           "OPERATOR CLASS",
                                           "OPERATOR",
                                           "OPERATOR FAMILY",
                                           "PARAMETER",
                                           "POLICY",
                                           "PROCEDURE",
                                           "PUBLICATION",
                                           "PUBLICATION",
                                           "PUBLICATION",
                                           "ROLE",
                                           "ROUTINE",
                                           "RULE",
                                           "SCHEMA",
                                           "SEQUENCE",
                                           "SUBSCRIPTION",
                                           "STATISTICS",
                                           "CONSTRAINT",
                                           "TABLE",
                                           "TABLESPACE",
                                           "TRANSFORM",
                                           "TRIGGER",
                                           "TEXT SEARCH CONFIGURATION",
                                           "TEXT SEARCH DICTIONARY",
                                           "TEXT SEARCH PARSER",
                                           "TEXT SEARCH TEMPLATE",
                                           "TYPE",
                                           "USER MAPPING",
                                           "VIEW"};
  const auto index = static_cast<std::size_t>(type);
  return index < std::size(kNames) ? kNames[index] : kNames[0];
}

QualifiedName TreeReader::object_name(const PgQuery__Node* node) {
  if (node == nullptr) {
    return {};
  }
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_STRING:
      return {node->string->sval};
    case PG_QUERY__NODE__NODE_LIST: {
      QualifiedName name;
      for (std::size_t i = 0; i < node->list->n_items; ++i) {
        QualifiedName part = object_name(node->list->items[i]);
        name.insert(name.end(), part.begin(), part.end());
      }
      return name;
    }
    case PG_QUERY__NODE__NODE_TYPE_NAME:
      return string_list(node->type_name->n_names, node->type_name->names);
    case PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS:
      return string_list(node->object_with_args->n_objname, node->object_with_args->objname);
    case PG_QUERY__NODE__NODE_RANGE_VAR: {
      QualifiedName name;
      if (node->range_var->schemaname[0] != '\0') {
        name.emplace_back(node->range_var->schemaname);
      }
      name.emplace_back(node->range_var->relname);
      return name;
    }
    default:
      return {};
  }
}

namespace {

// "(pg_catalog.int4,text[])", as messages show the types that were written.
std::string signature(const PgQuery__ObjectWithArgs& node) {
  std::string types;
  for (std::size_t i = 0; i < node.n_objargs; ++i) {
    types += i == 0 ? "" : ",";
    const PgQuery__TypeName* type =
        node.objargs[i]->node_case == PG_QUERY__NODE__NODE_TYPE_NAME ? node.objargs[i]->type_name : nullptr;
    for (std::size_t part = 0; type != nullptr && part < type->n_names; ++part) {
      types += (part == 0 ? "" : ".") + std::string(type->names[part]->string->sval);
    }
    types += type != nullptr && type->n_array_bounds > 0 ? "[]" : "";
  }
  return "(" + types + ")";
}

}  // namespace

DropObjects TreeReader::drop(const PgQuery__DropStmt& node) {
  DropObjects result;
  result.kind = object_kind(node.remove_type);
  result.kind_name = object_kind_name(node.remove_type);
  for (std::size_t i = 0; i < node.n_objects; ++i) {
    result.names.push_back(object_name(node.objects[i]));
    if (node.objects[i]->node_case == PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS && !result.names.back().empty()) {
      result.names.back().back() += signature(*node.objects[i]->object_with_args);
    }
  }
  result.behavior =
      node.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE ? DropBehavior::kCascade : DropBehavior::kRestrict;
  result.if_exists = node.missing_ok;
  result.concurrently = node.concurrent;
  return result;
}

AlterTable TreeReader::alter_table(const PgQuery__AlterTableStmt& node) {
  AlterTable result;
  result.name = relation(node.relation);
  result.kind = object_kind(node.objtype);
  for (std::size_t i = 0; i < node.n_cmds; ++i) {
    if (node.cmds[i]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD) {
      result.commands.push_back(alter_command(*node.cmds[i]->alter_table_cmd));
    }
  }
  result.if_exists = node.missing_ok;
  return result;
}

namespace {

using AlterKind = AlterTable::Command::Kind;

AlterKind alter_kind(PgQuery__AlterTableType type) {
  switch (type) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn:
      return AlterKind::kAddColumn;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn:
      return AlterKind::kDropColumn;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault:
      return AlterKind::kColumnDefault;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
      return AlterKind::kSetNotNull;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull:
      return AlterKind::kDropNotNull;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType:
      return AlterKind::kColumnType;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
      return AlterKind::kAddConstraint;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
      return AlterKind::kDropConstraint;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint:
      return AlterKind::kValidateConstraint;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity:
      return AlterKind::kAddIdentity;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetIdentity:
      return AlterKind::kSetIdentity;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropIdentity:
      return AlterKind::kDropIdentity;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner:
      return AlterKind::kChangeOwner;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStorage:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetCompression:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetLogged:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetUnLogged:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropOids:
      return AlterKind::kSetOptions;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions:
      return AlterKind::kResetOptions;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ReplicaIdentity:
      return AlterKind::kReplicaIdentity;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropCluster:
      return AlterKind::kClusterOn;
    default:
      return AlterKind::kUnsupported;
  }
}

// The words of the commands that are not read any further, for the refusal.
const char* unsupported_alter_name(PgQuery__AlterTableType type) {
  switch (type) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropExpression:
      return "ALTER COLUMN ... DROP EXPRESSION";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterConstraint:
      return "ALTER CONSTRAINT";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetAccessMethod:
      return "SET ACCESS METHOD";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetTableSpace:
      return "SET TABLESPACE";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser:
      return "ENABLE TRIGGER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigUser:
      return "DISABLE TRIGGER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddInherit:
      return "INHERIT";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropInherit:
      return "NO INHERIT";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity:
      return "ENABLE ROW SECURITY";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableRowSecurity:
      return "DISABLE ROW SECURITY";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ForceRowSecurity:
      return "FORCE ROW SECURITY";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_NoForceRowSecurity:
      return "NO FORCE ROW SECURITY";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition:
      return "ATTACH PARTITION";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition:
      return "DETACH PARTITION";
    default:
      return "this action";
  }
}

}  // namespace

AlterTable::Command TreeReader::alter_command(const PgQuery__AlterTableCmd& node) {
  AlterTable::Command command;
  command.kind = alter_kind(node.subtype);
  command.name = command.kind == AlterKind::kUnsupported ? unsupported_alter_name(node.subtype) : node.name;
  command.behavior =
      node.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE ? DropBehavior::kCascade : DropBehavior::kRestrict;
  command.missing_ok = node.missing_ok;
  if (node.newowner != nullptr) {
    command.owner = role(node.newowner);
  }
  // What is without effect is read no further.
  const bool is_ignored =
      node.def != nullptr && command.kind == AlterKind::kSetOptions && node.def->node_case != PG_QUERY__NODE__NODE_LIST;
  if (node.def == nullptr || is_ignored || command.kind == AlterKind::kUnsupported) {
    return command;
  }
  switch (node.def->node_case) {
    case PG_QUERY__NODE__NODE_COLUMN_DEF:
      command.column = column(*node.def->column_def);
      break;
    case PG_QUERY__NODE__NODE_CONSTRAINT:
      command.constraint = constraint(*node.def->constraint);
      break;
    case PG_QUERY__NODE__NODE_LIST:
      command.options = options(node.def->list->n_items, node.def->list->items);
      break;
    case PG_QUERY__NODE__NODE_REPLICA_IDENTITY_STMT:
      command.name = node.def->replica_identity_stmt->identity_type;
      break;
    default:
      command.expr = expr(node.def);
      break;
  }
  return command;
}

Rename TreeReader::rename(const PgQuery__RenameStmt& node) {
  Rename result;
  result.kind = object_kind(node.rename_type);
  result.kind_name = object_kind_name(node.rename_type);
  result.relation_kind = object_kind(node.relation_type);
  if (node.relation != nullptr) {
    result.relation = relation(node.relation);
    result.member = node.subname;
  } else if (node.object != nullptr) {
    result.object = object_name(node.object);
    result.member = node.subname;
  } else {
    result.object = {node.subname};
  }
  result.new_name = node.newname;
  result.if_exists = node.missing_ok;
  return result;
}

AlterSchema TreeReader::alter_schema(const PgQuery__AlterObjectSchemaStmt& node) {
  AlterSchema result;
  result.kind = object_kind(node.object_type);
  result.kind_name = object_kind_name(node.object_type);
  if (node.relation != nullptr) {
    result.relation = relation(node.relation);
  }
  result.object = object_name(node.object);
  result.new_schema = node.newschema;
  result.if_exists = node.missing_ok;
  return result;
}

AlterOwner TreeReader::alter_owner(const PgQuery__AlterOwnerStmt& node) {
  AlterOwner result;
  result.kind = object_kind(node.object_type);
  result.kind_name = object_kind_name(node.object_type);
  if (node.relation != nullptr) {
    result.relation = relation(node.relation);
  }
  result.object = object_name(node.object);
  result.owner = role(node.newowner);
  return result;
}

}  // namespace pando::parse
