#pragma once

// KvStore: txn::Store on one node: an engine for the state, the journal for durability, shards over the key space.
//
//   FlushRelay relay;
//   auto engine = open_rocksdb_engine({..., .on_flushed = relay.callback()});
//   PANDO_CO_ASSIGN(auto store, co_await KvStore::open(options, {engine, disk, writer, clock, timer, relay},
//   executor)); auto transaction = store->begin({.executor = &worker});
//   ...
//   co_await store->close(executor);
//
// open() replays what the journal holds beyond the engine's applied indexes, so every acknowledged commit is there and
// no part of any other. One store per directory. Thread-safe; transactions end before close().

#include <memory>
#include <optional>

#include "kv/cache_upkeep.h"
#include "kv/committer.h"
#include "kv/flush_relay.h"
#include "kv/run_files.h"
#include "txn/lock_table.h"
#include "txn/transaction.h"

namespace pando::kv {

struct KvOptions {
  storage::JournalOptions journal;
  std::size_t record_cache_bytes = 128_MiB;
  // What a transaction's writes may take in memory: at the first limit they begin to move into sorted runs, where the
  // engine has such; at the second it fails.
  std::size_t spill_bytes = 16_MiB;
  std::size_t transaction_bytes_max = 448_MiB;
  std::size_t recent_writes_bytes_max = 64_MiB;
  // For how long a version is kept after a newer one has hidden it, for reads of the past.
  std::chrono::nanoseconds history{0};
  // How often the engine learns which versions nobody can see any more.
  std::chrono::milliseconds garbage_interval{1000};
  // Where a new store is split into shards; an existing one keeps its own.
  std::vector<Bytes> initial_splits;
};

// What a store runs on; all of it outlives the store.
struct KvEnvironment {
  storage::Engine& engine;
  runtime::Disk& disk;
  // Runs the journal's file work.
  runtime::Executor& journal_writer;
  runtime::Clock& clock;
  runtime::Timer& timer;
  FlushRelay& flushes;
  // Runs what takes long and blocks: spilling and applying bulk commits. Null: whoever waits for it does it. Stopped
  // before the store is closed.
  runtime::Executor* background = nullptr;
  // Runs what nobody waits for: the upkeep of the record cache. Null: nothing comes into it unasked. Stopped before the
  // store is closed.
  runtime::Executor* upkeep = nullptr;
};

struct KvStatistics {
  CommitterStatistics committer;
  RecordCacheStatistics cache;
  txn::LockTable::Counts locks;
  std::size_t snapshots = 0;
  uint64_t replayed_entries = 0;
};

class KvStore final : public txn::Store {
 public:
  // Resumes on `executor`. Errors: those of the engine and the journal; XX001 when their contents do not fit together.
  static Task<Result<std::unique_ptr<KvStore>>> open(KvOptions options, KvEnvironment environment,
                                                     runtime::Executor& executor);
  // REQUIRES: close() has returned.
  ~KvStore() override;

  std::unique_ptr<txn::Transaction> begin(txn::TransactionOptions options) override;
  void discard(txn::Span span) override;
  Status collect_garbage(txn::Span span) override;
  uint64_t approximate_bytes(txn::Span span) override;

  // Ends the work on KvEnvironment::upkeep; to be called before that executor stops.
  void stop_upkeep();
  // Stops the background work, makes the engine durable, so that the next open has nothing to replay, and closes the
  // journal. Resumes on `executor`. REQUIRES: transactions are gone, or at least will never run again, as when the
  // workers that they wait on have stopped.
  Task<Status> close(runtime::Executor& executor);

  KvStatistics statistics();
  std::vector<ShardDescriptor> shards();
  // One line per locked key, for pando.locks and tests.
  std::vector<std::string> describe_locks() { return locks_.describe(); }
  std::vector<txn::LockTable::Wait> lock_waits() { return locks_.waits(); }
  // Tells the engine now what it otherwise learns every garbage_interval.
  void advance_garbage_threshold();

  // --- for its transactions ---

  const KvOptions& options() const { return options_; }
  storage::Engine& engine() { return environment_.engine; }
  RecordCache& cache() { return cache_; }
  txn::LockTable& locks() { return locks_; }
  SnapshotRegistry& snapshots() { return snapshots_; }
  RunFiles& run_files() { return run_files_; }
  runtime::Executor* background() { return environment_.background; }
  Committer& committer() { return *committer_; }
  TransactionId next_transaction();
  // The oldest moment that transactions of the past may read, whether or not there was anything then.
  std::optional<HlcTimestamp> history_start() const;

  // Whether `key` has a version at or below `at`; fills `record` with the newest such.
  Result<bool> read(ByteView key, HlcTimestamp at, CachedRecord& record);
  // The same for the newest version, and only if it is in the record cache.
  bool read_cached(ByteView key, CachedRecord& record) { return cache_.get(key, record); }
  // Whether `key` has any version; fills in what the newest one is, without its value.
  Result<bool> newest(ByteView key, HlcTimestamp& timestamp, bool& tombstone);

 private:
  KvStore(KvOptions options, KvEnvironment environment, std::vector<ShardDescriptor> descriptors);

  Task<Status> recover();
  void start();
  void schedule_garbage_round();
  Result<bool> read_engine(ByteView key, CachedRecord& newest);

  const KvOptions options_;
  const KvEnvironment environment_;
  txn::LockTable locks_;
  SnapshotRegistry snapshots_;
  RecordCache cache_;
  CacheUpkeep upkeep_;
  RunFiles run_files_;
  TimestampOracle oracle_;
  Router router_;
  std::unique_ptr<storage::Journal> journal_;
  std::unique_ptr<Committer> committer_;
  uint64_t replayed_entries_ = 0;
  alignas(64) std::atomic<uint64_t> last_transaction_{0};
  Mutex timer_mutex_;
  bool closing_ PANDO_GUARDED_BY(timer_mutex_) = false;
  runtime::TimerId garbage_timer_ PANDO_GUARDED_BY(timer_mutex_) = 0;
};

}  // namespace pando::kv
