#include "consensus/quorum/quorum.h"

#include <map>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace pando::quorum {
namespace {

VoterSet random_set(Prng& prng, uint64_t ids) {
  VoterSet set;
  for (uint64_t id = 1; id <= ids; ++id) {
    if (prng.chance(0.5)) {
      set.insert(ReplicaId(id));
    }
  }
  return set;
}

// The definition: the largest value that more than half have reached.
uint64_t acknowledged_by_definition(const VoterSet& voters, const std::map<ReplicaId, uint64_t>& values) {
  uint64_t best = 0;
  for (uint64_t candidate = 0; candidate <= 12; ++candidate) {
    std::size_t reached = 0;
    for (const ReplicaId id : voters) {
      reached += values.at(id) >= candidate ? 1 : 0;
    }
    best = 2 * reached > voters.size() ? candidate : best;
  }
  return best;
}

TEST(Quorum, AcknowledgedMatchesItsDefinition) {
  Prng prng(1);
  for (int round = 0; round < 20000; ++round) {
    const JointVoters voters{random_set(prng, 9), random_set(prng, 9)};
    std::map<ReplicaId, uint64_t> values;
    for (uint64_t id = 1; id <= 9; ++id) {
      values[ReplicaId(id)] = prng.below(12);
    }
    const auto of = [&](ReplicaId id) { return values.at(id); };
    const uint64_t incoming =
        voters.incoming.empty() ? UINT64_MAX : acknowledged_by_definition(voters.incoming, values);
    const uint64_t outgoing =
        voters.outgoing.empty() ? UINT64_MAX : acknowledged_by_definition(voters.outgoing, values);
    ASSERT_EQ(acknowledged(voters, of), std::min(incoming, outgoing));
  }
}

Vote tally_by_definition(const VoterSet& voters, const std::map<ReplicaId, std::optional<bool>>& ballots) {
  std::size_t yes = 0;
  std::size_t no = 0;
  for (const ReplicaId id : voters) {
    yes += ballots.at(id) == true ? 1 : 0;
    no += ballots.at(id) == false ? 1 : 0;
  }
  if (voters.empty() || 2 * yes > voters.size()) {
    return Vote::kWon;
  }
  return 2 * (voters.size() - no) > voters.size() ? Vote::kPending : Vote::kLost;
}

TEST(Quorum, TallyMatchesItsDefinition) {
  Prng prng(2);
  for (int round = 0; round < 20000; ++round) {
    const JointVoters voters{random_set(prng, 7), random_set(prng, 7)};
    std::map<ReplicaId, std::optional<bool>> ballots;
    for (uint64_t id = 1; id <= 7; ++id) {
      const uint64_t choice = prng.below(3);
      ballots[ReplicaId(id)] = choice == 2 ? std::nullopt : std::optional<bool>(choice == 1);
    }
    const auto of = [&](ReplicaId id) { return ballots.at(id); };
    const Vote incoming = tally_by_definition(voters.incoming, ballots);
    const Vote outgoing = tally_by_definition(voters.outgoing, ballots);
    Vote expected = Vote::kPending;
    if (incoming == Vote::kLost || outgoing == Vote::kLost) {
      expected = Vote::kLost;
    } else if (incoming == Vote::kWon && outgoing == Vote::kWon) {
      expected = Vote::kWon;
    }
    ASSERT_EQ(tally(voters, of), expected);
  }
}

TEST(Quorum, ASetKeepsItsOrder) {
  VoterSet set{ReplicaId(3), ReplicaId(1), ReplicaId(3)};
  EXPECT_EQ(set.to_string(), "1 3");
  EXPECT_TRUE(set.insert(ReplicaId(2)));
  EXPECT_FALSE(set.insert(ReplicaId(2)));
  EXPECT_TRUE(set.erase(ReplicaId(1)));
  EXPECT_FALSE(set.erase(ReplicaId(1)));
  EXPECT_EQ(set.to_string(), "2 3");
}

}  // namespace
}  // namespace pando::quorum
