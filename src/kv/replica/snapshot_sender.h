#pragma once

// SnapshotSender: sends the data of shards to replicas that need what is compacted away, without stopping writes: from
// a snapshot of the engine, in chunks, as fast as the receiver takes them and no faster than the configured rate.
//
// Its members belong to the host's actor; each stream reads and sends on the bulk executor.

#include <map>
#include <memory>

#include "kv/replica/replica_core.h"
#include "kv/replica/snapshot_turns.h"

namespace pando::kv {

class SnapshotSender {
 public:
  explicit SnapshotSender(ReplicaCore& core);
  ~SnapshotSender();

  // `message` is the core's kSnapshot; what is sent is the state machine as it is now, which may be further.
  void start(NodeId to, ShardId shard, raft::Message message);
  // kAck and kDone.
  void on_message(NodeId from, const SnapshotMessage& message);
  // Gives up streams that do not move.
  void watch(uint64_t now_ns);
  // Ends all streams; returns once none uses the engine any more. Resumes on the bulk executor.
  Task<void> stop();
  std::size_t active() const { return streams_.size(); }

 private:
  struct Stream;

  static Task<void> run(std::shared_ptr<Stream> stream);
  void finish(const std::shared_ptr<Stream>& stream, bool installed);

  ReplicaCore& core_;
  uint64_t last_stream_;
  SnapshotTurns turns_;
  std::map<uint64_t, std::shared_ptr<Stream>> streams_;
};

}  // namespace pando::kv
