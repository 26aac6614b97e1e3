// Arrays: constructors, subscripts, and comparisons with ANY and ALL (so also IN lists).

#include <algorithm>

#include "sql/exec/compile_node.h"
#include "sql/exec/key_table.h"
#include "types/array.h"
#include "types/compare.h"
#include "types/jsonb.h"
#include "types/row_codec.h"

namespace pando::sql::exec {

using types::Physical;
using types::Value;
using types::Vector;

namespace {

// From this many constants on, an IN list is a hash table.
constexpr std::size_t kHashedListSize = 8;

// ANY is the OR of its comparisons, ALL the AND, without stopping early.
class Fold {
 public:
  Fold(bool all, std::size_t rows) : deciding_(all ? 0 : 1), states_(rows, kOpen) {}
  void add(std::size_t row, const Vector& compared, std::size_t i) {
    if (compared.is_null(i)) {
      states_[row] = states_[row] == kOpen ? kUnknown : states_[row];
    } else if (compared.at<uint8_t>(i) == deciding_) {
      states_[row] = kDecided;
    }
  }
  void set_unknown(std::size_t row) { states_[row] = kUnknown; }
  void set_decided(std::size_t row) { states_[row] = kDecided; }
  void store(Vector& out) const {
    out.reset(states_.size());
    for (std::size_t row = 0; row < states_.size(); ++row) {
      if (states_[row] == kUnknown) {
        out.set_null(row);
      } else {
        out.data<uint8_t>()[row] = states_[row] == kDecided ? deciding_ : 1 - deciding_;
      }
    }
  }

 private:
  enum State : uint8_t { kOpen, kUnknown, kDecided };
  uint8_t deciding_;
  std::vector<State> states_;
};

// x IN (a, b, c): compares with each element's vector.
class ListComparisonEvaluator final : public Evaluator {
 public:
  ListComparisonEvaluator(bool all, EvaluatorPtr left, std::vector<EvaluatorPtr> elements, FunctionCall comparison)
      : all_(all), left_(std::move(left)), elements_(std::move(elements)), comparison_(std::move(comparison)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* sides[2] = {};
    PANDO_TRY(left_->evaluate(rows, sides[0]));
    Fold fold(all_, rows.count);
    for (const EvaluatorPtr& element : elements_) {
      PANDO_TRY(element->evaluate(rows, sides[1]));
      PANDO_TRY(comparison_.call(sides, rows.count, compared_));
      for (std::size_t row = 0; row < rows.count; ++row) {
        fold.add(row, compared_, row);
      }
    }
    fold.store(result_);
    out = &result_;
    return {};
  }

 private:
  bool all_;
  EvaluatorPtr left_;
  std::vector<EvaluatorPtr> elements_;
  FunctionCall comparison_;
  Vector compared_{Physical::kBool};
  Vector result_{Physical::kBool};
};

// x IN (many constants), and NOT IN as x <> ALL.
class HashedListEvaluator final : public Evaluator {
 public:
  HashedListEvaluator(bool negated, types::Oid type, EvaluatorPtr left, const types::ArrayView& list)
      : negated_(negated), type_(type), left_(std::move(left)) {
    Bytes key;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list.is_null(i)) {
        has_null_ = true;
        continue;
      }
      key.clear();
      types::append_key(key, type_, list.get(i));
      bool added = false;
      table_.find_or_add(key, added);
    }
  }

  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* values = nullptr;
    PANDO_TRY(left_->evaluate(rows, values));
    result_.reset(rows.count);
    for (std::size_t row = 0; row < rows.count; ++row) {
      if (values->is_null(row)) {
        result_.set_null(row);
        continue;
      }
      key_.clear();
      types::append_key(key_, type_, *values, row);
      const bool found = table_.find(key_) != KeyTable::kNone;
      if (!found && has_null_) {
        result_.set_null(row);
      } else {
        result_.data<uint8_t>()[row] = found != negated_ ? 1 : 0;
      }
    }
    out = &result_;
    return {};
  }

 private:
  bool negated_;
  types::Oid type_;
  EvaluatorPtr left_;
  KeyTable table_;
  bool has_null_ = false;
  Bytes key_;
  Vector result_{Physical::kBool};
};

