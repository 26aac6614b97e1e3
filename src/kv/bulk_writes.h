#pragma once

// BulkWrites: the writes of a transaction that has outgrown memory. Layers, from the oldest: buffers that were full,
// which become sorted runs on disk, and the buffer that is being filled.
//
//   BulkWrites bulk(first_buffer, {.files = files, .executor = executor, .background = background, ...});
//   bulk.put(key, value);
//   if (bulk.is_full()) { PANDO_CO_TRY(co_await bulk.spill()); }
//   PANDO_CO_ASSIGN(const auto parts, co_await bulk.finish());   // all durable; the log entry that commits names them
//
// A full buffer is written in the background while the next one is filled, and can be read all the time; so what is in
// memory is two buffers, and the first, which belongs to the transaction.
//
// Marks mean what they mean in a WriteBuffer: each layer holds the writes after one mark, up to another.
// One thread at a time. May be destroyed while a buffer is being written. Errors: those of the RunStore.

#include <memory>
#include <optional>
#include <vector>

#include "kv/commit_record.h"
#include "kv/run_files.h"
#include "runtime/event.h"
#include "storage/sorted_run.h"
#include "txn/overlay_cursor.h"
#include "txn/write_buffer.h"

namespace pando::kv {

class BulkWrites {
 public:
  using Mark = txn::WriteBuffer::Mark;

  // What it works with; all of it outlives this object and the work in the background.
  struct Options {
    RunFiles& files;
    // Where its tasks resume.
    runtime::Executor& executor;
    // Writes the runs. Null: spill() and finish() do.
    runtime::Executor* background = nullptr;
    std::size_t buffer_bytes_max = 0;
  };

  // `first` does not change any more.
  BulkWrites(std::shared_ptr<txn::WriteBuffer> first, Options options);
  // Its runs go, unless a commit has taken them.
  ~BulkWrites();
  BulkWrites(const BulkWrites&) = delete;
  BulkWrites& operator=(const BulkWrites&) = delete;

  void put(ByteView key, ByteView value) { active_->put(key, value); }
  void erase(ByteView key) { active_->erase(key); }
  Mark mark() { return active_->mark(); }
  void rollback_to(Mark mark);
  bool empty() const;

  // What `mark` sees of `key`: nothing when it was not written, an empty inner value when it was erased.
  Result<std::optional<std::optional<Bytes>>> find(ByteView key, Mark mark);
  Result<std::optional<std::optional<Bytes>>> find(ByteView key) { return find(key, active_->last()); }
  // Whether `mark` may see a write in [start, end); an empty end means no bound.
  bool touches(Mark mark, ByteView start, ByteView end) const;
  // What `mark` sees in the span.
  std::unique_ptr<txn::OverlayWalk> walk(Mark mark, const txn::Span& span, bool reverse) const;

  // The keys written, if there are at most `count_max`; those that were rolled back may count, too.
  Result<std::optional<std::vector<Bytes>>> keys(std::size_t count_max) const;

  bool is_full() const { return active_->bytes() >= options_.buffer_bytes_max; }
  // Writes are numbered with marks, of which there are only so many.
  bool is_exhausted() const { return active_->last() == UINT32_MAX; }
  std::size_t buffered_bytes() const { return active_->bytes(); }
  // Starts to move the buffers into runs, and returns once no more than one is on its way.
  Task<Status> spill();
  // Moves all into runs, which are durable then; from the oldest. No more writes.
  Task<Result<std::vector<RunPart>>> finish();
  // The runs belong to a commit from here on.
  void release();

 private:
  class Run;
  struct Spill;
  // It holds the writes after `base`; those after `limit` were rolled back.
  struct Layer {
    // Until the run is there.
    std::shared_ptr<txn::WriteBuffer> buffer;
    std::shared_ptr<Run> run;
    Mark base = 0;
    Mark limit = 0;
  };

  static Task<void> write_run(std::shared_ptr<Spill> spill);
  // Begins a buffer for what is written after `mark`.
  void activate(Mark mark);
  // Makes the active buffer a layer.
  void freeze();
  // Starts to write the oldest layer without a run; false when all have one. REQUIRES: spill_ is null.
  Task<bool> start_spill();
  // Waits for the buffer on its way, and takes its run over.
  Task<Status> settle();

  const Options options_;
  // From the oldest.
  std::vector<Layer> layers_;
  // At or above every key in the runs of layers_: who writes in the order of keys need not look at each run.
  Bytes largest_run_key_;
  // The one on its way. Its layer may have been rolled back.
  std::shared_ptr<Spill> spill_;
  // Walks may outlive its time.
  std::shared_ptr<txn::WriteBuffer> active_;
  Mark active_base_ = 0;
  // One whose run is there, to be filled again: its memory is in place.
  std::shared_ptr<txn::WriteBuffer> spare_;
};

// What a bulk commit changes: the newest write of each key over its runs. Its walks may be used at the same time, each
// by a thread.
class BulkContents {
 public:
  // `parts` from the oldest.
  static Result<BulkContents> open(storage::RunStore& runs, const std::vector<RunPart>& parts);

  // Cuts `span` into up to `pieces` that hold about as much.
  std::vector<txn::Span> split(const txn::Span& span, std::size_t pieces) const;
  std::unique_ptr<txn::OverlayWalk> walk(const txn::Span& span) const;

 private:
  struct Layer {
    std::shared_ptr<storage::SortedRun> run;
    txn::WriteBuffer::Mark limit = 0;
  };

  std::vector<Layer> layers_;
};

}  // namespace pando::kv
