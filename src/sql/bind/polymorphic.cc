// Polymorphic signatures: anyelement and its family must all be one type, anycompatible and its family are coerced to
// their common type (documentation 38.2.5).

#include "sql/bind/coercion.h"

namespace pando::sql {

namespace oid = types::oid;
using types::Oid;

namespace {

Status disagree(std::string_view message, Oid a, Oid b) {
  return Status::from_message(sql_state::kDatatypeMismatch, std::string(message))
      .with_detail(fmt::format("{} versus {}", type_name(a), type_name(b)));
}

// Arrays of rows have elements too, though no array type of its own kind is named by it.
bool has_elements(Oid type) { return types::is_array(type) || type == oid::kRecordArray; }

// What the arguments say the type variables are.
struct Variables {
  Oid element = 0;
  Oid array = 0;
  bool exact_used = false;
  bool non_array = false;
  bool is_enum = false;
  std::vector<Oid> compatible;
  bool compatible_used = false;
  bool compatible_non_array = false;
};

Status add_exact(Variables& variables, Oid declared, Oid actual) {
  variables.exact_used = true;
  variables.non_array = variables.non_array || declared == oid::kAnyNonArray;
  variables.is_enum = variables.is_enum || declared == oid::kAnyEnum;
  if (actual == oid::kUnknown) {
    return {};
  }
  Oid& slot = declared == oid::kAnyArray ? variables.array : variables.element;
  if (slot != 0 && slot != actual) {
    return disagree(fmt::format("arguments declared \"{}\" are not all alike", type_name(declared)), slot, actual);
  }
  slot = actual;
  return {};
}

Status add_compatible(Variables& variables, Oid declared, Oid actual) {
  variables.compatible_used = true;
  variables.compatible_non_array = variables.compatible_non_array || declared == oid::kAnyCompatibleNonArray;
  if (actual == oid::kUnknown) {
    return {};
  }
  if (declared != oid::kAnyCompatibleArray) {
    variables.compatible.push_back(actual);
    return {};
  }
  if (!has_elements(actual)) {
    return {sql_state::kDatatypeMismatch, "argument declared {} is not an array but type {}", type_name(declared),
            type_name(actual)};
  }
  variables.compatible.push_back(types::element_of(actual));
  return {};
}

Status settle_exact(Variables& variables) {
  if (variables.array != 0) {
    if (!has_elements(variables.array)) {
      return {sql_state::kDatatypeMismatch, "argument declared {} is not an array but type {}", "anyarray",
              type_name(variables.array)};
    }
    const Oid element = types::element_of(variables.array);
    if (variables.element != 0 && variables.element != element) {
      return disagree("argument declared anyarray is not consistent with argument declared anyelement", variables.array,
                      variables.element);
    }
    variables.element = element;
  }
  if (variables.exact_used && variables.element == 0) {
    return {sql_state::kDatatypeMismatch, "could not determine polymorphic type because input has type {}", "unknown"};
  }
  if (variables.non_array && types::is_array(variables.element)) {
    return {sql_state::kDatatypeMismatch, "type matched to anynonarray is an array type: {}",
            type_name(variables.element)};
  }
  if (variables.is_enum && !types::is_enum(variables.element)) {
    return {sql_state::kDatatypeMismatch, "type matched to anyenum is not an enum type: {}",
            type_name(variables.element)};
  }
  if (variables.exact_used && variables.array == 0) {
    variables.array = types::array_of(variables.element);
  }
  return {};
}

Result<Oid> settle_compatible(const Variables& variables) {
  if (!variables.compatible_used) {
    return Oid{0};
  }
  std::vector<ExprPtr> typed;
  for (const Oid type : variables.compatible) {
    typed.push_back(make_expr({type}, ConstantExpr{}));
  }
  // An empty list is all unknown: text.
  PANDO_ASSIGN(const Oid common, select_common_type(typed, "anycompatible"));
  if (variables.compatible_non_array && types::is_array(common)) {
    return Status(sql_state::kDatatypeMismatch, "type matched to anycompatiblenonarray is an array type: {}",
                  type_name(common));
  }
  return common;
}

Result<Oid> array_type(Oid element) {
  const Oid array = types::array_of(element);
  if (array == 0) {
    return Status(sql_state::kUndefinedObject, "could not find array type for data type {}", type_name(element));
  }
  return array;
}

Result<Oid> actual_of(Oid declared, const Variables& variables, Oid compatible) {
  switch (declared) {
    case oid::kAnyElement:
    case oid::kAnyNonArray:
    case oid::kAnyEnum:
      return variables.element;
    case oid::kAnyArray:
      return variables.array != 0 ? Result<Oid>(variables.array) : array_type(variables.element);
    case oid::kAnyCompatible:
    case oid::kAnyCompatibleNonArray:
      return compatible;
    case oid::kAnyCompatibleArray:
      return array_type(compatible);
    default:
      return declared;
  }
}

}  // namespace

Result<Oid> resolve_polymorphic(std::span<const Oid> actual, std::vector<Oid>& declared, Oid result) {
  Variables variables;
  for (std::size_t i = 0; i < declared.size() && i < actual.size(); ++i) {
    switch (declared[i]) {
      case oid::kAnyElement:
      case oid::kAnyNonArray:
      case oid::kAnyEnum:
      case oid::kAnyArray:
        PANDO_TRY(add_exact(variables, declared[i], actual[i]));
        break;
      case oid::kAnyCompatible:
      case oid::kAnyCompatibleNonArray:
      case oid::kAnyCompatibleArray:
        PANDO_TRY(add_compatible(variables, declared[i], actual[i]));
        break;
      default:
        break;
    }
  }
  PANDO_TRY(settle_exact(variables));
  PANDO_ASSIGN(const Oid compatible, settle_compatible(variables));
  for (Oid& type : declared) {
    PANDO_ASSIGN(type, actual_of(type, variables, compatible));
  }
  return actual_of(result, variables, compatible);
}

bool polymorphic_agrees(std::span<const Oid> actual, std::span<const Oid> declared) {
  // Candidates with all-unknown arguments agree: the error comes when one of them is chosen.
  Variables variables;
  for (std::size_t i = 0; i < declared.size() && i < actual.size(); ++i) {
    Status status;
    switch (declared[i]) {
      case oid::kAnyElement:
      case oid::kAnyNonArray:
      case oid::kAnyEnum:
      case oid::kAnyArray:
        status = add_exact(variables, declared[i], actual[i]);
        break;
      case oid::kAnyCompatible:
      case oid::kAnyCompatibleNonArray:
      case oid::kAnyCompatibleArray:
        status = add_compatible(variables, declared[i], actual[i]);
        break;
      default:
        break;
    }
    if (!status.ok()) {
      return false;
    }
  }
  if (variables.exact_used && variables.element == 0 && variables.array == 0) {
    return true;
  }
  return settle_exact(variables).ok() && settle_compatible(variables).ok();
}

}  // namespace pando::sql
