// Casts without a function of their own, and the SQL-standard session values.

#include "sql/exec/compile_node.h"
#include "sql/function/text_form.h"
#include "types/array.h"
#include "types/datetime.h"
#include "types/text_io.h"

namespace pando::sql::exec {

using types::Physical;
using types::Value;
using types::Vector;

namespace {

bool is_text(types::Oid type) {
  return type == types::oid::kText || type == types::oid::kVarchar || type == types::oid::kBpchar ||
         type == types::oid::kName || type == types::oid::kUnknown;
}

// Computes each value from one value of the argument; NULL gives NULL.
class ValueCastEvaluator : public Evaluator {
 public:
  ValueCastEvaluator(types::Type from, types::Type to, EvaluatorPtr argument, Runtime& runtime)
      : from_(from), to_(to), argument_(std::move(argument)), runtime_(runtime), result_(types::physical_of(to.oid)) {}

  Status evaluate(const Rows& rows, const Vector*& out) final {
    const Vector* values = nullptr;
    PANDO_TRY(argument_->evaluate(rows, values));
    const std::size_t stored = values->is_constant() ? 1 : rows.count;
    result_.reset(stored);
    for (std::size_t row = 0; row < stored; ++row) {
      if (values->is_null(row)) {
        result_.set_null(row);
        continue;
      }
      PANDO_ASSIGN(const Value value, convert(*values, row));
      result_.set(row, value);
    }
    if (values->is_constant()) {
      result_.reset_constant(result_.get(0), rows.count);
    }
    out = &result_;
    return {};
  }

 protected:
  virtual Result<Value> convert(const Vector& values, std::size_t row) = 0;
  types::Type from_;
  types::Type to_;
  EvaluationContext& evaluation() { return runtime_.context.evaluation; }

 private:
  EvaluatorPtr argument_;
  Runtime& runtime_;
  Vector result_;
};

class TextCastEvaluator final : public ValueCastEvaluator {
 public:
  using ValueCastEvaluator::ValueCastEvaluator;

 private:
  Result<Value> convert(const Vector& values, std::size_t row) override {
    Bytes text;
    if (is_text(from_.oid)) {
      text = values.bytes_at(row);
    } else {
      print_value(evaluation(), from_, values, row, text);
    }
    return parse_value(evaluation(), to_, text);
  }
};

class ModifierEvaluator final : public ValueCastEvaluator {
 public:
  ModifierEvaluator(types::Type from, types::Type to, bool is_explicit, EvaluatorPtr argument, Runtime& runtime)
      : ValueCastEvaluator(from, to, std::move(argument), runtime), is_explicit_(is_explicit) {}

 private:
  Result<Value> convert(const Vector& values, std::size_t row) override {
    return types::apply_modifier(to_, values.get(row), is_explicit_);
  }
  bool is_explicit_;
};

// A change of name only: the bytes stay.
class RelabelEvaluator final : public Evaluator {
 public:
  RelabelEvaluator(types::Type to, EvaluatorPtr argument)
      : argument_(std::move(argument)), result_(types::physical_of(to.oid)) {}
  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* values = nullptr;
    PANDO_TRY(argument_->evaluate(rows, values));
    if (values->physical() == result_.physical()) {
      out = values;
      return {};
    }
    const std::size_t width = types::physical_size(result_.physical());
    if (width != types::physical_size(values->physical())) {
      return {sql_state::kInternalError, "a relabelled value of another width"};
    }
    const std::size_t stored = values->is_constant() ? 1 : rows.count;
    result_.reset(stored);
    std::memcpy(result_.data<char>(), values->data<char>(), stored * width);
    for (std::size_t row = 0; values->has_nulls() && row < stored; ++row) {
      if (values->is_null(row)) {
        result_.set_null(row);
      }
    }
    if (values->is_constant()) {
      result_.reset_constant(result_.get(0), rows.count);
    }
    out = &result_;
    return {};
  }

 private:
  EvaluatorPtr argument_;
  Vector result_;
};

// Casts the elements of an array one by one, keeping its shape.
class ArrayElementsEvaluator final : public Evaluator {
 public:
  ArrayElementsEvaluator(types::Oid element_type, EvaluatorPtr argument, EvaluatorPtr element)
      : element_type_(element_type), argument_(std::move(argument)), element_(std::move(element)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    const Vector* arrays = nullptr;
    PANDO_TRY(argument_->evaluate(rows, arrays));
    result_.reset(rows.count);
    for (std::size_t row = 0; row < rows.count; ++row) {
      if (arrays->is_null(row)) {
        result_.set_null(row);
        continue;
      }
      PANDO_ASSIGN(const Bytes cast, cast_elements(types::ArrayView(arrays->bytes_at(row))));
      result_.set_bytes(row, cast);
    }
    out = &result_;
    return {};
  }

