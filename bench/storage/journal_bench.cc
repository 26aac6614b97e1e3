// What a commit costs in the journal: latency and syncs shared, by number of concurrent committers.
//
//   journal_bench DIRECTORY [SECONDS]

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "runtime/block_on.h"
#include "runtime/event.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/system_clock.h"
#include "runtime/os/worker.h"
#include "storage/journal.h"

namespace pando {
namespace {

constexpr std::size_t kPayloadBytes = 300;

struct Committer {
  storage::Journal* journal = nullptr;
  runtime::Executor* executor = nullptr;
  runtime::SystemClock clock;
  ShardId shard;
  uint64_t index = 0;
  uint64_t until_ns = 0;
  std::vector<uint64_t> latencies_ns;
  std::atomic<int>* running = nullptr;
  runtime::Event* done = nullptr;
};

Task<void> commit_until(Committer* self) {
  const Bytes payload(kPayloadBytes, 'x');
  for (;;) {
    const uint64_t begin = self->clock.monotonic_ns();
    if (begin >= self->until_ns) {
      break;
    }
    storage::JournalBatch batch;
    batch.entry(self->shard, ++self->index, 1, payload);
    const Status status = co_await self->journal->append(std::move(batch), *self->executor);
    PANDO_ASSERT(status.ok(), "the bench needs a disk that works");
    self->latencies_ns.push_back(self->clock.monotonic_ns() - begin);
    self->journal->release(self->shard, self->index);
  }
  if (--*self->running == 0) {
    self->done->set();
  }
}

Task<void> wait(runtime::Event* event) { co_await event->wait(); }

void run(storage::Journal& journal, runtime::WorkerPool& workers, std::size_t committers, uint64_t seconds) {
  runtime::InlineExecutor executor;
  runtime::Event done(executor);
  std::atomic<int> running{static_cast<int>(committers)};
  std::vector<std::unique_ptr<Committer>> all;
  const auto before = journal.statistics();
  runtime::SystemClock clock;
  for (std::size_t i = 0; i < committers; ++i) {
    all.push_back(std::make_unique<Committer>());
    Committer& committer = *all.back();
    committer.journal = &journal;
    committer.executor = &workers.worker(i % workers.size());
    committer.shard = ShardId(committers * 1000 + i);
    committer.until_ns = clock.monotonic_ns() + seconds * 1000000000;
    committer.running = &running;
    committer.done = &done;
    runtime::spawn(*committer.executor, commit_until(&committer));
  }
  runtime::block_on(executor, wait(&done));
  std::vector<uint64_t> latencies;
  for (const auto& committer : all) {
    latencies.insert(latencies.end(), committer->latencies_ns.begin(), committer->latencies_ns.end());
  }
  std::ranges::sort(latencies);
  const auto after = journal.statistics();
  const auto at = [&](double part) {
    return static_cast<double>(latencies[static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1))]) /
           1e3;
  };
  std::printf(
      "%3zu committers: %7.0f commits/s, p50 %6.1f us, p99 %7.1f us, p99.9 %7.1f us, %5.1f commits per sync, %zu "
      "segments\n",
      committers, static_cast<double>(latencies.size()) / static_cast<double>(seconds), at(0.5), at(0.99), at(0.999),
      static_cast<double>(after.append_count - before.append_count) /
          static_cast<double>(after.sync_count - before.sync_count),
      after.segment_count + after.spare_segment_count);
}

}  // namespace
}  // namespace pando

int main(int argc, char** argv) {
  using namespace pando;
  if (argc < 2) {
    std::fprintf(stderr, "usage: journal_bench DIRECTORY [SECONDS]\n");
    return 2;
  }
  const uint64_t seconds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 3;
  runtime::PosixDisk disk;
  runtime::InlineExecutor executor;
  runtime::DedicatedExecutor writer("journal");
  runtime::DedicatedExecutor preparer("preparer");
  storage::JournalOptions options{.directory = argv[1], .preparer = &preparer};
  auto journal = runtime::block_on(executor, storage::Journal::open(options, disk, writer, nullptr));
  if (!journal.ok()) {
    std::fprintf(stderr, "%s\n", journal.status().to_string().c_str());
    return 1;
  }
  {
    runtime::WorkerPool workers(2);
    for (const std::size_t committers : {1, 8, 32, 128}) {
      run(**journal, workers, committers, seconds);
    }
  }
  runtime::block_on(executor, (*journal)->close(executor));
  return 0;
}
