// FunctionScan: functions in FROM, side by side, with an optional running number.

#include "sql/exec/operators.h"
#include "sql/exec/set_call.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class FunctionScanOperator final : public Operator {
 public:
  FunctionScanOperator(const FunctionScanPlan& plan, const PhysicalNode& node, std::vector<SetCall> calls,
                       Runtime& runtime)
      : plan_(plan), node_(node), calls_(std::move(calls)), runtime_(runtime) {}

  Task<Status> open() override {
    ordinal_ = 0;
    ended_ = false;
    Chunk one;
    one.rows = 1;
    for (SetCall& call : calls_) {
      PANDO_CO_TRY(co_await call.start(one, 0));
    }
    co_return Status();
  }

  Task<Result<bool>> next(Chunk& out) override {
    if (ended_) {
      co_return false;
    }
    if (runtime_.should_yield()) {
      PANDO_CO_TRY(co_await runtime_.pause());
    }
    out.columns.clear();
    for (const OutputColumn& column : node_.outputs) {
      out.columns.emplace_back(types::physical_of(column.type.oid)).reset(types::kVectorRows);
    }
    out.rows = 0;
    while (out.rows < types::kVectorRows) {
      PANDO_CO_ASSIGN(const bool any, add_row(out));
      if (!any) {
        ended_ = true;
        break;
      }
    }
    for (types::Vector& column : out.columns) {
      column.resize(out.rows);
    }
    co_return out.rows > 0;
  }

 private:
  Result<bool> add_row(Chunk& out) {
    std::vector<bool> has(calls_.size());
    bool any = false;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      PANDO_ASSIGN(const bool more, calls_[i].advance());
      has[i] = more;
      any = any || more;
    }
    if (!any) {
      return false;
    }
    std::size_t slot = 0;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      for (std::size_t column = 0; column < plan_.calls[i].columns.size(); ++column, ++slot) {
        has[i] ? calls_[i].copy(column, out.columns[slot], out.rows) : out.columns[slot].set_null(out.rows);
      }
    }
    if (plan_.ordinality) {
      out.columns[slot].data<int64_t>()[out.rows] = ++ordinal_;
    }
    ++out.rows;
    return true;
  }

  const FunctionScanPlan& plan_;
  const PhysicalNode& node_;
  std::vector<SetCall> calls_;
  Runtime& runtime_;
  int64_t ordinal_ = 0;
  bool ended_ = false;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode& node, const FunctionScanPlan& plan, Runtime& runtime) {
  std::vector<SetCall> calls;
  for (const FunctionScanNode::Call& call : plan.calls) {
    PANDO_ASSIGN(SetCall set, SetCall::make(call.call, Scope(), call.columns.size() <= 1, runtime));
    if (set.columns() != call.columns.size()) {
      return Status(sql_state::kFeatureNotSupported, "functions returning this record type are not supported in FROM");
    }
    calls.push_back(std::move(set));
  }
  return OperatorPtr(std::make_unique<FunctionScanOperator>(plan, node, std::move(calls), runtime));
}

}  // namespace pando::sql::exec
