#include "sim/transport.h"

#include <algorithm>

#include "base/assert.h"

namespace pando::sim {

using runtime::Channel;

// --- one process ---

void SimTransport::send(NodeId to, Channel channel, Bytes message) {
  PANDO_ASSERT(message.size() <= runtime::kMessageBytesMax, "a message over the limit");
  if (to != self_) {
    network_.send(self_, to, channel, std::move(message));
    return;
  }
  to_self_.emplace_back(channel, std::move(message));
  network_.world_.after(0, [this] {
    // Whichever of these events runs first takes the oldest message: order holds although ties are drawn.
    auto [on, oldest] = std::move(to_self_.front());
    to_self_.pop_front();
    deliver(self_, on, std::move(oldest));
  });
}

void SimTransport::receive(Channel channel, Receiver receiver) {
  Receiver& place = receivers_[TransportNetwork::index_of(channel)];
  PANDO_ASSERT(!place, "two receivers of one channel");
  place = std::move(receiver);
}

bool SimTransport::connected(NodeId peer) const {
  const auto found = network_.connections_.find(TransportNetwork::ends_of(self_, peer));
  return found != network_.connections_.end() && found->second.up;
}

void SimTransport::deliver(NodeId from, Channel channel, Bytes message) {
  const auto running = network_.processes_.find(self_);
  if (running == network_.processes_.end() || running->second.get() != this) {
    return;
  }
  if (const Receiver& receiver = receivers_[TransportNetwork::index_of(channel)]) {
    receiver(from, std::move(message));
  }
}

// --- the connections between them ---

TransportNetwork::TransportNetwork(World& world, Network& network, const TransportOptions& options)
    : world_(world), network_(network), options_(options) {}

TransportNetwork::~TransportNetwork() = default;

SimTransport& TransportNetwork::boot(NodeId node) {
  PANDO_ASSERT(!running(node), "a node runs one process");
  processes_[node].reset(new SimTransport(*this, node));
  for (const auto& [other, process] : processes_) {
    if (other != node) {
      ++connections_[ends_of(node, other)].epoch;
      connect_later(ends_of(node, other));
    }
  }
  return *processes_[node];
}

void TransportNetwork::crash(NodeId node) {
  PANDO_ASSERT(running(node), "it is not running");
  crashed_.push_back(std::move(processes_[node]));
  processes_.erase(node);
  for (auto& [ends, connection] : connections_) {
    if (ends.first == node || ends.second == node) {
      break_connection(ends);
    }
  }
}

void TransportNetwork::send(NodeId from, NodeId to, Channel channel, Bytes message) {
  Connection& connection = connections_[ends_of(from, to)];
  if (!connection.up) {
    return;
  }
  Flow& flow = connection.flows[direction(from, to)][index_of(channel)];
  network_.send(from.number(), to.number(),
                [this, from, to, channel, epoch = connection.epoch, sequence = flow.next_sent++,
                 message = std::move(message)] { arrive(from, to, channel, epoch, sequence, message); });
}

void TransportNetwork::arrive(NodeId from, NodeId to, Channel channel, uint64_t epoch, uint64_t sequence,
                              Bytes message) {
  const Ends ends = ends_of(from, to);
  if (!current(ends, epoch)) {
    return;
  }
  Connection& connection = connections_[ends];
  connection.heard_ns[direction(from, to)] = world_.now_ns();
  Flow& flow = connection.flows[direction(from, to)][index_of(channel)];
  if (sequence < flow.next_delivered || !flow.early.emplace(sequence, std::move(message)).second) {
    return;
  }
  // A receiver may break this connection or send on it.
  while (current(ends, epoch) && !flow.early.empty() && flow.early.begin()->first == flow.next_delivered) {
    Bytes next = std::move(flow.early.begin()->second);
    flow.early.erase(flow.early.begin());
    ++flow.next_delivered;
    processes_.at(to)->deliver(from, channel, std::move(next));
  }
  if (current(ends, epoch) && !flow.early.empty() && !flow.waiting) {
    await_missing(from, to, channel);
  }
}

void TransportNetwork::await_missing(NodeId from, NodeId to, Channel channel) {
  const Ends ends = ends_of(from, to);
  Connection& connection = connections_[ends];
  Flow& flow = connection.flows[direction(from, to)][index_of(channel)];
  flow.waiting = true;
  world_.after(options_.retransmit_ns,
               [this, from, to, ends, channel, epoch = connection.epoch, missing = flow.next_delivered] {
                 if (!current(ends, epoch)) {
                   return;
                 }
                 Flow& now = connections_[ends].flows[direction(from, to)][index_of(channel)];
                 now.waiting = false;
                 if (now.next_delivered != missing) {
                   if (!now.early.empty()) {
                     await_missing(from, to, channel);
                   }
                   return;
                 }
                 world_.probe("transport lost a message");
                 break_connection(ends);
               });
}

void TransportNetwork::connect_later(const Ends& ends) {
  const uint64_t spread = options_.backoff_max_ns - options_.backoff_min_ns;
  const uint64_t delay = options_.backoff_min_ns + world_.prng().below(spread + 1);
  world_.after(delay, [this, ends, epoch = connections_[ends].epoch] {
    if (current(ends, epoch) && running(ends.first) && running(ends.second)) {
      connect(ends);
    }
  });
}

// There and back: a connection needs both directions.
void TransportNetwork::connect(const Ends& ends) {
  const uint64_t epoch = connections_[ends].epoch;
  network_.send(ends.first.number(), ends.second.number(), [this, ends, epoch] {
    network_.send(ends.second.number(), ends.first.number(), [this, ends, epoch] { established(ends, epoch); });
  });
  // Tried again unless it comes to be; the epoch says which.
  connect_later(ends);
}

void TransportNetwork::established(const Ends& ends, uint64_t epoch) {
  if (!current(ends, epoch) || !running(ends.first) || !running(ends.second)) {
    return;
  }
  Connection& connection = connections_[ends];
  connection = Connection{.up = true, .epoch = epoch + 1, .heard_ns = {world_.now_ns(), world_.now_ns()}};
  world_.trace("transport connected", {ends.first.number(), ends.second.number()});
  keep_alive(ends);
  tell(ends.first, ends.second, true);
  tell(ends.second, ends.first, true);
}

void TransportNetwork::break_connection(const Ends& ends) {
  Connection& connection = connections_[ends];
  const bool was_up = connection.up;
  connection = Connection{.up = false, .epoch = connection.epoch + 1};
  if (was_up) {
    world_.trace("transport disconnected", {ends.first.number(), ends.second.number()});
    tell(ends.first, ends.second, false);
    tell(ends.second, ends.first, false);
  }
  connect_later(ends);
}

void TransportNetwork::keep_alive(const Ends& ends) {
  const uint64_t epoch = connections_[ends].epoch;
  world_.after(options_.keepalive_ns, [this, ends, epoch] {
    if (!current(ends, epoch)) {
      return;
    }
    const auto [heard, heard_back] = connections_[ends].heard_ns;
    if (world_.now_ns() - std::min(heard, heard_back) > options_.silence_ns) {
      world_.probe("transport silent");
      break_connection(ends);
      return;
    }
    ping(ends.first, ends.second, [this, ends] { ping(ends.second, ends.first, [] {}); });
    keep_alive(ends);
  });
}

// Says how much was sent, so that a message that is lost without a successor is missed too.
void TransportNetwork::ping(NodeId from, NodeId to, std::function<void()> then) {
  const Connection& connection = connections_[ends_of(from, to)];
  std::array<uint64_t, runtime::kChannelCount> sent{};
  for (const Channel channel : runtime::kChannels) {
    sent[index_of(channel)] = connection.flows[direction(from, to)][index_of(channel)].next_sent;
  }
  network_.send(from.number(), to.number(), [this, from, to, sent, epoch = connection.epoch, then = std::move(then)] {
    if (!current(ends_of(from, to), epoch)) {
      return;
    }
    Connection& now = connections_[ends_of(from, to)];
    now.heard_ns[direction(from, to)] = world_.now_ns();
    for (const Channel channel : runtime::kChannels) {
      const Flow& flow = now.flows[direction(from, to)][index_of(channel)];
      if (flow.next_delivered < sent[index_of(channel)] && !flow.waiting) {
        await_missing(from, to, channel);
      }
    }
    then();
  });
}

void TransportNetwork::tell(NodeId node, NodeId peer, bool connected) {
  if (const auto found = processes_.find(node); found != processes_.end()) {
    for (const auto& observer : found->second->observers_) {
      observer(peer, connected);
    }
  }
}

}  // namespace pando::sim
