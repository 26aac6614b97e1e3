#include "sql/exec/entry_reader.h"

#include <algorithm>

#include "sql/plan/logical.h"

namespace pando::sql::exec {
namespace {

// The place of an attribute among columns from which its value can be read back.
std::optional<std::size_t> place_of(const std::vector<KeyColumn>& columns, catalog::AttributeNumber attribute) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].attribute == attribute && types::is_key_exact(columns[i].type.oid)) {
      return i;
    }
  }
  return std::nullopt;
}

// Nothing behind the last column that is read need be looked at.
void trim(std::vector<uint32_t>& targets) {
  while (!targets.empty() && targets.back() == UINT32_MAX) {
    targets.pop_back();
  }
}

}  // namespace

EntryReader EntryReader::make(const TableLayout& layout, const IndexLayout& index,
                              const std::vector<catalog::AttributeNumber>& attributes,
                              const std::vector<uint32_t>& slots) {
  EntryReader reader(layout, index);
  reader.index_targets_.assign(index.columns.size(), kSkipped);
  reader.primary_targets_.assign(layout.primary_key().size(), kSkipped);
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (attributes[i] == kTableOidAttribute) {
      reader.oid_slots_.push_back(slots[i]);
    } else if (const auto place = place_of(index.columns, attributes[i])) {
      reader.index_targets_[*place] = slots[i];
    } else {
      const auto primary = place_of(layout.primary_key(), attributes[i]);
      PANDO_ASSERT(primary.has_value(), "an index-only scan of an attribute that the index does not have");
      reader.primary_targets_[*primary] = slots[i];
    }
  }
  trim(reader.index_targets_);
  trim(reader.primary_targets_);
  return reader;
}

Status EntryReader::malformed() const {
  return Status(sql_state::kIndexCorrupted, "index \"{}\" has a malformed entry", index_->index->name);
}

Status EntryReader::take(ByteView& key, const std::vector<KeyColumn>& columns, const Targets& targets, std::size_t row,
                         types::Chunk& out) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const KeyColumn& column = columns[i];
    PANDO_TRY(targets[i] == kSkipped
                  ? types::skip_key(key, column.type.oid, column.order)
                  : types::take_key(key, column.type.oid, column.order, out.columns[targets[i]], row));
  }
  return {};
}

Status EntryReader::read(std::span<const ByteView> keys, std::span<const ByteView> values, types::Chunk& out) const {
  const auto reset = [&](const Targets& targets, const std::vector<KeyColumn>& columns) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (targets[i] != kSkipped) {
        types::Vector& column = out.columns[targets[i]];
        column.reset_physical(types::physical_of(columns[i].type.oid));
        column.reset(keys.size());
      }
    }
  };
  reset(index_targets_, index_->columns);
  reset(primary_targets_, layout_->primary_key());
  for (std::size_t row = 0; row < keys.size(); ++row) {
    ByteView key = keys[row].substr(index_->prefix.size());
    PANDO_TRY(take(key, index_->columns, index_targets_, row, out));
    if (!primary_targets_.empty()) {
      auto suffix = row_suffix_of_entry(keys[row], values[row]);
      if (!suffix) {
        return malformed();
      }
      PANDO_TRY(take(*suffix, layout_->primary_key(), primary_targets_, row, out));
    }
  }
  for (const uint32_t slot : oid_slots_) {
    out.columns[slot].reset_physical(types::Physical::kUint32);
    out.columns[slot].reset_constant(types::Value::of_uint32(layout_->table().oid), keys.size());
  }
  return {};
}

}  // namespace pando::sql::exec
