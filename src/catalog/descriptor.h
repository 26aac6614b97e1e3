#pragma once

// Descriptors: what the catalog knows of each object, as immutable plain data. A descriptor is stored as one row,
// shared by every snapshot that contains it, and replaced as a whole when it changes.
//
// Attribute numbers are PostgreSQL's attnum: 1-based, never reused, so a stored row stays readable when columns come
// and go. Expressions (defaults, checks, views) are kept as SQL text, deparsed with names fully qualified, and bound
// again when used.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/strong_id.h"
#include "types/type.h"
#include "types/value.h"

namespace pando::catalog {

using types::Oid;

// Where an object's rows lie in the key space; a new one is given by TRUNCATE and by index rebuilds.
struct TableIdTag;
struct IndexIdTag;
using TableId = StrongId<TableIdTag, uint32_t>;
using IndexId = StrongId<IndexIdTag, uint32_t>;

using AttributeNumber = int16_t;

// --- OIDs of built-in objects: PostgreSQL's own where it has them ---
inline constexpr Oid kPgCatalogSchema = 11;
inline constexpr Oid kPublicSchema = 2200;
inline constexpr Oid kInformationSchema = 13000;
inline constexpr Oid kPandoSchema = 13001;
inline constexpr Oid kSuperuserRole = 10;
inline constexpr Oid kPostgresDatabase = 5;

enum class Identity : char { kNone = 0, kAlways = 'a', kByDefault = 'd' };

struct ColumnDescriptor {
  AttributeNumber number = 0;
  std::string name;
  // Of a domain: the type below all domains.
  types::Type type;
  // The domain that the column was declared with; 0 for none.
  Oid domain = 0;
  bool not_null = false;
  bool dropped = false;
  // SQL text; empty for none.
  std::string default_sql;
  Identity identity = Identity::kNone;
  // GENERATED ALWAYS AS (...) STORED when true: default_sql is the expression.
  bool generated = false;
  // The sequence that SERIAL or IDENTITY made; 0 for none.
  Oid owned_sequence = 0;
  // Rows written before the column was added have this value.
  types::Value missing_value;
  // Collation OID: 100 is the default, 950 is C.
  Oid collation = 0;
  std::string comment;
};

struct IndexColumn {
  // 0 when `expression_sql` is used.
  AttributeNumber attribute = 0;
  std::string expression_sql;
  bool descending = false;
  bool nulls_first = false;
};

struct IndexDescriptor {
  Oid oid = 0;
  IndexId id;
  std::string name;
  bool unique = false;
  bool primary = false;
  bool nulls_not_distinct = false;
  std::vector<IndexColumn> columns;
  std::vector<AttributeNumber> included;
  std::string predicate_sql;
  std::string method = "btree";
  // Whether queries may read it; writes maintain it either way.
  bool readable = true;
  std::string comment;
};

enum class ConstraintKind : char { kPrimary = 'p', kUnique = 'u', kCheck = 'c', kForeign = 'f' };
// pg_constraint.confupdtype and confdeltype.
enum class ForeignAction : char {
  kNoAction = 'a',
  kRestrict = 'r',
  kCascade = 'c',
  kSetNull = 'n',
  kSetDefault = 'd',
};

struct ConstraintDescriptor {
  Oid oid = 0;
  std::string name;
  ConstraintKind kind = ConstraintKind::kCheck;
  std::vector<AttributeNumber> columns;
  // kCheck.
  std::string check_sql;
  bool no_inherit = false;
  bool validated = true;
  // kPrimary, kUnique: the index that enforces it. kForeign: the unique index of the referenced table.
  Oid index = 0;
  // kForeign.
  Oid referenced_table = 0;
  std::vector<AttributeNumber> referenced_columns;
  ForeignAction on_update = ForeignAction::kNoAction;
  ForeignAction on_delete = ForeignAction::kNoAction;
  std::vector<AttributeNumber> set_columns;  // ON DELETE SET NULL (columns)
  bool match_full = false;
  bool deferrable = false;
  bool initially_deferred = false;
  std::string comment;
};

// pg_class.relkind.
enum class RelationKind : char { kTable = 'r', kView = 'v', kSequence = 'S', kVirtual = 'V' };

// Estimates of ANALYZE, as PostgreSQL's pg_stats has them (documentation 54.27).
struct ColumnStatistics {
  AttributeNumber attribute = 0;
  double null_fraction = 0;
  double distinct = 0;  // absolute count; negative: minus a fraction of the rows, as pg_stats.n_distinct
  double average_width = 0;
  std::vector<types::Value> most_common;
  std::vector<double> most_common_frequencies;
  std::vector<types::Value> histogram;  // bounds of equally full buckets
  // Of the column's order with that of the rows, -1 to 1; no value when it is not known.
  bool has_correlation = false;
  double correlation = 0;
};

struct TableStatistics {
  // Where the rows lay: statistics of rows that TRUNCATE or a rewrite took away are of no use.
  TableId id;
  double rows = 0;
  std::vector<ColumnStatistics> columns;

