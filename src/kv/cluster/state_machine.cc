// Leaseholder as the state machine of its node's replicas: what log entries do to the engine.

#include <algorithm>
#include <atomic>
#include <map>

#include "kv/cluster/guards.h"
#include "kv/cluster/leaseholder.h"
#include "kv/commit_record.h"

namespace pando::kv {
namespace {

// The keys of larger commits do not push others out of the cache: bulk loads are seldom read back at once.
constexpr std::size_t kCachedCommitBytesMax = 64_KiB;

// The plain key of the newest time that this node has seen, so that its clock does not fall behind what it has.
constexpr ByteView kClockKey{
    "\x03"
    "clock",
    6};

Bytes encode_moment(HlcTimestamp moment) {
  Bytes bytes;
  put_fixed64(bytes, moment.wall_ns);
  return bytes;
}

// To the first of those that fit into 64 bits which is not before `at`. REQUIRES: only one thread writes it.
void raise(std::atomic<uint64_t>& moment, HlcTimestamp at) {
  moment.store(std::max(moment.load(), at.logical == 0 ? at.wall_ns : at.wall_ns + 1));
}

}  // namespace

// One engine batch, and what memory has to follow once the engine has it.
class Leaseholder::Application {
 public:
  explicit Application(const storage::Engine& engine) : engine_(engine) {}

  Status add(const CommittedEntry& entry);
  storage::WriteBatch& batch() { return batch_; }

  struct Prepared {
    ShardId shard;
    PrepareEntry entry;
  };
  struct Resolved {
    ShardId shard;
    PreparedName name;
  };
  struct Committed {
    ShardId shard;
    TransactionId transaction;
    HlcTimestamp at;
    // Where its versions lie in the batch.
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::vector<Prepared> prepared;
  std::vector<Resolved> resolved;
  std::vector<Committed> committed;
  HlcTimestamp handed_over;

 private:
  Status add_commit(ShardId shard, ByteView payload, std::optional<HlcTimestamp> at);
  Status add_prepare(ShardId shard, ByteView payload);
  Status add_resolve(ShardId shard, ByteView payload);
  Status find_old_promise(ShardId shard, const ResolveEntry& entry, Bytes& key, std::optional<Bytes>& promised);
  // A plain key as the batch will leave it.
  Result<std::optional<Bytes>> get(const Bytes& key);
  void put(const Bytes& key, Bytes value);
  void erase(const Bytes& key);

