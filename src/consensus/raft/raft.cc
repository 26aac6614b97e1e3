#include "consensus/raft/raft.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"

namespace pando::raft {

Status check(const RestartState& state) {
  const auto corrupted = [](std::string what) {
    return Status::from_message(sql_state::kDataCorrupted, std::move(what));
  };
  LogPosition before = state.compacted;
  for (const Entry& entry : state.entries) {
    if (entry.index != before.index + 1 || entry.term < before.term) {
      return corrupted(fmt::format("log entry {} of term {} follows entry {} of term {}", entry.index, entry.term,
                                   before.index, before.term));
    }
    before = {entry.index, entry.term};
  }
  if (state.applied < state.compacted.index || state.applied > before.index) {
    return corrupted(fmt::format("applied up to {}, but the log reaches from {} to {}", state.applied,
                                 state.compacted.index, before.index));
  }
  if (state.hard_state.commit > before.index) {
    return corrupted(fmt::format("committed up to {}, but the log ends at {}", state.hard_state.commit, before.index));
  }
  if (state.hard_state.term < before.term) {
    return corrupted(fmt::format("term {}, but the log ends in term {}", state.hard_state.term, before.term));
  }
  return Status();
}

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNotLeader:
      return "not the leader";
    case Refusal::kTransferring:
      return "leadership is being transferred";
    case Refusal::kOverloaded:
      return "too much is uncommitted";
    case Refusal::kChangePending:
      return "a configuration change is pending";
    case Refusal::kInvalidChange:
      return "the configuration change is not allowed";
    case Refusal::kNoLeader:
      return "no leader is known";
    case Refusal::kNotVoter:
      return "not a voter";
  }
  PANDO_UNREACHABLE("every refusal has a name");
}

Raft::Raft(const Options& options, RestartState state, Prng& prng, const SupportView* support)
    : options_(options),
      prng_(prng),
      support_(support),
      vote_(state.hard_state.vote),
      fortification_(state.hard_state.fortification),
      log_(state.compacted, std::move(state.entries), std::max(state.hard_state.commit, state.applied), state.applied),
      config_(std::move(state.config)),
      is_voter_(config_.voters.contains(options.self)),
      written_hard_state_(state.hard_state) {
  PANDO_ASSERT(options_.self != kNobody, "a replica has an id");
  PANDO_ASSERT(options_.election_ticks > options_.heartbeat_ticks, "several heartbeats fit into an election timeout");
  PANDO_ASSERT(options_.heartbeat_ticks > 0, "heartbeats take at least a tick");
  PANDO_ASSERT(state.hard_state.term >= log_.last_term(), "the term is at least that of the log");
  reset(state.hard_state.term);
  vote_ = state.hard_state.vote;
}

// --- roles and terms ---

void Raft::reset(Term term) {
  if (term_ != term) {
    term_ = term;
    vote_ = kNobody;
    own_vote_sequence_ = 0;
  }
  leader_ = kNobody;
  election_elapsed_ = 0;
  heartbeat_elapsed_ = 0;
  election_timeout_ = options_.election_ticks + static_cast<uint32_t>(prng_.below(options_.election_ticks));
  was_held_ = false;
  ballots_.clear();
  progress_.clear();
  pending_change_ = 0;
  uncommitted_bytes_ = 0;
  transferee_ = kNobody;
  timeout_now_sent_ = false;
  reads_before_commit_.clear();
  reads_.clear();
  round_open_ = false;
  stream_due_ = false;
}

void Raft::become_follower(Term term, ReplicaId leader) {
  PANDO_ASSERT(term >= term_, "terms never fall");
  if (role_ == Role::kLeader) {
    begin_release();
  }
  reset(term);
  role_ = Role::kFollower;
  leader_ = leader;
}

void Raft::become_pre_candidate() {
  PANDO_ASSERT(role_ != Role::kLeader, "a leader does not campaign");
  // Neither term nor vote change: a campaign that would be lost leaves no trace.
  ballots_.clear();
  leader_ = kNobody;
  election_elapsed_ = 0;
  role_ = Role::kPreCandidate;
}

void Raft::become_candidate() {
  PANDO_ASSERT(role_ != Role::kLeader, "a leader does not campaign");
  reset(term_ + 1);
  role_ = Role::kCandidate;
  vote_ = options_.self;
  fortification_ = {};
}

void Raft::become_leader() {
  PANDO_ASSERT(role_ == Role::kCandidate, "only a candidate becomes leader");
  PANDO_ASSERT(vote_ == options_.self, "a leader has voted for itself");
  reset(term_);
  role_ = Role::kLeader;
  leader_ = options_.self;
  fortification_ = {};
  not_released_.clear();
  rebuild_progress();
  // An inherited change may be anywhere in the tail (bug: single changes across leaders, Ongaro 2015).
  pending_change_ = log_.last_index();
  log_.for_each(log_.committed() + 1, log_.last_index(),
                [this](const Entry& entry) { uncommitted_bytes_ += entry.payload_bytes(); });
  Payload nothing;
  append_as_leader(EntryType::kNormal, {&nothing, 1});
  broadcast_append();
}

