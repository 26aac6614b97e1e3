#include "consensus/raft/config.h"

#include "base/codec.h"

namespace pando::raft {

namespace {

using Kind = ConfigChange::Kind;
using Transition = ConfigChange::Transition;

// A group larger than this is refused: it would be slow, and a decoder needs a bound.
constexpr std::size_t kMembersMax = 64;

Status refused(std::string why) {
  return Status::from_message(sql_state::kObjectNotInPrerequisiteState, std::move(why));
}

// Every replica has one role, except that a member of learners_next still votes in the outgoing half.
Status check(const Config& config) {
  for (const ReplicaId id : config.learners) {
    if (config.voters.contains(id)) {
      return refused(fmt::format("replica {} is both a voter and a learner", id.number()));
    }
  }
  for (const ReplicaId id : config.learners_next) {
    if (!config.voters.outgoing.contains(id) || config.voters.incoming.contains(id)) {
      return refused(fmt::format("replica {} waits to become a learner but is not an outgoing voter", id.number()));
    }
  }
  if (!config.joint() && (!config.learners_next.empty() || config.auto_leave)) {
    return refused("a configuration that is not joint has nothing to leave");
  }
  if (config.members().size() > kMembersMax) {
    return refused(fmt::format("a group has at most {} members", kMembersMax));
  }
  return Status();
}

void make_voter(Config& config, ReplicaId id) {
  config.learners.erase(id);
  config.learners_next.erase(id);
  config.voters.incoming.insert(id);
}

void make_learner(Config& config, ReplicaId id) {
  config.voters.incoming.erase(id);
  // An outgoing voter keeps its vote until the joint configuration is left.
  if (config.voters.outgoing.contains(id)) {
    config.learners_next.insert(id);
  } else {
    config.learners.insert(id);
  }
}

void remove(Config& config, ReplicaId id) {
  config.voters.incoming.erase(id);
  config.learners.erase(id);
  config.learners_next.erase(id);
}

Status take_steps(Config& config, const std::vector<ConfigChange::Step>& steps) {
  for (const auto& step : steps) {
    if (step.id == kNobody) {
      return refused("a configuration change names no replica");
    }
    switch (step.kind) {
      case Kind::kAddVoter:
        make_voter(config, step.id);
        break;
      case Kind::kAddLearner:
        make_learner(config, step.id);
        break;
      case Kind::kRemove:
        remove(config, step.id);
        break;
    }
  }
  if (config.voters.incoming.empty()) {
    return refused("a configuration change would remove the last voter");
  }
  return Status();
}

std::size_t difference(const quorum::VoterSet& a, const quorum::VoterSet& b) {
  std::size_t count = 0;
  for (const ReplicaId id : a) {
    count += b.contains(id) ? 0 : 1;
  }
  for (const ReplicaId id : b) {
    count += a.contains(id) ? 0 : 1;
  }
  return count;
}

Result<Config> left_joint(const Config& config) {
  if (!config.joint()) {
    return refused("the configuration is not joint");
  }
  Config next = config;
  for (const ReplicaId id : config.learners_next) {
    next.learners.insert(id);
  }
  next.learners_next.clear();
  next.voters.outgoing.clear();
  next.auto_leave = false;
  return next;
}

void put_set(Bytes& out, const quorum::VoterSet& set) {
  put_varint(out, set.size());
  for (const ReplicaId id : set) {
    put_varint(out, id.number());
  }
}

bool read_set(ByteReader& reader, quorum::VoterSet& set) {
  uint64_t count = 0;
  if (!reader.varint(count) || count > kMembersMax) {
    return false;
  }
  std::vector<ReplicaId> ids;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t number = 0;
    if (!reader.varint(number) || number == 0) {
      return false;
    }
    ids.emplace_back(number);
  }
  set = quorum::VoterSet(std::move(ids));
  return set.size() == count;
}

}  // namespace

quorum::VoterSet Config::members() const {
  quorum::VoterSet all = voters.all();
  for (const ReplicaId id : learners) {
    all.insert(id);
  }
  return all;
}

std::string Config::to_string() const {
  std::string text = fmt::format("voters=({})", voters.incoming.to_string());
  if (joint()) {
    text += fmt::format("&&({})", voters.outgoing.to_string());
  }
  if (!learners.empty()) {
    text += fmt::format(" learners=({})", learners.to_string());
  }
  if (!learners_next.empty()) {
    text += fmt::format(" learners_next=({})", learners_next.to_string());
  }
  return auto_leave ? text + " autoleave" : text;
}

