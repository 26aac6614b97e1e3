#include "session/session_settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "types/datetime.h"
#include "types/interval.h"
#include "types/text_io.h"

namespace pando::session {
namespace {

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

int64_t to_integer(const std::string& text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// A custom name: identifiers separated by dots, at least one dot.
bool is_custom_name(std::string_view name) {
  bool start = true;
  bool dotted = false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (start) {
      if (std::isalpha(byte) == 0 && c != '_' && byte < 0x80) {
        return false;
      }
      start = false;
    } else if (c == '.') {
      start = true;
      dotted = true;
    } else if (std::isalnum(byte) == 0 && c != '_' && c != '$' && byte < 0x80) {
      return false;
    }
  }
  return dotted && !start;
}

// DateStyle is a style and an order; what a value leaves out stays as it is.
Result<std::string> check_date_style(std::string_view name, std::string_view value, types::DateStyle style,
                                     types::DateOrder order) {
  std::vector<std::string> words;
  if (!split_identifier_list(value, words)) {
    return std::move(invalid_setting_value(name, value)).with_detail("List syntax is invalid.");
  }
  for (const std::string& word : words) {
    if (word == "iso") {
      style = types::DateStyle::kIso;
    } else if (word == "sql") {
      style = types::DateStyle::kSql;
    } else if (word.starts_with("postgres")) {
      style = types::DateStyle::kPostgres;
    } else if (word == "german") {
      style = types::DateStyle::kGerman;
      order = words.size() == 1 ? types::DateOrder::kDmy : order;
    } else if (word == "ymd") {
      order = types::DateOrder::kYmd;
    } else if (word == "dmy" || word.starts_with("euro")) {
      order = types::DateOrder::kDmy;
    } else if (word == "mdy" || word.starts_with("us") || word.starts_with("noneuro")) {
      order = types::DateOrder::kMdy;
    } else if (word == "default") {
      style = types::DateStyle::kIso;
      order = types::DateOrder::kMdy;
    } else {
      return std::move(invalid_setting_value(name, value))
          .with_detail(fmt::format("Unrecognized key word: \"{}\".", word));
    }
  }
  constexpr std::string_view kStyles[] = {"ISO", "SQL", "Postgres", "German"};
  constexpr std::string_view kOrders[] = {"MDY", "DMY", "YMD"};
  return fmt::format("{}, {}", kStyles[static_cast<int>(style)], kOrders[static_cast<int>(order)]);
}

// Names of encodings are compared without case, dashes and underscores.
Result<std::string> check_client_encoding(std::string_view name, std::string_view value) {
  std::string plain;
  for (const char c : lower(value)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      plain += c;
    }
  }
  if (plain == "sqlascii") {
    // No conversion, whatever the bytes mean.
    return std::string("SQL_ASCII");
  }
  if (plain == "utf8" || plain == "unicode") {
    return std::string("UTF8");
  }
  constexpr std::string_view kOthers[] = {"latin1", "iso88591", "win1252", "windows1252", "latin9", "eucjp",
                                          "sjis",   "gbk",      "big5",    "koi8r",       "win1251"};
  if (std::ranges::find(kOthers, plain) != std::end(kOthers)) {
    return Status(sql_state::kFeatureNotSupported, "conversion between {} and UTF8 is not supported", value);
  }
  return invalid_setting_value(name, value);
}

std::string check_application_name(std::string_view value) {
  constexpr std::size_t kNameBytesMax = 63;
  std::string out(value.substr(0, kNameBytesMax));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

std::string quote_identifier(const std::string& name) {
  const bool plain =
      !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
      std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  if (plain) {
    return name;
  }
  std::string out = "\"";
  for (const char c : name) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + "\"";
}

bool is_identifier_list(std::string_view name) {
  const std::string key = lower(name);
  return key == "search_path" || key == "temp_tablespaces";
}

int rank_of_message(const std::string& value) {
  constexpr std::string_view kOrder[] = {"debug5", "debug4", "debug3",  "debug2", "debug1",
                                         "log",    "notice", "warning", "error"};
  const auto* found = std::ranges::find(kOrder, value);
  return static_cast<int>(found - std::begin(kOrder));
}

types::IntervalStyle parse_interval_style(const std::string& value) {
  if (value == "postgres_verbose") {
    return types::IntervalStyle::kPostgresVerbose;
  }
  if (value == "sql_standard") {
    return types::IntervalStyle::kSqlStandard;
  }
  return value == "iso_8601" ? types::IntervalStyle::kIso8601 : types::IntervalStyle::kPostgres;
}

// A moment, or an interval into the past.
Result<ReadMoment> parse_read_moment(std::string_view value, const types::Settings& types) {
  using Kind = ReadMoment::Kind;
  if (value.empty()) {
    return ReadMoment{};
  }
  if (!value.starts_with('-')) {
    PANDO_ASSIGN(const int64_t us, types::parse_timestamptz(value, types));
    return ReadMoment{Kind::kMoment, us};
  }
  PANDO_ASSIGN(const types::Interval interval, types::parse_interval(value, -1, types));
  const __int128 us = -types::interval_length(interval);
  if (us < 0 || us > INT64_MAX) {
    return Status(sql_state::kDatetimeFieldOverflow, "interval out of range");
  }
  return ReadMoment{Kind::kAgo, static_cast<int64_t>(us)};
}

void apply_date_style(const std::string& value, types::Settings& types) {
  types.date_style = value.starts_with("ISO")        ? types::DateStyle::kIso
                     : value.starts_with("SQL")      ? types::DateStyle::kSql
                     : value.starts_with("Postgres") ? types::DateStyle::kPostgres
                                                     : types::DateStyle::kGerman;
  types.date_order = value.ends_with("MDY")   ? types::DateOrder::kMdy
                     : value.ends_with("DMY") ? types::DateOrder::kDmy
                                              : types::DateOrder::kYmd;
}

}  // namespace

bool split_identifier_list(std::string_view text, std::vector<std::string>& names) {
  std::size_t at = 0;
  const auto skip_spaces = [&] {
    while (at < text.size() && is_space(text[at])) {
      ++at;
    }
  };
  skip_spaces();
  if (at == text.size()) {
    return true;
  }
  while (true) {
    std::string name;
    if (at < text.size() && text[at] == '"') {
      for (++at;; ++at) {
        if (at == text.size()) {
          return false;
        }
        if (text[at] == '"' && (at + 1 == text.size() || text[at + 1] != '"')) {
          break;
        }
        at += text[at] == '"' ? 1 : 0;
        name += text[at];
      }
      ++at;
    } else {
      while (at < text.size() && text[at] != ',' && !is_space(text[at])) {
        name += text[at++];
      }
      if (name.empty()) {
        return false;
      }
      name = lower(name);
    }
    names.push_back(std::move(name));
    skip_spaces();
    if (at == text.size()) {
      return true;
    }
    if (text[at++] != ',') {
      return false;
    }
    skip_spaces();
  }
}

namespace {

// A zone's name, or a number of hours east of Greenwich, whose name has POSIX's sign.
Result<std::shared_ptr<const types::TimeZone>> zone_of_setting(types::TimeZoneSource* zones, std::string_view value) {
  constexpr int32_t kSecondsPerHour = 3600;
  constexpr int32_t kHoursMax = 167;
  const auto hours = types::parse_float64(value);
  if (!hours.ok() || !(std::abs(*hours) <= kHoursMax)) {
    return types::resolve_time_zone(zones, value);
  }
  const auto east = static_cast<int32_t>(*hours * kSecondsPerHour);
  const int32_t seconds = std::abs(east);
  std::string clock = fmt::format("{:02}", seconds / kSecondsPerHour);
  if (seconds % kSecondsPerHour != 0) {
    clock += fmt::format(":{:02}", seconds % kSecondsPerHour / 60);
    clock += seconds % 60 != 0 ? fmt::format(":{:02}", seconds % 60) : "";
  }
  const char sign = east < 0 ? '-' : '+';
  return types::resolve_time_zone(zones, fmt::format("<{}{}>{}{}", sign, clock, east < 0 ? '+' : '-', clock));
}

}  // namespace

constexpr std::string_view kIsolationNames[] = {"read uncommitted", "read committed", "repeatable read",
                                                "serializable"};

std::string_view isolation_name(IsolationLevel level) { return kIsolationNames[static_cast<std::size_t>(level)]; }

IsolationLevel parse_isolation(std::string_view name) {
  const auto found = std::ranges::find(kIsolationNames, name);
  PANDO_ASSERT(found != std::end(kIsolationNames), "not the name of an isolation level");
  return static_cast<IsolationLevel>(found - std::begin(kIsolationNames));
}

txn::Isolation isolation_of(IsolationLevel level) {
  switch (level) {
    case IsolationLevel::kReadUncommitted:
    case IsolationLevel::kReadCommitted:
      return txn::Isolation::kReadCommitted;
    case IsolationLevel::kRepeatableRead:
      return txn::Isolation::kRepeatableRead;
    case IsolationLevel::kSerializable:
      return txn::Isolation::kSerializable;
  }
  PANDO_UNREACHABLE("an isolation level outside its enumeration");
}

SessionSettings::SessionSettings(types::TimeZoneSource* time_zones) : time_zones_(time_zones) {
  values_.types.time_zones = time_zones;
  for (const SettingDefinition& definition : all_settings()) {
    apply(definition, std::string(definition.default_value));
  }
}

std::string SessionSettings::key_of(std::string_view name) { return lower(name); }

Status SessionSettings::check_allowed(const SettingDefinition& definition, SettingSource source) const {
  if (source == SettingSource::kServer) {
    return {};
  }
  switch (definition.context) {
    case SettingContext::kInternal:
      return Status(sql_state::kCantChangeRuntimeParam, "parameter \"{}\" cannot be changed", definition.name);
    case SettingContext::kServer:
      return Status(sql_state::kCantChangeRuntimeParam,
                    "parameter \"{}\" cannot be changed without restarting the server", definition.name);
    case SettingContext::kConnection:
      if (source == SettingSource::kStatement) {
        return Status(sql_state::kCantChangeRuntimeParam, "parameter \"{}\" cannot be set after connection start",
                      definition.name);
      }
      return {};
    case SettingContext::kSuperuser:
    case SettingContext::kUser:
      return {};
  }
  PANDO_UNREACHABLE("a setting context outside its enumeration");
}

Result<std::string> SessionSettings::check(const SettingDefinition& definition, std::string_view value) const {
  if (definition.name == "DateStyle") {
    return check_date_style(definition.name, value, values_.types.date_style, values_.types.date_order);
  }
  if (definition.name == "TimeZone" || definition.name == "log_timezone") {
    auto zone = zone_of_setting(time_zones_, value);
    if (!zone.ok()) {
      return invalid_setting_value(definition.name, value);
    }
    return (*zone)->name();
  }
  if (definition.name == "client_encoding") {
    return check_client_encoding(definition.name, value);
  }
  if (definition.name == "application_name") {
    return check_application_name(value);
  }
  if (definition.name == "pando.as_of") {
    const auto moment = parse_read_moment(value, values_.types);
    if (!moment.ok()) {
      return std::move(invalid_setting_value(definition.name, value))
          .with_detail(std::string(moment.status().message()));
    }
    return std::string(value);
  }
  if (is_identifier_list(definition.name)) {
    std::vector<std::string> names;
    if (!split_identifier_list(value, names)) {
      return std::move(invalid_setting_value(definition.name, value)).with_detail("List syntax is invalid.");
    }
  }
  return check_setting(definition, value);
}

Status SessionSettings::set(std::string_view name, std::string_view value, SettingScope scope, SettingSource source) {
  const SettingDefinition* definition = find_setting(name);
  if (definition == nullptr) {
    if (name.find('.') == std::string_view::npos) {
      return Status(sql_state::kUndefinedObject, "unrecognized configuration parameter \"{}\"", name);
    }
    if (!is_custom_name(name)) {
      return std::move(Status(sql_state::kInvalidName, "invalid configuration parameter name \"{}\"", name))
          .with_detail("Custom parameter names must be two or more simple identifiers separated by dots.");
    }
    store(key_of(name), std::string(value), scope, source);
    return {};
  }
  PANDO_TRY(check_allowed(*definition, source));
  PANDO_ASSIGN(std::string checked, check(*definition, value));
  store(key_of(name), std::move(checked), scope, source);
  return {};
}

Status SessionSettings::reset(std::string_view name, SettingScope scope) {
  const std::string key = key_of(name);
  const auto entry = entries_.find(key);
  if (const SettingDefinition* definition = find_setting(name)) {
    PANDO_TRY(check_allowed(*definition, SettingSource::kStatement));
  } else if (entry == entries_.end()) {
    return Status(sql_state::kUndefinedObject, "unrecognized configuration parameter \"{}\"", name);
  }
  if (entry != entries_.end()) {
    store(key, entry->second.reset, scope, SettingSource::kStatement);
  }
  return {};
}

void SessionSettings::reset_all() {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_) {
    if (key != "session_authorization" && key != "role" && !key.starts_with("transaction_")) {
      keys.push_back(key);
    }
  }
  for (const std::string& key : keys) {
    store(key, entries_[key].reset, SettingScope::kSession, SettingSource::kStatement);
  }
}

