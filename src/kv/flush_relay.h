#pragma once

// FlushRelay: carries "these log entries are in files now" from the engine, which is opened first, to the journal and
// the sorted runs, which may then forget them.
//
//   FlushRelay relay;
//   auto engine = open_rocksdb_engine({..., .on_flushed = relay.callback()});
//   relay.attach(&journal, &run_files);  ...  relay.detach();
//
// Outlives the engine. Thread-safe.

#include "base/mutex.h"
#include "kv/run_files.h"
#include "storage/engine.h"
#include "storage/journal.h"

namespace pando::kv {

class FlushRelay {
 public:
  FlushRelay() = default;
  FlushRelay(const FlushRelay&) = delete;
  FlushRelay& operator=(const FlushRelay&) = delete;

  storage::FlushedCallback callback() {
    return [this](const std::vector<storage::AppliedIndex>& flushed) {
      MutexLock lock(mutex_);
      if (journal_ != nullptr) {
        for (const storage::AppliedIndex& applied : flushed) {
          journal_->release(applied.shard, applied.index);
        }
        run_files_->note_flushed(flushed);
      }
    };
  }
  void attach(storage::Journal* journal, RunFiles* run_files) {
    MutexLock lock(mutex_);
    journal_ = journal;
    run_files_ = run_files;
  }
  // After it returns neither is used any more.
  void detach() { attach(nullptr, nullptr); }

 private:
  Mutex mutex_;
  storage::Journal* journal_ PANDO_GUARDED_BY(mutex_) = nullptr;
  RunFiles* run_files_ PANDO_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace pando::kv
