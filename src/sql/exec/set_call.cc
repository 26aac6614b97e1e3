#include "sql/exec/set_call.h"

#include "types/record.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Value;
using types::Vector;

namespace {

// What anyelement stands for beside an anyarray argument.
types::Oid element_of_arguments(const std::vector<ExprPtr>& arguments) {
  for (const ExprPtr& argument : arguments) {
    if (types::is_array(argument->type.oid)) {
      return types::element_of(argument->type.oid);
    }
  }
  return types::oid::kText;
}

}  // namespace

Result<SetCall> SetCall::make(const ExprPtr& expr, const Scope& scope, bool pack, Runtime& runtime) {
  SetCall call;
  call.runtime_ = &runtime;
  call.result_ = expr->type;
  const auto* node = as<CallExpr>(expr);
  if (node == nullptr || node->function->kind != FunctionKind::kSet) {
    call.physicals_ = {types::physical_of(expr->type.oid)};
    PANDO_ASSIGN(call.arguments_, Projection::make({expr}, scope, runtime));
    return call;
  }
  if (node->function->set == nullptr) {
    return Status(sql_state::kFeatureNotSupported, "function {} is not supported", node->function->name);
  }
  call.function_ = node->function;
  PANDO_ASSIGN(call.arguments_, Projection::make(node->arguments, scope, runtime));
  for (const ExprPtr& argument : node->arguments) {
    call.argument_types_.push_back(argument->type);
  }
  if (node->function->out_columns.size() > 1) {
    for (const OutColumn& column : node->function->out_columns) {
      const bool is_element = column.type == types::oid::kAnyElement;
      call.column_types_.push_back({is_element ? element_of_arguments(node->arguments) : column.type});
    }
  } else {
    call.column_types_ = {expr->type};
  }
  call.pack_ = pack && call.column_types_.size() > 1;
  if (call.pack_) {
    call.physicals_ = {types::Physical::kBytes};
  } else {
    for (const types::Type type : call.column_types_) {
      call.physicals_.push_back(types::physical_of(type.oid));
    }
  }
  return call;
}

Task<Status> SetCall::start(const Chunk& rows, std::size_t row) {
  Chunk one;
  gather(rows, {static_cast<uint32_t>(row)}, one);
  ended_ = false;
  started_ = false;
  row_ = 0;
  if (function_ == nullptr) {
    co_return co_await arguments_.evaluate(one, values_);
  }
  Chunk arguments;
  PANDO_CO_TRY(co_await arguments_.evaluate(one, arguments));
  std::vector<Value> values;
  for (const Vector& argument : arguments.columns) {
    values.push_back(argument.get(0));
    if (function_->strict && values.back().is_null()) {
      ended_ = true;
    }
  }
  values_.rows = 0;
  if (!ended_) {
    PANDO_CO_ASSIGN(set_, function_->set(runtime_->context.evaluation, {argument_types_, result_}, values));
  }
  co_return Status();
}

Result<bool> SetCall::advance() {
  if (ended_) {
    return false;
  }
  if (function_ == nullptr) {
    ended_ = started_;
    started_ = true;
    return !ended_;
  }
  if (started_ && row_ + 1 < values_.rows) {
    ++row_;
    return true;
  }
  started_ = true;
  row_ = 0;
  values_.columns.clear();
  for (const types::Type type : column_types_) {
    values_.columns.emplace_back(types::physical_of(type.oid));
  }
  values_.rows = 0;
  PANDO_TRY(set_->next(values_));
  ended_ = values_.rows == 0;
  return !ended_;
}

void SetCall::copy(std::size_t column, Vector& out, std::size_t to) const {
  if (!pack_) {
    out.set_from(to, values_.columns[column], values_.columns[column].slot(row_));
    return;
  }
  std::vector<types::RecordField> fields;
  for (std::size_t i = 0; i < column_types_.size(); ++i) {
    fields.push_back({column_types_[i], values_.columns[i].get(row_)});
  }
  out.set_bytes(to, types::pack_record(fields));
}

}  // namespace pando::sql::exec
