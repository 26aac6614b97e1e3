#include "storage/rocksdb/rocksdb_engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "base/codec.h"
#include "base/prng.h"
#include "storage/memory/memory_engine.h"
#include "storage/mvcc.h"
#include "storage/rocksdb/retryable_files.h"
#include "storage/rocksdb/versioned_comparator.h"
#include "test/support/temporary_directory.h"

namespace pando::storage {
namespace {

using test::TemporaryDirectory;

HlcTimestamp at(uint64_t wall) { return {wall, 0}; }

std::string read(VersionScan& rows, std::size_t step, const std::vector<HlcTimestamp>& timestamps) {
  KeyValueBatch batch;
  std::string text;
  for (;;) {
    const Status status = rows.next(batch, step);
    if (!status.ok()) {
      return status.to_string();
    }
    if (batch.size() == 0) {
      return text;
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      text.append(batch.key(i)).append("=").append(batch.value(i));
      text.append(fmt::format("@{}\n", timestamps.at(i).wall_ns));
    }
  }
}

std::string scan(const Reader& reader, const VersionScanOptions& options, std::size_t step) {
  std::vector<HlcTimestamp> timestamps;
  VersionScanOptions with_timestamps = options;
  with_timestamps.timestamps = &timestamps;
  return read(*reader.scan_versions(with_timestamps), step, timestamps);
}

std::string scan(const Reader& reader, const KeySpan& span, HlcTimestamp when, std::size_t step = 100) {
  return scan(reader, {.span = span, .at = when}, step);
}

std::size_t count_rows(const Reader& reader, HlcTimestamp when) {
  return static_cast<std::size_t>(std::ranges::count(scan(reader, KeySpan{}, when), '\n'));
}

// Large batches become files of their own: nothing of them may read differently.
TEST(BulkLoad, ReadsAsIfWritten) {
  const TemporaryDirectory directory;
  const auto open = [&] {
    return open_rocksdb_engine({.directory = directory.path(), .bulk_bytes_min = 4_KiB}).value();
  };
  auto engine = open();
  const auto expected = open_memory_engine({});
  Prng prng(5);
  const auto write = [&](const WriteBatch& batch) {
    ASSERT_TRUE(engine->write(batch).ok());
    ASSERT_TRUE(expected->write(batch).ok());
  };
  for (uint64_t round = 1; round <= 20; ++round) {
    WriteBatch batch;
    // Every third batch is out of order, and every other one overlaps the ones before.
    const uint64_t first = round % 2 == 0 ? prng.below(20000) : round * 1000;
    for (uint64_t i = 0; i < 600; ++i) {
      Bytes key;
      append_ordered_uint64(key, round % 3 == 0 && i == 300 ? first : first + i * 2);
      if (prng.chance(0.1)) {
        batch.put_tombstone(key, at(round));
      } else {
        batch.put_version(key, at(round), fmt::format("{}:{}", round, i));
      }
    }
    batch.set_applied(ShardId(1), round);
    write(batch);
    EXPECT_EQ(engine->applied(ShardId(1)).value(), round);
    for (const uint64_t when : {round, round / 2}) {
      ASSERT_EQ(scan(*engine, {}, at(when)), scan(*expected, {}, at(when))) << "round " << round << " at " << when;
    }
    if (round % 7 == 0) {
      ASSERT_TRUE(engine->flush().ok());
      engine.reset();
      engine = open();
    }
  }
  Version version;
  Bytes key;
  append_ordered_uint64(key, 1000);
  const bool found = expected->get_version(key, HlcTimestamp::max(), version).value();
  Version loaded;
  EXPECT_EQ(engine->get_version(key, HlcTimestamp::max(), loaded).value(), found);
  EXPECT_EQ(loaded.value, version.value);
}

TEST(SplitKeys, CutASpanIntoParts) {
  const TemporaryDirectory directory;
  const auto engine = open_rocksdb_engine({.directory = directory.path(), .bulk_bytes_min = 4_KiB}).value();
  WriteBatch batch;
  for (uint64_t i = 0; i < 50000; ++i) {
    Bytes key;
    append_ordered_uint64(key, i);
    batch.put_version(key, at(1), fmt::format("{} some value", i * 7919));
  }
  ASSERT_TRUE(engine->write(batch).ok());
  Bytes start;
  append_ordered_uint64(start, 1000);
  const auto keys = engine->split_keys({start, {}}, 8).value();
  ASSERT_GE(keys.size(), 4U);
  std::string parts;
  for (std::size_t i = 0; i <= keys.size(); ++i) {
    const KeySpan part{i == 0 ? start : keys[i - 1], i == keys.size() ? Bytes() : keys[i]};
    const std::string rows = scan(*engine, part, at(1));
    EXPECT_FALSE(rows.empty()) << "part " << i;
    parts += rows;
  }
  EXPECT_EQ(parts, scan(*engine, {start, {}}, at(1)));
}

TEST(VersionedComparator, SeparatorsLieBetweenTheirKeys) {
  Prng prng(3);
  const auto random_key = [&] {
    Bytes key;
    for (uint64_t size = prng.below(5); size > 0; --size) {
      key.push_back(static_cast<char>(prng.chance(0.3) ? 0xff : prng.below(4)));
    }
    return encode_versioned_key(key, at(prng.below(3)));
  };
  const auto* comparator = versioned_comparator();
  for (int i = 0; i < 20000; ++i) {
    Bytes low = random_key();
    Bytes high = random_key();
    if (comparator->Compare(low, high) >= 0) {
      continue;
    }
    Bytes separator = low;
    comparator->FindShortestSeparator(&separator, high);
    ASSERT_LE(comparator->Compare(low, separator), 0);
    ASSERT_LT(comparator->Compare(separator, high), 0);
    ASSERT_LE(separator.size(), low.size());
  }
}

// Rows of one moment in key order, as a bulk commit brings them.
class SortedRows final : public IngestSource {
 public:
  explicit SortedRows(const std::map<Bytes, Bytes>& rows) : rows_(rows), at_(rows_.begin()) {}
  bool valid() const override { return at_ != rows_.end(); }
  ByteView key() const override { return at_->first; }
  std::optional<ByteView> value() const override { return at_->second; }
  Status next() override {
    ++at_;
    return {};
  }