// x op ANY (array) where the array is a value.
class ArrayComparisonEvaluator final : public Evaluator {
 public:
  ArrayComparisonEvaluator(bool all, EvaluatorPtr left, EvaluatorPtr array, FunctionCall comparison)
      : all_(all), left_(std::move(left)), array_(std::move(array)), comparison_(std::move(comparison)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* left = nullptr;
    const Vector* arrays = nullptr;
    PANDO_TRY(left_->evaluate(rows, left));
    PANDO_TRY(array_->evaluate(rows, arrays));
    Fold fold(all_, rows.count);
    lefts_.clear();
    for (std::size_t row = 0; row < rows.count; ++row) {
      if (arrays->is_null(row)) {
        fold.set_unknown(row);
        continue;
      }
      const types::ArrayView array(arrays->bytes_at(row));
      for (std::size_t i = 0; i < array.size(); ++i) {
        if (lefts_.empty()) {
          elements_.reset_physical(array.element_physical());
          elements_.reset(types::kVectorRows);
        }
        array.is_null(i) ? elements_.set_null(lefts_.size()) : array.copy_to(i, elements_, lefts_.size());
        lefts_.push_back(static_cast<uint32_t>(row));
        if (lefts_.size() == types::kVectorRows) {
          PANDO_TRY(compare(*left, fold));
        }
      }
    }
    PANDO_TRY(compare(*left, fold));
    fold.store(result_);
    out = &result_;
    return {};
  }

 private:
  // Compares the elements collected so far.
  Status compare(const Vector& left, Fold& fold) {
    if (lefts_.empty()) {
      return {};
    }
    elements_.resize(lefts_.size());
    gathered_.gather(left, lefts_.data(), lefts_.size());
    const Vector* sides[2] = {&gathered_, &elements_};
    PANDO_TRY(comparison_.call(sides, lefts_.size(), compared_));
    for (std::size_t i = 0; i < lefts_.size(); ++i) {
      fold.add(lefts_[i], compared_, i);
    }
    lefts_.clear();
    return {};
  }

  bool all_;
  EvaluatorPtr left_;
  EvaluatorPtr array_;
  FunctionCall comparison_;
  std::vector<uint32_t> lefts_;
  Vector gathered_;
  Vector elements_;
  Vector compared_{Physical::kBool};
  Vector result_{Physical::kBool};
};

class ArrayEvaluator final : public Evaluator {
 public:
  ArrayEvaluator(types::Oid element, bool nested, std::vector<EvaluatorPtr> elements)
      : element_(element), nested_(nested), elements_(std::move(elements)), values_(elements_.size()) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    for (std::size_t i = 0; i < elements_.size(); ++i) {
      PANDO_TRY(elements_[i]->evaluate(rows, values_[i]));
    }
    result_.reset(rows.count);
    for (std::size_t row = 0; row < rows.count; ++row) {
      PANDO_ASSIGN(const Bytes array, nested_ ? stack(row) : collect(row));
      result_.set_bytes(row, array);
    }
    out = &result_;
    return {};
  }

 private:
  Result<Bytes> collect(std::size_t row) {
    types::ArrayBuilder builder(element_);
    for (const Vector* values : values_) {
      values->is_null(row) ? builder.add_null() : builder.add_from(*values, values->slot(row));
    }
    return builder.finish();
  }
  Result<Bytes> stack(std::size_t row) {
    std::vector<std::optional<ByteView>> parts;
    for (const Vector* values : values_) {
      parts.push_back(values->is_null(row) ? std::nullopt : std::optional(values->bytes_at(row)));
    }
    return types::stack_arrays(element_, parts);
  }

  types::Oid element_;
  bool nested_;
  std::vector<EvaluatorPtr> elements_;
  std::vector<const Vector*> values_;
  Vector result_{Physical::kBytes};
};