Result<std::string> SessionSettings::join_values(std::string_view name, const std::vector<std::string>& values) {
  const bool is_list = is_identifier_list(name) || lower(name) == "datestyle";
  if (values.size() > 1 && !is_list) {
    return Status(sql_state::kInvalidParameterValue, "SET {} takes only one argument", name);
  }
  std::string joined;
  for (const std::string& value : values) {
    joined += joined.empty() ? "" : ", ";
    joined += is_identifier_list(name) ? quote_identifier(value) : value;
  }
  return joined;
}

void SessionSettings::store(const std::string& key, std::optional<std::string> value, SettingScope scope,
                            SettingSource source) {
  // SET LOCAL outside a transaction has no effect.
  if (scope == SettingScope::kTransaction && !in_transaction_) {
    return;
  }
  Entry& entry = entries_[key];
  if (in_transaction_) {
    undo_.push_back({key, entry.session, entry.local});
  }
  if (scope == SettingScope::kTransaction) {
    entry.local = value ? std::move(value)
                        : std::optional<std::string>(find_setting(key) != nullptr ? find_setting(key)->default_value
                                                                                  : std::string_view());
  } else {
    entry.session = std::move(value);
    entry.local.reset();
    if (source != SettingSource::kStatement) {
      entry.reset = entry.session;
    }
  }
  changed(key);
}

