#include "kv/snapshot_registry.h"

#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace pando::kv {
namespace {

HlcTimestamp at(uint64_t wall) { return {wall, 0}; }

TEST(SnapshotRegistry, TheFloorIsTheOldestSnapshotTaken) {
  SnapshotRegistry registry;
  registry.publish(at(10));
  SnapshotRegistry::Pin old(registry);
  EXPECT_EQ(old.take(), at(10));
  registry.publish(at(20));
  SnapshotRegistry::Pin young(registry);
  EXPECT_EQ(young.take(), at(20));
  registry.publish(at(30));
  EXPECT_EQ(registry.active(), 2);
  EXPECT_EQ(registry.advance_floor(), at(10));
  old.release();
  EXPECT_EQ(registry.advance_floor(), at(20));
  EXPECT_EQ(young.take(), at(30));
  EXPECT_EQ(registry.advance_floor(), at(30));
  EXPECT_EQ(registry.active(), 1);
}

TEST(SnapshotRegistry, ThePastIsKeptUpToALimit) {
  SnapshotRegistry registry;
  registry.publish(at(100));
  EXPECT_EQ(registry.advance_floor(at(40)), at(40));
  SnapshotRegistry::Pin pin(registry);
  EXPECT_FALSE(pin.take_at(at(39)));
  EXPECT_EQ(registry.active(), 0);
  EXPECT_TRUE(pin.take_at(at(40)));
  EXPECT_EQ(registry.advance_floor(at(70)), at(40));
  pin.release();
  EXPECT_EQ(registry.advance_floor(at(70)), at(70));
  // A clock that goes back does not bring back what is gone.
  EXPECT_EQ(registry.advance_floor(at(50)), at(70));
  EXPECT_FALSE(pin.take_at(at(60)));
}

// Readers take snapshots while moments pass and a collector raises the floor: no snapshot is ever below a floor that
// was announced while it was taken.
TEST(SnapshotRegistry, ReadersAndCollectorNeverMiss) {
  SnapshotRegistry registry;
  registry.publish(at(1));
  std::atomic<uint64_t> announced{0};
  std::atomic<bool> stop{false};
  std::atomic<int> collections{0};
  std::thread publisher([&] {
    constexpr int kCollections = 5'000;
    for (uint64_t moment = 2; collections < kCollections; ++moment) {
      registry.publish(at(moment));
    }
    stop = true;
  });
  std::thread collector([&] {
    uint64_t before = 0;
    while (!stop) {
      const uint64_t floor = registry.advance_floor().wall_ns;
      ASSERT_GE(floor, before);
      before = floor;
      announced = floor;
      ++collections;
    }
  });
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        SnapshotRegistry::Pin pin(registry);
        for (int statement = 0; statement < 10; ++statement) {
          const uint64_t floor = announced;
          ASSERT_GE(pin.take().wall_ns, floor);
        }
      }
    });
  }
  publisher.join();
  collector.join();
  for (std::thread& reader : readers) {
    reader.join();
  }
}

}  // namespace
}  // namespace pando::kv
