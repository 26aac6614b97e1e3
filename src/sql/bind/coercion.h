#pragma once

// Type conversion as PostgreSQL 15 does it (documentation, chapter 10): which casts are allowed where, and the
// expressions that make them. Internal to sql/bind.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sql/bind/context.h"
#include "sql/function/function.h"

namespace pando::sql {

// How a value of one type becomes another.
struct CoercionPath {
  enum class Kind : uint8_t { kNone, kRelabel, kFunction, kText, kArray };
  Kind kind = Kind::kNone;
  const Function* function = nullptr;
};
CoercionPath find_coercion(types::Oid source, types::Oid target, CastContext context);

bool is_polymorphic(types::Oid type);
// Whether arguments of these types may be passed to a function of those, implicitly.
bool can_coerce(std::span<const types::Oid> sources, std::span<const types::Oid> targets, CastContext context);
bool can_coerce(types::Oid source, types::Oid target, CastContext context);

// The expression as `target`, modifier included. 42846 or 42804 never come from here: nullptr means there is no such
// cast, and the caller knows the message. Errors are those of a literal's text.
Result<ExprPtr> coerce(BindContext& context, ExprPtr expr, types::Type target, CastContext cast_context,
                       int position = 0);
// The same for a type without modifier and an implicit context, where can_coerce() has been checked.
Result<ExprPtr> coerce_argument(BindContext& context, ExprPtr expr, types::Oid target);
// Applies a modifier to an expression that has the type already.
ExprPtr apply_modifier(ExprPtr expr, types::Type target, bool is_explicit);
// An expression that must be boolean: 42804 'argument of WHERE must be type boolean, not type integer'.
Result<ExprPtr> coerce_to_boolean(BindContext& context, ExprPtr expr, std::string_view construct);
// Unknown literals and parameters as text, everything else as it is.
Result<ExprPtr> resolve_unknown(BindContext& context, ExprPtr expr);

// The common type of UNION, CASE, VALUES, IN, COALESCE, ARRAY...: 42804 '<construct> types a and b cannot be matched'.
Result<types::Oid> select_common_type(std::span<const ExprPtr> exprs, std::string_view construct);
// The modifier that all share with that type, or none.
int32_t common_modifier(std::span<const ExprPtr> exprs, types::Oid type);
// Coerces to the common type. 42846 '<construct> could not convert type a to b'.
Result<ExprPtr> coerce_to_common(BindContext& context, ExprPtr expr, types::Oid type, std::string_view construct);

// The actual types of a polymorphic signature: replaces polymorphic entries of `declared` in place and returns the
// result type. 42804 with PostgreSQL's messages when they do not agree.
Result<types::Oid> resolve_polymorphic(std::span<const types::Oid> actual, std::vector<types::Oid>& declared,
                                       types::Oid result);
// The same as a question, while candidates are compared.
bool polymorphic_agrees(std::span<const types::Oid> actual, std::span<const types::Oid> declared);

// The leftmost position of an expression: where errors about its type point.
int location_of(const ExprPtr& expr);

char category_of(types::Oid type);
bool is_preferred(types::Oid type);
// format_type without modifier: "integer".
std::string type_name(types::Oid type);

}  // namespace pando::sql
