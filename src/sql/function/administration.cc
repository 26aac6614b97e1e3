// Sequences, sizes, signals, sleeping, advisory locks, random uuids: functions that act through SessionServices.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/prng.h"
#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/service_call.h"
#include "sql/function/text_form.h"
#include "types/numeric.h"
#include "types/text_io.h"

namespace pando::sql {
namespace {

namespace numeric = types::numeric;
using types::Value;

// --- sequences ---
// Rows in a row that name the same sequence take their values at once.
Status nextval(EvaluationContext& context, const CallTypes&, std::span<const types::Vector* const> arguments,
               std::size_t rows, types::Vector& out) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  auto* results = out.data<int64_t>();
  std::vector<int64_t> values;
  for (std::size_t start = 0; start < rows;) {
    if (out.is_null(start)) {
      ++start;
      continue;
    }
    const auto sequence = arguments[0]->at<uint32_t>(start);
    std::size_t end = start + 1;
    while (end < rows && !out.is_null(end) && arguments[0]->at<uint32_t>(end) == sequence) {
      ++end;
    }
    values.clear();
    PANDO_TRY(services->nextval(sequence, end - start, values));
    PANDO_ASSERT(values.size() == end - start, "a sequence gave another number of values");
    std::ranges::copy(values, results + start);
    start = end;
  }
  return {};
}
Result<int64_t> currval(EvaluationContext& context, uint32_t sequence) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  return services->currval(sequence);
}
Result<int64_t> lastval(EvaluationContext& context) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  return services->lastval();
}
Result<int64_t> setval_called(EvaluationContext& context, uint32_t sequence, int64_t value, bool is_called) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  PANDO_TRY(services->setval(sequence, value, is_called));
  return value;
}
Result<int64_t> setval(EvaluationContext& context, uint32_t sequence, int64_t value) {
  return setval_called(context, sequence, value, true);
}

// --- requests ---
Value to_value(int32_t value) { return Value::of_int32(value); }
Value to_value(int64_t value) { return Value::of_int64(value); }
Value to_value(double value) { return Value::of_float64(value); }
Value to_value(ByteView value) { return Value::of_bytes(Bytes(value)); }

// Acts by name with these arguments; the answer is the text form of the result.
template <ServiceName kName, typename... Args>
Result<Value> act(EvaluationContext& context, const CallTypes& types, Args... arguments) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  const Value values[] = {to_value(arguments)..., Value::null()};
  PANDO_ASSIGN(const auto answer, services->act(kName.view(), std::span(values, sizeof...(arguments))));
  if (types.result.oid == types::oid::kVoid) {
    // A void has no content; its vectors are of four bytes all the same.
    return Value::of_int32(0);
  }
  return answer ? parse_value(context, types.result, *answer) : Result<Value>(Value::null());
}
template <ServiceName kName>
Result<Value> notify(EvaluationContext& context, const CallTypes& types, std::optional<ByteView> channel,
                     std::optional<ByteView> payload) {
  return act<kName>(context, types, channel.value_or(""), payload.value_or(""));
}
Result<Value> pause_for(EvaluationContext& context, const CallTypes& types, types::Interval interval) {
  const double days = interval.days + 30.0 * interval.months;
  return act<"pg_sleep">(context, types, days * 86400.0 + static_cast<double>(interval.microseconds) / 1e6);
}
Result<Value> pause_until(EvaluationContext& context, const CallTypes& types, int64_t instant) {
  const int64_t now =
      context.wall_clock_us == nullptr ? context.statement_time_us : context.wall_clock_us(context.wall_clock_state);
  return act<"pg_sleep">(context, types, (static_cast<double>(instant) - static_cast<double>(now)) / 1e6);
}

