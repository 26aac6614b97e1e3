#include "storage/rocksdb/rocksdb_engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <thread>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>
#include <sys/resource.h>

#include "base/codec.h"
#include "base/mutex.h"
#include "storage/mvcc.h"
#include "storage/rocksdb/bulk_load.h"
#include "storage/rocksdb/garbage_filter.h"
#include "storage/rocksdb/retryable_files.h"
#include "storage/rocksdb/rocksdb_error.h"
#include "storage/rocksdb/rocksdb_import.h"
#include "storage/rocksdb/rocksdb_reads.h"
#include "storage/rocksdb/rocksdb_runs.h"
#include "storage/rocksdb/stored_key.h"
#include "storage/rocksdb/table_scan.h"
#include "storage/rocksdb/version_memtable.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace pando::storage {
namespace {

// Of the memtable's size.
constexpr double kMemtableBloomRatio = 0.1;

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
// Between attempts to go on after a failed flush or compaction.
constexpr uint64_t kRetryMicroseconds = 500000;
constexpr std::size_t kIngestThreadsMax = 8;
// Compactions get a tenth of the weight of what somebody waits for; flushes, which make room for writes, all of it.
constexpr int kCompactionNice = 10;
// Of housekeeping writes.
constexpr std::size_t kErasuresPerBatch = 1000;

// What RocksDB tells from its own threads.
class Listener final : public rocksdb::EventListener {
 public:
  using Callback = std::function<void()>;
  Listener(Callback flushed, Callback compacted, Erasures& erasures)
      : flushed_(std::move(flushed)), compacted_(std::move(compacted)), erasures_(erasures) {}

  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo& info) override {
    erasures_.note_flushed(info.largest_seqno);
    flush_count_.fetch_add(1, std::memory_order_relaxed);
    flushed_();
    MutexLock lock(mutex_);
    news_.notify_all();
  }
  void OnCompactionBegin(rocksdb::DB* db, const rocksdb::CompactionJobInfo& info) override {
    // Of this thread alone, on Linux.
    ::setpriority(PRIO_PROCESS, 0, compaction_nice_);
  }
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo& info) override { compacted_(); }
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
    MutexLock lock(mutex_);
    error_ = *status;
    news_.notify_all();
  }
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    MutexLock lock(mutex_);
    error_ = info.new_bg_error;
  }

  // Waits for a flush or an error, but not long: news may have come just before.
  void wait_for_news() {
    MutexLock lock(mutex_);
    news_.wait_for(mutex_, std::chrono::milliseconds(10));
  }

  uint64_t flush_count() const { return flush_count_.load(std::memory_order_relaxed); }
  // OK, or why flushes or compactions fail at the moment.
  rocksdb::Status error() const {
    MutexLock lock(mutex_);
    return error_;
  }

 private:
  const Callback flushed_;
  const Callback compacted_;
  const int compaction_nice_ = ::getpriority(PRIO_PROCESS, 0) + kCompactionNice;
  Erasures& erasures_;
  std::atomic<uint64_t> flush_count_{0};
  mutable Mutex mutex_;
  Condition news_;
  rocksdb::Status error_ PANDO_GUARDED_BY(mutex_);
};

rocksdb::BlockBasedTableOptions make_table_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  using Pinning = rocksdb::PinningTier;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = kBlockBytes;
  // What TableScan reads.
  table.format_version = 5;
  table.checksum = rocksdb::kCRC32c;
  table.index_block_restart_interval = 1;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  table.whole_key_filtering = false;
  // Counted in the cache, but never looked up there.
  table.cache_index_and_filter_blocks = true;
  table.metadata_cache_options = {Pinning::kAll, Pinning::kAll, Pinning::kAll};
  return table;
}

