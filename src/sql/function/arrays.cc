// Arrays: construction, bounds, search, change, text. Comparison is in generic_comparison.cc, unnest() in
// set_functions.cc.

#include <algorithm>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/text_form.h"
#include "types/array.h"
#include "types/compare.h"
#include "types/utf8.h"

namespace pando::sql {
namespace {

using types::ArrayDimension;
using types::ArrayView;
using types::Value;
using OptionalBytes = std::optional<ByteView>;

Status null_not_allowed(std::string_view message) {
  return Status::from_message(sql_state::kNullValueNotAllowed, std::string(message));
}
Status subscript_error(std::string_view message) {
  return Status::from_message(sql_state::kArraySubscriptError, std::string(message));
}

// --- putting together: a NULL array is an empty one of the result's type ---
Result<Bytes> append(const CallTypes& types, OptionalBytes array, Value element) {
  const Bytes empty = types::empty_array(types::element_of(types.result.oid));
  return types::array_append(ArrayView(array.value_or(empty)), element);
}
Result<Bytes> prepend(const CallTypes& types, Value element, OptionalBytes array) {
  const Bytes empty = types::empty_array(types::element_of(types.result.oid));
  return types::array_prepend(element, ArrayView(array.value_or(empty)));
}
Result<std::optional<Bytes>> concatenate(OptionalBytes a, OptionalBytes b) {
  if (!a || !b) {
    const OptionalBytes present = a ? a : b;
    return present ? std::optional(Bytes(*present)) : std::nullopt;
  }
  PANDO_ASSIGN(Bytes joined, types::array_concat(ArrayView(*a), ArrayView(*b)));
  return std::optional(std::move(joined));
}

// array_fill(value, lengths [, lower bounds]).
Result<Bytes> fill_bounds(const CallTypes& types, Value value, OptionalBytes lengths, OptionalBytes lowers,
                          bool has_lowers) {
  if (!lengths || (has_lowers && !lowers)) {
    return null_not_allowed("dimension array or low bound array cannot be null");
  }
  const ArrayView length_array(*lengths);
  if (length_array.dimensions() > 1) {
    return subscript_error("wrong number of array subscripts").with_detail("Dimension array must be one dimensional.");
  }
  const std::size_t count = length_array.size();
  if (count > types::kArrayDimensionsMax) {
    return Status(sql_state::kProgramLimitExceeded, "number of array dimensions ({}) exceeds the maximum allowed ({})",
                  count, types::kArrayDimensionsMax);
  }
  const auto has_null = [](const ArrayView& array) {
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (array.is_null(i)) {
        return true;
      }
    }
    return false;
  };
  if (has_null(length_array)) {
    return null_not_allowed("dimension values cannot be null");
  }
  if (has_lowers) {
    const ArrayView lower_array(*lowers);
    if (lower_array.dimensions() > 1) {
      return subscript_error("wrong number of array subscripts")
          .with_detail("Dimension array must be one dimensional.");
    }
    if (lower_array.size() != count) {
      return subscript_error("wrong number of array subscripts")
          .with_detail("Low bound array has different size than dimensions array.");
    }
  }
  std::vector<ArrayDimension> dimensions(count);
  std::size_t total = count == 0 ? 0 : 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (has_lowers && ArrayView(*lowers).is_null(i)) {
      return null_not_allowed("dimension values cannot be null");
    }
    dimensions[i].length = length_array.at<int32_t>(i);
    dimensions[i].lower = has_lowers ? ArrayView(*lowers).at<int32_t>(i) : 1;
    const auto length = static_cast<std::size_t>(std::max(dimensions[i].length, -1));
    if (dimensions[i].length < 0 || (length > 0 && total > types::kArrayElementsMax / length)) {
      return Status(sql_state::kProgramLimitExceeded, "array size exceeds the maximum allowed ({})",
                    types::kArrayElementsMax);
    }
    total *= length;
  }
  const types::Oid element = types::element_of(types.result.oid);
  if (total == 0) {
    return types::empty_array(element);
  }
  types::ArrayBuilder builder(element);
  for (std::size_t i = 0; i < total; ++i) {
    builder.add(value);
  }
  return builder.finish(dimensions);
}
Result<Bytes> fill(const CallTypes& types, Value value, OptionalBytes lengths) {
  return fill_bounds(types, std::move(value), lengths, std::nullopt, false);
}
Result<Bytes> fill_lower(const CallTypes& types, Value value, OptionalBytes lengths, OptionalBytes lowers) {
  return fill_bounds(types, std::move(value), lengths, lowers, true);
}

