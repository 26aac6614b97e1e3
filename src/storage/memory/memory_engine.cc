#include "storage/memory/memory_engine.h"

#include <algorithm>

#include "base/codec.h"
#include "base/mutex.h"
#include "storage/memory/memory_runs.h"
#include "storage/memory/persistent_map.h"
#include "storage/mvcc.h"

namespace pando::storage {
namespace {

int compare_plain_keys(ByteView a, ByteView b) { return a.compare(b); }

// Everything the engine holds at one moment. Copying it is free.
struct State {
  PersistentMap plain{compare_plain_keys};
  PersistentMap versions{compare_versioned_keys};
};

bool before_end(ByteView key, ByteView end) { return end.empty() || key < end; }

class MemoryIterator final : public Iterator {
 public:
  MemoryIterator(PersistentMap map, KeySpan span)
      : map_(std::move(map)), span_(std::move(span)), walk_(map_.lower_bound(span_.start)) {}

  void seek(ByteView key) override { walk_ = map_.lower_bound(std::max(key, ByteView(span_.start))); }
  void seek_before(ByteView key) override {
    if (key.empty() || !before_end(key, span_.end)) {
      walk_ = span_.end.empty() ? map_.last() : map_.last_before(span_.end);
    } else {
      walk_ = map_.last_before(key);
    }
  }
  void next() override { walk_.next(); }
  void previous() override { walk_.previous(); }
  bool valid() const override {
    return walk_.valid() && walk_.key() >= span_.start && before_end(walk_.key(), span_.end);
  }
  ByteView key() const override { return walk_.key(); }
  ByteView value() const override { return walk_.value(); }
  Status status() const override { return Status(); }

 private:
  PersistentMap map_;
  KeySpan span_;
  PersistentMap::Walk walk_;
};

class MemoryVersionIterator final : public VersionIterator {
 public:
  MemoryVersionIterator(PersistentMap map, KeySpan span)
      : map_(std::move(map)), span_(std::move(span)), walk_(map_.last()) {
    seek(span_.start, HlcTimestamp::max());
  }

  void seek(ByteView key, HlcTimestamp at) override {
    const bool inside = key >= span_.start;
    walk_ =
        map_.lower_bound(encode_versioned_key(inside ? key : ByteView(span_.start), inside ? at : HlcTimestamp::max()));
    load();
  }
  void seek_before(ByteView key) override {
    const ByteView bound = key.empty() || !before_end(key, span_.end) ? ByteView(span_.end) : key;
    walk_ = bound.empty() ? map_.last() : map_.last_before(encode_versioned_key(bound, HlcTimestamp::max()));
    load();
    if (valid()) {
      seek(Bytes(key_), HlcTimestamp::max());
    }
  }
  void next() override {
    walk_.next();
    load();
  }
  bool valid() const override { return walk_.valid() && key_ >= span_.start && before_end(key_, span_.end); }
  ByteView key() const override { return key_; }
  HlcTimestamp timestamp() const override { return timestamp_; }
  bool tombstone() const override { return walk_.value().front() == kTombstoneTag; }
  ByteView value() const override { return walk_.value().substr(1); }
  Status status() const override { return Status(); }

 private:
  void load() {
    if (walk_.valid()) {
      const bool decoded = decode_versioned_key(walk_.key(), key_, timestamp_);
      PANDO_ASSERT(decoded, "the map holds versioned keys only");
    }
  }

