#pragma once

// ShardView: what any thread may know of a shard's leadership without a lock.
//
//   if (view.holds_lease(clock.monotonic_ns())) { ...take the read's moment before this check, read after it... }
//
// The host writes, everybody reads. A lease is given up here before another node can hold it: a read whose check
// succeeded began before any other leaseholder did.

#include <atomic>
#include <cstdint>

#include "base/ids.h"

namespace pando::kv {

class ShardView {
 public:
  // Whether this node holds the lease, and has everything that was committed under earlier ones.
  bool holds_lease(uint64_t monotonic_now_ns) const {
    return monotonic_now_ns < lease_until_ns_.load(std::memory_order_acquire);
  }
  // UINT64_MAX for a lone voter, 0 for none.
  uint64_t lease_until_ns() const { return lease_until_ns_.load(std::memory_order_acquire); }
  // In which this node leads; 0 when it does not, or has not caught up yet.
  uint64_t term() const { return term_.load(std::memory_order_acquire); }
  // A hint where to go; 0 for unknown.
  NodeId leader() const { return NodeId(leader_.load(std::memory_order_acquire)); }

 private:
  friend class ShardViewWriter;
  std::atomic<uint64_t> lease_until_ns_{0};
  std::atomic<uint64_t> term_{0};
  std::atomic<NodeId::Number> leader_{0};
};

// The host's side.
class ShardViewWriter {
 public:
  static void set_lease(ShardView& view, uint64_t until_ns) {
    view.lease_until_ns_.store(until_ns, std::memory_order_release);
  }
  static void set_term(ShardView& view, uint64_t term) { view.term_.store(term, std::memory_order_release); }
  static void set_leader(ShardView& view, NodeId leader) {
    view.leader_.store(leader.number(), std::memory_order_release);
  }
};

}  // namespace pando::kv
