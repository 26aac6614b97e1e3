#include "kv/committer.h"

#include <algorithm>

#include "txn/conflict_errors.h"

namespace pando::kv {
namespace {

constexpr std::chrono::milliseconds kEngineRetryDelay{100};
// A single voter is its own leader for ever.
constexpr uint64_t kOnlyTerm = 1;

}  // namespace

// Lives in the frame of commit(), until its event is set.
struct Committer::Commit {
  explicit Commit(const CommitRequest& request) : request(request), decided(*request.executor) {}

  struct Entry {
    Shard* shard;
    Bytes payload;
    uint64_t index = 0;
  };
  bool is_bulk() const { return request.parts != nullptr; }

  const CommitRequest request;
  std::vector<Entry> entries;
  HlcTimestamp timestamp;
  bool durable = false;
  Status status;
  runtime::Event decided;
};

Committer::Committer(Parts parts, HighWaterMarks marks, std::size_t recent_writes_bytes_max)
    : parts_(parts), recent_(recent_writes_bytes_max), applier_(parts.engine, &parts.cache, marks) {}

Committer::~Committer() = default;

Task<void> Committer::stop(runtime::Executor* executor) {
  std::optional<runtime::TimerId> retry;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    retry = retry_;
  }
  if (retry.has_value()) {
    parts_.timer.cancel(*retry);
  }
  // Behind what was begun on the writer.
  co_await runtime::yield_to(parts_.writer);
  co_await runtime::yield_to(*executor);
}

Task<Status> Committer::commit(CommitRequest request) {
  Commit commit(request);
  if (commit.is_bulk()) {
    encode_bulk(commit);
  } else {
    PANDO_ASSERT(!request.writes->empty(), "a transaction without writes has nothing to commit");
    encode(commit);
  }
  if (Status status = sequence(commit); !status.ok()) {
    if (commit.is_bulk()) {
      // No entry names them.
      for (const RunPart& part : *request.parts) {
        parts_.run_files.remove(part.run);
      }
    }
    co_return status;
  }
  co_await commit.decided.wait();
  co_return std::move(commit.status);
}

// One entry for each shard that is written; the writes come in key order.
void Committer::encode(Commit& commit) {
  auto walk = commit.request.writes->walk();
  while (walk.valid()) {
    Shard& shard = parts_.router.find(walk.write().key);
    CommitRecordBuilder builder(commit.request.transaction, shard.descriptor.generation,
                                commit.request.writes->bytes());
    for (; walk.valid() && shard.descriptor.contains(walk.write().key); walk.step()) {
      const auto write = walk.write();
      if (write.value.has_value()) {
        builder.put(write.key, *write.value);
      } else {
        builder.erase(write.key);
      }
    }
    commit.entries.push_back({.shard = &shard, .payload = std::move(builder).finish()});
  }
}

// The runs do not tell what lies in which shard, so all shards are told of them.
void Committer::encode_bulk(Commit& commit) {
  for (const auto& shard : parts_.router.shards()) {
    commit.entries.push_back({.shard = shard.get(),
                              .payload = encode_bulk_record(commit.request.transaction, shard->descriptor.generation,
                                                            *commit.request.parts)});
  }
}

bool Committer::unchanged_since(const txn::ReadSet& reads, HlcTimestamp snapshot) {
  MutexLock lock(mutex_);
  return recent_.unchanged_since(reads, snapshot);
}

Status Committer::sequence(Commit& commit) {
  MutexLock lock(mutex_);
  PANDO_TRY(journal_failure_);
  PANDO_TRY(engine_failure_);
  const CommitRequest& request = commit.request;
  if (request.reads != nullptr && !recent_.unchanged_since(*request.reads, request.snapshot)) {
    return txn::read_write_conflict();
  }
  commit.timestamp = parts_.oracle.next();
  storage::JournalBatch batch;
  for (Commit::Entry& entry : commit.entries) {
    set_commit_timestamp(entry.payload, commit.timestamp);
    entry.index = ++entry.shard->last_index;
    batch.entry(entry.shard->descriptor.id, entry.index, kOnlyTerm, entry.payload);
  }
  if (recent_.needed()) {
    record_writes(commit);
  }
  pending_.push_back(&commit);
  ++unanswered_;
  // Under the lock: the journal's order is the order of the timestamps.
  parts_.journal.append(std::move(batch),
                        [this, made = &commit](Status status) { on_journaled(made, std::move(status)); });
  return {};
}

void Committer::record_writes(const Commit& commit) {
  if (commit.is_bulk() && commit.request.keys == nullptr) {
    recent_.record_all(commit.timestamp);
    return;
  }
  if (commit.is_bulk()) {
    for (const Bytes& key : *commit.request.keys) {
      recent_.record(key, commit.timestamp);
    }
    return;
  }
  for (auto walk = commit.request.writes->walk(); walk.valid(); walk.step()) {
    recent_.record(walk.write().key, commit.timestamp);
  }
}