 private:
  const std::map<Bytes, Bytes>& rows_;
  std::map<Bytes, Bytes>::const_iterator at_;
};

// Long scans read RocksDB's files directly; whatever memtables, flushes, compactions, deletions and garbage collection
// do, they must give what the memory engine gives.
class LongScans : public testing::TestWithParam<uint64_t> {};

TEST_P(LongScans, AgreeWithTheMemoryEngine) {
  constexpr uint64_t kKeys = 6000;
  TemporaryDirectory directory;
  auto opened = open_rocksdb_engine({.directory = directory.path(), .memtable_bytes = 256_KiB});
  ASSERT_TRUE(opened.ok());
  Engine& engine = **opened;
  const auto oracle = open_memory_engine({});
  Prng prng(GetParam());
  const auto key = [](uint64_t n) { return fmt::format("key{:06}", n); };
  // Range deletions in what is scanned keep scans from reading files directly, so half of the runs have them beside it.
  const bool erases_ranges = GetParam() % 2 == 0;
  uint64_t now = 1;
  HlcTimestamp threshold = at(0);
  for (int round = 0; round < 8; ++round) {
    for (int burst = 0; burst < 30; ++burst) {
      WriteBatch batch;
      ++now;
      const uint64_t first = prng.below(kKeys);
      for (uint64_t i = 0; i < 200; ++i) {
        const uint64_t n = prng.chance(0.5) ? (first + i) % kKeys : prng.below(kKeys);
        if (prng.chance(0.1)) {
          batch.put_tombstone(key(n), at(now));
        } else {
          batch.put_version(key(n), at(now), fmt::format("{}-{}", n, now));
        }
      }
      if (erases_ranges && prng.chance(0.05)) {
        const uint64_t start = prng.below(kKeys);
        batch.erase_version_range(key(start), key(start + 50));
      } else if (prng.chance(0.1)) {
        batch.put_version("another table", at(now), "gone soon");
        batch.erase_version_range("another", "b");
      }
      ASSERT_TRUE(engine.write(batch).ok());
      ASSERT_TRUE(oracle->write(batch).ok());
    }
    if (prng.chance(0.5)) {
      ++now;
      std::map<Bytes, Bytes> rows;
      WriteBatch batch;
      const uint64_t first = prng.below(kKeys);
      for (uint64_t n = first; n < std::min(first + 1000, kKeys); ++n) {
        rows[key(n)] = fmt::format("{}-{}", n, now);
        batch.put_version(key(n), at(now), rows[key(n)]);
      }
      SortedRows source(rows);
      const std::array<IngestSource*, 1> sources{&source};
      ASSERT_TRUE(engine.ingest(sources, at(now)).ok());
      ASSERT_TRUE(oracle->write(batch).ok());
    }
    if (prng.chance(0.3)) {
      threshold = at(now - prng.below(10));
      for (Engine* each : {&engine, static_cast<Engine*>(oracle.get())}) {
        each->set_garbage_threshold(threshold);
        ASSERT_TRUE(each->collect_garbage({key(100), key(5000)}).ok());
      }
    }
    if (prng.chance(0.5)) {
      ASSERT_TRUE(engine.flush().ok());
    }
    const auto snapshot = engine.snapshot();
    for (int i = 0; i < 4; ++i) {
      const HlcTimestamp when = at(threshold.wall_ns + prng.below(now + 2 - threshold.wall_ns));
      const KeySpan span = i == 0 ? KeySpan{} : KeySpan{key(prng.below(1000)), key(3500 + prng.below(3000))};
      const std::string expected = scan(*oracle, span, when);
      ASSERT_EQ(scan(engine, span, when, 1 + prng.below(3000)), expected) << "round " << round;
      ASSERT_EQ(scan(*snapshot, span, when), expected) << "round " << round;
    }
    // One scan that goes from span to span.
    std::vector<HlcTimestamp> timestamps;
    VersionScanOptions options{
        .at = at(now), .reverse = prng.chance(0.3), .limit_hint = prng.below(2), .timestamps = &timestamps};
    const auto moving = engine.scan_versions(options);
    for (int i = 0; i < 20; ++i) {
      const uint64_t first = prng.below(kKeys);
      options.span = {key(first), key(first + prng.below(60))};
      ASSERT_TRUE(moving->move_to(options.span));
      ASSERT_EQ(read(*moving, 7, timestamps), scan(*oracle, options, 7)) << "round " << round;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LongScans, testing::Range<uint64_t>(1, 9));

// Fails writes to files on demand, as a disk that is full or broken does.
class FailingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FailingFileSystem(std::atomic<int>* failure)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), failure_(failure) {}
  const char* Name() const override { return "FailingFileSystem"; }

  static constexpr int kNone = 0;
  static constexpr int kFull = 1;
  static constexpr int kBroken = 2;

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSWritableFile> inner;
    auto status = FileSystemWrapper::NewWritableFile(path, options, &inner, debug);
    if (status.ok()) {
      *file = std::make_unique<FailingFile>(std::move(inner), failure_);
    }
    return status;
  }
  rocksdb::IOStatus NewLogger(const std::string& path, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* log, rocksdb::IODebugContext* debug) override {
    return rocksdb::FileSystem::NewLogger(path, options, log, debug);
  }

