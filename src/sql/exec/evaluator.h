#pragma once

// Evaluator: a bound expression compiled against the slots of its input, computing a vector at a time.
//
//   Scope scope(input.outputs);
//   PANDO_ASSIGN(EvaluatorPtr sum, compile(expr, scope, runtime));
//   const types::Vector* values = nullptr;
//   PANDO_TRY(sum->evaluate({&chunk, nullptr, chunk.rows}, values));
//
// An argument of AND, OR, CASE or COALESCE is evaluated only for the rows whose result needs it, so errors arise where
// PostgreSQL would raise them. kWaitNeeded means: await Runtime::settle and evaluate again.
// `values` is valid until the next evaluate() of the same evaluator, and as long as the chunk.
// Thread-safety: one thread at a time; evaluators keep scratch vectors.

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "sql/exec/runtime.h"
#include "sql/expr/expr.h"
#include "sql/function/function.h"
#include "types/vector.h"

namespace pando::sql::exec {

// Where each column of the input is.
class Scope {
 public:
  Scope() = default;
  explicit Scope(const std::vector<OutputColumn>& columns) { add(columns); }
  // Appends columns after those already there.
  void add(const std::vector<OutputColumn>& columns) {
    for (const OutputColumn& column : columns) {
      add(column.id);
    }
  }
  void add(ColumnId id) { slots_.emplace(id, next_slot_++); }
  // nullptr when the column is not in the input.
  const uint32_t* find(ColumnId id) const {
    const auto found = slots_.find(id);
    return found == slots_.end() ? nullptr : &found->second;
  }
  std::size_t size() const { return next_slot_; }

 private:
  std::unordered_map<ColumnId, uint32_t> slots_;
  uint32_t next_slot_ = 0;
};

// Some rows of a chunk: all of them, or those in `selected`.
struct Rows {
  const types::Chunk* chunk = nullptr;
  const uint32_t* selected = nullptr;
  std::size_t count = 0;

  uint32_t base(std::size_t i) const { return selected == nullptr ? static_cast<uint32_t>(i) : selected[i]; }
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // Points `out` at the values of the expression, one for each of `rows`.
  virtual Status evaluate(const Rows& rows, const types::Vector*& out) = 0;
};
using EvaluatorPtr = std::unique_ptr<Evaluator>;

Result<EvaluatorPtr> compile(const ExprPtr& expr, const Scope& scope, Runtime& runtime);
Result<std::vector<EvaluatorPtr>> compile_all(const std::vector<ExprPtr>& exprs, const Scope& scope, Runtime& runtime);

// Evaluates expressions over chunks, settling what they wait for.
class Projection {
 public:
  static Result<Projection> make(const std::vector<ExprPtr>& exprs, const Scope& scope, Runtime& runtime);
  Projection() = default;

  std::size_t size() const { return evaluators_.size(); }
  // Replaces out's columns with the values for all rows of `input`. `out` is not `input`.
  Task<Status> evaluate(const types::Chunk& input, types::Chunk& out);

 private:
  Projection(std::vector<EvaluatorPtr> evaluators, Runtime& runtime)
      : evaluators_(std::move(evaluators)), runtime_(&runtime) {}
  std::vector<EvaluatorPtr> evaluators_;
  Runtime* runtime_ = nullptr;
};

// Evaluates a condition; conjuncts run left to right, each for the rows that passed those before it.
class Condition {
 public:
  // A null expr passes every row.
  static Result<Condition> make(const ExprPtr& expr, const Scope& scope, Runtime& runtime);
  Condition() = default;

  bool always() const { return conjuncts_.empty(); }
  // The rows for which the condition is true, in order.
  Task<Status> select(const types::Chunk& input, std::vector<uint32_t>& selected);
  // The same without waiting: may fail with kWaitNeeded.
  Status try_select(const types::Chunk& input, std::vector<uint32_t>& selected);

 private:
  std::vector<EvaluatorPtr> conjuncts_;
  Runtime* runtime_ = nullptr;
};

// The value of an expression that names no columns.
Task<Result<types::Value>> evaluate_value(ExprPtr expr, Runtime& runtime);

// Makes `out` the selected rows of `input`.
void gather(const types::Chunk& input, const std::vector<uint32_t>& selected, types::Chunk& out);

}  // namespace pando::sql::exec
