#include "kv/kv_store.h"

#include "kv/kv_transaction.h"
#include "kv/recovery.h"

namespace pando::kv {
namespace {

// How many keys one read of the engine brings into a cache with room, and how many versions it looks at for that.
// What less is discarded leaves the cache in time, unread; to look for it takes a walk through all of the cache.
constexpr uint64_t kForgottenBytesMin = 8_MiB;

// The descriptors of a store; written first when it is new.
Result<std::vector<ShardDescriptor>> load_or_create_descriptors(storage::Engine& engine,
                                                                const std::vector<Bytes>& splits) {
  PANDO_ASSIGN(auto descriptors, load_descriptors(engine));
  if (!descriptors.empty()) {
    return descriptors;
  }
  descriptors = initial_descriptors(splits);
  storage::WriteBatch batch;
  for (const ShardDescriptor& descriptor : descriptors) {
    batch.put(descriptor_key(descriptor.id), encode_descriptor(descriptor));
  }
  PANDO_TRY(engine.write(batch));
  PANDO_TRY(engine.flush());
  return descriptors;
}

}  // namespace

Task<Result<std::unique_ptr<KvStore>>> KvStore::open(KvOptions options, KvEnvironment environment,
                                                     runtime::Executor& executor) {
  PANDO_CO_ASSIGN(auto descriptors, load_or_create_descriptors(environment.engine, options.initial_splits));
  std::unique_ptr<KvStore> store(new KvStore(std::move(options), environment, std::move(descriptors)));
  const Status recovered = co_await store->recover();
  if (!recovered.ok()) {
    if (store->journal_ != nullptr) {
      co_await store->journal_->close(executor);
      store->journal_.reset();
    }
    co_return recovered;
  }
  store->start();
  co_return std::move(store);
}

KvStore::KvStore(KvOptions options, KvEnvironment environment, std::vector<ShardDescriptor> descriptors)
    : options_(std::move(options)),
      environment_(environment),
      locks_(&environment.timer),
      cache_(options_.record_cache_bytes),
      upkeep_(environment_.engine, cache_, environment_.upkeep),
      run_files_(environment.engine.runs()),
      oracle_(environment.clock),
      router_(std::move(descriptors)) {}

KvStore::~KvStore() { PANDO_ASSERT(journal_ == nullptr, "a store is closed before it is destroyed"); }

Task<Status> KvStore::recover() {
  PANDO_CO_ASSIGN(Recovery recovery, Recovery::start(environment_.engine, router_));
  PANDO_CO_ASSIGN(journal_, co_await storage::Journal::open(options_.journal, environment_.disk,
                                                            environment_.journal_writer, &recovery));
  PANDO_CO_TRY(recovery.finish());
  PANDO_CO_TRY(run_files_.open(environment_.engine));
  for (const auto& shard : router_.shards()) {
    PANDO_CO_ASSIGN(const uint64_t applied, environment_.engine.applied(shard->descriptor.id));
    shard->last_index = journal_->last_index(shard->descriptor.id);
    if (applied > shard->last_index) {
      co_return Status(sql_state::kDataCorrupted, "the journal ends with entry {} of shard {}, the engine has entry {}",
                       shard->last_index, shard->descriptor.id.number(), applied)
          .with_hint("The journal directory may not be the one that belongs to this data directory.");
    }
  }
  replayed_entries_ = recovery.replayed_entries();
  oracle_.observe(recovery.marks().timestamp);
  snapshots_.publish(recovery.marks().timestamp);
  last_transaction_ = recovery.marks().transaction.number();
  committer_ = std::make_unique<Committer>(Committer::Parts{.engine = environment_.engine,
                                                            .journal = *journal_,
                                                            .cache = cache_,
                                                            .upkeep = upkeep_,
                                                            .snapshots = snapshots_,
                                                            .oracle = oracle_,
                                                            .router = router_,
                                                            .timer = environment_.timer,
                                                            .writer = environment_.journal_writer,
                                                            .run_files = run_files_,
                                                            .background = environment_.background},
                                           recovery.marks(), options_.recent_writes_bytes_max);
  co_return Status();
}

void KvStore::start() {
  environment_.flushes.attach(journal_.get(), &run_files_);
  schedule_garbage_round();
}

std::unique_ptr<txn::Transaction> KvStore::begin(txn::TransactionOptions options) {
  PANDO_ASSERT(options.executor != nullptr, "a transaction needs an executor to continue on after a wait");
  return std::make_unique<KvTransaction>(*this, options, next_transaction());
}

TransactionId KvStore::next_transaction() {
  return TransactionId(last_transaction_.fetch_add(1, std::memory_order_relaxed) + 1);
}

void KvStore::discard(txn::Span span) {
  if (approximate_bytes(span) >= kForgottenBytesMin) {
    upkeep_.forget({span.start, span.end});
  }
  storage::WriteBatch batch;
  batch.erase_version_range(span.start, span.end);
  environment_.engine.write(batch).ignore("rows that nobody can name only take space until they are erased");
}

Status KvStore::collect_garbage(txn::Span span) {
  advance_garbage_threshold();
  return environment_.engine.collect_garbage({std::move(span.start), std::move(span.end)});
}

uint64_t KvStore::approximate_bytes(txn::Span span) {
  const auto bytes = environment_.engine.approximate_bytes({std::move(span.start), std::move(span.end)});
  return bytes.ok() ? *bytes : 0;
}

void KvStore::stop_upkeep() { upkeep_.stop(); }

Task<Status> KvStore::close(runtime::Executor& executor) {
  runtime::TimerId timer = 0;
  {
    MutexLock lock(timer_mutex_);
    closing_ = true;
    timer = garbage_timer_;
  }
  environment_.timer.cancel(timer);
  Status flushed = environment_.engine.flush();
  environment_.flushes.detach();
  co_await journal_->close(executor);
  // A commit that was on its way is durable or not, as the journal has it; the next open applies it.
  co_await committer_->stop(&executor);
  committer_.reset();
  journal_.reset();
  co_return flushed;
}

void KvStore::schedule_garbage_round() {
  MutexLock lock(timer_mutex_);
  if (!closing_) {
    garbage_timer_ = environment_.timer.schedule(options_.garbage_interval, [this] {
      advance_garbage_threshold();
      run_files_.remove_unneeded();
      schedule_garbage_round();
    });
  }
}

std::optional<HlcTimestamp> KvStore::history_start() const {
  if (options_.history.count() == 0) {
    return std::nullopt;
  }
  const uint64_t now_ns = environment_.clock.wall_ns();
  return HlcTimestamp{now_ns - std::min(now_ns, static_cast<uint64_t>(options_.history.count())), 0};
}

void KvStore::advance_garbage_threshold() {
  const HlcTimestamp floor = snapshots_.advance_floor(history_start().value_or(HlcTimestamp::max()));
  environment_.engine.set_garbage_threshold(floor);
}

Result<bool> KvStore::read(ByteView key, HlcTimestamp at, CachedRecord& record) {
  if (!cache_.get(key, record)) {
    PANDO_ASSIGN(const bool found, read_engine(key, record));
    if (!found) {
      return false;
    }
    if (RecordCache::takes(key, record.value)) {
      upkeep_.warm_behind(key);
    }
  }
  if (record.timestamp <= at) [[likely]] {
    return true;
  }
  storage::Version version;
  PANDO_ASSIGN(const bool found, environment_.engine.get_version(key, at, version));
  record = {.timestamp = version.timestamp, .tombstone = version.tombstone, .value = std::move(version.value)};
  return found;
}

Result<bool> KvStore::newest(ByteView key, HlcTimestamp& timestamp, bool& tombstone) {
  if (cache_.get_timestamp(key, timestamp, tombstone)) {
    return true;
  }
  CachedRecord record;
  PANDO_ASSIGN(const bool found, read_engine(key, record));
  timestamp = record.timestamp;
  tombstone = record.tombstone;
  return found;
}

// The newest version, which then is in the cache.
Result<bool> KvStore::read_engine(ByteView key, CachedRecord& newest) {
  const auto ticket = cache_.start_fill(key);
  storage::Version version;
  PANDO_ASSIGN(const bool found, environment_.engine.get_version(key, HlcTimestamp::max(), version));
  if (found) {
    cache_.fill(key, version.timestamp, version.tombstone, version.value, ticket);
    newest = {.timestamp = version.timestamp, .tombstone = version.tombstone, .value = std::move(version.value)};
  }
  return found;
}

KvStatistics KvStore::statistics() {
  return {.committer = committer_->statistics(),
          .cache = cache_.statistics(),
          .locks = locks_.counts(),
          .snapshots = snapshots_.active(),
          .replayed_entries = replayed_entries_};
}

std::vector<ShardDescriptor> KvStore::shards() {
  std::vector<ShardDescriptor> descriptors;
  for (const auto& shard : router_.shards()) {
    descriptors.push_back(shard->descriptor);
  }
  return descriptors;
}

}  // namespace pando::kv
