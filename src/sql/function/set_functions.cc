// Set-returning functions: generate_series, generate_subscripts, unnest, string_to_table.

#include <algorithm>

#include "sql/function/errors.h"
#include "sql/function/evaluation_context.h"
#include "sql/function/kernel_table.h"
#include "sql/function/set_rows.h"
#include "sql/function/text_form.h"
#include "types/array.h"
#include "types/calendar.h"
#include "types/datetime.h"
#include "types/interval.h"
#include "types/numeric.h"

namespace pando::sql {
namespace {

namespace numeric = types::numeric;
using Rows = Result<std::unique_ptr<SetRows>>;
using Arguments = std::span<const types::Value>;

Status zero_step() { return {sql_state::kInvalidParameterValue, "step size cannot equal zero"}; }

// --- integers: whole vectors at a time ---
template <typename Int>
class IntegerSeries final : public SetRows {
 public:
  IntegerSeries(Int start, Int stop, Int step) : next_(start), stop_(stop), step_(step) {}
  Status next(types::Chunk& out) override {
    types::Vector& column = out.columns[0];
    column.reset(types::kVectorRows);
    auto* values = column.data<Int>();
    std::size_t rows = 0;
    while (rows < types::kVectorRows && !done_ && (step_ > 0 ? next_ <= stop_ : next_ >= stop_)) {
      values[rows++] = next_;
      done_ = __builtin_add_overflow(next_, step_, &next_);
    }
    column.resize(rows);
    out.rows = rows;
    return {};
  }

