// AND, OR, NOT and the tests whose result is never NULL.

#include <algorithm>

#include "sql/exec/compile_node.h"
#include "types/record.h"

namespace pando::sql::exec {

using types::Physical;
using types::Vector;

namespace {

// AND stops at the first FALSE of a row, OR at the first TRUE; NULL decides only when nothing else does.
class AndOrEvaluator final : public Evaluator {
 public:
  AndOrEvaluator(bool is_or, std::vector<EvaluatorPtr> arguments)
      : deciding_(is_or ? 1 : 0), arguments_(std::move(arguments)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    result_.reset(rows.count);
    out = &result_;
    auto* decided = result_.data<uint8_t>();
    std::fill_n(decided, rows.count, static_cast<uint8_t>(1 - deciding_));
    unknown_.assign(rows.count, 0);
    bool all = true;
    for (const EvaluatorPtr& argument : arguments_) {
      const Rows subset = all ? rows : open_.rows(rows);
      if (subset.count == 0) {
        break;
      }
      const Vector* values = nullptr;
      PANDO_TRY(argument->evaluate(subset, values));
      still_open_.clear();
      for (std::size_t i = 0; i < subset.count; ++i) {
        const uint32_t position = all ? static_cast<uint32_t>(i) : open_.position(i);
        if (values->is_null(i)) {
          unknown_[position] = 1;
        } else if (values->at<uint8_t>(i) == deciding_) {
          decided[position] = deciding_;
          unknown_[position] = 0;
          continue;
        }
        still_open_.add(rows, position);
      }
      all = all && still_open_.size() == rows.count;
      std::swap(open_, still_open_);
    }
    for (std::size_t i = 0; i < rows.count; ++i) {
      if (unknown_[i] != 0) {
        result_.set_null(i);
      }
    }
    return {};
  }

 private:
  uint8_t deciding_;
  std::vector<EvaluatorPtr> arguments_;
  std::vector<uint8_t> unknown_;
  SubsetOfRows open_;
  SubsetOfRows still_open_;
  Vector result_{Physical::kBool};
};

class NotEvaluator final : public Evaluator {
 public:
  explicit NotEvaluator(EvaluatorPtr argument) : argument_(std::move(argument)) {}
  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* values = nullptr;
    PANDO_TRY(argument_->evaluate(rows, values));
    result_.reset(rows.count);
    for (std::size_t i = 0; i < rows.count; ++i) {
      if (values->is_null(i)) {
        result_.set_null(i);
      } else {
        result_.data<uint8_t>()[i] = values->at<uint8_t>(i) == 0 ? 1 : 0;
      }
    }
    out = &result_;
    return {};
  }

 private:
  EvaluatorPtr argument_;
  Vector result_{Physical::kBool};
};

class NullTestEvaluator final : public Evaluator {
 public:
  NullTestEvaluator(bool is_not, EvaluatorPtr argument) : is_not_(is_not), argument_(std::move(argument)) {}
  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* values = nullptr;
    PANDO_TRY(argument_->evaluate(rows, values));
    result_.reset(rows.count);
    for (std::size_t i = 0; i < rows.count; ++i) {
      result_.data<uint8_t>()[i] = values->is_null(i) != is_not_ ? 1 : 0;
    }
    out = &result_;
    return {};
  }

 private:
  bool is_not_;
  EvaluatorPtr argument_;
  Vector result_{Physical::kBool};
};

// ROW(...) IS NULL: every field is NULL. IS NOT NULL: no field is.
class RowNullTestEvaluator final : public Evaluator {
 public:
  RowNullTestEvaluator(bool is_not, std::vector<EvaluatorPtr> fields) : is_not_(is_not), fields_(std::move(fields)) {}
  Status evaluate(const Rows& rows, const Vector*& out) override {
    result_.reset(rows.count);
    std::fill_n(result_.data<uint8_t>(), rows.count, uint8_t{1});
    for (const EvaluatorPtr& field : fields_) {
      const Vector* values = nullptr;
      PANDO_TRY(field->evaluate(rows, values));
      for (std::size_t i = 0; i < rows.count; ++i) {
        if (values->is_null(i) == is_not_) {
          result_.data<uint8_t>()[i] = 0;
        }
      }
    }
    out = &result_;
    return {};
  }

 private:
  bool is_not_;
  std::vector<EvaluatorPtr> fields_;
  Vector result_{Physical::kBool};
};

// The same of a value that is a row: a NULL has no fields that are not NULL.
class RecordNullTestEvaluator final : public Evaluator {
 public:
  RecordNullTestEvaluator(bool is_not, EvaluatorPtr argument) : is_not_(is_not), argument_(std::move(argument)) {}
  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* values = nullptr;
    PANDO_TRY(argument_->evaluate(rows, values));
    result_.reset(rows.count);
    std::vector<types::RecordField> fields;
    for (std::size_t i = 0; i < rows.count; ++i) {
      if (values->is_null(i)) {
        result_.data<uint8_t>()[i] = is_not_ ? 0 : 1;
        continue;
      }
      if (!types::unpack_record(values->bytes_at(i), fields)) {
        return {sql_state::kDataCorrupted, "a malformed record"};
      }
      const bool all = std::ranges::all_of(
          fields, [this](const types::RecordField& field) { return field.value.is_null() != is_not_; });
      result_.data<uint8_t>()[i] = all ? 1 : 0;
    }
    out = &result_;
    return {};
  }

 private:
  bool is_not_;
  EvaluatorPtr argument_;
  Vector result_{Physical::kBool};
};

