#include "kv/replica/testing_decoders.h"

#include "base/assert.h"
#include "kv/replica/replica_format.h"
#include "kv/replica/replica_messages.h"

namespace pando::kv::testing {
namespace {

// Whether what decodes comes back as the same bytes once they are the encoder's own.
template <typename T>
void round_trip(ByteView bytes) {
  T value;
  if (!decode(bytes, value)) {
    return;
  }
  const Bytes encoded = encode(value);
  T again;
  const bool decoded = decode(encoded, again);
  PANDO_ASSERT(decoded, "what was encoded decodes");
  PANDO_ASSERT(encode(again) == encoded, "decoding loses nothing");
}

void exercise_records(ByteView bytes) {
  Bytes encoded;
  SnapshotRecord record;
  for (ByteView rest = bytes; next_record(rest, record);) {
    append_record(encoded, record);
  }
  Bytes again;
  ByteView rest = encoded;
  while (next_record(rest, record)) {
    append_record(again, record);
  }
  PANDO_ASSERT(rest.empty() && again == encoded, "records come back as they were");
}

void exercise_consensus(ByteView bytes) {
  ConsensusMessage message;
  if (!decode(bytes, message)) {
    return;
  }
  const bool is_envelope = message.frame == ConsensusFrame::kEnvelope;
  const Bytes encoded =
      is_envelope ? encode_envelope(message.envelope) : encode_replicas(message.frame, message.replicas);
  ConsensusMessage again;
  const bool decoded = decode(encoded, again);
  PANDO_ASSERT(decoded && again.frame == message.frame && again.replicas == message.replicas,
               "a message of the consensus channel comes back as it was");
}

}  // namespace

void exercise_decoders(ByteView bytes) {
  round_trip<Split>(bytes);
  round_trip<Merge>(bytes);
  round_trip<NewReplicas>(bytes);
  round_trip<ReplicaRecord>(bytes);
  round_trip<ShardState>(bytes);
  round_trip<LocalReplica>(bytes);
  round_trip<SnapshotMessage>(bytes);
  exercise_records(bytes);
  exercise_consensus(bytes);
  if (const auto descriptor = decode_descriptor(bytes); descriptor.ok()) {
    const auto again = decode_descriptor(encode_descriptor(*descriptor));
    PANDO_ASSERT(again.ok() && *again == *descriptor, "a descriptor comes back as it was");
  }
  const raft::Entry entry = entry_of({.index = 1, .term = 1, .payload = bytes});
  Bytes scratch;
  PANDO_ASSERT(journal_payload(entry, scratch) == bytes, "an entry goes back to the journal as it came");
}

}  // namespace pando::kv::testing
