#pragma once

// Metrics of a server in Prometheus' text format, and whether it is ready: what --http serves.
// Any thread but the replicas' own.

#include <string>

#include "node/node.h"
#include "server/cluster_member.h"

namespace pando::server {

// `member` is null for a node of its own.
std::string prometheus_text(node::Node& node, ClusterMember* member);
// Why clients are better sent elsewhere; OK when they are not.
Status readiness(node::Node& node, ClusterMember* member);

}  // namespace pando::server
