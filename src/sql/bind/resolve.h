#pragma once

// Overload resolution of operators and functions (PostgreSQL 15 documentation, 10.2 and 10.3). Internal to sql/bind.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sql/bind/coercion.h"
#include "sql/bind/context.h"
#include "sql/function/function.h"

namespace pando::sql {

struct OperatorChoice {
  const Operator* op = nullptr;
  // What the operands must be coerced to, polymorphic types resolved. left is 0 for a prefix operator.
  types::Oid left = 0;
  types::Oid right = 0;
  types::Oid result = 0;
};
// left is 0 for a prefix operator. 42883, 42725 with PostgreSQL's messages.
Result<OperatorChoice> choose_operator(const ast::QualifiedName& name, types::Oid left, types::Oid right, int position);

// The call that applies the operator to coerced operands; `left` is null for a prefix operator.
Result<ExprPtr> apply_operator(BindContext& context, const ast::QualifiedName& name, ExprPtr left, ExprPtr right,
                               int position);
// The operator's function for operands that have or were coerced to these types; coerces both in place.
Result<const Function*> coerce_operands(BindContext& context, const ast::QualifiedName& name, ExprPtr& left,
                                        ExprPtr& right, int position);

struct FunctionChoice {
  // Null when the call is a cast written as a function: int4(x).
  const Function* function = nullptr;
  types::Oid cast_target = 0;
  // For each argument of the call, in the order of the parameters, after named ones are put in place.
  std::vector<types::Oid> argument_types;
  // Which argument of the call goes to parameter i; -1 for a default.
  std::vector<int> argument_order;
  types::Oid result = 0;
  // The last arguments, from here on, are gathered into an array.
  std::optional<std::size_t> variadic_from;
};

struct CallShape {
  const ast::QualifiedName& name;
  std::span<const types::Oid> types;
  // As many as types; empty for positional arguments.
  std::span<const std::string> names;
  // VARIADIC was written.
  bool variadic = false;
  // Whether the call may be a cast in disguise.
  bool may_be_cast = true;
  int position = 0;
};
Result<FunctionChoice> choose_function(const BindContext& context, const CallShape& call);

// "t.f(integer, text)".
std::string signature_text(const ast::QualifiedName& name, std::span<const types::Oid> types,
                           std::span<const std::string> names = {});
std::string name_text(const ast::QualifiedName& name);

}  // namespace pando::sql
