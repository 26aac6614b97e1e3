#include "storage/rocksdb/rocksdb_engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <set>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/table.h>

#include "base/codec.h"
#include "base/mutex.h"
#include "storage/mvcc.h"
#include "storage/rocksdb/garbage_filter.h"
#include "storage/rocksdb/rocksdb_error.h"
#include "storage/rocksdb/rocksdb_reads.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace pando::storage {
namespace {

constexpr const char* kVersionsFamily = "versions";
constexpr double kBloomBitsPerKey = 10;
constexpr std::size_t kBlockBytes = 16_KiB;
// The newest memtable and those that wait to be flushed.
constexpr int kMemtablesMax = 6;
// Level-0 files at which RocksDB slows writes down and stops them: far, so that bursts pass.
constexpr int kLevel0SlowdownFiles = 32;
constexpr int kLevel0StopFiles = 64;
constexpr uint64_t kTableFileBytes = 64_MiB;
constexpr uint64_t kLogFileBytes = 4_MiB;
constexpr std::size_t kLogFilesMax = 4;
// Of housekeeping writes.
constexpr std::size_t kErasuresPerBatch = 1000;
// No key may begin with these bytes: where ranges without an end stop.
const Bytes kKeyLimit(16, '\xff');

// What RocksDB tells from its own threads.
class Listener final : public rocksdb::EventListener {
 public:
  using Callback = std::function<void()>;
  Listener(Callback flushed, Callback compacted) : flushed_(std::move(flushed)), compacted_(std::move(compacted)) {}

  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo& info) override {
    // All families are flushed together; one of them reports for all.
    if (info.cf_name == rocksdb::kDefaultColumnFamilyName) {
      flush_count_.fetch_add(1, std::memory_order_relaxed);
      flushed_();
    }
  }
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo& info) override { compacted_(); }
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
    MutexLock lock(mutex_);
    error_ = status->ToString();
  }
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    MutexLock lock(mutex_);
    error_ = info.new_bg_error.ok() ? std::string() : info.new_bg_error.ToString();
  }

  uint64_t flush_count() const { return flush_count_.load(std::memory_order_relaxed); }
  std::string error() const {
    MutexLock lock(mutex_);
    return error_;
  }

 private:
  const Callback flushed_;
  const Callback compacted_;
  std::atomic<uint64_t> flush_count_{0};
  mutable Mutex mutex_;
  std::string error_ PANDO_GUARDED_BY(mutex_);
};

rocksdb::BlockBasedTableOptions make_table_options(const std::shared_ptr<rocksdb::Cache>& cache, bool whole_keys) {
  using Pinning = rocksdb::PinningTier;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = kBlockBytes;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  table.whole_key_filtering = whole_keys;
  // Counted in the cache, but never looked up there.
  table.cache_index_and_filter_blocks = true;
  table.metadata_cache_options = {Pinning::kAll, Pinning::kAll, Pinning::kAll};
  return table;
}

rocksdb::ColumnFamilyOptions make_family_options(const RocksDbOptions& options,
                                                 const std::shared_ptr<rocksdb::Cache>& cache, bool whole_keys) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = options.memtable_bytes;
  family.max_write_buffer_number = kMemtablesMax;
  family.level_compaction_dynamic_level_bytes = true;
  family.compression = rocksdb::kLZ4Compression;
  family.bottommost_compression = rocksdb::kZSTD;
  family.target_file_size_base = kTableFileBytes;
  family.level0_slowdown_writes_trigger = kLevel0SlowdownFiles;
  family.level0_stop_writes_trigger = kLevel0StopFiles;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(make_table_options(cache, whole_keys)));
  return family;
}

rocksdb::DBOptions make_database_options(const RocksDbOptions& options) {
  rocksdb::DBOptions database;
  database.create_if_missing = true;
  database.create_missing_column_families = true;
  // All families are in the state of one moment after a crash, although there is no log.
  database.atomic_flush = true;
  // A clean stop calls flush(); a destructor must not take long.
  database.avoid_flush_during_shutdown = true;
  database.max_background_jobs = options.background_jobs;
  database.max_open_files = -1;
  database.info_log_level = rocksdb::WARN_LEVEL;
  database.max_log_file_size = kLogFileBytes;
  database.keep_log_file_num = kLogFilesMax;
  database.env = options.env != nullptr ? options.env : rocksdb::Env::Default();
  // Watches for room to come back after the disk was full, and resumes.
  database.sst_file_manager.reset(rocksdb::NewSstFileManager(database.env));
  return database;
}

