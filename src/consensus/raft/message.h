#pragma once

// Message: what replicas of one group tell each other. Losing, repeating or reordering any of them is harmless.

#include <memory>
#include <vector>

#include "consensus/raft/config.h"
#include "consensus/raft/entries.h"

namespace pando::raft {

// | type               | from      | to        | when
// | kAppend            | leader    | member    | it has entries, or must be probed                (Raft 5.3)
// | kAppendResponse    | member    | leader    | the entries are durable, or are rejected; also tells a stale leader
// | kHeartbeat         | leader    | member    | at times, and to confirm reads
// | kHeartbeatResponse | member    | leader    | always
// | kPreVote           | follower  | voters    | it would campaign                               (thesis 9.6)
// | kPreVoteResponse   | member    | follower  | it would, or would not, vote so
// | kVote              | candidate | voters    | it campaigns, its own vote being durable         (Raft 5.2)
// | kVoteResponse      | member    | candidate | the vote is durable
// | kSnapshot          | leader    | member    | what it needs is compacted away                  (Raft 7)
// | kTimeoutNow        | leader    | voter     | leadership goes to it                            (thesis 3.10)
// | kReadIndex         | member    | leader    | it wants to serve a read                         (thesis 6.4)
// | kReadIndexResponse | leader    | member    | it may, once it has applied `index`
// | kRelease           | ex-leader | member    | it no longer leads: fortifications to it are void
// |                    | its node  | member    | rejected: it is gone, and leads nothing
// | kReleaseResponse   | member    | ex-leader | always
//
// Never renumber: these are on the wire.
enum class MessageType : uint8_t {
  kAppend = 1,
  kAppendResponse = 2,
  kHeartbeat = 3,
  kHeartbeatResponse = 4,
  kPreVote = 5,
  kPreVoteResponse = 6,
  kVote = 7,
  kVoteResponse = 8,
  kSnapshot = 9,
  kTimeoutNow = 10,
  kReadIndex = 11,
  kReadIndexResponse = 12,
  kRelease = 13,
  kReleaseResponse = 14,
};
std::string_view to_string(MessageType type);

// The state machine at `position`. The state itself travels beside the message, by the driver's means.
struct Snapshot {
  LogPosition position;
  Config config;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

struct Message {
  MessageType type = MessageType::kAppend;
  ReplicaId from;
  ReplicaId to;
  // The sender's term; for kPreVote, and its grant, the term that would be campaigned for; for kRelease the last term
  // in which the sender has led.
  Term term = 0;
  // kAppend: the position before `entries`. kVote, kPreVote: the end of the candidate's log. Responses to appends:
  // index alone, the last entry that matches, or that was rejected. kReadIndexResponse: index alone.
  LogPosition position;
  // What the sender knows to be committed.
  LogIndex commit = 0;
  bool reject = false;
  // A rejected append: where the follower may agree, with its term there (0 when compacted away). Votes, both ways: the
  // last position the sender knows to be committed.
  LogPosition hint;
  // kVote, kPreVote: the leader has handed over, so its lease does not count.
  bool transfer = false;
  // Heartbeats: the round of reads that an answer confirms. kReadIndex: the reader's context.
  uint64_t context = 0;
  // From a leader: the epoch in which it counts on the receiver's node. Responses: the epoch in which the sender is
  // fortified to the leader. 0 for none.
  uint64_t fortified_epoch = 0;
  Entries entries;
  std::shared_ptr<const Snapshot> snapshot;

  bool operator==(const Message& other) const;
};

inline constexpr std::size_t kMessageEntriesMax = 1 << 16;

// Appends the encoding to `out`.
void encode(const Message& message, Bytes& out);
// False for bytes that are no message. Foreign bytes: everything is checked.
bool decode(ByteView bytes, Message& message);

}  // namespace pando::raft