 private:
  class FailingFile final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    FailingFile(std::unique_ptr<rocksdb::FSWritableFile> inner, std::atomic<int>* failure)
        : FSWritableFileOwnerWrapper(std::move(inner)), failure_(failure) {}
    using FSWritableFileOwnerWrapper::Append;
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      PANDO_ASSERT(failure_ != nullptr, "made by NewWritableFile");
      switch (failure_->load()) {
        case kFull:
          return rocksdb::IOStatus::NoSpace("injected");
        case kBroken:
          return rocksdb::IOStatus::IOError("injected");
        default:
          return FSWritableFileOwnerWrapper::Append(data, options, debug);
      }
    }

   private:
    std::atomic<int>* const failure_;
  };
  std::atomic<int>* const failure_;
};

// RocksDB ends the process when its log is written to again after a failure.
TEST(RetryableFiles, TheLogTakesLinesWhileNothingElseIsTaken) {
  const TemporaryDirectory directory;
  std::atomic<int> failure{FailingFileSystem::kNone};
  const auto files = make_retryable_files(std::make_shared<FailingFileSystem>(&failure));
  const auto open = [&](const char* name) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    EXPECT_TRUE(files->NewWritableFile(directory.path() + "/" + name, {}, &file, nullptr).ok());
    return file;
  };
  std::shared_ptr<rocksdb::Logger> log;
  ASSERT_TRUE(files->NewLogger(directory.path() + "/LOG", {}, &log, nullptr).ok());
  const auto table = open("000001.sst");
  for (const int kind : {FailingFileSystem::kFull, FailingFileSystem::kBroken}) {
    failure = kind;
    for (int line = 0; line < 3; ++line) {
      rocksdb::Log(rocksdb::InfoLogLevel::ERROR_LEVEL, log, "line %d", line);
      log->Flush();
    }
    const rocksdb::IOStatus refused = table->Append("a block", {}, nullptr);
    EXPECT_TRUE(refused.IsIOError() && refused.GetRetryable()) << refused.ToString();
  }
}

