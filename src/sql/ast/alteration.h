#pragma once

// The syntax tree of changes to what is defined: ALTER, DROP, RENAME, COMMENT; and databases. Plain data; see
// sql/ast/expression.h for the conventions.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/definition.h"
#include "sql/ast/expression.h"
#include "sql/ast/query.h"

namespace pando::ast {

struct DropObjects {
  ObjectKind kind = ObjectKind::kTable;
  // PostgreSQL's word: "TABLE", "TRIGGER".
  std::string kind_name;
  std::vector<QualifiedName> names;
  DropBehavior behavior = DropBehavior::kRestrict;
  bool if_exists = false;
  bool concurrently = false;
};

struct AlterTable {
  struct Command {
    enum class Kind : uint8_t {
      kAddColumn,
      kDropColumn,
      kColumnDefault,  // `expr`, or none for DROP DEFAULT
      kSetNotNull,
      kDropNotNull,
      kColumnType,
      kAddConstraint,
      kDropConstraint,
      kValidateConstraint,
      kAddIdentity,
      kSetIdentity,
      kDropIdentity,
      kChangeOwner,
      kSetOptions,
      kResetOptions,
      kReplicaIdentity,
      kClusterOn,
      kUnsupported,  // PostgreSQL's words in `name`
    };
    Kind kind = Kind::kUnsupported;
    std::string name;
    std::optional<ColumnDefinition> column;
    std::optional<Constraint> constraint;
    ExprPtr expr;
    std::optional<RoleName> owner;
    OptionList options;
    DropBehavior behavior = DropBehavior::kRestrict;
    // IF NOT EXISTS of ADD COLUMN, IF EXISTS of the others.
    bool missing_ok = false;
  };
  RelationName name;
  // kTable, kView, kIndex, kSequence, kMaterializedView or kType (a composite one), by the word after ALTER.
  ObjectKind kind = ObjectKind::kTable;
  std::vector<Command> commands;
  bool if_exists = false;
};

// ALTER ... RENAME TO and RENAME COLUMN / CONSTRAINT.
struct Rename {
  ObjectKind kind = ObjectKind::kTable;
  std::string kind_name;
  // What kind of relation the column or constraint is of.
  ObjectKind relation_kind = ObjectKind::kTable;
  std::optional<RelationName> relation;
  // A schema, database, role.
  QualifiedName object;
  // The column or constraint.
  std::string member;
  std::string new_name;
  bool if_exists = false;
};

struct AlterSchema {
  ObjectKind kind = ObjectKind::kTable;
  std::string kind_name;
  std::optional<RelationName> relation;
  QualifiedName object;
  std::string new_schema;
  bool if_exists = false;
};

struct AlterOwner {
  ObjectKind kind = ObjectKind::kTable;
  std::string kind_name;
  std::optional<RelationName> relation;
  QualifiedName object;
  RoleName owner;
};

struct Comment {
  ObjectKind kind = ObjectKind::kTable;
  std::string kind_name;
  QualifiedName object;
  // Missing for IS NULL.
  std::optional<std::string> text;
};

struct CreateDatabase {
  std::string name;
  OptionList options;
};

struct DropDatabase {
  std::string name;
  bool if_exists = false;
  OptionList options;
};

}  // namespace pando::ast
