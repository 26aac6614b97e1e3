#pragma once

// Quorum arithmetic: what a set of voters has agreed on. Knows nothing of any protocol.
//
//   quorum::JointVoters voters{.incoming = {{a, b, c}}, .outgoing = {}};
//   uint64_t committed = quorum::acknowledged(voters, [&](ReplicaId id) { return match(id); });
//   quorum::Vote vote = quorum::tally(voters, [&](ReplicaId id) { return ballot(id); });
//
// A joint configuration decides only what both of its majorities decide (Ongaro, thesis, 4.3). An empty set decides
// everything, so that a configuration that is not joint is one whose outgoing half is empty. Pure; any thread.

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace pando::quorum {

// Replicas in rising order, each once.
class VoterSet {
 public:
  VoterSet() = default;
  VoterSet(std::initializer_list<ReplicaId> ids) : VoterSet(std::vector<ReplicaId>(ids)) {}
  explicit VoterSet(std::vector<ReplicaId> ids);

  bool contains(ReplicaId id) const { return std::binary_search(ids_.begin(), ids_.end(), id); }
  // Return whether they changed the set.
  bool insert(ReplicaId id);
  bool erase(ReplicaId id);
  void clear() { ids_.clear(); }

  bool empty() const { return ids_.empty(); }
  std::size_t size() const { return ids_.size(); }
  auto begin() const { return ids_.begin(); }
  auto end() const { return ids_.end(); }
  friend bool operator==(const VoterSet&, const VoterSet&) = default;

  // "1 2 3".
  std::string to_string() const;

 private:
  std::vector<ReplicaId> ids_;
};

struct JointVoters {
  VoterSet incoming;
  // Empty unless the configuration is joint.
  VoterSet outgoing;

  bool contains(ReplicaId id) const { return incoming.contains(id) || outgoing.contains(id); }
  // Both halves together.
  VoterSet all() const;
  friend bool operator==(const JointVoters&, const JointVoters&) = default;
};

enum class Vote : uint8_t { kPending, kLost, kWon };

inline constexpr std::size_t majority_of(std::size_t size) { return size / 2 + 1; }

// The largest value that a majority of `voters` has acknowledged, where of(id) is what `id` has acknowledged (0 for
// nothing). UINT64_MAX for an empty set.
template <typename Of>
uint64_t acknowledged(const VoterSet& voters, Of&& of) {
  if (voters.empty()) {
    return UINT64_MAX;
  }
  // Groups of up to this many voters need no allocation.
  std::array<uint64_t, 7> few;
  std::vector<uint64_t> many(voters.size() > few.size() ? voters.size() : 0);
  uint64_t* const values = many.empty() ? few.data() : many.data();
  // Sorted by insertion, in falling order: there are few.
  std::size_t count = 0;
  for (const ReplicaId id : voters) {
    const uint64_t value = of(id);
    std::size_t place = count++;
    for (; place > 0 && values[place - 1] < value; --place) {
      values[place] = values[place - 1];
    }
    values[place] = value;
  }
  return values[majority_of(count) - 1];
}

template <typename Of>
uint64_t acknowledged(const JointVoters& voters, Of&& of) {
  const uint64_t incoming = acknowledged(voters.incoming, of);
  return voters.outgoing.empty() ? incoming : std::min(incoming, acknowledged(voters.outgoing, of));
}

// The state of an election, where of(id) is an optional<bool>: the ballot of `id`, if it has come in.
template <typename Of>
Vote tally(const VoterSet& voters, Of&& of) {
  if (voters.empty()) {
    return Vote::kWon;
  }
  std::size_t granted = 0;
  std::size_t missing = 0;
  for (const ReplicaId id : voters) {
    const std::optional<bool> ballot = of(id);
    granted += ballot.has_value() && *ballot ? 1 : 0;
    missing += ballot.has_value() ? 0 : 1;
  }
  if (granted >= majority_of(voters.size())) {
    return Vote::kWon;
  }
  return granted + missing >= majority_of(voters.size()) ? Vote::kPending : Vote::kLost;
}

template <typename Of>
Vote tally(const JointVoters& voters, Of&& of) {
  const Vote incoming = tally(voters.incoming, of);
  const Vote outgoing = tally(voters.outgoing, of);
  if (incoming == outgoing) {
    return incoming;
  }
  return incoming == Vote::kLost || outgoing == Vote::kLost ? Vote::kLost : Vote::kPending;
}

}  // namespace pando::quorum
