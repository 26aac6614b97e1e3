#pragma once

// ClusterCursor: a walk over a span of a cluster, shard after shard, merged with the transaction's own writes. While
// the entries of one shard are read, the next ones of it and of the shards behind it are already asked for.

#include <deque>
#include <optional>

#include "kv/cluster/call_ahead.h"
#include "kv/cluster/cluster_transaction.h"

namespace pando::kv {

class ClusterCursor final : public txn::Cursor {
 public:
  ClusterCursor(ClusterTransaction& transaction, txn::Span span, txn::ScanOptions options,
                std::optional<txn::WriteBuffer::Walk> overlay);

  Task<Status> next(KeyValueBatch& batch, std::size_t entries_max) override;

 private:
  // A page that was asked for before it is needed: the next of `part`, which lies in one shard.
  struct Ahead {
    txn::Span part;
    std::shared_ptr<CallAhead<ScanRequest>> call;
  };

  // Makes sure that committed entries are at hand, or that there are none left.
  Task<Status> fill(std::size_t entries_max);
  Task<Status> fill_from_shard(RouteReply route, std::size_t entries_max);
  // False when no page was asked for at the place where it is.
  Task<Result<bool>> fill_from_ahead();
  Task<Status> receive(AnswerTo<ScanRequest> answer, NodeId node, const txn::Span& part);
  Status fill_from_local(std::size_t entries_max);
  Task<Status> open_local(const RouteReply& route, txn::Span part, std::size_t entries_max);
  Result<bool> open_past();
  // Asks for what comes next of what is left, as far as it is known who leads it and more may be under way.
  void look_ahead();
  Ahead ask_ahead(const RouteReply& route, txn::Span part);
  ScanRequest request(txn::Span part, std::size_t entries_max) const;

  // What a walk of `span` comes to first, of the keys in `shard`.
  txn::Span part_in(const txn::Span& span, const txn::Span& shard) const;
  const Bytes& place(const txn::Span& span) const { return options_.reverse ? span.end : span.start; }
  bool is_behind(const txn::Span& part) const;
  // Takes `part`, with which it begins, off `span`. False: nothing is left.
  bool step_over(txn::Span& span, const txn::Span& part) const;
  bool comes_before(ByteView a, ByteView b) const { return options_.reverse ? b < a : a < b; }

  ClusterTransaction& transaction_;
  // The statement's that made it, once it is chosen: others may begin while this cursor is read.
  ReadPoint point_;
  // What is left to be read.
  txn::Span rest_;
  txn::ScanOptions options_;
  std::optional<txn::WriteBuffer::Walk> overlay_;
  KeyValueBatch pending_;
  std::size_t pending_at_ = 0;
  // In the order of the walk; shards that this node leads are left out.
  std::deque<Ahead> ahead_;
  // Of the pages asked for ahead: few at first.
  std::size_t ahead_entries_;
  // What local_ is a walk of when this node does not lead the shard.
  std::shared_ptr<const PastView> past_;
  // Walks the shard that this node leads, or may read of the past.
  Leaseholder::OpenScan local_;
  bool ended_ = false;
  int retries_ = 0;
};

}  // namespace pando::kv