  PersistentMap map_;
  KeySpan span_;
  PersistentMap::Walk walk_;
  ByteView key_;
  HlcTimestamp timestamp_;
};

// The reads of one State, shared by the engine and its snapshots.
Result<bool> get_plain(const State& state, ByteView key, Bytes& value) {
  const Bytes* found = state.plain.find(key);
  if (found == nullptr) {
    return false;
  }
  value.assign(*found);
  return true;
}

Result<bool> get_version_of(const State& state, ByteView key, HlcTimestamp at, Version& version) {
  const auto walk = state.versions.lower_bound(encode_versioned_key(key, at));
  ByteView found_key;
  if (!walk.valid() || !decode_versioned_key(walk.key(), found_key, version.timestamp) || found_key != key) {
    return false;
  }
  version.tombstone = walk.value().front() == kTombstoneTag;
  version.value.assign(walk.value().substr(1));
  return true;
}

std::unique_ptr<VersionIterator> iterate_versions_of(const State& state, KeySpan span) {
  return std::make_unique<MemoryVersionIterator>(state.versions, std::move(span));
}

std::unique_ptr<VersionScan> scan_versions_of(const State& state, VersionScanOptions options) {
  auto iterator = iterate_versions_of(state, options.span);
  return make_iterator_scan(std::move(iterator), std::move(options));
}

class MemorySnapshot final : public Snapshot {
 public:
  explicit MemorySnapshot(State state) : state_(std::move(state)) {}
  Result<bool> get(ByteView key, Bytes& value) const override { return get_plain(state_, key, value); }
  std::unique_ptr<Iterator> iterate(KeySpan span) const override {
    return std::make_unique<MemoryIterator>(state_.plain, std::move(span));
  }
  Result<bool> get_version(ByteView key, HlcTimestamp at, Version& version) const override {
    return get_version_of(state_, key, at, version);
  }
  std::unique_ptr<VersionIterator> iterate_versions(KeySpan span) const override {
    return iterate_versions_of(state_, std::move(span));
  }
  std::unique_ptr<VersionScan> scan_versions(VersionScanOptions options) const override {
    return scan_versions_of(state_, std::move(options));
  }

 private:
  State state_;
};

void apply(State& state, const WriteBatch::Change& change) {
  using Operation = WriteBatch::Operation;
  switch (change.operation) {
    case Operation::kPut:
      state.plain.put(change.key, change.value);
      return;
    case Operation::kErase:
      state.plain.erase(change.key);
      return;
    case Operation::kEraseRange:
      state.plain.erase_range(change.key, change.end);
      return;
    case Operation::kPutVersion: {
      Bytes value(1, kValueTag);
      value.append(change.value);
      state.versions.put(encode_versioned_key(change.key, change.timestamp), value);
      return;
    }
    case Operation::kPutTombstone:
      state.versions.put(encode_versioned_key(change.key, change.timestamp), ByteView(&kTombstoneTag, 1));
      return;
    case Operation::kEraseVersion:
      state.versions.erase(encode_versioned_key(change.key, change.timestamp));
      return;
    case Operation::kEraseVersionRange:
      state.versions.erase_range(encode_versioned_key(change.key, HlcTimestamp::max()),
                                 change.end.empty() ? Bytes() : encode_versioned_key(change.end, HlcTimestamp::max()));
      return;
  }
}

std::vector<AppliedIndex> applied_indexes(const State& state) {
  std::vector<AppliedIndex> all;
  const Bytes end = prefix_end(kAppliedKeyPrefix);
  for (auto walk = state.plain.lower_bound(kAppliedKeyPrefix); walk.valid() && walk.key() < end; walk.next()) {
    OrderedReader reader(walk.key().substr(kAppliedKeyPrefix.size()));
    uint64_t shard = 0;
    const bool read = reader.ordered_uint64(shard);
    PANDO_ASSERT(read, "a key that applied_key did not make");
    all.push_back({ShardId(shard), *decode_applied(walk.value())});
  }
  return all;
}

// Collects everything in one batch.
class MemoryImport final : public SpanImport {
 public:
  explicit MemoryImport(Engine& engine) : engine_(engine) {}

  Status put(ByteView key, ByteView value) override {
    added_.put(key, value);
    return Status();
  }
  Status put_version(ByteView key, HlcTimestamp timestamp, bool tombstone, ByteView value) override {
    if (tombstone) {
      added_.put_tombstone(key, timestamp);
    } else {
      added_.put_version(key, timestamp, value);
    }
    return Status();
  }
  Status finish(const std::vector<KeySpan>& plain, const std::vector<KeySpan>& versions) override {
    WriteBatch batch;
    for (const KeySpan& span : plain) {
      batch.erase_range(span.start, span.end);
    }
    for (const KeySpan& span : versions) {
      batch.erase_version_range(span.start, span.end);
    }
    batch.append(added_);
    PANDO_TRY(engine_.write(batch));
    return engine_.flush();
  }

