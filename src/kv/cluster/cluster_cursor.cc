#include "kv/cluster/cluster_cursor.h"

#include <algorithm>

namespace pando::kv {
namespace {

// Pages under way or not yet read, each of at most so many entries (and bytes, see leaseholder_scan.cc).
constexpr std::size_t kAheadMax = 4;
constexpr std::size_t kAheadEntriesFirst = 512;
constexpr std::size_t kAheadEntriesMax = 16'384;

bool is_empty(const txn::Span& span) { return !span.end.empty() && span.start >= span.end; }

}  // namespace

ClusterCursor::ClusterCursor(ClusterTransaction& transaction, txn::Span span, txn::ScanOptions options,
                             std::optional<txn::WriteBuffer::Walk> overlay)
    : transaction_(transaction),
      point_(transaction.point()),
      rest_(std::move(span)),
      options_(options),
      overlay_(std::move(overlay)),
      ahead_entries_(kAheadEntriesFirst),
      ended_(is_empty(rest_)) {}

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
    if (local_.scan != nullptr) {
      PANDO_CO_TRY(fill_from_local(entries_max));
      continue;
    }
    PANDO_CO_ASSIGN(const bool opened, open_past());
    if (opened) {
      continue;
    }
    PANDO_CO_ASSIGN(const bool asked, co_await fill_from_ahead());
    if (asked) {
      continue;
    }
    auto context = transaction_.context();
    context.before = options_.reverse;
    PANDO_CO_ASSIGN(RouteReply route, co_await transaction_.store().locate(place(rest_), context));
    PANDO_CO_TRY(co_await fill_from_shard(std::move(route), entries_max));
  }
  co_return Status();
}

Status ClusterCursor::fill_from_local(std::size_t entries_max) {
  PANDO_TRY(local_.scan->next(pending_, entries_max));
  if (local_.scan->met_newer()) {
    PANDO_ASSIGN(const auto uncertain, transaction_.store().parts().leaseholder.find_uncertain(local_));
    if (uncertain.has_value()) {
      return transaction_.restart_after(*uncertain);
    }
    // Once is enough for all of it.
    local_.asked = {};
  }
  if (pending_.size() == 0) {
    local_.scan.reset();
    ended_ = !step_over(rest_, local_.span);
  }
  return {};
}

// Whether a replica here is walked, which is no leaseholder's but has what is to be read of the past.
Result<bool> ClusterCursor::open_past() {
  PANDO_ASSIGN(past_, transaction_.open_past(place(rest_), options_.reverse));
  if (past_ == nullptr) {
    return false;
  }
  local_ = {.span = part_in(rest_, past_->span)};
  local_.scan = past_->reader->scan_versions({.span = {local_.span.start, local_.span.end},
                                              .at = transaction_.point().at,
                                              .reverse = options_.reverse,
                                              .limit_hint = options_.limit_hint});
  return true;
}

Task<Status> ClusterCursor::fill_from_shard(RouteReply route, std::size_t entries_max) {
  if (point_.at == HlcTimestamp()) {
    point_ = transaction_.point();
  }
  const txn::Span part = part_in(rest_, route.span);
  if (route.leaseholder == transaction_.store().self()) {
    const Status opened = co_await open_local(route, part, entries_max);
    if (!opened.ok() || local_.scan != nullptr) {
      co_return opened;
    }
  }
  // Not repeated there: the shard may have been split meanwhile.
  auto context = transaction_.context(false);
  context.before = options_.reverse;
  NodeId node;
  auto answer = co_await transaction_.store().send(place(rest_), request(part, entries_max), context, &node);
  co_return co_await receive(std::move(answer), node, part);
}

Task<Result<bool>> ClusterCursor::fill_from_ahead() {
  while (!ahead_.empty() && is_behind(ahead_.front().part)) {
    ahead_.pop_front();
  }
  if (ahead_.empty() || place(ahead_.front().part) != place(rest_)) {
    co_return false;
  }
  const Ahead ahead = std::move(ahead_.front());
  ahead_.pop_front();
  PANDO_CO_ASSIGN(auto answer, co_await ahead.call->take(transaction_.context().cancellation));
  PANDO_CO_TRY(co_await receive(std::move(answer), ahead.call->node(), ahead.part));
  co_return true;
}

