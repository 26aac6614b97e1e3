// CASE, COALESCE, NULLIF, GREATEST and LEAST.

#include "sql/exec/compile_node.h"
#include "types/compare.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Vector;

namespace {

// Copies row i of `values` to the row of `out` that row i of the subset stands for.
void scatter(const Vector& values, const SubsetOfRows& subset, Vector& out) {
  for (std::size_t i = 0; i < subset.size(); ++i) {
    out.set_from(subset.position(i), values, i);
  }
}

class CaseEvaluator final : public Evaluator {
 public:
  struct Branch {
    EvaluatorPtr condition;
    EvaluatorPtr result;
  };
  CaseEvaluator(types::Type type, std::vector<Branch> branches, EvaluatorPtr otherwise)
      : branches_(std::move(branches)), otherwise_(std::move(otherwise)), result_(types::physical_of(type.oid)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    result_.reset(rows.count);
    out = &result_;
    bool all = true;
    for (const Branch& branch : branches_) {
      const Rows subset = all ? rows : open_.rows(rows);
      if (subset.count == 0) {
        return {};
      }
      const Vector* chosen = nullptr;
      PANDO_TRY(branch.condition->evaluate(subset, chosen));
      taken_.clear();
      still_open_.clear();
      for (std::size_t i = 0; i < subset.count; ++i) {
        const uint32_t position = all ? static_cast<uint32_t>(i) : open_.position(i);
        (is_true(*chosen, i) ? taken_ : still_open_).add(rows, position);
      }
      PANDO_TRY(fill(rows, taken_, *branch.result));
      std::swap(open_, still_open_);
      all = false;
    }
    return fill(rows, open_, *otherwise_);
  }

 private:
  Status fill(const Rows& rows, const SubsetOfRows& subset, Evaluator& evaluator) {
    if (subset.empty()) {
      return {};
    }
    const Vector* values = nullptr;
    PANDO_TRY(evaluator.evaluate(subset.rows(rows), values));
    scatter(*values, subset, result_);
    return {};
  }

  std::vector<Branch> branches_;
  EvaluatorPtr otherwise_;
  SubsetOfRows open_;
  SubsetOfRows still_open_;
  SubsetOfRows taken_;
  Vector result_;
};

// CASE operand WHEN ...: adds the operand as one more column after the input's.
class OperandEvaluator final : public Evaluator {
 public:
  OperandEvaluator(EvaluatorPtr operand, EvaluatorPtr body, std::size_t slot)
      : operand_(std::move(operand)), body_(std::move(body)), slot_(slot) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* operand = nullptr;
    PANDO_TRY(operand_->evaluate(rows, operand));
    extended_.rows = rows.chunk->rows;
    extended_.columns = rows.chunk->columns;
    // Columns that are only known to the scope (a lateral operand of an outer CASE) may be missing in the chunk.
    extended_.columns.resize(slot_ + 1);
    extended_.columns[slot_] = rows.selected == nullptr ? *operand : spread(rows, *operand);
    return body_->evaluate({&extended_, rows.selected, rows.count}, out);
  }

 private:
  // The operand's values at the places their rows have in the chunk.
  static Vector spread(const Rows& rows, const Vector& operand) {
    if (operand.is_constant()) {
      return operand;
    }
    Vector placed(operand.physical());
    placed.reset(rows.chunk->rows);
    for (std::size_t i = 0; i < rows.count; ++i) {
      placed.set_from(rows.selected[i], operand, i);
    }
    return placed;
  }

  EvaluatorPtr operand_;
  EvaluatorPtr body_;
  std::size_t slot_;
  Chunk extended_;
};

class CoalesceEvaluator final : public Evaluator {
 public:
  CoalesceEvaluator(types::Type type, std::vector<EvaluatorPtr> arguments)
      : arguments_(std::move(arguments)), result_(types::physical_of(type.oid)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* values = nullptr;
    PANDO_TRY(arguments_[0]->evaluate(rows, values));
    if (!values->has_nulls()) {
      out = values;
      return {};
    }
    result_.reset(rows.count);
    open_.clear();
    for (std::size_t i = 0; i < rows.count; ++i) {
      values->is_null(i) ? open_.add(rows, i) : result_.set_from(i, *values, i);
    }
    for (std::size_t argument = 1; argument < arguments_.size() && !open_.empty(); ++argument) {
      PANDO_TRY(arguments_[argument]->evaluate(open_.rows(rows), values));
      still_open_.clear();
      for (std::size_t i = 0; i < open_.size(); ++i) {
        const uint32_t position = open_.position(i);
        values->is_null(i) ? still_open_.add(rows, position) : result_.set_from(position, *values, i);
      }
      std::swap(open_, still_open_);
    }
    for (std::size_t i = 0; i < open_.size(); ++i) {
      result_.set_null(open_.position(i));
    }
    out = &result_;
    return {};
  }

