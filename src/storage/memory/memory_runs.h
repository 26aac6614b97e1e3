#pragma once

// Sorted runs in memory, for the memory engine. Runs outlive a simulated crash, as files do once they are finished.

#include <map>
#include <memory>

#include "base/mutex.h"
#include "storage/sorted_run.h"

namespace pando::storage {

class MemoryRuns final : public RunStore {
 public:
  struct Write {
    Bytes key;
    uint64_t number = 0;
    std::optional<Bytes> value;
  };
  // In the order of a run.
  using Writes = std::vector<Write>;

  Result<std::unique_ptr<SortedRunWriter>> create(RunId id) override;
  Result<std::unique_ptr<SortedRun>> open(RunId id) override PANDO_EXCLUDES(mutex_);
  Status remove(RunId id) override PANDO_EXCLUDES(mutex_);
  Result<std::vector<RunId>> list() override PANDO_EXCLUDES(mutex_);
  // For its writers.
  void add(RunId id, std::shared_ptr<const Writes> writes) PANDO_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::map<RunId, std::shared_ptr<const Writes>> runs_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::storage
