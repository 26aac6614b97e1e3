#include "storage/rocksdb/table_scan.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "storage/mvcc.h"
#include "storage/rocksdb/block_entries.h"
#include "storage/rocksdb/rocksdb_error.h"
#include "storage/rocksdb/stored_key.h"
#include "storage/rocksdb/table_file.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace pando::storage {
namespace {

enum class EntryType : uint8_t { kDeletion = 0, kValue = 1 };
constexpr int kOpenAttempts = 10;

// An entry of a run, borrowed until the run moves.
struct Entry {
  // With timestamp, without RocksDB's suffix.
  ByteView key;
  ByteView value;
  // Orders the writes of one versioned key.
  uint64_t sequence = 0;
  bool deletion = false;
};

// Entries in the order of internal keys: versioned key ascending, then the newest write first.
class Run {
 public:
  virtual ~Run() = default;
  bool valid() const { return valid_; }
  // REQUIRES: valid().
  const Entry& entry() const { return entry_; }
  virtual Status next() = 0;

 protected:
  bool valid_ = false;
  Entry entry_;
};

Status malformed() {
  return Status(sql_state::kDataCorrupted, "the storage engine's files hold an entry that cannot be decoded");
}

// A file that the scan reads.
struct OpenFile {
  Bytes smallest;
  Bytes largest;
  // Of a file that was taken in whole: its entries were all written at once, and do not carry it.
  std::optional<uint64_t> sequence;
  std::unique_ptr<TableFile> file;
};

// Files whose keys do not overlap, in order, as one run.
class FileRun final : public Run {
 public:
  // REQUIRES: `files` is not empty. Bounds are stored keys.
  FileRun(std::vector<OpenFile> files, Bytes start, Bytes end, uint64_t sequence_max)
      : files_(std::move(files)), start_(std::move(start)), end_(std::move(end)), sequence_max_(sequence_max) {
    const auto& blocks = files_[0].file->blocks();
    const auto first = std::ranges::partition_point(
        blocks, [this](const TableFile::Block& block) { return compare_versioned_keys(block.separator, start_) < 0; });
    block_ = static_cast<std::size_t>(first - blocks.begin());
  }

  // Moves to the first row. To be called once.
  Status begin() {
    PANDO_TRY(load_block());
    PANDO_TRY(next());
    while (valid_ && compare_versioned_keys(entry_.key, start_) < 0) {
      PANDO_TRY(next());
    }
    return Status();
  }

  Status next() override {
    do {
      while (entries_.at_end()) {
        ++block_;
        PANDO_TRY(load_block());
        if (!valid_) {
          return Status();
        }
      }
      if (!parse_entry()) {
        return malformed();
      }
    } while (entry_.sequence > sequence_max_ && valid_);
    return Status();
  }

 private:
  // Makes block_ of file_ the current one, or the first of the next file; no longer valid at the end of the run.
  Status load_block() {
    while (file_ < files_.size() && block_ >= files_[file_].file->blocks().size()) {
      files_[file_].file.reset();
      ++file_;
      block_ = 0;
    }
    valid_ = file_ < files_.size();
    if (!valid_) {
      return Status();
    }
    PANDO_ASSIGN(const ByteView block, files_[file_].file->read_block(block_));
    if (!entries_.start(block)) {
      return malformed();
    }
    bounded_ = compare_versioned_keys(files_[file_].file->blocks()[block_].separator, end_) >= 0;
    sequence_ = files_[file_].sequence;
    return Status();
  }

  bool parse_entry() {
    if (!entries_.next()) {
      return false;
    }
    const uint64_t suffix = entries_.suffix();
    const auto type = static_cast<EntryType>(suffix & 0xff);
    entry_ = {entries_.key(), entries_.value(), sequence_.value_or(suffix >> 8), type == EntryType::kDeletion};
    if (bounded_ && compare_versioned_keys(entry_.key, end_) >= 0) {
      valid_ = false;
    }
    return type == EntryType::kDeletion || type == EntryType::kValue;
  }

  std::vector<OpenFile> files_;
  const Bytes start_;
  const Bytes end_;
  // Newer writes are not looked at.
  const uint64_t sequence_max_;
  std::size_t file_ = 0;
  std::size_t block_ = 0;
  // The block may hold keys at or beyond end_.
  bool bounded_ = false;
  std::optional<uint64_t> sequence_;
  BlockEntries entries_;
};

// What was not flushed when the scan was made.
class MemtableRun final : public Run {
 public:
  MemtableRun(const TableScanContext& context, Bytes start, Bytes end)
      : start_(std::move(start)), end_(std::move(end)), lower_(slice(start_)), upper_(slice(end_)) {
    rocksdb::ReadOptions options;
    options.snapshot = context.snapshot;
    options.total_order_seek = true;
    options.read_tier = rocksdb::kMemtableTier;
    options.iterate_lower_bound = &lower_;
    options.iterate_upper_bound = &upper_;
    iterator_.reset(context.db->NewIterator(options));
    iterator_->SeekToFirst();
    load();
  }
  Status next() override {
    iterator_->Next();
    load();
    return status_of(iterator_->status());
  }

