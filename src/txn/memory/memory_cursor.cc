#include "txn/memory/memory_cursor.h"

namespace pando::txn {

MemoryCursor::MemoryCursor(MemoryStore& store, HlcTimestamp snapshot, Span span, ScanOptions options,
                           std::optional<WriteBuffer::Walk> overlay, ReadSet* reads)
    : store_(store),
      snapshot_(snapshot),
      options_(options),
      rest_(span),
      overlay_(std::move(overlay)),
      reads_(reads),
      whole_(std::move(span)) {
  if (reads_ != nullptr) {
    // Nothing is read yet, at the side where the walk starts.
    const Bytes& edge = options.reverse ? whole_.end : whole_.start;
    read_ = reads_->open({edge, edge});
    if (edge.empty()) {
      // An empty span at the edge of the key space would read as all of it: wait for the first entry.
      read_->start = read_->end = Bytes(1, '\0');
    }
  }
}

MemoryCursor::~MemoryCursor() {
  if (reads_ != nullptr) {
    reads_->close(read_);
  }
}

void MemoryCursor::refill(std::size_t entries_max) {
  stored_.clear();
  stored_at_ = 0;
  store_.read_span(rest_.start, rest_.end, options_.reverse, snapshot_, entries_max, stored_);
  stored_ended_ = stored_.size() < entries_max;
  if (stored_.size() == 0) {
    return;
  }
  const ByteView last = stored_.key(stored_.size() - 1);
  if (options_.reverse) {
    rest_.end.assign(last);
    // Before the empty key there is nothing, and an empty end would mean no bound.
    stored_ended_ = stored_ended_ || last.empty();
  } else {
    rest_.start.assign(last);
    rest_.start.push_back('\0');
  }
}

Task<Status> MemoryCursor::next(KeyValueBatch& batch, std::size_t entries_max) {
  batch.clear();
  while (batch.size() < entries_max) {
    if (stored_at_ == stored_.size() && !stored_ended_) {
      refill(entries_max);
    }
    const bool has_stored = stored_at_ < stored_.size();
    const bool has_written = overlay_.has_value() && overlay_->valid();
    if (!has_stored && !has_written) {
      break;
    }
    if (!has_written || (has_stored && comes_before(stored_.key(stored_at_), overlay_->write().key))) {
      batch.append(stored_.key(stored_at_), stored_.value(stored_at_));
      ++stored_at_;
      continue;
    }
    const auto write = overlay_->write();
    if (has_stored && stored_.key(stored_at_) == write.key) {
      ++stored_at_;
    }
    if (write.value.has_value()) {
      batch.append(write.key, *write.value);
    }
    overlay_->step();
  }
  remember_progress(batch, batch.size() < entries_max);
  co_return Status();
}

void MemoryCursor::remember_progress(const KeyValueBatch& batch, bool ended) {
  if (reads_ == nullptr) {
    return;
  }
  if (ended) {
    *read_ = whole_;
    return;
  }
  const ByteView last = batch.key(batch.size() - 1);
  if (options_.reverse) {
    *read_ = {Bytes(last), whole_.end};
  } else {
    *read_ = {whole_.start, Bytes(last)};
    read_->end.push_back('\0');
  }
}

}  // namespace pando::txn
