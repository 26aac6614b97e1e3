#pragma once

// Snapshot: all descriptors of one database at one version, immutable. Statements are bound against a snapshot; DDL
// makes a changed copy (descriptors are shared, so a copy costs a pointer per object).
//
//   auto found = snapshot->find_relation(schema_oid, "t");
//   if (auto* table = std::get_if<TablePtr>(&found)) ...
//
// Thread-safety: immutable once published.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/descriptor.h"
#include "types/user_types.h"

namespace pando::catalog {

// nullptr TablePtr when nothing has the name. Views and virtual tables are TableDescriptors too.
using Relation = std::variant<TablePtr, SequencePtr>;

class Snapshot {
 public:
  // Rises with every committed DDL statement; plans made under another version are checked again.
  uint64_t version() const { return version_; }

  SchemaPtr find_schema(std::string_view name) const;
  SchemaPtr find_schema(Oid oid) const;
  TablePtr find_table(Oid schema, std::string_view name) const;
  TablePtr find_table(Oid oid) const;
  SequencePtr find_sequence(Oid schema, std::string_view name) const;
  SequencePtr find_sequence(Oid oid) const;
  // The table that has an index of that name or OID, as indexes share the relations' name space.
  TablePtr find_index_table(Oid schema, std::string_view index) const;
  TablePtr find_index_table(Oid index) const;
  // By the type's OID or its array's.
  TypePtr find_type(Oid oid) const;
  TypePtr find_type(Oid schema, std::string_view name) const;
  // The table or view whose rows have this type, or are the elements of this array type.
  TablePtr find_row_table(Oid type) const;
  // What the text forms of enums and composite types need to know.
  std::shared_ptr<const types::UserTypes> user_types() const { return user_types_; }
  bool relation_name_taken(Oid schema, std::string_view name) const;
  // Tables with a foreign key that refers to `table`.
  std::vector<TablePtr> referencing_tables(Oid table) const;

  // In OID order.
  const std::map<Oid, SchemaPtr>& schemas() const { return schemas_; }
  const std::map<Oid, TablePtr>& tables() const { return tables_; }
  const std::map<Oid, SequencePtr>& sequences() const { return sequences_; }
  const std::map<Oid, RolePtr>& roles() const { return roles_; }
  const std::map<Oid, TypePtr>& user_defined_types() const { return types_; }

  // Resolves a possibly qualified relation name as PostgreSQL does: the search path in order, pg_catalog first unless
  // it is named. `schema` empty means unqualified.
  TablePtr resolve_table(const std::vector<std::string>& search_path, std::string_view schema,
                         std::string_view name) const;
  SequencePtr resolve_sequence(const std::vector<std::string>& search_path, std::string_view schema,
                               std::string_view name) const;
  TypePtr resolve_type(const std::vector<std::string>& search_path, std::string_view schema,
                       std::string_view name) const;
  // Whether the type's unqualified name finds it.
  bool is_type_visible(const std::vector<std::string>& search_path, const TypeDescriptor& type) const;
  // Whether an unqualified `name` finds the relation `oid`.
  bool is_visible(const std::vector<std::string>& search_path, Oid oid) const;

  // --- changes, on a copy that is not published yet ---
  void put(SchemaPtr schema);
  void put(TablePtr table);
  void put(SequencePtr sequence);
  void put(RolePtr role);
  void put(TypePtr type);
  void remove_schema(Oid oid);
  void remove_table(Oid oid);
  void remove_sequence(Oid oid);
  void remove_type(Oid oid);
  void set_version(uint64_t version) { version_ = version; }

 private:
  using NameKey = std::pair<Oid, std::string>;

  // Not shared with another snapshot.
  types::UserTypes& own_user_types();

  uint64_t version_ = 0;
  std::map<Oid, SchemaPtr> schemas_;
  std::map<std::string, Oid, std::less<>> schema_names_;
  std::map<Oid, TablePtr> tables_;
  std::map<Oid, SequencePtr> sequences_;
  std::map<Oid, RolePtr> roles_;
  std::map<Oid, TypePtr> types_;
  std::shared_ptr<types::UserTypes> user_types_ = std::make_shared<types::UserTypes>();
  std::map<Oid, Oid> row_tables_;
  // Relations and indexes by (schema, name): one name space, as in pg_class. An index maps to its own OID.
  std::map<NameKey, Oid, std::less<>> names_;
  std::map<Oid, Oid> index_tables_;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace pando::catalog