rocksdb::ColumnFamilyOptions make_family_options(const RocksDbOptions& options,
                                                 const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = options.memtable_bytes;
  family.max_write_buffer_number = kMemtablesMax;
  family.level_compaction_dynamic_level_bytes = true;
  family.compression = rocksdb::kLZ4Compression;
  family.bottommost_compression = rocksdb::kZSTD;
  family.target_file_size_base = kTableFileBytes;
  family.level0_slowdown_writes_trigger = kLevel0SlowdownFiles;
  family.level0_stop_writes_trigger = kLevel0StopFiles;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(make_table_options(cache)));
  return family;
}

rocksdb::DBOptions make_database_options(const RocksDbOptions& options, rocksdb::Env* env) {
  rocksdb::DBOptions database;
  database.env = env;
  database.create_if_missing = true;
  // What version_memtable.h asks for.
  database.allow_concurrent_memtable_write = false;
  // A clean stop calls flush(); a destructor must not take long.
  database.avoid_flush_during_shutdown = true;
  database.max_background_jobs = options.background_jobs;
  database.max_open_files = -1;
  database.info_log_level = rocksdb::WARN_LEVEL;
  database.max_log_file_size = kLogFileBytes;
  database.keep_log_file_num = kLogFilesMax;
  database.bgerror_resume_retry_interval = kRetryMicroseconds;
  return database;
}

class RocksDbSnapshot final : public Snapshot {
 public:
  explicit RocksDbSnapshot(const RocksDbReads::Source& source)
      : db_(*source.db), snapshot_(db_.GetSnapshot()), reads_(source, snapshot_) {}
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
        env_(rocksdb::NewCompositeEnv(
            make_retryable_files((options_.env != nullptr ? options_.env : rocksdb::Env::Default())->GetFileSystem()))),
        cache_(rocksdb::NewLRUCache(options_.block_cache_bytes)),
        garbage_(std::make_shared<GarbageThreshold>()),
        listener_(std::make_shared<Listener>([this] { report_flushed(); }, [this] { erase_noted_tombstones(); },
                                             erasures_)) {}