 private:
  void load() {
    valid_ = iterator_->Valid();
    if (valid_) {
      // Newer than any file's entry of the same key.
      entry_ = {view(iterator_->key()), view(iterator_->value()), UINT64_MAX, false};
    }
  }

  const Bytes start_;
  const Bytes end_;
  const rocksdb::Slice lower_;
  const rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class TableScan final : public VersionScan {
 public:
  TableScan(std::vector<std::unique_ptr<Run>> runs, const VersionScanOptions& options)
      : runs_(std::move(runs)), at_(options.at), timestamps_(options.timestamps) {
    choose();
  }

  Status next(KeyValueBatch& batch, std::size_t entries_max) override {
    ScannedRows rows(batch, timestamps_);
    while (rows.size() < entries_max && current_ != nullptr) {
      PANDO_TRY(take(current_->entry(), rows));
      PANDO_TRY(current_->next());
      if (!current_->valid() ||
          (other_ != nullptr && compare_versioned_keys(current_->entry().key, other_->entry().key) >= 0)) {
        choose();
      }
    }
    return Status();
  }
  bool met_newer() const override { return met_newer_; }

 private:
  Status take(const Entry& entry, ScannedRows& rows) {
    ByteView key;
    HlcTimestamp timestamp;
    if (!split_version_key(entry.key, key, timestamp)) {
      return malformed();
    }
    if (timestamp > at_) {
      met_newer_ = true;
      return Status();
    }
    if (finished_ && key == key_) {
      return Status();
    }
    if (entry.deletion) {
      erased_.assign(entry.key);
      return Status();
    }
    if (!erased_.empty()) {
      if (erased_ == entry.key) {
        return Status();
      }
      erased_.clear();
    }
    if (entry.value.empty()) {
      return malformed();
    }
    key_.assign(key);
    finished_ = true;
    if (entry.value.front() != kTombstoneTag) {
      rows.append(key, timestamp, entry.value.substr(1));
    }
    return Status();
  }

  // With equal keys the newer write comes first.
  static bool before(const Run& a, const Run& b) {
    const int order = compare_versioned_keys(a.entry().key, b.entry().key);
    return order < 0 || (order == 0 && a.entry().sequence > b.entry().sequence);
  }

  // Finds the run with the first entry, and the one after it, up to whose entry the first can go on unasked.
  void choose() {
    current_ = nullptr;
    other_ = nullptr;
    for (const auto& run : runs_) {
      if (!run->valid()) {
        continue;
      }
      if (current_ == nullptr) {
        current_ = run.get();
      } else if (before(*run, *current_)) {
        other_ = std::exchange(current_, run.get());
      } else if (other_ == nullptr || before(*run, *other_)) {
        other_ = run.get();
      }
    }
  }

  std::vector<std::unique_ptr<Run>> runs_;
  const HlcTimestamp at_;
  std::vector<HlcTimestamp>* const timestamps_;
  Run* current_ = nullptr;
  Run* other_ = nullptr;
  // The last key whose visible version was seen.
  Bytes key_;
  bool finished_ = false;
  bool met_newer_ = false;
  // The last versioned key that was deleted.
  Bytes erased_;
};

bool overlaps(const rocksdb::SstFileMetaData& file, ByteView start, ByteView end) {
  return compare_versioned_keys(file.largestkey, start) >= 0 && compare_versioned_keys(file.smallestkey, end) < 0;
}

constexpr const char* kTakenInProperty = "rocksdb.external_sst_file.version";

Status needs_iterator(const std::string& path) {
  return {sql_state::kFeatureNotSupported, "file \"{}\" needs RocksDB's iterator", path};
}

// The properties of the span's files, by path, if all of them can be read without RocksDB.
Result<rocksdb::TablePropertiesCollection> check_properties(const TableScanContext& context, ByteView start,
                                                            ByteView end) {
  const rocksdb::Range range(slice(start), slice(end));
  rocksdb::TablePropertiesCollection all;
  PANDO_TRY(status_of(context.db->GetPropertiesOfTablesInRange(context.db->DefaultColumnFamily(), &range, 1, &all)));
  for (const auto& [path, properties] : all) {
    if (properties->index_key_is_user_key != 1 || properties->index_value_is_delta_encoded != 1) {
      return needs_iterator(path);
    }
  }
  return all;
}

// The files that hold keys of the span, by their smallest keys. Fails with 58P01 when a flush or compaction was faster:
// a file is gone, or one has come whose properties were not looked at.
Result<std::vector<OpenFile>> open_files(const TableScanContext& context, ByteView start, ByteView end) {
  PANDO_ASSIGN(const auto properties, check_properties(context, start, end));
  rocksdb::ColumnFamilyMetaData metadata;
  context.db->GetColumnFamilyMetaData(context.db->DefaultColumnFamily(), &metadata);
  const uint64_t sequence_max = context.snapshot == nullptr ? UINT64_MAX : context.snapshot->GetSequenceNumber();
  std::vector<OpenFile> files;
  for (const auto& level : metadata.levels) {
    for (const auto& file : level.files) {
      if (!overlaps(file, start, end) || file.smallest_seqno > sequence_max) {
        continue;
      }
      const Bytes path = file.directory + "/" + file.relative_filename;
      const auto known = properties.find(path);
      if (known == properties.end()) {
        return Status(sql_state::kUndefinedFile, "file \"{}\" is new", path);
      }
      PANDO_ASSIGN(auto opened, TableFile::open(path, file.file_number, context.cache));
      if (known->second->num_range_deletions > 0) {
        PANDO_ASSIGN(const auto deleted, opened->range_deletions());
        if (std::ranges::any_of(deleted, [&](const KeySpan& span) {
              return compare_versioned_keys(span.start, end) < 0 && compare_versioned_keys(span.end, start) > 0;
            })) {
          return needs_iterator(path);
        }
      }
      // The manifest has its number until a compaction writes it anew, without the property.
      const bool taken_in = known->second->user_collected_properties.contains(kTakenInProperty);
      files.push_back({.smallest = file.smallestkey,
                       .largest = file.largestkey,
                       .sequence = taken_in ? std::optional<uint64_t>(file.smallest_seqno) : std::nullopt,
                       .file = std::move(opened)});
    }
  }
  std::ranges::sort(
      files, [](const OpenFile& a, const OpenFile& b) { return compare_versioned_keys(a.smallest, b.smallest) < 0; });
  return files;
}

// Deals the files into as few runs as their overlaps allow.
std::vector<std::vector<OpenFile>> deal(std::vector<OpenFile> files) {
  std::vector<std::vector<OpenFile>> runs;
  std::vector<Bytes> ends;
  for (OpenFile& file : files) {
    const auto fitting =
        std::ranges::find_if(ends, [&](const Bytes& end) { return compare_versioned_keys(end, file.smallest) < 0; });
    if (fitting == ends.end()) {
      ends.push_back(file.largest);
      runs.emplace_back();
      runs.back().push_back(std::move(file));
    } else {
      *fitting = file.largest;
      runs[static_cast<std::size_t>(fitting - ends.begin())].push_back(std::move(file));
    }
  }
  return runs;
}

// open_files, again while flushes and compactions are faster.
Result<std::vector<OpenFile>> open_files_settled(const TableScanContext& context, ByteView start, ByteView end) {
  Result<std::vector<OpenFile>> files = std::vector<OpenFile>();
  for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
    files = open_files(context, start, end);
    if (!files.status().is(sql_state::kUndefinedFile)) {
      return files;
    }
  }
  return Status(sql_state::kFeatureNotSupported, "files change too fast: {}", files.status().message());
}

}  // namespace

