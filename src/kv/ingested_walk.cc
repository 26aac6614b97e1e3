#include "kv/ingested_walk.h"

#include <algorithm>

namespace pando::kv {
namespace {

// Of a table and one of its indexes.
constexpr std::size_t kPrefixBytes = 8;
// Beyond it ranges grow together.
constexpr std::size_t kRangesMax = 256;
constexpr std::size_t kBatchRows = 4096;

void begin_range(std::vector<KeyRange>& ranges, ByteView key) {
  if (ranges.size() < kRangesMax) {
    ranges.push_back({Bytes(key), Bytes(key)});
  }
}

bool any_begins_with(const storage::Reader& engine, ByteView prefix) {
  const auto iterator = engine.iterate_versions({Bytes(prefix), {}});
  return !iterator->status().ok() || (iterator->valid() && iterator->key().starts_with(prefix));
}

}  // namespace

IngestedWalk::IngestedWalk(std::unique_ptr<txn::OverlayWalk> walk, const storage::Reader& engine, RecordCache* cache,
                           HlcTimestamp at, std::span<const txn::Span> expected_reads)
    : walk_(std::move(walk)), engine_(engine), cache_(cache), at_(at), expected_reads_(expected_reads) {
  note();
}

Status IngestedWalk::next() {
  walk_->step();
  PANDO_TRY(walk_->status());
  note();
  return {};
}

void IngestedWalk::note() {
  if (cache_ == nullptr) {
    return;
  }
  if (!valid()) {
    bring_in();
    return;
  }
  const txn::WriteBuffer::Write write = walk_->write();
  if (prefix_.empty() || !write.key.starts_with(prefix_)) {
    begin_prefix();
  }
  if (!bringing_in_) {
    (is_new_ ? left_ : replaced_).back().last.assign(write.key);
  } else if (write.value.has_value()) {
    rows_.append(write.key, *write.value);
    if (rows_.size() == kBatchRows) {
      bring_in();
    }
  }
}

void IngestedWalk::begin_prefix() {
  bring_in();
  prefix_.assign(key().substr(0, kPrefixBytes));
  is_new_ = !any_begins_with(engine_, prefix_);
  bringing_in_ = is_new_ && is_expected(key());
  if (!bringing_in_) {
    begin_range(is_new_ ? left_ : replaced_, key());
  }
}

bool IngestedWalk::is_expected(ByteView key) const {
  return std::ranges::any_of(expected_reads_, [&](const txn::Span& span) {
    return key >= span.start && (span.end.empty() || key < span.end);
  });
}

void IngestedWalk::bring_in() {
  if (rows_.size() == 0) {
    return;
  }
  if (cache_->has_room(rows_.key(0))) {
    cache_->fill(rows_, std::vector(rows_.size(), at_), cache_->start_fills());
  } else {
    bringing_in_ = false;
    begin_range(left_, rows_.key(0));
    left_.back().last.assign(rows_.key(rows_.size() - 1));
  }
  rows_.clear();
}

}  // namespace pando::kv
