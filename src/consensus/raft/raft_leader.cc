// A leader: replicates (Raft 5.3), commits (5.4.2), watches its quorum and its lease, hands over (thesis 3.10).

#include <algorithm>

#include "base/assert.h"
#include "consensus/raft/raft.h"

namespace pando::raft {

Progress* Raft::find(ReplicaId id) {
  for (Progress& progress : progress_) {
    if (progress.id == id) {
      return &progress;
    }
  }
  return nullptr;
}
const Progress* Raft::find(ReplicaId id) const { return const_cast<Raft*>(this)->find(id); }

// --- time ---

void Raft::tick_leader() {
  ++heartbeat_elapsed_;
  ++election_elapsed_;
  if (election_elapsed_ >= options_.election_ticks) {
    election_elapsed_ = 0;
    if (options_.check_quorum) {
      check_quorum();
    }
    if (role_ == Role::kLeader && transferee_ != kNobody) {
      abort_transfer();
    }
  }
  if (role_ == Role::kLeader && heartbeat_elapsed_ >= options_.heartbeat_ticks) {
    heartbeat_elapsed_ = 0;
    broadcast_heartbeat(false);
  }
}

void Raft::check_quorum() {
  const quorum::Vote alive = quorum::tally(config_.voters, [this](ReplicaId id) -> std::optional<bool> {
    const Progress* const progress = find(id);
    return id == options_.self || (progress != nullptr && (progress->recently_active || supported_by(*progress)));
  });
  for (Progress& progress : progress_) {
    progress.recently_active = false;
  }
  if (alive != quorum::Vote::kWon) {
    become_follower(term_, kNobody);
  }
}

// Whether the member is fortified to this leader and its node keeps the promise that goes with it.
bool Raft::supported_by(const Progress& progress) const {
  if (support_ == nullptr || progress.fortified_epoch == 0) {
    return false;
  }
  const SupportView::Support support = support_->from(progress.id);
  return support.epoch == progress.fortified_epoch && support.until_ns != 0;
}

uint64_t Raft::lease_until_ns() const {
  // Once the transferee may campaign, a majority may elect it without waiting for anything.
  if (support_ == nullptr || role_ != Role::kLeader || timeout_now_sent_ || !committed_in_term()) {
    return 0;
  }
  return quorum::acknowledged(config_.voters, [this](ReplicaId id) -> uint64_t {
    if (id == options_.self) {
      return UINT64_MAX;
    }
    const Progress* const progress = find(id);
    return progress != nullptr && supported_by(*progress) ? support_->from(id).until_ns : 0;
  });
}

// Whether there is nothing left to tell the member, and the liveness fabric tells when it is gone.
bool Raft::settled(const Progress& progress) const {
  return supported_by(progress) && progress.state == ProgressState::kReplicate && progress.match == log_.last_index() &&
         progress.commit == log_.committed();
}

uint64_t Raft::counted_epoch(ReplicaId id) const {
  const SupportView::Support support = support_ == nullptr ? SupportView::Support() : support_->from(id);
  return support.until_ns == 0 ? 0 : support.epoch;
}

// --- sending ---

void Raft::broadcast_append() {
  for (Progress& progress : progress_) {
    if (progress.id != options_.self) {
      send_append(progress, true);
    }
  }
}

void Raft::broadcast_heartbeat(bool all) {
  for (const Progress& progress : progress_) {
    if (progress.id != options_.self && (all || !settled(progress) || progress.confirmed_round < read_round_)) {
      send_heartbeat(progress);
    }
  }
}

void Raft::send_heartbeat(const Progress& progress) {
  // No more than the member is known to have: its log may differ from here on.
  send({.type = MessageType::kHeartbeat,
        .to = progress.id,
        .commit = std::min(progress.match, log_.committed()),
        .context = read_round_,
        .fortified_epoch = counted_epoch(progress.id)});
}

bool Raft::send_append(Progress& progress, bool even_if_empty) {
  if (progress.is_paused()) {
    return false;
  }
  const LogIndex before = progress.next - 1;
  const std::optional<Term> term = log_.term(before);
  if (!term.has_value()) {
    return send_snapshot(progress);
  }
  Entries entries;
  if (even_if_empty && progress.match > 0 && PANDO_FAULT(options_.faults, "raft/skip-probe")) {
    return false;
  }
  const bool room = progress.state != ProgressState::kReplicate || !progress.in_flight.full();
  if (room && progress.next <= log_.last_index()) {
    const LogIndex through = std::min(log_.last_index(), before + kMessageEntriesMax);
    const bool one = PANDO_FAULT(options_.faults, "raft/append-one-entry");
    entries = log_.slice(progress.next, through, one ? 0 : options_.append_bytes_max);
  }
  if (entries.empty() && !even_if_empty) {
    return false;
  }
  progress.on_sent(before + entries.size(), entries.size(), payload_bytes(entries));
  Message& append = add(send_now_, MessageType::kAppend, progress.id);
  append.position = {before, *term};
  append.commit = log_.committed();
  append.fortified_epoch = counted_epoch(progress.id);
  append.entries = std::move(entries);
  return true;
}

// Sends all there is, within the limits.
void Raft::stream_append(Progress& progress) {
  while (progress.next <= log_.last_index() && send_append(progress, false)) {
  }
}

bool Raft::send_snapshot(Progress& progress) {
  if (!progress.recently_active || log_.applied() < log_.compacted().index) {
    return false;
  }
  const LogIndex index = log_.applied();
  progress.become_snapshot(index);
  send({.type = MessageType::kSnapshot,
        .to = progress.id,
        .fortified_epoch = counted_epoch(progress.id),
        .snapshot = std::make_shared<const Snapshot>(Snapshot{{index, log_.term(index).value()}, config_})});
  return true;
}

// --- proposing and committing ---

Accepted<void> Raft::may_propose(std::size_t bytes) const {
  if (role_ != Role::kLeader) {
    return std::unexpected(Refusal::kNotLeader);
  }
  if (transferee_ != kNobody) {
    return std::unexpected(Refusal::kTransferring);
  }
  if (bytes > 0 && uncommitted_bytes_ > 0 && uncommitted_bytes_ + bytes > options_.uncommitted_bytes_max) {
    return std::unexpected(Refusal::kOverloaded);
  }
  return {};
}

Accepted<LogIndex> Raft::propose(ByteView payload) {
  if (const auto allowed = may_propose(payload.size()); !allowed) {
    return std::unexpected(allowed.error());
  }
  stream_due_ = true;
  uncommitted_bytes_ += payload.size();
  log_.append(term_, EntryType::kNormal, payload);
  return log_.last_index();
}

Accepted<LogIndex> Raft::propose(std::vector<Payload> payloads) {
  std::size_t bytes = 0;
  for (const Payload& payload : payloads) {
    bytes += payload.size();
  }
  if (const auto allowed = may_propose(bytes); !allowed) {
    return std::unexpected(allowed.error());
  }
  stream_due_ = true;
  return append_as_leader(EntryType::kNormal, payloads);
}

Accepted<LogIndex> Raft::propose_change(const ConfigChange& change) {
  Payload payload = Payload::copy_of(encode(change));
  if (const auto allowed = may_propose(payload.size()); !allowed) {
    return std::unexpected(allowed.error());
  }
  if (pending_change_ > log_.applied()) {
    return std::unexpected(Refusal::kChangePending);
  }
  if (!changed(config_, change).ok()) {
    return std::unexpected(Refusal::kInvalidChange);
  }
  pending_change_ = append_as_leader(EntryType::kConfigChange, {&payload, 1});
  broadcast_append();
  return pending_change_;
}

LogIndex Raft::append_as_leader(EntryType type, std::span<const Payload> payloads) {
  PANDO_ASSERT(role_ == Role::kLeader, "only a leader appends of its own");
  for (const Payload& payload : payloads) {
    uncommitted_bytes_ += payload.size();
  }
  // Counted for this replica only once the write is durable, see persisted().
  log_.append(term_, type, payloads);
  return log_.last_index();
}

// Returns whether the commit index rose.
bool Raft::advance_commit() {
  const LogIndex before = log_.committed();
  std::size_t ahead = 0;
  for (const Progress& member : progress_) {
    ahead += member.match > before ? 1 : 0;
  }
  if (ahead < quorum::majority_of(config_.voters.incoming.size())) {
    return false;
  }
  const LogIndex index = quorum::acknowledged(config_.voters, [this](ReplicaId id) -> uint64_t {
    const Progress* const progress = find(id);
    return progress == nullptr ? 0 : progress->match;
  });
  // An entry of an older term is committed only by one of this term after it (Raft 5.4.2, figure 8).
  if (index <= before || log_.term(index) != term_) {
    return false;
  }
  log_.for_each(before + 1, index, [this](const Entry& entry) { uncommitted_bytes_ -= entry.payload_bytes(); });
  log_.commit_to(index);
  if (!reads_before_commit_.empty()) {
    release_reads_of_term();
  }
  return true;
}

// --- answers ---

void Raft::step_leader(Message& message) {
  switch (message.type) {
    case MessageType::kAppendResponse:
      on_append_response(message);
      return;
    case MessageType::kHeartbeatResponse:
      on_heartbeat_response(message);
      return;
    case MessageType::kReadIndex:
      on_read_index(message);
      return;
    default:
      return;
  }
}

void Raft::hear_from(Progress& progress, const Message& message) {
  progress.recently_active = true;
  progress.commit = std::max(progress.commit, std::min(message.commit, log_.committed()));
  // Epochs of one pair of nodes only rise; answers may come out of order.
  progress.fortified_epoch = std::max(progress.fortified_epoch, message.fortified_epoch);
}

void Raft::on_append_response(const Message& message) {
  Progress* const progress = find(message.from);
  if (progress == nullptr || message.position.index > log_.last_index()) {
    return;
  }
  hear_from(*progress, message);
  if (message.reject) {
    on_rejection(*progress, message);
    return;
  }
  const bool was_streaming = progress->state == ProgressState::kReplicate;
  const bool news = progress->on_accepted(message.position.index);
  if (!news && !(progress->state == ProgressState::kProbe && progress->match == message.position.index)) {
    return;
  }
  if (progress->state == ProgressState::kProbe) {
    progress->become_replicate();
  } else if (progress->state == ProgressState::kSnapshot && progress->match >= log_.compacted().index) {
    // The log reaches back far enough again, whether or not the snapshot did it.
    progress->become_probe();
    progress->become_replicate();
  }
  if (news && progress->match > log_.committed() && advance_commit() && options_.eager_commit) {
    broadcast_append();
  } else if (!was_streaming) {
    // It learns at once what is committed.
    send_append(*progress, true);
  }
  stream_append(*progress);
  if (transferee_ == message.from && !timeout_now_sent_ && progress->match == log_.last_index()) {
    send_timeout_now(message.from);
  }
}

void Raft::on_rejection(Progress& progress, const Message& message) {
  LogIndex agree = message.hint.index;
  if (message.hint.term > 0) {
    // Where this log was at the follower's term or before: skips a whole term in one round trip.
    agree = log_.conflict_hint(message.hint.index, message.hint.term).first;
  }
  if (PANDO_FAULT(options_.faults, "raft/probe-lower")) {
    // Starting further back than needed costs time only.
    agree -= std::min(agree - std::min(agree, log_.compacted().index), 1 + prng_.below(3));
  }
  if (progress.on_rejected(message.position.index, agree)) {
    if (progress.state == ProgressState::kReplicate) {
      progress.become_probe();
    }
    send_append(progress, true);
  }
}

void Raft::on_heartbeat_response(const Message& message) {
  Progress* const progress = find(message.from);
  if (progress == nullptr) {
    return;
  }
  hear_from(*progress, message);
  progress->paused = false;
  // Also finds out whether what is in flight was lost.
  const bool behind = progress->match < log_.last_index();
  if (behind || progress->state == ProgressState::kProbe) {
    send_append(*progress, true);
  }
  progress->confirmed_round = std::max(progress->confirmed_round, std::min(message.context, read_round_));
  confirm_reads();
}

void Raft::report_unreachable(ReplicaId id) {
  Progress* const progress = find(id);
  if (role_ == Role::kLeader && progress != nullptr && progress->state == ProgressState::kReplicate) {
    // What is in flight is probably lost.
    progress->become_probe();
  }
}

void Raft::report_snapshot(ReplicaId id, bool delivered) {
  Progress* const progress = find(id);
  if (role_ != Role::kLeader || progress == nullptr || progress->state != ProgressState::kSnapshot) {
    return;
  }
  if (!delivered) {
    progress->pending_snapshot = 0;
  }
  progress->become_probe();
  // If it arrived, its answer comes; if not, the next heartbeat's answer is the time to try again.
  progress->paused = true;
}

// --- handing over ---

Accepted<void> Raft::transfer(ReplicaId to) {
  if (role_ != Role::kLeader) {
    return std::unexpected(Refusal::kNotLeader);
  }
  if (!config_.voters.contains(to)) {
    return std::unexpected(Refusal::kNotVoter);
  }
  if (to == transferee_) {
    return {};
  }
  if (transferee_ != kNobody) {
    if (timeout_now_sent_) {
      return std::unexpected(Refusal::kTransferring);
    }
    transferee_ = kNobody;
  }
  if (to == options_.self) {
    return {};
  }
  transferee_ = to;
  // It gets one election timeout.
  election_elapsed_ = 0;
  Progress* const progress = find(to);
  if (progress->match == log_.last_index()) {
    send_timeout_now(to);
  } else {
    send_append(*progress, true);
  }
  return {};
}

void Raft::send_timeout_now(ReplicaId to) {
  timeout_now_sent_ = true;
  send({.type = MessageType::kTimeoutNow, .to = to});
}

void Raft::abort_transfer() {
  if (timeout_now_sent_ && support_ != nullptr) {
    // The message may still arrive: the lease of this term is gone for good, so the term has to end.
    become_follower(term_, kNobody);
    return;
  }
  transferee_ = kNobody;
  timeout_now_sent_ = false;
}

}  // namespace pando::raft
