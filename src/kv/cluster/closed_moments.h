#pragma once

// ClosedMoments: up to when the replicas of this node can be read without their leaseholders.
//
//   closed.note(request.shards);                                   // as leaseholders tell
//   PANDO_ASSIGN(auto view, closed.open(engine, shard));           // null when nothing is known that is applied here
//   if (view != nullptr && at <= view->until) { view->reader->get_version(key, at, version); }
//
// A view is a snapshot of the engine, and everything that it is judged by is read from that snapshot: the shard's
// bounds and generation, and how far its log is applied. So it holds whatever becomes of the replica meanwhile.
//
// Thread-safe. A view must go before the engine does.

#include <deque>
#include <map>
#include <memory>

#include "base/mutex.h"
#include "kv/cluster/node_requests.h"
#include "storage/engine.h"

namespace pando::kv {

// A replica as of one moment; its rows can be read at any moment up to `until` that is not garbage.
struct PastView {
  std::unique_ptr<storage::Snapshot> reader;
  txn::Span span;
  HlcTimestamp until;
};

class ClosedMoments {
 public:
  void note(const std::vector<ClosedMoment>& moments) PANDO_EXCLUDES(mutex_);
  // A moment not below `oldest` that all shards which are closed so far are closed for; `oldest` when there is none.
  HlcTimestamp common(HlcTimestamp oldest) PANDO_EXCLUDES(mutex_);
  // How much the shard is asked for, as its leaseholder last told: requests per second.
  uint64_t rate(ShardId shard) PANDO_EXCLUDES(mutex_);
  // Errors: the engine's.
  Result<std::shared_ptr<const PastView>> open(const storage::Engine& engine, ShardId shard) PANDO_EXCLUDES(mutex_);

 private:
  // A replica that applies late finds one that it has reached.
  static constexpr std::size_t kKeptPerShard = 8;

  Mutex mutex_;
  // The oldest first.
  std::map<ShardId, std::deque<ClosedMoment>> moments_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::kv