// On the journal's writer, in the order of appending.
void Committer::on_journaled(Commit* commit, Status status) {
  MutexLock lock(mutex_);
  --unanswered_;
  if (status.ok()) {
    commit->durable = true;
    parts_.run_files.note_durable();
    start_applying();
    return;
  }
  if (commit->is_bulk()) {
    parts_.run_files.keep_doubtful(*commit->request.parts);
  }
  if (journal_failure_.ok()) {
    journal_failure_ = std::move(status);
  }
  // What waited behind the failure failed because of it.
  commit->status = journal_failure_;
  pending_.erase(std::ranges::find(pending_, commit));
  resume_after_failure();
  commit->decided.set();
}

void Committer::resume_after_failure() {
  if (unanswered_ > 0) {
    return;
  }
  for (const auto& shard : parts_.router.shards()) {
    shard->last_index = parts_.journal.last_index(shard->descriptor.id);
  }
  journal_failure_ = Status();
}

void Committer::start_applying() {
  const bool ready = !pending_.empty() && pending_.front()->durable;
  if (ready && !applying_ && !stopped_ && engine_failure_.ok()) {
    applying_ = true;
    runtime::spawn(parts_.writer, apply_group());
  }
}

Task<void> Committer::apply_group() {
  if (unapplied_.empty()) {
    unapplied_ = take_durable();
    if (!unapplied_.front()->is_bulk()) {
      for (const Commit* commit : unapplied_) {
        for (const Commit::Entry& entry : commit->entries) {
          auto record = CommitRecord::decode(entry.payload);
          PANDO_ASSERT(record.ok(), "what was encoded here can be decoded here");
          applier_.add(entry.shard->descriptor.id, entry.index, *std::move(record));
        }
      }
    }
  }
  const bool bulk = unapplied_.front()->is_bulk();
  if (bulk && parts_.background != nullptr) {
    co_await runtime::yield_to(*parts_.background);
  }
  if (Status written = bulk ? apply_bulk(*unapplied_.front()) : applier_.write(); !written.ok()) {
    retry_later(std::move(written));
    co_return;
  }
  if (bulk) {
    // Makes the runs' space free at once. Before it is told: who hears of a commit finds nothing of it under way.
    parts_.engine.flush().ignore("the engine flushes again when it can");
    parts_.run_files.remove_unneeded();
  }
  std::vector<KeyRange> ingested = applier_.take_ingested();
  publish(std::exchange(unapplied_, {}));
  parts_.upkeep.warm(std::move(ingested));
}

Status Committer::apply_bulk(const Commit& commit) {
  std::vector<storage::AppliedIndex> applied;
  for (const Commit::Entry& entry : commit.entries) {
    const auto record = CommitRecord::decode(entry.payload);
    PANDO_ASSERT(record.ok(), "what was encoded here can be decoded here");
    PANDO_TRY(applier_.ingest(entry.shard->descriptor, entry.index, *record, commit.request.expected_reads));
    applied.push_back({entry.shard->descriptor.id, entry.index});
  }
  parts_.run_files.keep_until_flushed(*commit.request.parts, std::move(applied));
  return {};
}

std::vector<Committer::Commit*> Committer::take_durable() {
  MutexLock lock(mutex_);
  if (pending_.front()->is_bulk()) {
    return {pending_.front()};
  }
  const auto end =
      std::ranges::find_if(pending_, [](const Commit* commit) { return !commit->durable || commit->is_bulk(); });
  return {pending_.begin(), end};
}

void Committer::publish(const std::vector<Commit*>& group) {
  {
    MutexLock lock(mutex_);
    parts_.snapshots.publish(group.back()->timestamp);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(group.size()));
    statistics_.commits += group.size();
    ++statistics_.groups_applied;
    applying_ = false;
    start_applying();
  }
  for (Commit* commit : group) {
    commit->decided.set();
  }
}

void Committer::retry_later(Status why) {
  MutexLock lock(mutex_);
  engine_failure_ = std::move(why);
  retry_ = parts_.timer.schedule(kEngineRetryDelay, [this] {
    MutexLock retry_lock(mutex_);
    retry_.reset();
    engine_failure_ = Status();
    applying_ = false;
    start_applying();
  });
}

HlcTimestamp Committer::enter_serializable(SnapshotRegistry::Pin& pin) {
  MutexLock lock(mutex_);
  const bool recording = recent_.needed();
  const HlcTimestamp snapshot = pin.take();
  recent_.enter(snapshot);
  if (!recording) {
    // From here on sequence() records; these came before.
    for (const Commit* commit : pending_) {
      record_writes(*commit);
    }
  }
  return snapshot;
}

void Committer::leave_serializable(HlcTimestamp snapshot) {
  MutexLock lock(mutex_);
  recent_.leave(snapshot);
}

CommitterStatistics Committer::statistics() {
  MutexLock lock(mutex_);
  CommitterStatistics statistics = statistics_;
  statistics.pending = pending_.size();
  return statistics;
}

}  // namespace pando::kv
