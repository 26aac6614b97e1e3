// ProjectSet: set-returning functions of the select list. Each input row gives as many rows as the longest of the sets;
// shorter ones end in NULLs.

#include "sql/exec/operators.h"
#include "sql/exec/set_call.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class ProjectSetOperator final : public Operator {
 public:
  ProjectSetOperator(OperatorPtr input, std::vector<SetCall> calls, Runtime& runtime)
      : input_(std::move(input)), calls_(std::move(calls)), runtime_(runtime) {}

  Task<Status> open() override {
    rows_.rows = 0;
    row_ = 0;
    in_row_ = false;
    return input_->open();
  }

  Task<Result<bool>> next(Chunk& out) override {
    sources_.clear();
    out.columns.clear();
    std::vector<types::Vector> sets;
    for (const SetCall& call : calls_) {
      sets.emplace_back(call.physicals()[0]).reset(types::kVectorRows);
    }
    while (sources_.size() < types::kVectorRows) {
      if (!in_row_) {
        if (row_ == rows_.rows) {
          if (!sources_.empty()) {
            break;
          }
          PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows_));
          row_ = 0;
          if (!more) {
            rows_.rows = 0;
            co_return false;
          }
        }
        for (SetCall& call : calls_) {
          PANDO_CO_TRY(co_await call.start(rows_, row_));
        }
        in_row_ = true;
      }
      PANDO_CO_ASSIGN(const bool any, add_row(sets));
      if (!any) {
        in_row_ = false;
        ++row_;
      }
    }
    if (runtime_.should_yield()) {
      PANDO_CO_TRY(co_await runtime_.pause());
    }
    out.rows = sources_.size();
    for (const types::Vector& column : rows_.columns) {
      out.columns.emplace_back(column.physical()).gather(column, sources_.data(), sources_.size());
    }
    for (types::Vector& set : sets) {
      set.resize(sources_.size());
      out.columns.push_back(std::move(set));
    }
    co_return true;
  }

 private:
  Result<bool> add_row(std::vector<types::Vector>& sets) {
    const std::size_t to = sources_.size();
    bool any = false;
    std::vector<bool> has(calls_.size());
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      PANDO_ASSIGN(const bool more, calls_[i].advance());
      has[i] = more;
      any = any || more;
    }
    for (std::size_t i = 0; any && i < calls_.size(); ++i) {
      has[i] ? calls_[i].copy(0, sets[i], to) : sets[i].set_null(to);
    }
    if (any) {
      sources_.push_back(static_cast<uint32_t>(row_));
    }
    return any;
  }

  OperatorPtr input_;
  std::vector<SetCall> calls_;
  Runtime& runtime_;
  Chunk rows_;
  std::size_t row_ = 0;
  bool in_row_ = false;
  std::vector<uint32_t> sources_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const ProjectSetPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  const Scope scope(plan.input->outputs);
  std::vector<SetCall> calls;
  for (const ProjectedColumn& function : plan.functions) {
    PANDO_ASSIGN(SetCall call, SetCall::make(function.expr, scope, true, runtime));
    calls.push_back(std::move(call));
  }
  return OperatorPtr(std::make_unique<ProjectSetOperator>(std::move(input), std::move(calls), runtime));
}

}  // namespace pando::sql::exec