class RocksDbSnapshot final : public Snapshot {
 public:
  RocksDbSnapshot(rocksdb::DB& db, rocksdb::ColumnFamilyHandle& plain, rocksdb::ColumnFamilyHandle& versions)
      : db_(db), snapshot_(db.GetSnapshot()), reads_(db, plain, versions, snapshot_) {}
  ~RocksDbSnapshot() override { db_.ReleaseSnapshot(snapshot_); }
  RocksDbSnapshot(const RocksDbSnapshot&) = delete;
  RocksDbSnapshot& operator=(const RocksDbSnapshot&) = delete;

  Result<bool> get(ByteView key, Bytes& value) const override { return reads_.get(key, value); }
  std::unique_ptr<Iterator> iterate(KeySpan span) const override { return reads_.iterate(std::move(span)); }
  Result<bool> get_version(ByteView key, HlcTimestamp at, Version& version) const override {
    return reads_.get_version(key, at, version);
  }
  std::unique_ptr<VersionIterator> iterate_versions(KeySpan span) const override {
    return reads_.iterate_versions(std::move(span));
  }
  std::unique_ptr<VersionScan> scan_versions(VersionScanOptions options) const override {
    return reads_.scan_versions(std::move(options));
  }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
  const RocksDbReads reads_;
};

class RocksDbEngine final : public Engine {
 public:
  explicit RocksDbEngine(RocksDbOptions options)
      : options_(std::move(options)),
        cache_(rocksdb::NewLRUCache(options_.block_cache_bytes)),
        garbage_(std::make_shared<GarbageThreshold>()),
        listener_(std::make_shared<Listener>([this] { report_flushed(); }, [this] { erase_noted_tombstones(); })) {}

  ~RocksDbEngine() override {
    if (db_ != nullptr) {
      rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/true);
      for (rocksdb::ColumnFamilyHandle* family : {plain_, versions_}) {
        status_of(db_->DestroyColumnFamilyHandle(family)).ignore("the database is closing");
      }
    }
  }
  RocksDbEngine(const RocksDbEngine&) = delete;
  RocksDbEngine& operator=(const RocksDbEngine&) = delete;

  Status open() {
    rocksdb::DBOptions database = make_database_options(options_);
    database.listeners.push_back(listener_);
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    families.emplace_back(rocksdb::kDefaultColumnFamilyName, make_family_options(options_, cache_, true));
    families.emplace_back(kVersionsFamily, make_family_options(options_, cache_, false));
    families[1].options.comparator = versioned_comparator();
    families[1].options.prefix_extractor = make_version_prefix();
    families[1].options.compaction_filter_factory = make_garbage_filter_factory(garbage_);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    PANDO_TRY(status_of(rocksdb::DB::Open(database, options_.directory, families, &handles, &db)));
    db_.reset(db);
    plain_ = handles[0];
    versions_ = handles[1];
    return load_shards();
  }

  Result<bool> get(ByteView key, Bytes& value) const override { return reads().get(key, value); }
  std::unique_ptr<Iterator> iterate(KeySpan span) const override { return reads().iterate(std::move(span)); }
  Result<bool> get_version(ByteView key, HlcTimestamp at, Version& version) const override {
    return reads().get_version(key, at, version);
  }
  std::unique_ptr<VersionIterator> iterate_versions(KeySpan span) const override {
    return reads().iterate_versions(std::move(span));
  }
  std::unique_ptr<VersionScan> scan_versions(VersionScanOptions options) const override {
    return reads().scan_versions(std::move(options));
  }
  std::unique_ptr<Snapshot> snapshot() const override {
    return std::make_unique<RocksDbSnapshot>(*db_, *plain_, *versions_);
  }

  Status write(const WriteBatch& batch) override {
    rocksdb::WriteBatch translated(batch.bytes().size() + kWriteBatchHeaderBytes);
    ByteView rest = batch.bytes();
    for (WriteBatch::Change change; WriteBatch::next(rest, change);) {
      PANDO_TRY(status_of(translate(change, translated)));
    }
    rocksdb::Status status = db_->Write(write_options(), &translated);
    if (status.IsIOError() && db_->Resume().ok()) {
      // An earlier background error had stopped the database; its cause is gone.
      status = db_->Write(write_options(), &translated);
    }
    return status_of(status);
  }

  Result<uint64_t> applied(ShardId shard) const override {
    Bytes value;
    PANDO_ASSIGN(const bool found, get(applied_key(shard), value));
    return found ? decode_applied(value) : Result<uint64_t>(uint64_t{0});
  }

  Status flush() override {
    rocksdb::FlushOptions options;
    options.wait = true;
    options.allow_write_stall = true;
    return status_of(db_->Flush(options, {plain_, versions_}));
  }

  void set_garbage_threshold(HlcTimestamp threshold) override { garbage_->raise(threshold); }
  Status collect_garbage(KeySpan span) override;
  Result<uint64_t> approximate_bytes(KeySpan span) const override;
  EngineStatistics statistics() const override;

 private:
  static constexpr std::size_t kWriteBatchHeaderBytes = 64;

  RocksDbReads reads() const { return {*db_, *plain_, *versions_, nullptr}; }
  static rocksdb::WriteOptions write_options() {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    return options;
  }

  rocksdb::Status translate(const WriteBatch::Change& change, rocksdb::WriteBatch& out);
  // Learns which shards have an applied index.
  Status load_shards() PANDO_EXCLUDES(shards_mutex_);
  void note_shard(ByteView key) PANDO_EXCLUDES(shards_mutex_);
  // --- on RocksDB's threads ---
  void report_flushed() PANDO_EXCLUDES(shards_mutex_);
  void erase_noted_tombstones();
  // Erases what nobody at or above the threshold can see among the versions of `span`.
  Status erase_garbage(const KeySpan& span, HlcTimestamp threshold, const rocksdb::WriteOptions& options);

  const RocksDbOptions options_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  const std::shared_ptr<GarbageThreshold> garbage_;
  const std::shared_ptr<Listener> listener_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* plain_ = nullptr;
  rocksdb::ColumnFamilyHandle* versions_ = nullptr;
  Mutex shards_mutex_;
  std::set<ShardId> shards_ PANDO_GUARDED_BY(shards_mutex_);
};

