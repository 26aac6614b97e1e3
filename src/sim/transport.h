#pragma once

// TransportNetwork: runtime::Transport between virtual nodes, over a sim::Network that loses, repeats, reorders and
// blocks.
//
//   TransportNetwork transports(world, network);
//   SimTransport& one = transports.boot(NodeId(1));     // a process starts; it is connected to others as time passes
//   one.receive(Channel::kConsensus, ...);              // before time passes
//   transports.crash(NodeId(1));                        // `one` is gone; a later boot() is a new process
//
// Between each two nodes there is something like a TCP connection: repeats are dropped, what overtakes waits for what
// it overtook, and a message that stays lost breaks the connection, as does silence. A broken connection is made anew
// after a while; both ends are told of it, as the contract of the interface says.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "runtime/transport.h"
#include "sim/network.h"
#include "sim/world.h"

namespace pando::sim {

struct TransportOptions {
  // How long what overtook waits before the connection breaks.
  uint64_t retransmit_ns = 200'000'000;
  uint64_t keepalive_ns = 500'000'000;
  uint64_t silence_ns = 2'000'000'000;
  // A connection is tried anew after a time between these.
  uint64_t backoff_min_ns = 10'000'000;
  uint64_t backoff_max_ns = 500'000'000;
};

class TransportNetwork;

class SimTransport final : public runtime::Transport {
 public:
  NodeId self() const override { return self_; }
  void send(NodeId to, runtime::Channel channel, Bytes message) override;
  void receive(runtime::Channel channel, Receiver receiver) override;
  void observe(PeerObserver observer) override { observers_.push_back(std::move(observer)); }
  bool connected(NodeId peer) const override;

 private:
  friend class TransportNetwork;
  SimTransport(TransportNetwork& network, NodeId self) : network_(network), self_(self) {}

  void deliver(NodeId from, runtime::Channel channel, Bytes message);

  TransportNetwork& network_;
  const NodeId self_;
  std::array<Receiver, runtime::kChannelCount> receivers_;
  std::vector<PeerObserver> observers_;
  // Messages to itself that are under way.
  std::deque<std::pair<runtime::Channel, Bytes>> to_self_;
};

class TransportNetwork {
 public:
  TransportNetwork(World& world, Network& network, const TransportOptions& options = {});
  ~TransportNetwork();
  TransportNetwork(const TransportNetwork&) = delete;
  TransportNetwork& operator=(const TransportNetwork&) = delete;

  // REQUIRES: no process of that node runs.
  SimTransport& boot(NodeId node);
  void crash(NodeId node);

 private:
  friend class SimTransport;
  using Ends = std::pair<NodeId, NodeId>;

  // One direction of one channel.
  struct Flow {
    uint64_t next_sent = 0;
    uint64_t next_delivered = 0;
    // What arrived before its turn.
    std::map<uint64_t, Bytes> early;
    bool waiting = false;
  };
  struct Connection {
    bool up = false;
    // Rises whenever the connection is made or breaks: what belongs to another epoch is dropped.
    uint64_t epoch = 0;
    // By direction (0: from the lower node): when something last arrived.
    std::array<uint64_t, 2> heard_ns{};
    // By direction, then channel.
    std::array<std::array<Flow, runtime::kChannelCount>, 2> flows;
  };

  static Ends ends_of(NodeId a, NodeId b) { return a < b ? Ends{a, b} : Ends{b, a}; }
  static std::size_t direction(NodeId from, NodeId to) { return from < to ? 0 : 1; }
  static std::size_t index_of(runtime::Channel channel) { return static_cast<std::size_t>(channel) - 1; }
  bool running(NodeId node) const { return processes_.contains(node); }
  bool current(const Ends& ends, uint64_t epoch) { return connections_[ends].epoch == epoch; }

  void send(NodeId from, NodeId to, runtime::Channel channel, Bytes message);
  void arrive(NodeId from, NodeId to, runtime::Channel channel, uint64_t epoch, uint64_t sequence, Bytes message);
  void await_missing(NodeId from, NodeId to, runtime::Channel channel);
  void connect_later(const Ends& ends);
  void connect(const Ends& ends);
  void established(const Ends& ends, uint64_t epoch);
  void break_connection(const Ends& ends);
  void keep_alive(const Ends& ends);
  void ping(NodeId from, NodeId to, std::function<void()> then);
  void tell(NodeId node, NodeId peer, bool connected);

  World& world_;
  Network& network_;
  const TransportOptions options_;
  std::map<NodeId, std::unique_ptr<SimTransport>> processes_;
  // Processes that have crashed are kept until the end: events that name them may still be queued.
  std::vector<std::unique_ptr<SimTransport>> crashed_;
  std::map<Ends, Connection> connections_;
};

}  // namespace pando::sim
