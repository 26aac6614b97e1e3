#include "session/portal.h"

#include <algorithm>

namespace pando::session {

void RowBuffer::append(types::Chunk chunk) {
  for (const types::Vector& column : chunk.columns) {
    memory_bytes_ += column.memory_bytes();
  }
  starts_.push_back(size_);
  size_ += chunk.rows;
  chunks_.push_back(std::move(chunk));
}

const types::Chunk& RowBuffer::chunk_of(std::size_t position, std::size_t& row) const {
  PANDO_ASSERT(position < size_, "a row past the buffer's end");
  const auto after = std::ranges::upper_bound(starts_, position);
  const auto index = static_cast<std::size_t>(after - starts_.begin()) - 1;
  row = position - starts_[index];
  return chunks_[index];
}

void Portal::clear() {
  Portal fresh;
  fresh.name = std::move(name);
  fresh.name.clear();
  fresh.tag = std::move(tag);
  fresh.tag.clear();
  fresh.parameters = std::move(parameters);
  fresh.parameters.clear();
  fresh.pending.columns = std::move(pending.columns);
  fresh.pending.columns.clear();
  *this = std::move(fresh);
}

void Portal::restart() {
  started = false;
  ended = false;
  failed = false;
  open_error = Status();
  query.reset();
  pending.rows = 0;
  pending_first = 0;
  rows_delivered = 0;
  rows_written = 0;
  replaying = false;
  replayed = 0;
  buffer.reset();
  rows_read = 0;
  position = 0;
}

}  // namespace pando::session
