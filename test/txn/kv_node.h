#pragma once

// KvNode: a KvStore on a memory engine and a memory disk, with a real journal thread, that a test can close, crash and
// open again.

#include <gtest/gtest.h>

#include "kv/kv_store.h"
#include "runtime/block_on.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/system_clock.h"
#include "storage/memory/memory_engine.h"
#include "test/support/memory_disk.h"
#include "test/txn/manual_timer.h"

namespace pando::test {

class KvNode {
 public:
  explicit KvNode(kv::KvOptions options = {}) : options_(std::move(options)) {
    options_.journal.directory = "journal";
    options_.journal.segment_bytes = 64_KiB;
    engine_ = storage::open_memory_engine({.on_flushed = relay_.callback()});
  }
  ~KvNode() {
    if (store_ != nullptr) {
      EXPECT_EQ(close().to_string(), "OK");
    }
  }

  // On `instead` of the node's own engine, when given.
  Status open(storage::Engine* instead = nullptr) {
    auto opened = runtime::block_on(executor_, kv::KvStore::open(options_,
                                                                 {.engine = instead == nullptr ? *engine_ : *instead,
                                                                  .disk = disk_,
                                                                  .journal_writer = writer_,
                                                                  .clock = clock_,
                                                                  .timer = timer_,
                                                                  .flushes = relay_},
                                                                 executor_));
    if (!opened.ok()) {
      return opened.status();
    }
    store_ = std::move(*opened);
    return {};
  }
  Status close() {
    const Status status = runtime::block_on(executor_, store_->close(executor_));
    store_.reset();
    return status;
  }
  // The machine goes down and up again. Unsynced sectors survive by chance when there is a generator.
  // REQUIRES: no transaction is left.
  void crash(Prng* prng = nullptr) {
    auto engine = engine_->after_crash();
    // Closing writes only what a crash then takes back.
    MemoryDisk* const disk = &disk_;
    disk->set_fault([](MemoryDisk::Operation, const Bytes&) { return Status(sql_state::kIoError, "down"); });
    close().ignore("the machine is down");
    disk->set_fault(nullptr);
    disk->crash(prng);
    engine_ = std::move(engine);
  }

  kv::KvStore& store() { return *store_; }
  storage::MemoryEngine& engine() { return *engine_; }
  MemoryDisk& disk() { return disk_; }
  ManualTimer& timer() { return timer_; }
  runtime::InlineExecutor& executor() { return executor_; }

 private:
  kv::KvOptions options_;
  runtime::InlineExecutor executor_;
  runtime::DedicatedExecutor writer_{"journal"};
  runtime::SystemClock clock_;
  ManualTimer timer_;
  MemoryDisk disk_;
  kv::FlushRelay relay_;
  std::unique_ptr<storage::MemoryEngine> engine_;
  std::unique_ptr<kv::KvStore> store_;
};

}  // namespace pando::test
