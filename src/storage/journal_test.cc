#include "storage/journal.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "runtime/block_on.h"
#include "storage/journal_format.h"
#include "test/support/memory_disk.h"

namespace pando::storage {
namespace {

using test::MemoryDisk;

constexpr ShardId kA{1};
constexpr ShardId kB{2};

// Writes down what a journal replays.
class Recorder final : public JournalVisitor {
 public:
  Status on_entry(ShardId shard, const JournalEntry& entry) override {
    text += fmt::format("{}:{}/{}={} ", shard.number(), entry.index, entry.term, entry.payload);
    auto& log = logs[shard];
    log.erase(log.lower_bound(entry.index), log.end());
    log[entry.index] = Bytes(entry.payload);
    return Status();
  }
  Status on_hard_state(ShardId shard, const HardState& state) override {
    text += fmt::format("{}:hard({}) ", shard.number(), state.bytes);
    return Status();
  }
  Status on_promise(const LivenessPromise& promise) override {
    text += fmt::format("promise({},{},{}) ", promise.node.number(), promise.epoch, promise.until_ns);
    return Status();
  }
  Status on_truncate(ShardId shard, uint64_t index, uint64_t term) override {
    text += fmt::format("{}:after({},{}) ", shard.number(), index, term);
    return Status();
  }
  Status on_remove(ShardId shard) override {
    text += fmt::format("{}:removed ", shard.number());
    return Status();
  }

  std::string text;
  std::map<ShardId, std::map<uint64_t, Bytes>> logs;
};

class JournalTest : public testing::Test {
 protected:
  void TearDown() override { settle(); }
  // Opens (again) and returns what was replayed, or the error.
  std::string open() {
    if (journal_) {
      // The writer must have come to rest: it works on the journal.
      settle();
      journal_.reset();
    }
    Recorder recorder;
    auto opened = runtime::block_on(executor_, Journal::open(options_, disk_, executor_, &recorder));
    logs_ = recorder.logs;
    if (!opened.ok()) {
      return opened.status().to_string();
    }
    journal_ = std::move(*opened);
    return recorder.text;
  }
  Status append(JournalBatch batch) {
    return runtime::block_on(executor_, journal_->append(std::move(batch), executor_));
  }
  Status append_entry(ShardId shard, uint64_t index, ByteView payload, uint64_t term = 1) {
    JournalBatch batch;
    batch.entry(shard, index, term, payload);
    return append(std::move(batch));
  }
  void close() { runtime::block_on(executor_, journal_->close(executor_)); }
  // Runs what the executor still has to do.
  void settle() {
    runtime::block_on(executor_, [](runtime::Executor* executor) -> Task<void> {
      for (int i = 0; i < 20; ++i) {
        co_await runtime::yield_to(*executor);
      }
    }(&executor_));
  }
  std::vector<Bytes> files() { return *runtime::block_on(executor_, disk_.list("j")); }
  // The path of the last segment file.
  Bytes last_segment() {
    Bytes last;
    for (const Bytes& name : files()) {
      last = name.ends_with(".segment") ? name : last;
    }
    return "j/" + last;
  }

