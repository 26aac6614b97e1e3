#include "kv/replica/snapshot_turns.h"

#include <gtest/gtest.h>

namespace pando::kv {
namespace {

SnapshotTurns::Name name(uint64_t shard) { return {ShardId(shard), ReplicaId(1)}; }

TEST(SnapshotTurns, GivesSoManyPlaces) {
  SnapshotTurns turns(2);
  EXPECT_TRUE(turns.begin(name(1), 0));
  EXPECT_FALSE(turns.begin(name(1), 0)) << "it has one";
  EXPECT_TRUE(turns.begin(name(2), 0));
  EXPECT_FALSE(turns.begin(name(3), 0));
  turns.end(name(1));
  EXPECT_TRUE(turns.begin(name(3), 1));
  EXPECT_EQ(turns.running(), 2U);
}

// Shards whose snapshots are refused at once, for they wait for that of shard 9, always ask before it does.
TEST(SnapshotTurns, WhoIsRefusedAndAsksAgainGoesBehind) {
  SnapshotTurns turns(2);
  int rounds = 0;
  for (bool begun = false; !begun; ++rounds) {
    ASSERT_LT(rounds, 10);
    for (uint64_t shard = 1; shard <= 5; ++shard) {
      turns.begin(name(shard), 0);
    }
    begun = turns.begin(name(9), 0);
    for (uint64_t shard = 1; shard <= 5; ++shard) {
      turns.end(name(shard));
    }
  }
}

TEST(SnapshotTurns, WhoIsGoneIsNotWaitedFor) {
  SnapshotTurns turns(1);
  ASSERT_TRUE(turns.begin(name(1), 0));
  ASSERT_FALSE(turns.begin(name(2), 0));
  ASSERT_FALSE(turns.begin(name(3), 0));
  turns.end(name(1));
  EXPECT_FALSE(turns.begin(name(3), 1)) << "2 is before it";
  EXPECT_TRUE(turns.begin(name(3), SnapshotTurns::kPatienceNs + 1));
}

}  // namespace
}  // namespace pando::kv
