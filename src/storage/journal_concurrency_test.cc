// The journal as it runs in production: worker threads, a writer thread and a preparer thread, on real files.

#include <atomic>

#include <gtest/gtest.h>

#include "runtime/block_on.h"
#include "runtime/event.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/worker.h"
#include "storage/journal.h"
#include "test/support/temporary_directory.h"

namespace pando::storage {
namespace {

constexpr uint64_t kCommitters = 16;
constexpr uint64_t kEntries = 60;

class Counter final : public JournalVisitor {
 public:
  Status on_entry(ShardId shard, const JournalEntry& entry) override {
    ++entries;
    return entry.payload == fmt::format("{}-{}", shard.number(), entry.index)
               ? Status()
               : Status(sql_state::kDataCorrupted, "another payload");
  }
  uint64_t entries = 0;
};

Task<void> commit_all(Journal* journal, runtime::Executor* executor, ShardId shard, std::atomic<uint64_t>* running,
                      std::atomic<uint64_t>* failures, runtime::Event* done) {
  for (uint64_t index = 1; index <= kEntries; ++index) {
    JournalBatch batch;
    batch.entry(shard, index, 1, fmt::format("{}-{}", shard.number(), index));
    const Status status = co_await journal->append(std::move(batch), *executor);
    *failures += status.ok() && journal->last_index(shard) == index ? 0 : 1;
  }
  if (--*running == 0) {
    done->set();
  }
}

Task<void> wait(runtime::Event* event) { co_await event->wait(); }

TEST(JournalThreads, CommittersShareSyncsAndLoseNothing) {
  test::TemporaryDirectory directory;
  runtime::PosixDisk disk;
  runtime::InlineExecutor executor;
  runtime::DedicatedExecutor writer("journal");
  runtime::DedicatedExecutor preparer("preparer");
  const JournalOptions options{
      .directory = directory.path() + "/journal", .segment_bytes = 64_KiB, .preparer = &preparer};
  auto journal = runtime::block_on(executor, Journal::open(options, disk, writer, nullptr));
  ASSERT_TRUE(journal.ok()) << journal.status().to_string();
  std::atomic<uint64_t> failures{0};
  {
    runtime::WorkerPool workers(2);
    runtime::Event done(executor);
    std::atomic<uint64_t> running{kCommitters};
    for (uint64_t i = 0; i < kCommitters; ++i) {
      runtime::Worker& worker = workers.worker(i % 2);
      runtime::spawn(worker, commit_all(journal->get(), &worker, ShardId(i + 1), &running, &failures, &done));
    }
    runtime::block_on(executor, wait(&done));
  }
  EXPECT_EQ(failures, 0U);
  const auto statistics = (*journal)->statistics();
  EXPECT_EQ(statistics.append_count, kCommitters * kEntries);
  EXPECT_LT(statistics.sync_count, statistics.append_count);
  runtime::block_on(executor, (*journal)->close(executor));
  Counter counter;
  journal = runtime::block_on(executor, Journal::open(options, disk, writer, &counter));
  ASSERT_TRUE(journal.ok()) << journal.status().to_string();
  EXPECT_EQ(counter.entries, kCommitters * kEntries);
  runtime::block_on(executor, (*journal)->close(executor));
}

}  // namespace
}  // namespace pando::storage