// --- bounds ---
std::optional<ArrayDimension> dimension_of(ByteView packed, int32_t number) {
  const ArrayView array(packed);
  return number >= 1 && number <= array.dimensions() ? std::optional(array.dimension(number - 1)) : std::nullopt;
}
std::optional<int32_t> lower(ByteView array, int32_t number) {
  const auto dimension = dimension_of(array, number);
  return dimension ? std::optional(dimension->lower) : std::nullopt;
}
std::optional<int32_t> upper(ByteView array, int32_t number) {
  const auto dimension = dimension_of(array, number);
  return dimension ? std::optional(dimension->upper()) : std::nullopt;
}
std::optional<int32_t> length(ByteView array, int32_t number) {
  const auto dimension = dimension_of(array, number);
  return dimension ? std::optional(dimension->length) : std::nullopt;
}
std::optional<int32_t> dimension_count(ByteView packed) {
  const int count = ArrayView(packed).dimensions();
  return count == 0 ? std::nullopt : std::optional<int32_t>(count);
}
int32_t cardinality(ByteView packed) { return static_cast<int32_t>(ArrayView(packed).size()); }
std::optional<Bytes> dimensions_text(ByteView packed) {
  const ArrayView array(packed);
  Bytes out;
  for (int i = 0; i < array.dimensions(); ++i) {
    out += fmt::format("[{}:{}]", array.dimension(i).lower, array.dimension(i).upper());
  }
  return out.empty() ? std::nullopt : std::optional(std::move(out));
}

// --- search ---
Status no_search() {
  return {sql_state::kFeatureNotSupported, "searching for elements in multidimensional arrays is not supported"};
}
Result<std::optional<int32_t>> find_from(ByteView packed, const Value& element, std::size_t start) {
  const ArrayView array(packed);
  const auto at = types::array_find(array, element, start);
  return at ? std::optional(array.dimension(0).lower + static_cast<int32_t>(*at)) : std::nullopt;
}
Result<std::optional<int32_t>> position(OptionalBytes array, Value element) {
  if (!array) {
    return std::optional<int32_t>();
  }
  if (ArrayView(*array).dimensions() > 1) {
    return no_search();
  }
  return find_from(*array, element, 0);
}
Result<std::optional<int32_t>> position_start(OptionalBytes array, Value element, std::optional<int32_t> start) {
  if (!array) {
    return std::optional<int32_t>();
  }
  if (ArrayView(*array).dimensions() > 1) {
    return no_search();
  }
  if (!start) {
    return null_not_allowed("initial position must not be null");
  }
  if (ArrayView(*array).size() == 0) {
    return std::optional<int32_t>();
  }
  const int64_t skip = static_cast<int64_t>(*start) - ArrayView(*array).dimension(0).lower;
  return find_from(*array, element, static_cast<std::size_t>(std::max<int64_t>(skip, 0)));
}
Result<std::optional<Bytes>> positions(OptionalBytes packed, Value element) {
  if (!packed) {
    return std::optional<Bytes>();
  }
  const ArrayView array(*packed);
  if (array.dimensions() > 1) {
    return no_search();
  }
  types::ArrayBuilder builder(types::oid::kInt4);
  for (std::size_t next = 0; const auto at = types::array_find(array, element, next); next = *at + 1) {
    builder.add(Value::of_int32(array.dimension(0).lower + static_cast<int32_t>(*at)));
  }
  PANDO_ASSIGN(Bytes found, builder.finish());
  return std::optional(std::move(found));
}

// --- change ---
Result<std::optional<Bytes>> remove(OptionalBytes array, Value element) {
  if (!array) {
    return std::optional<Bytes>();
  }
  PANDO_ASSIGN(Bytes changed, types::array_remove(ArrayView(*array), element));
  return std::optional(std::move(changed));
}
Result<std::optional<Bytes>> replace(OptionalBytes array, Value from, Value to) {
  if (!array) {
    return std::optional<Bytes>();
  }
  PANDO_ASSIGN(Bytes changed, types::array_replace(ArrayView(*array), from, to));
  return std::optional(std::move(changed));
}
Result<Bytes> trim(ByteView packed, int32_t count) {
  const ArrayView array(packed);
  const int32_t length = array.dimensions() > 0 ? array.dimension(0).length : 0;
  if (count < 0 || count > length) {
    return Status(sql_state::kArraySubscriptError, "number of elements to trim must be between 0 and {}", length);
  }
  if (array.dimensions() == 0) {
    return Bytes(packed);
  }
  std::vector<types::ArraySliceBound> bounds(static_cast<std::size_t>(array.dimensions()));
  bounds[0].upper = array.dimension(0).upper() - count;
  return types::array_slice(array, bounds);
}