 private:
  Int next_;
  Int stop_;
  Int step_;
  bool done_ = false;
};
template <typename Int>
Rows integer_series(EvaluationContext&, const CallTypes&, Arguments arguments) {
  const Int step = arguments.size() > 2 ? arguments[2].as<Int>() : Int{1};
  if (step == 0) {
    return zero_step();
  }
  return std::unique_ptr<SetRows>(
      std::make_unique<IntegerSeries<Int>>(arguments[0].as<Int>(), arguments[1].as<Int>(), step));
}

Status check_bound(ByteView value, std::string_view what) {
  if (numeric::is_nan(value)) {
    return {sql_state::kInvalidParameterValue, "{} cannot be NaN", what};
  }
  if (numeric::is_infinite(value)) {
    return {sql_state::kInvalidParameterValue, "{} cannot be infinity", what};
  }
  return {};
}
Rows numeric_series(EvaluationContext&, const CallTypes&, Arguments arguments) {
  PANDO_TRY(check_bound(arguments[0].bytes(), "start value"));
  PANDO_TRY(check_bound(arguments[1].bytes(), "stop value"));
  Bytes step = arguments.size() > 2 ? Bytes(arguments[2].bytes()) : numeric::from_int64(1);
  PANDO_TRY(check_bound(step, "step size"));
  const int direction = numeric::sign_of(step);
  if (direction == 0) {
    return zero_step();
  }
  return generate_rows([at = Bytes(arguments[0].bytes()), stop = Bytes(arguments[1].bytes()), step = std::move(step),
                        direction,
                        ended = false](std::vector<types::Vector>& columns, std::size_t row) mutable -> Result<bool> {
    const auto order = numeric::compare(at, stop);
    if (ended || (direction > 0 ? order > 0 : order < 0)) {
      return false;
    }
    columns[0].set_bytes(row, at);
    // What lies beyond all numbers lies beyond the stop value.
    Bytes next;
    ended = !numeric::add(at, step, next).ok();
    at = std::move(next);
    return true;
  });
}

template <bool kZoned>
Rows timestamp_series(EvaluationContext& context, const CallTypes&, Arguments arguments) {
  const auto step = arguments[2].as<types::Interval>();
  const auto direction = types::compare_intervals(step, types::Interval());
  if (direction == 0) {
    return zero_step();
  }
  return generate_rows([at = arguments[0].as<int64_t>(), stop = arguments[1].as<int64_t>(), step,
                        rising = direction > 0, zone = context.settings.time_zone](
                           std::vector<types::Vector>& columns, std::size_t row) mutable -> Result<bool> {
    if (rising ? at > stop : at < stop) {
      return false;
    }
    columns[0].data<int64_t>()[row] = at;
    if constexpr (kZoned) {
      PANDO_ASSIGN(at, types::timestamptz_plus(at, step, *zone));
    } else {
      PANDO_ASSIGN(at, types::timestamp_plus(at, step));
    }
    return true;
  });
}

// --- arrays ---
Rows subscripts(EvaluationContext&, const CallTypes&, Arguments arguments) {
  const types::ArrayView array(arguments[0].bytes());
  const int32_t number = arguments[1].as<int32_t>();
  const bool reverse = arguments.size() > 2 && arguments[2].as<bool>();
  types::ArrayDimension dimension;
  if (number >= 1 && number <= array.dimensions()) {
    dimension = array.dimension(number - 1);
  }
  const int32_t first = dimension.lower;
  const int32_t last = dimension.upper();
  return std::unique_ptr<SetRows>(reverse ? std::make_unique<IntegerSeries<int32_t>>(last, first, -1)
                                          : std::make_unique<IntegerSeries<int32_t>>(first, last, 1));
}

Rows unnest(EvaluationContext&, const CallTypes&, Arguments arguments) {
  return generate_rows([packed = Bytes(arguments[0].bytes()), at = std::size_t{0}](std::vector<types::Vector>& columns,
                                                                                   std::size_t row) mutable {
    const types::ArrayView array(packed);
    if (at == array.size()) {
      return false;
    }
    if (array.is_null(at)) {
      columns[0].set_null(row);
    } else {
      array.copy_to(at, columns[0], row);
    }
    ++at;
    return true;
  });
}

// information_schema._pg_expandarray(): the elements of a vector with their places.
Rows expand_array(EvaluationContext&, const CallTypes&, Arguments arguments) {
  return generate_rows([packed = Bytes(arguments[0].bytes()), at = std::size_t{0}](std::vector<types::Vector>& columns,
                                                                                   std::size_t row) mutable {
    const types::ArrayView array(packed);
    if (at == array.size()) {
      return false;
    }
    if (array.is_null(at)) {
      columns[0].set_null(row);
    } else {
      array.copy_to(at, columns[0], row);
    }
    columns[1].data<int32_t>()[row] = static_cast<int32_t>(++at);
    return true;
  });
}

Rows string_to_table(EvaluationContext&, const CallTypes&, Arguments arguments) {
  std::vector<std::vector<types::Value>> rows;
  if (!arguments[0].is_null()) {
    const auto separator = arguments[1].is_null() ? std::nullopt : std::optional(arguments[1].bytes());
    const bool has_null_text = arguments.size() > 2 && !arguments[2].is_null();
    for (const ByteView piece : split_text(arguments[0].bytes(), separator)) {
      const bool null = has_null_text && piece == arguments[2].bytes();
      rows.push_back({null ? types::Value::null() : types::Value::of_bytes(Bytes(piece))});
    }
  }
  return rows_of_values(std::move(rows));
}

}  // namespace

KernelTable set_function_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"generate_series_int4", integer_series<int32_t>},
      {"generate_series_step_int4", integer_series<int32_t>},
      {"generate_series_int8", integer_series<int64_t>},
      {"generate_series_step_int8", integer_series<int64_t>},
      {"generate_series_numeric", numeric_series},
      {"generate_series_step_numeric", numeric_series},
      {"generate_series_timestamp", timestamp_series<false>},
      {"generate_series_timestamptz", timestamp_series<true>},
      {"generate_subscripts", subscripts},
      {"generate_subscripts_nodir", subscripts},
      {"array_unnest", unnest},
      {"_pg_expandarray", expand_array},
      {"text_to_table", string_to_table},
      {"text_to_table_null", string_to_table},
  };
  return kTable;
}

}  // namespace pando::sql
