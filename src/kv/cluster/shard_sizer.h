#pragma once

// ShardSizer: splits shards that are large or asked for much, and merges those again that have become small and quiet.
//
//   ShardSizer sizer(options, store, {.next_shard = ..., .marks = prefix});
//   co_await sizer.look(executor);               // now and then; takes at most one step
//
// It looks at the shards that this node leads. Only boundaries that it made itself go again: it keeps a mark for each,
// a row under `marks`. Thread-safe; one look() at a time.

#include <functional>
#include <map>

#include "kv/cluster/cluster_store.h"

namespace pando::kv {

struct ShardSizerOptions {
  uint64_t split_bytes = 512_MiB;
  // Requests per second, of which a node does this many with ease.
  uint64_t split_rate = 20'000;
  // Two neighbours that are below both together, for as long as this.
  uint64_t merge_bytes = 128_MiB;
  uint64_t merge_rate = 1'000;
  std::chrono::nanoseconds merge_after = std::chrono::minutes(10);
  // No boundary is made below.
  Bytes first_key;
};

struct ShardSizerParts {
  ClusterStore& store;
  // A number that no shard has had.
  std::function<Task<Result<ShardId>>(runtime::Executor& executor)> next_shard;
  Bytes marks;
};

class ShardSizer {
 public:
  enum class Step : uint8_t { kNone, kSplit, kMerge };

  // What the parts name outlives it.
  ShardSizer(ShardSizerOptions options, ShardSizerParts parts)
      : options_(std::move(options)), parts_(std::move(parts)) {}

  // What it did. Errors: those of the step, which is tried again later.
  Task<Result<Step>> look(runtime::Executor& executor);

 private:
  Result<Bytes> split_key(const ShardDescriptor& shard);
  std::vector<Bytes> mergeable(const std::vector<Leaseholder::KnownShard>& shards);
  Task<Status> split(Bytes key, runtime::Executor& executor);
  Task<Result<bool>> merge(Bytes boundary, runtime::Executor& executor);
  Bytes mark_of(ByteView boundary) const;
  Task<Status> set_mark(Bytes boundary, bool set, runtime::Executor& executor);

  const ShardSizerOptions options_;
  const ShardSizerParts parts_;
  // Since when the shards at a boundary are small and quiet together, on the monotonic clock.
  std::map<Bytes, uint64_t> small_since_ns_;
};

}  // namespace pando::kv