void SessionSettings::changed(const std::string& key) {
  ++version_;
  if (const SettingDefinition* definition = find_setting(key)) {
    apply(*definition, stored(*definition));
    reports_pending_ = reports_pending_ || definition->reported;
  }
}

std::string SessionSettings::stored(const SettingDefinition& definition) const {
  const auto entry = entries_.find(key_of(definition.name));
  if (entry == entries_.end()) {
    return std::string(definition.default_value);
  }
  const Entry& found = entry->second;
  return found.local     ? *found.local
         : found.session ? *found.session
         : found.reset   ? *found.reset
                         : std::string(definition.default_value);
}

// Whether it is a setting that chooses the methods of plans.
static bool apply_plan_method(std::string_view name, const std::string& value, sql::PlanMethods& methods) {
  struct Switch {
    std::string_view name;
    bool sql::PlanMethods::* method;
  };
  static constexpr Switch kSwitches[] = {
      {"enable_hashjoin", &sql::PlanMethods::hash_join},
      {"enable_nestloop", &sql::PlanMethods::nested_loop},
      {"enable_indexscan", &sql::PlanMethods::index_scan},
      {"enable_indexonlyscan", &sql::PlanMethods::index_only_scan},
      {"enable_seqscan", &sql::PlanMethods::sequential_scan},
  };
  for (const Switch& candidate : kSwitches) {
    if (name == candidate.name) {
      methods.*candidate.method = value == "on";
      return true;
    }
  }
  if (name == "max_parallel_workers_per_gather") {
    methods.parallel = value != "0";
    return true;
  }
  if (name == "min_parallel_table_scan_size") {
    // Kept in pages of 8 KiB.
    constexpr double kRowsPerPage = 50;
    methods.parallel_rows_min = std::strtod(value.c_str(), nullptr) * kRowsPerPage;
    // Asking for it even where it is not worth it is for tests.
    methods.distributed_rows_min = std::min(sql::PlanMethods().distributed_rows_min, methods.parallel_rows_min);
    return true;
  }
  return false;
}

