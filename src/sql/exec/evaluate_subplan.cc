// Subqueries that stayed inside expressions. Each runs when a row first needs it; results are remembered by the values
// the plan depends on, so an uncorrelated one runs once.

#include <unordered_map>

#include "sql/exec/compile_node.h"
#include "sql/exec/key_table.h"
#include "sql/exec/operator.h"
#include "sql/exec/row_store.h"
#include "types/array_stack.h"
#include "types/record.h"
#include "types/row_codec.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Physical;
using types::Value;
using types::Vector;

namespace {

// More remembered results than this are forgotten all at once.
constexpr std::size_t kRememberedMax = 100000;

// What one run of the plan gave, as far as the kind of subquery needs it.
struct SubplanResult {
  Value value;    // kScalar, kExists, kArray
  RowStore rows;  // kAny, kAll: the compared columns
  // kAny with =: the rows' keys, and whether one of them has a NULL.
  KeyTable keys;
  bool has_null = false;
};

// ARRAY(SELECT ...): of arrays it has one dimension more than they.
class ArrayOfRows {
 public:
  ArrayOfRows(types::Oid row, types::Oid result)
      : element_(types::is_array(result) ? types::element_of(result) : row),
        stacks_(row == result),
        builder_(element_) {}

  Status add(const Vector& values, std::size_t rows) {
    for (std::size_t row = 0; row < rows; ++row) {
      const bool is_null = values.is_null(row);
      if (stacks_) {
        PANDO_TRY(stack_.add(is_null ? std::nullopt : std::optional(values.bytes_at(row))));
      } else {
        is_null ? builder_.add_null() : builder_.add_from(values, values.slot(row));
      }
    }
    return {};
  }
  Result<Bytes> finish() { return stacks_ ? stack_.finish(element_) : builder_.finish(); }

 private:
  types::Oid element_;
  bool stacks_;
  types::ArrayStack stack_;
  types::ArrayBuilder builder_;
};

class SubplanEvaluator final : public Evaluator, public PendingWork {
 public:
  SubplanEvaluator(const Expr& expr, const SubplanExpr& node, Runtime& runtime)
      : node_(node),
        plan_(*node.plan),
        runtime_(runtime),
        result_type_(expr.type),
        result_(types::physical_of(expr.type.oid)) {}

  Status prepare(const Scope& scope) {
    for (const CorrelatedParameter& correlated : plan_.correlation) {
      const uint32_t* slot = scope.find(correlated.column);
      if (slot == nullptr) {
        return {sql_state::kInternalError, "a subquery is correlated with a column that is not in its input"};
      }
      outer_slots_.push_back(*slot);
    }
    const Scope outputs(plan_.plan->outputs);
    for (const ColumnId column : plan_.columns) {
      column_slots_.push_back(*outputs.find(column));
    }
    PANDO_ASSIGN(left_, compile_all(node_.left, scope, runtime_));
    left_values_.resize(left_.size());
    hashed_ = node_.kind == SubqueryExpr::Kind::kAny && node_.spelling == "=";
    for (std::size_t i = 0; i < left_.size(); ++i) {
      const types::Type right = plan_.plan->outputs[column_slots_[i]].type;
      comparisons_.emplace_back(*node_.comparisons[i], std::vector<types::Type>{node_.left[i]->type, right},
                                types::Type{types::oid::kBool}, runtime_);
      hashed_ = hashed_ && right.oid == node_.left[i]->type.oid;
    }
    return {};
  }

  Status evaluate(const Rows& rows, const Vector*& out) override {
    if (results_.size() > kRememberedMax || run_ != runtime_.run) {
      results_.clear();
      run_ = runtime_.run;
    }
    for (std::size_t i = 0; i < left_.size(); ++i) {
      PANDO_TRY(left_[i]->evaluate(rows, left_values_[i]));
    }
    found_.resize(rows.count);
    missing_.clear();
    for (std::size_t row = 0; row < rows.count; ++row) {
      Binding binding = bind(*rows.chunk, rows.base(row));
      const auto known = results_.find(binding.key);
      if (known == results_.end()) {
        missing_.try_emplace(binding.key, std::move(binding.values));
        continue;
      }
      found_[row] = known->second.get();
      if (outer_slots_.empty()) {
        std::fill_n(found_.begin(), rows.count, known->second.get());
        break;
      }
    }
    if (!missing_.empty()) {
      runtime_.pending = this;
      return {kWaitNeeded, "a subquery must run"};
    }
    out = &result_;
    return store(rows);
  }

