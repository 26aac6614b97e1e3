#pragma once

// SetCall: one set-returning call of a ProjectSet or FunctionScan, a row at a time. A scalar expression gives one row.
// Thread-safety: one coroutine at a time.

#include "sql/exec/evaluator.h"

namespace pando::sql::exec {

class SetCall {
 public:
  // `pack`: several result columns become one record.
  static Result<SetCall> make(const ExprPtr& expr, const Scope& scope, bool pack, Runtime& runtime);

  // Begins with the arguments of row `row`.
  Task<Status> start(const types::Chunk& rows, std::size_t row);
  // Goes to the next row of the set; false at its end.
  Result<bool> advance();
  // The current row's column `column`, copied to row `to` of `out`. REQUIRES: advance() gave true.
  void copy(std::size_t column, types::Vector& out, std::size_t to) const;
  std::size_t columns() const { return physicals_.size(); }
  const std::vector<types::Physical>& physicals() const { return physicals_; }

 private:
  const Function* function_ = nullptr;  // null for a scalar expression
  Runtime* runtime_ = nullptr;
  bool pack_ = false;
  Projection arguments_;
  std::vector<types::Type> argument_types_;
  types::Type result_;
  std::vector<types::Type> column_types_;
  std::vector<types::Physical> physicals_;
  std::unique_ptr<SetRows> set_;
  types::Chunk values_;  // of the set, the vector that the current row is in
  std::size_t row_ = 0;
  bool started_ = false;
  bool ended_ = true;
};

}  // namespace pando::sql::exec
