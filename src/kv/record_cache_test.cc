#include "kv/record_cache.h"

#include <atomic>
#include <thread>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/prng.h"

namespace pando::kv {
namespace {

HlcTimestamp at(uint64_t wall) { return {wall, 0}; }

std::string look(RecordCache& cache, ByteView key) {
  CachedRecord record;
  if (!cache.get(key, record)) {
    return "(miss)";
  }
  return fmt::format("{}@{}", record.tombstone ? "-" : record.value, record.timestamp.wall_ns);
}

TEST(RecordCache, KeepsTheNewestVersion) {
  RecordCache cache(1_MiB);
  EXPECT_EQ(look(cache, "a"), "(miss)");
  cache.apply("a", at(1), false, "one", true);
  cache.apply("b", at(1), false, "one", false);
  EXPECT_EQ(look(cache, "a"), "one@1");
  EXPECT_EQ(look(cache, "b"), "(miss)");
  cache.apply("a", at(2), false, "a longer one", false);
  EXPECT_EQ(look(cache, "a"), "a longer one@2");
  cache.apply("a", at(3), true, "", false);
  EXPECT_EQ(look(cache, "a"), "-@3");
  HlcTimestamp timestamp;
  bool tombstone = false;
  EXPECT_TRUE(cache.get_timestamp("a", timestamp, tombstone));
  EXPECT_TRUE(tombstone);
  EXPECT_EQ(timestamp, at(3));
  EXPECT_FALSE(cache.get_timestamp("b", timestamp, tombstone));
}

TEST(RecordCache, AReaderNeverPutsAnOldVersionBack) {
  RecordCache cache(1_MiB);
  const auto before = cache.start_fill("a");
  cache.apply("a", at(2), false, "new", false);
  cache.fill("a", at(1), false, "old", before);
  EXPECT_EQ(look(cache, "a"), "(miss)");
  cache.fill("a", at(2), false, "new", cache.start_fill("a"));
  EXPECT_EQ(look(cache, "a"), "new@2");
  cache.fill("a", at(1), false, "old", cache.start_fill("a"));
  EXPECT_EQ(look(cache, "a"), "new@2");
}

TEST(RecordCache, NeighboursNeverPutAnOldVersionBackEither) {
  RecordCache cache(1_MiB);
  const auto before = cache.start_fills();
  cache.apply("a", at(2), false, "new", false);
  const std::vector<RecordCache::Incoming> old = {{"a", at(1), false, "old"}};
  cache.fill(old, before);
  EXPECT_EQ(look(cache, "a"), "(miss)");
  const auto after = cache.start_fills();
  cache.fill(std::vector<RecordCache::Incoming>{{"a", at(2), false, "new"}}, after);
  cache.fill(old, after);
  EXPECT_EQ(look(cache, "a"), "new@2");
}

TEST(RecordCache, AFillOutlivesCommitsThatLeaveATrace) {
  RecordCache cache(1_MiB);
  const auto tickets = cache.start_fills();
  cache.apply("a", at(2), false, "new", true);
  cache.apply("a", at(3), false, "newer", false);
  std::vector<Bytes> keys;
  std::vector<RecordCache::Incoming> records = {{"a", at(1), false, "old"}};
  for (int i = 0; i < 1000; ++i) {
    keys.push_back(std::to_string(i));
  }
  for (const Bytes& key : keys) {
    records.push_back({key, at(1), false, key});
  }
  cache.fill(records, tickets);
  EXPECT_EQ(look(cache, "a"), "newer@3");
  EXPECT_EQ(cache.statistics().records, 1001U);
}

TEST(RecordCache, AFillDoesNotOutliveTheTrace) {
  RecordCache cache(64_KiB);
  const auto before = cache.start_fill("a");
  cache.apply("a", at(2), false, "new", true);
  // Pushes it out.
  for (int i = 0; i < 10'000; ++i) {
    const Bytes key = std::to_string(i);
    cache.fill(key, at(1), false, Bytes(100, 'v'), cache.start_fill(key));
  }
  ASSERT_EQ(look(cache, "a"), "(miss)");
  cache.fill("a", at(1), false, "old", before);
  EXPECT_EQ(look(cache, "a"), "(miss)");
  const auto again = cache.start_fill("a");
  cache.apply("a", at(3), false, "newer", true);
  cache.forget("a", "a");
  cache.fill("a", at(2), false, "new", again);
  EXPECT_EQ(look(cache, "a"), "(miss)");
}

TEST(RecordCache, ForgetsARange) {
  RecordCache cache(1_MiB);
  const std::vector<Bytes> keys = {"a", "tables-7", "tables-7row", "tables-8", "tables-8row", "tables-9", "\xff\xfe"};
  for (const Bytes& key : keys) {
    cache.apply(key, at(1), false, key, true);
  }
  const auto left = [&] {
    Bytes all;
    for (const Bytes& key : keys) {
      all += look(cache, key) == "(miss)" ? "-" : "+";
    }
    return all;
  };
  cache.forget("b", "tables-6z");
  EXPECT_EQ(left(), "+++++++");
  cache.forget("tables-8", "tables-8z");
  EXPECT_EQ(left(), "+++--++");
  cache.forget("tables-7r", "z");
  EXPECT_EQ(left(), "++----+");
  cache.forget("", "tables-7");
  EXPECT_EQ(left(), "------+");
  cache.forget("b", "\xff\xff");
  EXPECT_EQ(left(), "-------");
}

TEST(RecordCache, ManyComeInAtOnceButThoseThatHaveChanged) {
  RecordCache cache(1_MiB);
  std::vector<Bytes> keys;
  for (int i = 0; i < 1000; ++i) {
    keys.push_back(std::to_string(i));
  }
  std::vector<RecordCache::Incoming> records;
  for (const Bytes& key : keys) {
    records.push_back({key, at(1), false, key});
  }
  const auto tickets = cache.start_fills();
  cache.apply("7", at(2), false, "new", false);
  cache.fill(records, tickets);
  EXPECT_EQ(look(cache, "7"), "(miss)");
  // All but those in the stripe of the key that has changed.
  EXPECT_GT(cache.statistics().records, 900U);
  cache.fill(records, cache.start_fills());
  EXPECT_EQ(cache.statistics().records, 1000U);
  EXPECT_EQ(look(cache, "8"), "8@1");
}

TEST(RecordCache, HasRoomUntilItIsNearlyFull) {
  RecordCache cache(1_MiB);
  uint64_t i = 0;
  for (; cache.has_room("key") && i < 100'000; ++i) {
    const Bytes key = "key" + std::to_string(i);
    cache.fill(key, at(1), false, Bytes(100, 'v'), cache.start_fill(key));
  }
  EXPECT_GT(i, 1000U);
  EXPECT_LT(i, 100'000U);
  EXPECT_EQ(cache.statistics().evictions, 0U);
  EXPECT_FALSE(RecordCache(0).has_room("key"));
}

TEST(RecordCache, StaysInItsBudgetAndKeepsWhatIsRead) {
  constexpr std::size_t kBudget = 1_MiB;
  RecordCache cache(kBudget);
  cache.apply("hot", at(1), false, "value", true);
  for (uint64_t i = 0; i < 100'000; ++i) {
    cache.apply("key" + std::to_string(i), at(i + 2), false, Bytes(100, 'v'), true);
    if (i % 100 == 0) {
      ASSERT_EQ(look(cache, "hot"), "value@1");
    }
  }
  const auto statistics = cache.statistics();
  EXPECT_LE(statistics.bytes, kBudget);
  EXPECT_GT(statistics.bytes, kBudget / 2);
  EXPECT_GT(statistics.evictions, 90'000);
}

TEST(RecordCache, TooLargeARecordIsNotKept) {
  RecordCache cache(64_MiB);
  cache.apply("a", at(1), false, "small", true);
  cache.apply("a", at(2), false, Bytes(RecordCache::kRecordBytesMax, 'x'), true);
  EXPECT_EQ(look(cache, "a"), "(miss)");
  RecordCache off(0);
  off.apply("a", at(1), false, "small", true);
  EXPECT_EQ(look(off, "a"), "(miss)");
}

// A writer commits rising versions to a map and then to the cache, as the applier does; readers fill from the map.
// What the cache shows is never older than what the writer had finished before the look.
TEST(RecordCache, IsNeverBehindTheApplier) {
  RecordCache cache(32_KiB);
  constexpr std::size_t kKeys = 8;
  std::array<std::atomic<uint64_t>, kKeys> stored{};
  std::array<std::atomic<uint64_t>, kKeys> applied{};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    Prng prng(1);
    for (uint64_t version = 1; version < 20'000; ++version) {
      const auto k = prng.below(kKeys);
      stored[k] = version;
      cache.apply(std::to_string(k), at(version), false, std::to_string(version), prng.chance(0.3));
      applied[k] = version;
      if (prng.chance(0.2)) {
        // Pushes others out.
        cache.apply("filler" + std::to_string(version), at(version), false, Bytes(300, 'f'), true);
      }
    }
    stop = true;
  });
  std::vector<std::thread> readers;
  for (uint64_t reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] {
      Prng prng(reader + 10);
      while (!stop) {
        const auto k = prng.below(kKeys);
        const std::string key = std::to_string(k);
        const uint64_t at_least = applied[k];
        CachedRecord record;
        if (cache.get(key, record)) {
          ASSERT_GE(record.timestamp.wall_ns, at_least);
          ASSERT_EQ(record.value, std::to_string(record.timestamp.wall_ns));
        } else {
          const auto ticket = cache.start_fill(key);
          const uint64_t version = stored[k];
          cache.fill(key, at(version), false, std::to_string(version), ticket);
        }
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) {
    reader.join();
  }
}

}  // namespace
}  // namespace pando::kv
