#pragma once

// Network: delivers closures between nodes, or does not. Delays have a floor, an exponential part and rare spikes;
// packets are lost, repeated (at once, or long after) and, by their delays, reordered. A link from one node to another
// may be blocked (one way), clogged (what is sent waits until it is not), or reset (what is under way is lost).

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "sim/world.h"

namespace pando::sim {

using Machine = uint32_t;

struct NetworkOptions {
  uint64_t delay_min_ns = 200'000;
  // Mean of the exponential part.
  uint64_t delay_mean_ns = 300'000;
  double loss = 0;
  double duplicate = 0;
  // A repetition comes up to this much later, half of the time.
  uint64_t late_ns = 0;
  double spike = 0;
  uint64_t spike_ns = 100'000'000;
};

class Network {
 public:
  Network(World& world, const NetworkOptions& options) : world_(world), options_(options) {}

  // `deliver` runs at the receiver's end: once, several times, or never.
  void send(Machine from, Machine to, std::function<void()> deliver);

  void block(Machine from, Machine to) { link(from, to).blocked = true; }
  void unblock(Machine from, Machine to) { link(from, to).blocked = false; }
  void clog(Machine from, Machine to, uint64_t until_ns);
  void reset(Machine from, Machine to) { ++link(from, to).generation; }
  // From now on.
  void set_options(const NetworkOptions& options) { options_ = options; }
  // Ends all blocking and clogging, and all random loss from now on.
  void heal();
  bool blocked(Machine from, Machine to) { return link(from, to).blocked; }

 private:
  struct Link {
    bool blocked = false;
    uint64_t clogged_until_ns = 0;
    uint64_t generation = 0;
  };
  Link& link(Machine from, Machine to) { return links_[{from, to}]; }
  uint64_t draw_delay_ns();
  void transmit(Machine from, Machine to, uint64_t late_ns, std::function<void()> deliver);

  World& world_;
  NetworkOptions options_;
  std::map<std::pair<Machine, Machine>, Link> links_;
};

}  // namespace pando::sim