  ~RocksDbEngine() override {
    if (db_ != nullptr) {
      rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/true);
    }
  }
  RocksDbEngine(const RocksDbEngine&) = delete;
  RocksDbEngine& operator=(const RocksDbEngine&) = delete;

  Status open() {
    rocksdb::DBOptions database = make_database_options(options_, env_.get());
    database.listeners.push_back(listener_);
    rocksdb::ColumnFamilyOptions family = make_family_options(options_, cache_);
    family.comparator = versioned_comparator();
    family.prefix_extractor = make_version_prefix();
    family.memtable_factory = make_version_memtables();
    // Lets a read of a key that is not there end at the filter. Without it the memtable's iterator walks on to the next
    // key that is, past every row of a dropped table that lies between.
    family.memtable_prefix_bloom_size_ratio = kMemtableBloomRatio;
    family.compaction_filter_factory = make_garbage_filter_factory(garbage_);
    table_options_ = rocksdb::Options(database, family);
    rocksdb::DB* db = nullptr;
    PANDO_TRY(status_of(rocksdb::DB::Open(table_options_, options_.directory, &db)));
    db_.reset(db);
    PANDO_TRY(clean_imports(*db_));
    bulk_load_ = std::make_unique<BulkLoad>(*db_, table_options_, options_.directory);
    PANDO_ASSIGN(runs_, RocksDbRuns::open_directory(options_.directory + "/runs", table_options_));
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
  std::unique_ptr<Snapshot> snapshot() const override { return std::make_unique<RocksDbSnapshot>(source()); }

  Status write(const WriteBatch& batch) override {
    if (batch.bytes().size() >= options_.bulk_bytes_min && bulk_load_->add(batch)) {
      return write_plain(batch);
    }
    rocksdb::WriteBatch translated(batch.bytes().size() + kWriteBatchHeaderBytes);
    ByteView rest = batch.bytes();
    std::vector<KeySpan> erased;
    for (WriteBatch::Change change; WriteBatch::next(rest, change);) {
      if (change.operation == WriteBatch::Operation::kEraseVersion) {
        erased.push_back(
            {stored_bound(kVersionSpace, change.key), stored_bound(kVersionSpace, Bytes(change.key) + '\0')});
      } else if (change.operation == WriteBatch::Operation::kEraseVersionRange) {
        erased.push_back({stored_bound(kVersionSpace, change.key), stored_end(kVersionSpace, change.end)});
      }
      PANDO_TRY(status_of(translate(change, translated)));
    }
    return status_of(erased.empty() ? write_unless_stuck(translated) : write_erasures(translated, std::move(erased)));
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
    return status_of(db_->Flush(options));
  }

  Result<std::unique_ptr<SpanImport>> start_import() override {
    const uint64_t number = imports_.fetch_add(1, std::memory_order_relaxed);
    return open_import(*db_, number, [this](ByteView key) { note_shard(key); });
  }
  RunStore* runs() override { return runs_.get(); }
  Status ingest(std::span<IngestSource* const> sources, HlcTimestamp at) override {
    return runs_->ingest(*db_, sources, at);
  }
  std::size_t ingest_threads() const override {
    return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kIngestThreadsMax);
  }
  Status verify_checksums(const ProgressCallback& progress) const override;

  void set_garbage_threshold(HlcTimestamp threshold) override { garbage_->raise(threshold); }
  Status collect_garbage(KeySpan span) override;
  Result<uint64_t> approximate_bytes(KeySpan span) const override;
  Result<std::vector<Bytes>> split_keys(KeySpan span, std::size_t pieces) const override {
    return split_table_keys({db_.get(), nullptr, cache_}, span, pieces);
  }
  EngineStatistics statistics() const override;

 private:
  static constexpr std::size_t kWriteBatchHeaderBytes = 64;

  RocksDbReads::Source source() const { return {db_.get(), cache_, &erasures_}; }
  RocksDbReads reads() const { return {source(), nullptr}; }
  static rocksdb::WriteOptions write_options() {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    return options;
  }

  // Writes the plain keys of a batch whose versions are in already, and has them flushed: the applied index among them
  // must not lag behind for long, or a restart does all of it again.
  Status write_plain(const WriteBatch& batch);
  // Writes a batch that erases versions of these stored keys, so that scans know.
  rocksdb::Status write_erasures(rocksdb::WriteBatch& batch, std::vector<KeySpan> erased);
  // Waits while memtables are full, but not when they stay so because of an error.
  rocksdb::Status write_unless_stuck(rocksdb::WriteBatch& batch);
  rocksdb::Status translate(const WriteBatch::Change& change, rocksdb::WriteBatch& out);
  // Learns which shards have an applied index.
  Status load_shards() PANDO_EXCLUDES(shards_mutex_);
  void note_shard(ByteView key) PANDO_EXCLUDES(shards_mutex_);
  // --- on RocksDB's threads ---
  void report_flushed() PANDO_EXCLUDES(shards_mutex_);
  void erase_noted_tombstones();
  Status verify_live_files(const ProgressCallback& progress) const;
  // Erases what nobody at or above the threshold can see among the versions of `span`. Scans that read files need not
  // know of it: what goes is hidden by a newer version, or a tombstone that hides nothing but what goes with it.
  Status erase_garbage(const KeySpan& span, HlcTimestamp threshold, const rocksdb::WriteOptions& options);

  const RocksDbOptions options_;
  const std::unique_ptr<rocksdb::Env> env_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  const std::shared_ptr<GarbageThreshold> garbage_;
  Erasures erasures_;
  const std::shared_ptr<Listener> listener_;
  rocksdb::Options table_options_;
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<uint64_t> imports_{0};
  std::unique_ptr<BulkLoad> bulk_load_;
  std::unique_ptr<RocksDbRuns> runs_;
  Mutex shards_mutex_;
  std::set<ShardId> shards_ PANDO_GUARDED_BY(shards_mutex_);
};

