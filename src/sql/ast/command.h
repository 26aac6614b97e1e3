#pragma once

// The syntax tree of commands on sessions, transactions and data movement. Plain data; see sql/ast/expression.h for the
// conventions.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/definition.h"
#include "sql/ast/expression.h"
#include "sql/ast/query.h"

namespace pando::ast {

struct TransactionCommand {
  enum class Kind : uint8_t {
    kBegin,
    kStart,
    kCommit,
    kRollback,
    kSavepoint,
    kRelease,
    kRollbackTo,
    kPrepare,
    kCommitPrepared,
    kRollbackPrepared,
  };
  Kind kind = Kind::kBegin;
  // transaction_isolation, transaction_read_only, transaction_deferrable.
  OptionList options;
  std::string savepoint;
  // Of a two-phase commit.
  std::string global_id;
  bool chain = false;
};

struct SetVariable {
  enum class Kind : uint8_t {
    kValue,
    kDefault,
    kCurrent,      // SET x FROM CURRENT
    kTransaction,  // SET TRANSACTION or SET SESSION CHARACTERISTICS: `name` tells, `options` has the modes
    kReset,
    kResetAll,
  };
  Kind kind = Kind::kValue;
  std::string name;
  // Constants, words as strings; SET TIME ZONE INTERVAL is a Cast.
  ExprList values;
  OptionList options;
  bool local = false;
};

struct ShowVariable {
  std::string name;
};

struct Truncate {
  std::vector<RelationName> tables;
  bool restart_identity = false;
  DropBehavior behavior = DropBehavior::kRestrict;
};

struct Copy {
  std::optional<RelationName> table;
  std::unique_ptr<Statement> query;
  std::vector<std::string> columns;
  bool from = false;
  bool program = false;
  // Empty: STDIN or STDOUT.
  std::string filename;
  OptionList options;
  ExprPtr where;
};

struct Explain {
  std::unique_ptr<Statement> statement;
  OptionList options;
};

struct Prepare {
  std::string name;
  std::vector<TypeName> types;
  std::unique_ptr<Statement> statement;
};

struct Execute {
  std::string name;
  ExprList arguments;
};

struct Deallocate {
  // Empty: ALL.
  std::string name;
};

struct DeclareCursor {
  std::string name;
  bool binary = false;
  bool scroll = false;
  bool no_scroll = false;
  bool insensitive = false;
  bool hold = false;
  std::unique_ptr<Statement> query;
};

struct Fetch {
  enum class Direction : uint8_t { kForward, kBackward, kAbsolute, kRelative };
  Direction direction = Direction::kForward;
  // INT64_MAX: ALL.
  int64_t count = 1;
  std::string cursor;
  bool move = false;
};

struct CloseCursor {
  // Empty: ALL.
  std::string name;
};

// ANALYZE and VACUUM.
struct Vacuum {
  struct Target {
    RelationName table;
    std::vector<std::string> columns;
  };
  bool vacuum = true;
  OptionList options;
  std::vector<Target> targets;
};

struct Lock {
  std::vector<RelationName> tables;
  // PostgreSQL's lock level, 1 ACCESS SHARE to 8 ACCESS EXCLUSIVE.
  int32_t mode = 8;
  bool nowait = false;
};

struct SetConstraints {
  // Empty: ALL.
  std::vector<RelationName> constraints;
  bool deferred = false;
};

struct Discard {
  enum class Target : uint8_t { kAll, kPlans, kSequences, kTemporary };
  Target target = Target::kAll;
};

struct Call {
  // A FunctionCall.
  ExprPtr call;
};

struct Do {
  OptionList arguments;
};

struct Reindex {
  enum class Kind : uint8_t { kIndex, kTable, kSchema, kSystem, kDatabase };
  Kind kind = Kind::kIndex;
  std::optional<RelationName> relation;
  std::string name;
  OptionList options;
};

struct Checkpoint {};

struct CreateRole {
  enum class Kind : uint8_t { kRole, kUser, kGroup };
  Kind kind = Kind::kRole;
  std::string name;
  OptionList options;
};

struct AlterRole {
  RoleName role;
  OptionList options;
};

struct DropRole {
  std::vector<RoleName> roles;
  bool if_exists = false;
};

struct Grant {
  struct Privilege {
    // Empty: ALL.
    std::string name;
    std::vector<std::string> columns;
  };
  bool grant = true;
  ObjectKind kind = ObjectKind::kTable;
  std::string kind_name;
  bool all_in_schema = false;
  std::vector<QualifiedName> objects;
  std::vector<Privilege> privileges;
  std::vector<RoleName> grantees;
  bool grant_option = false;
  DropBehavior behavior = DropBehavior::kRestrict;
};

struct GrantRole {
  bool grant = true;
  std::vector<std::string> roles;
  std::vector<RoleName> grantees;
  bool admin_option = false;
};

// LISTEN, UNLISTEN and NOTIFY.
struct Listen {
  enum class Kind : uint8_t { kListen, kUnlisten, kNotify };
  Kind kind = Kind::kListen;
  // Empty for UNLISTEN *.
  std::string channel;
  std::string payload;
};

// Parses, and is refused with 0A000 naming `feature`, "CREATE TRIGGER".
struct UnsupportedStatement {
  std::string feature;
};

}  // namespace pando::ast
