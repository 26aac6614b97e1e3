#pragma once

// ClusterCursor: a walk over a span of a cluster, shard after shard, merged with the transaction's own writes.

#include <optional>

#include "kv/cluster/cluster_transaction.h"

namespace pando::kv {

class ClusterCursor final : public txn::Cursor {
 public:
  ClusterCursor(ClusterTransaction& transaction, txn::Span span, txn::ScanOptions options,
                std::optional<txn::WriteBuffer::Walk> overlay);

  Task<Status> next(KeyValueBatch& batch, std::size_t entries_max) override;

 private:
  // Makes sure that committed entries are at hand, or that there are none left.
  Task<Status> fill(std::size_t entries_max);
  Task<Status> fill_from_shard(RouteReply route, std::size_t entries_max);
  Task<Status> open_local(const RouteReply& route, txn::Span part, std::size_t entries_max);
  txn::Span part_in(const txn::Span& shard) const;
  Result<bool> open_past();
  void step_over(const RouteReply& route);
  bool comes_before(ByteView a, ByteView b) const { return options_.reverse ? b < a : a < b; }

  ClusterTransaction& transaction_;
  // What is left to be asked for.
  txn::Span rest_;
  txn::ScanOptions options_;
  std::optional<txn::WriteBuffer::Walk> overlay_;
  KeyValueBatch pending_;
  std::size_t pending_at_ = 0;
  // What local_ walks when this node does not lead the shard.
  std::shared_ptr<const PastView> past_;
  // Walks the shard that this node leads, or may read of the past.
  std::unique_ptr<storage::VersionScan> local_;
  RouteReply local_route_;
  bool ended_ = false;
  int retries_ = 0;
};

}  // namespace pando::kv