  // Runs the plan for each binding that was missing.
  Task<Status> run() override {
    for (auto& [key, values] : missing_) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        runtime_.slots[plan_.correlation[i].parameter] = std::move(values[i]);
      }
      if (operator_ == nullptr) {
        PANDO_CO_ASSIGN(operator_, build(plan_.plan, runtime_));
      }
      auto result = std::make_unique<SubplanResult>();
      PANDO_CO_TRY(co_await operator_->open());
      PANDO_CO_TRY(co_await read(*result));
      results_.insert_or_assign(key, std::move(result));
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
    }
    missing_.clear();
    co_return Status();
  }

 private:
  struct Binding {
    Bytes key;
    std::vector<Value> values;
  };

  Binding bind(const Chunk& chunk, std::size_t row) const {
    Binding binding;
    for (const uint32_t slot : outer_slots_) {
      binding.values.push_back(chunk.columns[slot].get(row));
      append(binding.values.back(), binding.key);
    }
    for (const uint32_t parameter : plan_.outer_parameters) {
      append(runtime_.slots[parameter], binding.key);
    }
    return binding;
  }
  static void append(const Value& value, Bytes& key) {
    Bytes raw;
    if (!value.is_null()) {
      types::append_raw(value, raw);
    }
    key.push_back(value.is_null() ? '\0' : '\1');
    const auto size = static_cast<uint32_t>(raw.size());
    key.append(reinterpret_cast<const char*>(&size), sizeof(size));
    key.append(raw);
  }

  Task<Status> read(SubplanResult& result) {
    using Kind = SubqueryExpr::Kind;
    Chunk rows;
    std::size_t count = 0;
    const bool is_array = node_.kind == Kind::kArray;
    ArrayOfRows array(is_array ? plan_.plan->outputs[column_slots_[0]].type.oid : types::oid::kInt4, result_type_.oid);
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await operator_->next(rows));
      if (!more) {
        break;
      }
      count += rows.rows;
      if (node_.kind == Kind::kExists) {
        break;
      }
      if (node_.kind == Kind::kScalar) {
        if (count > 1) {
          co_return Status(sql_state::kCardinalityViolation,
                           "more than one row returned by a subquery used as an expression");
        }
        result.value = rows.columns[column_slots_[0]].get(0);
      } else if (is_array) {
        PANDO_CO_TRY(array.add(rows.columns[column_slots_[0]], rows.rows));
      } else {
        PANDO_CO_TRY(add_rows(rows, result));
      }
    }
    if (node_.kind == Kind::kExists) {
      result.value = Value::of_bool(count > 0);
    } else if (is_array) {
      PANDO_CO_ASSIGN(Bytes packed, array.finish());
      result.value = Value::of_bytes(std::move(packed));
    }
    co_return Status();
  }

  Status add_rows(const Chunk& rows, SubplanResult& result) {
    Chunk compared;
    compared.rows = rows.rows;
    for (const uint32_t slot : column_slots_) {
      compared.columns.push_back(rows.columns[slot]);
    }
    for (std::size_t row = 0; hashed_ && row < rows.rows; ++row) {
      Bytes key;
      bool added = false;
      if (row_key(compared.columns, row, key)) {
        result.keys.find_or_add(key, added);
      } else {
        result.has_null = true;
      }
    }
    result.rows.append(compared);
    return runtime_.check_unspillable(result.rows.memory_bytes(), "subquery");
  }

  // False when a column is NULL.
  bool row_key(const std::vector<Vector>& columns, std::size_t row, Bytes& key) const {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].is_null(row)) {
        return false;
      }
      types::append_key(key, node_.left[i]->type.oid, columns[i], row);
    }
    return true;
  }

  Status store(const Rows& rows) {
    if (left_.empty()) {
      if (outer_slots_.empty() && rows.count > 0) {
        result_.reset_constant(found_[0]->value, rows.count);
        return {};
      }
      result_.reset(rows.count);
      for (std::size_t row = 0; row < rows.count; ++row) {
        result_.set(row, found_[row]->value);
      }
      return {};
    }
    result_.reset(rows.count);
    for (std::size_t row = 0; row < rows.count; ++row) {
      PANDO_TRY(compare_row(*found_[row], row));
    }
    return {};
  }

  // left op ANY / ALL (the rows).
  Status compare_row(const SubplanResult& result, std::size_t row) {
    const bool all = node_.kind == SubqueryExpr::Kind::kAll;
    uint8_t* values = result_.data<uint8_t>();
    values[row] = all ? 1 : 0;
    if (result.rows.rows() == 0) {
      return {};
    }
    if (hashed_) {
      Bytes key;
      bool has_null = false;
      for (std::size_t i = 0; i < left_values_.size(); ++i) {
        has_null = has_null || left_values_[i]->is_null(row);
        if (!has_null) {
          types::append_key(key, node_.left[i]->type.oid, *left_values_[i], row);
        }
      }
      if (!has_null && result.keys.find(key) != KeyTable::kNone) {
        values[row] = 1;
        return {};
      }
      if (!has_null && !result.has_null) {
        return {};
      }
      if (left_values_.size() == 1) {
        result_.set_null(row);
        return {};
      }
    }
    return compare_all(result, row);
  }

  Status compare_all(const SubplanResult& result, std::size_t row) {
    const bool all = node_.kind == SubqueryExpr::Kind::kAll;
    const bool is_not_equal = node_.spelling == "<>";
    bool unknown = false;
    for (const Chunk& chunk : result.rows.chunks()) {
      // Whether each row of the subquery compares true (1), false (0) or unknown (2).
      std::vector<uint8_t> states(chunk.rows, is_not_equal ? 0 : 1);
      for (std::size_t i = 0; i < left_values_.size(); ++i) {
        Vector left(left_values_[i]->physical());
        left.reset_constant(left_values_[i]->get(row), chunk.rows);
        const Vector* sides[2] = {&left, &chunk.columns[i]};
        PANDO_TRY(comparisons_[i].call(sides, chunk.rows, compared_));
        combine(compared_, is_not_equal, states);
      }
      for (const uint8_t state : states) {
        unknown = unknown || state == 2;
        if (state == (all ? 0 : 1)) {
          result_.data<uint8_t>()[row] = all ? 0 : 1;
          return {};
        }
      }
    }
    if (unknown) {
      result_.set_null(row);
    }
    return {};
  }

  // Rows are equal when all columns are, and differ when one does.
  static void combine(const Vector& compared, bool is_or, std::vector<uint8_t>& states) {
    const uint8_t deciding = is_or ? 1 : 0;
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (states[i] == deciding) {
        continue;
      }
      if (compared.is_null(i)) {
        states[i] = 2;
      } else if (compared.at<uint8_t>(i) == deciding) {
        states[i] = deciding;
      }
    }
  }

  const SubplanExpr& node_;
  const Subplan& plan_;
  Runtime& runtime_;
  types::Type result_type_;
  std::vector<uint32_t> outer_slots_;
  std::vector<uint32_t> column_slots_;
  std::vector<EvaluatorPtr> left_;
  std::vector<const Vector*> left_values_;
  std::vector<FunctionCall> comparisons_;
  bool hashed_ = false;
  OperatorPtr operator_;
  uint64_t run_ = 0;
  std::unordered_map<Bytes, std::unique_ptr<SubplanResult>> results_;
  std::unordered_map<Bytes, std::vector<Value>> missing_;
  std::vector<const SubplanResult*> found_;
  Vector compared_{Physical::kBool};
  Vector result_;
};

}  // namespace

Result<EvaluatorPtr> compile_node(const Expr& expr, const SubplanExpr& node, const Scope& scope, Runtime& runtime) {
  auto subplan = std::make_unique<SubplanEvaluator>(expr, node, runtime);
  PANDO_TRY(subplan->prepare(scope));
  return EvaluatorPtr(std::move(subplan));
}

}  // namespace pando::sql::exec
