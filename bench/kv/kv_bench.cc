// Measures kv's transaction path without SQL, on the RocksDB engine and a real journal:
//
//   kv_bench DIRECTORY get        point reads by primary key, one transaction each, one thread
//   kv_bench DIRECTORY tpcb       transactions of three updates and an insert, durable, on two workers
//   kv_bench DIRECTORY load       one transaction of a million inserts
//   kv_bench DIRECTORY scan       a full scan of a million rows
//
// Prints operations a second, wall and CPU microseconds for each.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include <sys/resource.h>

#include "base/codec.h"
#include "base/prng.h"
#include "kv/kv_store.h"
#include "runtime/block_on.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/system_clock.h"
#include "runtime/os/system_timer.h"
#include "runtime/os/worker.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace pando {
namespace {

constexpr uint64_t kRows = 100'000;
constexpr uint64_t kLoadRows = 1'000'000;
constexpr uint64_t kGets = 2'000'000;
constexpr int kClientsPerWorker = 16;
constexpr std::size_t kWorkers = 2;
constexpr std::chrono::seconds kDuration{5};

template <typename T>
T must(Result<T> result) {
  PANDO_ASSERT(result.ok(), result.status().to_string().c_str());
  return std::move(result).value();
}
void must(const Status& status) { PANDO_ASSERT(status.ok(), status.to_string().c_str()); }

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Stopwatch {
 public:
  void report(const char* what, uint64_t count) const {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start_;
    const double cpu = cpu_seconds() - cpu_start_;
    const auto operations = static_cast<double>(count);
    std::printf("%-28s %10.0f /s %9.3f us wall %9.3f us cpu\n", what, operations / wall.count(),
                wall.count() * 1e6 / operations, cpu * 1e6 / operations);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double cpu_start_ = cpu_seconds();
};

Bytes key_of(uint32_t table, uint64_t row) {
  Bytes key;
  append_ordered_uint32(key, table);
  append_ordered_uint32(key, 1);
  append_ordered_uint64(key, row);
  return key;
}

struct Node {
  explicit Node(const Bytes& directory) {
    engine = must(storage::open_rocksdb_engine({.directory = directory + "/state", .on_flushed = relay.callback()}));
    kv::KvOptions options;
    options.journal.directory = directory + "/journal";
    options.journal.preparer = &preparer;
    store = must(runtime::block_on(main, kv::KvStore::open(options,
                                                           {.engine = *engine,
                                                            .disk = disk,
                                                            .journal_writer = writer,
                                                            .clock = clock,
                                                            .timer = timer,
                                                            .flushes = relay},
                                                           main)));
  }
  ~Node() { must(runtime::block_on(main, store->close(main))); }

  runtime::InlineExecutor main;
  runtime::PosixDisk disk;
  runtime::DedicatedExecutor writer{"journal"};
  runtime::DedicatedExecutor preparer{"segments"};
  runtime::SystemClock clock;
  runtime::SystemTimer timer;
  kv::FlushRelay relay;
  std::unique_ptr<storage::Engine> engine;
  std::unique_ptr<kv::KvStore> store;
};

Task<void> load_rows(Node* node, uint32_t table, uint64_t rows) {
  const auto transaction = node->store->begin({.executor = &node->main});
  transaction->begin_statement();
  const Bytes value(100, 'v');
  for (uint64_t row = 0; row < rows; ++row) {
    Bytes key = key_of(table, row);
    must((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
    must(transaction->put(std::move(key), value));
  }
  must(co_await transaction->commit());
}

Task<void> get_rows(Node* node, uint64_t count) {
  Prng prng(1);
  for (uint64_t i = 0; i < count; ++i) {
    const auto transaction = node->store->begin({.executor = &node->main});
    transaction->begin_statement();
    const auto value = must(co_await transaction->get(key_of(1, prng.below(kRows))));
    PANDO_ASSERT(value.has_value(), "a row that was loaded");
    must(co_await transaction->commit());
  }
}

Task<void> add_to(txn::Transaction* transaction, uint32_t table, uint64_t row) {
  transaction->begin_statement();
  Bytes key = key_of(table, row);
  must(co_await transaction->get(key));
  must((co_await transaction->lock(key, txn::LockStrength::kNoKeyUpdate, txn::WaitPolicy::kBlock)).status());
  auto value = must(co_await transaction->get_latest(key));
  must(transaction->put(std::move(key), std::move(*value)));
}

struct Run {
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> committed{0};
  std::atomic<int> running{0};
  std::atomic<uint64_t> history{0};
};

Task<void> tpcb_client(Node* node, runtime::Executor* executor, Run* run, uint64_t seed) {
  Prng prng(seed);
  constexpr uint64_t kBranches = 50;
  while (!run->stop) {
    const auto transaction = node->store->begin({.executor = executor});
    const uint64_t branch = prng.below(kBranches);
    co_await add_to(transaction.get(), 1, prng.below(kRows));
    co_await add_to(transaction.get(), 2, prng.below(kBranches * 10));
    co_await add_to(transaction.get(), 3, branch);
    transaction->begin_statement();
    Bytes key = key_of(4, run->history++);
    must((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
    must(transaction->put(std::move(key), Bytes(50, 'h')));
    must(co_await transaction->commit());
    ++run->committed;
  }
  --run->running;
}

void run_tpcb(Node& node) {
  Run run;
  runtime::WorkerPool workers(kWorkers);
  const Stopwatch stopwatch;
  for (std::size_t i = 0; i < kWorkers * kClientsPerWorker; ++i) {
    ++run.running;
    runtime::Worker& worker = workers.worker(i % kWorkers);
    runtime::spawn(worker, tpcb_client(&node, &worker, &run, i + 1));
  }
  std::this_thread::sleep_for(kDuration);
  run.stop = true;
  while (run.running > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  stopwatch.report("tpcb", run.committed);
  const auto statistics = node.store->statistics();
  std::printf(
      "commits per applied group %.1f, lock waits %lu, cache hits %lu misses %lu\n",
      static_cast<double>(statistics.committer.commits) / static_cast<double>(statistics.committer.groups_applied),
      statistics.locks.waits_total, statistics.cache.hits, statistics.cache.misses);
}

Task<void> scan_rows(Node* node, uint32_t table) {
  const auto transaction = node->store->begin({.executor = &node->main});
  transaction->begin_statement();
  const auto cursor = transaction->scan({key_of(table, 0), key_of(table + 1, 0)}, {});
  KeyValueBatch batch;
  uint64_t rows = 0;
  do {
    must(co_await cursor->next(batch, 2048));
    rows += batch.size();
  } while (batch.size() > 0);
  PANDO_ASSERT(rows == kLoadRows, "all rows that were loaded");
}

int run(const Bytes& directory, ByteView what) {
  Node node(directory);
  if (what == "get") {
    runtime::block_on(node.main, load_rows(&node, 1, kRows));
    runtime::block_on(node.main, get_rows(&node, kRows * 5));
    const Stopwatch stopwatch;
    runtime::block_on(node.main, get_rows(&node, kGets));
    stopwatch.report("get, begin to commit", kGets);
  } else if (what == "tpcb") {
    runtime::block_on(node.main, load_rows(&node, 1, kRows));
    runtime::block_on(node.main, load_rows(&node, 2, 500));
    runtime::block_on(node.main, load_rows(&node, 3, 50));
    run_tpcb(node);
  } else {
    const Stopwatch load;
    runtime::block_on(node.main, load_rows(&node, 9, kLoadRows));
    load.report("load", kLoadRows);
    const Stopwatch scan;
    runtime::block_on(node.main, scan_rows(&node, 9));
    scan.report("scan", kLoadRows);
  }
  return 0;
}

}  // namespace
}  // namespace pando

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: kv_bench DIRECTORY get|tpcb|load\n");
    return 2;
  }
  return pando::run(argv[1], argv[2]);
}
