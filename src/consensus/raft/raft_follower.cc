// A follower: takes what its leader sends (Raft 5.3), and gives its word to it (consensus/raft/support.h).

#include <algorithm>

#include "base/assert.h"
#include "consensus/raft/raft.h"

namespace pando::raft {

void Raft::step_follower(Message& message) {
  if (message.type == MessageType::kReadIndexResponse) {
    read_states_.push_back({message.context, message.position.index});
    return;
  }
  if (message.type == MessageType::kTimeoutNow) {
    if (message.from == leader_) {
      hup(Campaign::kTransfer);
    }
    return;
  }
  election_elapsed_ = 0;
  leader_ = message.from;
  if (!not_released_.empty() && term_ > released_term_) {
    // Somebody was elected without those who are no members any more.
    forget_gone_releases();
  }
  fortify(message);
  switch (message.type) {
    case MessageType::kAppend:
      on_append(message);
      return;
    case MessageType::kHeartbeat:
      on_heartbeat(message);
      return;
    case MessageType::kSnapshot:
      on_snapshot(message);
      return;
    default:
      PANDO_UNREACHABLE("step_role passes no other message");
  }
}

void Raft::on_append(const Message& message) {
  Message& response = add(send_after_, MessageType::kAppendResponse, message.from);
  response.fortified_epoch = fortified_epoch();
  const LogPosition before = message.position;
  if (before.index < log_.committed()) {
    // Committed entries are the leader's too.
    response.position.index = log_.committed();
  } else if (log_.matches(before)) {
    log_.merge(message.entries);
    const LogIndex last = before.index + message.entries.size();
    log_.commit_to(std::min(message.commit, last));
    response.position.index = last;
  } else {
    const auto [index, term] = log_.conflict_hint(before.index, before.term);
    response.reject = true;
    response.position.index = before.index;
    response.hint = {index, term.value_or(0)};
  }
  response.commit = log_.committed();
}

void Raft::on_heartbeat(const Message& message) {
  // The leader names no more than it knows this replica to have; more would mean that this disk has lost something.
  if (message.commit <= log_.last_index()) {
    log_.commit_to(message.commit);
  }
  send({.type = MessageType::kHeartbeatResponse,
        .to = message.from,
        .commit = log_.committed(),
        .context = message.context,
        .fortified_epoch = fortified_epoch()});
}

void Raft::on_snapshot(Message& message) {
  if (message.snapshot == nullptr) {
    return;
  }
  const bool restored = restore(*message.snapshot);
  send({.type = MessageType::kAppendResponse,
        .to = message.from,
        .position = {.index = restored ? log_.last_index() : log_.committed()},
        .commit = log_.committed(),
        .fortified_epoch = fortified_epoch()});
}

bool Raft::restore(const Snapshot& snapshot) {
  if (snapshot.position.index <= log_.committed() || !snapshot.config.contains(options_.self)) {
    return false;
  }
  if (log_.matches(snapshot.position)) {
    // Everything is here already: only the news that it is committed was missing.
    log_.commit_to(snapshot.position.index);
    return false;
  }
  log_.restore(snapshot.position);
  snapshot_to_write_ = snapshot;
  config_ = snapshot.config;
  is_voter_ = config_.voters.contains(options_.self);
  forget_gone_releases();
  return true;
}

void Raft::install(const Snapshot& snapshot) {
  PANDO_ASSERT(role_ == Role::kFollower, "who has no configuration does not campaign");
  if (term_ < snapshot.position.term) {
    become_follower(snapshot.position.term, kNobody);
  }
  const bool restored = restore(snapshot);
  PANDO_ASSERT(restored, "a replica that has nothing is a member of what it is given");
}

void Raft::forget_leader() {
  if (role_ == Role::kFollower && !held_to_leader()) {
    leader_ = kNobody;
  }
}

void Raft::fortify(const Message& message) {
  const ReplicaId leader = message.from;
  if (fortification_.leader != kNobody && fortification_.term < term_) {
    // A newer leader was elected, so a majority had withdrawn from the older one.
    fortification_ = {};
  }
  if (fortification_.term == term_ && fortification_.leader == leader && fortification_.epoch == 0) {
    // It has stepped down in this term; the message is a late one.
    return;
  }
  const uint64_t epoch = support_ == nullptr ? 0 : support_->epoch_for(leader);
  // The leader must mean this very epoch: a late message of an earlier life of its node would else bind this replica to
  // a leader that does not know it was one.
  if (epoch != 0 && epoch == message.fortified_epoch) {
    fortification_ = {.leader = leader, .term = term_, .epoch = epoch};
  }
}

uint64_t Raft::fortified_epoch() const { return fortified_to_current_leader() ? fortification_.epoch : 0; }

// --- releasing followers after leading ---

void Raft::begin_release() {
  if (support_ == nullptr) {
    return;
  }
  // Without this, followers would hold to a leader that no longer is one for as long as its node lives.
  released_term_ = term_;
  not_released_ = config_.members();
  for (const Progress& progress : progress_) {
    not_released_.insert(progress.id);
  }
  not_released_.erase(options_.self);
  send_releases();
}

// Whoever is not a member any more elects nobody.
void Raft::forget_gone_releases() {
  quorum::VoterSet kept;
  for (const ReplicaId id : not_released_) {
    if (config_.contains(id)) {
      kept.insert(id);
    }
  }
  not_released_ = std::move(kept);
}

void Raft::send_releases() {
  for (const ReplicaId id : not_released_) {
    send({.type = MessageType::kRelease, .to = id, .term = released_term_});
  }
}

void Raft::on_release(const Message& message) {
  if (message.type == MessageType::kReleaseResponse) {
    if (message.term == released_term_) {
      not_released_.erase(message.from);
    }
    return;
  }
  // `reject`: it is gone, and does not say that it has led the term. Whoever did may hold a lease there.
  const bool ended = !message.reject && fortification_.term < message.term;
  if (ended || (fortification_.leader == message.from && fortification_.term <= message.term)) {
    // Kept as a mark: a late append of that term must not bring the fortification back.
    fortification_ = {.leader = message.from, .term = message.term, .epoch = 0};
  }
  if (leader_ == message.from && term_ == message.term && role_ == Role::kFollower) {
    leader_ = kNobody;
  }
  send({.type = MessageType::kReleaseResponse, .to = message.from, .term = message.term});
}

}  // namespace pando::raft