void SessionSettings::apply(const SettingDefinition& definition, const std::string& value) {
  const std::string_view name = definition.name;
  if (name == "DateStyle") {
    apply_date_style(value, values_.types);
    ++binding_version_;
  } else if (name == "IntervalStyle") {
    values_.types.interval_style = parse_interval_style(value);
    ++binding_version_;
  } else if (name == "TimeZone") {
    if (auto zone = zone_of_setting(time_zones_, value); zone.ok()) {
      values_.types.time_zone = *std::move(zone);
    }
    ++binding_version_;
  } else if (name == "bytea_output") {
    values_.types.bytea_output = value == "hex" ? types::ByteaOutput::kHex : types::ByteaOutput::kEscape;
  } else if (name == "extra_float_digits") {
    values_.types.extra_float_digits = static_cast<int32_t>(to_integer(value));
  } else if (name == "statement_timeout") {
    values_.statement_timeout = std::chrono::milliseconds(to_integer(value));
  } else if (name == "lock_timeout") {
    values_.lock_timeout = std::chrono::milliseconds(to_integer(value));
  } else if (name == "idle_in_transaction_session_timeout") {
    values_.idle_in_transaction_session_timeout = std::chrono::milliseconds(to_integer(value));
  } else if (name == "idle_session_timeout") {
    values_.idle_session_timeout = std::chrono::milliseconds(to_integer(value));
  } else if (name == "default_transaction_isolation") {
    values_.default_isolation = parse_isolation(value);
  } else if (name == "default_transaction_read_only") {
    values_.default_read_only = value == "on";
  } else if (name == "default_transaction_deferrable") {
    values_.default_deferrable = value == "on";
  } else if (name == "search_path") {
    values_.search_path.clear();
    split_identifier_list(value, values_.search_path);
    ++binding_version_;
  } else if (name == "role" || name == "session_authorization") {
    // Whose schema "$user" is.
    ++binding_version_;
  } else if (name == "work_mem") {
    values_.work_mem_bytes = static_cast<std::size_t>(to_integer(value)) * 1_KiB;
  } else if (name == "hash_mem_multiplier") {
    values_.hash_mem_multiplier = std::strtod(value.c_str(), nullptr);
  } else if (name == "default_statistics_target") {
    values_.default_statistics_target = static_cast<std::size_t>(to_integer(value));
  } else if (apply_plan_method(name, value, values_.plan_methods)) {
    // Plans made by other methods are made again.
    ++binding_version_;
  } else if (name == "pando.as_of") {
    values_.as_of = parse_read_moment(value, values_.types).value_or({});
  } else if (name == "pando.read_staleness") {
    values_.read_staleness = std::chrono::milliseconds(to_integer(value));
  } else if (name == "client_min_messages") {
    values_.client_min_rank = rank_of_message(value);
  }
}

