#include "kv/cluster/program_pages.h"

#include <algorithm>

namespace pando::kv {
namespace {

constexpr std::size_t kCallsMax = 8;
// How much the first pages are about; each next one is about twice as much.
constexpr uint64_t kPageBytesFirst = 1_MiB;
constexpr uint64_t kPageBytesFirstLimited = 128_KiB;
constexpr uint64_t kPageBytesMax = 4_MiB;

}  // namespace

ProgramPages::ProgramPages(ClusterTransaction& transaction, txn::Span span, Bytes program,
                           const txn::ProgramOptions& options)
    : transaction_(transaction),
      program_(std::move(program)),
      options_(options),
      point_(transaction.point()),
      page_bytes_(options.limited ? kPageBytesFirstLimited : kPageBytesFirst) {
  if (span.end.empty() || span.start < span.end) {
    pieces_.push_back({.span = std::move(span), .call = nullptr});
  }
}

Task<Result<std::optional<Bytes>>> ProgramPages::next() {
  while (true) {
    PANDO_CO_TRY(co_await ask_more());
    if (pieces_.empty()) {
      co_return std::optional<Bytes>();
    }
    const auto chosen = pieces_.begin() + static_cast<std::ptrdiff_t>(choose());
    Piece piece = std::move(*chosen);
    pieces_.erase(chosen);
    PANDO_CO_ASSIGN(auto answer, co_await piece.call->take(transaction_.context().cancellation));
    Bytes output;
    PANDO_CO_TRY(co_await receive(std::move(piece), std::move(answer), output));
    if (!output.empty()) {
      // While the caller works, others do.
      PANDO_CO_TRY(co_await ask_more());
      co_return std::optional(std::move(output));
    }
  }
}

std::size_t ProgramPages::choose() const {
  if (!options_.in_order) {
    const auto answered =
        std::ranges::find_if(pieces_, [](const Piece& piece) { return piece.call && piece.call->has_answer(); });
    if (answered != pieces_.end()) {
      return static_cast<std::size_t>(answered - pieces_.begin());
    }
  }
  return 0;
}

Task<Status> ProgramPages::ask_more() {
  if (point_.at == HlcTimestamp()) {
    point_ = transaction_.point();
  }
  // The first leaseholder that is asked chooses the moment for all. Where the first pages may do, the more of them have
  // not, the more are asked for.
  const std::size_t calls_max = point_.at == HlcTimestamp() ? 1
                                : options_.limited          ? std::clamp<std::size_t>(pages_, 1, kCallsMax)
                                                            : kCallsMax;
  auto under_way = static_cast<std::size_t>(
      std::ranges::count_if(pieces_, [](const Piece& piece) { return piece.call != nullptr; }));
  for (std::size_t i = 0; i < pieces_.size() && under_way < calls_max; ++i) {
    if (pieces_[i].call == nullptr) {
      PANDO_CO_TRY(co_await ask(i));
      ++under_way;
    }
  }
  co_return Status();
}

Task<Status> ProgramPages::ask(std::size_t index) {
  PANDO_CO_ASSIGN(const RouteReply route,
                  co_await transaction_.store().locate(pieces_[index].span.start, transaction_.context()));
  const Bytes& shard_end = route.span.end;
  const Bytes& end = pieces_[index].span.end;
  if (!shard_end.empty() && (end.empty() || shard_end < end)) {
    Piece behind{.span = {shard_end, end}, .call = nullptr};
    pieces_[index].span.end = shard_end;
    pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(behind));
  }
  pieces_[index].call = CallAhead<EvaluateRequest>::start(transaction_.store(), route,
                                                          {.transaction = transaction_.id(),
                                                           .point = point_,
                                                           .span = pieces_[index].span,
                                                           .program = program_,
                                                           .bytes_max = page_bytes_},
                                                          *transaction_.context().executor);
  page_bytes_ = std::min(page_bytes_ * 2, kPageBytesMax);
  co_return Status();
}

Task<Status> ProgramPages::receive(Piece piece, AnswerTo<EvaluateRequest> answer, Bytes& output) {
  if (answer.verdict == Verdict::kUncertain) {
    co_return transaction_.restart_after(answer.uncertain);
  }
  if (answer.verdict == Verdict::kNotLeaseholder || answer.verdict == Verdict::kUnreachable) {
    put_back(std::move(piece.span));
    co_return co_await transaction_.store().pause_before_retry(transaction_.context(), ++retries_);
  }
  if (!answer.ok()) {
    co_return answer.status;
  }
  retries_ = 0;
  ++pages_;
  transaction_.note_moment(answer.reply.at, piece.call->node());
  if (answer.reply.rest.has_value()) {
    put_back({std::move(*answer.reply.rest), std::move(piece.span.end)});
  }
  output = std::move(answer.reply.output);
  co_return Status();
}

void ProgramPages::put_back(txn::Span span) {
  pieces_.insert(options_.in_order ? pieces_.begin() : pieces_.end(), Piece{.span = std::move(span), .call = nullptr});
}

}  // namespace pando::kv
