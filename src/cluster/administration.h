#pragma once

// The calls of administration between nodes, and from `pando init` and `pando node`: their names and their content.
// docs/formats/cluster.md has the encodings. Errors of the decoders: 08P01.

#include <chrono>
#include <string>
#include <vector>

#include "base/cluster_id.h"
#include "cluster/node_record.h"
#include "runtime/executor.h"
#include "runtime/peer_network.h"

namespace pando::cluster {

namespace method {
// Who are you? Always answered. -> Introduction
inline constexpr const char* kIdentify = "identify";
// Make a new cluster whose first node is the one that is called. -> Introduction
inline constexpr const char* kInitialize = "initialize";
// Let me into your cluster. -> Introduction, whose `node` is the number for the caller
inline constexpr const char* kJoin = "join";
// -> NodeList
inline constexpr const char* kNodes = "nodes";
// What is the time? Always answered. -> nanoseconds since the Unix epoch
inline constexpr const char* kClock = "clock";
// NodeCommand: change the state of a node. -> nothing
inline constexpr const char* kSetState = "set state";
}  // namespace method

struct Introduction {
  // None before the node belongs to one.
  ClusterId cluster;
  NodeId node;
  std::string address;
  // The nodes that it knows, with itself.
  std::vector<std::pair<NodeId, std::string>> peers;
  friend bool operator==(const Introduction&, const Introduction&) = default;
};
Bytes encode(const Introduction& introduction);
Result<Introduction> decode_introduction(ByteView bytes);

Bytes encode_clock(uint64_t wall_ns);
Result<uint64_t> decode_clock(ByteView bytes);

struct NodeStatus {
  NodeRecord record;
  // As the node that answers sees it.
  bool connected = false;
  friend bool operator==(const NodeStatus&, const NodeStatus&) = default;
};
Bytes encode(const std::vector<NodeStatus>& nodes);
Result<std::vector<NodeStatus>> decode_node_list(ByteView bytes);

struct NodeCommand {
  // None: the node that is called.
  NodeId node;
  NodeState state = NodeState::kActive;
  friend bool operator==(const NodeCommand&, const NodeCommand&) = default;
};
Bytes encode(const NodeCommand& command);
Result<NodeCommand> decode_node_command(ByteView bytes);

// Administration::call for coroutines: continues on `executor`.
Task<Result<Bytes>> call(runtime::Administration& administration, runtime::Executor& executor, std::string address,
                         std::string method, Bytes request, std::chrono::milliseconds timeout);

}  // namespace pando::cluster