// --- text ---
Bytes join(EvaluationContext& context, ByteView packed, ByteView separator, OptionalBytes null_text) {
  const ArrayView array(packed);
  Bytes out;
  bool first = true;
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i) && !null_text) {
      continue;
    }
    out += first ? ByteView() : separator;
    first = false;
    if (array.is_null(i)) {
      out += *null_text;
    } else {
      print_value(context, {array.element_type()}, array.get(i), out);
    }
  }
  return out;
}
Bytes to_text(EvaluationContext& context, ByteView array, ByteView separator) {
  return join(context, array, separator, std::nullopt);
}
std::optional<Bytes> to_text_null(EvaluationContext& context, OptionalBytes array, OptionalBytes separator,
                                  OptionalBytes null_text) {
  return array && separator ? std::optional(join(context, *array, *separator, null_text)) : std::nullopt;
}
Result<std::optional<Bytes>> from_text_null(OptionalBytes text, OptionalBytes separator, OptionalBytes null_text) {
  if (!text) {
    return std::optional<Bytes>();
  }
  types::ArrayBuilder builder(types::oid::kText);
  for (const ByteView piece : split_text(*text, separator)) {
    if (null_text && piece == *null_text) {
      builder.add_null();
    } else {
      builder.add_bytes(piece);
    }
  }
  PANDO_ASSIGN(Bytes array, builder.finish());
  return std::optional(std::move(array));
}
Result<std::optional<Bytes>> from_text(OptionalBytes text, OptionalBytes separator) {
  return from_text_null(text, separator, std::nullopt);
}

// width_bucket(operand, thresholds): how many thresholds are at or below the operand.
Result<int32_t> width_bucket(const CallTypes& types, Value operand, ByteView packed) {
  const ArrayView thresholds(packed);
  if (thresholds.dimensions() > 1) {
    return subscript_error("thresholds must be one-dimensional array");
  }
  if (thresholds.has_nulls()) {
    return null_not_allowed("thresholds array must not contain NULLs");
  }
  const types::Oid type = types.arguments[0].oid;
  std::size_t low = 0;
  std::size_t high = thresholds.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (types::compare_values(type, operand, thresholds.get(middle)) < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return static_cast<int32_t>(low);
}

bool contains(ByteView a, ByteView b) { return types::array_contains(ArrayView(a), ArrayView(b)); }
bool is_contained(ByteView a, ByteView b) { return contains(b, a); }
bool overlaps(ByteView a, ByteView b) { return types::arrays_overlap(ArrayView(a), ArrayView(b)); }

}  // namespace

std::vector<ByteView> split_text(ByteView text, std::optional<ByteView> separator) {
  std::vector<ByteView> pieces;
  if (text.empty()) {
    return pieces;
  }
  if (!separator) {
    for (; !text.empty(); text.remove_prefix(pieces.back().size())) {
      pieces.push_back(text.substr(0, types::utf8_width(text.front())));
    }
    return pieces;
  }
  if (!separator->empty()) {
    for (std::size_t at = text.find(*separator); at != ByteView::npos; at = text.find(*separator)) {
      pieces.push_back(text.substr(0, at));
      text.remove_prefix(at + separator->size());
    }
  }
  pieces.push_back(text);
  return pieces;
}

KernelTable array_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"array_append", lift<append>},
      {"array_prepend", lift<prepend>},
      {"array_cat", lift<concatenate>},
      {"array_fill", lift<fill>},
      {"array_fill_with_lower_bounds", lift<fill_lower>},
      {"array_lower", lift<lower>},
      {"array_upper", lift<upper>},
      {"array_length", lift<length>},
      {"array_ndims", lift<dimension_count>},
      {"array_cardinality", lift<cardinality>},
      {"array_dims", lift<dimensions_text>},
      {"array_position", lift<position>},
      {"array_position_start", lift<position_start>},
      {"array_positions", lift<positions>},
      {"array_remove", lift<remove>},
      {"array_replace", lift<replace>},
      {"trim_array", lift<trim>},
      {"array_to_text", lift<to_text>},
      {"array_to_text_null", lift<to_text_null>},
      {"text_to_array", lift<from_text>},
      {"text_to_array_null", lift<from_text_null>},
      {"width_bucket_array", lift<width_bucket>},
      {"arraycontains", lift<contains>},
      {"arraycontained", lift<is_contained>},
      {"arrayoverlap", lift<overlaps>},
  };
  return kTable;
}

}  // namespace pando::sql
