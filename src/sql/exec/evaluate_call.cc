#include "sql/exec/compile_node.h"

namespace pando::sql::exec {

using types::Vector;

FunctionCall::FunctionCall(const Function& function, std::vector<types::Type> arguments, types::Type result,
                           Runtime& runtime)
    : function_(function),
      argument_types_(std::move(arguments)),
      result_(result),
      runtime_(runtime),
      single_(types::physical_of(result.oid)) {}

Status FunctionCall::call(std::span<const Vector* const> arguments, std::size_t rows, Vector& out) {
  bool all_constant = function_.volatility != Volatility::kVolatile;
  for (const Vector* argument : arguments) {
    if (!argument->is_constant()) {
      all_constant = false;
    } else if (function_.strict && argument->is_null(0)) {
      out.reset_constant(types::Value::null(), rows);
      return {};
    }
  }
  if (!all_constant) {
    return call_flat(arguments, rows, out);
  }
  PANDO_TRY(call_flat(arguments, 1, single_));
  out.reset_constant(single_.get(0), rows);
  return {};
}

Status FunctionCall::call_flat(std::span<const Vector* const> arguments, std::size_t rows, Vector& out) {
  out.reset(rows);
  if (function_.strict) {
    for (const Vector* argument : arguments) {
      const uint8_t* nulls = argument->is_constant() ? nullptr : argument->nulls();
      for (std::size_t i = 0; nulls != nullptr && i < rows; ++i) {
        if (nulls[i] != 0) {
          out.set_null(i);
        }
      }
    }
  }
  const CallTypes types{argument_types_, result_, variadic_array_, field_names_};
  return function_.scalar(runtime_.context.evaluation, types, arguments, rows, out);
}

void FunctionCall::describe(bool variadic_array, std::vector<std::string> field_names) {
  variadic_array_ = variadic_array;
  field_names_ = std::move(field_names);
}

std::vector<std::string> field_names_of(const std::vector<ExprPtr>& arguments) {
  for (const ExprPtr& argument : arguments) {
    // A table's row that an outer join may lack is the only result of a CASE.
    const auto* choice = as<CaseExpr>(argument);
    if (const auto* row = as<RowExpr>(choice == nullptr ? argument : choice->branches[0].result)) {
      return row->names;
    }
  }
  return {};
}

namespace {

class CallEvaluator final : public Evaluator {
 public:
  CallEvaluator(FunctionCall call, std::vector<EvaluatorPtr> arguments, types::Type result)
      : call_(std::move(call)),
        arguments_(std::move(arguments)),
        values_(arguments_.size()),
        result_(types::physical_of(result.oid)) {}

  Status evaluate(const Rows& rows, const Vector*& out) override {
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      PANDO_TRY(arguments_[i]->evaluate(rows, values_[i]));
    }
    out = &result_;
    return call_.call(values_, rows.count, result_);
  }

 private:
  FunctionCall call_;
  std::vector<EvaluatorPtr> arguments_;
  std::vector<const Vector*> values_;
  Vector result_;
};

}  // namespace

Result<EvaluatorPtr> compile_node(const Expr& expr, const CallExpr& node, const Scope& scope, Runtime& runtime) {
  if (node.function->scalar == nullptr) {
    return Status(sql_state::kFeatureNotSupported, "function {} is not supported", node.function->name);
  }
  PANDO_ASSIGN(auto arguments, compile_all(node.arguments, scope, runtime));
  std::vector<types::Type> argument_types;
  for (const ExprPtr& argument : node.arguments) {
    argument_types.push_back(argument->type);
  }
  FunctionCall call(*node.function, std::move(argument_types), expr.type, runtime);
  call.describe(node.variadic_array, field_names_of(node.arguments));
  return EvaluatorPtr(std::make_unique<CallEvaluator>(std::move(call), std::move(arguments), expr.type));
}

}  // namespace pando::sql::exec
