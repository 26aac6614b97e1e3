#pragma once

// MemoryNodeDirectory: a NodeDirectory for tests. Thread-safe.

#include <map>

#include "base/mutex.h"
#include "cluster/node_directory.h"

namespace pando::cluster {

class MemoryNodeDirectory final : public NodeDirectory {
 public:
  Task<Result<NodeId>> next_node_id() override {
    MutexLock lock(mutex_);
    co_return NodeId(++last_);
  }
  Task<Status> put(NodeRecord record) override {
    MutexLock lock(mutex_);
    records_[record.id] = std::move(record);
    co_return Status();
  }
  Task<Result<std::vector<NodeRecord>>> list() override {
    MutexLock lock(mutex_);
    std::vector<NodeRecord> records;
    for (const auto& [id, record] : records_) {
      records.push_back(record);
    }
    co_return records;
  }

 private:
  Mutex mutex_;
  uint32_t last_ PANDO_GUARDED_BY(mutex_) = 1;
  std::map<NodeId, NodeRecord> records_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::cluster