  JournalOptions options_{.directory = "j", .segment_bytes = 8_KiB};
  runtime::InlineExecutor executor_;
  MemoryDisk disk_;
  std::unique_ptr<Journal> journal_;
  std::map<ShardId, std::map<uint64_t, Bytes>> logs_;
};

TEST_F(JournalTest, ReplaysWhatWasAppendedInOrder) {
  EXPECT_EQ(open(), "");
  EXPECT_TRUE(append_entry(kA, 1, "x").ok());
  JournalBatch batch;
  batch.entry(kA, 2, 1, "y");
  batch.entry(kB, 1, 7, "");
  batch.hard_state(kB, {"term 7"});
  batch.promise({NodeId(4), 5, 600});
  EXPECT_TRUE(append(std::move(batch)).ok());
  EXPECT_EQ(journal_->last_index(kA), 2U);
  disk_.crash(nullptr);
  EXPECT_EQ(open(), "1:1/1=x 1:2/1=y 2:1/7= 2:hard(term 7) promise(4,5,600) ");
  EXPECT_EQ(journal_->last_index(kA), 2U);
  EXPECT_EQ(journal_->last_index(kB), 1U);
  EXPECT_EQ(journal_->hard_state(kB), (HardState{"term 7"}));
  EXPECT_EQ(journal_->promises().size(), 1U);
  EXPECT_TRUE(append_entry(kA, 3, "z").ok());
  close();
  EXPECT_EQ(append_entry(kA, 4, "late").code(), sql_state::kAdminShutdown);
  EXPECT_EQ(open(), "1:1/1=x 1:2/1=y 2:1/7= 2:hard(term 7) promise(4,5,600) promise(4,5,600) 1:3/1=z ");
}

TEST_F(JournalTest, EntriesMayReplaceATailButLeaveNoGap) {
  open();
  for (uint64_t i = 1; i <= 5; ++i) {
    EXPECT_TRUE(append_entry(kA, i, "old").ok());
  }
  EXPECT_EQ(append_entry(kA, 7, "gap").to_string(),
            "XX000: entry 7 of shard 1 does not follow its log, which holds 1 to 5");
  EXPECT_TRUE(append_entry(kA, 3, "new", 2).ok());
  EXPECT_EQ(journal_->last_index(kA), 3U);
  EXPECT_FALSE(append_entry(kA, 5, "gap").ok());
  EXPECT_TRUE(append_entry(kA, 4, "new", 2).ok());
  disk_.crash(nullptr);
  open();
  EXPECT_EQ(logs_[kA], (std::map<uint64_t, Bytes>{{1, "old"}, {2, "old"}, {3, "new"}, {4, "new"}}));
}

TEST_F(JournalTest, ARejectedAppendLeavesItsNeighboursAlone) {
  open();
  std::vector<std::string> outcomes;
  const auto note = [&](Status status) { outcomes.emplace_back(status.code().view()); };
  for (const uint64_t index : {1, 2, 9, 3}) {
    JournalBatch batch;
    batch.entry(kA, index, 1, "x");
    journal_->append(std::move(batch), note);
  }
  settle();
  EXPECT_EQ(outcomes, (std::vector<std::string>{"00000", "00000", "XX000", "00000"}));
  EXPECT_EQ(journal_->statistics().sync_count, 1U);
}

// Every way in which the last group can be cut short leaves the groups before it, and a journal that goes on.
TEST_F(JournalTest, CutsATornTailAtEveryByte) {
  open();
  ASSERT_TRUE(append_entry(kA, 1, "first").ok());
  ASSERT_TRUE(append_entry(kA, 2, Bytes(700, 'x')).ok());
  const Bytes path = last_segment();
  const Bytes whole = disk_.contents(path);
  const std::size_t begin = kGroupAlignment;
  const std::size_t end = begin + kGroupHeaderBytes + 700 + 6;
  for (std::size_t cut = begin; cut < end; ++cut) {
    Bytes damaged = whole;
    std::fill(damaged.begin() + static_cast<std::ptrdiff_t>(cut), damaged.end(), '\0');
    disk_.contents(path) = damaged;
    ASSERT_EQ(open(), "1:1/1=first ") << "cut at " << cut;
    ASSERT_EQ(journal_->statistics().torn_bytes > 0, cut > begin + 16) << "cut at " << cut;
  }
  ASSERT_TRUE(append_entry(kA, 2, "again").ok());
  EXPECT_EQ(open(), "1:1/1=first 1:2/1=again ");
}

TEST_F(JournalTest, ReportsDamageBeforeTheTailWithFileAndOffset) {
  open();
  ASSERT_TRUE(append_entry(kA, 1, "first").ok());
  ASSERT_TRUE(append_entry(kA, 2, "second").ok());
  ASSERT_TRUE(append_entry(kA, 3, "third").ok());
  const Bytes path = last_segment();
  const Bytes whole = disk_.contents(path);
  const std::size_t group = kGroupAlignment;
  for (std::size_t bit = 0; bit < (kGroupHeaderBytes + 10) * 8; ++bit) {
    disk_.contents(path) = whole;
    disk_.contents(path)[group + bit / 8] ^= static_cast<char>(1 << (bit % 8));
    ASSERT_EQ(open(),
              "XX001: journal file \"j/0000000000000001.segment\" is damaged at offset 512: group 2 fails its "
              "checksum, but a later group follows at offset 1024")
        << "bit " << bit;
  }
  disk_.contents(path) = whole;
  disk_.contents(path)[3] ^= 1;
  EXPECT_EQ(open(),
            "XX001: journal file \"j/0000000000000001.segment\" is damaged at offset 0: no valid group, but one "
            "follows at offset 512");
}

TEST_F(JournalTest, AClosedJournalHasNoTornTail) {
  open();
  ASSERT_TRUE(append_entry(kA, 1, "first").ok());
  close();
  disk_.contents(last_segment())[40] ^= 1;
  EXPECT_TRUE(open().starts_with("XX001: ")) << open();
}

TEST_F(JournalTest, FindsALostSegment) {
  open();
  for (uint64_t i = 1; i <= 60; ++i) {
    ASSERT_TRUE(append_entry(kA, i, Bytes(300, 'x')).ok());
  }
  ASSERT_GE(files().size(), 3U);
  ASSERT_TRUE(runtime::block_on(executor_, disk_.remove("j/" + files()[1])).ok());
  EXPECT_NE(open().find("but the next segment begins with group"), std::string::npos);
}

TEST_F(JournalTest, RecyclesSegmentsOnceEveryShardReleasedThem) {
  options_.spare_segments_max = 2;
  open();
  ASSERT_TRUE(append_entry(kB, 1, "pins the first segment").ok());
  JournalBatch batch;
  batch.hard_state(kB, {"term 3"});
  ASSERT_TRUE(append(std::move(batch)).ok());
  uint64_t index = 0;
  const auto fill = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(append_entry(kA, ++index, Bytes(900, 'x')).ok());
      journal_->release(kA, index);
    }
  };
  fill(40);
  settle();
  const auto pinned = journal_->statistics();
  EXPECT_GE(pinned.segment_count, 6U);
  journal_->release(kB, 1);
  settle();
  EXPECT_EQ(journal_->statistics().segment_count, 1U);
  EXPECT_EQ(journal_->statistics().spare_segment_count, 2U);
  fill(200);
  settle();
  EXPECT_LE(files().size(), 4U);
  disk_.crash(nullptr);
  const std::string replayed = open();
  // B's state survives although its segments are gone.
  EXPECT_TRUE(replayed.find("2:hard(term 3) 2:after(1,1) ") != std::string::npos) << replayed.substr(0, 100);
  EXPECT_EQ(journal_->last_index(kA), index);
  EXPECT_EQ(journal_->last_index(kB), 1U);
  EXPECT_TRUE(append_entry(kB, 2, "goes on").ok());
}

