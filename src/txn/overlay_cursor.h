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

class OverlayCursor final : public Cursor {
 public:
  struct Options {
    Span span;
    bool reverse = false;
    // Walks the same span in the same direction; nothing when there are no writes to see.
    std::optional<WriteBuffer::Walk> overlay;
    // Null unless what is read must be validated. Outlives the cursor.
    ReadSet* reads = nullptr;
  };

  OverlayCursor(std::unique_ptr<CommittedScan> committed, Options options);
  ~OverlayCursor() override;

  Task<Status> next(KeyValueBatch& batch, std::size_t entries_max) override;

 private:
  bool comes_before(ByteView a, ByteView b) const { return options_.reverse ? b < a : a < b; }
  Status merge(KeyValueBatch& batch, std::size_t entries_max);
  void note_progress(const KeyValueBatch& batch, bool ended);

  const std::unique_ptr<CommittedScan> committed_;
  Options options_;
  // Committed entries that are not returned yet; used only with an overlay.
  KeyValueBatch pending_;
  std::size_t pending_at_ = 0;
  bool committed_ended_ = false;
  ReadSet::OpenSpan read_;
};

}  // namespace pando::txn
