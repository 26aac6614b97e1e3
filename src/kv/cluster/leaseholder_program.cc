// Leaseholder: programs over the entries of a shard.

#include <algorithm>

#include "kv/cluster/leaseholder.h"

namespace pando::kv {
namespace {

// Of entries that one answer is about: what a program may hold in memory, and how long a request takes, follow.
constexpr std::size_t kPageBytesMax = 4_MiB;
constexpr std::size_t kPageEntriesMax = 131'072;

class PageInput final : public txn::ProgramInput {
 public:
  PageInput(std::unique_ptr<storage::VersionScan> scan, Bytes start, std::size_t bytes_max)
      : scan_(std::move(scan)), rest_(std::move(start)), bytes_left_(std::min(bytes_max, kPageBytesMax)) {}

  Task<Status> next(KeyValueBatch& batch, std::size_t entries_max) override {
    batch.clear();
    if (stopped_ || bytes_left_ == 0 || entries_left_ == 0) {
      co_return Status();
    }
    PANDO_CO_TRY(scan_->next(batch, std::min(entries_max, entries_left_)));
    if (batch.size() == 0) {
      stopped_ = true;
      ended_ = true;
      co_return Status();
    }
    bytes_left_ -= std::min(bytes_left_, batch.arena.size());
    entries_left_ -= batch.size();
    rest_.assign(batch.key(batch.size() - 1));
    rest_.push_back('\0');
    co_return Status();
  }
  void stop() override { stopped_ = true; }

  // Where what was not read begins; nothing when all was.
  std::optional<Bytes> rest() const { return ended_ ? std::nullopt : std::optional(rest_); }
  bool met_newer() const { return scan_->met_newer(); }

 private:
  const std::unique_ptr<storage::VersionScan> scan_;
  Bytes rest_;
  std::size_t bytes_left_;
  std::size_t entries_left_ = kPageEntriesMax;
  bool stopped_ = false;
  bool ended_ = false;
};

}  // namespace

Task<AnswerTo<EvaluateRequest>> Leaseholder::evaluate(EvaluateRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<EvaluateRequest>;
  if (programs_ == nullptr) {
    co_return Reply::error(Status(txn::kUnknownProgram, "the node runs no programs"));
  }
  LedShard& led = shard(request.shard);
  const Settled settled = co_await settle(led, request.point, request.span, request.transaction, executor);
  if (settled.verdict != Verdict::kOk) {
    co_return Reply::not_leaseholder(settled.hint);
  }
  PageInput input(parts_.engine.scan_versions({.span = {request.span.start, request.span.end}, .at = settled.point.at}),
                  request.span.start, request.bytes_max);
  Reply answer;
  answer.reply.at = settled.point.at;
  if (Status status = co_await programs_->run(request.program, input, executor, answer.reply.output); !status.ok()) {
    co_return Reply::error(std::move(status));
  }
  answer.reply.rest = input.rest();
  const txn::Span read{request.span.start, answer.reply.rest.value_or(request.span.end)};
  auto uncertain = judge_walk(request.point, read, input.met_newer(), settled);
  if (!uncertain.ok()) {
    co_return Reply::error(std::move(uncertain).status());
  }
  if (uncertain->has_value()) {
    co_return Reply::uncertain_at(**uncertain);
  }
  // It took a while: a replica that leads no more may be gone meanwhile, and its rows.
  MutexLock lock(led.mutex);
  if (!leads(led)) {
    co_return Reply::not_leaseholder(leader_hint(request.shard));
  }
  co_return answer;
}

}  // namespace pando::kv
