#include "sql/exec/chunk_buffer.h"

#include "sql/exec/spill_file.h"

namespace pando::sql::exec {

void ChunkBuffer::clear() {
  chunks_.clear();
  stored_.clear();
  file_ = nullptr;
  memory_bytes_ = 0;
  file_size_ = 0;
}

Task<Status> ChunkBuffer::append(types::Chunk rows) {
  if (memory_bytes_ <= runtime_.context.memory_bytes_max) {
    for (const types::Vector& column : rows.columns) {
      memory_bytes_ += column.memory_bytes();
    }
    chunks_.push_back(std::move(rows));
    co_return Status();
  }
  if (file_ == nullptr) {
    if (runtime_.context.temporary == nullptr) {
      co_return Status(sql_state::kOutOfMemory, "out of memory")
          .with_detail("The query exceeds work_mem and there is no temporary storage.");
    }
    PANDO_CO_ASSIGN(file_, co_await runtime_.context.temporary->create());
  }
  Bytes bytes;
  encode_chunk(rows, bytes);
  const auto size = static_cast<uint32_t>(bytes.size());
  PANDO_CO_TRY(co_await file_->write(file_size_, std::move(bytes)));
  stored_.push_back({file_size_, size});
  file_size_ += size;
  co_return Status();
}

Task<Status> ChunkBuffer::read(std::size_t index, types::Chunk& out) {
  PANDO_ASSERT(index < size(), "a vector past the end of a buffer");
  if (index < chunks_.size()) {
    out = chunks_[index];
    co_return Status();
  }
  const Stored place = stored_[index - chunks_.size()];
  PANDO_CO_ASSIGN(const Bytes bytes, co_await file_->read(place.offset, place.size));
  co_return decode_chunk(bytes, out);
}

}  // namespace pando::sql::exec