class BooleanTestEvaluator final : public Evaluator {
 public:
  BooleanTestEvaluator(const BooleanTestExpr& node, EvaluatorPtr argument)
      : kind_(node.kind), is_not_(node.is_not), argument_(std::move(argument)) {}
  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* values = nullptr;
    PANDO_TRY(argument_->evaluate(rows, values));
    result_.reset(rows.count);
    for (std::size_t i = 0; i < rows.count; ++i) {
      result_.data<uint8_t>()[i] = holds(*values, i) != is_not_ ? 1 : 0;
    }
    out = &result_;
    return {};
  }

 private:
  bool holds(const Vector& values, std::size_t row) const {
    switch (kind_) {
      case BooleanTestExpr::Kind::kTrue:
        return is_true(values, row);
      case BooleanTestExpr::Kind::kFalse:
        return is_false(values, row);
      case BooleanTestExpr::Kind::kUnknown:
        return values.is_null(row);
    }
    PANDO_UNREACHABLE("a boolean test out of range");
  }
  BooleanTestExpr::Kind kind_;
  bool is_not_;
  EvaluatorPtr argument_;
  Vector result_{Physical::kBool};
};

class DistinctEvaluator final : public Evaluator {
 public:
  DistinctEvaluator(bool is_not, EvaluatorPtr left, EvaluatorPtr right, FunctionCall equality)
      : is_not_(is_not), left_(std::move(left)), right_(std::move(right)), equality_(std::move(equality)) {}
  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* sides[2] = {};
    PANDO_TRY(left_->evaluate(rows, sides[0]));
    PANDO_TRY(right_->evaluate(rows, sides[1]));
    PANDO_TRY(equality_.call(sides, rows.count, equal_));
    result_.reset(rows.count);
    for (std::size_t i = 0; i < rows.count; ++i) {
      const bool left_null = sides[0]->is_null(i);
      const bool right_null = sides[1]->is_null(i);
      const bool same = left_null || right_null ? left_null == right_null : is_true(equal_, i);
      result_.data<uint8_t>()[i] = same == is_not_ ? 1 : 0;
    }
    out = &result_;
    return {};
  }

 private:
  bool is_not_;
  EvaluatorPtr left_;
  EvaluatorPtr right_;
  FunctionCall equality_;
  Vector equal_{Physical::kBool};
  Vector result_{Physical::kBool};
};

}  // namespace

Result<EvaluatorPtr> compile_node(const Expr&, const LogicExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(auto arguments, compile_all(node.arguments, scope, runtime));
  if (node.kind == LogicExpr::Kind::kNot) {
    return EvaluatorPtr(std::make_unique<NotEvaluator>(std::move(arguments[0])));
  }
  return EvaluatorPtr(std::make_unique<AndOrEvaluator>(node.kind == LogicExpr::Kind::kOr, std::move(arguments)));
}

Result<EvaluatorPtr> compile_node(const Expr&, const NullTestExpr& node, const Scope& scope, Runtime& runtime) {
  if (const auto* row = as<RowExpr>(node.argument)) {
    PANDO_ASSIGN(auto fields, compile_all(row->fields, scope, runtime));
    return EvaluatorPtr(std::make_unique<RowNullTestEvaluator>(node.is_not, std::move(fields)));
  }
  PANDO_ASSIGN(EvaluatorPtr argument, compile(node.argument, scope, runtime));
  if (types::is_record(node.argument->type.oid)) {
    return EvaluatorPtr(std::make_unique<RecordNullTestEvaluator>(node.is_not, std::move(argument)));
  }
  return EvaluatorPtr(std::make_unique<NullTestEvaluator>(node.is_not, std::move(argument)));
}

Result<EvaluatorPtr> compile_node(const Expr&, const BooleanTestExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(EvaluatorPtr argument, compile(node.argument, scope, runtime));
  return EvaluatorPtr(std::make_unique<BooleanTestEvaluator>(node, std::move(argument)));
}

Result<EvaluatorPtr> compile_node(const Expr&, const DistinctExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(EvaluatorPtr left, compile(node.left, scope, runtime));
  PANDO_ASSIGN(EvaluatorPtr right, compile(node.right, scope, runtime));
  FunctionCall equality(*node.equality, {node.left->type, node.right->type}, {types::oid::kBool}, runtime);
  return EvaluatorPtr(
      std::make_unique<DistinctEvaluator>(node.is_not, std::move(left), std::move(right), std::move(equality)));
}

}  // namespace pando::sql::exec