// A follower's tail was replaced, in the segment after; then all of it was flushed and the first segment went.
TEST_F(JournalTest, ReplacedEntriesMayOutliveWhatTheyReplaced) {
  open();
  JournalBatch first;
  JournalBatch second;
  for (uint64_t index = 1; index <= 20; ++index) {
    first.entry(kA, index, 1, "first");
    if (index >= 15) {
      second.entry(kA, index, 2, "second");
    }
  }
  ASSERT_TRUE(append(std::move(first)).ok());
  // Fills segments without pinning them.
  uint64_t filler = 0;
  const auto next_segment = [&] {
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(append_entry(kB, ++filler, Bytes(options_.segment_bytes * 2 / 3, 'f')).ok());
      journal_->release(kB, filler);
    }
  };
  next_segment();
  ASSERT_TRUE(append(std::move(second)).ok());
  journal_->release(kA, 20);
  next_segment();
  const std::string replayed = open();
  EXPECT_FALSE(replayed.starts_with("XX001")) << replayed.substr(0, 200);
  EXPECT_EQ(replayed.find("first"), std::string::npos) << "the first segment is still there: nothing was tested";
}

TEST_F(JournalTest, HoldsBatchesLargerThanASegment) {
  open();
  ASSERT_TRUE(append_entry(kA, 1, Bytes(100000, 'x')).ok());
  ASSERT_TRUE(append_entry(kA, 2, "small").ok());
  disk_.crash(nullptr);
  open();
  EXPECT_EQ(logs_[kA][1].size(), 100000U);
  EXPECT_EQ(logs_[kA][2], "small");
}

TEST_F(JournalTest, TruncatesAndRemovesShards) {
  open();
  for (uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(append_entry(kA, i, "x").ok());
  }
  JournalBatch batch;
  batch.truncate(kA, 10, 4);
  batch.entry(kA, 11, 4, "after a snapshot");
  batch.entry(kB, 1, 1, "b");
  batch.remove(kB);
  ASSERT_TRUE(append(std::move(batch)).ok());
  EXPECT_EQ(journal_->last_index(kA), 11U);
  EXPECT_EQ(journal_->last_index(kB), 0U);
  EXPECT_FALSE(append_entry(kA, 10, "x").ok());
  EXPECT_EQ(open(), "1:1/1=x 1:2/1=x 1:3/1=x 1:after(10,4) 1:11/4=after a snapshot 2:1/1=b 2:removed ");
  EXPECT_EQ(journal_->last_index(kA), 11U);
}