Task<Status> ClusterCursor::receive(AnswerTo<ScanRequest> answer, NodeId node, const txn::Span& part) {
  if (answer.verdict == Verdict::kUncertain) {
    co_return transaction_.restart_after(answer.uncertain);
  }
  if (answer.verdict == Verdict::kNotLeaseholder || answer.verdict == Verdict::kUnreachable) {
    co_return co_await transaction_.store().pause_before_retry(transaction_.context(false), ++retries_);
  }
  if (!answer.ok()) {
    co_return answer.status;
  }
  retries_ = 0;
  transaction_.note_moment(answer.reply.at, node);
  if (point_.at == HlcTimestamp()) {
    point_ = transaction_.point();
  }
  pending_ = std::move(answer.reply.entries);
  if (answer.reply.ended) {
    ended_ = !step_over(rest_, part);
  } else if (options_.reverse) {
    rest_.end = pending_.key(pending_.size() - 1);
  } else {
    rest_.start = pending_.key(pending_.size() - 1);
    rest_.start.push_back('\0');
  }
  look_ahead();
  co_return Status();
}

ScanRequest ClusterCursor::request(txn::Span part, std::size_t entries_max) const {
  return {.transaction = transaction_.id(),
          .point = point_,
          .span = std::move(part),
          .reverse = options_.reverse,
          .entries_max = static_cast<uint32_t>(entries_max)};
}

// Leaves local_ without a scan when this node does not lead the shard after all.
Task<Status> ClusterCursor::open_local(const RouteReply& route, txn::Span part, std::size_t entries_max) {
  ScanRequest asked = request(part, options_.limit_hint == 0 ? 0 : entries_max);
  asked.shard = route.shard;
  auto opened =
      co_await transaction_.store().parts().leaseholder.open_scan(std::move(asked), *transaction_.context().executor);
  if (opened.verdict == Verdict::kError) {
    co_return opened.status;
  }
  if (opened.ok()) {
    transaction_.note_moment(opened.reply.at, transaction_.store().self());
    if (point_.at == HlcTimestamp()) {
      point_ = transaction_.point();
    }
    local_ = std::move(opened.reply);
    look_ahead();
  }
  co_return Status();
}

// --- what comes next ---

void ClusterCursor::look_ahead() {
  // Who wants few entries does not want those of the shards behind.
  if (options_.limit_hint != 0 || ended_) {
    return;
  }
  txn::Span rest = rest_;
  if (local_.scan != nullptr && !step_over(rest, local_.span)) {
    return;
  }
  auto next = ahead_.begin();
  // Twice as many: shards that this node leads are passed over.
  for (std::size_t i = 0; i < 2 * kAheadMax && ahead_.size() < kAheadMax; ++i) {
    txn::Span part;
    if (next != ahead_.end() && place(next->part) == place(rest)) {
      part = next->part;
      ++next;
    } else {
      const RouteReply route = transaction_.store().router().known(place(rest), options_.reverse);
      if (!route.known || route.leaseholder.number() == 0) {
        return;
      }
      part = part_in(rest, route.span);
      if (route.leaseholder != transaction_.store().self()) {
        next = std::next(ahead_.insert(next, ask_ahead(route, part)));
      }
    }
    if (!step_over(rest, part)) {
      return;
    }
  }
}

ClusterCursor::Ahead ClusterCursor::ask_ahead(const RouteReply& route, txn::Span part) {
  auto call = CallAhead<ScanRequest>::start(transaction_.store(), route, request(part, ahead_entries_),
                                            *transaction_.context().executor);
  ahead_entries_ = std::min(ahead_entries_ * 2, kAheadEntriesMax);
  return {.part = std::move(part), .call = std::move(call)};
}

txn::Span ClusterCursor::part_in(const txn::Span& span, const txn::Span& shard) const {
  txn::Span part{std::max(span.start, shard.start), span.end};
  if (part.end.empty() || (!shard.end.empty() && shard.end < part.end)) {
    part.end = shard.end;
  }
  return part;
}

bool ClusterCursor::is_behind(const txn::Span& part) const {
  if (!options_.reverse) {
    return part.start < rest_.start;
  }
  return !rest_.end.empty() && (part.end.empty() || part.end > rest_.end);
}

bool ClusterCursor::step_over(txn::Span& span, const txn::Span& part) const {
  if (options_.reverse) {
    span.end = part.start;
    return !span.end.empty() && span.end > span.start;
  }
  span.start = part.end;
  return !span.start.empty() && !is_empty(span);
}

}  // namespace pando::kv
