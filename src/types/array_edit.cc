// Subscripts, slices, concatenation and other edits of arrays.

#include <algorithm>

#include "types/array.h"
#include "types/compare.h"

namespace pando::types {
namespace {

using Dimensions = std::vector<ArrayDimension>;

Dimensions dimensions_of(const ArrayView& array) {
  Dimensions dimensions;
  for (int i = 0; i < array.dimensions(); ++i) {
    dimensions.push_back(array.dimension(i));
  }
  return dimensions;
}

void add_all(ArrayBuilder& builder, const ArrayView& array) {
  for (std::size_t i = 0; i < array.size(); ++i) {
    builder.add_from(array, i);
  }
}

Status subscript_error(std::string_view message) { return {sql_state::kArraySubscriptError, "{}", message}; }

Status incompatible(std::string_view detail) {
  return Status(sql_state::kArraySubscriptError, "cannot concatenate incompatible arrays")
      .with_detail(std::string(detail));
}

Result<Bytes> copy_with(const ArrayView& array, const Dimensions& dimensions) {
  ArrayBuilder builder(array.element_type());
  add_all(builder, array);
  return builder.finish(dimensions);
}

// Offsets of a box within an array: calls visit(position) for each element inside, in row-major order.
template <typename Visit>
void visit_box(const Dimensions& whole, const Dimensions& box, Visit visit) {
  std::vector<int32_t> index;
  for (const ArrayDimension& dimension : box) {
    index.push_back(dimension.lower);
  }
  while (true) {
    std::size_t position = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      position =
          position * static_cast<std::size_t>(whole[i].length) + static_cast<std::size_t>(index[i] - whole[i].lower);
    }
    visit(position);
    std::size_t i = box.size();
    while (i-- > 0) {
      if (++index[i] <= box[i].upper()) {
        break;
      }
      index[i] = box[i].lower;
      if (i == 0) {
        return;
      }
    }
  }
}

// The bounds of a slice, clipped to the array; nullopt when nothing is left.
std::optional<Dimensions> clip(const Dimensions& whole, std::span<const ArraySliceBound> bounds) {
  Dimensions box;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const bool given = i < bounds.size();
    const int32_t lower = std::max(given && bounds[i].lower ? *bounds[i].lower : whole[i].lower, whole[i].lower);
    const int32_t upper = std::min(given && bounds[i].upper ? *bounds[i].upper : whole[i].upper(), whole[i].upper());
    if (lower > upper) {
      return std::nullopt;
    }
    box.push_back({upper - lower + 1, lower});
  }
  return box;
}

// A one-dimensional array with elements [lower, upper] taken from `pick`.
template <typename Pick>
Result<Bytes> rebuild(Oid element, int32_t lower, int32_t upper, Pick pick) {
  ArrayBuilder builder(element);
  const int64_t length = int64_t{upper} - lower + 1;
  if (length > static_cast<int64_t>(kArrayElementsMax)) {
    return Status(sql_state::kProgramLimitExceeded, "array size exceeds the maximum allowed ({})", kArrayElementsMax);
  }
  for (int64_t i = lower; i <= upper; ++i) {
    pick(builder, static_cast<int32_t>(i));
  }
  const ArrayDimension dimension{static_cast<int32_t>(length), lower};
  return builder.finish({&dimension, 1});
}

void add_or_null(ArrayBuilder& builder, const ArrayView& array, const ArrayDimension& dimension, int32_t i) {
  if (i >= dimension.lower && i <= dimension.upper()) {
    builder.add_from(array, static_cast<std::size_t>(i - dimension.lower));
  } else {
    builder.add_null();
  }
}

}  // namespace

Result<Bytes> stack_arrays(Oid element, std::span<const std::optional<ByteView>> parts) {
  const auto mismatch = [] {
    return subscript_error("multidimensional arrays must have array expressions with matching dimensions");
  };
  ArrayBuilder builder(element);
  std::optional<Dimensions> inner;
  bool has_empty = false;
  for (const auto& part : parts) {
    if (!part || ArrayView(*part).dimensions() == 0) {
      has_empty = true;
      continue;
    }
    const ArrayView view(*part);
    const Dimensions dimensions = dimensions_of(view);
    if (inner && *inner != dimensions) {
      return mismatch();
    }
    inner = dimensions;
    add_all(builder, view);
  }
  if (!inner) {
    return empty_array(element);
  }
  if (has_empty) {
    return mismatch();
  }
  if (inner->size() == static_cast<std::size_t>(kArrayDimensionsMax)) {
    return Status(sql_state::kProgramLimitExceeded, "number of array dimensions ({}) exceeds the maximum allowed ({})",
                  kArrayDimensionsMax + 1, kArrayDimensionsMax);
  }
  inner->insert(inner->begin(), ArrayDimension{static_cast<int32_t>(parts.size()), 1});
  return builder.finish(*inner);
}

