#pragma once

// What must be true of the cluster when faults and clients have stopped. Each returns OK or what is wrong; those that
// wait for rest may be asked again.

#include "test/cluster_sim/client.h"

namespace pando::test {

// All nodes run and serve SQL, every shard is led, every replica has applied everything, none is left over, and the
// replicas of each shard hold the same bytes. The shards cover the key space once.
Status check_rest(SimulatedCluster& cluster);
// Nothing is locked, prepared, pending, awaited or running in the background.
Status check_memory(SimulatedCluster& cluster);
// Indexes match tables, rows match constraints, descriptors match each other; all nodes show the same catalog.
Task<Status> check_tables(SimulatedCluster* cluster);

}  // namespace pando::test