rocksdb::Status RocksDbEngine::translate(const WriteBatch::Change& change, rocksdb::WriteBatch& out) {
  using Operation = WriteBatch::Operation;
  Bytes suffix;
  append_version_suffix(suffix, change.timestamp);
  const std::array<rocksdb::Slice, 2> key{slice(change.key), slice(suffix)};
  const rocksdb::SliceParts key_parts(key.data(), static_cast<int>(key.size()));
  switch (change.operation) {
    case Operation::kPut:
      note_shard(change.key);
      return out.Put(plain_, slice(change.key), slice(change.value));
    case Operation::kErase:
      return out.Delete(plain_, slice(change.key));
    case Operation::kEraseRange:
      return out.DeleteRange(plain_, slice(change.key), slice(change.end.empty() ? ByteView(kKeyLimit) : change.end));
    case Operation::kPutVersion: {
      const std::array<rocksdb::Slice, 2> value{rocksdb::Slice(&kValueTag, 1), slice(change.value)};
      return out.Put(versions_, key_parts, rocksdb::SliceParts(value.data(), static_cast<int>(value.size())));
    }
    case Operation::kPutTombstone: {
      const rocksdb::Slice tag(&kTombstoneTag, 1);
      return out.Put(versions_, key_parts, rocksdb::SliceParts(&tag, 1));
    }
    case Operation::kEraseVersion:
      return out.Delete(versions_, key_parts);
    case Operation::kEraseVersionRange:
      return out.DeleteRange(
          versions_, encode_versioned_key(change.key, HlcTimestamp::max()),
          encode_versioned_key(change.end.empty() ? ByteView(kKeyLimit) : change.end, HlcTimestamp::max()));
  }
  PANDO_UNREACHABLE("a write batch operation");
}

Status RocksDbEngine::load_shards() {
  const auto iterator = iterate({Bytes(kAppliedKeyPrefix), prefix_end(kAppliedKeyPrefix)});
  for (; iterator->valid(); iterator->next()) {
    note_shard(iterator->key());
  }
  return iterator->status();
}

void RocksDbEngine::note_shard(ByteView key) {
  uint64_t shard = 0;
  if (!key.starts_with(kAppliedKeyPrefix)) {
    return;
  }
  OrderedReader reader(key.substr(kAppliedKeyPrefix.size()));
  if (reader.ordered_uint64(shard) && reader.empty()) {
    MutexLock lock(shards_mutex_);
    shards_.insert(ShardId(shard));
  }
}

