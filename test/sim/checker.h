#pragma once

// Checker: what must be true of all replicas together, at every moment. It sees everything and tells nobody.

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "consensus/raft/raft.h"
#include "sim/world.h"

namespace pando::test {

uint64_t hash_of(const raft::Entry& entry);
inline uint64_t chain(uint64_t digest, uint64_t hash) { return (digest ^ hash) * 0x9e3779b97f4a7c15 + 1; }

class Checker {
 public:
  explicit Checker(sim::World& world) : world_(world) {}

  // Election safety: at most one leader per term, in one of its lives: who forgets that it has led would do so with
  // another log. Leader completeness: it has all that was committed in
  // earlier terms.
  void on_leader(ShardId group, const raft::Raft& raft, uint64_t life);
  // Log matching: entries with the same index and term are the same, and follow the same.
  void on_entries(ShardId group, const raft::Entries& entries, raft::Term term_before);
  // Whether some replica was seen to write exactly this entry.
  bool is_known(ShardId group, const raft::Entry& entry) const;
  // State-machine safety: one entry is committed per index, and applied per index. `term`: of who knows it.
  void on_commit(ShardId group, const raft::Log& log, raft::Term term, raft::LogIndex from, raft::LogIndex through);
  void on_apply(ShardId group, raft::LogIndex index, uint64_t digest);
  // Lease disjointness.
  void on_lease(ShardId group, ReplicaId holder, ReplicaId other);

  // Linearizability. The log orders all operations, so it is enough that an operation is placed after everything that
  // was complete when it began: floor() then, and the place it got.
  raft::LogIndex floor(ShardId group) const;
  void on_write_done(ShardId group, raft::LogIndex index, raft::LogIndex floor);
  void on_read_done(ShardId group, raft::LogIndex index, raft::LogIndex floor, const char* how);

  raft::LogIndex committed(ShardId group) const;
  uint64_t write_count() const { return write_count_; }
  uint64_t read_count() const { return read_count_; }
  // Applied so far, for all groups.
  uint64_t entry_count() const { return entry_count_; }

 private:
  struct Seen {
    uint64_t hash = 0;
    raft::Term term_before = 0;
  };
  struct Committed {
    raft::Term term = 0;
    // It was committed in this term, or before.
    raft::Term known_in = 0;
  };
  struct Leader {
    ReplicaId replica;
    uint64_t life = 0;
    friend bool operator==(const Leader&, const Leader&) = default;
  };
  struct Group {
    std::map<raft::Term, Leader> leaders;
    std::map<std::pair<raft::LogIndex, raft::Term>, Seen> entries;
    std::map<raft::LogIndex, Committed> committed;
    std::map<raft::LogIndex, uint64_t> digests;
    raft::LogIndex floor = 0;
  };

  sim::World& world_;
  std::map<ShardId, Group> groups_;
  uint64_t write_count_ = 0;
  uint64_t read_count_ = 0;
  uint64_t entry_count_ = 0;
};

}  // namespace pando::test
