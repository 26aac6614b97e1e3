// Elections: who may campaign, who votes for whom (Raft 5.2 and 5.4.1; pre-vote: thesis 9.6; check-quorum: thesis 6.2).

#include "base/assert.h"
#include "consensus/raft/raft.h"

namespace pando::raft {

bool Raft::fortified_to_current_leader() const {
  return leader_ != kNobody && fortification_.leader == leader_ && fortification_.term == term_ &&
         fortification_.epoch != 0;
}

// Whether a promise of this replica's node forbids it to help elect anybody but the leader it is fortified to.
bool Raft::held_to_leader() const {
  return support_ != nullptr && fortification_.epoch != 0 &&
         support_->supports(fortification_.leader, fortification_.epoch);
}

bool Raft::hears_leader() const {
  if (held_to_leader()) {
    return true;
  }
  if (leader_ == kNobody || !options_.check_quorum || fortified_to_current_leader()) {
    return false;
  }
  return election_elapsed_ < options_.election_ticks;
}

void Raft::tick_election() {
  if (!not_released_.empty() && ++heartbeat_elapsed_ >= options_.heartbeat_ticks) {
    heartbeat_elapsed_ = 0;
    send_releases();
  }
  if (fortified_to_current_leader()) {
    if (held_to_leader()) {
      election_elapsed_ = 0;
      was_held_ = true;
      return;
    }
    if (was_held_) {
      // The silence has been waited out by the liveness fabric already: only the random part remains.
      was_held_ = false;
      election_elapsed_ = std::max(election_elapsed_, options_.election_ticks);
    }
  }
  ++election_elapsed_;
  if (election_elapsed_ >= election_timeout_) {
    // Begins anew only if it may campaign: whoever may not, a learner that does not know it is promoted, say, must not
    // go on believing in a leader that is silent, or it would refuse its vote for ever.
    campaign();
  }
}

void Raft::campaign() { hup(options_.pre_vote ? Campaign::kPreVote : Campaign::kElection); }

void Raft::hup(Campaign campaign) {
  if (role_ == Role::kLeader || !may_campaign()) {
    return;
  }
  if (campaign != Campaign::kTransfer && held_to_leader() && fortification_.leader != options_.self) {
    return;
  }
  start(campaign);
}

bool Raft::may_campaign() const {
  // With a snapshot under way the state machine, and so the configuration, is between two states.
  const bool between = snapshot_to_write_.has_value() || log_.applied() < log_.compacted().index;
  return is_voter_ && !between && !has_unapplied_change();
}

void Raft::start(Campaign campaign) {
  const bool pre = campaign == Campaign::kPreVote;
  if (pre) {
    become_pre_candidate();
    record_ballot(options_.self, true);
    if (role_ != Role::kPreCandidate) {
      // A lone voter has won already.
      return;
    }
  } else {
    become_candidate();
  }
  for (const ReplicaId voter : config_.voters.all()) {
    if (voter != options_.self) {
      send({.type = pre ? MessageType::kPreVote : MessageType::kVote,
            .to = voter,
            .term = pre ? term_ + 1 : term_,
            .position = log_.last(),
            .hint = committed_position(),
            .transfer = campaign == Campaign::kTransfer});
    }
  }
}

LogPosition Raft::committed_position() const { return {log_.committed(), log_.term(log_.committed()).value()}; }

// What is committed anywhere is committed, and voters tell what they know. Without this, a voter that has not heard
// that a change is committed could depend for ever on the vote of a replica that the change has removed, and whose log
// is longer.
void Raft::commit_by_vote(const Message& message) {
  if (message.hint.index > log_.committed() && log_.matches(message.hint) && role_ != Role::kLeader) {
    log_.commit_to(message.hint.index);
  }
}

void Raft::on_vote_request(const Message& message) {
  const bool pre = message.type == MessageType::kPreVote;
  commit_by_vote(message);
  const bool for_own_leader = fortification_.leader == message.from && held_to_leader();
  if (!message.transfer && hears_leader() && !for_own_leader) {
    return;
  }
  // A vote may be repeated, but given to one candidate only; none is given in a term whose leader is known.
  const bool free = vote_ == kNobody && leader_ == kNobody;
  const bool may_vote = vote_ == message.from || free || (pre && message.term > term_);
  // The leader that handed over was the one of an earlier term: a promise to a later one stands.
  const bool promised = message.transfer && fortification_.epoch != 0 && fortification_.term >= message.term;
  const bool grant = may_vote && !promised && log_.up_to_date(message.position);
  send({.type = pre ? MessageType::kPreVoteResponse : MessageType::kVoteResponse,
        .to = message.from,
        // The answer to a pre-vote names the term asked for: the candidate's own term is older.
        .term = grant ? message.term : term_,
        .reject = !grant,
        .hint = committed_position()});
  if (grant && !pre) {
    vote_ = message.from;
    election_elapsed_ = 0;
    if (fortification_.term < message.term) {
      fortification_ = {};
    }
  }
}

void Raft::on_vote_response(const Message& message) {
  const bool pre = message.type == MessageType::kPreVoteResponse;
  commit_by_vote(message);
  if (pre ? role_ != Role::kPreCandidate : role_ != Role::kCandidate) {
    return;
  }
  if (pre && !message.reject && message.term != term_ + 1) {
    return;
  }
  record_ballot(message.from, !message.reject);
}

quorum::Vote Raft::tally() const {
  return quorum::tally(config_.voters, [this](ReplicaId id) -> std::optional<bool> {
    for (const Ballot& ballot : ballots_) {
      if (ballot.voter == id) {
        return ballot.granted;
      }
    }
    return std::nullopt;
  });
}

void Raft::record_ballot(ReplicaId voter, bool granted) {
  for (const Ballot& ballot : ballots_) {
    if (ballot.voter == voter) {
      return;
    }
  }
  ballots_.push_back({voter, granted});
  switch (tally()) {
    case quorum::Vote::kPending:
      return;
    case quorum::Vote::kLost:
      become_follower(term_, kNobody);
      return;
    case quorum::Vote::kWon:
      if (role_ == Role::kPreCandidate) {
        start(Campaign::kElection);
      } else {
        become_leader();
      }
      return;
  }
}

}  // namespace pando::raft
