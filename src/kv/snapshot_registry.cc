#include "kv/snapshot_registry.h"

#include <algorithm>
#include <bit>

namespace pando::kv {

HlcTimestamp SnapshotRegistry::Pin::take() {
  uint64_t moment = registry_.visible_.load(std::memory_order_acquire);
  slot_->reads_at.store(moment, std::memory_order_seq_cst);
  while (registry_.floor_.load(std::memory_order_seq_cst) > moment) [[unlikely]] {
    moment = registry_.visible_.load(std::memory_order_acquire);
    slot_->reads_at.store(moment, std::memory_order_seq_cst);
  }
  return {moment, 0};
}

bool SnapshotRegistry::Pin::take_at(HlcTimestamp moment) {
  slot_->reads_at.store(moment.wall_ns, std::memory_order_seq_cst);
  if (registry_.floor_.load(std::memory_order_seq_cst) > moment.wall_ns) {
    release();
    return false;
  }
  return true;
}

HlcTimestamp SnapshotRegistry::advance_floor(HlcTimestamp limit) {
  MutexLock lock(collector_);
  uint64_t floor = std::min(visible_.load(std::memory_order_acquire), limit.wall_ns);
  floor = std::max(floor, floor_.load(std::memory_order_relaxed));
  floor_.store(floor, std::memory_order_seq_cst);
  for (Stripe& stripe : stripes_) {
    MutexLock stripe_lock(stripe.mutex);
    for (const Slot& slot : stripe.slots) {
      floor = std::min(floor, slot.reads_at.load(std::memory_order_seq_cst));
    }
  }
  collected_ = std::max(collected_, floor);
  return {collected_, 0};
}

std::size_t SnapshotRegistry::active() const {
  std::size_t count = 0;
  for (const Stripe& stripe : stripes_) {
    MutexLock lock(stripe.mutex);
    count += static_cast<std::size_t>(std::ranges::count_if(
        stripe.slots, [](const Slot& slot) { return slot.reads_at.load(std::memory_order_relaxed) != kFree; }));
  }
  return count;
}

SnapshotRegistry::Stripe& SnapshotRegistry::stripe_of(const Pin& pin) {
  // Pins lie in transactions, which are larger than this.
  constexpr int kPinDistanceBits = 8;
  return stripes_[(std::bit_cast<uintptr_t>(&pin) >> kPinDistanceBits) % kStripes];
}

SnapshotRegistry::Slot* SnapshotRegistry::acquire_slot(const Pin& pin) {
  Stripe& stripe = stripe_of(pin);
  MutexLock lock(stripe.mutex);
  if (stripe.free.empty()) {
    return &stripe.slots.emplace_back();
  }
  Slot* const slot = stripe.free.back();
  stripe.free.pop_back();
  return slot;
}

void SnapshotRegistry::free_slot(const Pin& pin, Slot* slot) {
  Stripe& stripe = stripe_of(pin);
  MutexLock lock(stripe.mutex);
  stripe.free.push_back(slot);
}

}  // namespace pando::kv