class SubscriptEvaluator final : public Evaluator {
 public:
  struct Bound {
    EvaluatorPtr lower;
    EvaluatorPtr upper;
    bool is_slice = false;
  };
  SubscriptEvaluator(types::Type result, bool is_jsonb, EvaluatorPtr container, std::vector<Bound> bounds)
      : is_jsonb_(is_jsonb),
        container_(std::move(container)),
        bounds_(std::move(bounds)),
        lowers_(bounds_.size()),
        uppers_(bounds_.size()),
        result_(types::physical_of(result.oid)) {
    for (const Bound& bound : bounds_) {
      is_slice_ = is_slice_ || bound.is_slice;
    }
  }

  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* containers = nullptr;
    PANDO_TRY(container_->evaluate(rows, containers));
    for (std::size_t i = 0; i < bounds_.size(); ++i) {
      lowers_[i] = nullptr;
      uppers_[i] = nullptr;
      if (bounds_[i].lower != nullptr) {
        PANDO_TRY(bounds_[i].lower->evaluate(rows, lowers_[i]));
      }
      if (bounds_[i].upper != nullptr) {
        PANDO_TRY(bounds_[i].upper->evaluate(rows, uppers_[i]));
      }
    }
    result_.reset(rows.count);
    for (std::size_t row = 0; row < rows.count; ++row) {
      if (containers->is_null(row) || has_null_bound(row)) {
        result_.set_null(row);
      } else {
        PANDO_TRY(compute(containers->bytes_at(row), row));
      }
    }
    out = &result_;
    return {};
  }

 private:
  bool has_null_bound(std::size_t row) const {
    for (std::size_t i = 0; i < bounds_.size(); ++i) {
      if ((lowers_[i] != nullptr && lowers_[i]->is_null(row)) || (uppers_[i] != nullptr && uppers_[i]->is_null(row))) {
        return true;
      }
    }
    return false;
  }

  Status compute(ByteView container, std::size_t row) {
    if (is_jsonb_) {
      compute_jsonb(types::JsonbView(container), row);
      return {};
    }
    const types::ArrayView array(container);
    if (is_slice_) {
      std::vector<types::ArraySliceBound> slice;
      for (std::size_t i = 0; i < bounds_.size(); ++i) {
        types::ArraySliceBound bound;
        if (!bounds_[i].is_slice) {
          bound = {1, uppers_[i]->at<int32_t>(row)};
        } else {
          bound.lower = lowers_[i] == nullptr ? std::nullopt : std::optional(lowers_[i]->at<int32_t>(row));
          bound.upper = uppers_[i] == nullptr ? std::nullopt : std::optional(uppers_[i]->at<int32_t>(row));
        }
        slice.push_back(bound);
      }
      PANDO_ASSIGN(const Bytes part, types::array_slice(array, slice));
      result_.set_bytes(row, part);
      return {};
    }
    std::vector<int32_t> subscripts;
    for (const Vector* upper : uppers_) {
      subscripts.push_back(upper->at<int32_t>(row));
    }
    const auto position = types::array_position_of(array, subscripts);
    if (!position || array.is_null(*position)) {
      result_.set_null(row);
    } else {
      array.copy_to(*position, result_, row);
    }
    return {};
  }

  void compute_jsonb(types::JsonbView value, std::size_t row) {
    // Whether a subscript is a key or an index is for what it is applied to to say.
    std::vector<Bytes> steps;
    for (const Vector* upper : uppers_) {
      steps.push_back(upper->physical() == Physical::kBytes ? Bytes(upper->bytes_at(row))
                                                            : fmt::format("{}", upper->at<int32_t>(row)));
    }
    if (const auto at = value.path(std::vector<ByteView>(steps.begin(), steps.end()))) {
      result_.set_bytes(row, at->packed());
    } else {
      result_.set_null(row);
    }
  }

  bool is_jsonb_;
  bool is_slice_ = false;
  EvaluatorPtr container_;
  std::vector<Bound> bounds_;
  std::vector<const Vector*> lowers_;
  std::vector<const Vector*> uppers_;
  Vector result_;
};

