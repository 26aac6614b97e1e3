// Rows as values: constructors, fields, comparisons.

#include "sql/exec/compile_node.h"
#include "types/record.h"

namespace pando::sql::exec {

using types::Physical;
using types::Vector;

namespace {

class RowEvaluator final : public Evaluator {
 public:
  // Without names they are f1, f2, ...
  RowEvaluator(std::vector<types::Type> types, std::vector<std::string> names, std::vector<EvaluatorPtr> fields)
      : types_(std::move(types)), names_(std::move(names)), fields_(std::move(fields)), values_(fields_.size()) {
    names_.resize(fields_.size());
  }

  Status evaluate(const Rows& rows, const Vector*& out) override {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      PANDO_TRY(fields_[i]->evaluate(rows, values_[i]));
    }
    result_.reset(rows.count);
    std::vector<types::RecordField> record(fields_.size());
    for (std::size_t row = 0; row < rows.count; ++row) {
      for (std::size_t i = 0; i < fields_.size(); ++i) {
        record[i] = {types_[i], values_[i]->get(row), names_[i]};
      }
      result_.set_bytes(row, types::pack_record(record));
    }
    out = &result_;
    return {};
  }

 private:
  std::vector<types::Type> types_;
  std::vector<std::string> names_;
  std::vector<EvaluatorPtr> fields_;
  std::vector<const Vector*> values_;
  Vector result_{Physical::kBytes};
};

bool has_default_names(const RowExpr& row) {
  for (std::size_t i = 0; i < row.names.size(); ++i) {
    if (row.names[i] != fmt::format("f{}", i + 1)) {
      return false;
    }
  }
  return true;
}

class FieldEvaluator final : public Evaluator {
 public:
  FieldEvaluator(types::Type type, uint32_t field, EvaluatorPtr record)
      : field_(field), record_(std::move(record)), result_(types::physical_of(type.oid)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* records = nullptr;
    PANDO_TRY(record_->evaluate(rows, records));
    result_.reset(rows.count);
    std::vector<types::RecordField> fields;
    for (std::size_t row = 0; row < rows.count; ++row) {
      if (records->is_null(row)) {
        result_.set_null(row);
        continue;
      }
      if (!types::unpack_record(records->bytes_at(row), fields) || field_ >= fields.size()) {
        return {sql_state::kDatatypeMismatch, "record has no field {}", field_ + 1};
      }
      result_.set(row, fields[field_].value);
    }
    out = &result_;
    return {};
  }

 private:
  uint32_t field_;
  EvaluatorPtr record_;
  Vector result_;
};

// (a, b) op (c, d): the first pair that is not equal decides; a NULL before that makes it unknown. For = and <> a pair
// that differs decides even after a NULL.
class RowComparisonEvaluator final : public Evaluator {
 public:
  RowComparisonEvaluator(const RowComparisonExpr& node, std::vector<EvaluatorPtr> left, std::vector<EvaluatorPtr> right,
                         std::vector<FunctionCall> equality, std::vector<FunctionCall> less)
      : is_equality_(node.less.empty()),
        value_if_equal_(node.op == "=" || node.op == "<=" || node.op == ">=" ? 1 : 0),
        value_if_less_(node.op == "<" || node.op == "<=" ? 1 : 0),
        left_(std::move(left)),
        right_(std::move(right)),
        equality_(std::move(equality)),
        less_(std::move(less)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    states_.assign(rows.count, kEqual);
    for (std::size_t field = 0; field < left_.size(); ++field) {
      PANDO_TRY(compare(rows, field));
    }
    result_.reset(rows.count);
    for (std::size_t row = 0; row < rows.count; ++row) {
      uint8_t& value = result_.data<uint8_t>()[row];
      switch (states_[row]) {
        case kEqual:
          value = value_if_equal_;
          break;
        case kUnknown:
          result_.set_null(row);
          break;
        case kLess:
          value = value_if_less_;
          break;
        case kGreater:
          value = 1 - value_if_less_;
          break;
        case kDifferent:
          value = 1 - value_if_equal_;
          break;
      }
    }
    out = &result_;
    return {};
  }

 private:
  enum State : uint8_t { kEqual, kUnknown, kLess, kGreater, kDifferent };

  Status compare(const Rows& rows, std::size_t field) {
    const Vector* sides[2] = {};
    PANDO_TRY(left_[field]->evaluate(rows, sides[0]));
    PANDO_TRY(right_[field]->evaluate(rows, sides[1]));
    PANDO_TRY(equality_[field].call(sides, rows.count, equal_));
    if (!is_equality_) {
      PANDO_TRY(less_[field].call(sides, rows.count, is_less_));
    }
    for (std::size_t row = 0; row < rows.count; ++row) {
      const bool open = states_[row] == kEqual || (is_equality_ && states_[row] == kUnknown);
      if (!open) {
        continue;
      }
      if (equal_.is_null(row)) {
        states_[row] = kUnknown;
      } else if (!is_true(equal_, row)) {
        states_[row] = is_equality_ ? kDifferent : is_true(is_less_, row) ? kLess : kGreater;
      }
    }
    return {};
  }

  bool is_equality_;
  uint8_t value_if_equal_;
  uint8_t value_if_less_;
  std::vector<EvaluatorPtr> left_;
  std::vector<EvaluatorPtr> right_;
  std::vector<FunctionCall> equality_;
  std::vector<FunctionCall> less_;
  std::vector<State> states_;
  Vector equal_{Physical::kBool};
  Vector is_less_{Physical::kBool};
  Vector result_{Physical::kBool};
};

}  // namespace

Result<EvaluatorPtr> compile_node(const Expr& expr, const RowExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(auto fields, compile_all(node.fields, scope, runtime));
  std::vector<types::Type> types;
  for (const ExprPtr& field : node.fields) {
    types.push_back(field->type);
  }
  std::vector<std::string> names;
  if (expr.type.oid == types::oid::kRecord && !has_default_names(node)) {
    names = node.names;
  }
  return EvaluatorPtr(std::make_unique<RowEvaluator>(std::move(types), std::move(names), std::move(fields)));
}

Result<EvaluatorPtr> compile_node(const Expr& expr, const FieldExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(EvaluatorPtr record, compile(node.record, scope, runtime));
  return EvaluatorPtr(std::make_unique<FieldEvaluator>(expr.type, node.field, std::move(record)));
}

Result<EvaluatorPtr> compile_node(const Expr&, const RowComparisonExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(auto left, compile_all(node.left, scope, runtime));
  PANDO_ASSIGN(auto right, compile_all(node.right, scope, runtime));
  std::vector<FunctionCall> equality;
  std::vector<FunctionCall> less;
  for (std::size_t i = 0; i < node.left.size(); ++i) {
    const std::vector<types::Type> types{node.left[i]->type, node.right[i]->type};
    equality.emplace_back(*node.equality[i], types, types::Type{types::oid::kBool}, runtime);
    if (!node.less.empty()) {
      less.emplace_back(*node.less[i], types, types::Type{types::oid::kBool}, runtime);
    }
  }
  return EvaluatorPtr(std::make_unique<RowComparisonEvaluator>(node, std::move(left), std::move(right),
                                                               std::move(equality), std::move(less)));
}

}  // namespace pando::sql::exec
