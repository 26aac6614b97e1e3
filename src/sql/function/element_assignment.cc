#include "sql/function/element_assignment.h"

#include <optional>
#include <vector>

#include "types/array.h"

namespace pando::sql {

namespace {

using types::ArrayView;
using types::Vector;
using Arguments = std::span<const Vector* const>;

Status null_subscript() { return {sql_state::kNullValueNotAllowed, "array subscript in assignment must not be null"}; }

Result<int32_t> subscript_at(const Vector& subscripts, std::size_t row) {
  if (subscripts.is_null(row)) {
    return null_subscript();
  }
  return subscripts.at<int32_t>(row);
}

Status assign_element(EvaluationContext&, const CallTypes& types, Arguments arguments, std::size_t rows, Vector& out) {
  const Bytes empty = types::empty_array(types::element_of(types.result.oid));
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<int32_t> subscripts;
    for (const Vector* argument : arguments.subspan(2)) {
      PANDO_ASSIGN(subscripts.emplace_back(), subscript_at(*argument, row));
    }
    const ArrayView array(arguments[0]->is_null(row) ? ByteView(empty) : arguments[0]->bytes_at(row));
    PANDO_ASSIGN(const Bytes assigned, types::array_assign(array, subscripts, arguments[1]->get(row)));
    out.set_bytes(row, assigned);
  }
  return {};
}

Result<std::optional<int32_t>> bound_at(const Vector& bounds, const Vector& given, std::size_t row) {
  if (!given.at<bool>(row)) {
    return std::optional<int32_t>();
  }
  PANDO_ASSIGN(const int32_t bound, subscript_at(bounds, row));
  return std::optional(bound);
}

Status assign_slice(EvaluationContext&, const CallTypes& types, Arguments arguments, std::size_t rows, Vector& out) {
  const Bytes empty = types::empty_array(types::element_of(types.result.oid));
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<types::ArraySliceBound> bounds;
    for (std::size_t i = 2; i + 3 < arguments.size(); i += 4) {
      types::ArraySliceBound& bound = bounds.emplace_back();
      PANDO_ASSIGN(bound.lower, bound_at(*arguments[i], *arguments[i + 1], row));
      PANDO_ASSIGN(bound.upper, bound_at(*arguments[i + 2], *arguments[i + 3], row));
    }
    // Assigning a NULL slice changes nothing, as in PostgreSQL.
    if (arguments[1]->is_null(row)) {
      out.set(row, arguments[0]->get(row));
      continue;
    }
    const ArrayView array(arguments[0]->is_null(row) ? ByteView(empty) : arguments[0]->bytes_at(row));
    PANDO_ASSIGN(const Bytes assigned,
                 types::array_assign_slice(array, bounds, ArrayView(arguments[1]->bytes_at(row))));
    out.set_bytes(row, assigned);
  }
  return {};
}

}  // namespace

const Function& element_assignment() {
  static const Function function{.name = "element_assignment", .strict = false, .scalar = assign_element};
  return function;
}

const Function& slice_assignment() {
  static const Function function{.name = "slice_assignment", .strict = false, .scalar = assign_slice};
  return function;
}

}  // namespace pando::sql
