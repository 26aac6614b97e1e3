#pragma once

// ChunkBuffer: vectors of rows kept for reading again, any number of times and by several readers. Over the memory
// budget, further vectors go to temporary storage.
// Thread-safety: one coroutine at a time.

#include "sql/exec/runtime.h"

namespace pando::sql::exec {

class ChunkBuffer {
 public:
  explicit ChunkBuffer(Runtime& runtime) : runtime_(runtime) {}

  void clear();
  Task<Status> append(types::Chunk rows);
  // Number of vectors.
  std::size_t size() const { return chunks_.size() + stored_.size(); }
  // REQUIRES: index < size().
  Task<Status> read(std::size_t index, types::Chunk& out);

 private:
  struct Stored {
    uint64_t offset;
    uint32_t size;
  };
  Runtime& runtime_;
  std::vector<types::Chunk> chunks_;
  std::size_t memory_bytes_ = 0;
  std::unique_ptr<runtime::File> file_;
  std::vector<Stored> stored_;
  uint64_t file_size_ = 0;
};

}  // namespace pando::sql::exec
