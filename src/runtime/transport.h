#pragma once

// Transport: messages between the nodes of a cluster, as an interface. In production runtime/os/grpc_transport.h, in
// tests sim/transport.h.
//
//   transport.receive(Channel::kConsensus, [&](NodeId from, Bytes message) { inbox.push(from, std::move(message)); });
//   transport.observe([&](NodeId peer, bool connected) { if (!connected) requests.fail_all_to(peer); });
//   ...start...
//   transport.send(NodeId(2), Channel::kConsensus, std::move(message));
//
// Thread-safe, except that receive() and observe() are called before the transport is started.

#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/ids.h"

namespace pando::runtime {

// One ordered stream each, so that a snapshot does not delay a heartbeat. Never renumber: these are on the wire.
enum class Channel : uint8_t {
  kConsensus = 1,
  kRequests = 2,
  kBulk = 3,
};
inline constexpr Channel kChannels[] = {Channel::kConsensus, Channel::kRequests, Channel::kBulk};
inline constexpr std::size_t kChannelCount = 3;

// A larger message is a programmer's error: cut it into pieces.
inline constexpr std::size_t kMessageBytesMax = 64_MiB;

class Transport {
 public:
  virtual ~Transport() = default;

  virtual NodeId self() const = 0;

  // Best effort, never blocks: a message arrives once or not at all. Those of one channel to one node arrive in the
  // order they were sent while the connection lasts. Dropped when the peer is unknown or not connected, or when what
  // waits for that peer on that channel is over the transport's limit. A message to self() is delivered like any other,
  // and not on the caller's stack.
  virtual void send(NodeId to, Channel channel, Bytes message) = 0;

  // Called on a thread of the transport's, one call at a time per peer and channel; must not block. Once per channel;
  // what arrives on a channel without a receiver is dropped.
  using Receiver = std::function<void(NodeId from, Bytes message)>;
  virtual void receive(Channel channel, Receiver receiver) = 0;

  // Called on a thread of the transport's when messages can begin to flow both ways between this node and `peer`, and
  // when that ends: what was sent before, and its answer, may be lost then. Calls for one peer alternate, beginning
  // with true. Must not block. Any number of observers.
  using PeerObserver = std::function<void(NodeId peer, bool connected)>;
  virtual void observe(PeerObserver observer) = 0;
  virtual bool connected(NodeId peer) const = 0;
};

}  // namespace pando::runtime
