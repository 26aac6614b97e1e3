#pragma once

// SupportView: what the liveness fabric tells a group (consensus/liveness), with its nodes named by their replicas.
//
// A node supports another in an epoch: until the promise it has made for that epoch lapses, on its own clock, its
// replicas elect nobody but the replicas of the supported node. A leader that a majority supports in the epochs in
// which they are fortified to it holds the lease. An epoch that has ended never comes back.

#include <cstdint>

#include "consensus/raft/types.h"

namespace pando::raft {

class SupportView {
 public:
  struct Support {
    // 0 for none.
    uint64_t epoch = 0;
    // On this node's monotonic clock; 0 once it has lapsed.
    uint64_t until_ns = 0;
  };

  virtual ~SupportView() = default;
  // The epoch in which this node supports the node of `replica` now; 0 for none.
  virtual uint64_t epoch_for(ReplicaId replica) const = 0;
  // Whether this node may still be held to its support of `replica`'s node in `epoch`.
  virtual bool supports(ReplicaId replica, uint64_t epoch) const = 0;
  // What `replica`'s node has promised to this one.
  virtual Support from(ReplicaId replica) const = 0;
};

}  // namespace pando::raft
