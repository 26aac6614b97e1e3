#pragma once

// A walk over one span of a MemoryStore at a snapshot, merged with the transaction's own writes.

#include "txn/memory/memory_store.h"

namespace pando::txn {

class MemoryCursor final : public Cursor {
 public:
  // `overlay` walks the same span in the same direction; `reads` is null unless what is read must be validated.
  MemoryCursor(MemoryStore& store, HlcTimestamp snapshot, Span span, ScanOptions options,
               std::optional<WriteBuffer::Walk> overlay, ReadSet* reads);
  ~MemoryCursor() override;

  Task<Status> next(KeyValueBatch& batch, std::size_t entries_max) override;

 private:
  bool comes_before(ByteView a, ByteView b) const { return options_.reverse ? b < a : a < b; }
  void refill(std::size_t entries_max);
  void remember_progress(const KeyValueBatch& batch, bool ended);

  MemoryStore& store_;
  const HlcTimestamp snapshot_;
  const ScanOptions options_;
  // What is left to read of the store.
  Span rest_;
  // Read from the store and not yet returned.
  KeyValueBatch stored_;
  std::size_t stored_at_ = 0;
  bool stored_ended_ = false;
  std::optional<WriteBuffer::Walk> overlay_;
  ReadSet* const reads_;
  Span whole_;
  ReadSet::OpenSpan read_;
};

}  // namespace pando::txn