Status RocksDbEngine::write_plain(const WriteBatch& batch) {
  rocksdb::WriteBatch translated;
  ByteView rest = batch.bytes();
  for (WriteBatch::Change change; WriteBatch::next(rest, change);) {
    if (change.operation == WriteBatch::Operation::kPut) {
      PANDO_TRY(status_of(translate(change, translated)));
    }
  }
  PANDO_TRY(status_of(write_unless_stuck(translated)));
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  db_->Flush(options).PermitUncheckedError();
  return {};
}

rocksdb::Status RocksDbEngine::write_erasures(rocksdb::WriteBatch& batch, std::vector<KeySpan> erased) {
  // Pending from before they are visible until they are flushed.
  const uint64_t erasure = erasures_.begin(std::move(erased));
  const rocksdb::Status status = write_unless_stuck(batch);
  erasures_.note_written(erasure, db_->GetLatestSequenceNumber());
  return status;
}

rocksdb::Status RocksDbEngine::write_unless_stuck(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options = write_options();
  options.no_slowdown = true;
  for (;;) {
    const rocksdb::Status status = db_->Write(options, &batch);
    if (!status.IsIncomplete()) {
      return status;
    }
    uint64_t stopped = 0;
    if (!db_->GetIntProperty(rocksdb::DB::Properties::kIsWriteStopped, &stopped) || stopped == 0) {
      return db_->Write(write_options(), &batch);  // Only slowed down.
    }
    // RocksDB itself would wait for room in the memtables as long as the error lasts.
    if (const rocksdb::Status error = listener_->error(); !error.ok()) {
      return error;
    }
    listener_->wait_for_news();
  }
}

