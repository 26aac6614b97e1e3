// Configuration changes take effect when they are applied. Why that is safe: a change is proposed only when the one
// before it is applied by the leader, so whoever has it in its log was told by the same message, and remembers by the
// same write, that the earlier one is committed; and nobody campaigns before applying what it knows to be committed. So
// two replicas that act as leaders are at most one change apart, and such configurations have overlapping majorities.

#include "base/assert.h"
#include "consensus/raft/raft.h"

namespace pando::raft {

void Raft::apply_changes(LogIndex from, LogIndex through) {
  // By value, because switching may append to the log.
  std::vector<Payload> changes;
  log_.for_each(from, through, [&](const Entry& entry) {
    if (entry.type == EntryType::kConfigChange && entry.payload != nullptr) {
      changes.push_back(entry.payload);
    }
  });
  for (const Payload& payload : changes) {
    ConfigChange change;
    if (!decode(*payload, change)) {
      continue;
    }
    // Every replica comes to the same conclusion on a change that is not allowed: it changes nothing.
    if (Result<Config> next = changed(config_, change); next.ok()) {
      switch_to(*std::move(next));
    }
  }
}

void Raft::switch_to(Config config) {
  config_ = std::move(config);
  is_voter_ = config_.voters.contains(options_.self);
  forget_gone_releases();
  if (role_ != Role::kLeader) {
    return;
  }
  if (!is_voter_) {
    // Those who stay should not have to find out that this was committed.
    broadcast_append();
    become_follower(term_, kNobody);
    return;
  }
  rebuild_progress();
  const bool committed = advance_commit();
  for (Progress& progress : progress_) {
    if (progress.id != options_.self) {
      // A newcomer need not wait for a heartbeat to be probed.
      send_append(progress, progress.match == 0 || (committed && options_.eager_commit));
    }
  }
  confirm_reads();
  if (transferee_ != kNobody && !config_.voters.contains(transferee_)) {
    abort_transfer();
  }
}

void Raft::rebuild_progress() {
  std::vector<Progress> rebuilt;
  for (const ReplicaId id : config_.members()) {
    if (const Progress* const known = find(id); known != nullptr) {
      rebuilt.push_back(*known);
      continue;
    }
    Progress progress(id, log_.last_index() + 1, options_.in_flight_max, options_.in_flight_bytes_max);
    // It gets until the next quorum check to show itself.
    progress.recently_active = true;
    if (id == options_.self) {
      progress.match = log_.durable();
      progress.next = log_.durable() + 1;
      progress.become_replicate();
    }
    rebuilt.push_back(std::move(progress));
  }
  progress_ = std::move(rebuilt);
}

void Raft::leave_joint_if_due() {
  if (role_ != Role::kLeader || !config_.auto_leave || log_.applied() < pending_change_) {
    return;
  }
  Payload leave = Payload::copy_of(encode(ConfigChange()));
  // Not before this one is applied, however often applied() is called until then.
  pending_change_ = append_as_leader(EntryType::kConfigChange, {&leave, 1});
  for (Progress& progress : progress_) {
    if (progress.id != options_.self) {
      send_append(progress, false);
    }
  }
}

bool Raft::has_unapplied_change() const {
  bool found = false;
  if (log_.changes_through() <= log_.applied()) {
    return false;
  }
  log_.for_each(log_.applied() + 1, log_.committed(),
                [&](const Entry& entry) { found = found || entry.type == EntryType::kConfigChange; });
  return found;
}

}  // namespace pando::raft
