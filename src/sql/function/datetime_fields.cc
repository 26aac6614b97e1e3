// extract(), date_part() and date_trunc().

#include "types/datetime_fields.h"

#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/datetime.h"

namespace pando::sql {
namespace {

// Adapts a function of types/ that ends in the session's time zone.
template <auto kFunction>
auto zoned(EvaluationContext& context, ByteView field, int64_t timestamp) {
  return kFunction(field, timestamp, *context.settings.time_zone);
}

Result<std::optional<double>> part_of_date(ByteView field, int32_t date) {
  PANDO_ASSIGN(const int64_t timestamp, types::timestamp_of_date(date));
  return types::part_of_timestamp(field, timestamp);
}
Result<std::optional<double>> part_of_timetz(ByteView field, ByteView time) {
  return types::part_of_timetz(field, types::unpack_timetz(time));
}
Result<std::optional<Bytes>> extract_from_timetz(ByteView field, ByteView time) {
  return types::extract_from_timetz(field, types::unpack_timetz(time));
}
Result<int64_t> trunc_in_zone(EvaluationContext& context, ByteView field, int64_t timestamp, ByteView zone) {
  if (!types::is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  PANDO_ASSIGN(const auto resolved, types::resolve_time_zone(context.settings.time_zones, zone));
  return types::trunc_timestamptz(field, timestamp, *resolved);
}

}  // namespace

KernelTable datetime_field_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"date_part(text,date)", lift<part_of_date>},
      {"time_part", lift<types::part_of_time>},
      {"timetz_part", lift<part_of_timetz>},
      {"timestamp_part", lift<types::part_of_timestamp>},
      {"timestamptz_part", lift<zoned<types::part_of_timestamptz>>},
      {"interval_part", lift<types::part_of_interval>},
      {"extract_date", lift<types::extract_from_date>},
      {"extract_time", lift<types::extract_from_time>},
      {"extract_timetz", lift<extract_from_timetz>},
      {"extract_timestamp", lift<types::extract_from_timestamp>},
      {"extract_timestamptz", lift<zoned<types::extract_from_timestamptz>>},
      {"extract_interval", lift<types::extract_from_interval>},
      {"timestamp_trunc", lift<types::trunc_timestamp>},
      {"timestamptz_trunc", lift<zoned<types::trunc_timestamptz>>},
      {"timestamptz_trunc_zone", lift<trunc_in_zone>},
      {"interval_trunc", lift<types::trunc_interval>},
  };
  return kTable;
}

}  // namespace pando::sql
