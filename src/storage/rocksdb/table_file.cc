#include "storage/rocksdb/table_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <lz4.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/codec.h"
#include "base/crc32c.h"

namespace pando::storage {
namespace {

// RocksDB's block-based table format, versions 2 to 5.
constexpr std::size_t kFooterBytes = 53;
constexpr std::size_t kFooterVersionOffset = 41;
constexpr std::size_t kTrailerBytes = 5;
constexpr uint64_t kTableMagic = 0x88e241b785f4cff7;
constexpr uint32_t kFormatVersion = 5;
constexpr char kChecksumCrc32c = 1;
constexpr uint32_t kChecksumMaskDelta = 0xa282ead8;
enum class Compression : uint8_t { kNone = 0, kLz4 = 4, kZstd = 7 };

// No block is larger, whatever a damaged size says.
constexpr uint64_t kBlockBytesMax = 256_MiB;
constexpr std::size_t kReadAheadBytes = 512_KiB;
constexpr std::size_t kReadAheadOnceBytes = 64_KiB;

uint32_t mask_checksum(uint32_t checksum) { return ((checksum >> 15) | (checksum << 17)) + kChecksumMaskDelta; }

bool decompress(Compression compression, ByteView stored, Bytes& block) {
  if (compression == Compression::kNone) {
    block.assign(stored);
    return true;
  }
  ByteReader reader(stored);
  uint64_t size = 0;
  if (!reader.varint(size) || size > kBlockBytesMax) {
    return false;
  }
  block.resize(size);
  const ByteView rest = reader.rest();
  if (compression == Compression::kLz4) {
    return LZ4_decompress_safe(rest.data(), block.data(), static_cast<int>(rest.size()), static_cast<int>(size)) ==
           static_cast<int>(size);
  }
  return compression == Compression::kZstd && ZSTD_decompress(block.data(), size, rest.data(), rest.size()) == size;
}

constexpr std::string_view kRangeDeletionBlock = "rocksdb.range_del";
// RocksDB's suffix of a key: the sequence number, and in the lowest byte the type.
constexpr std::size_t kSuffixBytes = 8;

// The entries of a block apart from the list of restart points behind them; false when it is no block.
bool take_restarts(ByteView block, ByteView& entries, uint32_t& restarts) {
  if (block.size() < sizeof(restarts)) {
    return false;
  }
  ByteReader(block.substr(block.size() - sizeof(restarts))).fixed32(restarts);
  const uint64_t tail = (uint64_t{restarts} + 1) * sizeof(restarts);
  if (tail > block.size()) {
    return false;
  }
  entries = block.substr(0, block.size() - tail);
  return true;
}

void delete_block(const rocksdb::Slice& key, void* value) { delete static_cast<Bytes*>(value); }

}  // namespace

std::optional<std::vector<std::pair<ByteView, ByteView>>> parse_whole_entries(ByteView block) {
  uint32_t restarts = 0;
  ByteView whole;
  if (!take_restarts(block, whole, restarts)) {
    return std::nullopt;
  }
  std::vector<std::pair<ByteView, ByteView>> entries;
  for (ByteReader reader(whole); !reader.empty();) {
    uint64_t shared = 0;
    uint64_t key_size = 0;
    uint64_t value_size = 0;
    ByteView key;
    ByteView value;
    if (!reader.varint(shared) || shared != 0 || !reader.varint(key_size) || !reader.varint(value_size) ||
        !reader.raw(key_size, key) || !reader.raw(value_size, value)) {
      return std::nullopt;
    }
    entries.emplace_back(key, value);
  }
  if (entries.size() != restarts && !entries.empty()) {
    return std::nullopt;
  }
  return entries;
}

Result<std::unique_ptr<TableFile>> TableFile::open(Bytes path, uint64_t number, std::shared_ptr<rocksdb::Cache> cache) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int error = errno;
    return Status(error == ENOENT ? sql_state::kUndefinedFile : sql_state::kIoError, "could not open file \"{}\": {}",
                  path, std::generic_category().message(error));
  }
  std::unique_ptr<TableFile> file(new TableFile(std::move(path), number, std::move(cache), descriptor));
  PANDO_TRY(file->load_index());
  return file;
}

Result<std::unique_ptr<TableFile>> TableFile::open_once(Bytes path) { return open(std::move(path), 0, nullptr); }

