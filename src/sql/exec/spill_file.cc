#include "sql/exec/spill_file.h"

#include <algorithm>

#include "base/codec.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Physical;
using types::Vector;

namespace {

constexpr std::size_t kFlushBytes = 256_KiB;
constexpr std::size_t kLengthBytes = 4;

Status malformed() { return {sql_state::kDataCorrupted, "a temporary file has unexpected contents"}; }

void encode_column(const Vector& column, std::size_t rows, Bytes& out) {
  const std::size_t stored = column.is_constant() ? std::min<std::size_t>(rows, 1) : rows;
  out.push_back(static_cast<char>(column.physical()));
  out.push_back(column.is_constant() ? '\1' : '\0');
  out.push_back(column.has_nulls() ? '\1' : '\0');
  if (column.has_nulls()) {
    out.append(reinterpret_cast<const char*>(column.nulls()), stored);
  }
  if (column.physical() != Physical::kBytes) {
    out.append(column.data<char>(), stored * types::physical_size(column.physical()));
    return;
  }
  for (std::size_t row = 0; row < stored; ++row) {
    put_length_prefixed(out, column.is_null(row) ? ByteView() : column.bytes_at(row));
  }
}

bool decode_column(ByteReader& reader, std::size_t rows, Vector& column) {
  uint8_t physical = 0;
  uint8_t constant = 0;
  uint8_t has_nulls = 0;
  if (!reader.fixed8(physical) || physical > static_cast<uint8_t>(Physical::kBytes) || !reader.fixed8(constant) ||
      !reader.fixed8(has_nulls)) {
    return false;
  }
  const std::size_t stored = constant != 0 ? std::min<std::size_t>(rows, 1) : rows;
  column = Vector(static_cast<Physical>(physical));
  column.reset(stored);
  ByteView nulls;
  if (has_nulls != 0 && !reader.raw(stored, nulls)) {
    return false;
  }
  ByteView bytes;
  if (column.physical() != Physical::kBytes) {
    if (!reader.raw(stored * types::physical_size(column.physical()), bytes)) {
      return false;
    }
    std::memcpy(column.data<char>(), bytes.data(), bytes.size());
  } else {
    for (std::size_t row = 0; row < stored; ++row) {
      if (!reader.length_prefixed(bytes)) {
        return false;
      }
      column.set_bytes(row, bytes);
    }
  }
  for (std::size_t row = 0; row < nulls.size(); ++row) {
    if (nulls[row] != 0) {
      column.set_null(row);
    }
  }
  if (constant != 0 && stored == 1) {
    column.reset_constant(column.get(0), rows);
  }
  return true;
}

}  // namespace

void encode_chunk(const Chunk& rows, Bytes& out) {
  put_fixed32(out, static_cast<uint32_t>(rows.rows));
  put_fixed32(out, static_cast<uint32_t>(rows.columns.size()));
  for (const Vector& column : rows.columns) {
    encode_column(column, rows.rows, out);
  }
}

Status decode_chunk(ByteView bytes, Chunk& rows) {
  ByteReader reader(bytes);
  uint32_t row_count = 0;
  uint32_t column_count = 0;
  if (!reader.fixed32(row_count) || !reader.fixed32(column_count) || row_count > types::kVectorRows ||
      column_count > reader.rest().size()) {
    return malformed();
  }
  rows.rows = row_count;
  rows.columns.resize(column_count);
  for (Vector& column : rows.columns) {
    if (!decode_column(reader, row_count, column)) {
      return malformed();
    }
  }
  return reader.empty() ? Status() : malformed();
}

Task<Result<std::unique_ptr<SpillFile>>> SpillFile::create(Runtime& runtime) {
  if (runtime.context.temporary == nullptr) {
    co_return Status(sql_state::kOutOfMemory, "out of memory")
        .with_detail("The query exceeds work_mem and there is no temporary storage.");
  }
  PANDO_CO_ASSIGN(auto file, co_await runtime.context.temporary->create());
  co_return std::make_unique<SpillFile>(std::move(file));
}

Task<Status> SpillFile::append(const Chunk& rows) {
  const std::size_t start = buffer_.size();
  put_fixed32(buffer_, 0);
  encode_chunk(rows, buffer_);
  Bytes length;
  put_fixed32(length, static_cast<uint32_t>(buffer_.size() - start - kLengthBytes));
  buffer_.replace(start, kLengthBytes, length);
  co_return buffer_.size() < kFlushBytes ? Status() : co_await flush();
}

Task<Status> SpillFile::flush() {
  if (buffer_.empty()) {
    co_return Status();
  }
  const uint64_t at = offset_;
  offset_ += buffer_.size();
  PANDO_CO_TRY(co_await file_->write(at, std::exchange(buffer_, Bytes())));
  co_return Status();
}

Task<Status> SpillFile::start_reading() {
  if (size_ == 0) {
    PANDO_CO_TRY(co_await flush());
    size_ = offset_;
  }
  buffer_.clear();
  position_ = 0;
  offset_ = 0;
  co_return Status();
}

Task<Result<bool>> SpillFile::fill(std::size_t size) {
  while (buffer_.size() - position_ < size) {
    if (offset_ >= size_) {
      co_return false;
    }
    buffer_.erase(0, position_);
    position_ = 0;
    PANDO_CO_ASSIGN(const Bytes read, co_await file_->read(offset_, std::max(kFlushBytes, size)));
    if (read.empty()) {
      co_return malformed();
    }
    offset_ += read.size();
    buffer_.append(read);
  }
  co_return true;
}

Task<Result<bool>> SpillFile::read(Chunk& rows) {
  PANDO_CO_ASSIGN(const bool more, co_await fill(kLengthBytes));
  if (!more) {
    co_return false;
  }
  uint32_t length = 0;
  ByteReader(ByteView(buffer_).substr(position_)).fixed32(length);
  PANDO_CO_ASSIGN(const bool whole, co_await fill(kLengthBytes + length));
  if (!whole) {
    co_return malformed();
  }
  PANDO_CO_TRY(decode_chunk(ByteView(buffer_).substr(position_ + kLengthBytes, length), rows));
  position_ += kLengthBytes + length;
  co_return true;
}

}  // namespace pando::sql::exec
