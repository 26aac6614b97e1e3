#pragma once

// SnapshotReceiver: takes snapshots of shards in, builds files of them beside the running engine, and has them put in
// place in one step.
//
// Its members belong to the host's actor; chunks are taken in, and files put in place, on the bulk executor.

#include <map>
#include <memory>

#include "kv/replica/replica_core.h"

namespace pando::kv {

class SnapshotReceiver {
 public:
  explicit SnapshotReceiver(ReplicaCore& core) : core_(core) {}
  ~SnapshotReceiver();

  // kBegin, kChunk and kEnd.
  void on_message(NodeId from, SnapshotMessage message);
  // Gives up streams that do not move.
  void watch(uint64_t now_ns);
  // Ends all streams; returns once none uses the engine any more. Resumes on the bulk executor.
  Task<void> stop();

 private:
  struct Stream;
  using Name = std::pair<NodeId, uint64_t>;

  void begin(NodeId from, SnapshotMessage message);
  static void start_worker(const std::shared_ptr<Stream>& stream);
  static Task<void> run(std::shared_ptr<Stream> stream);
  static Status take(Stream& stream, const SnapshotMessage& message);
  static Status put_local_replicas(Stream& stream, ShardId shard, ReplicaId self);
  void on_complete(const std::shared_ptr<Stream>& stream, const Status& status);
  static Task<void> install(std::shared_ptr<Stream> stream, std::vector<storage::KeySpan> plain,
                            std::vector<storage::KeySpan> versions);
  void on_installed(const std::shared_ptr<Stream>& stream, const Status& status);
  void end(const std::shared_ptr<Stream>& stream, bool installed);
  void answer(NodeId to, SnapshotMessage message) const;

  ReplicaCore& core_;
  std::map<Name, std::shared_ptr<Stream>> streams_;
};

}  // namespace pando::kv
