#pragma once

// Journal: the node's one write-ahead log, shared by all its shards.
//
//   PANDO_CO_ASSIGN(auto journal, co_await Journal::open(options, disk, writer, &visitor));  // replays into `visitor`
//   JournalBatch batch;
//   batch.entry(shard, index, term, payload);
//   PANDO_CO_TRY(co_await journal->append(std::move(batch), executor));     // durable when it returns OK
//   journal->release(shard, flushed_index);                                 // from EngineOptions::on_flushed
//   co_await journal->close(executor);
//
// A batch is atomic: after a crash all of its records are there or none. Appends become durable in the order in which
// they were made; those that arrive while a sync runs go out together with the next one.
//
// Failure: when a write or sync fails, that append and all that wait behind it fail with 53100 (disk full) or 58030.
// Nothing of them will be replayed, except that a crash before the next successful append leaves the outcome of those
// that were being written open. The next append tries again in a fresh segment, so the journal heals by itself when
// space returns. Entries of a shard must stay contiguous: after a failure the caller goes on from last_index().
//
// Damage found by open(): an unfinished group at the very end was never acknowledged and is cut; anything else is XX001
// with file and offset.
//
// Thread-safety: append, read, release and the getters from any thread; open and close by one coroutine. open() works
// on its caller's thread; later files are touched only on the writer and preparer executors, which in production are
// DedicatedExecutors. Layout: docs/formats/journal.md.

#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "runtime/disk.h"
#include "runtime/executor.h"
#include "runtime/task.h"

namespace pando::storage {

// What a consensus group must never forget besides its entries, in the encoding of its core.
struct HardState {
  Bytes bytes;
  friend bool operator==(const HardState&, const HardState&) = default;
};

// What the liveness fabric must never forget: `node` (this one) has begun `epoch`, its latest incarnation, and makes no
// promise of support that is longer than `until_ns`.
struct LivenessPromise {
  NodeId node;
  uint64_t epoch = 0;
  uint64_t until_ns = 0;
  friend bool operator==(const LivenessPromise&, const LivenessPromise&) = default;
};

// An entry as replayed; `payload` is borrowed.
struct JournalEntry {
  uint64_t index = 0;
  uint64_t term = 0;
  ByteView payload;
};

// Records that become durable together.
class JournalBatch {
 public:
  // Appends to the shard's log. An index at or below the last one replaces everything from there on (a Raft follower
  // whose tail was wrong). REQUIRES: index >= 1.
  void entry(ShardId shard, uint64_t index, uint64_t term, ByteView payload);
  void hard_state(ShardId shard, const HardState& state);
  void promise(const LivenessPromise& promise);
  // The log of `shard` now begins after (index, term): what is at or below is in a snapshot. An index beyond the last
  // empties the log.
  void truncate(ShardId shard, uint64_t index, uint64_t term);
  // Forgets the shard.
  void remove(ShardId shard);

  bool empty() const { return records_.empty(); }
  // Encoded records, see storage/journal_format.h.
  const Bytes& bytes() const { return records_; }
  Bytes take() && { return std::move(records_); }

 private:
  Bytes records_;
};

// The most that one batch may hold; a larger one fails with 54000.
inline constexpr std::size_t kJournalBatchBytesMax = 512_MiB;

// Receives what the journal holds, in the order in which it was written. An entry whose index is not above the last one
// of its shard replaces what was visited from there on; one that is not above where its log begins replaces what was
// released together with everything before it. An error ends open() with that error.
class JournalVisitor {
 public:
  virtual ~JournalVisitor() = default;
  virtual Status on_entry(ShardId shard, const JournalEntry& entry) = 0;
  virtual Status on_hard_state(ShardId shard, const HardState& state) { return Status(); }
  virtual Status on_promise(const LivenessPromise& promise) { return Status(); }
  virtual Status on_truncate(ShardId shard, uint64_t index, uint64_t term) { return Status(); }
  virtual Status on_remove(ShardId shard) { return Status(); }
};

struct JournalOptions {
  // Created when missing.
  Bytes directory;
  // The space of a segment, allocated ahead of use.
  uint64_t segment_bytes = 16_MiB;
  // Free segments kept for recycling.
  std::size_t spare_segments_max = 16;
  // A group of appends that share one sync is not made larger than this, unless by a single batch.
  std::size_t group_bytes_max = 4_MiB;
  // Makes the next segment ready while the writer goes on; null: the writer does it when it needs one.
  runtime::Executor* preparer = nullptr;
};

struct JournalStatistics {
  uint64_t append_count = 0;
  uint64_t sync_count = 0;
  uint64_t appended_bytes = 0;
  // From the first segment in use to the end of the log.
  uint64_t live_bytes = 0;
  std::size_t segment_count = 0;
  std::size_t spare_segment_count = 0;
  // The bytes cut from the end by open().
  uint64_t torn_bytes = 0;
  // OK, or why appends fail at the moment.
  Status error;
};

class Journal {
 public:
  // `visitor` may be null, and is not used after open() returns. `disk` and `writer` outlive the journal.
  static Task<Result<std::unique_ptr<Journal>>> open(JournalOptions options, runtime::Disk& disk,
                                                     runtime::Executor& writer, JournalVisitor* visitor);
  // REQUIRES: close() has returned.
  virtual ~Journal() = default;

  // Returns when `batch` is durable; resumes on `executor`.
  virtual Task<Status> append(JournalBatch batch, runtime::Executor& executor) = 0;
  // The same; calls `done` on the writer executor.
  virtual void append(JournalBatch batch, std::function<void(Status)> done) = 0;

  // Entries of `shard` up to `index` are not needed any more: flushed by the engine, and not wanted by a follower.
  virtual void release(ShardId shard, uint64_t index) = 0;

  // The entries [first, last] of `shard` with their payloads in `arena`, as many as fit into `bytes_max`, at least one.
  // Errors: XX000 when the journal does not hold `first`.
  struct Entries {
    Bytes arena;
    std::vector<JournalEntry> entries;
  };
  virtual Task<Result<Entries>> read(ShardId shard, uint64_t first, uint64_t last, std::size_t bytes_max,
                                     runtime::Executor& executor) = 0;

  // The last index of `shard` that is durable; 0 when there is none.
  virtual uint64_t last_index(ShardId shard) const = 0;
  virtual HardState hard_state(ShardId shard) const = 0;
  virtual std::vector<LivenessPromise> promises() const = 0;
  virtual JournalStatistics statistics() const = 0;

  // Waits for appends under way and closes the files; resumes on `executor`. Later appends fail with 57P01.
  virtual Task<void> close(runtime::Executor& executor) = 0;
};

}  // namespace pando::storage
