#pragma once

// Replay: what a machine's journal holds, as a process reads it when it starts; and how log entries lie in it.

#include <map>

#include "base/codec.h"
#include "consensus/liveness/fabric.h"
#include "consensus/raft/raft.h"
#include "storage/journal.h"

namespace pando::test {

inline constexpr uint8_t kTypeMask = 0x0f;
inline constexpr uint8_t kHasPayload = 0x10;

inline Bytes journal_payload(const raft::Entry& entry) {
  const auto head = static_cast<uint8_t>(static_cast<uint8_t>(entry.type) | (entry.payload ? kHasPayload : 0));
  return Bytes(1, static_cast<char>(head)) + Bytes(*entry.payload);
}

inline raft::Entry entry_of(const storage::JournalEntry& stored) {
  raft::Entry entry{.term = stored.term, .index = stored.index};
  const auto head = static_cast<uint8_t>(stored.payload[0]);
  entry.type = static_cast<raft::EntryType>(head & kTypeMask);
  if ((head & kHasPayload) != 0) {
    entry.payload = raft::Payload::copy_of(stored.payload.substr(1));
  }
  return entry;
}

// A hard state names its replica: another of the group may take its place on the machine, and a crash may lose the
// journal's news of that.
inline Bytes replica_record(ReplicaId replica, const raft::HardState& state) {
  Bytes record;
  put_varint(record, replica.number());
  return record + raft::encode(state);
}

inline bool decode_record(ByteView record, ReplicaId& replica, raft::HardState& state) {
  ByteReader reader(record);
  uint64_t number = 0;
  if (!reader.varint(number)) {
    return false;
  }
  replica = ReplicaId(number);
  return raft::decode(reader.rest(), state);
}

class Replay final : public storage::JournalVisitor {
 public:
  struct Log {
    std::map<raft::LogIndex, raft::Entry> entries;
    raft::LogPosition start;
    Bytes hard_state;
  };
  Status on_entry(ShardId shard, const storage::JournalEntry& entry) override {
    auto& entries = logs[shard].entries;
    entries.erase(entries.lower_bound(entry.index), entries.end());
    entries[entry.index] = entry_of(entry);
    return Status();
  }
  Status on_hard_state(ShardId shard, const storage::HardState& state) override {
    logs[shard].hard_state = state.bytes;
    return Status();
  }
  Status on_promise(const storage::LivenessPromise& promise) override {
    identity = {promise.epoch, promise.until_ns};
    return Status();
  }
  Status on_truncate(ShardId shard, uint64_t index, uint64_t term) override {
    Log& log = logs[shard];
    log.start = {index, term};
    log.entries.erase(log.entries.begin(), log.entries.upper_bound(index));
    return Status();
  }
  Status on_remove(ShardId shard) override {
    logs.erase(shard);
    return Status();
  }

  std::map<ShardId, Log> logs;
  liveness::Identity identity;
};

}  // namespace pando::test
