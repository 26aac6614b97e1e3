// to_char(), to_date(), to_timestamp(), to_number(): types/formatting.h with its compiled templates kept from row to
// row.

#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/formatting.h"

namespace pando::sql {
namespace {

// Runs `convert(format, row)` with the compiled template of each row; a constant template is compiled once.
template <typename Format, typename Convert>
Status with_formats(const types::Vector& templates, std::size_t rows, types::Vector& out, bool empty_is_null,
                    Convert&& convert) {
  Bytes text;
  std::optional<Format> format;
  for (std::size_t row = 0; row < rows; ++row) {
    if (out.is_null(row)) {
      continue;
    }
    const ByteView wanted = templates.bytes_at(row);
    if (empty_is_null && wanted.empty()) {
      out.set_null(row);
      continue;
    }
    if (!format || text != wanted) {
      PANDO_ASSIGN(auto compiled, Format::compile(wanted));
      format.emplace(std::move(compiled));
      text = wanted;
    }
    PANDO_ASSIGN(auto result, convert(*format, row));
    lifting::store(out, row, std::move(result));
  }
  return {};
}

enum class Moment : uint8_t { kTimestamp, kTimestamptz, kInterval };
template <Moment kMoment>
Status print_moment(EvaluationContext& context, const CallTypes&, std::span<const types::Vector* const> arguments,
                    std::size_t rows, types::Vector& out) {
  return with_formats<types::DateTimeFormat>(
      *arguments[1], rows, out, true, [&](const types::DateTimeFormat& format, std::size_t row) {
        if constexpr (kMoment == Moment::kTimestamp) {
          return format.print_timestamp(arguments[0]->at<int64_t>(row));
        } else if constexpr (kMoment == Moment::kTimestamptz) {
          return format.print_timestamptz(arguments[0]->at<int64_t>(row), *context.settings.time_zone);
        } else {
          return format.print_interval(arguments[0]->at<types::Interval>(row));
        }
      });
}
template <bool kDate>
Status parse_moment(EvaluationContext& context, const CallTypes&, std::span<const types::Vector* const> arguments,
                    std::size_t rows, types::Vector& out) {
  return with_formats<types::DateTimeFormat>(
      *arguments[1], rows, out, false, [&](const types::DateTimeFormat& format, std::size_t row) {
        if constexpr (kDate) {
          return format.parse_date(arguments[0]->bytes_at(row), context.settings);
        } else {
          return format.parse_timestamptz(arguments[0]->bytes_at(row), context.settings);
        }
      });
}

template <typename T, auto kPrint>
Status print_number(EvaluationContext&, const CallTypes&, std::span<const types::Vector* const> arguments,
                    std::size_t rows, types::Vector& out) {
  return with_formats<types::NumberFormat>(*arguments[1], rows, out, false,
                                           [&](const types::NumberFormat& format, std::size_t row) {
                                             if constexpr (std::is_same_v<T, ByteView>) {
                                               return (format.*kPrint)(arguments[0]->bytes_at(row));
                                             } else {
                                               return (format.*kPrint)(arguments[0]->at<T>(row));
                                             }
                                           });
}
Status parse_number(EvaluationContext&, const CallTypes&, std::span<const types::Vector* const> arguments,
                    std::size_t rows, types::Vector& out) {
  // An empty template reads nothing: NULL.
  return with_formats<types::NumberFormat>(
      *arguments[1], rows, out, true,
      [&](const types::NumberFormat& format, std::size_t row) { return format.parse(arguments[0]->bytes_at(row)); });
}

}  // namespace

KernelTable formatting_kernels() {
  using types::NumberFormat;
  static constexpr KernelEntry kTable[] = {
      {"timestamp_to_char", print_moment<Moment::kTimestamp>},
      {"timestamptz_to_char", print_moment<Moment::kTimestamptz>},
      {"interval_to_char", print_moment<Moment::kInterval>},
      {"to_date", parse_moment<true>},
      {"to_timestamp", parse_moment<false>},
      {"numeric_to_char", print_number<ByteView, &NumberFormat::print_numeric>},
      {"int4_to_char", print_number<int32_t, &NumberFormat::print_int32>},
      {"int8_to_char", print_number<int64_t, &NumberFormat::print_int64>},
      {"float4_to_char", print_number<float, &NumberFormat::print_float32>},
      {"float8_to_char", print_number<double, &NumberFormat::print_float64>},
      {"numeric_to_number", parse_number},
  };
  return kTable;
}

}  // namespace pando::sql
