#include "sql/exec/row_reader.h"

#include <algorithm>
#include <numeric>

#include "sql/exec/row_system_columns.h"

namespace pando::sql::exec {

Result<RowReader> RowReader::make(const TableLayout& layout, std::vector<catalog::AttributeNumber> attributes) {
  RowReader reader(layout);
  reader.attributes_ = std::move(attributes);
  reader.slots_.resize(reader.attributes_.size());
  std::iota(reader.slots_.begin(), reader.slots_.end(), 0U);
  for (std::size_t i = 0; i < reader.attributes_.size(); ++i) {
    const catalog::AttributeNumber attribute = reader.attributes_[i];
    if (attribute == kRowKeyAttribute) {
      continue;
    }
    if (attribute <= 0) {
      PANDO_TRY(check_system_column(layout, attribute));
      continue;
    }
    if (const auto position = layout.key_position(attribute)) {
      reader.from_key_.push_back({*position, i});
    } else {
      reader.decoded_.push_back(i);
    }
  }
  std::ranges::sort(reader.from_key_, {}, &Placed::key_position);
  std::ranges::sort(reader.decoded_, {}, [&](std::size_t i) { return reader.attributes_[i]; });
  std::vector<types::RowColumn> columns;
  for (const std::size_t i : reader.decoded_) {
    columns.push_back(*layout.find_stored(reader.attributes_[i]));
  }
  reader.decoder_ = types::RowDecoder(std::move(columns));
  return reader;
}

void RowReader::set_slots(std::vector<uint32_t> slots) {
  PANDO_ASSERT(slots.size() == attributes_.size(), "one slot per attribute");
  slots_ = std::move(slots);
}

Status RowReader::read(std::span<const ByteView> keys, std::span<const ByteView> values, types::Chunk& out) {
  const std::size_t count = keys.size();
  if (!decoded_.empty()) {
    outs_.clear();
    for (const std::size_t i : decoded_) {
      outs_.push_back(&out.columns[slots_[i]]);
    }
    PANDO_TRY(decoder_.decode(values, outs_));
  }
  if (!from_key_.empty()) {
    PANDO_TRY(read_keys(keys, out));
  }
  for (std::size_t i = 0; i < attributes_.size(); ++i) {
    types::Vector& column = out.columns[slots_[i]];
    if (attributes_[i] == kRowKeyAttribute) {
      column.reset_physical(types::Physical::kBytes);
      column.reset(count);
      for (std::size_t row = 0; row < count; ++row) {
        column.set_bytes(row, keys[row]);
      }
    } else if (attributes_[i] <= 0) {
      PANDO_TRY(read_system_column(*layout_, attributes_[i], keys, values, column));
    }
  }
  return {};
}

Status RowReader::read_keys(std::span<const ByteView> keys, types::Chunk& out) {
  const auto& key_columns = layout_->primary_key();
  for (const Placed& placed : from_key_) {
    types::Vector& column = out.columns[slots_[placed.attribute_index]];
    column.reset_physical(types::physical_of(key_columns[placed.key_position].type.oid));
    column.reset(keys.size());
  }
  for (std::size_t row = 0; row < keys.size(); ++row) {
    ByteView rest = keys[row].substr(layout_->row_prefix().size());
    std::size_t position = 0;
    for (const Placed& placed : from_key_) {
      for (; position < placed.key_position; ++position) {
        PANDO_TRY(types::skip_key(rest, key_columns[position].type.oid, key_columns[position].order));
      }
      const KeyColumn& key = key_columns[position];
      PANDO_TRY(types::take_key(rest, key.type.oid, key.order, out.columns[slots_[placed.attribute_index]], row));
      ++position;
    }
  }
  return {};
}

}  // namespace pando::sql::exec