  const storage::Engine& engine_;
  storage::WriteBatch batch_;
  std::map<Bytes, std::optional<Bytes>> written_;
};

Status Leaseholder::Application::add(const CommittedEntry& entry) {
  if (entry.handover) {
    ByteReader reader(entry.payload);
    uint64_t wall_ns = 0;
    if (reader.fixed64(wall_ns)) {
      handed_over = std::max(handed_over, HlcTimestamp{wall_ns, 0});
    }
    return {};
  }
  PANDO_ASSIGN(const PayloadKind kind, payload_kind(entry.payload));
  switch (kind) {
    case PayloadKind::kCommit:
      return add_commit(entry.shard, entry.payload, std::nullopt);
    case PayloadKind::kPrepare:
      return add_prepare(entry.shard, entry.payload);
    case PayloadKind::kResolve:
      return add_resolve(entry.shard, entry.payload);
    case PayloadKind::kForget: {
      PANDO_ASSIGN(const ForgetEntry forget, decode_forget(entry.payload));
      erase(outcome_key(forget.key, forget.transaction));
      return {};
    }
    case PayloadKind::kDiscard: {
      PANDO_ASSIGN(const txn::Span span, decode_discard(entry.payload));
      batch_.erase_version_range(span.start, span.end);
      return {};
    }
  }
  return {};
}

Status Leaseholder::Application::add_commit(ShardId shard, ByteView payload, std::optional<HlcTimestamp> at) {
  PANDO_ASSIGN(CommitRecord record, CommitRecord::decode(payload));
  Committed commit{.shard = shard, .transaction = record.transaction(), .at = at.value_or(record.timestamp())};
  commit.begin = batch_.bytes().size();
  for (CommitRecord::Change change; record.next(change);) {
    if (change.value.has_value()) {
      batch_.put_version(change.key, commit.at, *change.value);
    } else {
      batch_.put_tombstone(change.key, commit.at);
    }
  }
  commit.end = batch_.bytes().size();
  committed.push_back(commit);
  return {};
}

Status Leaseholder::Application::add_prepare(ShardId shard, ByteView payload) {
  PANDO_ASSIGN(PrepareEntry entry, decode_prepare(payload));
  PANDO_ASSIGN(const auto outcome, get(outcome_key(entry.key, entry.transaction)));
  if (outcome.has_value()) {
    // It was prevented before it came.
    return {};
  }
  put(prepared_key(shard, entry.transaction, entry.key), Bytes(payload));
  prepared.push_back({.shard = shard, .entry = std::move(entry)});
  return {};
}

Status Leaseholder::Application::add_resolve(ShardId shard, ByteView payload) {
  PANDO_ASSIGN(const ResolveEntry entry, decode_resolve(payload));
  const Bytes outcome = outcome_key(entry.key, entry.transaction);
  PANDO_ASSIGN(const auto known, get(outcome));
  if (known.has_value()) {
    return {};
  }
  Bytes key = prepared_key(shard, entry.transaction, entry.key);
  PANDO_ASSIGN(auto promised, get(key));
  if (!promised.has_value()) {
    PANDO_TRY(find_old_promise(shard, entry, key, promised));
  }
  if (promised.has_value()) {
    PANDO_ASSIGN(const PrepareEntry prepare, decode_prepare(*promised));
    if (entry.committed && !prepare.commit.empty()) {
      PANDO_TRY(add_commit(shard, prepare.commit, entry.at));
    }
    erase(key);
    resolved.push_back({.shard = shard, .name = {entry.transaction, entry.key}});
  }
  put(outcome, encode_outcome({.committed = entry.committed, .at = entry.at, .participants = entry.participants}));
  return {};
}

// As nodes stored it that let a shard be only one participant.
Status Leaseholder::Application::find_old_promise(ShardId shard, const ResolveEntry& entry, Bytes& key,
                                                  std::optional<Bytes>& promised) {
  const Bytes old_key = prepared_key(shard, entry.transaction, {});
  PANDO_ASSIGN(auto found, get(old_key));
  if (found.has_value()) {
    PANDO_ASSIGN(const PrepareEntry prepare, decode_prepare(*found));
    if (prepare.key == entry.key) {
      key = old_key;
      promised = std::move(found);
    }
  }
  return {};
}

Result<std::optional<Bytes>> Leaseholder::Application::get(const Bytes& key) {
  if (const auto written = written_.find(key); written != written_.end()) {
    return written->second;
  }
  Bytes value;
  PANDO_ASSIGN(const bool found, engine_.get(key, value));
  return found ? std::optional(std::move(value)) : std::nullopt;
}

void Leaseholder::Application::put(const Bytes& key, Bytes value) {
  batch_.put(key, value);
  written_[key] = std::move(value);
}

void Leaseholder::Application::erase(const Bytes& key) {
  batch_.erase(key);
  written_[key].reset();
}

Status Leaseholder::apply(std::span<const CommittedEntry> entries, const storage::WriteBatch& changes) {
  Application application(parts_.engine);
  for (const CommittedEntry& entry : entries) {
    PANDO_TRY(application.add(entry));
  }
  const Bytes written = application.batch().bytes();
  application.batch().put(kClockKey, encode_moment(parts_.oracle.last()));
  application.batch().append(changes);
  PANDO_TRY(parts_.engine.write(application.batch()));
  parts_.oracle.observe(application.handed_over);
  for (const auto& commit : application.committed) {
    note_committed(commit.shard, commit.transaction, commit.at,
                   ByteView(written).substr(commit.begin, commit.end - commit.begin));
  }
  for (auto& prepared : application.prepared) {
    note_prepared(shard(prepared.shard), prepared.entry);
  }
  for (const auto& resolved : application.resolved) {
    note_resolved(shard(resolved.shard), resolved.name);
  }
  return {};
}

Status Leaseholder::open() {
  Bytes value;
  PANDO_ASSIGN(const bool found, parts_.engine.get(kClockKey, value));
  uint64_t wall_ns = 0;
  if (found && ByteReader(value).fixed64(wall_ns)) {
    parts_.oracle.observe({wall_ns, 0});
  }
  return {};
}

void Leaseholder::note_committed(ShardId id, TransactionId transaction, HlcTimestamp at, ByteView versions) {
  LedShard& led = shard(id);
  parts_.oracle.observe(at);
  bool is_led = false;
  {
    MutexLock lock(led.mutex);
    is_led = led.term != 0;
  }
  if (is_led) {
    raise(applied_, at);
  }
  const bool enters_cache = is_led && versions.size() <= kCachedCommitBytesMax;
  bool is_watched = false;
  storage::WriteBatch::Change change;
  while (storage::WriteBatch::next(versions, change)) {
    const bool tombstone = change.operation == storage::WriteBatch::Operation::kPutTombstone;
    parts_.cache.apply(change.key, change.timestamp, tombstone, change.value, enters_cache);
    is_watched = is_watched || (!watched_prefix_.empty() && change.key.starts_with(watched_prefix_));
  }
  recent_.add(transaction, at);
  if (is_watched) {
    raise(watched_change_, at);
  }
  MutexLock lock(led.mutex);
  led.applied = std::max(led.applied, at);
  led.watched = is_watched ? at : led.watched;
}

void Leaseholder::note_prepared(LedShard& led, const PrepareEntry& entry) {
  MutexLock lock(led.mutex);
  if (led.term != 0) {
    add_prepared(led, entry);
  }
}

void Leaseholder::add_prepared(LedShard& led, const PrepareEntry& entry) {
  auto keys = keys_of_commit(entry.commit);
  PANDO_ASSERT(keys.ok(), "an entry was checked before it was applied");
  PreparedWrite write{.at = entry.at,
                      .keys = *std::move(keys),
                      .participants = entry.participants,
                      .reads = entry.reads,
                      .is_long = entry.is_long,
                      .since_ns = parts_.clock.monotonic_ns()};
  const auto [place, added] =
      led.prepared.try_emplace({.transaction = entry.transaction, .participant = entry.key}, std::move(write));
  PANDO_ASSERT(added, "a participant is prepared once");
  led.add_writers(place->second.keys, {.at = entry.at, .transaction = entry.transaction, .prepared = true});
}

void Leaseholder::note_resolved(LedShard& led, const PreparedName& name) {
  MutexLock lock(led.mutex);
  const auto place = led.prepared.find(name);
  if (place == led.prepared.end()) {
    return;
  }
  led.remove_writers(place->second.keys, name.transaction, true);
  led.prepared.erase(place);
  led.wake_waiters();
}

Status Leaseholder::load_prepared(LedShard& led) {
  const Bytes prefix = prepared_prefix(led.id);
  auto records = parts_.engine.iterate({prefix, prefix_end(prefix)});
  for (records->seek(prefix); records->valid(); records->next()) {
    PANDO_ASSIGN(const PrepareEntry entry, decode_prepare(records->value()));
    add_prepared(led, entry);
  }
  return records->status();
}

// Another leaseholder may have given leases that this one does not know.
void Leaseholder::forget_guards(LedShard& led) {
  {
    MutexLock lock(led.mutex);
    if (guarded_prefix_.empty() || !led.contains(guarded_prefix_)) {
      return;
    }
  }
  MutexLock lock(guards_mutex_);
  forget_lost_excluders();
  guard_leases_.clear();
  guards_unknown_until_ns_ =
      parts_.clock.monotonic_ns() + 2 * static_cast<uint64_t>(std::chrono::nanoseconds(kGuardLease).count());
}

void Leaseholder::on_lease(ShardId id, const LeaseEvent& event) {
  LedShard& led = shard(id);
  forget_guards(led);
  MutexLock lock(led.mutex);
  for (const auto& [name, prepared] : led.prepared) {
    led.remove_writers(prepared.keys, name.transaction, true);
  }
  led.prepared.clear();
  led.term = 0;
  if (event.kind == LeaseEvent::Kind::kBegan) {
    led.term = event.term;
    led.lease_start = parts_.oracle.next();
    led.watched = led.lease_start;
    raise(applied_, led.lease_start);
    if (!event.resumed) {
      const auto offset_max_ns = static_cast<uint64_t>(options_.clock_offset_max.count());
      led.commits_from_ns = event.cooperative ? 0 : parts_.clock.monotonic_ns() + offset_max_ns;
    }
    const Status loaded = load_prepared(led);
    PANDO_ASSERT(loaded.ok(), "what this node wrote itself can be read");
  }
  led.wake_waiters();
}

void Leaseholder::on_shard(const ShardEvent& event) {
  LedShard& led = shard(event.descriptor.id);
  if (event.kind == ShardEvent::Kind::kReplaced) {
    parts_.cache.clear();
    recent_.skip({parts_.clock.wall_ns() + static_cast<uint64_t>(options_.clock_offset_max.count()), 0});
  }
  const bool grew = event.kind == ShardEvent::Kind::kChanged && !event.before.end.empty() &&
                    event.descriptor.contains(event.before.end);
  if (grew) {
    forget_guards(led);
  }
  {
    MutexLock lock(shards_mutex_);
    std::erase_if(by_start_, [&](const auto& entry) { return entry.second == &led; });
    if (event.kind != ShardEvent::Kind::kRemoved) {
      by_start_[event.descriptor.start] = &led;
    }
  }
  MutexLock lock(led.mutex);
  if (grew && led.term != 0) {
    // What came with the other shard was committed, and read, by whoever led that.
    led.lease_start = parts_.oracle.next();
    led.watched = led.lease_start;
    raise(applied_, led.lease_start);
  }
  led.generation = event.descriptor.generation;
  led.descriptor = event.descriptor;
  led.span = {event.descriptor.start, event.descriptor.end};
  if (event.kind == ShardEvent::Kind::kRemoved) {
    // Nothing is here any more.
    led.generation = 0;
    led.term = 0;
  }
  led.wake_waiters();
}

// Whoever leads next must commit after all that was read here.
Bytes Leaseholder::handover(ShardId) { return encode_moment(parts_.oracle.last()); }

}  // namespace pando::kv
