#include "kv/cluster/led_shard.h"

#include <algorithm>
#include <utility>

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
    if (place->second.may_commit(reader, at, limit)) {
      return &place->second;
    }
  }
  return nullptr;
}

bool LedShard::takes_part(const PreparedName& name) const {
  return prepared.contains(name) || std::ranges::any_of(pending, [&](const PendingWrite* write) {
           return write->prepares && write->transaction == name.transaction && write->participant == name.participant;
         });
}

bool LedShard::takes_part(TransactionId transaction) const {
  const auto first = prepared.lower_bound({.transaction = transaction});
  const bool is_prepared = first != prepared.end() && first->first.transaction == transaction;
  return is_prepared || std::ranges::any_of(pending, [&](const PendingWrite* write) {
           return write->prepares && write->transaction == transaction;
         });
}

bool LedShard::has_prepares() const {
  return !prepared.empty() || std::ranges::any_of(pending, [](const PendingWrite* write) { return write->prepares; });
}

bool LedShard::read_by_prepared(const std::vector<Bytes>& keys, TransactionId writer) const {
  const auto holds_a_key = [&keys](const txn::Span& read) {
    const auto first = std::ranges::lower_bound(keys, read.start);
    return first != keys.end() && (read.end.empty() || *first < read.end);
  };
  const auto reads_a_key = [&](TransactionId reader, const std::vector<txn::Span>& reads) {
    return reader != writer && std::ranges::any_of(reads, holds_a_key);
  };
  return std::ranges::any_of(
             prepared, [&](const auto& entry) { return reads_a_key(entry.first.transaction, entry.second.reads); }) ||
         std::ranges::any_of(pending,
                             [&](const PendingWrite* write) { return reads_a_key(write->transaction, write->reads); });
}

const LedShard::Writer* LedShard::find_writer(ByteView key, TransactionId reader, HlcTimestamp at,
                                              HlcTimestamp limit) const {
  for (auto place = writers.lower_bound(key); place != writers.end() && place->first == key; ++place) {
    if (place->second.may_commit(reader, at, limit)) {
      return &place->second;
    }
  }
  return nullptr;
}

bool LedShard::is_prepared(ByteView key) const {
  const auto [begin, end] = writers.equal_range(key);
  return std::any_of(begin, end, [](const auto& entry) { return entry.second.prepared; });
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

void LedShard::hurry(ReplicaHost& host) {
  for (UnhurriedProposal& each : std::exchange(unhurried, {})) {
    // Before it is proposed: what waits for that is gone once it is decided.
    each.gone->set();
    host.propose(std::move(each.proposal));
  }
}

}  // namespace pando::kv
