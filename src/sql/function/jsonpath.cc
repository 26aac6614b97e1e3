// The jsonb_path_ functions and the operators @? and @@.

#include "types/jsonpath.h"

#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/set_rows.h"
#include "types/regex.h"

namespace pando::sql {
namespace {

using types::JsonbView;
using types::JsonKind;
using types::JsonPath;
using types::Value;
using OptionalBytes = std::optional<Bytes>;
using Rows = Result<std::unique_ptr<SetRows>>;

// The arguments are (target, path, vars, silent).
Status check_variables(ByteView variables) {
  if (JsonbView(variables).kind() != JsonKind::kObject) {
    return Status(sql_state::kInvalidParameterValue, "\"vars\" argument is not an object")
        .with_detail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.");
  }
  return {};
}
JsonPath::Options options_of(EvaluationContext& context, bool silent, bool zoned) {
  if (context.regexes == nullptr) {
    context.regexes = std::make_shared<types::RegexCache>();
  }
  return {.silent = silent, .use_time_zone = zoned, .settings = &context.settings, .regexes = context.regexes.get()};
}
template <bool kZoned>
Result<std::optional<bool>> path_exists(EvaluationContext& context, ByteView json, ByteView path, ByteView variables,
                                        bool silent) {
  PANDO_TRY(check_variables(variables));
  PANDO_ASSIGN(const JsonPath compiled, JsonPath::parse(path));
  return compiled.exists(JsonbView(json), JsonbView(variables), options_of(context, silent, kZoned));
}
template <bool kZoned>
Result<std::optional<bool>> path_match(EvaluationContext& context, ByteView json, ByteView path, ByteView variables,
                                       bool silent) {
  PANDO_TRY(check_variables(variables));
  PANDO_ASSIGN(const JsonPath compiled, JsonPath::parse(path));
  return compiled.match(JsonbView(json), JsonbView(variables), options_of(context, silent, kZoned));
}
Result<std::optional<bool>> exists_operator(EvaluationContext& context, ByteView json, ByteView path) {
  PANDO_ASSIGN(const JsonPath compiled, JsonPath::parse(path));
  return compiled.exists(JsonbView(json), std::nullopt, options_of(context, true, false));
}
Result<std::optional<bool>> match_operator(EvaluationContext& context, ByteView json, ByteView path) {
  PANDO_ASSIGN(const JsonPath compiled, JsonPath::parse(path));
  return compiled.match(JsonbView(json), std::nullopt, options_of(context, true, false));
}
Result<std::vector<Bytes>> query(EvaluationContext& context, ByteView json, ByteView path, ByteView variables,
                                 bool silent, bool zoned) {
  PANDO_TRY(check_variables(variables));
  PANDO_ASSIGN(const JsonPath compiled, JsonPath::parse(path));
  return compiled.query(JsonbView(json), JsonbView(variables), options_of(context, silent, zoned));
}
template <bool kZoned>
Result<Bytes> query_array(EvaluationContext& context, ByteView json, ByteView path, ByteView variables, bool silent) {
  PANDO_ASSIGN(const auto items, query(context, json, path, variables, silent, kZoned));
  types::JsonbBuilder builder;
  builder.begin_array();
  for (const Bytes& item : items) {
    builder.copy(JsonbView(item));
  }
  builder.end_array();
  return builder.finish();
}
template <bool kZoned>
Result<OptionalBytes> query_first(EvaluationContext& context, ByteView json, ByteView path, ByteView variables,
                                  bool silent) {
  PANDO_ASSIGN(auto items, query(context, json, path, variables, silent, kZoned));
  return items.empty() ? OptionalBytes() : OptionalBytes(std::move(items.front()));
}
template <bool kZoned>
Rows query_rows(EvaluationContext& context, const CallTypes&, std::span<const Value> arguments) {
  PANDO_ASSIGN(auto items, query(context, arguments[0].bytes(), arguments[1].bytes(), arguments[2].bytes(),
                                 arguments[3].as<bool>(), kZoned));
  std::vector<std::vector<Value>> rows;
  for (Bytes& item : items) {
    rows.push_back({Value::of_bytes(std::move(item))});
  }
  return rows_of_values(std::move(rows));
}

}  // namespace

KernelTable jsonpath_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"jsonb_path_exists", lift<path_exists<false>>},
      {"jsonb_path_exists_tz", lift<path_exists<true>>},
      {"jsonb_path_match", lift<path_match<false>>},
      {"jsonb_path_match_tz", lift<path_match<true>>},
      {"jsonb_path_exists_opr", lift<exists_operator>},
      {"jsonb_path_match_opr", lift<match_operator>},
      {"jsonb_path_query", query_rows<false>},
      {"jsonb_path_query_tz", query_rows<true>},
      {"jsonb_path_query_array", lift<query_array<false>>},
      {"jsonb_path_query_array_tz", lift<query_array<true>>},
      {"jsonb_path_query_first", lift<query_first<false>>},
      {"jsonb_path_query_first_tz", lift<query_first<true>>},
  };
  return kTable;
}

}  // namespace pando::sql
