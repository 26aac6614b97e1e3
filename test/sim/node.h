#pragma once

// Node: one simulated machine. Its disk and its flushed state machines outlive its processes; a process is a MultiRaft,
// a Journal on the simulated disk, and the state machines it applies to.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "consensus/multiraft/multiraft.h"
#include "sim/clock.h"
#include "sim/disk.h"
#include "storage/journal.h"
#include "test/sim/checker.h"
#include "test/sim/options.h"

namespace pando::test {

class Cluster;
class Replay;

// A replica's id says which machine it is on.
inline constexpr uint64_t kMachinesMax = 100;
inline sim::Machine machine_of(ReplicaId replica) { return static_cast<sim::Machine>(replica.number() % kMachinesMax); }

// A state machine: what it has applied, and a digest of all of it.
struct State {
  raft::LogPosition position;
  raft::Config config;
  uint64_t digest = 0;
};

class Node {
 public:
  Node(Cluster& cluster, sim::Machine machine, int64_t drift_ppm, int64_t wall_offset_ns);
  ~Node();

  // --- the machine ---
  void start();
  void crash(const char* why);
  void pause(uint64_t for_ns);
  // Loses the disk. The replicas are gone; their ids are not used again.
  void wipe();
  bool up() const { return process_ != nullptr; }
  bool running() const { return up() && booted_; }
  bool paused() const;
  sim::Machine machine() const { return machine_; }
  sim::MachineDisk& disk() { return disk_; }
  sim::NodeClock& clock() { return clock_; }
  void note_flip() { flipped_ = true; }

  // Founds a replica of a group, on a machine that is not started yet.
  void found(ShardId group, ReplicaId replica, const State& state);
  void receive(multiraft::Envelope envelope, std::shared_ptr<const State> snapshot);

  // --- calls; REQUIRES: running() and not paused ---
  const raft::Raft* find(ShardId group) const;
  bool holds_lease(ShardId group);
  using Done = std::function<void(std::optional<raft::LogIndex>)>;
  // `done` gets the index, or nothing when it was refused or its outcome is unknown.
  void write(ShardId group, ByteView payload, Done done);
  void read(ShardId group, bool by_lease, Done done);
  bool change(ShardId group, const raft::ConfigChange& change);
  void transfer(ShardId group, ReplicaId to);
  void forget_leader(ShardId group);
  void campaign(ShardId group);
  // The transport says that messages to `machine` are being lost. No effect unless running() and not paused.
  void report_unreachable(sim::Machine machine);

  // --- for checks ---
  const multiraft::MultiRaft* host() const;
  // Whether the replica is on this machine, running or not.
  bool has(ShardId group, ReplicaId replica) const;
  // What the replica will still know after a crash; null when it is not here.
  const State* flushed(ShardId group, ReplicaId replica) const;
  // What the replica has applied; null when there is none.
  const State* state(ShardId group) const;

 private:
  struct Process;
  // What the engine of the machine has flushed.
  struct Flushed {
    ReplicaId replica;
    State state;
  };

  void run(const std::shared_ptr<Process>& process, std::function<void()> action);
  Task<void> boot(std::shared_ptr<Process> process);
  void assemble(Process& process, Replay& replay);
  void check_replay(const Replay& replay);
  raft::RestartState restart_state(Process& process, const Flushed& flushed, Replay& replay, ShardId group);
  void schedule_tick();
  void pump();
  void send(multiraft::Envelope envelope);
  void send_snapshot(ShardId group, raft::Message message);
  void start_write(multiraft::Write write);
  void install(ShardId group, const raft::Snapshot& snapshot, storage::JournalBatch& batch);
  void written(uint64_t sequence, Status status);
  void start_apply(multiraft::GroupApply apply);
  void schedule_apply(ShardId group);
  void finish_apply(ShardId group);
  void apply_entry(ShardId group, State& state, const raft::Entry& entry);
  void flush(ShardId group);
  void serve_reads(ShardId group);
  void adopt(ShardId group, ReplicaId replica);
  void retire_removed();
  void retire(ShardId group);
  void observe();
  void observe_group(ShardId group, const raft::Raft& raft);

  Cluster& cluster_;
  const sim::Machine machine_;
  sim::MachineDisk disk_;
  sim::NodeClock clock_;
  std::map<ShardId, Flushed> flushed_;
  // Replica ids up to this may not be created on this machine again.
  std::map<ShardId, uint64_t> retired_;
  liveness::Identity identity_floor_;
  bool flipped_ = false;
  uint64_t life_ = 0;
  bool booted_ = false;
  uint64_t paused_until_ns_ = 0;
  std::shared_ptr<Process> process_;
};

}  // namespace pando::test
