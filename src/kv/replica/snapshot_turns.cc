#include "kv/replica/snapshot_turns.h"

#include <algorithm>

namespace pando::kv {

bool SnapshotTurns::begin(Name name, uint64_t now_ns) {
  if (running_.contains(name)) {
    return false;
  }
  std::erase_if(waiting_,
                [&](const Waiting& other) { return other.name != name && now_ns > other.asked_ns + kPatienceNs; });
  auto place = std::ranges::find(waiting_, name, &Waiting::name);
  if (place == waiting_.end()) {
    place = waiting_.insert(place, {.name = name});
  }
  place->asked_ns = now_ns;
  const auto before = static_cast<std::size_t>(place - waiting_.begin());
  if (running_.size() + before >= places_) {
    return false;
  }
  waiting_.erase(place);
  running_.insert(name);
  return true;
}

}  // namespace pando::kv
