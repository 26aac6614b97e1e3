#include "storage/rocksdb/rocksdb_runs.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include <rocksdb/sst_file_reader.h>

#include "storage/mvcc.h"
#include "storage/rocksdb/block_entries.h"
#include "storage/rocksdb/new_table.h"
#include "storage/rocksdb/rocksdb_error.h"
#include "storage/rocksdb/stored_key.h"
#include "storage/rocksdb/table_file.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace pando::storage {
namespace {

constexpr ByteView kRunSuffix = ".run";
constexpr ByteView kTableSuffix = ".ingest";
constexpr std::size_t kNumberDigits = 16;
// A table that is taken in ends when it is this large...
constexpr uint64_t kIngestTableBytes = 64_MiB;
// ... or where keys stop to agree in so many bytes, so that it does not span what lies between two tables of SQL.
constexpr std::size_t kIngestPrefixBytes = 8;

HlcTimestamp as_timestamp(uint64_t number) { return {.wall_ns = number, .logical = 0}; }

Status malformed(RunId id) {
  return Status(sql_state::kDataCorrupted, "sorted run {} holds a write that cannot be decoded", id.number());
}

// Reads the blocks itself: RocksDB's iterator takes longer for each entry than all else that is done with it.
class Iterator final : public RunIterator {
 public:
  Iterator(RunId id, const Bytes& path) : id_(id) {
    auto opened = TableFile::open_once(path);
    status_ = opened.status();
    if (status_.ok() && (*opened)->blocks().empty()) {
      status_ = malformed(id_);
    }
    if (status_.ok()) {
      file_ = *std::move(opened);
      enter(0);
      next();
    }
  }
  void seek(ByteView key) override { seek_stored(stored_bound(kVersionSpace, key)); }
  void seek_before(ByteView key) override {
    if (file_ == nullptr) {
      return;
    }
    // No write has the highest number, so what lies before this one belongs to a key before.
    const Bytes bound = key.empty() ? stored_end(kVersionSpace, {}) : stored_bound(kVersionSpace, key);
    std::size_t block = std::min(block_of(bound), blocks().size() - 1);
    Bytes last = last_before(block, bound);
    if (last.empty() && block > 0) {
      last = last_before(block - 1, bound);
    }
    valid_ = false;
    if (ByteView found; status_.ok() && !last.empty()) {
      HlcTimestamp timestamp;
      split_version_key(last, found, timestamp);
      seek(found);
    }
  }
  void next() override {
    while (entries_.at_end()) {
      if (!status_.ok() || block_ + 1 >= blocks().size()) {
        valid_ = false;
        return;
      }
      enter(block_ + 1);
    }
    load();
  }
  bool valid() const override { return valid_; }
  ByteView key() const override { return key_; }
  RunWrite write() const override { return write_; }
  Status status() const override { return status_; }

 private:
  const std::vector<TableFile::Block>& blocks() const { return file_->blocks(); }
  // The one that has the first key at or above `bound`, if any has.
  std::size_t block_of(ByteView bound) const {
    const auto found = std::ranges::partition_point(
        blocks(), [&](const TableFile::Block& block) { return compare_versioned_keys(block.separator, bound) < 0; });
    return static_cast<std::size_t>(found - blocks().begin());
  }

  // Before the first entry of a block.
  void enter(std::size_t block) {
    block_ = block;
    auto read = file_->read_block(block);
    status_ = read.status();
    if (status_.ok() && !entries_.start(*read)) {
      status_ = malformed(id_);
    }
    if (!status_.ok()) {
      entries_.start({});
    }
  }

  void load() {
    HlcTimestamp timestamp;
    valid_ = entries_.next() && split_version_key(entries_.key(), key_, timestamp) && !entries_.value().empty();
    if (!valid_) {
      status_ = malformed(id_);
      return;
    }
    const ByteView stored = entries_.value();
    write_.number = timestamp.wall_ns;
    write_.value = stored.front() == kTombstoneTag ? std::nullopt : std::optional(stored.substr(1));
  }

  void seek_stored(const Bytes& bound) {
    if (file_ == nullptr) {
      return;
    }
    const std::size_t block = block_of(bound);
    valid_ = block < blocks().size();
    if (!valid_) {
      return;
    }
    enter(block);
    next();
    while (valid_ && compare_versioned_keys(entries_.key(), bound) < 0) {
      next();
    }
  }

  // The last stored key of a block that is below `bound`; empty when there is none.
  Bytes last_before(std::size_t block, ByteView bound) {
    Bytes last;
    for (enter(block); status_.ok() && !entries_.at_end();) {
      if (!entries_.next()) {
        status_ = malformed(id_);
      } else if (compare_versioned_keys(entries_.key(), bound) < 0) {
        last.assign(entries_.key());
      } else {
        break;
      }
    }
    return last;
  }

