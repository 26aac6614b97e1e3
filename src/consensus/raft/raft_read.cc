// Linearizable reads without a log entry (thesis 6.4). A read is confirmed by a round of heartbeats that began after it
// arrived; rounds are numbered by the leader, so that nothing a client does can make an old answer confirm a new read.

#include "base/assert.h"
#include "consensus/raft/raft.h"

namespace pando::raft {

namespace {

// Beyond this, reads are refused: the quorum is not answering.
constexpr std::size_t kPendingReadsMax = 1 << 16;

}  // namespace

bool Raft::committed_in_term() const { return log_.term(log_.committed()) == term_; }

Accepted<void> Raft::read_index(uint64_t context) {
  if (role_ == Role::kLeader) {
    if (reads_.size() + reads_before_commit_.size() >= kPendingReadsMax) {
      return std::unexpected(Refusal::kOverloaded);
    }
    start_read({.from = options_.self, .context = context});
    return {};
  }
  if (leader_ == kNobody) {
    return std::unexpected(Refusal::kNoLeader);
  }
  send({.type = MessageType::kReadIndex, .to = leader_, .context = context});
  return {};
}

void Raft::on_read_index(const Message& message) {
  if (reads_.size() + reads_before_commit_.size() < kPendingReadsMax) {
    start_read({.from = message.from, .context = message.context});
  }
}

void Raft::start_read(PendingRead read) {
  // Until an entry of its own term is committed, a leader does not know what earlier leaders have committed (6.4, step
  // 1).
  if (!committed_in_term()) {
    reads_before_commit_.push_back(read);
    return;
  }
  read.index = log_.committed();
  const quorum::JointVoters& voters = config_.voters;
  if (voters.incoming.size() == 1 && voters.outgoing.empty() && is_voter_) {
    answer_read(read);
    return;
  }
  // Reads that arrive before the next Ready share its round.
  if (!round_open_) {
    round_open_ = true;
    ++read_round_;
  }
  read.round = read_round_;
  reads_.push_back(read);
}

void Raft::release_reads_of_term() {
  std::vector<PendingRead> waiting = std::exchange(reads_before_commit_, {});
  for (const PendingRead& read : waiting) {
    start_read(read);
  }
}

void Raft::confirm_reads() {
  if (reads_.empty()) {
    return;
  }
  const uint64_t confirmed = quorum::acknowledged(config_.voters, [this](ReplicaId id) -> uint64_t {
    const Progress* const progress = find(id);
    return id == options_.self ? UINT64_MAX : progress == nullptr ? 0 : progress->confirmed_round;
  });
  std::size_t done = 0;
  while (done < reads_.size() && reads_[done].round <= confirmed) {
    answer_read(reads_[done]);
    ++done;
  }
  reads_.erase(reads_.begin(), reads_.begin() + static_cast<std::ptrdiff_t>(done));
}

void Raft::answer_read(const PendingRead& read) {
  if (read.from == options_.self) {
    read_states_.push_back({read.context, read.index});
    return;
  }
  send({.type = MessageType::kReadIndexResponse,
        .to = read.from,
        .position = {.index = read.index},
        .context = read.context});
}

}  // namespace pando::raft
