#pragma once

// The syntax tree of data definition: CREATE, ALTER, DROP and what belongs to them. Plain data; see
// sql/ast/expression.h for the conventions.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sql/ast/expression.h"
#include "sql/ast/query.h"

namespace pando::ast {

enum class DropBehavior : uint8_t { kRestrict, kCascade };

// name [= value] in WITH (...), COPY and EXPLAIN options, sequence options and so on.
struct Option {
  // monostate: the name alone. A type is an unquoted word, as in (FORMAT csv). Names: a list.
  using Value = std::variant<std::monostate, int64_t, std::string, bool, TypeName, std::vector<std::string>, ExprPtr>;
  enum class Action : uint8_t { kUnspecified, kSet, kAdd, kDrop };
  std::string schema;
  std::string name;
  Value value;
  // The value is a number that does not fit an int4: its digits are in `value` as a string.
  bool is_number = false;
  bool is_star = false;
  Action action = Action::kUnspecified;
  Location location = kNoLocation;
};
using OptionList = std::vector<Option>;

enum class ForeignKeyAction : uint8_t { kNoAction, kRestrict, kCascade, kSetNull, kSetDefault };

struct Constraint {
  enum class Kind : uint8_t {
    kNull,
    kNotNull,
    kDefault,
    kIdentity,
    kGenerated,
    kCheck,
    kPrimaryKey,
    kUnique,
    kExclusion,
    kForeignKey,
    kDeferrable,
    kNotDeferrable,
    kInitiallyDeferred,
    kInitiallyImmediate,
  };
  Kind kind = Kind::kNull;
  std::string name;
  // CHECK, DEFAULT, GENERATED.
  ExprPtr expr;
  // IDENTITY: ALWAYS or BY DEFAULT, and the sequence's options.
  bool generated_always = false;
  OptionList options;
  // PRIMARY KEY and UNIQUE.
  std::vector<std::string> columns;
  std::vector<std::string> including;
  bool nulls_not_distinct = false;
  // ADD CONSTRAINT ... USING INDEX name.
  std::string index;
  // FOREIGN KEY: `columns` refer to `referenced_columns` of `referenced_table`.
  std::optional<RelationName> referenced_table;
  std::vector<std::string> referenced_columns;
  enum class Match : uint8_t { kSimple, kFull, kPartial };
  Match match = Match::kSimple;
  ForeignKeyAction on_update = ForeignKeyAction::kNoAction;
  ForeignKeyAction on_delete = ForeignKeyAction::kNoAction;
  // ON DELETE SET NULL (columns)
  std::vector<std::string> on_delete_columns;
  bool deferrable = false;
  bool initially_deferred = false;
  bool no_inherit = false;
  bool not_valid = false;
  Location location = kNoLocation;
};

struct ColumnDefinition {
  std::string name;
  TypeName type;
  QualifiedName collation;
  std::vector<Constraint> constraints;
  std::string storage;
  std::string compression;
  // ALTER COLUMN ... TYPE ... USING expr.
  ExprPtr using_expr;
  Location location = kNoLocation;
};

struct TableLike {
  RelationName table;
  // PostgreSQL's bits: comments 1, compression 2, constraints 4, defaults 8, generated 16, identity 32, indexes 64,
  // statistics 128, storage 256.
  uint32_t options = 0;
};

enum class OnCommit : uint8_t { kNone, kPreserveRows, kDeleteRows, kDrop };

struct PartitionBy {
  struct Element {
    std::string column;
    ExprPtr expr;
    QualifiedName collation;
    QualifiedName operator_class;
    Location location = kNoLocation;
  };
  std::string strategy;
  std::vector<Element> elements;
  Location location = kNoLocation;
};

struct CreateTable {
  RelationName name;
  std::vector<std::variant<ColumnDefinition, Constraint, TableLike>> elements;
  std::vector<RelationName> inherits;
  std::optional<PartitionBy> partition_by;
  // PARTITION OF parent FOR VALUES ...: refused at bind.
  bool is_partition = false;
  // OF type
  bool of_type = false;
  OptionList options;
  OnCommit on_commit = OnCommit::kNone;
  std::string tablespace;
  std::string access_method;
  bool if_not_exists = false;
};

// CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW.
struct CreateTableAs {
  RelationName name;
  std::vector<std::string> columns;
  std::string access_method;
  std::string tablespace;
  OptionList options;
  OnCommit on_commit = OnCommit::kNone;
  bool with_data = true;
  bool materialized_view = false;
  bool select_into = false;
  bool if_not_exists = false;
  // A Select or an Execute.
  std::unique_ptr<Statement> query;
};

struct CreateView {
  RelationName name;
  std::vector<std::string> columns;
  std::unique_ptr<Statement> query;
  OptionList options;
  bool replace = false;
  enum class CheckOption : uint8_t { kNone, kLocal, kCascaded };
  CheckOption check_option = CheckOption::kNone;
};

// CREATE TYPE name AS ENUM (...).
struct CreateEnum {
  QualifiedName name;
  std::vector<std::string> labels;
};

// CREATE TYPE name AS (attribute type, ...).
struct CreateComposite {
  QualifiedName name;
  std::vector<ColumnDefinitionItem> attributes;
};

// ALTER TYPE name ADD VALUE or RENAME VALUE.
struct AlterEnum {
  QualifiedName name;
  std::string label;
  // ADD VALUE ... BEFORE or AFTER it; empty for the end.
  std::string neighbor;
  bool after = true;
  bool if_not_exists = false;
  // RENAME VALUE label TO new_label; empty for ADD VALUE.
  std::string new_label;
};

struct CreateDomain {
  QualifiedName name;
  TypeName type;
  QualifiedName collation;
  std::vector<Constraint> constraints;
};

struct AlterDomain {
  enum class Kind : uint8_t {
    kDefault,  // `expr`, or none for DROP DEFAULT
    kSetNotNull,
    kDropNotNull,
    kAddConstraint,
    kDropConstraint,
    kValidateConstraint,
  };
  Kind kind = Kind::kDefault;
  QualifiedName name;
  ExprPtr expr;
  std::string constraint_name;
  std::vector<Constraint> constraint;
  DropBehavior behavior = DropBehavior::kRestrict;
  bool missing_ok = false;
};

struct CreateExtension {
  std::string name;
  bool if_not_exists = false;
};

struct RefreshMaterializedView {
  RelationName name;
  bool concurrently = false;
  bool with_data = true;
};

struct IndexElement {
  std::string column;
  ExprPtr expr;
  QualifiedName collation;
  QualifiedName operator_class;
  SortBy::Direction direction = SortBy::Direction::kDefault;
  SortBy::Nulls nulls = SortBy::Nulls::kDefault;
};

struct CreateIndex {
  // Empty: chosen by the server.
  std::string name;
  RelationName table;
  std::string access_method;
  std::vector<IndexElement> elements;
  std::vector<IndexElement> including;
  OptionList options;
  ExprPtr where;
  std::string tablespace;
  bool unique = false;
  bool nulls_not_distinct = false;
  bool concurrently = false;
  bool if_not_exists = false;
};

struct RoleName {
  enum class Kind : uint8_t { kName, kCurrentRole, kCurrentUser, kSessionUser, kPublic };
  Kind kind = Kind::kName;
  std::string name;
  Location location = kNoLocation;
};

struct CreateSchema {
  std::string name;
  std::optional<RoleName> authorization;
  std::vector<std::unique_ptr<Statement>> elements;
  bool if_not_exists = false;
};

struct CreateSequence {
  RelationName name;
  OptionList options;
  bool if_not_exists = false;
};

struct AlterSequence {
  RelationName name;
  OptionList options;
  bool if_exists = false;
};

// What DROP, COMMENT, RENAME and so on name. kOther carries PostgreSQL's word for it, for the refusal.
enum class ObjectKind : uint8_t {
  kTable,
  kView,
  kMaterializedView,
  kIndex,
  kSequence,
  kSchema,
  kColumn,
  kTableConstraint,
  kDatabase,
  kRole,
  kType,
  kDomain,
  kDomainConstraint,
  kFunction,
  kExtension,
  kOther,
};

}  // namespace pando::ast
