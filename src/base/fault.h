#pragma once

// Fault sites: places in product code where a simulation may make things happen that are allowed but rare.
//
//   if (PANDO_FAULT(options_.faults, "raft/append-one-entry")) { bytes_max = 0; }
//
// A site is either active for a whole run or not, and an active one fires with some probability; both are decided by
// the simulator behind FaultSites. In release builds a site is `false` and costs nothing.

namespace pando {

class FaultSites {
 public:
  virtual ~FaultSites() = default;
  // Whether the site fires this time.
  virtual bool fires(const char* site) = 0;
};

}  // namespace pando

#ifdef PANDO_DEBUG
#define PANDO_FAULT(sites, name) ((sites) != nullptr && (sites)->fires(name))
#else
#define PANDO_FAULT(sites, name) (static_cast<void>(sites), false)
#endif