TableFile::TableFile(Bytes path, uint64_t number, std::shared_ptr<rocksdb::Cache> cache, int descriptor)
    : path_(std::move(path)), number_(number), cache_(std::move(cache)), descriptor_(descriptor) {}

TableFile::~TableFile() {
  release();
  ::close(descriptor_);
}

void TableFile::release() {
  if (held_ != nullptr) {
    cache_->Release(std::exchange(held_, nullptr));
  }
}

Status TableFile::damaged(uint64_t offset, ByteView what) const {
  return Status(sql_state::kDataCorrupted, "file \"{}\" is damaged at offset {}: {}", path_, offset, what);
}

Status TableFile::load_index() {
  struct stat info{};
  if (::fstat(descriptor_, &info) != 0) {
    return Status(sql_state::kIoError, "could not stat file \"{}\": {}", path_, std::generic_category().message(errno));
  }
  file_bytes_ = static_cast<uint64_t>(info.st_size);
  using Shared = std::shared_ptr<const std::vector<Block>>;
  if (cache_ == nullptr) {
    std::vector<Block> blocks;
    PANDO_TRY(read_index(blocks));
    blocks_ = std::make_shared<const std::vector<Block>>(std::move(blocks));
    return {};
  }
  Bytes cache_key("scan index");
  put_fixed64(cache_key, number_);
  if (rocksdb::Cache::Handle* const handle = cache_->Lookup(cache_key)) {
    blocks_ = *static_cast<Shared*>(cache_->Value(handle));
    cache_->Release(handle);
    return {};
  }
  std::vector<Block> blocks;
  PANDO_TRY(read_index(blocks));
  std::size_t charge = blocks.capacity() * sizeof(Block);
  for (const Block& block : blocks) {
    charge += block.separator.capacity();
  }
  blocks_ = std::make_shared<const std::vector<Block>>(std::move(blocks));
  auto owned = std::make_unique<Shared>(blocks_);
  const rocksdb::Status inserted = cache_->Insert(
      cache_key, owned.get(), charge, [](const rocksdb::Slice&, void* value) { delete static_cast<Shared*>(value); });
  // A full cache does without; on success it owns the value.
  if (inserted.ok()) {
    static_cast<void>(owned.release());
  }
  return {};
}

Result<std::array<uint64_t, 4>> TableFile::read_footer() {
  if (file_bytes_ < kFooterBytes) {
    return damaged(0, "too short for a footer");
  }
  PANDO_ASSIGN(const ByteView footer, read_bytes(file_bytes_ - kFooterBytes, kFooterBytes, 0));
  ByteReader end(footer.substr(kFooterVersionOffset));
  uint32_t version = 0;
  uint64_t magic = 0;
  if (!end.fixed32(version) || !end.fixed64(magic) || magic != kTableMagic || version != kFormatVersion ||
      footer.front() != kChecksumCrc32c) {
    return Status(sql_state::kFeatureNotSupported, "file \"{}\" has another format", path_);
  }
  ByteReader handles(footer.substr(1));
  std::array<uint64_t, 4> numbers{};
  for (uint64_t& number : numbers) {
    if (!handles.varint(number)) {
      return damaged(file_bytes_ - kFooterBytes, "a footer that cannot be decoded");
    }
  }
  return numbers;
}

Status TableFile::read_index(std::vector<Block>& blocks) {
  PANDO_ASSIGN(const auto places, read_footer());
  PANDO_ASSIGN(const Bytes index, load_block(places[2], places[3], 0));
  return parse_index(index, blocks);
}

Result<std::vector<KeySpan>> TableFile::range_deletions() {
  PANDO_ASSIGN(const auto places, read_footer());
  PANDO_ASSIGN(const Bytes names, load_block(places[0], places[1], 0));
  const auto blocks = parse_whole_entries(names);
  if (!blocks.has_value()) {
    return damaged(places[0], "a list of blocks that cannot be decoded");
  }
  std::vector<KeySpan> spans;
  for (const auto& [name, handle] : *blocks) {
    if (name != kRangeDeletionBlock) {
      continue;
    }
    uint64_t offset = 0;
    uint64_t size = 0;
    if (ByteReader reader(handle); !reader.varint(offset) || !reader.varint(size)) {
      return damaged(places[0], "a list of blocks that cannot be decoded");
    }
    PANDO_ASSIGN(const Bytes block, load_block(offset, size, 0));
    const auto deletions = parse_whole_entries(block);
    if (!deletions.has_value()) {
      return damaged(offset, "range deletions that cannot be decoded");
    }
    for (const auto& [start, end] : *deletions) {
      if (start.size() < kSuffixBytes) {
        return damaged(offset, "range deletions that cannot be decoded");
      }
      spans.push_back({Bytes(start.substr(0, start.size() - kSuffixBytes)), Bytes(end)});
    }
  }
  return spans;
}