class DiskFailure : public testing::TestWithParam<int> {};

TEST_P(DiskFailure, KeepsReadsGoingLosesNothingAndHeals) {
  TemporaryDirectory directory;
  std::atomic<int> failure{FailingFileSystem::kNone};
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(std::make_shared<FailingFileSystem>(&failure));
  std::atomic<uint64_t> flushed{0};
  RocksDbOptions options{.directory = directory.path(), .memtable_bytes = 64_KiB, .env = env.get()};
  options.on_flushed = [&](const std::vector<AppliedIndex>& applied) {
    flushed = applied.empty() ? 0 : applied.front().index;
  };
  uint64_t index = 0;
  const auto write_next = [&](Engine& engine) {
    WriteBatch batch;
    batch.put_version(fmt::format("key{:06}", index + 1), at(1), Bytes(500, 'x'));
    batch.set_applied(ShardId(1), index + 1);
    const Status status = engine.write(batch);
    index += status.ok() ? 1 : 0;
    return status;
  };
  {
    auto opened = open_rocksdb_engine(options);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    Engine& engine = **opened;
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(write_next(engine).ok());
    }
    ASSERT_TRUE(engine.flush().ok());
    ASSERT_EQ(flushed, 50U);
    failure = GetParam();
    ASSERT_TRUE(write_next(engine).ok());
    const Status flush_status = engine.flush();
    EXPECT_EQ(flush_status.code(), GetParam() == FailingFileSystem::kFull ? sql_state::kDiskFull : sql_state::kIoError)
        << flush_status.to_string();
    EXPECT_EQ(flushed, 50U);
    EXPECT_EQ(engine.statistics().write_error.code(), flush_status.code());
    // Writes go to memory until that is full, and then fail instead of waiting.
    Status status;
    for (int i = 0; i < 5000 && status.ok(); ++i) {
      status = write_next(engine);
    }
    EXPECT_EQ(status.code(), flush_status.code());
    // Reads go on.
    EXPECT_EQ((*get_at(engine, "key000007", at(5)))->size(), 500U);
    EXPECT_EQ(count_rows(engine, at(5)), index);
    failure = FailingFileSystem::kNone;
    // The engine heals by itself: through the next write, or when it sees free space.
    for (int i = 0; i < 100 && !engine.statistics().write_error.ok(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    status = write_next(engine);
    ASSERT_TRUE(status.ok()) << status.to_string();
    const Status healed = engine.flush();
    ASSERT_TRUE(healed.ok()) << healed.to_string();
    EXPECT_EQ(flushed, index);
    EXPECT_TRUE(engine.statistics().write_error.ok());
  }
  auto again = open_rocksdb_engine({.directory = directory.path()});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*(*again)->applied(ShardId(1)), index);
  EXPECT_EQ(count_rows(**again, at(5)), index);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DiskFailure, testing::Values(FailingFileSystem::kFull, FailingFileSystem::kBroken));

TEST(RocksDbEngine, LosesOnlyWhatWasNotFlushed) {
  TemporaryDirectory directory;
  {
    auto engine = open_rocksdb_engine({.directory = directory.path()});
    WriteBatch batch;
    batch.put_version("k", at(1), "flushed");
    batch.set_applied(ShardId(1), 1);
    ASSERT_TRUE((*engine)->write(batch).ok());
    ASSERT_TRUE((*engine)->flush().ok());
    batch.clear();
    batch.put_version("k", at(2), "lost");
    batch.set_applied(ShardId(1), 2);
    ASSERT_TRUE((*engine)->write(batch).ok());
  }
  auto engine = open_rocksdb_engine({.directory = directory.path()});
  EXPECT_EQ(**get_at(**engine, "k", at(9)), "flushed");
  EXPECT_EQ(*(*engine)->applied(ShardId(1)), 1U);
}

