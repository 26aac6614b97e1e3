#pragma once

// Committer: the one place where transactions become durable and visible, in one order.
//
//   sequence   under the lock: validate what a serializable transaction read, take the commit timestamp and the next
//              index of each shard written, and hand one journal batch over all of them to the journal
//   journal    one fdatasync makes it durable, together with everyone else's that waits (group commit)
//   apply      durable commits, in the order of their timestamps, go to the engine as one batch, on the journal's
//              writer before its next group: one thread less to wake, and a worker never stands still for the engine;
//              a bulk commit alone, in the background, and those behind it wait
//   publish    the visible moment moves past them, all at once, and their transactions are woken
//
// So a commit is visible to every snapshot taken after commit() has returned, and a snapshot never sees a later commit
// without an earlier one.
//
// Failure: when the journal cannot write, the commit fails with its error and nothing of it will be seen. When the
// engine cannot, the commit is durable already: it stays pending, with its locks, until the engine takes it, and new
// commits are refused with the engine's error meanwhile.
//
// Thread-safe. A commit waits on its transaction's executor.

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "kv/applier.h"
#include "kv/cache_upkeep.h"
#include "kv/record_cache.h"
#include "kv/run_files.h"
#include "kv/shard.h"
#include "kv/snapshot_registry.h"
#include "kv/timestamp_oracle.h"
#include "runtime/clock.h"
#include "runtime/event.h"
#include "storage/journal.h"
#include "txn/read_set.h"
#include "txn/write_buffer.h"

namespace pando::kv {

struct CommitRequest {
  TransactionId transaction;
  const txn::WriteBuffer* writes = nullptr;
  // Instead of `writes`, for a transaction whose writes are in sorted runs. With commit() they become the committer's,
  // whatever the outcome.
  const std::vector<RunPart>* parts = nullptr;
  // The keys in them, unless they are too many: then it is as if everything had been written.
  const std::vector<Bytes>* keys = nullptr;
  // What of them is to be in the record cache when the commit returns, if it can. Borrowed until then.
  std::span<const txn::Span> expected_reads;
  // Null unless the reads must be validated against `snapshot`.
  const txn::ReadSet* reads = nullptr;
  HlcTimestamp snapshot;
  runtime::Executor* executor = nullptr;
};

struct CommitterStatistics {
  uint64_t commits = 0;
  uint64_t groups_applied = 0;
  // Sequenced and not yet visible.
  std::size_t pending = 0;
};

class Committer {
 public:
  // What it works on; all of it outlives the committer.
  struct Parts {
    storage::Engine& engine;
    storage::Journal& journal;
    RecordCache& cache;
    CacheUpkeep& upkeep;
    SnapshotRegistry& snapshots;
    TimestampOracle& oracle;
    Router& router;
    runtime::Timer& timer;
    // The journal's writer, where commits are applied.
    runtime::Executor& writer;
    RunFiles& run_files;
    // Where bulk commits are applied, which takes long. Null: where all others are.
    runtime::Executor* background = nullptr;
  };

  Committer(Parts parts, HighWaterMarks marks, std::size_t recent_writes_bytes_max);
  // What is pending is abandoned. REQUIRES: stop() has returned.
  ~Committer();
  // Ends the work in the background; resumes on `executor`. REQUIRES: the journal is closed.
  Task<void> stop(runtime::Executor* executor);

  // Makes the writes durable and visible. Errors: 40001, the journal's and the engine's. REQUIRES: the request's parts
  // outlive the task, and there is something to write.
  Task<Status> commit(CommitRequest request);

  // Takes a snapshot whose reads can be validated at a commit, until leave_serializable.
  HlcTimestamp enter_serializable(SnapshotRegistry::Pin& pin);
  void leave_serializable(HlcTimestamp snapshot);
  // Whether nothing in `reads` was committed after `snapshot`, as commit() asks. REQUIRES: between the two above.
  bool unchanged_since(const txn::ReadSet& reads, HlcTimestamp snapshot) PANDO_EXCLUDES(mutex_);

  CommitterStatistics statistics();

 private:
  struct Commit;

  void encode(Commit& commit);
  void encode_bulk(Commit& commit);
  Status sequence(Commit& commit) PANDO_EXCLUDES(mutex_);
  void record_writes(const Commit& commit) PANDO_REQUIRES(mutex_);
  void on_journaled(Commit* commit, Status status) PANDO_EXCLUDES(mutex_);
  void resume_after_failure() PANDO_REQUIRES(mutex_);
  void start_applying() PANDO_REQUIRES(mutex_);
  Task<void> apply_group();
  Status apply_bulk(const Commit& commit);
  std::vector<Commit*> take_durable() PANDO_EXCLUDES(mutex_);
  void publish(const std::vector<Commit*>& group) PANDO_EXCLUDES(mutex_);
  void retry_later(Status why) PANDO_EXCLUDES(mutex_);

  const Parts parts_;
  Mutex mutex_;
  txn::RecentWrites recent_ PANDO_GUARDED_BY(mutex_);
  // In the order of their timestamps, from sequencing to publishing.
  std::deque<Commit*> pending_ PANDO_GUARDED_BY(mutex_);
  // How many of them the journal has not answered for.
  std::size_t unanswered_ PANDO_GUARDED_BY(mutex_) = 0;
  // Why the journal has failed, until it has answered for all that waited behind the failure.
  Status journal_failure_ PANDO_GUARDED_BY(mutex_);
  // Why the engine does not take writes at the moment.
  Status engine_failure_ PANDO_GUARDED_BY(mutex_);
  // Of the next attempt while the engine fails.
  std::optional<runtime::TimerId> retry_ PANDO_GUARDED_BY(mutex_);
  bool applying_ PANDO_GUARDED_BY(mutex_) = false;
  bool stopped_ PANDO_GUARDED_BY(mutex_) = false;
  CommitterStatistics statistics_ PANDO_GUARDED_BY(mutex_);
  // Belongs to whoever applies.
  Applier applier_;
  std::vector<Commit*> unapplied_;
};

}  // namespace pando::kv
