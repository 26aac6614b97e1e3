// BulkWrites against a WriteBuffer that holds everything.

#include "kv/bulk_writes.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "runtime/block_on.h"
#include "runtime/os/dedicated_executor.h"
#include "storage/memory/memory_engine.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "test/support/temporary_directory.h"

namespace pando::kv {
namespace {

using txn::WriteBuffer;

std::string show(const WriteBuffer::Write& write) {
  return fmt::format("{}={} ", write.key, write.value.has_value() ? Bytes(*write.value) : "(erased)");
}

template <typename Walk>
std::string show_all(Walk&& walk) {
  std::string all;
  for (; walk.valid(); walk.step()) {
    all += show(walk.write());
  }
  return all;
}

class BulkWritesTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      engine_ = *storage::open_rocksdb_engine({.directory = directory_.path()});
    } else {
      engine_ = storage::open_memory_engine({});
    }
  }

  test::TemporaryDirectory directory_;
  std::unique_ptr<storage::Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Engines, BulkWritesTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "rocksdb" : "memory"; });

// The same random history in both: puts, erasures, marks, rollbacks, with spills in between that only one of them has.
class Histories {
 public:
  Histories(uint64_t seed, RunFiles& files, runtime::Executor* background)
      : prng_(seed), bulk_(first_, {.files = files, .executor = executor_, .background = background}) {}

  void step() {
    const Bytes key = fmt::format("key {}", prng_.below(30));
    switch (prng_.below(12)) {
      case 0:
        ASSERT_TRUE(runtime::block_on(executor_, bulk_.spill()).ok());
        break;
      case 1:
        marks_.push_back({bulk_.mark(), all_.mark()});
        break;
      case 2:
        if (!marks_.empty()) {
          marks_.resize(1 + prng_.below(marks_.size()));
          bulk_.rollback_to(marks_.back().first);
          all_.rollback_to(marks_.back().second);
        }
        break;
      case 3:
        bulk_.erase(key);
        all_.erase(key);
        break;
      default: {
        const Bytes value = std::to_string(prng_.next());
        bulk_.put(key, value);
        all_.put(key, value);
      }
    }
  }

  void compare() {
    std::vector<Marks> marks = marks_;
    marks.push_back({bulk_.mark(), all_.mark()});
    EXPECT_EQ(bulk_.empty(), all_.empty());
    for (const auto& [mark, mark_of_all] : marks) {
      const txn::Span span{prng_.chance(0.5) ? Bytes() : fmt::format("key {}", prng_.below(30)),
                           prng_.chance(0.5) ? Bytes() : fmt::format("key {}", prng_.below(30))};
      for (const bool reverse : {false, true}) {
        const auto walk = bulk_.walk(mark, span, reverse);
        EXPECT_EQ(show_all(*walk), show_all(WriteBuffer::Walk(all_, mark_of_all, span.start, span.end, reverse)));
        EXPECT_TRUE(walk->status().ok());
      }
      EXPECT_TRUE(bulk_.touches(mark, span.start, span.end) || !all_.touches(mark_of_all, span.start, span.end));
      const Bytes key = fmt::format("key {}", prng_.below(30));
      const auto found = *bulk_.find(key, mark);
      const auto expected = all_.find(key, mark_of_all);
      ASSERT_EQ(found.has_value(), expected.has_value()) << key << " at " << mark;
      if (found.has_value()) {
        EXPECT_EQ(*found, expected->value.has_value() ? std::optional<Bytes>(*expected->value) : std::nullopt);
      }
    }
  }

  // What a commit makes of it.
  void finish(storage::RunStore& runs) {
    const auto parts = *runtime::block_on(executor_, bulk_.finish());
    const auto contents = *BulkContents::open(runs, parts);
    EXPECT_EQ(show_all(*contents.walk({})), show_all(all_.walk()));
    std::string pieces;
    for (const txn::Span& span : contents.split({}, 3)) {
      pieces += show_all(*contents.walk(span));
    }
    EXPECT_EQ(pieces, show_all(all_.walk()));
  }

 private:
  // Of the one and of the other: a spill numbers a write anew that would replace the one before.
  using Marks = std::pair<WriteBuffer::Mark, WriteBuffer::Mark>;

  // What came before, in both.
  static std::shared_ptr<WriteBuffer> first_writes(Prng& prng, WriteBuffer& all) {
    auto first = std::make_shared<WriteBuffer>();
    for (uint64_t count = prng.below(20); count > 0; --count) {
      const Bytes key = fmt::format("key {}", prng.below(30));
      first->put(key, "first");
      all.put(key, "first");
    }
    return first;
  }

  Prng prng_;
  WriteBuffer all_;
  runtime::InlineExecutor executor_;
  const std::shared_ptr<WriteBuffer> first_ = first_writes(prng_, all_);
  BulkWrites bulk_;
  std::vector<Marks> marks_;
};

TEST_P(BulkWritesTest, BehavesAsOneBuffer) {
  RunFiles files(engine_->runs());
  runtime::DedicatedExecutor background("background");
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Histories histories(seed, files, seed % 2 == 0 ? &background : nullptr);
    for (int i = 0; i < 300; ++i) {
      histories.step();
      if (i % 10 == 0) {
        histories.compare();
      }
      ASSERT_FALSE(HasFatalFailure());
    }
    histories.finish(*engine_->runs());
  }
  background.stop();
  EXPECT_TRUE(engine_->runs()->list()->empty());
}