bool is_constant(const ExprPtr& expr) { return as<ConstantExpr>(expr) != nullptr; }

// The elements of a list whose values are all known, packed.
Result<Bytes> pack_constants(const ArrayExpr& list, types::Oid element) {
  types::ArrayBuilder builder(element);
  for (const ExprPtr& constant : list.elements) {
    builder.add(as<ConstantExpr>(constant)->value);
  }
  return builder.finish();
}

}  // namespace

Result<EvaluatorPtr> compile_node(const Expr&, const ArrayComparisonExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(EvaluatorPtr left, compile(node.left, scope, runtime));
  const types::Type element{types::element_of(node.array->type.oid)};
  FunctionCall comparison(*node.comparison, {node.left->type, element}, {types::oid::kBool}, runtime);
  const bool is_in = node.spelling == "=" && !node.all;
  const bool is_not_in = node.spelling == "<>" && node.all;
  const bool hashable = (is_in || is_not_in) && node.left->type.oid == element.oid && types::is_orderable(element.oid);
  const auto* list = as<ArrayExpr>(node.array);
  if (const auto* constant = as<ConstantExpr>(node.array);
      hashable && constant != nullptr && !constant->value.is_null()) {
    return EvaluatorPtr(std::make_unique<HashedListEvaluator>(is_not_in, element.oid, std::move(left),
                                                              types::ArrayView(constant->value.bytes())));
  }
  if (list == nullptr || list->nested) {
    PANDO_ASSIGN(EvaluatorPtr array, compile(node.array, scope, runtime));
    return EvaluatorPtr(
        std::make_unique<ArrayComparisonEvaluator>(node.all, std::move(left), std::move(array), std::move(comparison)));
  }
  if (hashable && list->elements.size() >= kHashedListSize && std::ranges::all_of(list->elements, is_constant)) {
    PANDO_ASSIGN(const Bytes packed, pack_constants(*list, element.oid));
    return EvaluatorPtr(
        std::make_unique<HashedListEvaluator>(is_not_in, element.oid, std::move(left), types::ArrayView(packed)));
  }
  PANDO_ASSIGN(auto elements, compile_all(list->elements, scope, runtime));
  return EvaluatorPtr(
      std::make_unique<ListComparisonEvaluator>(node.all, std::move(left), std::move(elements), std::move(comparison)));
}

Result<EvaluatorPtr> compile_node(const Expr& expr, const ArrayExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(auto elements, compile_all(node.elements, scope, runtime));
  return EvaluatorPtr(
      std::make_unique<ArrayEvaluator>(types::element_of(expr.type.oid), node.nested, std::move(elements)));
}

Result<EvaluatorPtr> compile_node(const Expr& expr, const SubscriptExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(EvaluatorPtr container, compile(node.container, scope, runtime));
  std::vector<SubscriptEvaluator::Bound> bounds;
  for (const SubscriptExpr::Bound& bound : node.bounds) {
    SubscriptEvaluator::Bound compiled;
    compiled.is_slice = bound.is_slice;
    if (bound.lower != nullptr) {
      PANDO_ASSIGN(compiled.lower, compile(bound.lower, scope, runtime));
    }
    if (bound.upper != nullptr) {
      PANDO_ASSIGN(compiled.upper, compile(bound.upper, scope, runtime));
    }
    bounds.push_back(std::move(compiled));
  }
  const bool is_jsonb = node.container->type.oid == types::oid::kJsonb;
  return EvaluatorPtr(
      std::make_unique<SubscriptEvaluator>(expr.type, is_jsonb, std::move(container), std::move(bounds)));
}

}  // namespace pando::sql::exec
