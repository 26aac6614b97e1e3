#pragma once

// Fabric: which nodes support which, so that ten thousand idle groups need no heartbeats of their own.
//
//   requester                                supporter
//      | -- Request(incarnation, sent, for) --> |   promises until receipt + for, on the supporter's clock,
//      | <-- Grant(epoch, sent, for) ---------- |   in the running epoch, or in a new one if that has lapsed
//   counts on it until sent + for - drift, on its own clock
//
// Both ends measure durations on monotonic clocks and the requester starts earlier, so the promise outlasts the trust
// in it whatever the clocks show; only the rate of clocks must be within `drift_ppm_max`. No clock offset matters.
//
// An epoch that has lapsed never comes back: epochs of a supporter rise, and start with its incarnation, which rises
// with every start. Therefore nothing is written per promise. What is durable is the incarnation and the longest
// promise ever allowed; for that long after a start a node honours whatever earlier incarnations may have promised. The
// argument in full is in docs/specs/liveness.md, its model in docs/specs/liveness.pml.
//
// A node whose disk stalls stops asking for support, so it loses its leaderships. Pure: no clock, no I/O. One thread at
// a time. `now_ns` is the node's monotonic clock and never goes back.

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace pando::liveness {

// An epoch: the supporter's incarnation in the upper half, a counter in the lower.
using Epoch = uint64_t;

// What a node must never forget. Written and synced at every start, before the node sends anything.
struct Identity {
  uint64_t incarnation = 0;
  uint64_t support_ns_max = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};
Bytes encode(const Identity& identity);
bool decode(ByteView bytes, Identity& identity);

struct Message {
  // Never renumber: on the wire.
  enum class Type : uint8_t { kRequest = 1, kGrant = 2 };
  Type type = Type::kRequest;
  NodeId from;
  NodeId to;
  // The requester's, in both directions.
  uint64_t incarnation = 0;
  // The requester's clock when it asked, in both directions.
  uint64_t sent_ns = 0;
  // Asked for, or promised.
  uint64_t support_ns = 0;
  // kGrant only.
  Epoch epoch = 0;
  friend bool operator==(const Message&, const Message&) = default;
};
void encode(const Message& message, Bytes& out);
bool decode(ByteView bytes, Message& message);

struct Options {
  NodeId self;
  // A request asks for a time between these, by the measured round trip; and is repeated after a quarter of it, so that
  // three in a row may be lost. Safety does not depend on the choice: each promise carries its own duration.
  uint64_t support_ns_min = 600'000'000;
  uint64_t support_ns_max = 3'000'000'000;
  // How far a clock may be off its rate.
  uint64_t drift_ppm_max = 1000;
};

inline constexpr uint64_t kRequestsPerSupport = 4;

struct Support {
  Epoch epoch = 0;
  // 0 once it has lapsed.
  uint64_t until_ns = 0;
};

class Fabric {
 public:
  struct Ready {
    // To be written and synced; then call persisted().
    std::optional<Identity> persist;
    std::vector<Message> send;
    // Nodes whose support, in either direction, has begun, lapsed or changed its epoch. In rising order.
    std::vector<NodeId> changed;
  };

  // `before`: as read from the disk; zero for a new node.
  Fabric(const Options& options, const Identity& before, uint64_t now_ns);

  // Asks `peer` for support from now on; or no longer.
  void watch(NodeId peer);
  void unwatch(NodeId peer);
  // The disk does not complete writes in time: asks for nothing until it does.
  void set_stalled(bool stalled) { stalled_ = stalled; }

  // Call at least every few milliseconds.
  void tick(uint64_t now_ns);
  void step(const Message& message, uint64_t now_ns);
  void persisted() { durable_ = true; }
  Ready take_ready();

  // --- what it knows, as of the last `now_ns` ---
  // The epoch in which this node supports `peer` now; 0 for none.
  Epoch epoch_for(NodeId peer) const;
  // Whether a promise to `peer` in `epoch` may still stand.
  bool supports(NodeId peer, Epoch epoch) const;
  // What `peer` has promised to this node.
  Support from(NodeId peer) const;
  // What this node has promised to `peer`, lapsed or not: for checks.
  Support given(NodeId peer) const;
  uint64_t honour_until_ns() const { return honour_until_ns_; }
  uint64_t now_ns() const { return now_ns_; }
  uint64_t incarnation() const { return identity_.incarnation; }
  // The time asked for from `peer`, given its round trip.
  uint64_t support_ns(NodeId peer) const;

 private:
  struct Peer {
    NodeId id;
    bool watched = false;
    uint64_t next_request_ns = 0;
    // Round trip, smoothed as in TCP (RFC 6298).
    uint64_t round_trip_ns = 0;
    uint64_t variation_ns = 0;
    // What this node has promised it.
    Epoch given_epoch = 0;
    uint64_t given_until_ns = 0;
    uint64_t incarnation = 0;
    bool was_given = false;
    // What it has promised to this node.
    Epoch received_epoch = 0;
    uint64_t received_until_ns = 0;
    bool was_received = false;
  };

  Peer& peer(NodeId id);
  const Peer* find(NodeId id) const;
  void on_request(const Message& message);
  void on_grant(const Message& message);
  void measure(Peer& peer, uint64_t round_trip_ns);
  uint64_t support_ns(const Peer& peer) const;
  void note_change(NodeId id);

  Options options_;
  Identity identity_;
  bool durable_ = false;
  bool persist_handed_out_ = false;
  bool stalled_ = false;
  uint64_t now_ns_;
  // Until when promises of earlier incarnations may stand.
  uint64_t honour_until_ns_;
  uint64_t epochs_given_ = 0;
  // In rising order of id.
  std::vector<Peer> peers_;
  std::vector<Message> send_;
  std::vector<NodeId> changed_;
};

}  // namespace pando::liveness
