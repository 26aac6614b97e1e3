// What KvStore promises when the machine or its disk fails: every acknowledged commit is there after a restart, and no
// part of any other.

#include <gtest/gtest.h>

#include "base/prng.h"
#include "test/txn/kv_node.h"

namespace pando::kv {
namespace {

using test::KvNode;
using test::MemoryDisk;
using txn::LockStrength;
using txn::WaitPolicy;

using Model = std::map<Bytes, Bytes>;

std::unique_ptr<txn::Transaction> begin(KvNode& node) {
  auto transaction = node.store().begin({.executor = &node.executor()});
  transaction->begin_statement();
  return transaction;
}

Status commit(KvNode& node, const std::map<Bytes, std::optional<Bytes>>& writes) {
  const auto transaction = begin(node);
  for (const auto& [key, value] : writes) {
    PANDO_TRY(
        runtime::block_on(node.executor(), transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
    PANDO_TRY(value.has_value() ? transaction->put(key, *value) : transaction->erase(key));
  }
  return runtime::block_on(node.executor(), transaction->commit());
}

Model contents(KvNode& node) {
  const auto transaction = begin(node);
  const auto cursor = transaction->scan({}, {});
  Model rows;
  KeyValueBatch batch;
  do {
    EXPECT_TRUE(runtime::block_on(node.executor(), cursor->next(batch, 100)).ok());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      rows.emplace(batch.key(i), batch.value(i));
    }
  } while (batch.size() > 0);
  return rows;
}

// From the second lock on each makes the transaction move what it wrote into sorted runs.
constexpr std::size_t kSpillAtOnce = 1;

TEST(Crash, EveryAcknowledgedCommitIsThereAfterwards) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Prng prng(seed);
    KvOptions options{.initial_splits = {"b", "c"}};
    if (seed % 2 == 0) {
      options.spill_bytes = kSpillAtOnce;
    }
    KvNode node(std::move(options));
    Model model;
    for (int round = 0; round < 4; ++round) {
      ASSERT_EQ(node.open().to_string(), "OK");
      ASSERT_EQ(contents(node), model);
      for (int i = 0; i < 40; ++i) {
        std::map<Bytes, std::optional<Bytes>> writes;
        for (uint64_t key = 0; key <= prng.below(4); ++key) {
          const Bytes name = std::string(1, static_cast<char>('a' + prng.below(4))) + std::to_string(prng.below(20));
          writes[name] = prng.chance(0.2) ? std::nullopt : std::optional<Bytes>(std::to_string(prng.next()));
        }
        ASSERT_EQ(commit(node, writes).to_string(), "OK");
        for (const auto& [key, value] : writes) {
          value.has_value() ? static_cast<void>(model[key] = *value) : static_cast<void>(model.erase(key));
        }
        if (prng.chance(0.05)) {
          ASSERT_TRUE(node.engine().flush().ok());
        }
      }
      if (prng.chance(0.3)) {
        EXPECT_EQ(node.close().to_string(), "OK");
      } else {
        node.crash(prng.chance(0.5) ? &prng : nullptr);
      }
    }
  }
}

TEST(Crash, ACleanCloseLeavesNothingToReplay) {
  KvNode node;
  ASSERT_TRUE(node.open().ok());
  ASSERT_TRUE(commit(node, {{"a", "1"}}).ok());
  ASSERT_TRUE(node.close().ok());
  ASSERT_TRUE(node.open().ok());
  EXPECT_EQ(node.store().statistics().replayed_entries, 0);
  EXPECT_EQ(contents(node), (Model{{"a", "1"}}));
}

TEST(Crash, TimestampsAndTransactionIdsGoOnRising) {
  KvNode node;
  ASSERT_TRUE(node.open().ok());
  ASSERT_TRUE(commit(node, {{"a", "1"}}).ok());
  auto before = begin(node);
  const auto snapshot = before->read_timestamp();
  const auto id = before->id();
  before.reset();
  ASSERT_TRUE(commit(node, {{"a", "2"}}).ok());
  node.crash();
  ASSERT_TRUE(node.open().ok());
  const auto after = begin(node);
  EXPECT_GT(after->read_timestamp(), snapshot);
  EXPECT_GT(after->id(), id);
}

TEST(Crash, ACommitOverSeveralShardsIsOneJournalRecord) {
  KvNode node({.initial_splits = {"b", "c"}});
  ASSERT_TRUE(node.open().ok());
  ASSERT_TRUE(commit(node, {{"a", "0"}, {"b", "0"}, {"c", "0"}}).ok());
  // The journal's file as it was before and after one more commit.
  const Bytes path = runtime::block_on(node.executor(), node.disk().list("journal"))->front();
  const Bytes file = "journal/" + path;
  const Bytes before = node.disk().contents(file);
  ASSERT_TRUE(commit(node, {{"a", "1"}, {"b", "1"}, {"c", "1"}}).ok());
  const Bytes after = node.disk().contents(file);
  std::size_t first = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const bool differs = i >= before.size() || before[i] != after[i];
    first = differs && last == 0 ? i : first;
    last = differs ? i + 1 : last;
  }
  ASSERT_GT(last, first);
  node.crash();
  const Bytes durable = node.disk().contents(file);
  // The last record is cut at every byte: all three rows change, or none.
  for (std::size_t end = first; end <= last; ++end) {
    SCOPED_TRACE(end);
    Bytes& contents_now = node.disk().contents(file);
    contents_now = durable;
    std::fill(contents_now.begin() + static_cast<std::ptrdiff_t>(end),
              contents_now.begin() + static_cast<std::ptrdiff_t>(last), '\0');
    const auto keep = node.disk().contents(file);
    ASSERT_EQ(node.open().to_string(), "OK");
    const Bytes value = end == last ? "1" : "0";
    EXPECT_EQ(contents(node), (Model{{"a", value}, {"b", value}, {"c", value}}));
    node.crash();
  }
}

