#include "cluster/administration.h"

#include <optional>

#include "base/codec.h"
#include "runtime/event.h"

namespace pando::cluster {
namespace {

constexpr uint64_t kNodesMax = 100'000;

Status malformed(const char* what) { return Status(sql_state::kProtocolViolation, "malformed {}", what); }

bool read_state(ByteReader& reader, NodeState& state) {
  uint8_t number = 0;
  if (!reader.fixed8(number) || number < static_cast<uint8_t>(NodeState::kActive) ||
      number > static_cast<uint8_t>(NodeState::kDecommissioned)) {
    return false;
  }
  state = static_cast<NodeState>(number);
  return true;
}

}  // namespace

Bytes encode(const Introduction& introduction) {
  Bytes out(introduction.cluster.bytes());
  put_fixed32(out, introduction.node.number());
  put_length_prefixed(out, introduction.address);
  put_varint(out, introduction.peers.size());
  for (const auto& [node, address] : introduction.peers) {
    put_fixed32(out, node.number());
    put_length_prefixed(out, address);
  }
  return out;
}

Result<Introduction> decode_introduction(ByteView bytes) {
  ByteReader reader(bytes);
  Introduction introduction;
  ByteView cluster;
  ByteView address;
  uint32_t node = 0;
  uint64_t peers = 0;
  if (!reader.raw(ClusterId::kBytes, cluster) || !reader.fixed32(node) || !reader.length_prefixed(address) ||
      !reader.varint(peers) || peers > kNodesMax) {
    return malformed("introduction");
  }
  introduction.cluster = *ClusterId::from_bytes(cluster);
  introduction.node = NodeId(node);
  introduction.address = address;
  for (uint64_t i = 0; i < peers; ++i) {
    if (!reader.fixed32(node) || !reader.length_prefixed(address)) {
      return malformed("introduction");
    }
    introduction.peers.emplace_back(node, address);
  }
  return introduction;
}

Bytes encode_clock(uint64_t wall_ns) {
  Bytes out;
  put_fixed64(out, wall_ns);
  return out;
}

Result<uint64_t> decode_clock(ByteView bytes) {
  ByteReader reader(bytes);
  uint64_t wall_ns = 0;
  if (!reader.fixed64(wall_ns) || !reader.empty()) {
    return malformed("clock reading");
  }
  return wall_ns;
}

Bytes encode(const std::vector<NodeStatus>& nodes) {
  Bytes out;
  put_varint(out, nodes.size());
  for (const NodeStatus& node : nodes) {
    put_length_prefixed(out, encode(node.record));
    out.push_back(node.connected ? 1 : 0);
  }
  return out;
}

Result<std::vector<NodeStatus>> decode_node_list(ByteView bytes) {
  ByteReader reader(bytes);
  uint64_t count = 0;
  if (!reader.varint(count) || count > kNodesMax) {
    return malformed("list of nodes");
  }
  std::vector<NodeStatus> nodes;
  for (uint64_t i = 0; i < count; ++i) {
    ByteView record;
    uint8_t connected = 0;
    if (!reader.length_prefixed(record) || !reader.fixed8(connected) || connected > 1) {
      return malformed("list of nodes");
    }
    NodeStatus node{.connected = connected == 1};
    PANDO_ASSIGN(node.record, decode_node_record(record));
    nodes.push_back(std::move(node));
  }
  return nodes;
}

Bytes encode(const NodeCommand& command) {
  Bytes out;
  put_fixed32(out, command.node.number());
  out.push_back(static_cast<char>(command.state));
  return out;
}

Result<NodeCommand> decode_node_command(ByteView bytes) {
  ByteReader reader(bytes);
  uint32_t node = 0;
  NodeCommand command;
  if (!reader.fixed32(node) || !read_state(reader, command.state) || !reader.empty()) {
    return malformed("command");
  }
  command.node = NodeId(node);
  return command;
}

Task<Result<Bytes>> call(runtime::Administration& administration, runtime::Executor& executor, std::string address,
                         std::string method, Bytes request, std::chrono::milliseconds timeout) {
  struct Call {
    explicit Call(runtime::Executor& executor) : done(executor) {}
    runtime::Event done;
    std::optional<Result<Bytes>> result;
  };
  // Shared: the reply may still be in set() when the waiter goes on.
  auto state = std::make_shared<Call>(executor);
  administration.call(address, method, std::move(request), timeout, [state](Result<Bytes> result) {
    state->result.emplace(std::move(result));
    state->done.set();
  });
  co_await state->done.wait();
  co_return std::move(*state->result);
}

}  // namespace pando::cluster
