#pragma once

// RunFiles: which sorted runs exist and when each may go. A run belongs to a transaction until it commits; then to its
// log entry, until the engine has flushed past that. A run whose entry failed to be written is kept until another entry
// has become durable behind it, for only then is the failed one void for ever.
//
// Thread-safe. Removing never fails for the caller: what stays is removed when the store opens next.

#include <atomic>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "kv/commit_record.h"
#include "storage/engine.h"
#include "storage/sorted_run.h"

namespace pando::kv {

class RunFiles {
 public:
  // `store` may be null: then there are no runs.
  explicit RunFiles(storage::RunStore* store) : store_(store) {}
  RunFiles(const RunFiles&) = delete;
  RunFiles& operator=(const RunFiles&) = delete;

  bool available() const { return store_ != nullptr; }
  storage::RunStore& store() { return *store_; }
  storage::RunId next_id() { return storage::RunId(next_.fetch_add(1, std::memory_order_relaxed)); }

  // The store opens, and the journal is replayed: removes what is there once the engine has flushed, so that nothing
  // names a run any more. What cannot be removed now stays until the store opens next.
  Status open(storage::Engine& engine);
  void remove(storage::RunId id);
  // Their entry could not be written to the journal.
  void keep_doubtful(const std::vector<RunPart>& parts) PANDO_EXCLUDES(mutex_);
  // An entry made after all doubtful ones is durable.
  void note_durable() PANDO_EXCLUDES(mutex_);
  // Their entries, one in each of `entries`, are applied.
  void keep_until_flushed(const std::vector<RunPart>& parts, std::vector<storage::AppliedIndex> entries)
      PANDO_EXCLUDES(mutex_);
  void note_flushed(const std::vector<storage::AppliedIndex>& flushed) PANDO_EXCLUDES(mutex_);
  // Removes those that nothing needs. Blocks.
  void remove_unneeded() PANDO_EXCLUDES(mutex_);

 private:
  struct Applied {
    std::vector<RunPart> parts;
    // Those that are not flushed yet.
    std::vector<storage::AppliedIndex> waiting;
  };

  storage::RunStore* const store_;
  std::atomic<uint64_t> next_{1};
  // Whether doubtful_ has anything, to be asked at every commit.
  std::atomic<bool> any_doubtful_{false};
  Mutex mutex_;
  std::vector<RunPart> doubtful_ PANDO_GUARDED_BY(mutex_);
  std::vector<Applied> applied_ PANDO_GUARDED_BY(mutex_);
  std::vector<RunPart> unneeded_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::kv