Config Config::of(std::initializer_list<uint64_t> voters, std::initializer_list<uint64_t> learners) {
  Config config;
  for (const uint64_t id : voters) {
    config.voters.incoming.insert(ReplicaId(id));
  }
  for (const uint64_t id : learners) {
    config.learners.insert(ReplicaId(id));
  }
  return config;
}

Result<Config> changed(const Config& config, const ConfigChange& change) {
  Config next = config;
  if (change.leaves_joint()) {
    PANDO_ASSIGN(next, left_joint(config));
    PANDO_TRY(check(next));
    return next;
  }
  if (config.joint()) {
    return refused("the configuration is joint already");
  }
  // The outgoing half must be in place first: make_learner looks at it.
  Config simple = config;
  PANDO_TRY(take_steps(simple, change.steps));
  const bool one_step = difference(config.voters.incoming, simple.voters.incoming) <= 1;
  if (change.transition == Transition::kAuto && one_step) {
    PANDO_TRY(check(simple));
    return simple;
  }
  next.voters.outgoing = config.voters.incoming;
  next.auto_leave = change.transition != Transition::kJointExplicit;
  PANDO_TRY(take_steps(next, change.steps));
  PANDO_TRY(check(next));
  return next;
}

Bytes encode(const Config& config) {
  Bytes out;
  put_set(out, config.voters.incoming);
  put_set(out, config.voters.outgoing);
  put_set(out, config.learners);
  put_set(out, config.learners_next);
  put_varint(out, config.auto_leave ? 1 : 0);
  return out;
}

bool decode(ByteView bytes, Config& config) {
  ByteReader reader(bytes);
  uint64_t auto_leave = 0;
  if (!read_set(reader, config.voters.incoming) || !read_set(reader, config.voters.outgoing) ||
      !read_set(reader, config.learners) || !read_set(reader, config.learners_next) || !reader.varint(auto_leave) ||
      auto_leave > 1 || !reader.empty()) {
    return false;
  }
  config.auto_leave = auto_leave == 1;
  return check(config).ok();
}

Bytes encode(const ConfigChange& change) {
  Bytes out;
  put_varint(out, static_cast<uint64_t>(change.transition));
  put_varint(out, change.steps.size());
  for (const auto& step : change.steps) {
    put_varint(out, static_cast<uint64_t>(step.kind));
    put_varint(out, step.id.number());
  }
  put_length_prefixed(out, change.context);
  return out;
}

bool decode(ByteView bytes, ConfigChange& change) {
  ByteReader reader(bytes);
  uint64_t transition = 0;
  uint64_t count = 0;
  if (!reader.varint(transition) || transition > static_cast<uint64_t>(Transition::kJointExplicit) ||
      !reader.varint(count) || count > kMembersMax) {
    return false;
  }
  change.transition = static_cast<Transition>(transition);
  change.steps.clear();
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t kind = 0;
    uint64_t id = 0;
    if (!reader.varint(kind) || kind > static_cast<uint64_t>(Kind::kRemove) || !reader.varint(id)) {
      return false;
    }
    change.steps.push_back({static_cast<Kind>(kind), ReplicaId(id)});
  }
  ByteView context;
  if (!reader.length_prefixed(context) || !reader.empty()) {
    return false;
  }
  change.context = Bytes(context);
  return true;
}

Bytes encode(const HardState& state) {
  Bytes out;
  for (const uint64_t number : {state.term, state.vote.number(), state.commit, state.fortification.leader.number(),
                                state.fortification.term, state.fortification.epoch}) {
    put_varint(out, number);
  }
  return out;
}

bool decode(ByteView bytes, HardState& state) {
  ByteReader reader(bytes);
  uint64_t vote = 0;
  uint64_t leader = 0;
  const bool read = reader.varint(state.term) && reader.varint(vote) && reader.varint(state.commit) &&
                    reader.varint(leader) && reader.varint(state.fortification.term) &&
                    reader.varint(state.fortification.epoch) && reader.empty();
  state.vote = ReplicaId(vote);
  state.fortification.leader = ReplicaId(leader);
  return read;
}

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kFollower:
      return "follower";
    case Role::kPreCandidate:
      return "pre-candidate";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
  }
  PANDO_UNREACHABLE("every role has a name");
}

}  // namespace pando::raft