  const RunId id_;
  std::unique_ptr<TableFile> file_;
  std::size_t block_ = 0;
  BlockEntries entries_;
  bool valid_ = false;
  ByteView key_;
  RunWrite write_;
  Status status_;
};

// The keys between blocks of about the same size.
std::vector<Bytes> split_blocks(const std::vector<TableFile::Block>& blocks, std::size_t pieces) {
  std::vector<Bytes> keys;
  for (std::size_t piece = 1; piece < pieces && blocks.size() > pieces; ++piece) {
    ByteView key;
    HlcTimestamp timestamp;
    if (split_version_key(blocks[piece * blocks.size() / pieces].separator, key, timestamp) &&
        (keys.empty() || key > keys.back())) {
      keys.emplace_back(key);
    }
  }
  return keys;
}

class Run final : public SortedRun {
 public:
  Run(RunId id, const rocksdb::Options& options, Bytes path) : id_(id), options_(options), path_(std::move(path)) {}

  // Fails when the file is not there.
  Status find() { return status_of(options_.env->GetFileSize(path_, &bytes_)); }
  RunId id() const override { return id_; }
  Result<bool> get(ByteView key, uint64_t number_max, std::optional<Bytes>& value) override {
    if (lookup_ == nullptr) {
      PANDO_TRY(open_lookup());
    }
    lookup_->Seek(stored_key(kVersionSpace, key, as_timestamp(number_max)));
    if (!lookup_->Valid()) {
      PANDO_TRY(status_of(lookup_->status()));
      return false;
    }
    ByteView found;
    HlcTimestamp timestamp;
    const ByteView stored = view(lookup_->value());
    if (!split_version_key(view(lookup_->key()), found, timestamp) || stored.empty()) {
      return malformed(id_);
    }
    if (found != key) {
      return false;
    }
    value = stored.front() == kTombstoneTag ? std::nullopt : std::optional<Bytes>(stored.substr(1));
    return true;
  }
  std::unique_ptr<RunIterator> iterate() override { return std::make_unique<Iterator>(id_, path_); }
  uint64_t bytes() const override { return bytes_; }
  std::vector<Bytes> split_keys(std::size_t pieces) const override {
    const auto file = TableFile::open_once(path_);
    return file.ok() ? split_blocks((*file)->blocks(), pieces) : std::vector<Bytes>();
  }

 private:
  Status open_lookup() {
    reader_ = std::make_unique<rocksdb::SstFileReader>(options_);
    PANDO_TRY(status_of(reader_->Open(path_)));
    rocksdb::ReadOptions options;
    // Lets the bloom filter, which holds keys without numbers, rule the file out.
    options.prefix_same_as_start = true;
    lookup_.reset(reader_->NewIterator(options));
    return {};
  }

  const RunId id_;
  const rocksdb::Options& options_;
  const Bytes path_;
  uint64_t bytes_ = 0;
  std::unique_ptr<rocksdb::SstFileReader> reader_;
  std::unique_ptr<rocksdb::Iterator> lookup_;
};

// A table file of RocksDB's under construction; removed unless it is finished.
class TableWriter {
 public:
  TableWriter(const rocksdb::Options& options, std::string path)
      : env_(*options.env), path_(std::move(path)), writer_(new_table_writer(options)) {}
  ~TableWriter() {
    if (!finished_) {
      // An unfinished file is found and removed when the engine opens, if not here.
      env_.DeleteFile(path_).PermitUncheckedError();
    }
  }
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  Status open() { return status_of(writer_->Open(path_)); }
  Status add(ByteView key, HlcTimestamp timestamp, std::optional<ByteView> value) {
    key_.assign(1, kVersionSpace);
    key_.append(key);
    append_version_suffix(key_, timestamp);
    value_.assign(1, value.has_value() ? kValueTag : kTombstoneTag);
    value_.append(value.value_or(ByteView()));
    return status_of(writer_->Put(slice(key_), slice(value_)));
  }
  uint64_t bytes() { return writer_->FileSize(); }
  // Syncs the file.
  Status finish() {
    PANDO_TRY(status_of(writer_->Finish()));
    finished_ = true;
    return {};
  }

 private:
  rocksdb::Env& env_;
  const std::string path_;
  const std::unique_ptr<rocksdb::SstFileWriter> writer_;
  // As they are stored.
  Bytes key_;
  Bytes value_;
  bool finished_ = false;
};

class RunWriter final : public SortedRunWriter {
 public:
  RunWriter(RunId id, const rocksdb::Options& options, Bytes directory, Bytes path)
      : id_(id), options_(options), directory_(std::move(directory)), path_(std::move(path)), table_(options, path_) {}

  Status open() { return table_.open(); }
  Status add(ByteView key, uint64_t number, std::optional<ByteView> value) override {
    return table_.add(key, as_timestamp(number), value);
  }
  Result<std::unique_ptr<SortedRun>> finish() override {
    PANDO_TRY(table_.finish());
    std::unique_ptr<rocksdb::Directory> directory;
    PANDO_TRY(status_of(options_.env->NewDirectory(directory_, &directory)));
    PANDO_TRY(status_of(directory->Fsync()));
    auto run = std::make_unique<Run>(id_, options_, path_);
    PANDO_TRY(run->find());
    return std::unique_ptr<SortedRun>(std::move(run));
  }

