#pragma once

// MultiRaft: all groups of one node, driven as one. Still pure: no clock, thread or I/O; a loop around it does those.
//
//   MultiRaft host(options, directory, identity, seed, now_ns);
//   host.add(group, raft_options, restart_state);                      // what the journal and the engine hold
//   loop: host.tick(now_ns); host.step(envelope, now_ns); host.propose(group, payload);
//         Ready ready = host.take_ready();
//           send ready.send at once; write ready.write to the journal with one sync, then host.persisted(sequence);
//           apply ready.apply in order per group, then host.applied(group, index); serve ready.reads
//
// What it adds to the cores: everything for one node travels in one envelope, all writes of a turn share one sync, and
// a group that is idle is not ticked: it costs its memory, and nothing else, until a message, a call or a change of
// support wakes it. A node whose disk does not finish a write in `stall_ns`, more for a large one, stops asking for
// support.
//
// One thread at a time.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "consensus/liveness/fabric.h"
#include "consensus/raft/raft.h"

namespace pando::multiraft {

// Which node a replica lives on.
class Directory {
 public:
  virtual ~Directory() = default;
  virtual NodeId node_of(ShardId group, ReplicaId replica) const = 0;
};

struct GroupMessage {
  ShardId group;
  raft::Message message;
};

struct Envelope {
  NodeId from;
  NodeId to;
  std::vector<liveness::Message> liveness;
  std::vector<GroupMessage> raft;
};
void encode(const Envelope& envelope, Bytes& out);
// False for bytes that are no envelope.
bool decode(ByteView bytes, Envelope& envelope);

struct GroupWrite {
  ShardId group;
  ReplicaId replica;
  raft::Persist persist;
};

struct Write {
  // Rising by one. Writes become durable in order.
  uint64_t sequence = 0;
  std::optional<liveness::Identity> identity;
  std::vector<GroupWrite> groups;
};

struct GroupApply {
  ShardId group;
  raft::Entries entries;
};

struct GroupReads {
  ShardId group;
  std::vector<raft::ReadState> reads;
};

struct Ready {
  // At most one per node, in rising order of node.
  std::vector<Envelope> send;
  std::optional<Write> write;
  std::vector<GroupApply> apply;
  std::vector<GroupReads> reads;
  // Groups whose state may have changed since the last Ready. To be looked at before anything is sent.
  std::vector<ShardId> touched;

  bool empty() const { return send.empty() && !write.has_value() && apply.empty() && reads.empty(); }
};

struct Options {
  liveness::Options liveness;
  // Whether leases and silence rest on the liveness fabric. Without it every group sends its own heartbeats.
  bool fabric = true;
  uint64_t tick_ns = 30'000'000;
  // A write that takes longer is a stalled disk; a large one may take a slow disk's time (16 MiB a second) besides.
  uint64_t stall_ns = 400'000'000;
  uint64_t stall_ns_per_kib = 61'000;
};

class MultiRaft {
 public:
  // `directory` must outlive it.
  MultiRaft(const Options& options, const Directory& directory, const liveness::Identity& identity, uint64_t seed,
            uint64_t now_ns);
  ~MultiRaft();
  MultiRaft(const MultiRaft&) = delete;
  MultiRaft& operator=(const MultiRaft&) = delete;

  // REQUIRES: no such group; raft::check(state) is OK.
  void add(ShardId group, const raft::Options& options, raft::RestartState state);
  void remove(ShardId group);
  // Nodes whose support is asked for: those that any group here has replicas on.
  void watch(NodeId node) { fabric_.watch(node); }

  void tick(uint64_t now_ns);
  // Messages to groups that are not here are returned.
  std::vector<GroupMessage> step(Envelope envelope, uint64_t now_ns);
  bool has_ready() const;
  Ready take_ready();
  void persisted(uint64_t sequence);
  void applied(ShardId group, raft::LogIndex index);

  // --- calls to one group; REQUIRES: it is here ---
  raft::Accepted<raft::LogIndex> propose(ShardId group, ByteView payload);
  // All or none; the index of the last.
  raft::Accepted<raft::LogIndex> propose(ShardId group, std::vector<raft::Payload> payloads);
  raft::Accepted<raft::LogIndex> propose_change(ShardId group, const raft::ConfigChange& change);
  raft::Accepted<void> read_index(ShardId group, uint64_t context);
  raft::Accepted<void> transfer(ShardId group, ReplicaId to);
  void campaign(ShardId group);
  void forget_leader(ShardId group);
  void report_unreachable(ShardId group, ReplicaId replica);
  void report_snapshot(ShardId group, ReplicaId replica, bool delivered);
  void compact(ShardId group, raft::LogIndex index);
  void install(ShardId group, const raft::Snapshot& snapshot);

  // Null when it is not here.
  const raft::Raft* find(ShardId group) const;
  std::vector<ShardId> groups() const;
  // Whether this replica may serve reads of `group` by its lease at `now_ns`; then read the state and serve.
  bool holds_lease(ShardId group, uint64_t now_ns) const;
  std::size_t awake_count() const { return awake_.size(); }
  const liveness::Fabric& fabric() const { return fabric_; }

 private:
  struct Group;
  struct InFlight {
    uint64_t sequence = 0;
    uint64_t since_ns = 0;
    // What a slow disk needs for it; and how long it may take, with what was before it.
    uint64_t slow_ns = 0;
    uint64_t stall_ns = 0;
    bool identity = false;
    // What the completion means to the groups, without the content that was written.
    struct Part {
      ShardId group;
      ReplicaId replica;
      uint64_t persist = 0;
      std::vector<raft::Message> then_send;
    };
    std::vector<Part> parts;
  };

  Group& at(ShardId group);
  // Something happened to the group: it is looked at by the next take_ready, and ticked until it is idle.
  void touch(Group& group);
  void release_stranger(const GroupMessage& message);
  void wake_for(const std::vector<NodeId>& nodes);
  // Takes the messages.
  void post(ShardId group, std::span<raft::Message> messages);
  void collect(Group& group, Ready& ready, Write& write);
  bool has_stalled() const;
  uint64_t slow_ns(const Write& write) const;

  Options options_;
  const Directory& directory_;
  Prng prng_;
  liveness::Fabric fabric_;
  uint64_t now_ns_;
  uint64_t next_tick_ns_;
  uint64_t sequence_ = 0;
  std::map<ShardId, std::unique_ptr<Group>> groups_;
  std::vector<Group*> awake_;
  std::vector<Group*> dirty_;
  // Of one group, while it is collected; its memory is used again.
  raft::Ready part_;
  std::vector<InFlight> in_flight_;
  // Ready to be sent, by node.
  std::map<NodeId, Envelope> outbox_;
};

}  // namespace pando::multiraft