// --- sizes of objects ---
template <ServiceName kFunction>
Result<std::optional<int64_t>> size_of(EvaluationContext& context, uint32_t object) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  PANDO_ASSIGN(const auto text, services->describe(kFunction.view(), object, 0, false));
  if (!text) {
    return std::optional<int64_t>();
  }
  PANDO_ASSIGN(const int64_t size, types::parse_int64(*text));
  return std::optional(size);
}
// Only the main fork holds data.
Result<std::optional<int64_t>> size_of_fork(EvaluationContext& context, uint32_t object, ByteView fork) {
  if (fork == "main") {
    return size_of<"pg_relation_size">(context, object);
  }
  if (fork == "fsm" || fork == "vm" || fork == "init") {
    return std::optional<int64_t>(0);
  }
  return Status(sql_state::kInvalidParameterValue, "invalid fork name")
      .with_hint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\".");
}

// --- pg_size_pretty, pg_size_bytes ---
struct SizeUnit {
  std::string_view name;
  int shift;      // of a whole unit, in bits
  int64_t limit;  // half units up to here are printed in the unit before
};
constexpr int64_t kPrettyLimit = 10 * 1024;
constexpr SizeUnit kUnits[] = {{"bytes", 0, kPrettyLimit},       {"kB", 10, kPrettyLimit * 2 - 1},
                               {"MB", 20, kPrettyLimit * 2 - 1}, {"GB", 30, kPrettyLimit * 2 - 1},
                               {"TB", 40, kPrettyLimit * 2 - 1}, {"PB", 50, kPrettyLimit * 2 - 1}};

