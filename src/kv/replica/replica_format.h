#pragma once

// What replicas keep on disk, as bytes: entries of the log, hard states in the journal, two plain keys in the engine.
// Layouts: docs/formats/shard_log.md. Decoders check everything. Pure.

#include <optional>

#include "consensus/raft/config.h"
#include "consensus/raft/types.h"
#include "kv/descriptor/descriptor.h"
#include "storage/journal.h"

namespace pando::kv {

// The log of every shard begins behind this position, so that a replica without data, whose log begins at 0, always
// needs a snapshot.
inline constexpr raft::LogPosition kInitialPosition{.index = 10, .term = 5};

// --- entries ---

// The last byte of an entry's payload. Never renumber.
enum class EntryKind : uint8_t {
  // For the state machine.
  kCommand = 1,
  // The same; the last one of a leaseholder that hands over.
  kHandover = 2,
  // A Split.
  kSplit = 3,
  // Only takes a place in the log.
  kNothing = 4,
  // A ShardDescriptor, whose generation follows that of the one before, and whose bounds and replicas are the same.
  kDescriptor = 5,
  // A Merge.
  kMerge = 6,
  // In the journal only: the payload is a raft::ConfigChange.
  kConfigChange = 0x80,
};

struct Split {
  ShardDescriptor left;
  ShardDescriptor right;
};

// In the log of the left side: from here on it is both. REQUIRES: every replica of the right side has durably applied
// that it is merging.
struct Merge {
  // In which the left side must be.
  uint64_t left_generation = 0;
  ShardDescriptor left;
  // As it ends.
  ShardDescriptor right;
  // For the state machine, as a handover: of the right side's last leaseholder.
  Bytes handover;
};

// `body` becomes the payload of a normal entry.
Bytes entry_payload(EntryKind kind, Bytes body);
// None for a payload that no version wrote.
std::optional<EntryKind> entry_kind(ByteView payload);
inline ByteView entry_body(ByteView payload) { return payload.substr(0, payload.size() - 1); }

Bytes encode(const Split& split);
bool decode(ByteView bytes, Split& split);
Bytes encode(const Merge& merge);
bool decode(ByteView bytes, Merge& merge);

// As the journal keeps an entry. Borrows the payload where it can; `scratch` holds it otherwise.
ByteView journal_payload(const raft::Entry& entry, Bytes& scratch);
raft::Entry entry_of(const storage::JournalEntry& stored);

// The context of a configuration change: where the new replicas are.
struct NewReplicas {
  std::vector<std::pair<ReplicaId, NodeId>> replicas;
  ReplicaId next_replica_id;
};
Bytes encode(const NewReplicas& replicas);
bool decode(ByteView bytes, NewReplicas& replicas);

// The descriptor as it follows from the configuration, which has just changed.
ShardDescriptor with_config(ShardDescriptor descriptor, const raft::Config& config, const NewReplicas& added);
raft::Config config_of(const ShardDescriptor& descriptor);

// --- the journal ---

// Whose hard state it is, so that no replica takes another's votes for its own; or that the node's replicas below an id
// are gone for ever.
struct ReplicaRecord {
  enum class Kind : uint8_t { kReplica = 1, kTombstone = 2 };
  Kind kind = Kind::kReplica;
  // kTombstone: the lowest that may still come.
  ReplicaId replica;
  raft::HardState hard_state;
};
Bytes encode(const ReplicaRecord& record);
bool decode(ByteView bytes, ReplicaRecord& record);

// --- the engine ---

// Beside the applied index.
struct ShardState {
  uint64_t applied_term = 0;
  raft::Config config;
};
Bytes encode(const ShardState& state);
bool decode(ByteView bytes, ShardState& state);

struct LocalReplica {
  // As in ReplicaRecord.
  bool tombstone = false;
  ReplicaId replica;
};
Bytes encode(const LocalReplica& local);
bool decode(ByteView bytes, LocalReplica& local);

}  // namespace pando::kv
