// Deadlock detection of LockTable. It runs when a transaction begins to wait, since only that can close a cycle, and
// only when someone it waits for waits too. It then holds every stripe, which makes what it sees one consistent graph:
// no cycle is imagined and none is missed.

#include <algorithm>
#include <unordered_set>

#include "txn/lock_stripe.h"
#include "txn/lock_table.h"

namespace pando::txn {

using internal::kLockDeadlockVictim;
using internal::kLockNotHeld;
using internal::LockedKey;
using internal::LockHolder;
using internal::LockStripe;
using internal::LockWaiter;

std::vector<LockTable::Edge> LockTable::edges_from(const LockOwner& owner) {
  std::vector<Edge> edges;
  LockWaiter* const waiter = owner.waiting_;
  // One whose wait has just been ended by a timeout, a cancellation or as a victim waits for nobody.
  if (waiter == nullptr || waiter->event.is_set()) {
    return edges;
  }
  const LockedKey& key = *waiter->key;
  for (std::size_t i = 0; i < key.holders.size(); ++i) {
    const LockHolder& holder = key.holders[i];
    if (holder.owner != &owner && conflicts(holder.strength, waiter->strength)) {
      edges.push_back({waiter, holder.owner, false});
    }
  }
  if (waiter->before != kLockNotHeld) {
    return edges;
  }
  for (const LockWaiter* other : key.queue) {
    if (other == waiter) {
      break;
    }
    if (conflicts(other->strength, waiter->strength)) {
      edges.push_back({waiter, other->owner, true});
    }
  }
  return edges;
}

// Depth-first; the path from `owner` back to itself, or nothing.
std::vector<LockTable::Edge> LockTable::find_cycle(LockOwner& owner) {
  struct Level {
    std::vector<Edge> edges;
    std::size_t at = 0;
  };
  std::vector<Level> path;
  std::unordered_set<const LockOwner*> visited{&owner};
  path.push_back({edges_from(owner)});
  while (!path.empty()) {
    Level& level = path.back();
    if (level.at == level.edges.size()) {
      path.pop_back();
      if (!path.empty()) {
        ++path.back().at;
      }
      continue;
    }
    LockOwner* const blocker = level.edges[level.at].blocker;
    if (blocker == &owner) {
      std::vector<Edge> cycle;
      for (const Level& step : path) {
        cycle.push_back(step.edges[step.at]);
      }
      return cycle;
    }
    if (visited.insert(blocker).second) {
      path.push_back({edges_from(*blocker)});
    } else {
      ++level.at;
    }
  }
  return {};
}

void LockTable::abort_victim(const std::vector<Edge>& cycle) {
  std::string detail;
  const Edge* victim = &cycle.front();
  for (const Edge& edge : cycle) {
    detail += fmt::format("{}Transaction {} waits for transaction {}.", detail.empty() ? "" : "\n",
                          edge.waiter->owner->id().number(), edge.blocker->id().number());
    if (edge.waiter->owner->id() > victim->waiter->owner->id()) {
      victim = &edge;
    }
  }
  LockWaiter* const waiter = victim->waiter;
  waiter->deadlock_detail = std::move(detail);
  if (waiter->event.set(kLockDeadlockVictim)) {
    deadlocks_total_.fetch_add(1, std::memory_order_relaxed);
  }
}

void LockTable::break_cycles_through(LockOwner& owner) {
  for (auto cycle = find_cycle(owner); !cycle.empty(); cycle = find_cycle(owner)) {
    const auto passable =
        std::ranges::find_if(cycle, [](const Edge& edge) { return edge.queue_order_only && !edge.waiter->passed; });
    if (passable == cycle.end()) {
      abort_victim(cycle);
      continue;
    }
    LockWaiter* const waiter = passable->waiter;
    LockOwner* const moved = waiter->owner;
    auto& queue = waiter->key->queue;
    waiter->passed = true;
    queue.erase(std::ranges::find(queue, waiter));
    queue.insert(std::ranges::find(queue, passable->blocker, &LockWaiter::owner), waiter);
    // May end the wait and with it the life of `waiter`; its owner lives until we let go of the stripes.
    waiter->key->grant_waiters();
    // Those it passed wait for it now.
    if (moved != &owner) {
      break_cycles_through(*moved);
    }
  }
}

void LockTable::break_deadlocks(LockOwner& owner, uint64_t hash) {
  {
    MutexLock lock(stripe_of(hash).mutex);
    const auto edges = edges_from(owner);
    if (std::ranges::none_of(edges, [](const Edge& edge) { return edge.blocker->waiting_ != nullptr; })) {
      return;
    }
  }
  lock_all_stripes();
  break_cycles_through(owner);
  unlock_all_stripes();
}

}  // namespace pando::txn
