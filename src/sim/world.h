#pragma once

// World: virtual time and everything that happens in it, on one thread, from one seed.
//
//   World world(seed);
//   world.after(5ms, [&] { ... });
//   world.run_until(world.now_ns() + 10s);
//   if (world.failed()) print(world.violation());
//
// Events at the same time run in an order drawn from the seed. Everything of note is mixed into the trace hash: two
// runs of one seed have the same hash, or the program depends on something that is not the seed.

#include <array>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "base/prng.h"
#include "runtime/executor.h"

namespace pando::sim {

class World final : public runtime::Executor, public FaultSites {
 public:
  explicit World(uint64_t seed);

  // True virtual time, in nanoseconds. What a node sees is sim::NodeClock.
  uint64_t now_ns() const { return now_ns_; }
  Prng& prng() { return prng_; }

  void at(uint64_t time_ns, std::function<void()> event);
  void after(uint64_t delay_ns, std::function<void()> event) { at(now_ns_ + delay_ns, std::move(event)); }
  void post(std::coroutine_handle<> handle) override;
  // Runs what is due up to `time_ns`, or until a violation. Returns whether all of it ran.
  bool run_until(uint64_t time_ns);
  uint64_t event_count() const { return event_count_; }
  // A run that takes more is going round in circles: a violation.
  void set_events_max(uint64_t events) { events_max_ = events; }

  // --- the trace ---
  void trace(std::string_view what, std::initializer_list<uint64_t> numbers);
  uint64_t trace_hash() const { return trace_hash_; }
  // Prints the trace to stderr as it goes.
  void set_verbose(bool verbose) { verbose_ = verbose; }
  bool verbose() const { return verbose_; }

  // --- probes: interesting states that were reached ---
  void probe(const char* name) { ++probes_[name]; }
  const std::map<std::string, uint64_t>& probes() const { return probes_; }

  // --- fault sites: each is active for a whole run or not ---
  void set_fault_sites(bool on) { sites_on_ = on; }
  bool fires(const char* site) override;

  // --- violations: the first one counts ---
  void fail(std::string invariant, std::string what);
  bool failed() const { return !violation_.empty(); }
  // "invariant: what, at time".
  const std::string& violation() const { return violation_; }
  const std::string& invariant() const { return invariant_; }

 private:
  struct Event {
    uint64_t time_ns = 0;
    // Drawn: orders events of the same time.
    uint64_t tie = 0;
    uint64_t serial = 0;
    std::function<void()> run;
  };
  static bool later(const Event& a, const Event& b);

  uint64_t now_ns_ = 0;
  Prng prng_;
  // A heap.
  std::vector<Event> events_;
  uint64_t serial_ = 0;
  uint64_t event_count_ = 0;
  uint64_t events_max_ = 1'000'000;
  uint64_t trace_hash_;
  bool verbose_ = false;
  std::map<std::string, uint64_t> probes_;
  bool sites_on_ = false;
  uint64_t sites_seed_;
  std::map<std::string, bool> active_sites_;
  std::string invariant_;
  std::string violation_;
};

}  // namespace pando::sim
