#pragma once

// SpillFile: vectors of rows on temporary storage, written once and read back in order.
//
//   PANDO_CO_ASSIGN(auto file, co_await SpillFile::create(runtime));
//   PANDO_CO_TRY(co_await file->append(rows));
//   PANDO_CO_TRY(co_await file->start_reading());
//   while (co_await file->read(rows)) ...
//
// Errors: 53200 without temporary storage, 53100 and 58030 from the disk. Thread-safety: one coroutine at a time.

#include <memory>

#include "sql/exec/runtime.h"

namespace pando::sql::exec {

class SpillFile {
 public:
  static Task<Result<std::unique_ptr<SpillFile>>> create(Runtime& runtime);
  explicit SpillFile(std::unique_ptr<runtime::File> file) : file_(std::move(file)) {}

  Task<Status> append(const types::Chunk& rows);
  // Back to the first vector; no more appends.
  Task<Status> start_reading();
  // False at the end.
  Task<Result<bool>> read(types::Chunk& rows);

 private:
  Task<Status> flush();
  // Makes at least `size` bytes available in buffer_ from position_ on; false at the end of the file.
  Task<Result<bool>> fill(std::size_t size);

  std::unique_ptr<runtime::File> file_;
  Bytes buffer_;
  std::size_t position_ = 0;  // in buffer_, when reading
  uint64_t offset_ = 0;       // in the file: the end of what was written, or of what was read
  uint64_t size_ = 0;
};

// One vector of rows as bytes, and back.
void encode_chunk(const types::Chunk& rows, Bytes& out);
Status decode_chunk(ByteView bytes, types::Chunk& rows);

}  // namespace pando::sql::exec
