#pragma once

// SnapshotRegistry: which moment new snapshots read at, and which moments are still read.
//
//   SnapshotRegistry::Pin pin(registry);
//   const HlcTimestamp at = pin.take();      // everything committed up to now; its versions stay until release()
//   ...
//   pin.release();
//
// Taking and releasing a snapshot touches one cache line of the pin's own and no lock. A pin's making and destruction
// take a short striped lock.
//
// How garbage collection and readers agree without one (Dekker's scheme): a reader writes its pin, then looks at the
// floor and tries again if it is above; the collector raises the floor, then looks at the pins. Whatever the order, one
// of them sees the other.
//
// Thread-safe; a Pin belongs to one thread at a time.

#include <array>
#include <atomic>
#include <deque>
#include <vector>

#include "base/hlc.h"
#include "base/mutex.h"

namespace pando::kv {

class SnapshotRegistry {
 private:
  struct alignas(64) Slot {
    // The wall time that is read, or kFree.
    std::atomic<uint64_t> reads_at{kFree};
  };
  static constexpr uint64_t kFree = UINT64_MAX;

 public:
  class Pin {
   public:
    explicit Pin(SnapshotRegistry& registry) : registry_(registry), slot_(registry.acquire_slot(*this)) {}
    ~Pin() {
      release();
      registry_.free_slot(*this, slot_);
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

    // Moves the pin to the newest visible moment.
    HlcTimestamp take();
    // Moves it to a moment of the past. False: its versions may be gone, and the pin is released.
    bool take_at(HlcTimestamp moment);
    void release() { slot_->reads_at.store(kFree, std::memory_order_release); }

   private:
    SnapshotRegistry& registry_;
    Slot* const slot_;
  };

  // The newest moment that is complete: every commit up to it is applied, and none at or below it will come.
  HlcTimestamp visible() const { return {visible_.load(std::memory_order_acquire), 0}; }
  // REQUIRES: moments only rise; one caller at a time.
  void publish(HlcTimestamp moment) { visible_.store(moment.wall_ns, std::memory_order_release); }

  // A moment that nobody reads below, now or later, and not above `limit`. Never falls.
  HlcTimestamp advance_floor(HlcTimestamp limit = HlcTimestamp::max());
  // How many snapshots are taken at the moment.
  std::size_t active() const;

 private:
  static constexpr std::size_t kStripes = 16;
  struct alignas(64) Stripe {
    mutable Mutex mutex;
    // A deque never moves its elements.
    std::deque<Slot> slots PANDO_GUARDED_BY(mutex);
    std::vector<Slot*> free PANDO_GUARDED_BY(mutex);
  };

  Stripe& stripe_of(const Pin& pin);
  Slot* acquire_slot(const Pin& pin);
  void free_slot(const Pin& pin, Slot* slot);

  std::atomic<uint64_t> visible_{0};
  alignas(64) std::atomic<uint64_t> floor_{0};
  std::array<Stripe, kStripes> stripes_;
  Mutex collector_;
  uint64_t collected_ PANDO_GUARDED_BY(collector_) = 0;
};

}  // namespace pando::kv