 private:
  const RunId id_;
  const rocksdb::Options& options_;
  const Bytes directory_;
  const Bytes path_;
  TableWriter table_;
};

std::optional<RunId> parse_run_name(ByteView name) {
  if (name.size() != kNumberDigits + kRunSuffix.size() || !name.ends_with(kRunSuffix)) {
    return std::nullopt;
  }
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kNumberDigits, number, 16);
  return error == std::errc() && end == name.data() + kNumberDigits ? std::optional(RunId(number)) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<RocksDbRuns>> RocksDbRuns::open_directory(Bytes directory, rocksdb::Options options) {
  // What is written here is read once or twice.
  options.bottommost_compression = rocksdb::kDisableCompressionOption;
  PANDO_TRY(status_of(options.env->CreateDirIfMissing(directory)));
  std::unique_ptr<RocksDbRuns> runs(new RocksDbRuns(std::move(directory), std::move(options)));
  std::vector<std::string> names;
  PANDO_TRY(status_of(runs->options_.env->GetChildren(runs->directory_, &names)));
  for (const std::string& name : names) {
    if (name.ends_with(kTableSuffix)) {
      PANDO_TRY(status_of(runs->options_.env->DeleteFile(runs->directory_ + "/" + name)));
    }
  }
  return runs;
}

Bytes RocksDbRuns::path(RunId id) const { return fmt::format("{}/{:016x}{}", directory_, id.number(), kRunSuffix); }

Result<std::unique_ptr<SortedRunWriter>> RocksDbRuns::create(RunId id) {
  auto writer = std::make_unique<RunWriter>(id, options_, directory_, path(id));
  PANDO_TRY(writer->open());
  return std::unique_ptr<SortedRunWriter>(std::move(writer));
}

Result<std::unique_ptr<SortedRun>> RocksDbRuns::open(RunId id) {
  if (options_.env->FileExists(path(id)).IsNotFound()) {
    return Status(sql_state::kUndefinedFile, "could not open file \"{}\": No such file or directory", path(id));
  }
  auto run = std::make_unique<Run>(id, options_, path(id));
  PANDO_TRY(run->find());
  return std::unique_ptr<SortedRun>(std::move(run));
}

Status RocksDbRuns::remove(RunId id) {
  const rocksdb::Status status = options_.env->DeleteFile(path(id));
  return status.IsNotFound() || status.IsPathNotFound() ? Status() : status_of(status);
}

Result<std::vector<RunId>> RocksDbRuns::list() {
  std::vector<std::string> names;
  PANDO_TRY(status_of(options_.env->GetChildren(directory_, &names)));
  std::vector<RunId> ids;
  for (const std::string& name : names) {
    if (const auto id = parse_run_name(name)) {
      ids.push_back(*id);
    }
  }
  std::ranges::sort(ids);
  return ids;
}

Status RocksDbRuns::ingest(rocksdb::DB& db, std::span<IngestSource* const> sources, HlcTimestamp at) {
  std::vector<Tables> all = write_all(sources, at);
  Status status;
  std::vector<std::string> paths;
  for (Tables& tables : all) {
    status = status.ok() ? std::move(tables.status) : std::move(status);
    paths.insert(paths.end(), tables.paths.begin(), tables.paths.end());
  }
  if (status.ok() && !paths.empty()) {
    rocksdb::IngestExternalFileOptions options;
    options.move_files = true;
    options.write_global_seqno = false;
    status = status_of(db.IngestExternalFile(db.DefaultColumnFamily(), paths, options));
  }
  for (const std::string& path : paths) {
    // Gone already when they were moved.
    options_.env->DeleteFile(path).PermitUncheckedError();
  }
  return status;
}

// The caller's thread takes the first source.
std::vector<RocksDbRuns::Tables> RocksDbRuns::write_all(std::span<IngestSource* const> sources, HlcTimestamp at) {
  std::vector<Tables> all(sources.size());
  const auto write = [&](std::size_t i) {
    all[i].name = fmt::format("{}/{}.{}-{}", directory_, at.wall_ns, at.logical, i);
    all[i].status = write_tables(*sources[i], at, all[i]);
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < sources.size(); ++i) {
    threads.emplace_back(write, i);
  }
  if (!sources.empty()) {
    write(0);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return all;
}

Status RocksDbRuns::write_tables(IngestSource& source, HlcTimestamp at, Tables& tables) {
  while (source.valid()) {
    tables.paths.push_back(fmt::format("{}-{}{}", tables.name, tables.paths.size(), kTableSuffix));
    PANDO_TRY(write_table(source, at, tables.paths.back()));
  }
  return {};
}

Status RocksDbRuns::write_table(IngestSource& source, HlcTimestamp at, const std::string& path) {
  TableWriter table(options_, path);
  PANDO_TRY(table.open());
  const Bytes prefix(source.key().substr(0, kIngestPrefixBytes));
  while (source.valid() && source.key().starts_with(prefix) && table.bytes() < kIngestTableBytes) {
    PANDO_TRY(table.add(source.key(), at, source.value()));
    PANDO_TRY(source.next());
  }
  return table.finish();
}

}  // namespace pando::storage
