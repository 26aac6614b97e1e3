// System information (manual section 9.26): facts about the session, settings, names of objects and their definitions.
// The catalog and the session answer through SessionServices.

#include <algorithm>

#include "base/prng.h"
#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/service_call.h"
#include "sql/function/set_rows.h"
#include "sql/function/text_form.h"
#include "types/array.h"
#include "types/text_io.h"
#include "types/utf8.h"

namespace pando::sql {
namespace {

using types::Value;
namespace oid = types::oid;
using OptionalText = Result<std::optional<Bytes>>;

// The text form of a result, as a value of the call's result type; nullopt is NULL.
Result<Value> parse_result(EvaluationContext& context, const CallTypes& types, std::optional<std::string> text) {
  if (!text) {
    return Value::null();
  }
  return parse_value(context, types.result, *text);
}

// --- facts ---
template <ServiceName kName>
Result<Value> fact(EvaluationContext& context, const CallTypes& types) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  return parse_result(context, types, services->fact(kName.view()));
}
Result<std::optional<Bytes>> current_schema(EvaluationContext& context) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  const auto schemas = services->current_schemas(false);
  return schemas.empty() ? std::optional<Bytes>() : std::optional<Bytes>(schemas.front());
}
Result<Bytes> current_schemas(EvaluationContext& context, bool implicit) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  types::ArrayBuilder builder(oid::kName);
  for (const std::string& schema : services->current_schemas(implicit)) {
    builder.add_bytes(schema);
  }
  return builder.finish();
}
bool never(EvaluationContext&) { return false; }
bool never_of_oid(uint32_t) { return false; }
bool never_of_text(ByteView) { return false; }
int32_t zero(EvaluationContext&) { return 0; }

// --- settings ---
OptionalText current_setting(EvaluationContext& context, ByteView name) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  return services->current_setting(name, false);
}
OptionalText current_setting_or_null(EvaluationContext& context, ByteView name, bool missing_ok) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  return services->current_setting(name, missing_ok);
}
Result<Bytes> set_config(EvaluationContext& context, std::optional<ByteView> name, std::optional<ByteView> value,
                         std::optional<bool> local) {
  if (!name) {
    return Status(sql_state::kNullValueNotAllowed, "SET requires parameter name");
  }
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  return services->set_config(*name, value.value_or(""), local.value_or(false));
}
constexpr std::string_view kEncodings[] = {
    "SQL_ASCII",     "EUC_JP",  "EUC_CN",  "EUC_KR",  "EUC_TW",     "EUC_JIS_2004", "UTF8",
    "MULE_INTERNAL", "LATIN1",  "LATIN2",  "LATIN3",  "LATIN4",     "LATIN5",       "LATIN6",
    "LATIN7",        "LATIN8",  "LATIN9",  "LATIN10", "WIN1256",    "WIN1258",      "WIN866",
    "WIN874",        "KOI8R",   "WIN1251", "WIN1252", "ISO_8859_5", "ISO_8859_6",   "ISO_8859_7",
    "ISO_8859_8",    "WIN1250", "WIN1253", "WIN1254", "WIN1255",    "WIN1257",      "KOI8U",
    "SJIS",          "BIG5",    "GBK",     "UHC",     "GB18030",    "JOHAB",        "SHIFT_JIS_2004"};
