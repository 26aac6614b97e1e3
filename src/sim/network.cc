#include "sim/network.h"

#include <algorithm>
#include <cmath>

namespace pando::sim {

void Network::send(Machine from, Machine to, std::function<void()> deliver) {
  if (world_.prng().chance(options_.loss)) {
    world_.probe("network lost");
    return;
  }
  if (world_.prng().chance(options_.duplicate)) {
    world_.probe("network duplicated");
    const uint64_t late_ns = world_.prng().chance(0.5) ? world_.prng().below(options_.late_ns + 1) : 0;
    transmit(from, to, late_ns, deliver);
  }
  transmit(from, to, 0, std::move(deliver));
}

uint64_t Network::draw_delay_ns() {
  const double exponential = -std::log(1.0 - world_.prng().fraction()) * static_cast<double>(options_.delay_mean_ns);
  uint64_t delay = options_.delay_min_ns + static_cast<uint64_t>(exponential);
  if (world_.prng().chance(options_.spike)) {
    world_.probe("network spike");
    delay += world_.prng().below(options_.spike_ns + 1);
  }
  return delay;
}

void Network::transmit(Machine from, Machine to, uint64_t late_ns, std::function<void()> deliver) {
  const Link& sent_on = link(from, to);
  const uint64_t start = std::max(world_.now_ns(), sent_on.clogged_until_ns) + late_ns;
  world_.at(start + draw_delay_ns(),
            [this, from, to, generation = sent_on.generation, deliver = std::move(deliver)]() mutable {
              Link& now = link(from, to);
              if (now.blocked) {
                world_.probe("network blocked");
                return;
              }
              if (now.generation != generation) {
                world_.probe("network reset");
                return;
              }
              deliver();
            });
}

void Network::clog(Machine from, Machine to, uint64_t until_ns) {
  Link& clogged = link(from, to);
  clogged.clogged_until_ns = std::max(clogged.clogged_until_ns, until_ns);
}

void Network::heal() {
  for (auto& [ends, healed] : links_) {
    healed.blocked = false;
    healed.clogged_until_ns = 0;
  }
  options_.loss = 0;
  options_.duplicate = 0;
  options_.spike = 0;
}

}  // namespace pando::sim
