// Gather: runs its input as a program where the rows lie, and passes on what comes back. Where the transaction cannot,
// for it has written to the rows or its store runs no programs, the input runs here.

#include "sql/exec/key_ranges.h"
#include "sql/exec/limit_count.h"
#include "sql/exec/operators.h"
#include "sql/exec/program.h"
#include "txn/program.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

// Each span is a program of its own.
constexpr std::size_t kSpansMax = 16;

class GatherOperator final : public Operator {
 public:
  GatherOperator(const GatherPlan& plan, Runtime& runtime)
      : plan_(plan), runtime_(runtime), scan_(scan_of(plan.input)), layout_(scan_.table) {}

  Task<Status> open() override {
    parts_.clear();
    part_ = 0;
    gathered_ = false;
    local_ = nullptr;
    rest_ = {};
    PANDO_CO_ASSIGN(const bool moved, co_await start_program());
    co_return moved ? Status() : co_await open_here();
  }

  Task<Result<bool>> next(Chunk& out) override {
    if (local_ != nullptr) {
      co_return co_await local_->next(out);
    }
    while (true) {
      PANDO_CO_ASSIGN(const bool more, take_rows(rest_, out));
      if (more && out.columns.size() != plan_.input->outputs.size()) {
        co_return Status(sql_state::kDataCorrupted, "a node has answered with other columns than it was asked for");
      }
      if (more) {
        co_return true;
      }
      PANDO_CO_ASSIGN(const bool another, co_await next_page());
      if (local_ != nullptr) {
        co_return co_await local_->next(out);
      }
      if (!another) {
        co_return false;
      }
    }
  }

 private:
  // False: its input must run here.
  Task<Result<bool>> start_program() {
    // What an expression meets before the first row is for the operators to report, in their order.
    const auto bound = co_await bind_values(plan_.input, runtime_);
    if (!bound.ok()) {
      co_return false;
    }
    PANDO_CO_ASSIGN(const RowLimit limit, co_await evaluate_limit(plan_.limit, plan_.offset, runtime_));
    const bool limited = limit.count != UINT64_MAX;
    const uint64_t rows_max = limited ? std::min(limit.count, UINT64_MAX - limit.skip) + limit.skip : UINT64_MAX;
    const auto program = encode_program({.plan = *bound, .rows_max = rows_max});
    if (!program.ok()) {
      co_return false;
    }
    const IndexLayout* index = scan_.index == 0 ? nullptr : layout_.find_secondary(scan_.index);
    PANDO_CO_ASSIGN(auto spans,
                    co_await key_ranges(scan_.conditions, index == nullptr ? layout_.row_prefix() : index->prefix,
                                        index == nullptr ? layout_.primary_key() : index->columns, runtime_));
    if (spans.size() > kSpansMax) {
      co_return false;
    }
    txn::ProgramAccess* const access = txn::ProgramAccess::of(&runtime_.context.transaction);
    if (access == nullptr) {
      co_return false;
    }
    for (txn::Span& span : spans) {
      auto results = access->run_program(std::move(span), *program, {.in_order = plan_.in_order, .limited = limited});
      if (results == nullptr) {
        parts_.clear();
        co_return false;
      }
      parts_.push_back(std::move(results));
    }
    if (runtime_.context.statistics != nullptr) {
      const bool by_index = scan_.index != 0 || !scan_.conditions.empty();
      runtime_.context.statistics->activity(scan_.table->oid).count_scan(0, by_index);
    }
    co_return true;
  }

  Task<Result<bool>> next_page() {
    for (; part_ < parts_.size(); ++part_) {
      auto page = co_await parts_[part_]->next();
      if (page.status().is(txn::kUnknownProgram)) {
        PANDO_CO_TRY(co_await fall_back());
        co_return false;
      }
      PANDO_CO_TRY(page.status());
      if (page->has_value()) {
        gathered_ = true;
        page_ = *std::move(*page);
        rest_ = page_;
        co_return true;
      }
    }
    co_return false;
  }

  // A node of another version cannot do its part: unless others' rows are passed on already, all of it is done here.
  Task<Status> fall_back() {
    if (gathered_) {
      co_return Status(sql_state::kFeatureNotSupported,
                       "a node of another version cannot run its part of the statement")
          .with_hint("Set max_parallel_workers_per_gather to 0 until all nodes run the same version.");
    }
    parts_.clear();
    co_return co_await open_here();
  }

  Task<Status> open_here() {
    if (here_ == nullptr) {
      PANDO_CO_ASSIGN(here_, build(plan_.input, runtime_));
    }
    local_ = here_.get();
    co_return co_await local_->open();
  }

  const GatherPlan& plan_;
  Runtime& runtime_;
  const ScanPlan& scan_;
  const TableLayout layout_;
  // One for each span, read one after the other.
  std::vector<std::unique_ptr<txn::ProgramResults>> parts_;
  std::size_t part_ = 0;
  bool gathered_ = false;
  Bytes page_;
  // Of page_.
  ByteView rest_;
  OperatorPtr here_;
  // here_ while it runs.
  Operator* local_ = nullptr;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const GatherPlan& plan, Runtime& runtime) {
  return OperatorPtr(std::make_unique<GatherOperator>(plan, runtime));
}

}  // namespace pando::sql::exec
