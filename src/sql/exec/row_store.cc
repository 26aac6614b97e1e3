#include "sql/exec/row_store.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Physical;
using types::Vector;

namespace {

// A chunk at least this full is kept as it is.
constexpr std::size_t kFullEnoughRows = types::kVectorRows / 2;

std::size_t memory_of(const Chunk& chunk) {
  std::size_t bytes = sizeof(Chunk);
  for (const Vector& column : chunk.columns) {
    bytes += column.memory_bytes();
  }
  return bytes;
}

}  // namespace

bool RowStore::has_room(const Chunk& rows) const {
  return tail_open_ && chunks_.back().rows + rows.rows <= types::kVectorRows;
}

RowRef RowStore::append(const Chunk& rows) {
  rows_ += rows.rows;
  if (rows.rows >= kFullEnoughRows) {
    tail_open_ = false;
    chunks_.push_back(rows);
    memory_bytes_ += memory_of(rows);
    note_bases();
    return {static_cast<uint32_t>(chunks_.size() - 1), 0};
  }
  if (!has_room(rows)) {
    Chunk& tail = chunks_.emplace_back();
    for (const Vector& column : rows.columns) {
      tail.columns.emplace_back(column.physical()).reset(types::kVectorRows);
    }
    tail_open_ = true;
  } else {
    memory_bytes_ -= memory_of(chunks_.back());
  }
  Chunk& tail = chunks_.back();
  const RowRef first{static_cast<uint32_t>(chunks_.size() - 1), static_cast<uint32_t>(tail.rows)};
  for (std::size_t column = 0; column < rows.columns.size(); ++column) {
    for (std::size_t row = 0; row < rows.rows; ++row) {
      tail.columns[column].set_from(tail.rows + row, rows.columns[column], row);
    }
  }
  tail.rows += rows.rows;
  memory_bytes_ += memory_of(tail);
  note_bases();
  return first;
}

// Of the last chunk.
void RowStore::note_bases() {
  const Chunk& chunk = chunks_.back();
  const std::size_t width = chunk.columns.size();
  bases_.resize(chunks_.size() * width);
  for (std::size_t column = 0; column < width; ++column) {
    const Vector& values = chunk.columns[column];
    bases_[(chunks_.size() - 1) * width + column] = {values.data<char>(), values.nulls(), values.is_constant()};
  }
}

template <typename T>
void RowStore::copy_values(std::size_t column, const RowRef* refs, std::size_t count, Vector& out) const {
  const std::size_t width = chunks_[0].columns.size();
  T* values = out.data<T>();
  for (std::size_t i = 0; i < count; ++i) {
    const Base& base = bases_[refs[i].chunk * width + column];
    const std::size_t slot = base.constant ? 0 : refs[i].row;
    if (base.nulls != nullptr && base.nulls[slot] != 0) {
      out.set_null(i);
    } else if constexpr (std::is_same_v<T, types::StringRef>) {
      out.set_bytes(i, reinterpret_cast<const types::StringRef*>(base.values)[slot].view());
    } else {
      values[i] = reinterpret_cast<const T*>(base.values)[slot];
    }
  }
}

void RowStore::clear() {
  chunks_.clear();
  bases_.clear();
  tail_open_ = false;
  rows_ = 0;
  memory_bytes_ = 0;
}

void RowStore::gather(std::size_t column, const RowRef* refs, std::size_t count, Vector& out) const {
  if (chunks_.empty()) {
    out.reset(0);
    return;
  }
  out.reset_physical(chunks_[0].columns[column].physical());
  out.reset(count);
  switch (out.physical()) {
    case Physical::kBool:
      return copy_values<uint8_t>(column, refs, count, out);
    case Physical::kInt16:
      return copy_values<int16_t>(column, refs, count, out);
    case Physical::kInt32:
    case Physical::kUint32:
    case Physical::kFloat32:
      return copy_values<uint32_t>(column, refs, count, out);
    case Physical::kInt64:
    case Physical::kFloat64:
      return copy_values<uint64_t>(column, refs, count, out);
    case Physical::kInterval:
      return copy_values<types::Interval>(column, refs, count, out);
    case Physical::kUuid:
      return copy_values<types::Uuid>(column, refs, count, out);
    case Physical::kBytes:
      return copy_values<types::StringRef>(column, refs, count, out);
  }
}

void RowStore::gather(const RowRef* refs, std::size_t count, Chunk& out) const {
  out.rows = count;
  out.columns.resize(chunks_.empty() ? 0 : chunks_[0].columns.size());
  for (std::size_t column = 0; column < out.columns.size(); ++column) {
    gather(column, refs, count, out.columns[column]);
  }
}

}  // namespace pando::sql::exec
