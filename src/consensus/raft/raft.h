#pragma once

// Raft: one replica of one group, as a pure state machine. No clock, thread, I/O or random source of its own: time is
// ticks, randomness is the Prng passed in, what is to be done comes out as data (consensus/raft/ready.h).
//
//   Raft raft(options, restart_state, prng, &support_view);
//   raft.tick(); raft.step(message); raft.propose(payload);         // inputs, in any order
//   while (raft.has_ready()) { Ready ready = raft.take_ready(); ... }   // see ready.h for what to do with it
//   raft.persisted(sequence); raft.applied(index);                  // completions
//
// The same inputs give the same outputs. Where this core differs from the usual ones, and why:
//   - Requests for votes wait for the candidate's own vote to be durable, else it could lead one term twice.
//   - Configuration changes take effect when the driver reports them applied; the core does it itself. A replica does
//     not campaign while it knows of a committed change it has not applied.
//   - Proposals are never forwarded: the proposer must know who leads.
//   - With a SupportView, leases and the absence of elections rest on the liveness fabric (consensus/raft/support.h),
//     and a settled group sends nothing at all.
//
// `prng` and `support` outlive it. One thread at a time. No foreign input (messages) fails an assertion.

#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "base/fault.h"
#include "base/prng.h"
#include "base/status.h"
#include "consensus/raft/log.h"
#include "consensus/raft/progress.h"
#include "consensus/raft/ready.h"
#include "consensus/raft/support.h"

namespace pando::raft {

struct Options {
  ReplicaId self;
  // A follower campaigns after this many to twice this many silent ticks; a leader checks its quorum as often.
  uint32_t election_ticks = 10;
  uint32_t heartbeat_ticks = 1;
  bool pre_vote = true;
  // A leader that hears from no majority steps down, and a follower that hears its leader grants no votes.
  bool check_quorum = true;
  // Whether followers are told at once what was committed, or with what is sent to them next.
  bool eager_commit = false;
  // A message carries at least one entry.
  std::size_t append_bytes_max = 1_MiB;
  std::size_t in_flight_max = 256;
  std::size_t in_flight_bytes_max = 8_MiB;
  // Proposals are refused while more than this is not committed; one is always accepted when nothing is.
  std::size_t uncommitted_bytes_max = 64_MiB;
  // Handed out to be applied at a time.
  std::size_t apply_bytes_max = 4_MiB;
  // For simulations; must outlive the replica.
  FaultSites* faults = nullptr;
};

// What a replica starts from: what the journal and the state machine hold.
struct RestartState {
  HardState hard_state;
  // Of the state machine, at `applied`.
  Config config;
  LogIndex applied = 0;
  LogPosition compacted;
  // Following `compacted`.
  std::vector<Entry> entries;
};

// OK, or what is wrong with what was read from the disk (XX001).
Status check(const RestartState& state);

enum class Refusal : uint8_t {
  kNotLeader,
  // Leadership is being handed over.
  kTransferring,
  // Too much is not committed: try again later.
  kOverloaded,
  // An earlier configuration change is not applied yet.
  kChangePending,
  kInvalidChange,
  kNoLeader,
  kNotVoter,
};
std::string_view to_string(Refusal refusal);
template <typename T>
using Accepted = std::expected<T, Refusal>;

class Raft {
 public:
  // REQUIRES: check(state) is OK.
  Raft(const Options& options, RestartState state, Prng& prng, const SupportView* support = nullptr);

  // --- inputs ---
  void tick();
  // From a replica of the same group. What makes no sense is ignored.
  void step(Message&& message);
  // The index the entry will have if it is committed in the current term.
  Accepted<LogIndex> propose(ByteView payload);
  // All or none; the index of the last.
  Accepted<LogIndex> propose(std::vector<Payload> payloads);
  Accepted<LogIndex> propose_change(const ConfigChange& change);
  // Asks for a ReadState with `context`. A follower asks its leader, and a lost message loses the request.
  Accepted<void> read_index(uint64_t context);
  // Campaigns now, if it may.
  void campaign();
  // Hands leadership to `to`, as soon as it has the whole log.
  Accepted<void> transfer(ReplicaId to);
  // A follower stops believing in its leader.
  void forget_leader();
  // Hints from the transport: messages to `id` are being lost; the snapshot to `id` was delivered, or not.
  void report_unreachable(ReplicaId id);
  void report_snapshot(ReplicaId id, bool delivered);
  // The state machine got `snapshot` otherwise, as a part of another group. REQUIRES: nothing is committed here.
  void install(const Snapshot& snapshot);
  // Drops the log up to `index`. REQUIRES: index <= applied.
  void compact(LogIndex index) { log_.compact(index); }

  // --- outputs and their completion ---
  bool has_ready() const;
  Ready take_ready();
  // The same, into a Ready whose memory is used again: best the one that this replica filled last.
  void take_ready(Ready& ready);
  void persisted(uint64_t sequence);
  // The state machine has applied up to `index`. Configuration changes among it take effect.
  void applied(LogIndex index);

  // --- state ---
  Role role() const { return role_; }
  Term term() const { return term_; }
  ReplicaId vote() const { return vote_; }
  ReplicaId leader() const { return leader_; }
  ReplicaId self() const { return options_.self; }
  const Log& log() const { return log_; }
  const Config& config() const { return config_; }
  const Fortification& fortification() const { return fortification_; }
  const std::vector<Progress>& progress() const { return progress_; }
  ReplicaId transferee() const { return transferee_; }
  std::size_t uncommitted_bytes() const { return uncommitted_bytes_; }
  // Until when this replica may serve reads as the leader without asking, on the clock of its SupportView; 0 for never,
  // UINT64_MAX for a lone voter. Compare it with the clock after this call, and read the state after that.
  uint64_t lease_until_ns() const;
  // Nothing is under way and the liveness fabric keeps watch: it need not be ticked until something happens to it, or
  // the support between its node and another changes.
  bool idle() const;