rocksdb::Status RocksDbEngine::translate(const WriteBatch::Change& change, rocksdb::WriteBatch& out) {
  using Operation = WriteBatch::Operation;
  rocksdb::ColumnFamilyHandle* const family = db_->DefaultColumnFamily();
  Bytes suffix;
  append_version_suffix(suffix, change.timestamp);
  const std::array<rocksdb::Slice, 3> key{rocksdb::Slice(&kVersionSpace, 1), slice(change.key), slice(suffix)};
  const rocksdb::SliceParts key_parts(key.data(), static_cast<int>(key.size()));
  switch (change.operation) {
    case Operation::kPut:
      note_shard(change.key);
      return out.Put(stored_plain_key(change.key), slice(change.value));
    case Operation::kErase:
      return out.Delete(stored_plain_key(change.key));
    case Operation::kEraseRange:
      return out.DeleteRange(stored_plain_key(change.key), stored_end(kPlainSpace, change.end));
    case Operation::kPutVersion: {
      const std::array<rocksdb::Slice, 2> value{rocksdb::Slice(&kValueTag, 1), slice(change.value)};
      return out.Put(family, key_parts, rocksdb::SliceParts(value.data(), static_cast<int>(value.size())));
    }
    case Operation::kPutTombstone: {
      const rocksdb::Slice tag(&kTombstoneTag, 1);
      return out.Put(family, key_parts, rocksdb::SliceParts(&tag, 1));
    }
    case Operation::kEraseVersion:
      return out.Delete(family, key_parts);
    case Operation::kEraseVersionRange:
      return out.DeleteRange(stored_bound(kVersionSpace, change.key), stored_end(kVersionSpace, change.end));
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
    const rocksdb::Status status = db_->Get(durable_only, stored_plain_key(applied_key(shard)), &value);
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
  const auto write = [&] {
    return status_of(options.no_slowdown ? db_->Write(options, &erasures) : write_unless_stuck(erasures));
  };
  // All of a key's erasures go out together: a tombstone must not go before what it hides.
  for (bool first = true; iterator->valid(); iterator->next(), first = false) {
    if (first || iterator->key() != key) {
      if (erasures.Count() >= static_cast<int>(kErasuresPerBatch)) {
        PANDO_TRY(write());
        erasures.Clear();
      }
      key.assign(iterator->key());
      covered = false;
    }
    const bool old = iterator->timestamp() <= threshold;
    if (covered || (old && iterator->tombstone())) {
      PANDO_TRY(status_of(erasures.Delete(stored_key(kVersionSpace, key, iterator->timestamp()))));
    }
    covered = covered || old;
  }
  PANDO_TRY(iterator->status());
  return erasures.Count() == 0 ? Status() : write();
}

Status RocksDbEngine::collect_garbage(KeySpan span) {
  PANDO_TRY(erase_garbage(span, garbage_->get(), write_options()));
  // Every point read pays for range deletions in a memtable, and long scans go through RocksDB's iterator.
  return erasures_.any_pending() ? flush() : Status();
}

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

Status RocksDbEngine::verify_checksums(const ProgressCallback& progress) const {
  // A compaction would take away a file that is still to be read.
  PANDO_TRY(status_of(db_->DisableFileDeletions()));
  Status status = verify_live_files(progress);
  const Status allowed = status_of(db_->EnableFileDeletions(/*force=*/false));
  return status.ok() ? allowed : status;
}

Status RocksDbEngine::verify_live_files(const ProgressCallback& progress) const {
  std::vector<rocksdb::LiveFileMetaData> files;
  db_->GetLiveFilesMetaData(&files);
  uint64_t done = 0;
  uint64_t total = 0;
  for (const rocksdb::LiveFileMetaData& file : files) {
    total += file.size;
  }
  for (const rocksdb::LiveFileMetaData& file : files) {
    const std::string path = file.directory + "/" + file.relative_filename;
    rocksdb::SstFileReader reader(table_options_);
    rocksdb::Status status = reader.Open(path);
    if (status.ok()) {
      status = reader.VerifyChecksum();
    }
    if (!status.ok()) {
      return Status(status_of(status).code(), "file \"{}\": {}", path, status.ToString());
    }
    done += file.size;
    progress(done, total);
  }
  return {};
}

Result<uint64_t> RocksDbEngine::approximate_bytes(KeySpan span) const {
  const Bytes start = stored_bound(kVersionSpace, span.start);
  const Bytes end = stored_end(kVersionSpace, span.end);
  const rocksdb::Range range(start, end);
  rocksdb::SizeApproximationOptions options;
  options.include_memtables = true;
  options.include_files = true;
  uint64_t bytes = 0;
  PANDO_TRY(status_of(db_->GetApproximateSizes(options, db_->DefaultColumnFamily(), &range, 1, &bytes)));
  return bytes;
}

EngineStatistics RocksDbEngine::statistics() const {
  const auto number = [this](const rocksdb::Slice& property) {
    uint64_t value = 0;
    return db_->GetIntProperty(property, &value) ? value : 0;
  };
  using Properties = rocksdb::DB::Properties;
  EngineStatistics statistics;
  const bool anything = number(Properties::kNumEntriesActiveMemTable) + number(Properties::kNumEntriesImmMemTables) > 0;
  statistics.unflushed_bytes = anything ? number(Properties::kCurSizeAllMemTables) : 0;
  statistics.stored_bytes = number(Properties::kTotalSstFilesSize);
  statistics.flush_count = listener_->flush_count();
  statistics.compaction_pending_bytes = number(Properties::kEstimatePendingCompactionBytes);
  statistics.block_cache_bytes = cache_->GetUsage();
  statistics.write_error = status_of(listener_->error());
  return statistics;
}

}  // namespace

Result<std::unique_ptr<Engine>> open_rocksdb_engine(RocksDbOptions options) {
  auto engine = std::make_unique<RocksDbEngine>(std::move(options));
  PANDO_TRY(engine->open());
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace pando::storage