Bytes encoding_name(int32_t number) {
  return number >= 0 && static_cast<std::size_t>(number) < std::size(kEncodings)
             ? Bytes(kEncodings[static_cast<std::size_t>(number)])
             : Bytes();
}
int32_t encoding_number(ByteView name) {
  const auto same = [name](std::string_view encoding) {
    return std::ranges::equal(encoding, name, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  };
  const auto* found = std::ranges::find_if(kEncodings, same);
  return found == std::end(kEncodings) ? -1 : static_cast<int32_t>(found - std::begin(kEncodings));
}
Bytes database_encoding(EvaluationContext&) { return "UTF8"; }
OptionalText client_encoding(EvaluationContext& context) { return current_setting(context, "client_encoding"); }
std::optional<int32_t> encoding_width(int32_t number) {
  // Only the encodings that conversion knows.
  const Bytes name = encoding_name(number);
  if (name == "UTF8") {
    return 4;
  }
  return name == "SQL_ASCII" || name == "LATIN1" ? std::optional(1) : std::nullopt;
}

// --- types ---
uint32_t type_of(const CallTypes& types, Value) { return types.arguments[0].oid; }
Bytes type_name(EvaluationContext& context, uint32_t type, int32_t modifier) {
  if (type == 0) {
    return "-";
  }
  const bool is_of_user = type >= oid::kUserEnum && type < oid::kUserCompositeEnd;
  if (!is_of_user && types::find_type(type) != nullptr) {
    return types::format_type({type, modifier});
  }
  const auto name = context.services == nullptr ? std::nullopt : context.services->name_of(oid::kRegtype, type);
  return name.value_or("???");
}
std::optional<Bytes> format_type(EvaluationContext& context, std::optional<uint32_t> type,
                                 std::optional<int32_t> modifier) {
  if (!type) {
    return std::nullopt;
  }
  // Without a modifier char is "character"; with an unknown one it is the internal name.
  if (*type == oid::kBpchar && modifier && *modifier < 0) {
    return "bpchar";
  }
  return type_name(context, *type, modifier.value_or(types::kNoModifier));
}
Bytes vector_types(EvaluationContext& context, ByteView packed) {
  const types::ArrayView array(packed);
  Bytes out;
  for (std::size_t i = 0; i < array.size(); ++i) {
    out += i == 0 ? "" : ", ";
    out += type_name(context, array.at<uint32_t>(i), types::kNoModifier);
  }
  return out;
}
Result<std::optional<Bytes>> collation_for(const CallTypes& types, Value value) {
  const types::TypeInfo* info = types::find_type(types.arguments[0].oid);
  const types::Oid element = info != nullptr && info->category == 'A' ? info->element : types.arguments[0].oid;
  switch (element) {
    case oid::kText:
    case oid::kVarchar:
    case oid::kBpchar:
      return std::optional<Bytes>("\"default\"");
    case oid::kName:
      return std::optional<Bytes>("\"C\"");
    case oid::kUnknown:
      return std::optional<Bytes>();
    default:
      return Status(sql_state::kDatatypeMismatch, "collations are not supported by type {}",
                    types::format_type({types.arguments[0].oid}));
  }
}
std::optional<int32_t> column_size(const CallTypes& types, Value value) {
  if (value.is_null()) {
    return std::nullopt;
  }
  const types::TypeInfo* info = types::find_type(types.arguments[0].oid);
  if (info != nullptr && info->length > 0) {
    return info->length;
  }
  // A length word precedes the bytes.
  return static_cast<int32_t>(value.bytes().size() + sizeof(uint32_t));
}

// --- names of objects ---
template <types::Oid kType>
Result<std::optional<uint32_t>> to_reg(EvaluationContext& context, ByteView name) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  if (!name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
    PANDO_ASSIGN(const uint32_t number, types::parse_oid(name));
    return std::optional(number);
  }
  return services->resolve_name(kType, name);
}
Result<uint32_t> text_to_regclass(EvaluationContext& context, ByteView name) {
  return parse_reg(context, oid::kRegclass, name);
}
Result<Bytes> user_by_oid(EvaluationContext& context, uint32_t role) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  const auto name = services->name_of(oid::kRegrole, role);
  return name ? Bytes(*name) : fmt::format("unknown (OID={})", role);
}
template <ServiceName kKind>
Result<std::optional<bool>> is_visible(EvaluationContext& context, uint32_t object) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  return services->is_visible(kKind.view(), object);
}

