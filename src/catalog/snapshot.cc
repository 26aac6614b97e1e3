#include "catalog/snapshot.h"

#include <algorithm>

#include "catalog/relation_forms.h"

namespace pando::catalog {
namespace {

template <typename Map>
typename Map::mapped_type find_in(const Map& map, Oid oid) {
  const auto found = map.find(oid);
  return found == map.end() ? nullptr : found->second;
}

constexpr std::string_view kPgCatalogName = "pg_catalog";
// What a session calls its own temporary schema.
constexpr std::string_view kTemporaryName = "pg_temp";

}  // namespace

SchemaPtr Snapshot::find_schema(std::string_view name) const {
  const auto found = schema_names_.find(name);
  return found == schema_names_.end() ? nullptr : find_schema(found->second);
}
SchemaPtr Snapshot::find_schema(Oid oid) const { return find_in(schemas_, oid); }
TablePtr Snapshot::find_table(Oid oid) const { return find_in(tables_, oid); }
SequencePtr Snapshot::find_sequence(Oid oid) const { return find_in(sequences_, oid); }

TablePtr Snapshot::find_table(Oid schema, std::string_view name) const {
  const auto found = names_.find(NameKey(schema, name));
  return found == names_.end() ? nullptr : find_table(found->second);
}

SequencePtr Snapshot::find_sequence(Oid schema, std::string_view name) const {
  const auto found = names_.find(NameKey(schema, name));
  return found == names_.end() ? nullptr : find_sequence(found->second);
}

TablePtr Snapshot::find_index_table(Oid schema, std::string_view index) const {
  const auto found = names_.find(NameKey(schema, index));
  return found == names_.end() ? nullptr : find_index_table(found->second);
}

TablePtr Snapshot::find_index_table(Oid index) const {
  const auto found = index_tables_.find(index);
  return found == index_tables_.end() ? nullptr : find_table(found->second);
}

bool Snapshot::relation_name_taken(Oid schema, std::string_view name) const {
  return names_.contains(NameKey(schema, name));
}

std::vector<TablePtr> Snapshot::referencing_tables(Oid table) const {
  std::vector<TablePtr> referencing;
  for (const auto& [oid, candidate] : tables_) {
    const bool refers = std::ranges::any_of(candidate->constraints, [&](const ConstraintDescriptor& constraint) {
      return constraint.kind == ConstraintKind::kForeign && constraint.referenced_table == table;
    });
    if (refers) {
      referencing.push_back(candidate);
    }
  }
  return referencing;
}

namespace {

// Calls `find` with each schema of the search path until it finds something.
template <typename Found>
Found search(const Snapshot& snapshot, const std::vector<std::string>& search_path, std::string_view schema,
             auto find) {
  const auto find_in_schema = [&](std::string_view name) -> Found {
    const SchemaPtr found = snapshot.find_schema(name);
    return found ? find(found->oid) : nullptr;
  };
  if (schema == kTemporaryName) {
    const auto own = std::ranges::find_if(
        search_path, [](const std::string& name) { return name.starts_with(kTemporarySchemaPrefix); });
    return own == search_path.end() ? nullptr : find_in_schema(*own);
  }
  if (!schema.empty()) {
    return find_in_schema(schema);
  }
  if (std::ranges::find(search_path, kPgCatalogName) == search_path.end()) {
    if (Found found = find_in_schema(kPgCatalogName)) {
      return found;
    }
  }
  for (const auto& name : search_path) {
    if (Found found = find_in_schema(name)) {
      return found;
    }
  }
  return nullptr;
}

}  // namespace

TablePtr Snapshot::resolve_table(const std::vector<std::string>& search_path, std::string_view schema,
                                 std::string_view name) const {
  return search<TablePtr>(*this, search_path, schema, [&](Oid oid) { return find_table(oid, name); });
}

bool Snapshot::is_type_visible(const std::vector<std::string>& search_path, const TypeDescriptor& type) const {
  const TypePtr found = resolve_type(search_path, "", type.name);
  return found != nullptr && found->oid == type.oid;
}

SequencePtr Snapshot::resolve_sequence(const std::vector<std::string>& search_path, std::string_view schema,
                                       std::string_view name) const {
  return search<SequencePtr>(*this, search_path, schema, [&](Oid oid) { return find_sequence(oid, name); });
}

TablePtr Snapshot::find_row_table(Oid type) const {
  const auto found = row_tables_.find(types::is_composite_array(type) ? types::element_of(type) : type);
  return found == row_tables_.end() ? nullptr : find_table(found->second);
}

types::UserTypes& Snapshot::own_user_types() {
  if (user_types_.use_count() > 1) {
    user_types_ = std::make_shared<types::UserTypes>(*user_types_);
  }
  return *user_types_;
}

TypePtr Snapshot::find_type(Oid oid) const {
  const bool is_array = types::is_enum_array(oid) || types::is_composite_array(oid);
  if (TypePtr found = find_in(types_, is_array ? types::element_of(oid) : oid)) {
    return found;
  }
  const auto by_array = std::ranges::find_if(types_, [&](const auto& entry) { return array_of(*entry.second) == oid; });
  return oid == 0 || by_array == types_.end() ? nullptr : by_array->second;
}

TypePtr Snapshot::find_type(Oid schema, std::string_view name) const {
  const auto found = std::ranges::find_if(
      types_, [&](const auto& entry) { return entry.second->schema == schema && entry.second->name == name; });
  return found == types_.end() ? nullptr : found->second;
}

TypePtr Snapshot::resolve_type(const std::vector<std::string>& search_path, std::string_view schema,
                               std::string_view name) const {
  return search<TypePtr>(*this, search_path, schema, [&](Oid oid) { return find_type(oid, name); });
}

bool Snapshot::is_visible(const std::vector<std::string>& search_path, Oid oid) const {
  const auto sees = [&](Oid schema, std::string_view name) {
    const SchemaPtr own = find_schema(schema);
    std::vector<std::string> path = search_path;
    if (std::ranges::find(path, kPgCatalogName) == path.end()) {
      path.insert(path.begin(), std::string(kPgCatalogName));
    }
    for (const auto& candidate : path) {
      const SchemaPtr found = find_schema(candidate);
      if (found && relation_name_taken(found->oid, name)) {
        return own && found->oid == own->oid;
      }
    }
    return false;
  };
  if (const TablePtr table = find_table(oid)) {
    return sees(table->schema, table->name);
  }
  if (const SequencePtr sequence = find_sequence(oid)) {
    return sees(sequence->schema, sequence->name);
  }
  if (const TablePtr table = find_index_table(oid)) {
    return sees(table->schema, table->find_index(oid)->name);
  }
  return false;
}

void Snapshot::put(SchemaPtr schema) {
  remove_schema(schema->oid);
  schema_names_[schema->name] = schema->oid;
  schemas_[schema->oid] = std::move(schema);
}

void Snapshot::put(TablePtr table) {
  remove_table(table->oid);
  names_[NameKey(table->schema, table->name)] = table->oid;
  for (const auto& index : table->indexes) {
    names_[NameKey(table->schema, index.name)] = index.oid;
    index_tables_[index.oid] = table->oid;
  }
  if (const Oid row_type = row_type_of(*table); row_type != 0) {
    auto row = std::make_shared<types::CompositeType>();
    for (const ColumnDescriptor& column : table->columns) {
      if (!column.dropped) {
        row->attributes.push_back({column.name, column.type});
      }
    }
    own_user_types().put(row_type, std::move(row));
    row_tables_[row_type] = table->oid;
  }
  tables_[table->oid] = std::move(table);
}

void Snapshot::put(SequencePtr sequence) {
  remove_sequence(sequence->oid);
  names_[NameKey(sequence->schema, sequence->name)] = sequence->oid;
  sequences_[sequence->oid] = std::move(sequence);
}

void Snapshot::put(TypePtr type) {
  if (type->kind == UserTypeKind::kEnum) {
    types::EnumType shown{types::format_type({type->oid}), {}};
    for (const TypeDescriptor::Label& label : type->labels) {
      shown.labels.push_back({label.place, label.text});
    }
    own_user_types().put(type->oid, std::move(shown));
  } else if (type->kind == UserTypeKind::kComposite) {
    auto shown = std::make_shared<types::CompositeType>();
    for (const TypeDescriptor::Attribute& attribute : type->attributes) {
      shown->attributes.push_back({attribute.name, attribute.type});
    }
    own_user_types().put(type->oid, std::move(shown));
  }
  types_[type->oid] = std::move(type);
}

void Snapshot::remove_type(Oid oid) {
  own_user_types().remove(oid);
  types_.erase(oid);
}

// A role without a name is one that was dropped.
void Snapshot::put(RolePtr role) {
  if (role->name.empty()) {
    roles_.erase(role->oid);
  } else {
    roles_[role->oid] = std::move(role);
  }
}

void Snapshot::remove_schema(Oid oid) {
  if (const SchemaPtr schema = find_schema(oid)) {
    schema_names_.erase(schema->name);
    schemas_.erase(oid);
  }
}

void Snapshot::remove_table(Oid oid) {
  const TablePtr table = find_table(oid);
  if (!table) {
    return;
  }
  names_.erase(NameKey(table->schema, table->name));
  for (const auto& index : table->indexes) {
    names_.erase(NameKey(table->schema, index.name));
    index_tables_.erase(index.oid);
  }
  if (const Oid row_type = row_type_of(*table); row_type != 0) {
    own_user_types().remove(row_type);
    row_tables_.erase(row_type);
  }
  tables_.erase(oid);
}

void Snapshot::remove_sequence(Oid oid) {
  if (const SequencePtr sequence = find_sequence(oid)) {
    names_.erase(NameKey(sequence->schema, sequence->name));
    sequences_.erase(oid);
  }
}

}  // namespace pando::catalog