Result<std::unique_ptr<VersionScan>> open_table_scan(const TableScanContext& context, VersionScanOptions options) {
  PANDO_ASSERT(!options.reverse, "table scans go forward");
  const Bytes start = stored_bound(kVersionSpace, options.span.start);
  const Bytes end = stored_end(kVersionSpace, options.span.end);
  std::vector<std::unique_ptr<Run>> runs;
  // Before the files are listed: what is flushed in between is then seen twice, never missed.
  runs.push_back(std::make_unique<MemtableRun>(context, start, end));
  PANDO_ASSIGN(auto files, open_files_settled(context, start, end));
  const uint64_t sequence_max = context.snapshot == nullptr ? UINT64_MAX : context.snapshot->GetSequenceNumber();
  for (auto& run : deal(std::move(files))) {
    auto opened = std::make_unique<FileRun>(std::move(run), start, end, sequence_max);
    PANDO_TRY(opened->begin());
    runs.push_back(std::move(opened));
  }
  return std::unique_ptr<VersionScan>(std::make_unique<TableScan>(std::move(runs), options));
}

Result<std::vector<Bytes>> split_table_keys(const TableScanContext& context, const KeySpan& span, std::size_t pieces) {
  const Bytes start = stored_bound(kVersionSpace, span.start);
  const Bytes end = stored_end(kVersionSpace, span.end);
  PANDO_ASSIGN(const auto files, open_files_settled(context, start, end));
  std::vector<ByteView> separators;
  for (const OpenFile& file : files) {
    for (const TableFile::Block& block : file.file->blocks()) {
      if (compare_versioned_keys(block.separator, start) > 0 && compare_versioned_keys(block.separator, end) < 0) {
        separators.push_back(block.separator);
      }
    }
  }
  std::ranges::sort(separators, [](ByteView a, ByteView b) { return compare_versioned_keys(a, b) < 0; });
  std::vector<Bytes> keys;
  for (std::size_t piece = 1; piece < pieces && separators.size() > pieces; ++piece) {
    ByteView key;
    HlcTimestamp timestamp;
    if (!split_version_key(separators[piece * separators.size() / pieces], key, timestamp)) {
      return malformed();
    }
    if (key > span.start && (keys.empty() || key > keys.back())) {
      keys.emplace_back(key);
    }
  }
  return keys;
}

}  // namespace pando::storage
