#pragma once

// OverlayCursor: a walk over one span of what is committed, merged with the transaction's own writes, that notes what
// was read where that must be validated. Every Store's cursors are made of it; a store brings the CommittedScan.

#include <memory>
#include <optional>

#include "txn/read_set.h"
#include "txn/transaction.h"
#include "txn/write_buffer.h"

namespace pando::txn {

// Walks what is committed in a span at a snapshot.
class CommittedScan {
 public:
  virtual ~CommittedScan() = default;
  // Clears `batch` and fills it with up to `entries_max` next entries. None means the end.
  virtual Status next(KeyValueBatch& batch, std::size_t entries_max) = 0;
};

// Walks a transaction's own writes in a span, in the direction of the cursor it is merged into. For writes that are not
// all in one WriteBuffer.
class OverlayWalk {
 public:
  virtual ~OverlayWalk() = default;
  // False at the end and after an error: then status() tells which.
  virtual bool valid() const = 0;
  // REQUIRES: valid(). Borrowed until step().
  virtual WriteBuffer::Write write() const = 0;
  virtual void step() = 0;
  virtual Status status() const = 0;
};

class OverlayCursor final : public Cursor {
 public:
  struct Options {
    Span span;
    bool reverse = false;
    // Walks the same span in the same direction; nothing when there are no writes to see.
    std::optional<WriteBuffer::Walk> overlay;
    // Instead of it, when not null.
    std::unique_ptr<OverlayWalk> layered;
    // Null unless what is read must be validated. Outlives the cursor.
    ReadSet* reads = nullptr;
  };

  OverlayCursor(std::unique_ptr<CommittedScan> committed, Options options);
  ~OverlayCursor() override;

  Task<Status> next(KeyValueBatch& batch, std::size_t entries_max) override;

 private:
  bool comes_before(ByteView a, ByteView b) const { return options_.reverse ? b < a : a < b; }
  template <typename Overlay>
  Status merge(Overlay& overlay, KeyValueBatch& batch, std::size_t entries_max);
  void note_progress(const KeyValueBatch& batch, bool ended);

  const std::unique_ptr<CommittedScan> committed_;
  Options options_;
  // Committed entries that are not returned yet; used only with an overlay.
  KeyValueBatch pending_;
  std::size_t pending_at_ = 0;
  bool committed_ended_ = false;
  ReadSet::OpenSpan read_;
};

// The walk of a span that cannot be read.
class RefusedCursor final : public Cursor {
 public:
  explicit RefusedCursor(Status why) : why_(std::move(why)) {}
  Task<Status> next(KeyValueBatch& batch, std::size_t) override {
    batch.clear();
    co_return why_;
  }

 private:
  const Status why_;
};

}  // namespace pando::txn