 private:
  Result<Bytes> cast_elements(const types::ArrayView& array) {
    if (array.size() == 0) {
      return types::empty_array(element_type_);
    }
    types::ArrayBuilder builder(element_type_);
    types::Chunk elements;
    for (std::size_t first = 0; first < array.size(); first += types::kVectorRows) {
      const std::size_t count = std::min(array.size() - first, types::kVectorRows);
      elements.columns.assign(1, Vector(array.element_physical()));
      elements.rows = count;
      elements.columns[0].reset(count);
      for (std::size_t i = 0; i < count; ++i) {
        array.is_null(first + i) ? elements.columns[0].set_null(i) : array.copy_to(first + i, elements.columns[0], i);
      }
      const Vector* cast = nullptr;
      PANDO_TRY(element_->evaluate({&elements, nullptr, count}, cast));
      for (std::size_t i = 0; i < count; ++i) {
        cast->is_null(i) ? builder.add_null() : builder.add_from(*cast, i);
      }
    }
    std::vector<types::ArrayDimension> dimensions;
    for (int i = 0; i < array.dimensions(); ++i) {
      dimensions.push_back(array.dimension(i));
    }
    return builder.finish(dimensions);
  }

  types::Oid element_type_;
  EvaluatorPtr argument_;
  EvaluatorPtr element_;
  Vector result_{Physical::kBytes};
};

// CURRENT_TIMESTAMP and its kin: one value per statement.
class SessionValueEvaluator final : public Evaluator {
 public:
  SessionValueEvaluator(SessionValueExpr::Kind kind, types::Type type, Runtime& runtime)
      : kind_(kind), type_(type), runtime_(runtime), result_(types::physical_of(type.oid)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    PANDO_ASSIGN(Value value, compute());
    if (type_.modifier != types::kNoModifier && !value.is_null()) {
      PANDO_ASSIGN(value, types::apply_modifier(type_, std::move(value), true));
    }
    result_.reset_constant(value, rows.count);
    out = &result_;
    return {};
  }

 private:
  Result<Value> compute() {
    using Kind = SessionValueExpr::Kind;
    EvaluationContext& evaluation = runtime_.context.evaluation;
    const types::TimeZone& zone = *evaluation.settings.time_zone;
    const int64_t now = evaluation.transaction_time_us;
    switch (kind_) {
      case Kind::kCurrentDate: {
        PANDO_ASSIGN(const int32_t date, types::date_of_timestamptz(now, zone));
        return Value::of_int32(date);
      }
      case Kind::kCurrentTimestamp:
        return Value::of_int64(now);
      case Kind::kLocalTimestamp: {
        PANDO_ASSIGN(const int64_t local, types::timestamp_of_timestamptz(now, zone));
        return Value::of_int64(local);
      }
      case Kind::kLocalTime: {
        PANDO_ASSIGN(const auto time, types::time_of_timestamptz(now, zone));
        return time ? Value::of_int64(*time) : Value::null();
      }
      case Kind::kCurrentTime: {
        PANDO_ASSIGN(const auto time, types::timetz_of_timestamptz(now, zone));
        return time ? Value::of_bytes(types::pack_timetz(*time)) : Value::null();
      }
      case Kind::kCurrentUser:
        return fact("current_user");
      case Kind::kSessionUser:
        return fact("session_user");
      case Kind::kCurrentCatalog:
        return fact("current_database");
      case Kind::kCurrentSchema: {
        const auto schemas = evaluation.services->current_schemas(false);
        return schemas.empty() ? Value::null() : Value::of_bytes(schemas.front());
      }
    }
    PANDO_UNREACHABLE("a session value out of range");
  }
  Value fact(std::string_view name) {
    auto text = runtime_.context.evaluation.services->fact(name);
    return text ? Value::of_bytes(std::move(*text)) : Value::null();
  }

  SessionValueExpr::Kind kind_;
  types::Type type_;
  Runtime& runtime_;
  Vector result_;
};

}  // namespace

Result<EvaluatorPtr> compile_node(const Expr& expr, const CastExpr& node, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(EvaluatorPtr argument, compile(node.argument, scope, runtime));
  const types::Type from = node.argument->type;
  switch (node.method) {
    case CastExpr::Method::kRelabel:
      return EvaluatorPtr(std::make_unique<RelabelEvaluator>(expr.type, std::move(argument)));
    case CastExpr::Method::kText:
      return EvaluatorPtr(std::make_unique<TextCastEvaluator>(from, expr.type, std::move(argument), runtime));
    case CastExpr::Method::kModifier:
      return EvaluatorPtr(
          std::make_unique<ModifierEvaluator>(from, expr.type, node.is_explicit, std::move(argument), runtime));
    case CastExpr::Method::kArrayElements: {
      Scope elements;
      elements.add(kElementColumn);
      PANDO_ASSIGN(EvaluatorPtr element, compile(node.element, elements, runtime));
      return EvaluatorPtr(std::make_unique<ArrayElementsEvaluator>(types::element_of(expr.type.oid),
                                                                   std::move(argument), std::move(element)));
    }
  }
  PANDO_UNREACHABLE("a cast method out of range");
}

Result<EvaluatorPtr> compile_node(const Expr& expr, const SessionValueExpr& node, const Scope&, Runtime& runtime) {
  return EvaluatorPtr(std::make_unique<SessionValueEvaluator>(node.kind, expr.type, runtime));
}

}  // namespace pando::sql::exec
