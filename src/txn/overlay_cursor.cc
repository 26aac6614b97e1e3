#include "txn/overlay_cursor.h"

namespace pando::txn {

OverlayCursor::OverlayCursor(std::unique_ptr<CommittedScan> committed, Options options)
    : committed_(std::move(committed)), options_(std::move(options)) {
  if (options_.reads != nullptr) {
    // Nothing is read yet, at the side where the walk starts. An empty span at the edge of the key space would mean
    // all of it.
    Bytes edge = options_.reverse ? options_.span.end : options_.span.start;
    if (edge.empty()) {
      edge.push_back('\0');
    }
    read_ = options_.reads->open({edge, edge});
  }
}

OverlayCursor::~OverlayCursor() {
  if (options_.reads != nullptr) {
    options_.reads->close(read_);
  }
}

Task<Status> OverlayCursor::next(KeyValueBatch& batch, std::size_t entries_max) {
  if (options_.overlay.has_value()) {
    PANDO_CO_TRY(merge(*options_.overlay, batch, entries_max));
  } else if (options_.layered != nullptr) {
    PANDO_CO_TRY(merge(*options_.layered, batch, entries_max));
    PANDO_CO_TRY(options_.layered->status());
  } else {
    PANDO_CO_TRY(committed_->next(batch, entries_max));
  }
  if (options_.reads != nullptr) {
    note_progress(batch, batch.size() < entries_max);
  }
  co_return Status();
}

template <typename Overlay>
Status OverlayCursor::merge(Overlay& overlay, KeyValueBatch& batch, std::size_t entries_max) {
  batch.clear();
  while (batch.size() < entries_max) {
    if (pending_at_ == pending_.size() && !committed_ended_) {
      PANDO_TRY(committed_->next(pending_, entries_max));
      pending_at_ = 0;
      committed_ended_ = pending_.size() == 0;
    }
    const bool has_pending = pending_at_ < pending_.size();
    if (!has_pending && !overlay.valid()) {
      break;
    }
    if (!overlay.valid() || (has_pending && comes_before(pending_.key(pending_at_), overlay.write().key))) {
      batch.append(pending_.key(pending_at_), pending_.value(pending_at_));
      ++pending_at_;
      continue;
    }
    const auto write = overlay.write();
    if (has_pending && pending_.key(pending_at_) == write.key) {
      ++pending_at_;
    }
    if (write.value.has_value()) {
      batch.append(write.key, *write.value);
    }
    overlay.step();
  }
  return {};
}

void OverlayCursor::note_progress(const KeyValueBatch& batch, bool ended) {
  if (ended) {
    *read_ = options_.span;
    return;
  }
  const ByteView last = batch.key(batch.size() - 1);
  if (options_.reverse) {
    *read_ = {Bytes(last), options_.span.end};
  } else {
    *read_ = {options_.span.start, Bytes(last)};
    read_->end.push_back('\0');
  }
}

}  // namespace pando::txn