 private:
  enum class Campaign : uint8_t { kPreVote, kElection, kTransfer };
  struct Ballot {
    ReplicaId voter;
    bool granted = false;
  };
  // A read that waits for a majority to confirm that this replica leads, or for the term's first commit.
  struct PendingRead {
    ReplicaId from;
    uint64_t context = 0;
    LogIndex index = 0;
    // The round of heartbeats that confirms it.
    uint64_t round = 0;
  };

  // raft.cc: roles and terms
  void reset(Term term);
  void become_follower(Term term, ReplicaId leader);
  void become_pre_candidate();
  void become_candidate();
  void become_leader();
  void step_role(Message& message);
  bool admit_newer_term(const Message& message);
  void answer_older_term(const Message& message);
  void send(Message&& message);
  Message& add(std::vector<Message>& messages, MessageType type, ReplicaId to);
  [[gnu::always_inline]] bool promises_written() const {
    const HardState& written = written_hard_state_;
    return written.term == term_ && written.vote == vote_ && written.fortification == fortification_;
  }
  bool writing() const { return durable_sequence_ != sequence_; }
  void fill(Persist& persist, bool promises, bool content);
  bool hard_state_durable() const;
  HardState hard_state() const;

  // raft_election.cc
  void tick_election();
  void hup(Campaign campaign);
  bool may_campaign() const;
  void start(Campaign campaign);
  LogPosition committed_position() const;
  void commit_by_vote(const Message& message);
  void on_vote_request(const Message& message);
  void on_vote_response(const Message& message);
  void record_ballot(ReplicaId voter, bool granted);
  quorum::Vote tally() const;
  bool hears_leader() const;
  bool held_to_leader() const;
  bool fortified_to_current_leader() const;

  // raft_follower.cc
  void step_follower(Message& message);
  void on_append(const Message& message);
  void on_heartbeat(const Message& message);
  void on_snapshot(Message& message);
  bool restore(const Snapshot& snapshot);
  void fortify(const Message& message);
  void begin_release();
  void forget_gone_releases();
  void send_releases();
  void on_release(const Message& message);
  uint64_t fortified_epoch() const;

  // raft_leader.cc
  void tick_leader();
  void check_quorum();
  void step_leader(Message& message);
  void on_append_response(const Message& message);
  void on_rejection(Progress& progress, const Message& message);
  void on_heartbeat_response(const Message& message);
  void hear_from(Progress& progress, const Message& message);
  LogIndex append_as_leader(EntryType type, std::span<const Payload> payloads);
  Accepted<void> may_propose(std::size_t bytes) const;
  bool advance_commit();
  void broadcast_append();
  void broadcast_heartbeat(bool all);
  void send_heartbeat(const Progress& progress);
  // Returns whether something was sent.
  bool send_append(Progress& progress, bool even_if_empty);
  void stream_append(Progress& progress);
  bool send_snapshot(Progress& progress);
  void send_timeout_now(ReplicaId to);
  void abort_transfer();
  bool supported_by(const Progress& progress) const;
  bool settled(const Progress& progress) const;
  uint64_t counted_epoch(ReplicaId id) const;
  Progress* find(ReplicaId id);
  const Progress* find(ReplicaId id) const;

  // raft_config.cc
  void apply_changes(LogIndex from, LogIndex through);
  void switch_to(Config config);
  void rebuild_progress();
  void leave_joint_if_due();
  bool has_unapplied_change() const;

  // raft_read.cc
  void on_read_index(const Message& message);
  void start_read(PendingRead read);
  void confirm_reads();
  void release_reads_of_term();
  void answer_read(const PendingRead& read);
  bool committed_in_term() const;

  Options options_;
  Prng& prng_;
  const SupportView* support_;

  Term term_ = 0;
  ReplicaId vote_;
  Fortification fortification_;
  Role role_ = Role::kFollower;
  ReplicaId leader_;
  Log log_;
  Config config_;
  bool is_voter_ = false;

  uint32_t election_elapsed_ = 0;
  uint32_t heartbeat_elapsed_ = 0;
  uint32_t election_timeout_ = 0;
  bool was_held_ = false;  // when the last tick came

  std::vector<Ballot> ballots_;
  // While leading; in rising order of id.
  std::vector<Progress> progress_;
  LogIndex pending_change_ = 0;  // no other change is proposed until this is applied
  std::size_t uncommitted_bytes_ = 0;
  ReplicaId transferee_;
  // The lease was given up: the transferee may campaign at any time in this term.
  bool timeout_now_sent_ = false;
  // New entries are sent by the next take_ready: what is proposed until then goes in one message.
  bool stream_due_ = false;
  std::vector<PendingRead> reads_before_commit_;
  std::vector<PendingRead> reads_;
  uint64_t read_round_ = 0;
  // Reads have joined the current round and its heartbeats are not sent yet.
  bool round_open_ = false;

  // After leading: the term, and who has not confirmed that it is over.
  Term released_term_ = 0;
  quorum::VoterSet not_released_;
  std::vector<Message> send_now_;
  std::vector<Message> send_after_;
  std::vector<ReadState> read_states_;
  std::optional<Snapshot> snapshot_to_write_;
  HardState written_hard_state_;
  // The last write handed out, the last that is durable, the last that carries a hard state, and the first that carries
  // this replica's vote for itself in this term; 0 for none.
  uint64_t sequence_ = 0;
  uint64_t durable_sequence_ = 0;
  uint64_t hard_state_sequence_ = 0;
  uint64_t own_vote_sequence_ = 0;
};

}  // namespace pando::raft