 private:
  Engine& engine_;
  WriteBatch added_;
};

// What ingest() adds between two flushes.
constexpr std::size_t kIngestBatchBytes = 1_MiB;

class MemoryEngineImpl final : public MemoryEngine {
 public:
  MemoryEngineImpl(MemoryEngineOptions options, State state, std::shared_ptr<MemoryRuns> runs)
      : options_(std::move(options)), runs_(std::move(runs)), state_(state), flushed_(std::move(state)) {}

  Result<bool> get(ByteView key, Bytes& value) const override { return get_plain(state(), key, value); }
  std::unique_ptr<Iterator> iterate(KeySpan span) const override {
    return std::make_unique<MemoryIterator>(state().plain, std::move(span));
  }
  Result<bool> get_version(ByteView key, HlcTimestamp at, Version& version) const override {
    return get_version_of(state(), key, at, version);
  }
  std::unique_ptr<VersionIterator> iterate_versions(KeySpan span) const override {
    return iterate_versions_of(state(), std::move(span));
  }
  std::unique_ptr<VersionScan> scan_versions(VersionScanOptions options) const override {
    return scan_versions_of(state(), std::move(options));
  }

  Status write(const WriteBatch& batch) override PANDO_EXCLUDES(write_mutex_, state_mutex_) {
    bool full = false;
    {
      MutexLock write_lock(write_mutex_);
      State changed = state();
      ByteView rest = batch.bytes();
      for (WriteBatch::Change change; WriteBatch::next(rest, change);) {
        apply(changed, change);
      }
      unflushed_bytes_ += batch.bytes().size();
      full = unflushed_bytes_ >= options_.flush_bytes;
      publish(std::move(changed));
    }
    return full ? flush() : Status();
  }

  RunStore* runs() override { return runs_.get(); }
  Status ingest(std::span<IngestSource* const> sources, HlcTimestamp at) override {
    for (IngestSource* const source : sources) {
      PANDO_TRY(ingest_one(*source, at));
    }
    return {};
  }
  // So that tests split what they ingest.
  std::size_t ingest_threads() const override { return 2; }

  std::unique_ptr<Snapshot> snapshot() const override { return std::make_unique<MemorySnapshot>(state()); }

  Result<uint64_t> applied(ShardId shard) const override {
    const State current = state();
    const Bytes* value = current.plain.find(applied_key(shard));
    return value == nullptr ? Result<uint64_t>(uint64_t{0}) : decode_applied(*value);
  }

  Status flush() override PANDO_EXCLUDES(write_mutex_, state_mutex_) {
    std::vector<AppliedIndex> applied;
    {
      MutexLock write_lock(write_mutex_);
      flushed_ = state();
      unflushed_bytes_ = 0;
      ++flush_count_;
      applied = applied_indexes(flushed_);
    }
    if (options_.on_flushed) {
      options_.on_flushed(applied);
    }
    return Status();
  }

  Result<std::unique_ptr<SpanImport>> start_import() override {
    return std::unique_ptr<SpanImport>(std::make_unique<MemoryImport>(*this));
  }

  void set_garbage_threshold(HlcTimestamp threshold) override PANDO_EXCLUDES(write_mutex_) {
    MutexLock write_lock(write_mutex_);
    garbage_threshold_ = std::max(garbage_threshold_, threshold);
  }

  Status collect_garbage(KeySpan span) override PANDO_EXCLUDES(write_mutex_, state_mutex_) {
    MutexLock write_lock(write_mutex_);
    State changed = state();
    MemoryVersionIterator iterator(changed.versions, std::move(span));
    Bytes key;
    bool covered = false;
    for (bool first = true; iterator.valid(); iterator.next(), first = false) {
      if (first || iterator.key() != key) {
        key.assign(iterator.key());
        covered = false;
      }
      const bool old = iterator.timestamp() <= garbage_threshold_;
      if (covered || (old && iterator.tombstone())) {
        changed.versions.erase(encode_versioned_key(key, iterator.timestamp()));
      }
      covered = covered || old;
    }
    publish(std::move(changed));
    return Status();
  }