// --- messages ---

void Raft::step(Message&& message) {
  if (message.to != options_.self || message.from == options_.self || message.from == kNobody) {
    return;
  }
  if (message.type == MessageType::kRelease || message.type == MessageType::kReleaseResponse) {
    on_release(message);
    return;
  }
  if (message.term > term_ && !admit_newer_term(message)) {
    return;
  }
  if (message.term < term_) {
    answer_older_term(message);
    return;
  }
  if (message.type == MessageType::kVote || message.type == MessageType::kPreVote) {
    on_vote_request(message);
    return;
  }
  step_role(message);
}

// Raft 5.1. Returns whether the message goes on to its role.
bool Raft::admit_newer_term(const Message& message) {
  switch (message.type) {
    case MessageType::kPreVote:
      return true;
    case MessageType::kPreVoteResponse:
      if (!message.reject) {
        // The term campaigned for, which is nobody's yet.
        return true;
      }
      become_follower(message.term, kNobody);
      return true;
    case MessageType::kVote:
      // Without this, a replica that was cut off would depose a leader that is well (thesis 4.2.3).
      if (!message.transfer && hears_leader() && !(fortification_.leader == message.from && held_to_leader())) {
        return false;
      }
      become_follower(message.term, kNobody);
      return true;
    case MessageType::kAppend:
    case MessageType::kHeartbeat:
    case MessageType::kSnapshot:
      become_follower(message.term, message.from);
      return true;
    default:
      become_follower(message.term, kNobody);
      return true;
  }
}

void Raft::answer_older_term(const Message& message) {
  switch (message.type) {
    case MessageType::kAppend:
    case MessageType::kHeartbeat:
    case MessageType::kSnapshot:
      // A leader that hears of no newer term could otherwise never bring back a replica that has campaigned alone.
      if (options_.check_quorum || options_.pre_vote) {
        send({.type = MessageType::kAppendResponse, .to = message.from});
      }
      return;
    case MessageType::kPreVote:
      // A replica of an older version without pre-vote could wait for an answer forever.
      send({.type = MessageType::kPreVoteResponse, .to = message.from, .reject = true});
      return;
    case MessageType::kVote:
      // Two candidates of different configurations may not hear each other's campaigns, and count on side by side.
      send({.type = MessageType::kVoteResponse, .to = message.from, .reject = true});
      return;
    default:
      return;
  }
}

void Raft::step_role(Message& message) {
  switch (message.type) {
    case MessageType::kAppend:
    case MessageType::kHeartbeat:
    case MessageType::kSnapshot:
      if (role_ == Role::kLeader) {
        return;
      }
      if (role_ != Role::kFollower) {
        become_follower(term_, message.from);
      }
      step_follower(message);
      return;
    case MessageType::kPreVoteResponse:
    case MessageType::kVoteResponse:
      on_vote_response(message);
      return;
    case MessageType::kTimeoutNow:
    case MessageType::kReadIndexResponse:
      if (role_ == Role::kFollower) {
        step_follower(message);
      }
      return;
    default:
      if (role_ == Role::kLeader) {
        step_leader(message);
      }
      return;
  }
}

Message& Raft::add(std::vector<Message>& messages, MessageType type, ReplicaId to) {
  Message& message = messages.emplace_back();
  message.type = type;
  message.from = options_.self;
  message.to = to;
  message.term = term_;
  return message;
}

void Raft::send(Message&& message) {
  message.from = options_.self;
  if (message.term == 0) {
    message.term = term_;
  }
  switch (message.type) {
    // These speak for what this replica must not forget: the entries it has, the votes it gave, its own candidacy.
    // (on_append adds its answer where it belongs.)
    case MessageType::kAppendResponse:
    case MessageType::kVote:
    case MessageType::kVoteResponse:
    case MessageType::kPreVoteResponse:
    case MessageType::kReleaseResponse:
      send_after_.push_back(std::move(message));
      return;
    // Says more than "I am here" only when it carries a fortification that is not durable yet.
    case MessageType::kHeartbeatResponse:
      (hard_state_durable() ? send_now_ : send_after_).push_back(std::move(message));
      return;
    default:
      send_now_.push_back(std::move(message));
      return;
  }
}

void Raft::tick() {
  if (role_ == Role::kLeader) {
    tick_leader();
  } else {
    tick_election();
  }
}

// --- outputs ---

HardState Raft::hard_state() const { return {term_, vote_, log_.committed(), fortification_}; }