// Entries without key or value deltas, as every entry is a restart point: shared (0), key size, key, offset, size.
Status TableFile::parse_index(ByteView index, std::vector<Block>& blocks) {
  const auto unknown = [this] {
    return Status(sql_state::kFeatureNotSupported, "file \"{}\" has another index", path_);
  };
  uint32_t restarts = 0;
  ByteView entries;
  if (!take_restarts(index, entries, restarts)) {
    return unknown();
  }
  for (ByteReader reader(entries); !reader.empty();) {
    uint64_t shared = 0;
    uint64_t key_size = 0;
    ByteView key;
    Block block;
    if (!reader.varint(shared) || shared != 0 || !reader.varint(key_size) || !reader.raw(key_size, key) ||
        !reader.varint(block.offset) || !reader.varint(block.size) || block.size > kBlockBytesMax ||
        block.offset + block.size + kTrailerBytes > file_bytes_) {
      return unknown();
    }
    block.separator = Bytes(key);
    blocks.push_back(std::move(block));
  }
  return blocks.size() == restarts ? Status() : unknown();
}

Result<ByteView> TableFile::read_bytes(uint64_t offset, std::size_t size, std::size_t read_ahead) {
  if (offset < window_offset_ || offset + size > window_offset_ + window_.size()) {
    const uint64_t wanted = std::min<uint64_t>(std::max(size, read_ahead), file_bytes_ - std::min(offset, file_bytes_));
    window_.resize(wanted);
    window_offset_ = offset;
    for (std::size_t done = 0; done < wanted;) {
      const ssize_t count =
          ::pread(descriptor_, window_.data() + done, wanted - done, static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        window_.clear();
        return Status(sql_state::kIoError, "could not read file \"{}\": {}", path_,
                      count == 0 ? "unexpected end of file" : std::generic_category().message(errno));
      }
      done += static_cast<std::size_t>(count);
    }
  }
  if (offset + size > window_offset_ + window_.size()) {
    return damaged(offset, "a block beyond the end of the file");
  }
  return ByteView(window_).substr(offset - window_offset_, size);
}

Result<Bytes> TableFile::load_block(uint64_t offset, uint64_t size, std::size_t read_ahead) {
  if (size > kBlockBytesMax) {
    return damaged(offset, "a block size over the limit");
  }
  PANDO_ASSIGN(const ByteView stored, read_bytes(offset, size + kTrailerBytes, read_ahead));
  uint32_t expected = 0;
  ByteReader(stored.substr(size + 1)).fixed32(expected);
  if (const uint32_t actual = mask_checksum(crc32c(stored.substr(0, size + 1))); actual != expected) {
    return damaged(offset, fmt::format("expected checksum {:08x}, found {:08x}", expected, actual));
  }
  Bytes block;
  if (!decompress(static_cast<Compression>(stored[size]), stored.substr(0, size), block)) {
    return damaged(offset, "a block that cannot be decompressed");
  }
  return block;
}

Result<ByteView> TableFile::read_block(std::size_t block) {
  release();
  const Block& place = (*blocks_)[block];
  if (cache_ == nullptr) {
    PANDO_ASSIGN(block_, load_block(place.offset, place.size, kReadAheadOnceBytes));
    return ByteView(block_);
  }
  Bytes cache_key("scan");
  put_fixed64(cache_key, number_);
  put_fixed64(cache_key, place.offset);
  held_ = cache_->Lookup(cache_key);
  if (held_ == nullptr) {
    PANDO_ASSIGN(Bytes loaded, load_block(place.offset, place.size, kReadAheadBytes));
    auto owned = std::make_unique<Bytes>(std::move(loaded));
    const std::size_t charge = owned->capacity() + sizeof(Bytes);
    const rocksdb::Status inserted = cache_->Insert(cache_key, owned.get(), charge, delete_block, &held_);
    if (!inserted.ok()) {
      return Status(sql_state::kOutOfMemory, "the block cache is full: {}", inserted.ToString());
    }
    static_cast<void>(owned.release());
  }
  return ByteView(*static_cast<Bytes*>(cache_->Value(held_)));
}

}  // namespace pando::storage
