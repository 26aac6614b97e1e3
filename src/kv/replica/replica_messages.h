#pragma once

// What hosts send each other, as bytes. Layouts: docs/formats/replica_messages.md. Decoders check everything; false is
// for bytes that are no such message. Pure.
//
//   on Channel::kConsensus   an Envelope of consensus messages; questions and answers about who is still a member
//   on Channel::kBulk        snapshots, each a stream:
//        sender  --Begin-->  receiver        the raft message and the descriptor
//                <--Ack---                   accepted; then how many chunks were taken
//                --Chunk-->                  at most kSnapshotWindow beyond the last Ack
//                --End---->
//                <--Done---                  in place, or not

#include <vector>

#include "base/hlc.h"
#include "consensus/multiraft/multiraft.h"
#include "kv/descriptor/descriptor.h"

namespace pando::kv {

// Never renumber: on the wire.
enum class ConsensusFrame : uint8_t {
  kEnvelope = 1,
  // Replicas of the sender: are they still members?
  kMembershipQuestion = 2,
  // Replicas of the receiver that are members no more, as the sender knows for certain.
  kRemoved = 3,
};

struct ReplicaName {
  ShardId shard;
  ReplicaId replica;
  friend bool operator==(const ReplicaName&, const ReplicaName&) = default;
};

struct ConsensusMessage {
  ConsensusFrame frame = ConsensusFrame::kEnvelope;
  multiraft::Envelope envelope;
  std::vector<ReplicaName> replicas;
};
Bytes encode_envelope(const multiraft::Envelope& envelope);
Bytes encode_replicas(ConsensusFrame frame, const std::vector<ReplicaName>& replicas);
bool decode(ByteView bytes, ConsensusMessage& message);

inline constexpr uint64_t kSnapshotWindow = 16;

struct SnapshotMessage {
  enum class Kind : uint8_t { kBegin = 1, kChunk = 2, kEnd = 3, kAck = 4, kDone = 5 };
  Kind kind = Kind::kBegin;
  // Chosen by the sender of the snapshot, never twice.
  uint64_t stream = 0;
  // kBegin
  ShardId shard;
  raft::Message raft;
  ShardDescriptor descriptor;
  // kChunk: its number, from 0; kEnd: how many there were; kAck: how many were taken.
  uint64_t sequence = 0;
  // kChunk: records, whose checksum the decoder has compared.
  Bytes records;
  // kDone
  bool installed = false;
};
Bytes encode(const SnapshotMessage& message);
bool decode(ByteView bytes, SnapshotMessage& message);

// One key of a snapshot: plain keys in rising order, then versions as Engine::iterate_versions gives them.
struct SnapshotRecord {
  enum class Kind : uint8_t { kPlain = 1, kVersion = 2, kTombstone = 3 };
  Kind kind = Kind::kPlain;
  ByteView key;
  HlcTimestamp timestamp;
  ByteView value;
};
void append_record(Bytes& out, const SnapshotRecord& record);
// Takes the record at the front of `rest` off. False at the end, when `rest` is empty, and for damaged bytes, when it
// is not.
bool next_record(ByteView& rest, SnapshotRecord& record);

}  // namespace pando::kv
