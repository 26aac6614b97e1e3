// Jobs in a store: what is kept of them, and who may write under which term.

#include "catalog/jobs.h"

#include <gtest/gtest.h>

#include "base/codec.h"
#include "catalog/descriptor_codec.h"
#include "runtime/block_on.h"
#include "txn/memory/memory_store.h"

namespace pando::catalog {
namespace {

class IdleTimer final : public runtime::Timer {
 public:
  runtime::TimerId schedule(std::chrono::nanoseconds, std::function<void()>) override { return 1; }
  void cancel(runtime::TimerId) override {}
};

Job sample_job() {
  Job job{.id = 20000,
          .kind = JobKind::kBuildIndex,
          .state = JobState::kReverting,
          .statement = "CREATE INDEX i ON t (v)",
          .table = 16384,
          .place = TableId(16390),
          .index = 16391,
          .constraint = 16392,
          .keeps_constraint = true,
          .not_null = 3,
          .checkpoint = Bytes("a\0b", 3),
          .rows_done = 1024,
          .rows_total = 5000,
          .node = 2,
          .term = 7,
          .claimed_until_ns = 1'700'000'000'000'000'000,
          .cancel_requested = true,
          .created_us = 1,
          .started_us = 2,
          .finished_us = 3};
  job.set_error(Status(sql_state::kUniqueViolation, "could not create unique index \"i\"")
                    .with_detail("Key (v)=(1) is duplicated.")
                    .with_constraint("public", "t", "i"));
  return job;
}

class JobsTest : public testing::Test {
 protected:
  Status store(const Job& job) {
    const auto transaction = store_.begin({.executor = &executor_});
    transaction->begin_statement();
    const Status status = runtime::block_on(executor_, jobs_.put(*transaction, job));
    return status.ok() ? runtime::block_on(executor_, transaction->commit()) : status;
  }
  Status hold(const Job& claimed) {
    const auto transaction = store_.begin({.executor = &executor_});
    transaction->begin_statement();
    return runtime::block_on(executor_, jobs_.hold(*transaction, claimed)).status();
  }

  IdleTimer timer_;
  runtime::InlineExecutor executor_;
  txn::MemoryStore store_{&timer_, {}};
  Jobs jobs_{store_, kPostgresDatabase};
};

TEST_F(JobsTest, AreKeptWithEverything) {
  const Job job = sample_job();
  ASSERT_TRUE(store(job).ok());
  const auto found = runtime::block_on(executor_, jobs_.find(job.id, executor_));
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ(encode(**found), encode(job));
  EXPECT_EQ((*found)->error().to_string(), "23505: could not create unique index \"i\"");
  EXPECT_EQ((*found)->error().fields().detail, "Key (v)=(1) is duplicated.");
  EXPECT_EQ((*found)->error().fields().constraint_name, "i");
  EXPECT_EQ((*found)->checkpoint, job.checkpoint);
  EXPECT_FALSE(runtime::block_on(executor_, jobs_.find(20001, executor_))->has_value());
  // Those of another database are others.
  Jobs elsewhere(store_, 17000);
  EXPECT_TRUE(runtime::block_on(executor_, elsewhere.all(executor_, nullptr))->empty());
  EXPECT_EQ(runtime::block_on(executor_, jobs_.all(executor_, nullptr))->size(), 1);
}

TEST_F(JobsTest, RefuseEveryTruncationAndNewerVersions) {
  Bytes bytes = encode(sample_job());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_TRUE(decode_job(ByteView(bytes).substr(0, cut)).status().is(sql_state::kDataCorrupted)) << cut;
  }
  bytes[0] = 99;
  EXPECT_TRUE(decode_job(bytes).status().is(sql_state::kFeatureNotSupported));
}

TEST_F(JobsTest, RefuseWhatNoJobIs) {
  const auto refused = [](const auto& change) {
    Job job = sample_job();
    change(job);
    return decode_job(encode(job)).status().is(sql_state::kDataCorrupted);
  };
  EXPECT_FALSE(refused([](Job&) {}));
  EXPECT_TRUE(refused([](Job& job) { job.kind = JobKind(0); }));
  EXPECT_TRUE(refused([](Job& job) { job.kind = JobKind(77); }));
  EXPECT_TRUE(refused([](Job& job) { job.state = JobState(0); }));
  EXPECT_TRUE(refused([](Job& job) { job.state = JobState(77); }));
  EXPECT_TRUE(refused([](Job& job) { job.error_code = "235"; }));
  EXPECT_TRUE(refused([](Job& job) { job.error_code = "23505 "; }));
  EXPECT_TRUE(refused([](Job& job) { job.error_code = "2350e"; }));
}

TEST_F(JobsTest, RefuseNumbersThatDoNotFit) {
  // Format version, then the id: 2^32 + 20000.
  Bytes bytes = encode(sample_job());
  const Bytes id = [] {
    Bytes out;
    put_signed_varint(out, 20000);
    return out;
  }();
  ASSERT_EQ(bytes.substr(1, id.size()), id);
  Bytes wide;
  put_signed_varint(wide, (int64_t{1} << 32) + 20000);
  bytes.replace(1, id.size(), wide);
  EXPECT_TRUE(decode_job(bytes).status().is(sql_state::kDataCorrupted));
}

TEST_F(JobsTest, AreHeldUnderTheirTermOnly) {
  Job claimed = sample_job();
  ASSERT_TRUE(store(claimed).ok());
  EXPECT_TRUE(hold(claimed).ok());
  // Another node has taken it over.
  Job taken = claimed;
  taken.node = 3;
  ++taken.term;
  ASSERT_TRUE(store(taken).ok());
  EXPECT_TRUE(hold(claimed).is(sql_state::kObjectNotInPrerequisiteState));
  EXPECT_TRUE(hold(taken).ok());
  taken.state = JobState::kSucceeded;
  ASSERT_TRUE(store(taken).ok());
  EXPECT_TRUE(hold(taken).is(sql_state::kObjectNotInPrerequisiteState));
  taken.id = 1;
  EXPECT_TRUE(hold(taken).is(sql_state::kUndefinedObject));
}

}  // namespace
}  // namespace pando::catalog
