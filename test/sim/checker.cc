#include "test/sim/checker.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/crc32c.h"

namespace pando::test {

uint64_t hash_of(const raft::Entry& entry) {
  const uint64_t content = entry.payload == nullptr ? 0 : 1 + uint64_t{crc32c(*entry.payload)};
  return chain(chain(entry.term, entry.index), content * 4 + static_cast<uint64_t>(entry.type));
}

void Checker::on_leader(ShardId group, const raft::Raft& raft, uint64_t life) {
  Group& g = groups_[group];
  const Leader leader{raft.self(), life};
  const auto [place, is_new] = g.leaders.try_emplace(raft.term(), leader);
  if (place->second != leader) {
    world_.fail("election safety", fmt::format("group {}: replica {} in life {}, and {} in life {}, both lead term {}",
                                               group.number(), place->second.replica.number(), place->second.life,
                                               raft.self().number(), life, raft.term()));
  }
  if (!is_new) {
    return;
  }
  // A vote may be long on its way: whoever wins an old term owes nothing to later ones.
  auto last = g.committed.rbegin();
  while (last != g.committed.rend() && last->second.known_in >= raft.term()) {
    ++last;
  }
  if (last == g.committed.rend()) {
    return;
  }
  const auto [index, committed] = *last;
  const bool here = index <= raft.log().compacted().index || raft.log().term(index) == committed.term;
  if (raft.log().last_index() < index || !here) {
    world_.fail("leader completeness",
                fmt::format("group {}: replica {} leads term {} without entry {} of term {}", group.number(),
                            raft.self().number(), raft.term(), index, committed.term));
  }
}

void Checker::on_entries(ShardId group, const raft::Entries& entries, raft::Term term_before) {
  Group& g = groups_[group];
  for (const raft::Entry& entry : entries) {
    const Seen seen{hash_of(entry), term_before};
    const auto [place, is_new] = g.entries.try_emplace({entry.index, entry.term}, seen);
    if (place->second.hash != seen.hash || place->second.term_before != seen.term_before) {
      world_.fail("log matching",
                  fmt::format("group {}: two entries {} of term {}, after terms {} and {}", group.number(), entry.index,
                              entry.term, place->second.term_before, seen.term_before));
    }
    term_before = entry.term;
  }
}

bool Checker::is_known(ShardId group, const raft::Entry& entry) const {
  const auto g = groups_.find(group);
  if (g == groups_.end()) {
    return false;
  }
  const auto seen = g->second.entries.find({entry.index, entry.term});
  return seen != g->second.entries.end() && seen->second.hash == hash_of(entry);
}

void Checker::on_commit(ShardId group, const raft::Log& log, raft::Term known_in, raft::LogIndex from,
                        raft::LogIndex through) {
  Group& g = groups_[group];
  for (raft::LogIndex index = std::max(from, log.compacted().index + 1); index <= through; ++index) {
    const raft::Term term = log.at(index).term;
    const auto [place, is_new] = g.committed.try_emplace(index, Committed{term, known_in});
    entry_count_ += is_new ? 1 : 0;
    place->second.known_in = std::min(place->second.known_in, known_in);
    if (place->second.term != term) {
      world_.fail("state-machine safety", fmt::format("group {}: entry {} is committed in terms {} and {}",
                                                      group.number(), index, place->second.term, term));
    }
  }
}

void Checker::on_apply(ShardId group, raft::LogIndex index, uint64_t digest) {
  const auto [place, is_new] = groups_[group].digests.try_emplace(index, digest);
  if (place->second != digest) {
    world_.fail("state-machine safety",
                fmt::format("group {}: state machines differ after entry {}", group.number(), index));
  }
}

void Checker::on_lease(ShardId group, ReplicaId holder, ReplicaId other) {
  world_.fail("lease disjointness", fmt::format("group {}: replicas {} and {} both hold the lease", group.number(),
                                                holder.number(), other.number()));
}

raft::LogIndex Checker::floor(ShardId group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? 0 : found->second.floor;
}

void Checker::on_write_done(ShardId group, raft::LogIndex index, raft::LogIndex floor) {
  Group& g = groups_[group];
  ++write_count_;
  if (index <= floor) {
    world_.fail("linearizability", fmt::format("group {}: a write was placed at {}, but {} was visible before",
                                               group.number(), index, floor));
  }
  g.floor = std::max(g.floor, index);
}

void Checker::on_read_done(ShardId group, raft::LogIndex index, raft::LogIndex floor, const char* how) {
  Group& g = groups_[group];
  ++read_count_;
  if (index < floor) {
    world_.fail("linearizability", fmt::format("group {}: a read {} saw entry {}, but {} was visible before",
                                               group.number(), how, index, floor));
  }
  g.floor = std::max(g.floor, index);
}

raft::LogIndex Checker::committed(ShardId group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() || found->second.committed.empty() ? 0 : found->second.committed.rbegin()->first;
}

}  // namespace pando::test