std::optional<std::size_t> array_position_of(const ArrayView& array, std::span<const int32_t> subscripts) {
  if (array.dimensions() == 0 || subscripts.size() != static_cast<std::size_t>(array.dimensions())) {
    return std::nullopt;
  }
  std::size_t position = 0;
  for (int i = 0; i < array.dimensions(); ++i) {
    const ArrayDimension dimension = array.dimension(i);
    const int64_t offset = int64_t{subscripts[static_cast<std::size_t>(i)]} - dimension.lower;
    if (offset < 0 || offset >= dimension.length) {
      return std::nullopt;
    }
    position = position * static_cast<std::size_t>(dimension.length) + static_cast<std::size_t>(offset);
  }
  return position;
}

Result<Bytes> array_slice(const ArrayView& array, std::span<const ArraySliceBound> bounds) {
  const Dimensions whole = dimensions_of(array);
  const auto box = bounds.size() <= whole.size() ? clip(whole, bounds) : std::nullopt;
  if (whole.empty() || !box) {
    return empty_array(array.element_type());
  }
  ArrayBuilder builder(array.element_type());
  visit_box(whole, *box, [&](std::size_t position) { builder.add_from(array, position); });
  Dimensions shape = *box;
  for (ArrayDimension& dimension : shape) {
    dimension.lower = 1;
  }
  return builder.finish(shape);
}

Result<Bytes> array_assign(const ArrayView& array, std::span<const int32_t> subscripts, const Value& value) {
  if (array.dimensions() == 0) {
    Dimensions shape;
    for (const int32_t subscript : subscripts) {
      shape.push_back({1, subscript});
    }
    ArrayBuilder builder(array.element_type());
    builder.add(value);
    return builder.finish(shape);
  }
  if (subscripts.size() != static_cast<std::size_t>(array.dimensions())) {
    return subscript_error("wrong number of array subscripts");
  }
  if (array.dimensions() == 1) {
    const ArrayDimension dimension = array.dimension(0);
    return rebuild(array.element_type(), std::min(dimension.lower, subscripts[0]),
                   std::max(dimension.upper(), subscripts[0]), [&](ArrayBuilder& builder, int32_t i) {
                     if (i == subscripts[0]) {
                       builder.add(value);
                     } else {
                       add_or_null(builder, array, dimension, i);
                     }
                   });
  }
  const auto target = array_position_of(array, subscripts);
  if (!target) {
    return subscript_error("array subscript out of range");
  }
  ArrayBuilder builder(array.element_type());
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i == *target) {
      builder.add(value);
    } else {
      builder.add_from(array, i);
    }
  }
  return builder.finish(dimensions_of(array));
}

Result<Bytes> array_assign_slice(const ArrayView& array, std::span<const ArraySliceBound> bounds,
                                 const ArrayView& source) {
  Dimensions whole = dimensions_of(array);
  Dimensions box;
  if (whole.empty()) {
    for (const ArraySliceBound& bound : bounds) {
      if (!bound.lower || !bound.upper) {
        return Status(subscript_error("array slice subscript must provide both boundaries"))
            .with_detail(
                "When assigning to a slice of an empty array value, slice boundaries must be fully specified.");
      }
    }
  } else if (bounds.size() > whole.size()) {
    return subscript_error("wrong number of array subscripts");
  }
  for (std::size_t i = 0; i < std::max(whole.size(), bounds.size()); ++i) {
    const bool given = i < bounds.size();
    const int32_t lower = given && bounds[i].lower ? *bounds[i].lower : whole[i].lower;
    const int32_t upper = given && bounds[i].upper ? *bounds[i].upper : whole[i].upper();
    if (lower > upper) {
      return subscript_error("upper bound cannot be less than lower bound");
    }
    box.push_back({upper - lower + 1, lower});
  }
  std::size_t wanted = 1;
  for (std::size_t i = 0; i < box.size(); ++i) {
    wanted *= static_cast<std::size_t>(box[i].length);
    const bool outside = !whole.empty() && (box[i].lower < whole[i].lower || box[i].upper() > whole[i].upper());
    if (whole.size() > 1 && outside) {
      return subscript_error("array subscript out of range");
    }
  }
  if (source.size() < wanted) {
    return subscript_error("source array too small");
  }
  if (whole.empty()) {
    ArrayBuilder builder(array.element_type());
    for (std::size_t i = 0; i < wanted; ++i) {
      builder.add_from(source, i);
    }
    return builder.finish(box);
  }
  if (whole.size() == 1) {
    const ArrayDimension dimension = whole[0];
    return rebuild(array.element_type(), std::min(dimension.lower, box[0].lower),
                   std::max(dimension.upper(), box[0].upper()), [&](ArrayBuilder& builder, int32_t i) {
                     if (i >= box[0].lower && i <= box[0].upper()) {
                       builder.add_from(source, static_cast<std::size_t>(i - box[0].lower));
                     } else {
                       add_or_null(builder, array, dimension, i);
                     }
                   });
  }
  std::vector<std::size_t> from(array.size(), SIZE_MAX);
  std::size_t next = 0;
  visit_box(whole, box, [&](std::size_t position) { from[position] = next++; });
  ArrayBuilder builder(array.element_type());
  for (std::size_t i = 0; i < array.size(); ++i) {
    from[i] == SIZE_MAX ? builder.add_from(array, i) : builder.add_from(source, from[i]);
  }
  return builder.finish(whole);
}

