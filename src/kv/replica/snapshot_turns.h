#pragma once

// SnapshotTurns: which replicas a node sends snapshots to at a time, of those that need one. First come, first served:
// a receiver may refuse a shard for as long as it lacks another one's snapshot, and who is refused asks again at once;
// without turns those could keep all places for ever.
//
//   if (!turns.begin({shard, replica}, now_ns)) { ...ask again some time... }
//   ...
//   turns.end({shard, replica});
//
// Not thread-safe.

#include <compare>
#include <deque>
#include <set>

#include "base/ids.h"

namespace pando::kv {

class SnapshotTurns {
 public:
  struct Name {
    ShardId shard;
    ReplicaId replica;
    friend auto operator<=>(const Name&, const Name&) = default;
  };
  // Who does not ask again within this time has lost its turn.
  static constexpr uint64_t kPatienceNs = 2'000'000'000;

  explicit SnapshotTurns(std::size_t places) : places_(places) {}

  // Takes a place; false when there is none left for it: then it has a turn later.
  bool begin(Name name, uint64_t now_ns);
  // REQUIRES: it has a place.
  void end(Name name) { running_.erase(name); }
  std::size_t running() const { return running_.size(); }

 private:
  struct Waiting {
    Name name;
    uint64_t asked_ns = 0;
  };

  const std::size_t places_;
  std::set<Name> running_;
  std::deque<Waiting> waiting_;
};

}  // namespace pando::kv
