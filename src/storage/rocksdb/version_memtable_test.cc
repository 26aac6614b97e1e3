// Memtables of keys with many versions must read as the memory engine does.

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "storage/memory/memory_engine.h"
#include "storage/mvcc.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "test/support/temporary_directory.h"

namespace pando::storage {
namespace {

using test::TemporaryDirectory;

HlcTimestamp at(uint64_t wall) { return {wall, 0}; }
Bytes key_of(uint64_t n) { return fmt::format("key{:02}", n); }

std::string scan(const Reader& reader, const VersionScanOptions& options) {
  const auto rows = reader.scan_versions(options);
  KeyValueBatch batch;
  std::string text;
  do {
    EXPECT_TRUE(rows->next(batch, 7).ok());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      text.append(batch.key(i)).append("=").append(batch.value(i)).append("\n");
    }
  } while (batch.size() > 0);
  return text;
}

std::string versions(const Reader& reader, const KeySpan& span) {
  std::string text;
  const auto iterator = reader.iterate_versions(span);
  for (; iterator->valid(); iterator->next()) {
    text += fmt::format("{}@{}{}{}\n", iterator->key(), iterator->timestamp().wall_ns,
                        iterator->tombstone() ? '-' : '=', iterator->value());
  }
  EXPECT_TRUE(iterator->status().ok());
  return text;
}

// The versions of a few keys, written in any order of timestamps and erased one by one.
class VersionMemtable : public testing::TestWithParam<uint64_t> {
 protected:
  static constexpr uint64_t kKeys = 12;
  static constexpr uint64_t kMoments = 300;

  // Odd seeds: short keys. Even ones: keys that begin alike for as long as a node of the list remembers, some a byte
  // less or more, and end in zeros.
  static Bytes key_of(uint64_t n) {
    if (GetParam() % 2 == 1) {
      return pando::storage::key_of(n);
    }
    return Bytes(20 + n / 3, 'k') + Bytes(n % 3, '\0');
  }

  void write_some(bool in_order) {
    WriteBatch batch;
    for (int i = 0; i < 20; ++i) {
      const Bytes key = key_of(prng_.below(kKeys));
      const HlcTimestamp when = at(in_order ? ++now_ : 1 + prng_.below(kMoments));
      if (prng_.chance(0.2)) {
        batch.put_tombstone(key, when);
      } else if (prng_.chance(0.2)) {
        batch.erase_version(key, at(1 + prng_.below(kMoments)));
      } else {
        batch.put_version(key, when, fmt::format("{}", prng_.below(1000)));
      }
    }
    ASSERT_TRUE(engine_->write(batch).ok());
    ASSERT_TRUE(oracle_->write(batch).ok());
  }

  void compare(const Reader& reader, const Reader& oracle) {
    const uint64_t first = prng_.below(kKeys);
    const KeySpan span{key_of(first), prng_.chance(0.5) ? Bytes() : key_of(first + prng_.below(kKeys))};
    EXPECT_EQ(versions(reader, span), versions(oracle, span));
    const HlcTimestamp when = at(prng_.below(kMoments + 2));
    for (const bool reverse : {false, true}) {
      const VersionScanOptions options{.span = span, .at = when, .reverse = reverse, .limit_hint = prng_.below(2)};
      EXPECT_EQ(scan(reader, options), scan(oracle, options)) << "at " << when.wall_ns << " reverse " << reverse;
    }
    Version found;
    Version expected;
    const auto has = reader.get_version(span.start, when, found);
    ASSERT_EQ(has.value(), oracle.get_version(span.start, when, expected).value());
    if (*has) {
      EXPECT_EQ(found.timestamp, expected.timestamp);
      EXPECT_EQ(found.value, expected.value);
    }
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Engine> engine_ = open_rocksdb_engine({.directory = directory_.path()}).value();
  std::unique_ptr<Engine> oracle_ = open_memory_engine({});
  Prng prng_{GetParam()};
  uint64_t now_ = 0;
};

TEST_P(VersionMemtable, ReadsAsTheMemoryEngine) {
  const bool in_order = GetParam() % 4 < 2;
  for (int round = 0; round < 40; ++round) {
    write_some(in_order);
    const auto snapshot = engine_->snapshot();
    const auto expected = oracle_->snapshot();
    for (int i = 0; i < 5; ++i) {
      compare(*engine_, *oracle_);
    }
    write_some(in_order);
    for (int i = 0; i < 5; ++i) {
      compare(*snapshot, *expected);
    }
    if (prng_.chance(0.1)) {
      ASSERT_TRUE(engine_->flush().ok());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, VersionMemtable, testing::Range<uint64_t>(1, 15));

// Every row is rewritten by every batch, so a scan at a moment gives rows of one batch, all of them.
TEST(VersionMemtables, AreReadWhileOneThreadWrites) {
  constexpr uint64_t kRows = 50;
  constexpr uint64_t kBatches = 2000;
  TemporaryDirectory directory;
  const auto engine = open_rocksdb_engine({.directory = directory.path()}).value();
  std::atomic<uint64_t> written{0};
  const auto read = [&] {
    while (written < kBatches) {
      const uint64_t moment = written;
      std::string expected;
      for (uint64_t n = 0; n < kRows && moment > 0; ++n) {
        expected += fmt::format("{}={}\n", key_of(n), moment);
      }
      ASSERT_EQ(scan(*engine, {.at = at(moment)}), expected);
    }
  };
  std::thread first(read);
  std::thread second(read);
  for (uint64_t batch = 1; batch <= kBatches; ++batch) {
    WriteBatch rows;
    for (uint64_t n = kRows; n-- > 0;) {
      rows.put_version(key_of(n), at(batch), fmt::format("{}", batch));
    }
    ASSERT_TRUE(engine->write(rows).ok());
    written = batch;
  }
  first.join();
  second.join();
}

}  // namespace
}  // namespace pando::storage
