#pragma once

// compile_node: how each kind of expression becomes an Evaluator; one overload per alternative of Expr::node, in the
// evaluate_*.cc file of its subject. Private to exec.

#include "sql/exec/evaluator.h"

namespace pando::sql::exec {

Result<EvaluatorPtr> compile_node(const Expr& expr, const ConstantExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const ColumnExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const ParameterExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const CallExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const CastExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const LogicExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const NullTestExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const BooleanTestExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const DistinctExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const CaseExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const CoalesceExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const NullIfExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const MinMaxExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const ArrayComparisonExpr& node, const Scope& scope,
                                  Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const ArrayExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const RowExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const RowComparisonExpr& node, const Scope& scope,
                                  Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const SubscriptExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const FieldExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const SubplanExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const SessionValueExpr& node, const Scope& scope, Runtime& runtime);
// Never in a physical plan outside the nodes that own them.
Result<EvaluatorPtr> compile_node(const Expr& expr, const SubqueryExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const AggregateExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const WindowExpr& node, const Scope& scope, Runtime& runtime);
Result<EvaluatorPtr> compile_node(const Expr& expr, const DefaultExpr& node, const Scope& scope, Runtime& runtime);

// A subset of `rows`, by position in them.
class SubsetOfRows {
 public:
  void clear() { base_.clear(), positions_.clear(); }
  void add(const Rows& rows, std::size_t position) {
    base_.push_back(rows.base(position));
    positions_.push_back(static_cast<uint32_t>(position));
  }
  bool empty() const { return base_.empty(); }
  std::size_t size() const { return base_.size(); }
  Rows rows(const Rows& of) const { return {of.chunk, base_.data(), base_.size()}; }
  // The position in the whole of row i of the subset.
  uint32_t position(std::size_t i) const { return positions_[i]; }

 private:
  std::vector<uint32_t> base_;
  std::vector<uint32_t> positions_;
};

inline bool is_true(const types::Vector& booleans, std::size_t row) {
  return !booleans.is_null(row) && booleans.at<uint8_t>(row) != 0;
}
inline bool is_false(const types::Vector& booleans, std::size_t row) {
  return !booleans.is_null(row) && booleans.at<uint8_t>(row) == 0;
}

// Calls a scalar function on vectors: marks NULLs for strict functions, computes once when all arguments are constant.
class FunctionCall {
 public:
  FunctionCall(const Function& function, std::vector<types::Type> arguments, types::Type result, Runtime& runtime);
  // What the kernel is told of how the call was written.
  void describe(bool variadic_array, std::vector<std::string> field_names);
  Status call(std::span<const types::Vector* const> arguments, std::size_t rows, types::Vector& out);

 private:
  Status call_flat(std::span<const types::Vector* const> arguments, std::size_t rows, types::Vector& out);
  const Function& function_;
  std::vector<types::Type> argument_types_;
  types::Type result_;
  bool variadic_array_ = false;
  std::vector<std::string> field_names_;
  Runtime& runtime_;
  types::Vector single_;
};

// The field names of the first argument that is written as a row: what row_to_json() calls its members.
std::vector<std::string> field_names_of(const std::vector<ExprPtr>& arguments);

}  // namespace pando::sql::exec
