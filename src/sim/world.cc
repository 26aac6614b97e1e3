#include "sim/world.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "base/crc32c.h"

namespace pando::sim {

namespace {

constexpr double kSiteActive = 0.5;
constexpr double kSiteFires = 0.25;

uint64_t mix(uint64_t hash, uint64_t number) {
  hash ^= number + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
  hash *= 0xff51afd7ed558ccd;
  return hash ^ (hash >> 33);
}

}  // namespace

World::World(uint64_t seed) : prng_(seed), trace_hash_(seed), sites_seed_(mix(seed, 0x517e)) {}

bool World::later(const Event& a, const Event& b) {
  if (a.time_ns != b.time_ns) {
    return a.time_ns > b.time_ns;
  }
  return a.tie != b.tie ? a.tie > b.tie : a.serial > b.serial;
}

void World::at(uint64_t time_ns, std::function<void()> event) {
  events_.push_back({std::max(time_ns, now_ns_), prng_.next(), ++serial_, std::move(event)});
  std::push_heap(events_.begin(), events_.end(), later);
}

void World::post(std::coroutine_handle<> handle) {
  after(0, [handle] { handle.resume(); });
}

bool World::run_until(uint64_t time_ns) {
  while (!failed() && !events_.empty() && events_.front().time_ns <= time_ns) {
    std::pop_heap(events_.begin(), events_.end(), later);
    Event event = std::move(events_.back());
    events_.pop_back();
    now_ns_ = event.time_ns;
    if (++event_count_ > events_max_) {
      fail("progress", "too many events for one run");
    }
    event.run();
  }
  now_ns_ = failed() ? now_ns_ : std::max(now_ns_, time_ns);
  return !failed();
}

void World::trace(std::string_view what, std::initializer_list<uint64_t> numbers) {
  trace_hash_ = mix(mix(trace_hash_, now_ns_), crc32c(what));
  for (const uint64_t number : numbers) {
    trace_hash_ = mix(trace_hash_, number);
  }
  if (verbose_) {
    std::string line = fmt::format("{:>12.3f}ms {}", static_cast<double>(now_ns_) / 1e6, what);
    for (const uint64_t number : numbers) {
      line += fmt::format(" {}", number);
    }
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

bool World::fires(const char* site) {
  if (!sites_on_) {
    return false;
  }
  const auto [place, is_new] = active_sites_.try_emplace(site, false);
  if (is_new) {
    // By name, not by order of first use: turning another fault off must not move this one.
    place->second = Prng(mix(sites_seed_, crc32c(site))).chance(kSiteActive);
  }
  const bool fires = place->second && prng_.chance(kSiteFires);
  if (fires) {
    ++probes_[fmt::format("site {}", site)];
  }
  return fires;
}

void World::fail(std::string invariant, std::string what) {
  if (failed()) {
    return;
  }
  violation_ = fmt::format("{}: {}, at {:.3f} ms", invariant, what, static_cast<double>(now_ns_) / 1e6);
  invariant_ = std::move(invariant);
  if (verbose_) {
    std::fprintf(stderr, "VIOLATION %s\n", violation_.c_str());
  }
}

}  // namespace pando::sim