// --- definitions: SessionServices::describe() under the function's name; comments under
// "obj_description:<catalog>", which is how they are told apart ---
Result<Value> describe_as(EvaluationContext& context, const CallTypes& types, std::string_view function,
                          uint32_t object, int64_t argument, bool pretty) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  PANDO_ASSIGN(auto text, services->describe(function, object, argument, pretty));
  return parse_result(context, types, std::move(text));
}
template <ServiceName kFunction>
Result<Value> describe(EvaluationContext& context, const CallTypes& types, uint32_t object) {
  return describe_as(context, types, kFunction.view(), object, 0, false);
}
template <ServiceName kFunction>
Result<Value> describe_pretty(EvaluationContext& context, const CallTypes& types, uint32_t object, bool pretty) {
  return describe_as(context, types, kFunction.view(), object, 0, pretty);
}
template <ServiceName kFunction>
Result<Value> describe_part(EvaluationContext& context, const CallTypes& types, uint32_t object, int32_t part) {
  return describe_as(context, types, kFunction.view(), object, part, false);
}
template <ServiceName kFunction>
Result<Value> describe_part_pretty(EvaluationContext& context, const CallTypes& types, uint32_t object, int32_t part,
                                   bool pretty) {
  return describe_as(context, types, kFunction.view(), object, part, pretty);
}
Result<Value> view_by_name(EvaluationContext& context, const CallTypes& types, ByteView name) {
  PANDO_ASSIGN(const uint32_t view, parse_reg(context, oid::kRegclass, name));
  return describe_as(context, types, "pg_get_viewdef", view, 0, false);
}
Result<Value> view_by_name_pretty(EvaluationContext& context, const CallTypes& types, ByteView name, bool pretty) {
  PANDO_ASSIGN(const uint32_t view, parse_reg(context, oid::kRegclass, name));
  return describe_as(context, types, "pg_get_viewdef", view, 0, pretty);
}
Result<Value> view_wrapped(EvaluationContext& context, const CallTypes& types, uint32_t view, int32_t columns) {
  return describe_as(context, types, "pg_get_viewdef", view, columns, true);
}
Result<Value> comment(EvaluationContext& context, const CallTypes& types, uint32_t object, ByteView catalog) {
  return describe_as(context, types, fmt::format("obj_description:{}", catalog), object, 0, false);
}
Result<Value> shared_comment(EvaluationContext& context, const CallTypes& types, uint32_t object, ByteView catalog) {
  return describe_as(context, types, fmt::format("shobj_description:{}", catalog), object, 0, false);
}
// The catalog keeps expressions as their text: only the names in it depend on who asks.
OptionalText expression_text(EvaluationContext& context, ByteView expression, uint32_t) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  const Value text = Value::of_bytes(Bytes(expression));
  return services->act("pg_get_expr", std::span(&text, 1));
}
OptionalText expression_text_pretty(EvaluationContext& context, ByteView expression, uint32_t object, bool pretty) {
  if (!pretty) {
    return expression_text(context, expression, object);
  }
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  const Value arguments[] = {Value::of_bytes(Bytes(expression)), Value::of_uint32(object)};
  return services->act("pg_get_expr_pretty", arguments);
}
// Whether a relation may be updated, as bits, and other facts about one relation and a flag.
template <ServiceName kFunction>
Result<Value> describe_flag(EvaluationContext& context, const CallTypes& types, uint32_t object, bool flag) {
  return describe_as(context, types, kFunction.view(), object, flag ? 1 : 0, false);
}
Result<Value> column_updatable(EvaluationContext& context, const CallTypes& types, uint32_t object, int16_t column,
                               bool) {
  return describe_as(context, types, "pg_column_is_updatable", object, column, false);
}

Result<Value> describe_object(EvaluationContext& context, const CallTypes& types, uint32_t catalog, uint32_t object,
                              int32_t part) {
  return describe_as(context, types, fmt::format("pg_describe_object:{}", catalog), object, part, false);
}

// --- option lists: {a=1,b} as rows ---
Result<std::unique_ptr<SetRows>> options_to_rows(EvaluationContext&, const CallTypes&,
                                                 std::span<const Value> arguments) {
  const types::ArrayView options(arguments[0].bytes());
  std::vector<std::vector<Value>> rows;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options.is_null(i)) {
      continue;
    }
    const ByteView option = options.bytes_at(i);
    const std::size_t equals = option.find('=');
    rows.push_back({Value::of_bytes(Bytes(option.substr(0, equals))),
                    equals == ByteView::npos ? Value::null() : Value::of_bytes(Bytes(option.substr(equals + 1)))});
  }
  return rows_of_values(std::move(rows));
}

// There are no partitions yet, so nothing has ancestors or a tree.
Result<std::unique_ptr<SetRows>> no_rows(EvaluationContext&, const CallTypes&, std::span<const Value>) {
  return rows_of_values({});
}
Result<std::unique_ptr<SetRows>> listening_channels(EvaluationContext& context, const CallTypes&,
                                                    std::span<const Value>) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  // Each ends with a zero byte, which no name has.
  ByteView left;
  const std::optional<std::string> channels = services->fact("pg_listening_channels");
  left = channels ? ByteView(*channels) : ByteView();
  std::vector<std::vector<Value>> rows;
  for (auto end = left.find('\0'); end != ByteView::npos; end = left.find('\0')) {
    rows.push_back({Value::of_bytes(Bytes(left.substr(0, end)))});
    left.remove_prefix(end + 1);
  }
  return rows_of_values(std::move(rows));
}
double nothing_queued(EvaluationContext&) { return 0; }
Result<Value> blocking_processes(EvaluationContext& context, const CallTypes& types, int32_t process) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  const Value argument = Value::of_int32(process);
  PANDO_ASSIGN(auto text, services->act("pg_blocking_pids", std::span(&argument, 1)));
  return parse_result(context, types, std::move(text));
}
Result<Value> is_blocked(EvaluationContext& context, const CallTypes& types, int32_t process, ByteView others) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  const Value arguments[] = {Value::of_int32(process), Value::of_bytes(Bytes(others))};
  PANDO_ASSIGN(auto text, services->act("pg_isolation_test_session_is_blocked", arguments));
  return parse_result(context, types, std::move(text));
}

