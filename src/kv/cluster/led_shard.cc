#include "kv/cluster/led_shard.h"

#include <algorithm>

namespace pando::kv {

uint64_t ShardLoad::update(uint64_t now_ns) {
  constexpr uint64_t kNsPerSecond = 1'000'000'000;
  // Of the newest, one part in this.
  constexpr uint64_t kSmoothing = 4;
  if (counted_ns_ != 0 && now_ns > counted_ns_) {
    const uint64_t rate = (requests_ - counted_) * kNsPerSecond / (now_ns - counted_ns_);
    rate_ = (rate_ * (kSmoothing - 1) + rate) / kSmoothing;
  }
  counted_ = requests_;
  counted_ns_ = now_ns;
  return rate_;
}

Bytes ShardLoad::middle() const {
  // A part with less than this of the samples is not worth a shard.
  constexpr std::size_t kPartMin = kSamples / 4;
  std::vector<ByteView> keys;
  for (const Bytes& sample : samples_) {
    if (!sample.empty()) {
      keys.emplace_back(sample);
    }
  }
  if (keys.size() < kSamples) {
    return {};
  }
  std::ranges::sort(keys);
  const ByteView key = keys[keys.size() / 2];
  const auto below = static_cast<std::size_t>(std::ranges::count_if(keys, [&](ByteView each) { return each < key; }));
  return below < kPartMin || keys.size() - below < kPartMin ? Bytes() : Bytes(key);
}

void LedShard::add_writers(const std::vector<Bytes>& keys, Writer writer) {
  for (const Bytes& key : keys) {
    writers.emplace(key, writer);
  }
}

void LedShard::remove_writers(const std::vector<Bytes>& keys, TransactionId transaction, bool prepared) {
  for (const Bytes& key : keys) {
    auto [place, end] = writers.equal_range(key);
    while (place != end) {
      const bool is_it = place->second.transaction == transaction && place->second.prepared == prepared;
      place = is_it ? writers.erase(place) : std::next(place);
    }
  }
}

const LedShard::Writer* LedShard::find_writer(const txn::Span& part, TransactionId reader, HlcTimestamp at,
                                              HlcTimestamp limit) const {
  if (writers.empty()) {
    return nullptr;
  }
  for (auto place = writers.lower_bound(part.start); place != writers.end(); ++place) {
    if (!part.end.empty() && place->first >= part.end) {
      break;
    }
    const Writer& writer = place->second;
    if (writer.transaction != reader && (writer.at <= at || (writer.prepared && writer.at <= limit))) {
      return &writer;
    }
  }
  return nullptr;
}

HlcTimestamp LedShard::complete_until(HlcTimestamp now) const {
  const HlcTimestamp complete = pending.empty() ? now : HlcTimestamp{pending.front()->at.wall_ns - 1, 0};
  return std::max(complete, applied);
}

void LedShard::wake_waiters() {
  for (runtime::Event* waiter : waiters) {
    waiter->set();
  }
  waiters.clear();
}

}  // namespace pando::kv
