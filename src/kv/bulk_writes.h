#pragma once

// BulkWrites: the writes of a transaction that has outgrown memory. Layers, from the oldest: the transaction's first
// buffer, then sorted runs on disk, then the buffer that is being filled.
//
//   BulkWrites bulk(first_buffer, runs, buffer_bytes_max);
//   bulk.put(key, value);
//   if (bulk.is_full()) { PANDO_TRY(bulk.spill()); }          // blocks
//   PANDO_ASSIGN(const auto parts, bulk.finish());            // all durable; the log entry that commits names them
//
// Marks mean what they mean in a WriteBuffer: each layer holds the writes after one mark, up to another.
// One thread at a time. Errors: those of the RunStore.

#include <memory>
#include <optional>
#include <vector>

#include "kv/commit_record.h"
#include "kv/run_files.h"
#include "storage/sorted_run.h"
#include "txn/overlay_cursor.h"
#include "txn/write_buffer.h"

namespace pando::kv {

class BulkWrites {
 public:
  using Mark = txn::WriteBuffer::Mark;

  // `first` stays where it is and takes no more puts; it and `files` outlive this object.
  BulkWrites(txn::WriteBuffer& first, RunFiles& files, std::size_t buffer_bytes_max);
  // Removes its runs, unless a commit has taken them.
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

  // The keys written, if there are at most `count_max`.
  Result<std::optional<std::vector<Bytes>>> keys(std::size_t count_max) const;

  bool is_full() const { return active_->bytes() >= buffer_bytes_max_; }
  // Writes are numbered with marks, of which there are only so many.
  bool is_exhausted() const { return active_->last() == UINT32_MAX; }
  std::size_t buffered_bytes() const { return active_->bytes(); }
  // Moves the newest buffer into a run.
  Status spill();
  // Moves all into runs, which are durable then; from the oldest. No more writes.
  Result<std::vector<RunPart>> finish();
  // The runs belong to a commit from here on.
  void release();

 private:
  struct Layer {
    std::shared_ptr<storage::SortedRun> run;
    // It holds the writes after `base`; those after `limit` were rolled back.
    Mark base = 0;
    Mark limit = 0;
    // Its keys.
    Bytes smallest;
    Bytes largest;
  };

  Result<Layer> write_run(const txn::WriteBuffer& buffer, Mark base);
  void remove_layer(const Layer& layer);

  txn::WriteBuffer& first_;
  RunFiles& files_;
  const std::size_t buffer_bytes_max_;
  // From the oldest.
  std::vector<Layer> layers_;
  // Walks may outlive its time.
  std::shared_ptr<txn::WriteBuffer> active_;
  Mark active_base_;
};

// Walks the newest write of each key in `span` over several runs, the oldest first: what a commit of them changes.
Result<std::unique_ptr<txn::OverlayWalk>> walk_runs(storage::RunStore& runs, const std::vector<RunPart>& parts,
                                                    const txn::Span& span);

}  // namespace pando::kv