// Compaction drops what newer versions hide, and has the engine erase tombstones with all they hide.
TEST(RocksDbEngine, CollectsGarbageWhileCompacting) {
  TemporaryDirectory directory;
  auto opened = open_rocksdb_engine({.directory = directory.path()});
  Engine& engine = **opened;
  engine.set_garbage_threshold(at(1000));
  const auto count = [&] {
    const auto iterator = engine.iterate_versions({});
    int versions = 0;
    for (; iterator->valid(); iterator->next()) {
      ++versions;
    }
    return versions;
  };
  // Four files in level 0 start a compaction.
  for (uint64_t t = 1; t <= 8; ++t) {
    WriteBatch batch;
    for (int i = 0; i < 100; ++i) {
      batch.put_version(fmt::format("live{}", i), at(t), "x");
      if (t == 2) {
        batch.put_tombstone(fmt::format("dead{}", i), at(t));
      } else if (t < 2) {
        batch.put_version(fmt::format("dead{}", i), at(t), "x");
      }
    }
    ASSERT_TRUE(engine.write(batch).ok());
    ASSERT_TRUE(engine.flush().ok());
  }
  for (int i = 0; i < 100 && count() > 500; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_LE(count(), 500);
  EXPECT_GE(count(), 100);
  EXPECT_EQ(**get_at(engine, "live7", at(1000)), "x");
  EXPECT_FALSE(get_at(engine, "dead7", at(1000))->has_value());
}

TEST(RocksDbEngine, ReportsDamagedFiles) {
  TemporaryDirectory directory;
  auto opened = open_rocksdb_engine({.directory = directory.path()});
  WriteBatch batch;
  for (int i = 0; i < 20000; ++i) {
    batch.put_version(fmt::format("key{:06}", i), at(1), Bytes(50, static_cast<char>('a' + i % 20)));
  }
  ASSERT_TRUE((*opened)->write(batch).ok());
  ASSERT_TRUE((*opened)->flush().ok());
  int damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    if (entry.path().extension() == ".sst" && entry.file_size() > 20000) {
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
      file.put('\x5a');
      file.put('\x5a');
      ++damaged;
    }
  }
  ASSERT_EQ(damaged, 1);
  EXPECT_TRUE(scan(**opened, {}, at(5)).starts_with("XX001: "));
}

// A compaction meanwhile must not take away a file that is still to be read.
TEST(RocksDbEngine, VerifiesChecksumsWhileCompacting) {
  TemporaryDirectory directory;
  auto opened = open_rocksdb_engine({.directory = directory.path()});
  Engine& engine = **opened;
  const auto add_file = [&](uint64_t t) {
    WriteBatch batch;
    for (int i = 0; i < 100; ++i) {
      batch.put_version(fmt::format("key{}", i), at(t), "x");
    }
    ASSERT_TRUE(engine.write(batch).ok());
    ASSERT_TRUE(engine.flush().ok());
  };
  const auto files = [&] {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      if (entry.path().extension() == ".sst") {
        names.insert(entry.path().filename());
      }
    }
    return names;
  };
  const auto wait_until = [](std::chrono::seconds timeout, auto&& holds) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!holds() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return holds();
  };
  add_file(1);
  add_file(2);
  add_file(3);
  const std::set<std::string> before = files();
  const auto gone = [&] { return !std::ranges::includes(files(), before); };
  bool compacts = false;
  const Status status = engine.verify_checksums([&](uint64_t, uint64_t) {
    if (!std::exchange(compacts, true)) {
      add_file(4);
      EXPECT_FALSE(wait_until(std::chrono::seconds(1), gone));
    }
  });
  EXPECT_TRUE(status.ok()) << status.to_string();
  EXPECT_TRUE(compacts);
  EXPECT_TRUE(wait_until(std::chrono::seconds(60), gone));
}

}  // namespace
}  // namespace pando::storage