Result<Bytes> array_append(const ArrayView& array, const Value& element) {
  if (array.dimensions() > 1) {
    return Status(sql_state::kDataException, "argument must be empty or one-dimensional array");
  }
  ArrayBuilder builder(array.element_type());
  add_all(builder, array);
  builder.add(element);
  const ArrayDimension dimension{static_cast<int32_t>(builder.size()),
                                 array.dimensions() == 0 ? 1 : array.dimension(0).lower};
  return builder.finish({&dimension, 1});
}

Result<Bytes> array_prepend(const Value& element, const ArrayView& array) {
  if (array.dimensions() > 1) {
    return Status(sql_state::kDataException, "argument must be empty or one-dimensional array");
  }
  ArrayBuilder builder(array.element_type());
  builder.add(element);
  add_all(builder, array);
  const ArrayDimension dimension{static_cast<int32_t>(builder.size()),
                                 array.dimensions() == 0 ? 1 : array.dimension(0).lower};
  return builder.finish({&dimension, 1});
}

Result<Bytes> array_concat(const ArrayView& a, const ArrayView& b) {
  if (a.dimensions() == 0) {
    return copy_with(b, dimensions_of(b));
  }
  if (b.dimensions() == 0) {
    return copy_with(a, dimensions_of(a));
  }
  Dimensions left = dimensions_of(a);
  Dimensions right = dimensions_of(b);
  const int difference = a.dimensions() - b.dimensions();
  if (difference < -1 || difference > 1) {
    return incompatible(fmt::format("Arrays of {} and {} dimensions are not compatible for concatenation.",
                                    a.dimensions(), b.dimensions()));
  }
  Dimensions shape;
  if (difference == 0) {
    for (std::size_t i = 1; i < left.size(); ++i) {
      if (left[i] != right[i]) {
        return incompatible("Arrays with differing element dimensions are not compatible for concatenation.");
      }
    }
    shape = left;
    shape[0].length += right[0].length;
  } else {
    const Dimensions& outer = difference > 0 ? left : right;
    const Dimensions& inner = difference > 0 ? right : left;
    for (std::size_t i = 0; i < inner.size(); ++i) {
      if (outer[i + 1] != inner[i]) {
        return incompatible("Arrays with differing dimensions are not compatible for concatenation.");
      }
    }
    shape = outer;
    shape[0].length += 1;
  }
  ArrayBuilder builder(a.element_type());
  add_all(builder, a);
  add_all(builder, b);
  return builder.finish(shape);
}

Result<Bytes> array_remove(const ArrayView& array, const Value& element) {
  if (array.dimensions() > 1) {
    return Status(sql_state::kFeatureNotSupported, "removing elements from multidimensional arrays is not supported");
  }
  ArrayBuilder builder(array.element_type());
  std::size_t next = 0;
  while (true) {
    const auto found = array_find(array, element, next);
    const std::size_t end = found ? *found : array.size();
    for (; next < end; ++next) {
      builder.add_from(array, next);
    }
    if (!found) {
      break;
    }
    ++next;
  }
  if (builder.size() == 0) {
    return empty_array(array.element_type());
  }
  const ArrayDimension dimension{static_cast<int32_t>(builder.size()), array.dimension(0).lower};
  return builder.finish({&dimension, 1});
}

Result<Bytes> array_replace(const ArrayView& array, const Value& from, const Value& to) {
  ArrayBuilder builder(array.element_type());
  std::size_t next = 0;
  while (next < array.size()) {
    const std::size_t end = array_find(array, from, next).value_or(array.size());
    for (; next < end; ++next) {
      builder.add_from(array, next);
    }
    if (next < array.size()) {
      builder.add(to);
      ++next;
    }
  }
  return builder.finish(dimensions_of(array));
}

}  // namespace pando::types
