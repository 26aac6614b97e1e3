#include "sql/exec/table_layout.h"

#include <algorithm>

#include "base/codec.h"
#include "catalog/keys.h"

namespace pando::sql::exec {
namespace {

KeyColumn key_column(const catalog::TableDescriptor& table, const catalog::IndexColumn& column) {
  KeyColumn key;
  key.attribute = column.attribute;
  if (column.attribute != 0) {
    key.type = table.column(column.attribute).type;
  }
  key.order = {.descending = column.descending, .nulls_first = column.nulls_first};
  return key;
}

}  // namespace

TableLayout::TableLayout(catalog::TablePtr table) : table_(std::move(table)) {
  catalog::append_index_prefix(row_prefix_, table_->id, catalog::kRowIndexId);
  if (const catalog::IndexDescriptor* primary = table_->primary_index()) {
    for (const catalog::IndexColumn& column : primary->columns) {
      primary_key_.push_back(key_column(*table_, column));
    }
  }
  for (const catalog::ColumnDescriptor& column : table_->columns) {
    if (column.dropped) {
      continue;
    }
    live_.push_back(column.number);
    const bool only_in_key = std::ranges::any_of(primary_key_, [&](const KeyColumn& key) {
      return key.attribute == column.number && types::is_key_exact(column.type.oid);
    });
    if (!only_in_key) {
      stored_.push_back({column.number, column.type, column.missing_value});
    }
  }
  for (const catalog::IndexDescriptor& index : table_->indexes) {
    if (index.primary) {
      continue;
    }
    IndexLayout layout;
    layout.index = &index;
    catalog::append_index_prefix(layout.prefix, table_->id, index.id);
    for (const catalog::IndexColumn& column : index.columns) {
      layout.columns.push_back(key_column(*table_, column));
    }
    secondary_.push_back(std::move(layout));
  }
}

std::size_t TableLayout::live_position(catalog::AttributeNumber attribute) const {
  const auto found = std::ranges::lower_bound(live_, attribute);
  PANDO_ASSERT(found != live_.end() && *found == attribute, "an attribute that is dropped or unknown");
  return static_cast<std::size_t>(found - live_.begin());
}

std::optional<std::size_t> TableLayout::key_position(catalog::AttributeNumber attribute) const {
  for (std::size_t i = 0; i < primary_key_.size(); ++i) {
    if (primary_key_[i].attribute == attribute && types::is_key_exact(primary_key_[i].type.oid)) {
      return i;
    }
  }
  return std::nullopt;
}

const types::RowColumn* TableLayout::find_stored(catalog::AttributeNumber attribute) const {
  const auto found = std::ranges::find(stored_, attribute, &types::RowColumn::attribute);
  return found == stored_.end() ? nullptr : &*found;
}

const IndexLayout* TableLayout::find_secondary(types::Oid index) const {
  const auto found =
      std::ranges::find_if(secondary_, [&](const IndexLayout& layout) { return layout.index->oid == index; });
  return found == secondary_.end() ? nullptr : &*found;
}

std::optional<ByteView> row_suffix_of_entry(ByteView key, ByteView value) {
  ByteReader reader(value);
  uint64_t size = 0;
  if (!reader.varint(size) || size > key.size()) {
    return std::nullopt;
  }
  return size == 0 ? reader.rest() : key.substr(key.size() - size);
}

Bytes plain_entry_value(std::size_t suffix_size) {
  Bytes value;
  put_varint(value, suffix_size);
  return value;
}

Bytes unique_entry_value(ByteView suffix) {
  Bytes value;
  put_varint(value, 0);
  value.append(suffix);
  return value;
}

}  // namespace pando::sql::exec
