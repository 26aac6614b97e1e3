// With: makes its definitions available to the plans that read them. Definitions are computed as they are read; those
// that change data run first, to their end.

#include "sql/exec/cte.h"
#include "sql/exec/operators.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class WithOperator final : public Operator {
 public:
  WithOperator(const WithPlan& plan, Runtime& runtime) : plan_(plan), runtime_(runtime) {}
  ~WithOperator() override {
    for (const WithPlan::Definition& definition : plan_.definitions) {
      runtime_.ctes.erase(definition.id);
    }
  }

  Status prepare() {
    for (const WithPlan::Definition& definition : plan_.definitions) {
      ctes_.push_back(std::make_unique<Cte>(definition, runtime_));
      runtime_.ctes[definition.id] = ctes_.back().get();
      PANDO_TRY(ctes_.back()->prepare());
    }
    PANDO_ASSIGN(body_, build(plan_.body, runtime_));
    return {};
  }

  Task<Status> open() override {
    for (const auto& cte : ctes_) {
      cte->reset();
    }
    for (std::size_t i = 0; i < ctes_.size(); ++i) {
      if (plan_.definitions[i].modifies) {
        PANDO_CO_TRY(co_await ctes_[i]->run_to_end());
      }
    }
    co_return co_await body_->open();
  }

  Task<Result<bool>> next(Chunk& out) override { return body_->next(out); }
  uint64_t rows_affected() const override {
    uint64_t rows = body_->rows_affected();
    for (std::size_t i = 0; plan_.counts_definitions && i < ctes_.size(); ++i) {
      rows += plan_.definitions[i].modifies ? ctes_[i]->rows_affected() : 0;
    }
    return rows;
  }

 private:
  const WithPlan& plan_;
  Runtime& runtime_;
  std::vector<std::unique_ptr<Cte>> ctes_;
  OperatorPtr body_;
};

class CteScanOperator final : public Operator {
 public:
  CteScanOperator(const CteScanPlan& plan, Cte& cte) : plan_(plan), cte_(cte) {}

  Task<Status> open() override {
    next_ = 0;
    co_return Status();
  }

  Task<Result<bool>> next(Chunk& out) override {
    bool more = false;
    if (plan_.work_table) {
      PANDO_CO_ASSIGN(more, co_await cte_.read_work(next_, rows_));
    } else {
      PANDO_CO_ASSIGN(more, co_await cte_.read(next_, rows_));
    }
    if (!more) {
      co_return false;
    }
    ++next_;
    out.rows = rows_.rows;
    out.columns.clear();
    for (const uint32_t source : plan_.sources) {
      out.columns.push_back(rows_.columns[source]);
    }
    co_return true;
  }

 private:
  const CteScanPlan& plan_;
  Cte& cte_;
  std::size_t next_ = 0;
  Chunk rows_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const WithPlan& plan, Runtime& runtime) {
  auto with = std::make_unique<WithOperator>(plan, runtime);
  PANDO_TRY(with->prepare());
  return OperatorPtr(std::move(with));
}

Result<OperatorPtr> make_operator(const PhysicalNode&, const CteScanPlan& plan, Runtime& runtime) {
  const auto found = runtime.ctes.find(plan.cte);
  if (found == runtime.ctes.end()) {
    return Status(sql_state::kInternalError, "a CTE is read outside its WITH");
  }
  return OperatorPtr(std::make_unique<CteScanOperator>(plan, *found->second));
}

}  // namespace pando::sql::exec
