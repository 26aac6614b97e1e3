#include "kv/cluster/cluster_cursor.h"

#include <algorithm>

namespace pando::kv {

ClusterCursor::ClusterCursor(ClusterTransaction& transaction, txn::Span span, txn::ScanOptions options,
                             std::optional<txn::WriteBuffer::Walk> overlay)
    : transaction_(transaction), rest_(std::move(span)), options_(options), overlay_(std::move(overlay)) {
  ended_ = !rest_.end.empty() && rest_.start >= rest_.end;
}

Task<Status> ClusterCursor::next(KeyValueBatch& batch, std::size_t entries_max) {
  batch.clear();
  while (batch.size() < entries_max) {
    if (pending_at_ == pending_.size() && !ended_) {
      PANDO_CO_TRY(co_await fill(entries_max - batch.size()));
    }
    const bool has_pending = pending_at_ < pending_.size();
    const bool has_own = overlay_.has_value() && overlay_->valid();
    if (!has_pending && !has_own) {
      break;
    }
    if (!has_own || (has_pending && comes_before(pending_.key(pending_at_), overlay_->write().key))) {
      batch.append(pending_.key(pending_at_), pending_.value(pending_at_));
      ++pending_at_;
      continue;
    }
    const auto write = overlay_->write();
    if (has_pending && pending_.key(pending_at_) == write.key) {
      ++pending_at_;
    }
    if (write.value.has_value()) {
      batch.append(write.key, *write.value);
    }
    overlay_->step();
  }
  co_return Status();
}

Task<Status> ClusterCursor::fill(std::size_t entries_max) {
  pending_.clear();
  pending_at_ = 0;
  while (pending_.size() == 0 && !ended_) {
    if (local_ != nullptr) {
      PANDO_CO_TRY(local_->next(pending_, entries_max));
      if (pending_.size() == 0) {
        local_.reset();
        step_over(local_route_);
      }
      continue;
    }
    PANDO_CO_ASSIGN(const bool opened, open_past());
    if (opened) {
      continue;
    }
    auto context = transaction_.context();
    context.before = options_.reverse;
    PANDO_CO_ASSIGN(RouteReply route,
                    co_await transaction_.store().locate(options_.reverse ? rest_.end : rest_.start, context));
    PANDO_CO_TRY(co_await fill_from_shard(std::move(route), entries_max));
  }
  co_return Status();
}

// The part of what is left that lies in a shard.
txn::Span ClusterCursor::part_in(const txn::Span& shard) const {
  txn::Span part{std::max(rest_.start, shard.start), rest_.end};
  if (part.end.empty() || (!shard.end.empty() && shard.end < part.end)) {
    part.end = shard.end;
  }
  return part;
}

// Whether a replica here is walked, which is no leaseholder's but has what is to be read of the past.
Result<bool> ClusterCursor::open_past() {
  PANDO_ASSIGN(past_, transaction_.open_past(options_.reverse ? rest_.end : rest_.start, options_.reverse));
  if (past_ == nullptr) {
    return false;
  }
  txn::Span part = part_in(past_->span);
  local_ = past_->reader->scan_versions({.span = {part.start, part.end},
                                         .at = transaction_.point().at,
                                         .reverse = options_.reverse,
                                         .limit_hint = options_.limit_hint});
  local_route_ = {.span = std::move(part)};
  return true;
}

Task<Status> ClusterCursor::fill_from_shard(RouteReply route, std::size_t entries_max) {
  const txn::Span part = part_in(route.span);
  if (route.leaseholder == transaction_.store().self()) {
    const Status opened = co_await open_local(route, part, entries_max);
    if (!opened.ok() || local_ != nullptr) {
      co_return opened;
    }
  }
  // Not repeated there: the shard may have been split meanwhile.
  auto context = transaction_.context(false);
  context.before = options_.reverse;
  NodeId node;
  auto answer = co_await transaction_.store().send(options_.reverse ? rest_.end : rest_.start,
                                                   ScanRequest{.transaction = transaction_.id(),
                                                               .point = transaction_.point(),
                                                               .span = part,
                                                               .reverse = options_.reverse,
                                                               .entries_max = static_cast<uint32_t>(entries_max)},
                                                   context, &node);
  if (answer.verdict == Verdict::kUncertain) {
    co_return transaction_.restart_after(answer.uncertain);
  }
  if (answer.verdict == Verdict::kNotLeaseholder || answer.verdict == Verdict::kUnreachable) {
    co_return co_await transaction_.store().pause_before_retry(context, ++retries_);
  }
  if (!answer.ok()) {
    co_return answer.status;
  }
  retries_ = 0;
  transaction_.note_moment(answer.reply.at, node);
  pending_ = std::move(answer.reply.entries);
  if (answer.reply.ended) {
    step_over({.span = part});
  } else if (options_.reverse) {
    rest_.end = pending_.key(pending_.size() - 1);
  } else {
    rest_.start = pending_.key(pending_.size() - 1);
    rest_.start.push_back('\0');
  }
  co_return Status();
}

// Leaves local_ null when this node does not lead the shard after all.
Task<Status> ClusterCursor::open_local(const RouteReply& route, txn::Span part, std::size_t entries_max) {
  auto opened = co_await transaction_.store().parts().leaseholder.open_scan(
      {.shard = route.shard,
       .transaction = transaction_.id(),
       .point = transaction_.point(),
       .span = part,
       .reverse = options_.reverse,
       .entries_max = static_cast<uint32_t>(options_.limit_hint == 0 ? 0 : entries_max)},
      *transaction_.context().executor);
  if (opened.verdict == Verdict::kUncertain) {
    co_return transaction_.restart_after(opened.uncertain);
  }
  if (opened.verdict == Verdict::kError) {
    co_return opened.status;
  }
  if (opened.ok()) {
    transaction_.note_moment(opened.reply.at, transaction_.store().self());
    local_ = std::move(opened.reply.scan);
    local_route_ = {.span = std::move(part)};
  }
  co_return Status();
}

// The part of the span that lies in the shard is read.
void ClusterCursor::step_over(const RouteReply& route) {
  if (options_.reverse) {
    rest_.end = route.span.start;
    ended_ = rest_.end.empty() || rest_.end <= rest_.start;
  } else {
    rest_.start = route.span.end;
    ended_ = rest_.start.empty() || (!rest_.end.empty() && rest_.start >= rest_.end);
  }
}

}  // namespace pando::kv
