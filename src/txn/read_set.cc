#include "txn/read_set.h"

#include <algorithm>

namespace pando::txn {
namespace {

// What a map node costs beside its key.
constexpr std::size_t kNodeBytes = 96;

// An empty end is the largest.
bool ends_before(const Bytes& a, const Bytes& b) { return !a.empty() && (b.empty() || a < b); }

}  // namespace

void ReadSet::add_key(ByteView key) {
  Bytes end(key);
  end.push_back('\0');
  add_span({Bytes(key), std::move(end)});
}

void ReadSet::add_span(Span span) {
  // Reading one key again and again, as a loop over a lookup does, must not fill the set.
  if (!spans_.empty() && spans_.back().start == span.start && spans_.back().end == span.end) {
    return;
  }
  spans_.push_back(std::move(span));
  if (spans_.size() > kSpansMax) {
    shrink();
  }
}

void ReadSet::close(OpenSpan span) {
  add_span(std::move(*span));
  open_.erase(span);
}

void ReadSet::shrink() {
  std::ranges::sort(spans_, {}, &Span::start);
  // First what overlaps anyway, then pairs of neighbours until half the room is free.
  const auto merge = [this](auto may_merge) {
    std::vector<Span> merged;
    for (Span& span : spans_) {
      if (merged.empty() || !may_merge(merged.back(), span, merged.size())) {
        merged.push_back(std::move(span));
      } else if (ends_before(merged.back().end, span.end)) {
        merged.back().end = std::move(span.end);
      }
    }
    spans_ = std::move(merged);
  };
  merge([](const Span& left, const Span& right, std::size_t) { return left.end.empty() || left.end >= right.start; });
  if (spans_.size() > kSpansMax / 2) {
    bool second = false;
    merge([&second](const Span&, const Span&, std::size_t) { return second = !second; });
  }
}

void RecentWrites::leave(HlcTimestamp snapshot) {
  const auto place = snapshots_.find(snapshot);
  PANDO_ASSERT(place != snapshots_.end(), "a transaction leaves once");
  if (--place->second == 0) {
    snapshots_.erase(place);
  }
  if (snapshots_.empty()) {
    newest_.clear();
    bytes_ = 0;
    forgotten_ = {};
  }
}

void RecentWrites::record(ByteView key, HlcTimestamp committed) {
  if (!needed()) {
    return;
  }
  if (const auto place = newest_.find(key); place != newest_.end()) {
    place->second = std::max(place->second, committed);
    return;
  }
  bytes_ += key.size() + kNodeBytes;
  if (bytes_ > bytes_max_) {
    record_all(committed);
    return;
  }
  newest_.emplace(Bytes(key), committed);
}

void RecentWrites::record_all(HlcTimestamp committed) {
  if (needed()) {
    newest_.clear();
    bytes_ = 0;
    forgotten_ = std::max(forgotten_, committed);
  }
}

bool RecentWrites::unchanged_since(const ReadSet& reads, HlcTimestamp snapshot) const {
  if (snapshot < forgotten_) {
    return reads.empty();
  }
  return reads.all_of([&](const Span& span) {
    for (auto at = newest_.lower_bound(span.start); at != newest_.end() && (span.end.empty() || at->first < span.end);
         ++at) {
      if (at->second > snapshot) {
        return false;
      }
    }
    return true;
  });
}

}  // namespace pando::txn