namespace {

// More memory than this is not kept for the next use.
constexpr std::size_t kMessagesKept = 64;

void reuse(std::vector<Message>& messages) {
  if (messages.empty()) {
    return;
  }
  messages.clear();
  if (messages.capacity() > kMessagesKept) {
    messages = {};
  }
}

// What comes next is collected in the memory of what was handed out before.
void hand_out(std::vector<Message>& collected, std::vector<Message>& messages) {
  std::swap(collected, messages);
  reuse(collected);
}

}  // namespace

bool Raft::hard_state_durable() const { return promises_written() && hard_state_sequence_ <= durable_sequence_; }

bool Raft::has_ready() const {
  return round_open_ || stream_due_ || !send_now_.empty() || !send_after_.empty() || !read_states_.empty() ||
         snapshot_to_write_.has_value() || log_.has_unwritten() || !promises_written() ||
         (log_.applied() == log_.applying() && log_.applying() < log_.applicable());
}

Ready Raft::take_ready() {
  Ready ready;
  take_ready(ready);
  return ready;
}

void Raft::take_ready(Ready& ready) {
  if (round_open_) {
    round_open_ = false;
    broadcast_heartbeat(true);
  }
  if (std::exchange(stream_due_, false)) {
    for (Progress& progress : progress_) {
      if (progress.id != options_.self) {
        stream_append(progress);
      }
    }
  }
  hand_out(send_now_, ready.send_now);
  if (!ready.reads.empty() || !read_states_.empty()) {
    ready.reads.clear();
    std::swap(ready.reads, read_states_);
  }
  log_.take_back(std::move(ready.persist.entries));
  log_.take_back(std::move(ready.apply));
  const bool promises = !promises_written();
  const bool content = snapshot_to_write_.has_value() || log_.has_unwritten();
  ready.persist.sequence = 0;
  if (promises || content || (!send_after_.empty() && writing())) {
    hand_out(send_after_, ready.persist.then_send);
    fill(ready.persist, promises, content);
  } else {
    reuse(ready.persist.then_send);
    std::ranges::move(send_after_, std::back_inserter(ready.send_now));
    send_after_.clear();
  }
  if (log_.applied() == log_.applying()) {
    const bool one = PANDO_FAULT(options_.faults, "raft/apply-one-entry");
    ready.apply = log_.take_applicable(one ? 0 : options_.apply_bytes_max);
  }
}

[[gnu::always_inline]] inline void Raft::fill(Persist& persist, bool promises, bool content) {
  persist.sequence = ++sequence_;
  // The commit index goes with the entries: a replica that has a change in its log must remember that the change
  // before it was committed (see has_unapplied_change). Alone it is not worth a write.
  if (promises || (content && written_hard_state_.commit != log_.committed())) {
    const HardState state = hard_state();
    written_hard_state_ = state;
    persist.hard_state = state;
    hard_state_sequence_ = sequence_;
  } else {
    persist.hard_state.reset();
  }
  persist.snapshot.reset();
  if (snapshot_to_write_.has_value()) {
    persist.snapshot = std::exchange(snapshot_to_write_, std::nullopt);
    log_.note_snapshot_written(sequence_);
  }
  persist.entries = log_.take_unwritten(sequence_);
  if (vote_ == options_.self && own_vote_sequence_ == 0) {
    own_vote_sequence_ = sequence_;
  }
}

void Raft::persisted(uint64_t sequence) {
  PANDO_ASSERT(sequence <= sequence_, "only what was handed out is persisted");
  log_.on_durable(sequence);
  durable_sequence_ = std::max(durable_sequence_, sequence);
  if (role_ == Role::kFollower) {
    return;
  }
  if (role_ == Role::kCandidate && own_vote_sequence_ != 0 && own_vote_sequence_ <= durable_sequence_) {
    record_ballot(options_.self, true);
  }
  if (role_ != Role::kLeader) {
    return;
  }
  Progress* const own = find(options_.self);
  if (own != nullptr && own->on_accepted(log_.durable()) && advance_commit() && options_.eager_commit) {
    broadcast_append();
  }
}

void Raft::applied(LogIndex index) {
  const LogIndex before = log_.applied();
  if (index <= before) {
    // A snapshot has overtaken it.
    return;
  }
  log_.applied_to(index);
  if (log_.changes_through() > before) {
    apply_changes(before + 1, index);
  }
  if (config_.joint()) {
    leave_joint_if_due();
  }
}

bool Raft::idle() const {
  if (support_ == nullptr || has_ready() || writing() || !not_released_.empty()) {
    return false;
  }
  if (role_ == Role::kFollower) {
    return !is_voter_ || (fortified_to_current_leader() && held_to_leader());
  }
  if (role_ != Role::kLeader || transferee_ != kNobody || !reads_.empty() || !reads_before_commit_.empty()) {
    return false;
  }
  if (log_.applied() != log_.last_index() || (config_.joint() && config_.auto_leave)) {
    return false;
  }
  for (const Progress& progress : progress_) {
    if (progress.id != options_.self && !settled(progress)) {
      return false;
    }
  }
  return true;
}

}  // namespace pando::raft
