#pragma once

// Poller: tells when a file descriptor may be read or written. A worker is one, for the sockets that live on it.
//
//   class Stream : Poller::Watcher { void on_ready(Readiness readiness) override { ... resume ... } };
//   PANDO_TRY(poller.watch(descriptor, *this));
//   ...
//   poller.forget(descriptor, *this);            // then the descriptor may be closed
//
// Edges are told, not levels: on_ready comes when bytes arrive or room appears, once, whether or not anybody waits. So
// watching costs no system call per message; the watcher remembers what it was told, and after a call that was answered
// with less than it asked for waits for the next edge.
// Thread-safety: the poller's thread only.

#include "base/status.h"

namespace pando::runtime {

// What became of a descriptor.
struct Readiness {
  bool readable = false;
  bool writable = false;
  // The peer will send no more: behind the bytes that are there comes the end, untold.
  bool ended = false;
};

class Poller {
 public:
  class Watcher {
   public:
    // May destroy the watcher, after forget().
    virtual void on_ready(Readiness readiness) = 0;

   protected:
    ~Watcher() = default;
  };

  virtual ~Poller() = default;
  // REQUIRES: `descriptor` is non-blocking. Errors: 53300 when the system has no room for another.
  virtual Status watch(int descriptor, Watcher& watcher) = 0;
  // After it returns `watcher` is not called any more.
  virtual void forget(int descriptor, Watcher& watcher) = 0;
};

}  // namespace pando::runtime
