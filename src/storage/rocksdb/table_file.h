#pragma once

// TableFile: one of RocksDB's files, read block by block without RocksDB.
//
// RocksDB's own iterator costs about 95 ns a row. A scan of millions of rows needs none of what it does, so TableScan
// reads the files itself, as written by format version 5 with the options of rocksdb_engine.cc: binary-search index
// with full handles, CRC-32C, LZ4 or ZSTD blocks. What it does not recognize it refuses, and the caller uses the
// iterator. An open file can be read to its end even if a compaction deletes it. One thread at a time.

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <rocksdb/cache.h>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/engine.h"

namespace pando::storage {

// The entries of a block in which every entry is a restart point: its index of other blocks, its range deletions.
// Views into it; nothing when it is no such block. Pure.
std::optional<std::vector<std::pair<ByteView, ByteView>>> parse_whole_entries(ByteView block);

class TableFile {
 public:
  struct Block {
    uint64_t offset = 0;
    uint64_t size = 0;
    // At or above every key in the block, below every key in the next.
    Bytes separator;
  };

  // `number` identifies the file in `cache`, where decompressed blocks are kept.
  // Errors: 0A000 for a file that must be read with RocksDB, 58P01 when it is gone, 58030, XX001.
  static Result<std::unique_ptr<TableFile>> open(Bytes path, uint64_t number, std::shared_ptr<rocksdb::Cache> cache);
  // One of many that are read at the same time, each once: blocks are not kept, and little is read ahead.
  static Result<std::unique_ptr<TableFile>> open_once(Bytes path);
  ~TableFile();
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  const std::vector<Block>& blocks() const { return *blocks_; }
  // The decompressed block; valid until the next call.
  Result<ByteView> read_block(std::size_t block);
  // The stored keys that it says are deleted in what was written before it.
  Result<std::vector<KeySpan>> range_deletions();

 private:
  TableFile(Bytes path, uint64_t number, std::shared_ptr<rocksdb::Cache> cache, int descriptor);

  // From the cache, where scans of the same file share it, or from the file.
  Status load_index();
  // Offset and size of the block of blocks by name, and of the index.
  Result<std::array<uint64_t, 4>> read_footer();
  Status read_index(std::vector<Block>& blocks);
  Status parse_index(ByteView index, std::vector<Block>& blocks);
  // `size` bytes and the trailer at `offset`, checked and decompressed.
  Result<Bytes> load_block(uint64_t offset, uint64_t size, std::size_t read_ahead);
  // The same bytes as they are in the file, through a window that moves forward.
  Result<ByteView> read_bytes(uint64_t offset, std::size_t size, std::size_t read_ahead);
  Status damaged(uint64_t offset, ByteView what) const;
  void release();

  const Bytes path_;
  const uint64_t number_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  const int descriptor_;
  uint64_t file_bytes_ = 0;
  std::shared_ptr<const std::vector<Block>> blocks_;
  rocksdb::Cache::Handle* held_ = nullptr;
  // The current block when there is no cache_.
  Bytes block_;
  Bytes window_;
  uint64_t window_offset_ = 0;
};

}  // namespace pando::storage