TEST(Crash, RunsGoOnceNothingNamesThem) {
  KvNode node({.spill_bytes = kSpillAtOnce});
  const auto runs = [&] { return node.engine().runs()->list()->size(); };
  ASSERT_TRUE(node.open().ok());
  ASSERT_TRUE(commit(node, {{"a", "1"}, {"b", "1"}, {"c", "1"}}).ok());
  EXPECT_EQ(contents(node), (Model{{"a", "1"}, {"b", "1"}, {"c", "1"}}));
  // They go after the commit is told, and before the next one is.
  ASSERT_TRUE(commit(node, {{"d", "1"}}).ok());
  EXPECT_EQ(runs(), 0);
  {
    // One that rolls back.
    const auto transaction = begin(node);
    for (const Bytes key : {"e", "f", "g", "h"}) {
      ASSERT_TRUE(
          runtime::block_on(node.executor(), transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
      ASSERT_TRUE(transaction->put(key, "1").ok());
    }
    EXPECT_GT(runs(), 0);
  }
  EXPECT_EQ(runs(), 0);
  // A crash leaves those of an unfinished transaction behind; the restart removes them.
  auto unfinished = *node.engine().runs()->create(storage::RunId(1000));
  ASSERT_TRUE(unfinished->add("x", 1, "1").ok());
  ASSERT_TRUE(unfinished->finish().ok());
  node.crash();
  ASSERT_EQ(node.open().to_string(), "OK");
  EXPECT_EQ(runs(), 0);
  EXPECT_EQ(contents(node), (Model{{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}}));
}

TEST(Crash, ARunThatIsGoneIsDamage) {
  KvNode node({.spill_bytes = kSpillAtOnce});
  ASSERT_TRUE(node.open().ok());
  // Keeps the state from being flushed, and with it the runs from going.
  auto before = node.engine().after_crash();
  ASSERT_TRUE(commit(node, {{"a", "1"}, {"b", "1"}, {"c", "1"}}).ok());
  ASSERT_TRUE(node.close().ok());
  EXPECT_EQ(node.open(before.get()).code(), sql_state::kDataCorrupted);
}

TEST(Crash, AFailedBulkCommitIsUndoneAndItsRunsAreKeptUntilThatIsSure) {
  KvNode node({.spill_bytes = kSpillAtOnce});
  const auto runs = [&] { return node.engine().runs()->list()->size(); };
  ASSERT_TRUE(node.open().ok());
  ASSERT_TRUE(commit(node, {{"a", "1"}}).ok());
  node.disk().set_fault([](MemoryDisk::Operation operation, const Bytes&) {
    return operation == MemoryDisk::Operation::kSync ? Status(sql_state::kIoError, "could not sync") : Status();
  });
  EXPECT_EQ(commit(node, {{"a", "2"}, {"b", "2"}, {"c", "2"}}).code(), sql_state::kIoError);
  EXPECT_EQ(contents(node), (Model{{"a", "1"}}));
  // The failed record may be on the disk, and what it names with it.
  EXPECT_GT(runs(), 0);
  node.disk().set_fault(nullptr);
  EXPECT_EQ(commit(node, {{"d", "3"}}).to_string(), "OK");
  node.timer().advance(KvOptions().garbage_interval);
  EXPECT_EQ(runs(), 0);
  node.crash();
  ASSERT_EQ(node.open().to_string(), "OK");
  EXPECT_EQ(contents(node), (Model{{"a", "1"}, {"d", "3"}}));
}

TEST(Crash, AFullDiskRefusesCommitsAndLosesNothing) {
  KvNode node;
  ASSERT_TRUE(node.open().ok());
  ASSERT_TRUE(commit(node, {{"a", "1"}}).ok());
  node.disk().set_fault([](MemoryDisk::Operation operation, const Bytes&) {
    const bool writes = operation == MemoryDisk::Operation::kWrite || operation == MemoryDisk::Operation::kAllocate;
    return writes ? Status(sql_state::kDiskFull, "could not write: No space left on device") : Status();
  });
  EXPECT_EQ(commit(node, {{"a", "2"}, {"b", "2"}}).code(), sql_state::kDiskFull);
  EXPECT_EQ(commit(node, {{"c", "2"}}).code(), sql_state::kDiskFull);
  EXPECT_EQ(contents(node), (Model{{"a", "1"}}));
  EXPECT_EQ(node.store().statistics().locks.keys, 0);
  node.disk().set_fault(nullptr);
  EXPECT_EQ(commit(node, {{"b", "3"}}).to_string(), "OK");
  EXPECT_EQ(contents(node), (Model{{"a", "1"}, {"b", "3"}}));
  node.crash();
  ASSERT_EQ(node.open().to_string(), "OK");
  EXPECT_EQ(contents(node), (Model{{"a", "1"}, {"b", "3"}}));
}

TEST(Crash, AFailedSyncIsAnErrorAndNotACommit) {
  KvNode node;
  ASSERT_TRUE(node.open().ok());
  ASSERT_TRUE(commit(node, {{"a", "1"}}).ok());
  node.disk().set_fault([](MemoryDisk::Operation operation, const Bytes&) {
    return operation == MemoryDisk::Operation::kSync ? Status(sql_state::kIoError, "could not sync") : Status();
  });
  EXPECT_EQ(commit(node, {{"a", "2"}}).code(), sql_state::kIoError);
  EXPECT_EQ(contents(node), (Model{{"a", "1"}}));
  node.disk().set_fault(nullptr);
  EXPECT_EQ(commit(node, {{"b", "3"}}).to_string(), "OK");
  node.crash();
  ASSERT_EQ(node.open().to_string(), "OK");
  EXPECT_EQ(contents(node), (Model{{"a", "1"}, {"b", "3"}}));
}

TEST(Crash, AJournalThatIsNotTheEnginesIsRefused) {
  KvNode node;
  ASSERT_TRUE(node.open().ok());
  ASSERT_TRUE(commit(node, {{"a", "1"}}).ok());
  ASSERT_TRUE(node.close().ok());
  for (const Bytes& name : *runtime::block_on(node.executor(), node.disk().list("journal"))) {
    ASSERT_TRUE(runtime::block_on(node.executor(), node.disk().remove("journal/" + name)).ok());
  }
  EXPECT_EQ(node.open().code(), sql_state::kDataCorrupted);
}

// Shapes of keys that merge or split in a log entry: prefixes of each other, bytes 0 and 255, the empty value.
TEST(Crash, OddKeysSurvive) {
  using namespace std::string_literals;
  KvNode node;
  ASSERT_TRUE(node.open().ok());
  const std::map<Bytes, std::optional<Bytes>> rows{{"a", ""},
                                                   {"a\0"s, "1"},
                                                   {"a\0\0"s, "2"},
                                                   {"\xff\xff", "3"},
                                                   {"\0"s, "4"},
                                                   {"a\xff", "\0\0"s},
                                                   {Bytes(1000, 'k'), Bytes(100'000, 'v')}};
  ASSERT_EQ(commit(node, rows).to_string(), "OK");
  const Model before = contents(node);
  EXPECT_EQ(before.size(), rows.size());
  node.crash();
  ASSERT_EQ(node.open().to_string(), "OK");
  EXPECT_EQ(contents(node), before);
}

}  // namespace
}  // namespace pando::kv
