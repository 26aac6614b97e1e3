#pragma once

#include <cstddef>
#include <vector>

#include "base/ids.h"
#include "kv/cluster/commit_requests.h"

namespace pando::kv {

// What requests and transactions hold in the memory of a leaseholder; nothing when all have ended.
struct InFlight {
  std::size_t lock_owners = 0;
  std::size_t locked_keys = 0;
  std::size_t pending_writes = 0;
  std::size_t prepared = 0;
  std::size_t written_keys = 0;
  std::size_t waiting_requests = 0;
  std::size_t excluders = 0;
};

// Prepared for so long that its gateway may be gone: the participants find out together.
struct AbandonedTransaction {
  ShardId shard;
  TransactionId transaction;
  std::vector<Participant> participants;
  // Its gateway may be at it still.
  bool is_long = false;
};

}  // namespace pando::kv
