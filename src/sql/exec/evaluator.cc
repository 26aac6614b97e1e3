#include "sql/exec/evaluator.h"

#include "sql/exec/compile_node.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Value;
using types::Vector;

namespace {

class ConstantEvaluator final : public Evaluator {
 public:
  ConstantEvaluator(types::Type type, const Value& value) : values_(types::physical_of(type.oid)) {
    values_.reset_constant(value, 1);
  }
  Status evaluate(const Rows& rows, const Vector*& out) override {
    values_.resize(rows.count);
    out = &values_;
    return {};
  }

 private:
  Vector values_;
};

class ColumnEvaluator final : public Evaluator {
 public:
  explicit ColumnEvaluator(uint32_t slot) : slot_(slot) {}
  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector& column = rows.chunk->columns[slot_];
    if (rows.selected == nullptr) {
      out = &column;
      return {};
    }
    gathered_.gather(column, rows.selected, rows.count);
    out = &gathered_;
    return {};
  }

 private:
  uint32_t slot_;
  Vector gathered_;
};

class ParameterEvaluator final : public Evaluator {
 public:
  ParameterEvaluator(types::Type type, uint32_t index, Runtime& runtime)
      : index_(index), runtime_(runtime), values_(types::physical_of(type.oid)) {}
  Status evaluate(const Rows& rows, const Vector*& out) override {
    if (index_ >= runtime_.slots.size()) {
      return {sql_state::kUndefinedParameter, "there is no parameter ${}", index_ + 1};
    }
    values_.reset_constant(runtime_.slots[index_], rows.count);
    out = &values_;
    return {};
  }

 private:
  uint32_t index_;
  Runtime& runtime_;
  Vector values_;
};

void add_conjuncts(const ExprPtr& expr, std::vector<ExprPtr>& out) {
  const auto* logic = as<LogicExpr>(expr);
  if (logic == nullptr || logic->kind != LogicExpr::Kind::kAnd) {
    out.push_back(expr);
    return;
  }
  for (const ExprPtr& argument : logic->arguments) {
    add_conjuncts(argument, out);
  }
}

}  // namespace

Result<EvaluatorPtr> compile_node(const Expr& expr, const ConstantExpr& node, const Scope&, Runtime&) {
  return EvaluatorPtr(std::make_unique<ConstantEvaluator>(expr.type, node.value));
}

Result<EvaluatorPtr> compile_node(const Expr&, const ColumnExpr& node, const Scope& scope, Runtime&) {
  const uint32_t* slot = scope.find(node.column);
  if (slot == nullptr) {
    return Status(sql_state::kInternalError, "column \"{}\" is not in the plan's input", node.name);
  }
  return EvaluatorPtr(std::make_unique<ColumnEvaluator>(*slot));
}

Result<EvaluatorPtr> compile_node(const Expr& expr, const ParameterExpr& node, const Scope&, Runtime& runtime) {
  return EvaluatorPtr(std::make_unique<ParameterEvaluator>(expr.type, node.index, runtime));
}

Result<EvaluatorPtr> compile_node(const Expr&, const SubqueryExpr&, const Scope&, Runtime&) {
  return Status(sql_state::kInternalError, "a subquery that was not planned");
}
Result<EvaluatorPtr> compile_node(const Expr&, const AggregateExpr&, const Scope&, Runtime&) {
  return Status(sql_state::kGroupingError, "aggregate functions are not allowed here");
}
Result<EvaluatorPtr> compile_node(const Expr&, const WindowExpr&, const Scope&, Runtime&) {
  return Status(sql_state::kWindowingError, "window functions are not allowed here");
}
Result<EvaluatorPtr> compile_node(const Expr&, const DefaultExpr&, const Scope&, Runtime&) {
  return Status(sql_state::kSyntaxError, "DEFAULT is not allowed in this context");
}

Result<EvaluatorPtr> compile(const ExprPtr& expr, const Scope& scope, Runtime& runtime) {
  PANDO_ASSERT(expr != nullptr, "compiling a missing expression");
  return std::visit([&](const auto& node) { return compile_node(*expr, node, scope, runtime); }, expr->node);
}