TEST_F(JournalTest, ReadsEntriesBack) {
  open();
  for (uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(append_entry(kA, i, fmt::format("a{}", i)).ok());
    ASSERT_TRUE(append_entry(kB, i, fmt::format("b{}", i)).ok());
  }
  ASSERT_TRUE(append_entry(kA, 40, "a40 again", 2).ok());
  ASSERT_TRUE(append_entry(kA, 41, "a41 again", 2).ok());
  const auto read = [&](uint64_t first, uint64_t last, std::size_t bytes_max) {
    auto got = runtime::block_on(executor_, journal_->read(kA, first, last, bytes_max, executor_));
    std::string text;
    if (!got.ok()) {
      return got.status().to_string();
    }
    for (const JournalEntry& entry : got->entries) {
      text += fmt::format("{}/{}={} ", entry.index, entry.term, entry.payload);
    }
    return text;
  };
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(read(1, 2, 1000), "1/1=a1 2/1=a2 ");
    EXPECT_EQ(read(38, 41, 1000), "38/1=a38 39/1=a39 40/2=a40 again 41/2=a41 again ");
    EXPECT_EQ(read(1, 41, 5), "1/1=a1 2/1=a2 ");
    EXPECT_EQ(read(1, 41, 0), "1/1=a1 ");
    EXPECT_EQ(read(42, 42, 10), "XX000: the journal does not hold entry 42 of shard 1");
    open();
  }
}

TEST_F(JournalTest, AFullDiskRefusesWritesUntilThereIsRoom) {
  open();
  disk_.set_capacity(16_KiB);
  uint64_t index = 0;
  Status status;
  while (status.ok()) {
    status = append_entry(kA, ++index, Bytes(400, 'x'));
    ASSERT_LT(index, 100U);
  }
  EXPECT_EQ(status.to_string(),
            "53100: could not write to file \"j/0000000000000003.segment\": No space left on device");
  EXPECT_EQ(append_entry(kA, index, "x").code(), sql_state::kDiskFull);
  EXPECT_EQ(journal_->statistics().error.code(), sql_state::kDiskFull);
  EXPECT_EQ(journal_->last_index(kA), index - 1);
  EXPECT_TRUE(runtime::block_on(executor_, journal_->read(kA, 1, 3, 1000, executor_)).ok());
  disk_.set_capacity(64_KiB);
  EXPECT_EQ(append_entry(kA, index + 1, "gap").code(), sql_state::kInternalError);
  EXPECT_TRUE(append_entry(kA, index, "there is room").ok());
  EXPECT_TRUE(journal_->statistics().error.ok());
  disk_.crash(nullptr);
  open();
  EXPECT_EQ(logs_[kA].size(), index);
  EXPECT_EQ(logs_[kA][index], "there is room");
}

// A failed sync leaves the group's fate open; the next append settles that it never was.
TEST_F(JournalTest, AFailedSyncIsVoidedByTheNextAppend) {
  for (const auto operation : {MemoryDisk::Operation::kSync, MemoryDisk::Operation::kWrite}) {
    disk_.set_fault(nullptr);
    MemoryDisk::Operation failing = operation;
    open();
    const uint64_t last = journal_->last_index(kA);
    ASSERT_TRUE(append_entry(kA, last + 1, "durable").ok());
    disk_.set_fault([failing](MemoryDisk::Operation op, const Bytes& path) {
      return op == failing ? Status(sql_state::kIoError, "could not fsync file \"{}\": Input/output error", path)
                           : Status();
    });
    std::vector<std::string> outcomes;
    for (uint64_t i = 2; i <= 4; ++i) {
      JournalBatch batch;
      batch.entry(kA, last + i, 1, "failed");
      journal_->append(std::move(batch), [&](Status status) { outcomes.emplace_back(status.code().view()); });
    }
    settle();
    EXPECT_EQ(outcomes, std::vector<std::string>(3, "58030"));
    EXPECT_EQ(append_entry(kA, last + 2, "failed too").code(), sql_state::kIoError);
    EXPECT_EQ(journal_->last_index(kA), last + 1);
    disk_.set_fault(nullptr);
    ASSERT_TRUE(append_entry(kA, last + 2, "healed").ok());
    // The failed group did reach the file, as MemoryDisk keeps what is current.
    open();
    EXPECT_EQ(journal_->last_index(kA), last + 2);
    EXPECT_EQ(logs_[kA][last + 2], "healed");
  }
}

