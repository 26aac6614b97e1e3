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

template <typename T>
void copy_fixed(const std::vector<Chunk>& chunks, std::size_t column, const RowRef* refs, std::size_t count,
                Vector& out) {
  T* values = out.data<T>();
  for (std::size_t i = 0; i < count; ++i) {
    const Vector& source = chunks[refs[i].chunk].columns[column];
    values[i] = source.at<T>(refs[i].row);
    if (source.is_null(refs[i].row)) {
      out.set_null(i);
    }
  }
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
  return first;
}

void RowStore::clear() {
  chunks_.clear();
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
      return copy_fixed<uint8_t>(chunks_, column, refs, count, out);
    case Physical::kInt16:
      return copy_fixed<int16_t>(chunks_, column, refs, count, out);
    case Physical::kInt32:
    case Physical::kUint32:
    case Physical::kFloat32:
      return copy_fixed<uint32_t>(chunks_, column, refs, count, out);
    case Physical::kInt64:
    case Physical::kFloat64:
      return copy_fixed<uint64_t>(chunks_, column, refs, count, out);
    case Physical::kInterval:
      return copy_fixed<types::Interval>(chunks_, column, refs, count, out);
    case Physical::kUuid:
      return copy_fixed<types::Uuid>(chunks_, column, refs, count, out);
    case Physical::kBytes:
      for (std::size_t i = 0; i < count; ++i) {
        out.set_from(i, chunks_[refs[i].chunk].columns[column], refs[i].row);
      }
      return;
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
