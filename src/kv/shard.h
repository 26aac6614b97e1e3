#pragma once

// Shards: the contiguous pieces of the key space, each with a log of its own, and the router that knows which key lies
// where.
//
//   Shard& shard = router.find(key);
//
// A node starts with one shard over everything. The set of shards is fixed while a store is open; which replicas a
// shard has, and moving its bounds, is what the cluster adds. Thread-safety: const members from any thread; a Shard's
// log position belongs to the committer.

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "storage/engine.h"

namespace pando::kv {

// Where a shard lies, as kept in the engine. Its generation rises with every change of bounds or replicas, so that a
// route or a log entry made for an older shape is recognized.
struct ShardDescriptor {
  ShardId id;
  uint64_t generation = 1;
  Bytes start;
  // Empty: no upper bound.
  Bytes end;

  bool contains(ByteView key) const { return key >= start && (end.empty() || key < end); }
  friend bool operator==(const ShardDescriptor&, const ShardDescriptor&) = default;
};

Bytes encode_descriptor(const ShardDescriptor& descriptor);
// Errors: XX001.
Result<ShardDescriptor> decode_descriptor(ByteView bytes);
// The plain key under which the engine keeps a descriptor, and the prefix of all of them.
Bytes descriptor_key(ShardId shard);
inline constexpr ByteView kDescriptorKeyPrefix{"\x02", 1};

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
