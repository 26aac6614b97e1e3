#pragma once

// Shards: the contiguous pieces of the key space, each with a log of its own, and the router that knows which key lies
// where.
//
//   Shard& shard = router.find(key);
//
// A node starts with one shard over everything. The set of shards is fixed while a store is open; replicas and moving
// bounds are in kv/replica. Thread-safety: const members from any thread; a Shard's
// log position belongs to the committer.

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "kv/descriptor/descriptor.h"
#include "kv/descriptor/keys.h"
#include "storage/engine.h"

namespace pando::kv {

struct Shard {
  ShardDescriptor descriptor;
  // The index of the last entry given to the journal.
  uint64_t last_index = 0;
};

class Router {
 public:
  // REQUIRES: the descriptors cover the key space without gap or overlap.
  explicit Router(std::vector<ShardDescriptor> descriptors);

  Shard& find(ByteView key);
  std::vector<std::unique_ptr<Shard>>& shards() { return shards_; }

 private:
  // By start.
  std::vector<std::unique_ptr<Shard>> shards_;
};

// The descriptors an engine holds, by start; empty for a new engine. Errors: XX001 when they do not cover the key
// space.
Result<std::vector<ShardDescriptor>> load_descriptors(const storage::Reader& reader);
// Descriptors for a new store, split at `keys`. REQUIRES: rising and not empty.
std::vector<ShardDescriptor> initial_descriptors(const std::vector<Bytes>& keys);

}  // namespace pando::kv