void RocksDbEngine::report_flushed() {
  if (!options_.on_flushed || db_ == nullptr) {
    return;
  }
  std::set<ShardId> shards;
  {
    MutexLock lock(shards_mutex_);
    shards = shards_;
  }
  rocksdb::ReadOptions durable_only;
  durable_only.read_tier = rocksdb::kPersistedTier;
  std::vector<AppliedIndex> applied;
  for (const ShardId shard : shards) {
    std::string value;
    const rocksdb::Status status = db_->Get(durable_only, plain_, applied_key(shard), &value);
    if (auto index = decode_applied(value); status.ok() && index.ok()) {
      applied.push_back({shard, *index});
    }
  }
  options_.on_flushed(applied);
}

Status RocksDbEngine::erase_garbage(const KeySpan& span, HlcTimestamp threshold, const rocksdb::WriteOptions& options) {
  const auto iterator = iterate_versions(span);
  rocksdb::WriteBatch erasures;
  Bytes key;
  bool covered = false;
  // All of a key's erasures go out together: a tombstone must not go before what it hides.
  for (bool first = true; iterator->valid(); iterator->next(), first = false) {
    if (first || iterator->key() != key) {
      if (erasures.Count() >= static_cast<int>(kErasuresPerBatch)) {
        PANDO_TRY(status_of(db_->Write(options, &erasures)));
        erasures.Clear();
      }
      key.assign(iterator->key());
      covered = false;
    }
    const bool old = iterator->timestamp() <= threshold;
    if (covered || (old && iterator->tombstone())) {
      PANDO_TRY(status_of(erasures.Delete(versions_, encode_versioned_key(key, iterator->timestamp()))));
    }
    covered = covered || old;
  }
  PANDO_TRY(iterator->status());
  return erasures.Count() == 0 ? Status() : status_of(db_->Write(options, &erasures));
}

Status RocksDbEngine::collect_garbage(KeySpan span) { return erase_garbage(span, garbage_->get(), write_options()); }

void RocksDbEngine::erase_noted_tombstones() {
  const HlcTimestamp threshold = garbage_->get();
  rocksdb::WriteOptions options = write_options();
  // This thread is one of those that a stalled write would wait for.
  options.no_slowdown = true;
  for (const Bytes& key : garbage_->take_tombstones()) {
    Bytes after = key + '\0';
    if (!erase_garbage({key, std::move(after)}, threshold, options).ok()) {
      return;  // The next compaction notes the rest again.
    }
  }
}

Result<uint64_t> RocksDbEngine::approximate_bytes(KeySpan span) const {
  const Bytes start = encode_versioned_key(span.start, HlcTimestamp::max());
  const Bytes end = encode_versioned_key(span.end.empty() ? kKeyLimit : span.end, HlcTimestamp::max());
  const rocksdb::Range range(start, end);
  rocksdb::SizeApproximationOptions options;
  options.include_memtables = true;
  options.include_files = true;
  uint64_t bytes = 0;
  PANDO_TRY(status_of(db_->GetApproximateSizes(options, versions_, &range, 1, &bytes)));
  return bytes;
}

EngineStatistics RocksDbEngine::statistics() const {
  const auto sum = [this](const rocksdb::Slice& property) {
    uint64_t total = 0;
    for (rocksdb::ColumnFamilyHandle* family : {plain_, versions_}) {
      uint64_t value = 0;
      total += db_->GetIntProperty(family, property, &value) ? value : 0;
    }
    return total;
  };
  using Properties = rocksdb::DB::Properties;
  EngineStatistics statistics;
  const bool anything = sum(Properties::kNumEntriesActiveMemTable) + sum(Properties::kNumEntriesImmMemTables) > 0;
  statistics.unflushed_bytes = anything ? sum(Properties::kCurSizeAllMemTables) : 0;
  statistics.stored_bytes = sum(Properties::kTotalSstFilesSize);
  statistics.flush_count = listener_->flush_count();
  statistics.compaction_pending_bytes = sum(Properties::kEstimatePendingCompactionBytes);
  statistics.block_cache_bytes = cache_->GetUsage();
  statistics.write_error = listener_->error();
  return statistics;
}

}  // namespace

Result<std::unique_ptr<Engine>> open_rocksdb_engine(RocksDbOptions options) {
  auto engine = std::make_unique<RocksDbEngine>(std::move(options));
  PANDO_TRY(engine->open());
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace pando::storage