 private:
  std::vector<EvaluatorPtr> arguments_;
  SubsetOfRows open_;
  SubsetOfRows still_open_;
  Vector result_;
};

class NullIfEvaluator final : public Evaluator {
 public:
  NullIfEvaluator(EvaluatorPtr left, EvaluatorPtr right, FunctionCall equality)
      : left_(std::move(left)), right_(std::move(right)), equality_(std::move(equality)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* sides[2] = {};
    PANDO_TRY(left_->evaluate(rows, sides[0]));
    PANDO_TRY(right_->evaluate(rows, sides[1]));
    PANDO_TRY(equality_.call(sides, rows.count, equal_));
    result_.reset_physical(sides[0]->physical());
    result_.reset(rows.count);
    for (std::size_t i = 0; i < rows.count; ++i) {
      is_true(equal_, i) ? result_.set_null(i) : result_.set_from(i, *sides[0], i);
    }
    out = &result_;
    return {};
  }

 private:
  EvaluatorPtr left_;
  EvaluatorPtr right_;
  FunctionCall equality_;
  Vector equal_{types::Physical::kBool};
  Vector result_;
};

class MinMaxEvaluator final : public Evaluator {
 public:
  MinMaxEvaluator(types::Type type, bool greatest, std::vector<EvaluatorPtr> arguments)
      : type_(type),
        greatest_(greatest),
        arguments_(std::move(arguments)),
        values_(arguments_.size()),
        result_(types::physical_of(type.oid)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      PANDO_TRY(arguments_[i]->evaluate(rows, values_[i]));
    }
    result_.reset(rows.count);
    for (std::size_t row = 0; row < rows.count; ++row) {
      const Vector* best = nullptr;
      for (const Vector* values : values_) {
        if (!values->is_null(row) && (best == nullptr || is_better(*values, *best, row))) {
          best = values;
        }
      }
      best == nullptr ? result_.set_null(row) : result_.set_from(row, *best, row);
    }
    out = &result_;
    return {};
  }

 private:
  bool is_better(const Vector& a, const Vector& b, std::size_t row) const {
    const auto order = types::compare_rows(type_.oid, a, row, b, row);
    return greatest_ ? order > 0 : order < 0;
  }
  types::Type type_;
  bool greatest_;
  std::vector<EvaluatorPtr> arguments_;
  std::vector<const Vector*> values_;
  Vector result_;
};

}  // namespace

Result<EvaluatorPtr> compile_node(const Expr& expr, const CaseExpr& node, const Scope& scope, Runtime& runtime) {
  Scope inner = scope;
  const std::size_t slot = scope.size();
  if (node.operand != nullptr) {
    inner.add(node.operand_column);
  }
  std::vector<CaseEvaluator::Branch> branches;
  for (const CaseExpr::Branch& branch : node.branches) {
    PANDO_ASSIGN(EvaluatorPtr condition, compile(branch.condition, inner, runtime));
    PANDO_ASSIGN(EvaluatorPtr result, compile(branch.result, inner, runtime));
    branches.push_back({std::move(condition), std::move(result)});
  }
  PANDO_ASSIGN(EvaluatorPtr otherwise, compile(node.otherwise, inner, runtime));
  EvaluatorPtr body = std::make_unique<CaseEvaluator>(expr.type, std::move(branches), std::move(otherwise));
  if (node.operand == nullptr) {
    return body;
  }
  PANDO_ASSIGN(EvaluatorPtr operand, compile(node.operand, scope, runtime));
  return EvaluatorPtr(std::make_unique<OperandEvaluator>(std::move(operand), std::move(body), slot));
}

Result<EvaluatorPtr> compile_node(const Expr& expr, const CoalesceExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(auto arguments, compile_all(node.arguments, scope, runtime));
  return EvaluatorPtr(std::make_unique<CoalesceEvaluator>(expr.type, std::move(arguments)));
}

Result<EvaluatorPtr> compile_node(const Expr&, const NullIfExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(EvaluatorPtr left, compile(node.left, scope, runtime));
  PANDO_ASSIGN(EvaluatorPtr right, compile(node.right, scope, runtime));
  FunctionCall equality(*node.equality, {node.left->type, node.right->type}, {types::oid::kBool}, runtime);
  return EvaluatorPtr(std::make_unique<NullIfEvaluator>(std::move(left), std::move(right), std::move(equality)));
}

Result<EvaluatorPtr> compile_node(const Expr& expr, const MinMaxExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(auto arguments, compile_all(node.arguments, scope, runtime));
  return EvaluatorPtr(std::make_unique<MinMaxEvaluator>(expr.type, node.greatest, std::move(arguments)));
}

}  // namespace pando::sql::exec