  // nullptr when there are none of that column.
  const ColumnStatistics* find(AttributeNumber attribute) const {
    for (const ColumnStatistics& column : columns) {
      if (column.attribute == attribute) {
        return &column;
      }
    }
    return nullptr;
  }
};

// WITH CHECK OPTION of a view.
enum class CheckOption : char { kNone = 0, kLocal = 'l', kCascaded = 'c' };

struct TableDescriptor {
  Oid oid = 0;
  Oid schema = 0;
  std::string name;
  RelationKind kind = RelationKind::kTable;
  Oid owner = kSuperuserRole;
  TableId id;
  // Rises with every change; stored rows carry the version they were written under.
  uint32_t version = 1;
  // By attribute number: columns[n - 1].number == n, dropped ones included.
  std::vector<ColumnDescriptor> columns;
  // The primary index is first when there is one. Without a primary key, rows are keyed by a hidden row id.
  std::vector<IndexDescriptor> indexes;
  std::vector<ConstraintDescriptor> constraints;
  IndexId next_index_id{2};
  // kView: the query, fully qualified.
  std::string view_sql;
  CheckOption check_option = CheckOption::kNone;
  bool unlogged = false;
  bool temporary = false;
  std::string comment;

  // What the row type's OID is made of: row_type_of().
  Oid row_type = 0;
  Oid row_array_type = 0;  // not used any more

  const ColumnDescriptor* find_column(std::string_view name) const;
  // REQUIRES: 1 <= number <= columns.size().
  const ColumnDescriptor& column(AttributeNumber number) const { return columns[static_cast<std::size_t>(number) - 1]; }
  const IndexDescriptor* primary_index() const;
  const IndexDescriptor* find_index(Oid index) const;
  const ConstraintDescriptor* find_constraint(std::string_view name) const;
};
using TablePtr = std::shared_ptr<const TableDescriptor>;

// The index id under which a table's rows themselves lie.
inline constexpr IndexId kRowIndexId{1};

struct SequenceDescriptor {
  Oid oid = 0;
  Oid schema = 0;
  std::string name;
  types::Oid type = types::oid::kInt8;
  int64_t start = 1;
  int64_t increment = 1;
  int64_t min = 1;
  int64_t max = INT64_MAX;
  int64_t cache = 1;
  bool cycle = false;
  // OWNED BY; 0 for none.
  Oid owner_table = 0;
  AttributeNumber owner_column = 0;
  bool is_identity = false;
  Oid owner = kSuperuserRole;
  std::string comment;
};
using SequencePtr = std::shared_ptr<const SequenceDescriptor>;

// pg_type.typtype.
enum class UserTypeKind : char { kEnum = 'e', kDomain = 'd', kComposite = 'c' };

// A type that a user made: an enum, a domain or a composite type.
struct TypeDescriptor {
  struct Label {
    Oid oid = 0;  // of its row in pg_enum
    // Labels are ordered by it; what values are stored as. See types/user_types.h.
    int64_t place = 0;
    std::string text;
  };
  struct Check {
    Oid oid = 0;
    std::string name;
    // Over VALUE.
    std::string sql;
    bool validated = true;
  };
  struct Attribute {
    std::string name;
    types::Type type;
    Oid domain = 0;  // that the type was named by; 0 for none
    std::string comment;
  };
  // An enum's lies in the range of types::oid::kUserEnum, a composite type's in that of kUserComposite, and its array's
  // follows from it.
  Oid oid = 0;
  Oid schema = 0;
  std::string name;
  UserTypeKind kind = UserTypeKind::kEnum;
  Oid owner = kSuperuserRole;
  std::string comment;
  // kEnum, in their order.
  std::vector<Label> labels;
  // kDomain. `base` is the type below all domains; `domain` is the domain that this one is over, or 0.
  Oid array_oid = 0;
  types::Type base;
  Oid domain = 0;
  bool not_null = false;
  std::string default_sql;
  std::vector<Check> checks;
  // kComposite.
  std::vector<Attribute> attributes;
};
using TypePtr = std::shared_ptr<const TypeDescriptor>;

// The OID of the type's array.
inline Oid array_of(const TypeDescriptor& type) {
  return type.kind == UserTypeKind::kDomain ? type.array_oid : types::array_of(type.oid);
}

// The OID of a composite type in pg_class.
inline Oid relation_of(const TypeDescriptor& type) { return type.oid - types::oid::kUserComposite; }

// The type of a table's rows, and of arrays of them; 0 for what has none.
inline Oid row_type_of(const TableDescriptor& table) {
  return table.row_type == 0 ? 0 : types::oid::kUserComposite + table.row_type;
}

struct SchemaDescriptor {
  Oid oid = 0;
  std::string name;
  Oid owner = kSuperuserRole;
  std::string comment;
};
using SchemaPtr = std::shared_ptr<const SchemaDescriptor>;

struct RoleDescriptor {
  Oid oid = 0;
  std::string name;
  bool superuser = false;
  bool can_login = true;
};
using RolePtr = std::shared_ptr<const RoleDescriptor>;

}  // namespace pando::catalog
