#pragma once

// Config: who takes part in a group, and the algebra of changing it (Ongaro, thesis, 4.3: joint consensus).
//
// Adding or removing one voter may be done in one step, because the old and the new majority overlap. Anything more
// goes through a joint configuration, where every decision needs a majority of both, and then leaves it:
//
//          enter                      leave
//   (1 2 3) ----> (1 2 4)&&(1 2 3)  -------> (1 2 4)
//
// A replica that stops voting but stays as a learner keeps its vote in the outgoing half until the joint configuration
// is left (learners_next). Pure values; any thread.

#include <string>
#include <vector>

#include "base/status.h"
#include "consensus/quorum/quorum.h"
#include "consensus/raft/types.h"

namespace pando::raft {

struct Config {
  quorum::JointVoters voters;
  quorum::VoterSet learners;
  // Become learners when the joint configuration is left.
  quorum::VoterSet learners_next;
  // Whether the leader leaves the joint configuration by itself as soon as it may.
  bool auto_leave = false;

  bool joint() const { return !voters.outgoing.empty(); }
  bool contains(ReplicaId id) const {
    return voters.contains(id) || learners.contains(id) || learners_next.contains(id);
  }
  // Everybody, in rising order.
  quorum::VoterSet members() const;
  friend bool operator==(const Config&, const Config&) = default;

  // "voters=(1 2 3)&&(1 2) learners=(4) autoleave".
  std::string to_string() const;
  static Config of(std::initializer_list<uint64_t> voters, std::initializer_list<uint64_t> learners = {});
};

Bytes encode(const Config& config);
// False for bytes that are no valid configuration.
bool decode(ByteView bytes, Config& config);

struct ConfigChange {
  // Never renumber: on disk and on the wire.
  enum class Kind : uint8_t { kAddVoter = 0, kAddLearner = 1, kRemove = 2 };
  enum class Transition : uint8_t {
    // One step where that is safe, else through a joint configuration that is left automatically.
    kAuto = 0,
    // Through a joint configuration that is left automatically.
    kJointImplicit = 1,
    // Through a joint configuration that stays until an empty change is proposed.
    kJointExplicit = 2,
  };
  struct Step {
    Kind kind = Kind::kAddVoter;
    ReplicaId id;
    friend bool operator==(const Step&, const Step&) = default;
  };

  Transition transition = Transition::kAuto;
  // Empty: leave the joint configuration.
  std::vector<Step> steps;
  // The proposer's note, opaque to the core.
  Bytes context;

  bool leaves_joint() const { return steps.empty() && transition == Transition::kAuto; }
  friend bool operator==(const ConfigChange&, const ConfigChange&) = default;
};

Bytes encode(const ConfigChange& change);
bool decode(ByteView bytes, ConfigChange& change);

// The configuration after `change`, or why it is not allowed. Deterministic: every replica derives the same.
Result<Config> changed(const Config& config, const ConfigChange& change);

}  // namespace pando::raft
