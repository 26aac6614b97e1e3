#include "kv/replica/shared_leases.h"

#include <algorithm>

#include "base/assert.h"
#include "kv/replica/replica.h"
#include "kv/replica/shard_view.h"

namespace pando::kv {

void SharedLeases::add(Replica& replica, LeaseBasis basis, uint64_t until_ns) {
  PANDO_ASSERT(replica.shared_lease == nullptr, "a replica shares one lease");
  const auto [found, is_new] = leases_.try_emplace(basis);
  SharedLease& lease = found->second;
  if (is_new) {
    lease.basis = std::move(basis);
    lease.until_ns = until_ns;
  }
  lease.until_ns = std::min(lease.until_ns, until_ns);
  replica.shared_lease = &lease;
  replica.shared_lease_place = lease.replicas.size();
  lease.replicas.push_back(&replica);
}

bool SharedLeases::remove(Replica& replica) {
  if (replica.shared_lease == nullptr) {
    return false;
  }
  SharedLease& lease = *std::exchange(replica.shared_lease, nullptr);
  // The last one takes its place.
  Replica* const last = lease.replicas.back();
  lease.replicas[replica.shared_lease_place] = last;
  last->shared_lease_place = replica.shared_lease_place;
  lease.replicas.pop_back();
  if (lease.replicas.empty()) {
    leases_.erase(leases_.find(lease.basis));
  }
  return true;
}

void SharedLeases::prolong(SharedLease& lease, uint64_t until_ns) {
  lease.until_ns = until_ns;
  for (const Replica* const replica : lease.replicas) {
    ShardViewWriter::set_lease(*replica->view, until_ns);
  }
}

}  // namespace pando::kv