TEST_P(BulkWritesTest, StartsOnTopOfAFullBuffer) {
  RunFiles files(engine_->runs());
  runtime::InlineExecutor executor;
  const auto first = std::make_shared<WriteBuffer>();
  first->put("a", "1");
  first->put("b", "1");
  const auto before = first->mark();
  first->put("c", "1");
  BulkWrites bulk(first, {.files = files, .executor = executor});
  const auto spill = [&] { return runtime::block_on(executor, bulk.spill()).ok(); };
  bulk.put("a", "2");
  ASSERT_TRUE(spill());
  bulk.erase("b");
  EXPECT_EQ(show_all(*bulk.walk(bulk.mark(), {}, false)), "a=2 b=(erased) c=1 ");
  EXPECT_EQ(show_all(*bulk.walk(before, {}, false)), "a=1 b=1 ");
  // A walk goes on seeing what it saw.
  const auto walk = bulk.walk(before, {}, true);
  ASSERT_TRUE(spill());
  bulk.rollback_to(before);
  bulk.put("d", "3");
  EXPECT_EQ(show_all(*walk), "b=1 a=1 ");
  EXPECT_EQ(show_all(*bulk.walk(bulk.mark(), {}, false)), "a=1 b=1 d=3 ");
  EXPECT_EQ(engine_->runs()->list()->size(), 1);
  const auto parts = *runtime::block_on(executor, bulk.finish());
  EXPECT_EQ(parts.size(), 2);
  EXPECT_EQ(show_all(*BulkContents::open(*engine_->runs(), parts)->walk({"b", "d"})), "b=1 ");
  bulk.release();
  EXPECT_EQ(engine_->runs()->list()->size(), 2);
}

// An executor that runs what is posted when told.
class HeldExecutor final : public runtime::Executor {
 public:
  void post(std::coroutine_handle<> handle) override { held_.push_back(handle); }
  void run() {
    for (const auto handle : std::exchange(held_, {})) {
      handle.resume();
    }
  }

 private:
  std::vector<std::coroutine_handle<>> held_;
};

TEST_P(BulkWritesTest, WhatIsOnItsWayIsReadAndMayBeRolledBack) {
  RunFiles files(engine_->runs());
  runtime::InlineExecutor executor;
  HeldExecutor background;
  const auto first = std::make_shared<WriteBuffer>();
  first->put("a", "1");
  const auto before = first->mark();
  first->put("a", "2");
  first->put("b", "2");
  {
    BulkWrites bulk(first, {.files = files, .executor = executor, .background = &background});
    ASSERT_TRUE(runtime::block_on(executor, bulk.spill()).ok());
    bulk.put("c", "3");
    EXPECT_EQ(show_all(*bulk.walk(bulk.mark(), {}, false)), "a=2 b=2 c=3 ");
    EXPECT_TRUE(bulk.touches(bulk.mark(), "b", "c"));
    bulk.rollback_to(before);
    EXPECT_EQ(show_all(*bulk.walk(bulk.mark(), {}, false)), "a=1 ");
    EXPECT_FALSE(bulk.touches(bulk.mark(), "b", "c"));
    EXPECT_EQ(bulk.find("a").value().value(), "1");
    bulk.rollback_to(0);
    EXPECT_TRUE(bulk.empty());
    background.run();
    bulk.put("d", "4");
    ASSERT_TRUE(runtime::block_on(executor, bulk.spill()).ok());
    // The run of what was rolled back is gone.
    EXPECT_TRUE(engine_->runs()->list()->empty());
    EXPECT_EQ(show_all(*bulk.walk(bulk.mark(), {}, false)), "d=4 ");
  }
  // The transaction ends before its buffer is written.
  background.run();
  EXPECT_TRUE(engine_->runs()->list()->empty());
}

TEST_P(BulkWritesTest, ABulkCommitIsCutIntoEvenPieces) {
  constexpr int kKeys = 20'000;
  constexpr std::size_t kPieces = 4;
  RunFiles files(engine_->runs());
  runtime::InlineExecutor executor;
  BulkWrites bulk(std::make_shared<WriteBuffer>(), {.files = files, .executor = executor});
  // One run holds the first half, the others lie all over the rest.
  for (int i = 0; i < kKeys; ++i) {
    bulk.put(fmt::format("key {:05}", i < kKeys / 2 ? i : kKeys / 2 + i * 7919 % (kKeys / 2)), Bytes(100, 'x'));
    if (i % (kKeys / 4) == 0 && i >= kKeys / 2) {
      ASSERT_TRUE(runtime::block_on(executor, bulk.spill()).ok());
    }
  }
  const auto parts = *runtime::block_on(executor, bulk.finish());
  const auto contents = *BulkContents::open(*engine_->runs(), parts);
  const auto spans = contents.split({}, kPieces);
  EXPECT_EQ(spans.size(), kPieces);
  for (const txn::Span& span : spans) {
    int count = 0;
    for (const auto walk = contents.walk(span); walk->valid(); walk->step()) {
      ++count;
    }
    EXPECT_NEAR(count, kKeys / static_cast<int>(kPieces), kKeys / 20);
  }
}

}  // namespace
}  // namespace pando::kv