// --- quoting values of any type, as text ---
Result<Bytes> name_with_oid(ByteView name, uint32_t object) {
  const std::string suffix = fmt::format("_{}", object);
  return Bytes(types::utf8_truncate(name, types::kNameBytesMax - suffix.size())) + suffix;
}

}  // namespace

KernelTable system_information_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"pgsql_version", lift<fact<"version">>},
      {"current_database", lift<fact<"current_database">>},
      {"current_user", lift<fact<"current_user">>},
      {"session_user", lift<fact<"session_user">>},
      {"pg_backend_pid", lift<fact<"pg_backend_pid">>},
      {"pg_current_xact_id", lift<fact<"txid_current">>},
      {"pg_current_xact_id_if_assigned", lift<fact<"txid_current_if_assigned">>},
      {"inet_client_port", lift<fact<"inet_client_port">>},
      {"inet_server_port", lift<fact<"inet_server_port">>},
      {"pg_postmaster_start_time", lift<fact<"pg_postmaster_start_time">>},
      {"pg_conf_load_time", lift<fact<"pg_conf_load_time">>},
      {"current_query", lift<fact<"current_query">>},
      {"current_schema", lift<current_schema>},
      {"current_schemas", lift<current_schemas>},
      {"pg_is_in_recovery", lift<never>},
      {"pg_jit_available", lift<never>},
      {"pg_my_temp_schema", lift<fact<"pg_my_temp_schema">>},
      {"pg_is_other_temp_schema", lift<never_of_oid>},
      {"row_security_active", lift<never_of_oid>},
      {"row_security_active_name", lift<never_of_text>},
      {"pg_trigger_depth", lift<zero>},
      {"show_config_by_name", lift<current_setting>},
      {"show_config_by_name_missing_ok", lift<current_setting_or_null>},
      {"set_config_by_name", lift<set_config>},
      {"PG_encoding_to_char", lift<encoding_name>},
      {"PG_char_to_encoding", lift<encoding_number>},
      {"getdatabaseencoding", lift<database_encoding>},
      {"pg_client_encoding", lift<client_encoding>},
      {"pg_encoding_max_length_sql", lift<encoding_width>},
      {"pg_typeof", lift<type_of>},
      {"format_type", lift<format_type>},
      {"oidvectortypes", lift<vector_types>},
      {"pg_collation_for", lift<collation_for>},
      {"pg_column_size", lift<column_size>},
      {"to_regclass", lift<to_reg<oid::kRegclass>>},
      {"to_regtype", lift<to_reg<oid::kRegtype>>},
      {"to_regproc", lift<to_reg<oid::kRegproc>>},
      {"to_regprocedure", lift<to_reg<oid::kRegprocedure>>},
      {"to_regoper", lift<to_reg<oid::kRegoper>>},
      {"to_regoperator", lift<to_reg<oid::kRegoperator>>},
      {"to_regnamespace", lift<to_reg<oid::kRegnamespace>>},
      {"to_regrole", lift<to_reg<oid::kRegrole>>},
      {"text_regclass", lift<text_to_regclass>},
      {"pg_get_userbyid", lift<user_by_oid>},
      {"pg_table_is_visible", lift<is_visible<"table">>},
      {"pg_type_is_visible", lift<is_visible<"type">>},
      {"pg_function_is_visible", lift<is_visible<"function">>},
      {"pg_operator_is_visible", lift<is_visible<"operator">>},
      {"pg_opclass_is_visible", lift<is_visible<"opclass">>},
      {"pg_opfamily_is_visible", lift<is_visible<"opfamily">>},
      {"pg_conversion_is_visible", lift<is_visible<"conversion">>},
      {"pg_collation_is_visible", lift<is_visible<"collation">>},
      {"pg_statistics_obj_is_visible", lift<is_visible<"statistics_obj">>},
      {"pg_ts_parser_is_visible", lift<is_visible<"ts_parser">>},
      {"pg_ts_dict_is_visible", lift<is_visible<"ts_dict">>},
      {"pg_ts_template_is_visible", lift<is_visible<"ts_template">>},
      {"pg_ts_config_is_visible", lift<is_visible<"ts_config">>},
      {"pg_get_constraintdef", lift<describe<"pg_get_constraintdef">>},
      {"pg_get_constraintdef_ext", lift<describe_pretty<"pg_get_constraintdef">>},
      {"pg_get_indexdef", lift<describe<"pg_get_indexdef">>},
      {"pg_get_indexdef_ext", lift<describe_part_pretty<"pg_get_indexdef">>},
      {"pg_get_viewdef", lift<describe<"pg_get_viewdef">>},
      {"pg_get_viewdef_ext", lift<describe_pretty<"pg_get_viewdef">>},
      {"pg_get_viewdef_name", lift<view_by_name>},
      {"pg_get_viewdef_name_ext", lift<view_by_name_pretty>},
      {"pg_get_viewdef_wrap", lift<view_wrapped>},
      {"pg_get_ruledef", lift<describe<"pg_get_ruledef">>},
      {"pg_get_ruledef_ext", lift<describe_pretty<"pg_get_ruledef">>},
      {"pg_get_triggerdef", lift<describe<"pg_get_triggerdef">>},
      {"pg_get_triggerdef_ext", lift<describe_pretty<"pg_get_triggerdef">>},
      {"pg_get_functiondef", lift<describe<"pg_get_functiondef">>},
      {"pg_get_function_arguments", lift<describe<"pg_get_function_arguments">>},
      {"pg_get_function_identity_arguments", lift<describe<"pg_get_function_identity_arguments">>},
      {"pg_get_function_result", lift<describe<"pg_get_function_result">>},
      {"pg_get_function_sqlbody", lift<describe<"pg_get_function_sqlbody">>},
      {"pg_get_function_arg_default", lift<describe_part<"pg_get_function_arg_default">>},
      {"pg_get_statisticsobjdef", lift<describe<"pg_get_statisticsobjdef">>},
      {"pg_get_statisticsobjdef_columns", lift<describe<"pg_get_statisticsobjdef_columns">>},
      {"pg_get_partkeydef", lift<describe<"pg_get_partkeydef">>},
      {"pg_get_partition_constraintdef", lift<describe<"pg_get_partition_constraintdef">>},
      {"pg_get_replica_identity_index", lift<describe<"pg_get_replica_identity_index">>},
      {"pg_relation_is_publishable", lift<describe<"pg_relation_is_publishable">>},
      {"pg_relation_filenode", lift<describe<"pg_relation_filenode">>},
      {"pg_relation_filepath", lift<describe<"pg_relation_filepath">>},
      {"pg_tablespace_location", lift<describe<"pg_tablespace_location">>},
      {"pg_partition_root", lift<describe<"pg_partition_root">>},
      {"pg_collation_actual_version", lift<describe<"pg_collation_actual_version">>},
      {"pg_database_collation_actual_version", lift<describe<"pg_database_collation_actual_version">>},
      {"pg_sequence_last_value", lift<describe<"pg_sequence_last_value">>},
      {"pg_relation_is_updatable", lift<describe_flag<"pg_relation_is_updatable">>},
      {"pg_column_is_updatable", lift<column_updatable>},
      {"pg_get_expr", lift<expression_text>},
      {"pg_get_expr_ext", lift<expression_text_pretty>},
      {"obj_description(oid)", lift<describe<"obj_description">>},
      {"obj_description(oid,name)", lift<comment>},
      {"shobj_description(oid,name)", lift<shared_comment>},
      {"col_description(oid,int4)", lift<describe_part<"col_description">>},
      {"pg_options_to_table", options_to_rows},
      {"pg_partition_ancestors", no_rows},
      {"pg_partition_tree", no_rows},
      {"pg_get_publication_tables", no_rows},
      {"pg_listening_channels", listening_channels},
      {"pg_notification_queue_usage", lift<nothing_queued>},
      {"pg_blocking_pids", lift<blocking_processes>},
      {"pg_isolation_test_session_is_blocked", lift<is_blocked>},
      {"pg_describe_object", lift<describe_object>},
      {"nameconcatoid", lift<name_with_oid>},
  };
  return kTable;
}

}  // namespace pando::sql
