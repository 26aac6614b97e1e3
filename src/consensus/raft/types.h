#pragma once

// The nouns of Raft (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014) as plain data.

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "consensus/raft/payload.h"

namespace pando::raft {

// Terms and log indexes are counted from 1; 0 is "none".
using Term = uint64_t;
using LogIndex = uint64_t;

inline constexpr ReplicaId kNobody{};

// Never renumber: these are on disk and on the wire.
enum class EntryType : uint8_t {
  kNormal = 0,
  // The payload is an encoded ConfigChange.
  kConfigChange = 1,
};

struct Entry {
  Term term = 0;
  LogIndex index = 0;
  EntryType type = EntryType::kNormal;
  // Null for the entry by which a new leader commits what it has inherited.
  Payload payload;

  std::size_t payload_bytes() const { return payload.size(); }
  friend bool operator==(const Entry&, const Entry&) = default;
};

// What an entry costs besides its payload: bounds messages made of empty entries.
inline constexpr std::size_t kEntryOverheadBytes = 24;
inline std::size_t cost_bytes(const Entry& entry) { return entry.payload_bytes() + kEntryOverheadBytes; }

struct LogPosition {
  LogIndex index = 0;
  Term term = 0;
  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

// A follower's durable word to a leader that rides on the liveness fabric: it will elect nobody else while its node
// supports the leader's node in `epoch` (consensus/raft/support.h).
struct Fortification {
  ReplicaId leader;
  Term term = 0;
  // 0: `leader` led `term` and does no more, so that there is nothing to promise it in that term.
  uint64_t epoch = 0;
  friend bool operator==(const Fortification&, const Fortification&) = default;
};

// What a replica must never forget (Raft, figure 2, "persistent state"), and its fortification.
struct HardState {
  Term term = 0;
  ReplicaId vote;
  LogIndex commit = 0;
  Fortification fortification;
  friend bool operator==(const HardState&, const HardState&) = default;
};

// Encoding of a hard state in the journal.
Bytes encode(const HardState& state);
bool decode(ByteView bytes, HardState& state);

enum class Role : uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };
std::string_view to_string(Role role);

}  // namespace pando::raft