std::optional<std::string> SessionSettings::show(std::string_view name) const {
  if (const SettingDefinition* definition = find_setting(name)) {
    return show_setting(*definition, stored(*definition));
  }
  const auto entry = entries_.find(key_of(name));
  if (entry == entries_.end()) {
    return std::nullopt;
  }
  const Entry& found = entry->second;
  return found.local ? *found.local : found.session ? *found.session : found.reset.value_or("");
}

std::vector<ShownSetting> SessionSettings::show_all() const {
  std::vector<ShownSetting> out;
  for (const SettingDefinition& definition : all_settings()) {
    const auto found = entries_.find(key_of(definition.name));
    const Entry entry = found == entries_.end() ? Entry() : found->second;
    const std::string value = stored(definition);
    out.push_back({&definition, std::string(definition.name), value, show_setting(definition, value),
                   std::string(definition.default_value), entry.reset.value_or(std::string(definition.default_value)),
                   entry.local || (entry.session && entry.session != entry.reset) ? "session"
                   : entry.reset                                                  ? "client"
                                                                                  : "default"});
  }
  return out;
}

void SessionSettings::begin_transaction() {
  in_transaction_ = true;
  undo_.clear();
}

void SessionSettings::rollback_to(std::size_t savepoint) {
  while (undo_.size() > savepoint) {
    Undo undo = std::move(undo_.back());
    undo_.pop_back();
    Entry& entry = entries_[undo.name];
    entry.session = std::move(undo.session);
    entry.local = std::move(undo.local);
    changed(undo.name);
  }
}

void SessionSettings::end_transaction(bool committed) {
  if (!in_transaction_) {
    return;
  }
  if (!committed) {
    rollback_to(0);
  }
  for (const Undo& undo : undo_) {
    if (Entry& entry = entries_[undo.name]; entry.local) {
      entry.local.reset();
      changed(undo.name);
    }
  }
  undo_.clear();
  in_transaction_ = false;
}

std::vector<std::pair<std::string, std::string>> SessionSettings::take_reports() {
  std::vector<std::pair<std::string, std::string>> changes;
  reports_pending_ = false;
  for (const SettingDefinition& definition : all_settings()) {
    if (!definition.reported) {
      continue;
    }
    std::string value = show_setting(definition, stored(definition));
    if (const auto known = reported_.find(definition.name); known == reported_.end() || known->second != value) {
      reported_[definition.name] = value;
      changes.emplace_back(definition.name, std::move(value));
    }
  }
  return changes;
}

}  // namespace pando::session
