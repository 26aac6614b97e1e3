#include "kv/cache_upkeep.h"

#include <gtest/gtest.h>

#include "runtime/block_on.h"
#include "runtime/os/dedicated_executor.h"
#include "storage/memory/memory_engine.h"

namespace pando::kv {
namespace {

constexpr std::size_t kRows = 5000;

// A table's keys share their first eight bytes.
Bytes key_of(std::string_view table, std::size_t row) { return fmt::format("{:>8} {:06}", table, row); }

std::unique_ptr<storage::Engine> engine_with_two_tables() {
  auto engine = storage::open_memory_engine({});
  storage::WriteBatch batch;
  for (std::size_t row = 0; row < kRows; ++row) {
    for (const uint64_t moment : {1, 2}) {
      batch.put_version(key_of("a", row), {moment, 0}, fmt::format("value {}", moment));
    }
    batch.put_version(key_of("b", row), {1, 0}, "value");
  }
  EXPECT_TRUE(engine->write(batch).ok());
  return engine;
}

std::size_t records_after(RecordCache& cache, runtime::DedicatedExecutor& background) {
  background.stop();
  return cache.statistics().records;
}

TEST(CacheUpkeep, BringsInTheNewestVersionsOfWhatWasLoaded) {
  const auto engine = engine_with_two_tables();
  RecordCache cache(64_MiB);
  runtime::DedicatedExecutor background("background");
  CacheUpkeep upkeep(*engine, cache, &background);
  upkeep.warm({{key_of("a", 0), key_of("a", kRows - 1)}});
  EXPECT_EQ(records_after(cache, background), kRows);
  CachedRecord record;
  ASSERT_TRUE(cache.get(key_of("a", kRows - 1), record));
  EXPECT_EQ(record.value, "value 2");
}

TEST(CacheUpkeep, LeavesRoomInTheCache) {
  const auto engine = engine_with_two_tables();
  RecordCache cache(256_KiB);
  runtime::DedicatedExecutor background("background");
  CacheUpkeep upkeep(*engine, cache, &background);
  upkeep.warm({{key_of("a", 0), key_of("a", kRows - 1)}});
  EXPECT_LT(records_after(cache, background), kRows);
  EXPECT_GT(cache.statistics().records, 0);
  // Keys are not dealt out evenly, and a slice may go over a little.
  EXPECT_LT(cache.statistics().evictions, kRows / 20);
}

TEST(CacheUpkeep, BringsInWhatLiesBehindAKeyOfTheSameTable) {
  const auto engine = engine_with_two_tables();
  RecordCache cache(64_MiB);
  runtime::DedicatedExecutor background("background");
  CacheUpkeep upkeep(*engine, cache, &background);
  upkeep.warm_behind(key_of("a", kRows - 1000));
  EXPECT_EQ(records_after(cache, background), 1000);
  CachedRecord record;
  EXPECT_TRUE(cache.get(key_of("a", kRows - 1000), record));
  EXPECT_TRUE(cache.get(key_of("a", kRows - 1), record));
}

TEST(CacheUpkeep, TakesLargeRowsAFewAtATime) {
  constexpr std::size_t kLargeRows = 2000;
  const auto engine = storage::open_memory_engine({});
  storage::WriteBatch batch;
  for (std::size_t row = 0; row < kLargeRows; ++row) {
    // One in ten does not fit.
    batch.put_version(key_of("a", row), {1, 0}, Bytes(row % 10 == 0 ? 20_KiB : 10_KiB, 'v'));
  }
  ASSERT_TRUE(engine->write(batch).ok());
  RecordCache cache(64_MiB);
  runtime::DedicatedExecutor background("background");
  CacheUpkeep upkeep(*engine, cache, &background);
  upkeep.warm({{key_of("a", 0), key_of("a", kLargeRows - 1)}});
  EXPECT_EQ(records_after(cache, background), kLargeRows / 10 * 9);
}

TEST(CacheUpkeep, ForgetsWhatIsGone) {
  const auto engine = engine_with_two_tables();
  RecordCache cache(64_MiB);
  runtime::DedicatedExecutor background("background");
  CacheUpkeep upkeep(*engine, cache, &background);
  upkeep.warm({{key_of("a", 0), key_of("a", kRows - 1)}, {key_of("b", 0), key_of("b", kRows - 1)}});
  storage::WriteBatch erasure;
  erasure.erase_version_range(key_of("a", 0), key_of("a", kRows));
  ASSERT_TRUE(engine->write(erasure).ok());
  upkeep.forget({key_of("a", 0), key_of("a", kRows)});
  EXPECT_EQ(records_after(cache, background), kRows);
  CachedRecord record;
  EXPECT_FALSE(cache.get(key_of("a", 0), record));
  EXPECT_TRUE(cache.get(key_of("b", 0), record));
}

}  // namespace
}  // namespace pando::kv