Result<std::vector<EvaluatorPtr>> compile_all(const std::vector<ExprPtr>& exprs, const Scope& scope, Runtime& runtime) {
  std::vector<EvaluatorPtr> compiled;
  compiled.reserve(exprs.size());
  for (const ExprPtr& expr : exprs) {
    PANDO_ASSIGN(EvaluatorPtr evaluator, compile(expr, scope, runtime));
    compiled.push_back(std::move(evaluator));
  }
  return compiled;
}

namespace {

// Waiting with nothing to wait for tells the services that the expression is through, and with it what its calls were
// answered.
Task<Status> end_service(Runtime& runtime) { return runtime.context.wait_for_service(runtime.context.wait_state); }

}  // namespace

Result<Projection> Projection::make(const std::vector<ExprPtr>& exprs, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(auto evaluators, compile_all(exprs, scope, runtime));
  return Projection(std::move(evaluators), runtime);
}

Task<Status> Projection::evaluate(const Chunk& input, Chunk& out) {
  out.columns.clear();
  out.rows = input.rows;
  const Rows rows{&input, nullptr, input.rows};
  for (const EvaluatorPtr& evaluator : evaluators_) {
    const Vector* values = nullptr;
    Status status = evaluator->evaluate(rows, values);
    bool served = false;
    while (!status.ok()) {
      served = served || runtime_->pending == nullptr;
      PANDO_CO_TRY(co_await runtime_->settle(std::move(status)));
      status = evaluator->evaluate(rows, values);
    }
    if (served) {
      PANDO_CO_TRY(co_await end_service(*runtime_));
    }
    out.columns.push_back(*values);
  }
  co_return Status();
}

Result<Condition> Condition::make(const ExprPtr& expr, const Scope& scope, Runtime& runtime) {
  Condition condition;
  condition.runtime_ = &runtime;
  if (expr == nullptr) {
    return condition;
  }
  std::vector<ExprPtr> conjuncts;
  add_conjuncts(expr, conjuncts);
  PANDO_ASSIGN(condition.conjuncts_, compile_all(conjuncts, scope, runtime));
  return condition;
}

Status Condition::try_select(const Chunk& input, std::vector<uint32_t>& selected) {
  bool all = true;
  for (const EvaluatorPtr& conjunct : conjuncts_) {
    const Rows rows{&input, all ? nullptr : selected.data(), all ? input.rows : selected.size()};
    if (rows.count == 0) {
      return {};
    }
    const Vector* values = nullptr;
    PANDO_TRY(conjunct->evaluate(rows, values));
    if (values->is_constant() && is_true(*values, 0)) {
      continue;
    }
    if (all) {
      selected.resize(input.rows);
    }
    std::size_t passed = 0;
    for (std::size_t i = 0; i < rows.count; ++i) {
      const uint32_t row = all ? static_cast<uint32_t>(i) : selected[i];
      selected[passed] = row;
      passed += is_true(*values, i) ? 1 : 0;
    }
    selected.resize(passed);
    all = false;
  }
  if (all) {
    selected.resize(input.rows);
    for (std::size_t i = 0; i < input.rows; ++i) {
      selected[i] = static_cast<uint32_t>(i);
    }
  }
  return {};
}

Task<Status> Condition::select(const Chunk& input, std::vector<uint32_t>& selected) {
  Status status = try_select(input, selected);
  bool served = false;
  while (!status.ok()) {
    served = served || runtime_->pending == nullptr;
    PANDO_CO_TRY(co_await runtime_->settle(std::move(status)));
    status = try_select(input, selected);
  }
  if (served) {
    PANDO_CO_TRY(co_await end_service(*runtime_));
  }
  co_return status;
}

Task<Result<Value>> evaluate_value(ExprPtr expr, Runtime& runtime) {
  Chunk one;
  one.rows = 1;
  Chunk out;
  PANDO_CO_ASSIGN(Projection projection, Projection::make({expr}, Scope(), runtime));
  PANDO_CO_TRY(co_await projection.evaluate(one, out));
  co_return out.columns[0].get(0);
}

// All of them are the input itself: none is selected twice.
void gather(const Chunk& input, const std::vector<uint32_t>& selected, Chunk& out) {
  out.rows = selected.size();
  out.columns.resize(input.columns.size());
  if (selected.size() == input.rows) {
    out.columns = input.columns;
    return;
  }
  for (std::size_t i = 0; i < input.columns.size(); ++i) {
    out.columns[i].gather(input.columns[i], selected.data(), selected.size());
  }
}

}  // namespace pando::sql::exec