// Sizes are halved down to twice the unit's count, so that the last bit rounds half up.
Bytes size_pretty(int64_t size) {
  for (std::size_t i = 0; i < std::size(kUnits); ++i) {
    const SizeUnit& unit = kUnits[i];
    const uint64_t magnitude = size < 0 ? 0 - static_cast<uint64_t>(size) : static_cast<uint64_t>(size);
    if (i + 1 == std::size(kUnits) || magnitude < static_cast<uint64_t>(unit.limit)) {
      if (i > 0) {
        size = (size + (size > 0 ? 1 : -1)) / 2;
      }
      return fmt::format("{} {}", size, unit.name);
    }
    // What is shifted out of this unit; from the second on a bit is kept for rounding.
    const int bits = kUnits[i + 1].shift - unit.shift - (i + 1 < std::size(kUnits) && i == 0 ? 1 : 0);
    size /= int64_t{1} << bits;
  }
  return {};
}
Result<Bytes> size_pretty_numeric(ByteView size) {
  Bytes value(size);
  for (std::size_t i = 0; i < std::size(kUnits); ++i) {
    Bytes magnitude;
    numeric::absolute(value, magnitude);
    if (i + 1 == std::size(kUnits) || numeric::compare(magnitude, numeric::from_int64(kUnits[i].limit)) < 0) {
      if (i > 0) {
        const int sign = numeric::sign_of(value) < 0 ? -1 : 1;
        PANDO_TRY(numeric::add(value, numeric::from_int64(sign), value));
        PANDO_TRY(numeric::divide_truncated(value, numeric::from_int64(2), value));
      }
      Bytes out;
      numeric::print(value, out);
      return out + " " + Bytes(kUnits[i].name);
    }
    const int bits = kUnits[i + 1].shift - kUnits[i].shift - (i == 0 ? 1 : 0);
    PANDO_TRY(numeric::divide_truncated(value, numeric::from_int64(int64_t{1} << bits), value));
  }
  return Bytes();
}
Status invalid_size(ByteView text) { return {sql_state::kInvalidParameterValue, "invalid size: \"{}\"", text}; }
Result<int64_t> size_bytes(ByteView text) {
  const auto is_digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  std::size_t at = std::min(text.find_first_not_of(" \t\n\r\f\v"), text.size());
  const std::size_t start = at;
  at += static_cast<std::size_t>(at < text.size() && (text[at] == '-' || text[at] == '+'));
  bool digits = false;
  for (; is_digit(at); ++at) {
    digits = true;
  }
  if (at < text.size() && text[at] == '.') {
    for (++at; is_digit(at); ++at) {
      digits = true;
    }
  }
  if (!digits) {
    return invalid_size(text);
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t exponent = at + 1;
    exponent += static_cast<std::size_t>(exponent < text.size() && (text[exponent] == '-' || text[exponent] == '+'));
    if (is_digit(exponent)) {
      for (at = exponent; is_digit(at); ++at) {
      }
    }
  }
  PANDO_ASSIGN(Bytes number, numeric::parse(text.substr(start, at - start)));
  ByteView unit = text.substr(at);
  unit.remove_prefix(std::min(unit.find_first_not_of(" \t\n\r\f\v"), unit.size()));
  unit = unit.substr(0, unit.find_last_not_of(" \t\n\r\f\v") + 1);
  if (!unit.empty()) {
    const auto same = [unit](const SizeUnit& known) {
      return std::ranges::equal(known.name, unit, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    };
    const auto* found = std::ranges::find_if(kUnits, same);
    if (found == std::end(kUnits)) {
      return invalid_size(text)
          .with_detail(fmt::format("Invalid size unit: \"{}\".", unit))
          .with_hint("Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".");
    }
    PANDO_TRY(numeric::multiply(number, numeric::from_int64(int64_t{1} << found->shift), number));
  }
  return numeric::to_int64(number);
}

// RFC 4122, version 4.
types::Uuid random_uuid(EvaluationContext& context) {
  const uint64_t words[2] = {context.prng->next(), context.prng->next()};
  types::Uuid uuid;
  std::memcpy(uuid.bytes, words, sizeof(uuid.bytes));
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

}  // namespace

#define PANDO_LOCK(name) \
  {name "_int8", lift<act<name, int64_t>>}, { name "_int4", lift<act<name, int32_t, int32_t>> }

KernelTable administration_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"nextval_oid", nextval},
      {"currval_oid", lift<currval>},
      {"lastval", lift<lastval>},
      {"setval_oid", lift<setval>},
      {"setval3_oid", lift<setval_called>},
      {"pg_get_serial_sequence", lift<act<"pg_get_serial_sequence", ByteView, ByteView>>},
      {"pg_sleep", lift<act<"pg_sleep", double>>},
      {"pg_sleep_for(interval)", lift<pause_for>},
      {"pg_sleep_until(timestamptz)", lift<pause_until>},
      {"pg_cancel_backend", lift<act<"pg_cancel_backend", int32_t>>},
      {"pg_terminate_backend", lift<act<"pg_terminate_backend", int32_t, int64_t>>},
      {"pg_reload_conf", lift<act<"pg_reload_conf">>},
      {"pg_notify", lift<notify<"pg_notify">>},
      PANDO_LOCK("pg_advisory_lock"),
      PANDO_LOCK("pg_advisory_lock_shared"),
      PANDO_LOCK("pg_try_advisory_lock"),
      PANDO_LOCK("pg_try_advisory_lock_shared"),
      PANDO_LOCK("pg_advisory_unlock"),
      PANDO_LOCK("pg_advisory_unlock_shared"),
      PANDO_LOCK("pg_advisory_xact_lock"),
      PANDO_LOCK("pg_advisory_xact_lock_shared"),
      PANDO_LOCK("pg_try_advisory_xact_lock"),
      PANDO_LOCK("pg_try_advisory_xact_lock_shared"),
      {"pg_advisory_unlock_all", lift<act<"pg_advisory_unlock_all">>},
      {"pg_relation_size(regclass)", lift<size_of<"pg_relation_size">>},
      {"pg_relation_size", lift<size_of_fork>},
      {"pg_table_size", lift<size_of<"pg_table_size">>},
      {"pg_indexes_size", lift<size_of<"pg_indexes_size">>},
      {"pg_total_relation_size", lift<size_of<"pg_total_relation_size">>},
      {"pg_database_size_oid", lift<size_of<"pg_database_size">>},
      {"pg_tablespace_size_oid", lift<size_of<"pg_tablespace_size">>},
      {"pg_database_size_name", lift<act<"pg_database_size", ByteView>>},
      {"pg_tablespace_size_name", lift<act<"pg_tablespace_size", ByteView>>},
      {"pg_size_pretty", lift<size_pretty>},
      {"pg_size_pretty_numeric", lift<size_pretty_numeric>},
      {"pg_size_bytes", lift<size_bytes>},
      {"gen_random_uuid", lift<random_uuid>},
  };
  return kTable;
}

#undef PANDO_LOCK

}  // namespace pando::sql
