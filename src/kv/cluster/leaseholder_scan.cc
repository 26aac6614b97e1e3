// Leaseholder: scans, for gateways on this node and on others.

#include <algorithm>

#include "kv/cluster/leaseholder.h"

namespace pando::kv {
namespace {

// Of a scan's answer.
constexpr std::size_t kScanReplyBytesMax = 4_MiB;
constexpr std::size_t kScanStep = 256;

// Fills `reply` with as much of the scan as one answer takes.
Status read_scan(storage::VersionScan& scan, std::size_t entries_max, ScanReply& reply) {
  KeyValueBatch& entries = reply.entries;
  KeyValueBatch step;
  while (entries.size() < entries_max && entries.arena.size() < kScanReplyBytesMax) {
    PANDO_TRY(scan.next(step, std::min(kScanStep, entries_max - entries.size())));
    if (step.size() == 0) {
      reply.ended = true;
      break;
    }
    for (std::size_t i = 0; i < step.size(); ++i) {
      entries.append(step.key(i), step.value(i));
    }
  }
  return {};
}

// The part of a request's span that its answer is about.
txn::Span answered_part(const ScanRequest& request, const ScanReply& reply) {
  if (reply.ended || reply.entries.size() == 0) {
    return request.span;
  }
  const ByteView last = reply.entries.key(reply.entries.size() - 1);
  return request.reverse ? txn::Span{Bytes(last), request.span.end} : txn::Span{request.span.start, Bytes(last) + '\0'};
}

}  // namespace

std::unique_ptr<storage::VersionScan> Leaseholder::scan_settled(const ScanRequest& request, const Settled& settled) {
  return parts_.engine.scan_versions({.span = {request.span.start, request.span.end},
                                      .at = settled.point.at,
                                      .reverse = request.reverse,
                                      .limit_hint = request.entries_max});
}

Task<Answer<Leaseholder::OpenScan>> Leaseholder::open_scan(ScanRequest request, runtime::Executor& executor) {
  using Reply = Answer<OpenScan>;
  LedShard& led = shard(request.shard);
  const Settled settled = co_await settle(led, request.point, request.span, request.transaction, executor);
  if (settled.verdict != Verdict::kOk) {
    co_return Reply::not_leaseholder(settled.hint);
  }
  Reply answer;
  answer.reply = {.at = settled.point.at,
                  .scan = scan_settled(request, settled),
                  .asked = request.point,
                  .span = request.span,
                  .lease_start = settled.lease_start};
  if (Status status = check_readable(settled.point.at); !status.ok()) {
    co_return Reply::error(std::move(status));
  }
  co_return answer;
}

Result<std::optional<HlcTimestamp>> Leaseholder::find_uncertain(const OpenScan& open) {
  return find_uncertain(open.asked, open.span, open.lease_start);
}

// Walks the span once more than reading it does, which is needed only where versions are younger than the moment.
Result<std::optional<HlcTimestamp>> Leaseholder::find_uncertain(const ReadPoint& asked, const txn::Span& span,
                                                                HlcTimestamp lease_start) {
  if (asked.at == HlcTimestamp() || asked.limit <= asked.at) {
    return std::optional<HlcTimestamp>();
  }
  auto versions = parts_.engine.iterate_versions({span.start, span.end});
  for (versions->seek(span.start, HlcTimestamp::max()); versions->valid(); versions->next()) {
    if (is_uncertain(versions->timestamp(), asked, lease_start)) {
      return std::optional(versions->timestamp());
    }
  }
  PANDO_TRY(versions->status());
  return std::optional<HlcTimestamp>();
}

Result<std::optional<HlcTimestamp>> Leaseholder::judge_walk(const ReadPoint& asked, const txn::Span& walked,
                                                            bool met_newer, const Settled& settled) {
  std::optional<HlcTimestamp> uncertain;
  if (met_newer) {
    PANDO_ASSIGN(uncertain, find_uncertain(asked, walked, settled.lease_start));
  }
  if (!uncertain.has_value()) {
    PANDO_TRY(check_readable(settled.point.at));
  }
  return uncertain;
}

Task<AnswerTo<ScanRequest>> Leaseholder::scan(ScanRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<ScanRequest>;
  LedShard& led = shard(request.shard);
  const Settled settled = co_await settle(led, request.point, request.span, request.transaction, executor);
  if (settled.verdict != Verdict::kOk) {
    co_return Reply::not_leaseholder(settled.hint);
  }
  Reply answer;
  answer.reply.at = settled.point.at;
  const auto scan = scan_settled(request, settled);
  if (Status status = read_scan(*scan, request.entries_max, answer.reply); !status.ok()) {
    co_return Reply::error(std::move(status));
  }
  // The rest of the span is looked at when it is asked for: a long scan would walk all of it for each answer.
  auto uncertain = judge_walk(request.point, answered_part(request, answer.reply), scan->met_newer(), settled);
  if (!uncertain.ok()) {
    co_return Reply::error(std::move(uncertain).status());
  }
  co_return uncertain->has_value() ? Reply::uncertain_at(**uncertain) : std::move(answer);
}

}  // namespace pando::kv
