// Several nodes on one store: each has a catalog and sequences of its own.

#include <gtest/gtest.h>

#include "catalog/catalog.h"
#include "catalog/relation_forms.h"
#include "catalog/sequences.h"
#include "runtime/block_on.h"
#include "txn/memory/memory_store.h"

namespace pando::catalog {
namespace {

// Time passes where somebody waits for it, and when the test says so.
class SteppedClock final : public runtime::Clock, public runtime::Timer {
 public:
  uint64_t wall_ns() override { return now_ns_; }
  uint64_t monotonic_ns() override { return now_ns_; }
  runtime::TimerId schedule(std::chrono::nanoseconds delay, std::function<void()> callback) override {
    pass(delay);
    callback();
    return 1;
  }
  void cancel(runtime::TimerId) override {}
  void pass(std::chrono::nanoseconds time) { now_ns_ += static_cast<uint64_t>(time.count()); }

 private:
  uint64_t now_ns_ = 1'000'000'000'000;
};

class SharedStoreTest : public testing::Test {
 protected:
  static int64_t next(Sequences& sequences, const SequencePtr& sequence) {
    runtime::InlineExecutor executor;
    std::vector<int64_t> values;
    Status status;
    while (!sequences.try_next(*sequence, 1, values, status)) {
      EXPECT_TRUE(runtime::block_on(executor, sequences.reserve(sequence, 1, executor)).ok());
    }
    EXPECT_TRUE(status.ok());
    return values.empty() ? -1 : values.front();
  }

  SteppedClock clock_;
  runtime::InlineExecutor executor_;
  txn::MemoryStore store_{&clock_, {}};
};

TEST_F(SharedStoreTest, ANodeFollowsSetvalOnAnother) {
  const auto sequence = std::make_shared<const SequenceDescriptor>(
      SequenceDescriptor{.oid = 16384, .name = "s", .start = 1, .increment = 1, .min = 1, .max = 1'000'000});
  const SequenceSharing sharing{.clock = &clock_, .timer = &clock_};
  Sequences one(store_, sharing);
  Sequences two(store_, sharing);
  EXPECT_EQ(next(one, sequence), 1);
  EXPECT_EQ(next(one, sequence), 2);
  const int64_t first_of_two = next(two, sequence);
  EXPECT_GT(first_of_two, 2);
  EXPECT_TRUE(runtime::block_on(executor_, one.set(sequence, {500, true}, executor_)).ok());
  EXPECT_EQ(next(two, sequence), 501);
  EXPECT_GT(next(one, sequence), 501);
  // Nobody else has taken values since: none is skipped when a block is renewed.
  const int64_t before = next(one, sequence);
  clock_.pass(std::chrono::seconds(10));
  EXPECT_EQ(next(one, sequence), before + 1);
}

TEST_F(SharedStoreTest, AStartingNodeRemovesItsOwnTemporaryObjectsOnly) {
  const auto open = [&](uint32_t node) {
    auto catalog = std::make_unique<Catalog>(store_, CatalogOptions{.node = node});
    EXPECT_TRUE(runtime::block_on(executor_, catalog->open(executor_)).ok());
    return catalog;
  };
  const auto first = open(1);
  for (const uint32_t node : {1U, 2U, 12U}) {
    auto transaction = store_.begin({.executor = &executor_});
    transaction->begin_statement();
    CatalogTransaction view(*first, *transaction);
    auto schema = std::make_shared<SchemaDescriptor>();
    schema->oid = 20000 + node;
    schema->name = temporary_schema_prefix(node) + "7";
    EXPECT_TRUE(runtime::block_on(executor_, view.put(SchemaPtr(schema))).ok());
    EXPECT_TRUE(runtime::block_on(executor_, transaction->commit()).ok());
  }
  const auto restarted = open(1);
  EXPECT_EQ(restarted->current()->find_schema("pg_temp_1_7"), nullptr);
  EXPECT_NE(restarted->current()->find_schema("pg_temp_2_7"), nullptr);
  EXPECT_NE(restarted->current()->find_schema("pg_temp_12_7"), nullptr);
}

}  // namespace
}  // namespace pando::catalog
