// Functions of types, by the names that testdata/call_*.txt uses. Expected answers are PostgreSQL's.

#include <functional>

#include <gtest/gtest.h>

#include "types/array.h"
#include "types/datetime.h"
#include "types/datetime_fields.h"
#include "types/formatting.h"
#include "types/interval.h"
#include "types/json.h"
#include "types/jsonb.h"
#include "types/jsonpath.h"
#include "types/numeric.h"
#include "types/oracle_test.h"
#include "types/regex.h"
#include "types/text_io.h"

namespace pando::types {
namespace {

// One call: its arguments as text, its answer as text.
struct Call {
  std::vector<std::string> arguments;
  const Settings& settings;

  Result<Value> value(std::size_t i, Oid type) const {
    if (arguments.at(i) == "NULL") {
      return Value::null();
    }
    return parse_text({type}, arguments.at(i) == "''" ? "" : arguments[i], settings);
  }
  template <typename T>
  T get(std::size_t i, Oid type) const {
    return value(i, type).value().template as<T>();
  }
  Bytes numeric(std::size_t i) const { return get<Bytes>(i, oid::kNumeric); }
  Bytes jsonb(std::size_t i) const { return get<Bytes>(i, oid::kJsonb); }
  int32_t integer(std::size_t i) const { return get<int32_t>(i, oid::kInt4); }
  Interval interval(std::size_t i) const { return get<Interval>(i, oid::kInterval); }
  int64_t timestamp(std::size_t i) const { return get<int64_t>(i, oid::kTimestamp); }
  int64_t timestamptz(std::size_t i) const { return get<int64_t>(i, oid::kTimestamptz); }
  std::vector<Bytes> words(std::size_t i) const {
    const Bytes packed = get<Bytes>(i, oid::kTextArray);
    const ArrayView array(packed);
    std::vector<Bytes> out;
    for (std::size_t k = 0; k < array.size(); ++k) {
      out.emplace_back(array.bytes_at(k));
    }
    return out;
  }
};

std::string printed(Oid type, const Value& value, const Settings& settings) {
  if (value.is_null()) {
    return "NULL";
  }
  Bytes out;
  if (type == oid::kBool) {
    return value.as<bool>() ? "true" : "false";
  }
  print_text({type}, value, settings, out);
  return out.empty() ? "''" : out;
}

using Handler = std::function<std::string(const Call&)>;
using Table = std::map<std::string, Handler>;

template <typename T>
std::string answer(const Call& call, Oid type, Result<T> result, Value (*make)(T)) {
  return result.ok() ? printed(type, make(*result), call.settings) : error_line(result.status());
}
std::string answer_bytes(const Call& call, Oid type, const Status& status, const Bytes& out) {
  return status.ok() ? printed(type, Value::of_bytes(out), call.settings) : error_line(status);
}
std::string answer_bytes(const Call& call, Oid type, const Result<Bytes>& result) {
  return answer_bytes(call, type, result.status(), result.ok() ? *result : Bytes());
}
std::string answer_optional(const Call& call, Oid type, const Result<std::optional<Bytes>>& result) {
  if (result.ok() && !*result) {
    return "NULL";
  }
  return answer_bytes(call, type, result.status(), result.ok() ? **result : Bytes());
}
std::string answer_optional(const Call& call, const Result<std::optional<double>>& result) {
  if (!result.ok()) {
    return error_line(result.status());
  }
  return *result ? printed(oid::kFloat8, Value::of_float64(**result), call.settings) : "NULL";
}
std::string answer_bool(bool value) { return value ? "true" : "false"; }

Handler numeric2(Status (*function)(ByteView, ByteView, Bytes&)) {
  return [function](const Call& call) {
    Bytes out;
    const Status status = function(call.numeric(0), call.numeric(1), out);
    return answer_bytes(call, oid::kNumeric, status, out);
  };
}
Handler numeric1(Status (*function)(ByteView, Bytes&)) {
  return [function](const Call& call) {
    Bytes out;
    const Status status = function(call.numeric(0), out);
    return answer_bytes(call, oid::kNumeric, status, out);
  };
}
Handler numeric_plain(void (*function)(ByteView, Bytes&)) {
  return [function](const Call& call) {
    Bytes out;
    function(call.numeric(0), out);
    return answer_bytes(call, oid::kNumeric, Status(), out);
  };
}
Handler numeric_scaled(void (*function)(ByteView, int32_t, Bytes&)) {
  return [function](const Call& call) {
    Bytes out;
    function(call.numeric(0), call.integer(1), out);
    return answer_bytes(call, oid::kNumeric, Status(), out);
  };
}

// Adds the elements of a numeric[] to `aggregate`.
template <typename Aggregate>
void add_all(const Call& call, Aggregate& aggregate) {
  const Bytes packed = call.get<Bytes>(0, oid::kNumericArray);
  const ArrayView array(packed);
  for (std::size_t i = 0; i < array.size(); ++i) {
    aggregate.add(array.bytes_at(i));
  }
}

Table numeric_table() {
  namespace n = numeric;
  Table table = {{"numeric_add", numeric2(n::add)},
                 {"numeric_subtract", numeric2(n::subtract)},
                 {"numeric_multiply", numeric2(n::multiply)},
                 {"numeric_divide", numeric2(n::divide)},
                 {"numeric_modulo", numeric2(n::modulo)},
                 {"numeric_div", numeric2(n::divide_truncated)},
                 {"numeric_power", numeric2(n::power)},
                 {"numeric_log", numeric2(n::log)},
                 {"numeric_gcd", numeric2(n::gcd)},
                 {"numeric_lcm", numeric2(n::lcm)},
                 {"numeric_exp", numeric1(n::exp)},
                 {"numeric_ln", numeric1(n::ln)},
                 {"numeric_log10", numeric1(n::log10)},
                 {"numeric_sqrt", numeric1(n::sqrt)},
                 {"numeric_round", numeric_scaled(n::round)},
                 {"numeric_trunc", numeric_scaled(n::truncate)},
                 {"numeric_ceil", numeric_plain(n::ceil)},
                 {"numeric_floor", numeric_plain(n::floor)},
                 {"numeric_sign", numeric_plain(n::sign)},
                 {"numeric_abs", numeric_plain(n::absolute)},
                 {"numeric_trim_scale", numeric_plain(n::trim_scale)}};
  table["numeric_factorial"] = [](const Call& call) {
    Bytes out;
    const Status status = n::factorial(call.get<int64_t>(0, oid::kInt8), out);
    return answer_bytes(call, oid::kNumeric, status, out);
  };
  table["numeric_scale"] = [](const Call& call) { return std::to_string(*n::scale(call.numeric(0))); };
  table["numeric_min_scale"] = [](const Call& call) { return std::to_string(*n::min_scale(call.numeric(0))); };
  table["numeric_width_bucket"] = [](const Call& call) {
    return answer(call, oid::kInt4, n::width_bucket(call.numeric(0), call.numeric(1), call.numeric(2), call.integer(3)),
                  Value::of_int32);
  };
  table["numeric_to_int2"] = [](const Call& call) {
    return answer(call, oid::kInt2, n::to_int16(call.numeric(0)), Value::of_int16);
  };
  table["numeric_to_int4"] = [](const Call& call) {
    return answer(call, oid::kInt4, n::to_int32(call.numeric(0)), Value::of_int32);
  };
  table["numeric_to_int8"] = [](const Call& call) {
    return answer(call, oid::kInt8, n::to_int64(call.numeric(0)), Value::of_int64);
  };
  table["numeric_to_float8"] = [](const Call& call) {
    return answer(call, oid::kFloat8, n::to_float64(call.numeric(0)), Value::of_float64);
  };
  table["numeric_of_float8"] = [](const Call& call) {
    return answer_bytes(call, oid::kNumeric, n::from_float64(call.get<double>(0, oid::kFloat8)));
  };
  table["numeric_of_float4"] = [](const Call& call) {
    return answer_bytes(call, oid::kNumeric, n::from_float32(call.get<float>(0, oid::kFloat4)));
  };
  table["sum"] = table["avg"] = [](const Call& call) {
    n::Sum sum;
    add_all(call, sum);
    Bytes out;
    return answer_bytes(call, oid::kNumeric, sum.sum(out), out);
  };
  table["avg"] = [](const Call& call) {
    n::Sum sum;
    add_all(call, sum);
    Bytes out;
    return answer_bytes(call, oid::kNumeric, sum.average(out), out);
  };
  table["variance"] = [](const Call& call) {
    n::Moments moments;
    add_all(call, moments);
    return answer_optional(call, oid::kNumeric, moments.variance(true));
  };
  table["stddev_pop"] = [](const Call& call) {
    n::Moments moments;
    add_all(call, moments);
    return answer_optional(call, oid::kNumeric, moments.deviation(false));
  };
  return table;
}

Handler interval1(Result<Interval> (*function)(const Interval&)) {
  return [function](const Call& call) {
    return answer(call, oid::kInterval, function(call.interval(0)), Value::of_interval);
  };
}
Handler interval_by(Result<Interval> (*function)(const Interval&, double)) {
  return [function](const Call& call) {
    return answer(call, oid::kInterval, function(call.interval(0), call.get<double>(1, oid::kFloat8)),
                  Value::of_interval);
  };
}

Table datetime_table() {
  Table table = {{"justify_hours", interval1(justify_hours)},
                 {"justify_days", interval1(justify_days)},
                 {"justify_interval", interval1(justify_interval)},
                 {"interval_multiply", interval_by(interval_multiply)},
                 {"interval_divide", interval_by(interval_divide)}};
  table["interval_plus"] = [](const Call& call) {
    return answer(call, oid::kInterval, interval_plus(call.interval(0), call.interval(1)), Value::of_interval);
  };
  table["timestamp_plus"] = [](const Call& call) {
    return answer(call, oid::kTimestamp, timestamp_plus(call.timestamp(0), call.interval(1)), Value::of_int64);
  };
  table["timestamptz_plus"] = [](const Call& call) {
    return answer(call, oid::kTimestamptz,
                  timestamptz_plus(call.timestamptz(0), call.interval(1), *call.settings.time_zone), Value::of_int64);
  };
  table["timestamp_minus"] = [](const Call& call) {
    return answer(call, oid::kInterval, timestamp_minus_timestamp(call.timestamp(0), call.timestamp(1)),
                  Value::of_interval);
  };
  table["age"] = [](const Call& call) {
    return answer(call, oid::kInterval, age(call.timestamp(0), call.timestamp(1)), Value::of_interval);
  };
  table["age_tz"] = [](const Call& call) {
    return answer(call, oid::kInterval,
                  age_with_zone(call.timestamptz(0), call.timestamptz(1), *call.settings.time_zone),
                  Value::of_interval);
  };
  table["date_bin"] = [](const Call& call) {
    return answer(call, oid::kTimestamp, date_bin(call.interval(0), call.timestamp(1), call.timestamp(2)),
                  Value::of_int64);
  };
  table["timestamptz_at_zone"] = [](const Call& call) {
    return answer(call, oid::kTimestamp,
                  timestamptz_at_zone(call.timestamptz(0), call.arguments[1], call.settings.time_zones),
                  Value::of_int64);
  };
  table["timestamp_at_zone"] = [](const Call& call) {
    return answer(call, oid::kTimestamptz,
                  timestamp_at_zone(call.timestamp(0), call.arguments[1], call.settings.time_zones), Value::of_int64);
  };
  table["make_date"] = [](const Call& call) {
    return answer(call, oid::kDate, make_date(call.integer(0), call.integer(1), call.integer(2)), Value::of_int32);
  };
  table["make_time"] = [](const Call& call) {
    return answer(call, oid::kTime, make_time(call.integer(0), call.integer(1), call.get<double>(2, oid::kFloat8)),
                  Value::of_int64);
  };
  table["make_interval"] = [](const Call& call) {
    return answer(call, oid::kInterval,
                  make_interval(call.integer(0), call.integer(1), call.integer(2), call.integer(3), call.integer(4),
                                call.integer(5), call.get<double>(6, oid::kFloat8)),
                  Value::of_interval);
  };
  table["to_timestamp_seconds"] = [](const Call& call) {
    return answer(call, oid::kTimestamptz, timestamptz_of_unix_seconds(call.get<double>(0, oid::kFloat8)),
                  Value::of_int64);
  };
  return table;
}

Table field_table() {
  Table table;
  table["extract_timestamp"] = [](const Call& call) {
    return answer_optional(call, oid::kNumeric, extract_from_timestamp(call.arguments[0], call.timestamp(1)));
  };
  table["extract_timestamptz"] = [](const Call& call) {
    return answer_optional(call, oid::kNumeric,
                           extract_from_timestamptz(call.arguments[0], call.timestamptz(1), *call.settings.time_zone));
  };
  table["extract_date"] = [](const Call& call) {
    return answer_optional(call, oid::kNumeric, extract_from_date(call.arguments[0], call.get<int32_t>(1, oid::kDate)));
  };
  table["extract_time"] = [](const Call& call) {
    return answer_optional(call, oid::kNumeric, extract_from_time(call.arguments[0], call.get<int64_t>(1, oid::kTime)));
  };
  table["extract_timetz"] = [](const Call& call) {
    return answer_optional(call, oid::kNumeric,
                           extract_from_timetz(call.arguments[0], unpack_timetz(call.get<Bytes>(1, oid::kTimetz))));
  };
  table["extract_interval"] = [](const Call& call) {
    return answer_optional(call, oid::kNumeric, extract_from_interval(call.arguments[0], call.interval(1)));
  };
  table["part_timestamp"] = [](const Call& call) {
    return answer_optional(call, part_of_timestamp(call.arguments[0], call.timestamp(1)));
  };
  table["part_interval"] = [](const Call& call) {
    return answer_optional(call, part_of_interval(call.arguments[0], call.interval(1)));
  };
  table["trunc_timestamp"] = [](const Call& call) {
    return answer(call, oid::kTimestamp, trunc_timestamp(call.arguments[0], call.timestamp(1)), Value::of_int64);
  };
  table["trunc_timestamptz"] = [](const Call& call) {
    return answer(call, oid::kTimestamptz,
                  trunc_timestamptz(call.arguments[0], call.timestamptz(1), *call.settings.time_zone), Value::of_int64);
  };
  table["trunc_interval"] = [](const Call& call) {
    return answer(call, oid::kInterval, trunc_interval(call.arguments[0], call.interval(1)), Value::of_interval);
  };
  return table;
}

Handler number_format(Result<Bytes> (*print)(const NumberFormat&, const Call&)) {
  return [print](const Call& call) {
    const auto format = NumberFormat::compile(call.arguments[1]);
    return format.ok() ? answer_bytes(call, oid::kText, print(*format, call)) : error_line(format.status());
  };
}

Table formatting_table() {
  Table table;
  table["to_char_timestamp"] = [](const Call& call) {
    return answer_optional(call, oid::kText,
                           DateTimeFormat::compile(call.arguments[1])->print_timestamp(call.timestamp(0)));
  };
  table["to_char_timestamptz"] = [](const Call& call) {
    return answer_optional(
        call, oid::kText,
        DateTimeFormat::compile(call.arguments[1])->print_timestamptz(call.timestamptz(0), *call.settings.time_zone));
  };
  table["to_char_interval"] = [](const Call& call) {
    return answer_bytes(call, oid::kText, DateTimeFormat::compile(call.arguments[1])->print_interval(call.interval(0)));
  };
  table["to_char_numeric"] =
      number_format([](const NumberFormat& format, const Call& call) { return format.print_numeric(call.numeric(0)); });
  table["to_char_int4"] =
      number_format([](const NumberFormat& format, const Call& call) { return format.print_int32(call.integer(0)); });
  table["to_char_int8"] = number_format([](const NumberFormat& format, const Call& call) {
    return format.print_int64(call.get<int64_t>(0, oid::kInt8));
  });
  table["to_char_float8"] = number_format([](const NumberFormat& format, const Call& call) {
    return format.print_float64(call.get<double>(0, oid::kFloat8));
  });
  table["to_number"] = [](const Call& call) {
    const auto format = NumberFormat::compile(call.arguments[1]);
    return format.ok() ? answer_bytes(call, oid::kNumeric, format->parse(call.arguments[0]))
                       : error_line(format.status());
  };
  table["to_date"] = [](const Call& call) {
    return answer(call, oid::kDate,
                  DateTimeFormat::compile(call.arguments[1])->parse_date(call.arguments[0], call.settings),
                  Value::of_int32);
  };
  table["to_timestamp"] = [](const Call& call) {
    return answer(call, oid::kTimestamptz,
                  DateTimeFormat::compile(call.arguments[1])->parse_timestamptz(call.arguments[0], call.settings),
                  Value::of_int64);
  };
  return table;
}

std::string answer_view(const Call& call, const std::optional<JsonbView>& view) {
  return view ? answer_bytes(call, oid::kJsonb, Result<Bytes>(Bytes(view->packed()))) : "NULL";
}
std::string answer_text(const std::optional<ByteView>& text) { return text ? std::string(*text) : "NULL"; }

Table jsonb_table() {
  Table table;
  table["jsonb_contains"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    const Bytes b = call.jsonb(1);
    return answer_bool(jsonb_contains(JsonbView(a), JsonbView(b)));
  };
  table["jsonb_exists"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    return answer_bool(jsonb_exists(JsonbView(a), call.arguments[1]));
  };
  table["jsonb_concat"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    const Bytes b = call.jsonb(1);
    return answer_bytes(call, oid::kJsonb, jsonb_concat(JsonbView(a), JsonbView(b)));
  };
  table["jsonb_delete"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    return answer_bytes(call, oid::kJsonb, jsonb_delete_key(JsonbView(a), call.arguments[1]));
  };
  table["jsonb_delete_index"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    return answer_bytes(call, oid::kJsonb, jsonb_delete_index(JsonbView(a), call.integer(1)));
  };
  table["jsonb_delete_path"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    const auto words = call.words(1);
    const std::vector<ByteView> path(words.begin(), words.end());
    return answer_bytes(call, oid::kJsonb, jsonb_delete_path(JsonbView(a), path));
  };
  table["jsonb_path"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    const auto words = call.words(1);
    const std::vector<ByteView> path(words.begin(), words.end());
    return answer_view(call, JsonbView(a).path(path));
  };
  table["jsonb_set"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    const Bytes b = call.jsonb(2);
    const auto words = call.words(1);
    const std::vector<ByteView> path(words.begin(), words.end());
    return answer_bytes(call, oid::kJsonb, jsonb_set(JsonbView(a), path, JsonbView(b), call.get<bool>(3, oid::kBool)));
  };
  table["jsonb_insert"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    const Bytes b = call.jsonb(2);
    const auto words = call.words(1);
    const std::vector<ByteView> path(words.begin(), words.end());
    return answer_bytes(call, oid::kJsonb,
                        jsonb_insert(JsonbView(a), path, JsonbView(b), call.get<bool>(3, oid::kBool)));
  };
  table["jsonb_strip_nulls"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    return answer_bytes(call, oid::kJsonb, jsonb_strip_nulls(JsonbView(a)));
  };
  table["jsonb_pretty"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    Bytes out;
    print_jsonb_pretty(JsonbView(a), out);
    for (std::size_t at = 0; (at = out.find('\n', at)) != Bytes::npos;) {
      out.replace(at, 1, "\\n");
    }
    return out;
  };
  table["jsonb_compare"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    const Bytes b = call.jsonb(1);
    return answer_bool(compare_jsonb(JsonbView(a), JsonbView(b)) < 0);
  };
  table["jsonb_get"] = [](const Call& call) {
    const Bytes a = call.jsonb(0);
    return answer_view(call, JsonbView(a).find(call.arguments[1]));
  };
  return table;
}

Table json_table() {
  Table table;
  table["json_get"] = [](const Call& call) { return answer_text(json_member(call.arguments[0], call.arguments[1])); };
  table["json_get_text"] = [](const Call& call) {
    const auto member = json_member(call.arguments[0], call.arguments[1]);
    return member ? json_as_text(*member).value_or("NULL") : "NULL";
  };
  table["json_index"] = [](const Call& call) { return answer_text(json_element(call.arguments[0], call.integer(1))); };
  table["json_path"] = [](const Call& call) {
    const auto words = call.words(1);
    const std::vector<ByteView> path(words.begin(), words.end());
    return answer_text(json_path(call.arguments[0], path));
  };
  table["json_strip_nulls"] = [](const Call& call) { return json_strip_nulls(call.arguments[0]); };
  const auto query = [](const Call& call, bool silent) -> std::string {
    const Bytes document = call.jsonb(0);
    const Bytes variables = parse_jsonb("{\"x\": 2, \"s\": \"abc\"}").value();
    const auto path = JsonPath::parse(call.arguments[1]);
    if (!path.ok()) {
      return error_line(path.status());
    }
    RegexCache regexes;
    const auto items = path->query(JsonbView(document), JsonbView(variables),
                                   {.silent = silent, .settings = &call.settings, .regexes = &regexes});
    if (!items.ok()) {
      return error_line(items.status());
    }
    std::string out;
    for (const Bytes& item : *items) {
      out += (out.empty() ? "" : " ; ") + printed(oid::kJsonb, Value::of_bytes(item), call.settings);
    }
    return out.empty() ? "NULL" : out;
  };
  table["path_query"] = [query](const Call& call) { return query(call, false); };
  const auto decide = [](const Call& call, bool match) -> std::string {
    const Bytes document = call.jsonb(0);
    const auto path = JsonPath::parse(call.arguments[1]);
    RegexCache regexes;
    const JsonPath::Options options{.settings = &call.settings, .regexes = &regexes};
    const auto result = match ? path->match(JsonbView(document), std::nullopt, options)
                              : path->exists(JsonbView(document), std::nullopt, options);
    if (!result.ok()) {
      return error_line(result.status());
    }
    return *result ? answer_bool(**result) : "NULL";
  };
  table["path_exists"] = [decide](const Call& call) { return decide(call, false); };
  table["path_match"] = [decide](const Call& call) { return decide(call, true); };
  return table;
}

Table array_table() {
  Table table;
  const auto two = [](auto function) -> Handler {
    return [function](const Call& call) {
      const Bytes a = call.get<Bytes>(0, oid::kInt4Array);
      const Bytes b = call.get<Bytes>(1, oid::kInt4Array);
      return function(call, ArrayView(a), ArrayView(b));
    };
  };
  table["array_cat"] = two([](const Call& call, const ArrayView& a, const ArrayView& b) {
    return answer_bytes(call, oid::kInt4Array, array_concat(a, b));
  });
  table["array_less"] =
      two([](const Call&, const ArrayView& a, const ArrayView& b) { return answer_bool(compare_arrays(a, b) < 0); });
  table["array_contains"] =
      two([](const Call&, const ArrayView& a, const ArrayView& b) { return answer_bool(array_contains(a, b)); });
  table["array_overlap"] =
      two([](const Call&, const ArrayView& a, const ArrayView& b) { return answer_bool(arrays_overlap(a, b)); });
  table["array_slice"] = [](const Call& call) {
    const Bytes a = call.get<Bytes>(0, oid::kInt4Array);
    const ArraySliceBound bound{call.integer(1), call.integer(2)};
    return answer_bytes(call, oid::kInt4Array, array_slice(ArrayView(a), {&bound, 1}));
  };
  table["array_append"] = [](const Call& call) {
    const Bytes a = call.get<Bytes>(0, oid::kInt4Array);
    return answer_bytes(call, oid::kInt4Array, array_append(ArrayView(a), call.value(1, oid::kInt4).value()));
  };
  table["array_prepend"] = [](const Call& call) {
    const Bytes a = call.get<Bytes>(1, oid::kInt4Array);
    return answer_bytes(call, oid::kInt4Array, array_prepend(call.value(0, oid::kInt4).value(), ArrayView(a)));
  };
  table["array_remove"] = [](const Call& call) {
    const Bytes a = call.get<Bytes>(0, oid::kInt4Array);
    return answer_bytes(call, oid::kInt4Array, array_remove(ArrayView(a), call.value(1, oid::kInt4).value()));
  };
  table["array_replace"] = [](const Call& call) {
    const Bytes a = call.get<Bytes>(0, oid::kInt4Array);
    return answer_bytes(
        call, oid::kInt4Array,
        array_replace(ArrayView(a), call.value(1, oid::kInt4).value(), call.value(2, oid::kInt4).value()));
  };
  return table;
}

std::vector<std::string> split_arguments(const std::string& line) {
  std::vector<std::string> arguments;
  std::size_t at = 0;
  while (true) {
    const auto bar = line.find(" | ", at);
    arguments.push_back(line.substr(at, bar == std::string::npos ? bar : bar - at));
    if (bar == std::string::npos) {
      return arguments;
    }
    at = bar + 3;
  }
}

TEST(CallTest, AnswersAsPostgres) {
  Table table;
  for (Table part : {numeric_table(), datetime_table(), field_table(), formatting_table(), jsonb_table(), json_table(),
                     array_table()}) {
    table.merge(part);
  }
  for (const char* name : {"numeric", "datetime", "formatting", "json"}) {
    test::run_datadriven(std::string("src/types/testdata/call_") + name + ".txt", [&](const test::Command& command) {
      OracleSettings oracle(command);
      std::string out;
      for (const std::string& line : input_lines(command)) {
        if (command.name == "text") {
          const auto value = parse_text(parse_type_name(command.value("type")), line, oracle.settings);
          out += value.ok() ? printed(parse_type_name(command.value("type")).oid, *value, oracle.settings)
                            : error_line(value.status());
        } else {
          out += table.at(command.value("f"))({split_arguments(line), oracle.settings});
        }
        out += "\n";
      }
      return out;
    });
  }
}

}  // namespace
}  // namespace pando::types