  Result<uint64_t> approximate_bytes(KeySpan span) const override {
    uint64_t bytes = 0;
    MemoryVersionIterator iterator(state().versions, std::move(span));
    for (; iterator.valid(); iterator.next()) {
      bytes += iterator.key().size() + kVersionSuffixBytes + iterator.value().size();
    }
    return bytes;
  }

  Result<std::vector<Bytes>> split_keys(KeySpan span, std::size_t pieces) const override {
    std::vector<Bytes> all;
    MemoryVersionIterator iterator(state().versions, std::move(span));
    for (; iterator.valid(); iterator.next()) {
      if (all.empty() || all.back() != iterator.key()) {
        all.emplace_back(iterator.key());
      }
    }
    std::vector<Bytes> keys;
    for (std::size_t piece = 1; piece < pieces && all.size() > pieces; ++piece) {
      keys.push_back(all[piece * all.size() / pieces]);
    }
    return keys;
  }

  EngineStatistics statistics() const override PANDO_EXCLUDES(write_mutex_, state_mutex_) {
    // The treap's nodes and entries besides the keys and values, whose sizes are not tracked.
    constexpr uint64_t kEntryBytes = 160;
    MutexLock write_lock(write_mutex_);
    const State current = state();
    EngineStatistics statistics;
    statistics.unflushed_bytes = unflushed_bytes_;
    statistics.stored_bytes = (current.plain.size() + current.versions.size()) * kEntryBytes;
    statistics.flush_count = flush_count_;
    return statistics;
  }

  std::unique_ptr<MemoryEngine> after_crash() const override PANDO_EXCLUDES(write_mutex_) {
    MutexLock write_lock(write_mutex_);
    return std::make_unique<MemoryEngineImpl>(options_, flushed_, runs_);
  }

 private:
  Status ingest_one(IngestSource& source, HlcTimestamp at) {
    while (source.valid()) {
      WriteBatch batch;
      while (source.valid() && batch.bytes().size() < kIngestBatchBytes) {
        if (const auto value = source.value()) {
          batch.put_version(source.key(), at, *value);
        } else {
          batch.put_tombstone(source.key(), at);
        }
        PANDO_TRY(source.next());
      }
      PANDO_TRY(write(batch));
      PANDO_TRY(flush());
    }
    return {};
  }
  State state() const PANDO_EXCLUDES(state_mutex_) {
    MutexLock lock(state_mutex_);
    return state_;
  }
  void publish(State changed) PANDO_REQUIRES(write_mutex_) PANDO_EXCLUDES(state_mutex_) {
    MutexLock lock(state_mutex_);
    std::swap(state_, changed);
  }

  const MemoryEngineOptions options_;
  const std::shared_ptr<MemoryRuns> runs_;
  // Writers go one at a time; readers only take state_mutex_, for as long as a copy takes.
  mutable Mutex write_mutex_ PANDO_ACQUIRED_BEFORE(state_mutex_);
  mutable Mutex state_mutex_;
  State state_ PANDO_GUARDED_BY(state_mutex_);
  State flushed_ PANDO_GUARDED_BY(write_mutex_);
  HlcTimestamp garbage_threshold_ PANDO_GUARDED_BY(write_mutex_);
  uint64_t unflushed_bytes_ PANDO_GUARDED_BY(write_mutex_) = 0;
  uint64_t flush_count_ PANDO_GUARDED_BY(write_mutex_) = 0;
};

}  // namespace

std::unique_ptr<MemoryEngine> open_memory_engine(MemoryEngineOptions options) {
  return std::make_unique<MemoryEngineImpl>(std::move(options), State(), std::make_shared<MemoryRuns>());
}

}  // namespace pando::storage