// Kernels forget what a sync failed to write, and the next one succeeds without it ("fsyncgate"): nothing may be
// acknowledged by a second sync of the same file.
TEST_F(JournalTest, AfterAFailedSyncNothingIsTrustedToItsFile) {
  open();
  uint64_t index = 0;
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(append_entry(kA, ++index, "durable").ok());
    // Once in a segment that holds something already, and then in one that is fresh.
    for (int failures = 0; failures < 2; ++failures) {
      disk_.set_fault([](MemoryDisk::Operation op, const Bytes& path) {
        return op == MemoryDisk::Operation::kSync ? Status(sql_state::kIoError, "no") : Status();
      });
      EXPECT_EQ(append_entry(kA, index + 1, "failed").code(), sql_state::kIoError);
      disk_.set_fault(nullptr);
    }
    ASSERT_TRUE(append_entry(kA, ++index, "healed").ok());
    settle();
    journal_.reset();
    disk_.crash(nullptr);
    open();
    ASSERT_EQ(logs_[kA].size(), index) << "round " << round;
    EXPECT_EQ(logs_[kA][index], "healed");
  }
}

TEST_F(JournalTest, AVisitorsErrorEndsOpen) {
  class Refusing final : public JournalVisitor {
    Status on_entry(ShardId, const JournalEntry&) override { return Status(sql_state::kInternalError, "no"); }
  };
  open();
  ASSERT_TRUE(append_entry(kA, 1, "x").ok());
  Refusing visitor;
  EXPECT_EQ(runtime::block_on(executor_, Journal::open(options_, disk_, executor_, &visitor)).status().to_string(),
            "XX000: no");
}

// What is acknowledged is there after any crash, and nothing that was not submitted.
class JournalCrash : public JournalTest, public testing::WithParamInterface<uint64_t> {};

TEST_P(JournalCrash, KeepsWhatItAcknowledged) {
  Prng prng(GetParam());
  std::map<ShardId, uint64_t> acknowledged;
  std::map<ShardId, uint64_t> released;
  for (int life = 0; life < 30; ++life) {
    disk_.set_fault(nullptr);
    const std::string replayed = open();
    ASSERT_TRUE(journal_) << replayed;
    for (const ShardId shard : {kA, kB}) {
      ASSERT_GE(journal_->last_index(shard), acknowledged[shard]);
      ASSERT_LE(journal_->last_index(shard), acknowledged[shard] + 8);
      acknowledged[shard] = journal_->last_index(shard);
      for (uint64_t i = released[shard] + 1; i <= acknowledged[shard]; ++i) {
        ASSERT_EQ(logs_[shard][i].substr(0, 8), fmt::format("{:08}", i)) << "life " << life;
      }
    }
    int64_t countdown = prng.between(0, 120);
    const bool heals = prng.chance(0.5);
    disk_.set_fault([&](MemoryDisk::Operation op, const Bytes& path) {
      if (countdown-- > 0 || (heals && countdown < -5)) {
        return Status();
      }
      return Status(sql_state::kIoError, "injected");
    });
    auto submitted = acknowledged;
    for (int step = 0; step < 60; ++step) {
      const ShardId shard = prng.chance(0.5) ? kA : kB;
      for (int64_t burst = prng.between(1, 4); burst > 0; --burst) {
        JournalBatch batch;
        const uint64_t index = ++submitted[shard];
        batch.entry(shard, index, 1, fmt::format("{:08}", index) + Bytes(prng.below(1500), 'x'));
        journal_->append(std::move(batch), [&, shard, index](Status status) {
          if (status.ok()) {
            acknowledged[shard] = index;
          }
        });
      }
      if (prng.chance(0.7)) {
        settle();
        submitted = {{kA, journal_->last_index(kA)}, {kB, journal_->last_index(kB)}};
      }
      if (prng.chance(0.1)) {
        released[shard] = acknowledged[shard];
        journal_->release(shard, released[shard]);
      }
    }
    settle();
    disk_.set_fault(nullptr);
    disk_.crash(&prng);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, JournalCrash, testing::Range<uint64_t>(1, 21));

}  // namespace
}  // namespace pando::storage
