// Session: rows of system tables that only a session knows: settings, statements, cursors, activity.

#include "catalog/system_rows.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <fmt/format.h>

#include "base/codec.h"
#include "session/cluster_control.h"
#include "session/databases.h"
#include "session/session.h"
#include "session/system_functions.h"
#include "sql/parse/parse.h"
#include "types/text_io.h"
#include "types/time_zone.h"

namespace pando::session {
namespace {

std::string_view kind_name(SettingKind kind) {
  constexpr std::string_view kNames[] = {"bool", "integer", "real", "string", "enum"};
  return kNames[static_cast<int>(kind)];
}

std::string_view context_name(SettingContext context) {
  constexpr std::string_view kNames[] = {"internal", "postmaster", "backend", "superuser", "user"};
  return kNames[static_cast<int>(context)];
}

catalog::Cell text_or_null(std::string_view text) {
  return text.empty() ? catalog::Cell() : catalog::Cell(std::string(text));
}

std::string array_of(std::string_view comma_separated) { return fmt::format("{{{}}}", comma_separated); }

void write_settings(const SessionSettings& settings, catalog::SystemRowWriter& writer) {
  for (const ShownSetting& setting : settings.show_all()) {
    const SettingDefinition& definition = *setting.definition;
    writer.add({{"name", setting.name},
                {"setting", setting.setting},
                {"unit", text_or_null(definition.unit)},
                {"category", std::string(definition.category)},
                {"short_desc", std::string(definition.description)},
                {"context", std::string(context_name(definition.context))},
                {"vartype", std::string(kind_name(definition.kind))},
                {"source", std::string(setting.source)},
                {"min_val", text_or_null(definition.min)},
                {"max_val", text_or_null(definition.max)},
                {"enumvals", definition.choices.empty() ? catalog::Cell() : array_of(definition.choices)},
                {"boot_val", setting.boot_value},
                {"reset_val", setting.reset_value},
                {"pending_restart", false}});
  }
}

std::string offset_text(int32_t seconds_east) {
  constexpr int kMinute = 60;
  const int32_t seconds = std::abs(seconds_east);
  return fmt::format("{}{:02}:{:02}:{:02}", seconds_east < 0 ? "-" : "", seconds / (kMinute * kMinute),
                     seconds / kMinute % kMinute, seconds % kMinute);
}

void write_time_zone(std::string_view relation, const std::string& name, const types::TimeZone::Offset& offset,
                     catalog::SystemRowWriter& writer) {
  const catalog::Cell utc_offset = offset_text(offset.seconds_east);
  if (relation == "pg_timezone_abbrevs") {
    writer.add({{"abbrev", name}, {"utc_offset", utc_offset}, {"is_dst", offset.daylight}});
    return;
  }
  writer.add({{"name", name},
              {"abbrev", std::string(offset.abbreviation)},
              {"utc_offset", utc_offset},
              {"is_dst", offset.daylight}});
}

// What holds at an instant in each zone, and what each abbreviation means then.
void write_time_zones(std::string_view relation, types::TimeZoneSource& zones, int64_t unix_seconds,
                      catalog::SystemRowWriter& writer) {
  if (relation == "pg_timezone_names") {
    for (const std::string& name : zones.names()) {
      if (const auto zone = zones.find(name)) {
        write_time_zone(relation, name, zone->offset_at(unix_seconds), writer);
      }
    }
    return;
  }
  for (const types::Abbreviation& abbreviation : types::abbreviations()) {
    std::string name(abbreviation.name);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const auto zone = abbreviation.zone.empty() ? nullptr : zones.find(abbreviation.zone);
    const auto meant = zone == nullptr ? std::nullopt : zone->offset_of_abbreviation(name, unix_seconds);
    write_time_zone(relation, name,
                    meant.value_or(types::TimeZone::Offset{abbreviation.seconds_east, abbreviation.daylight, ""}),
                    writer);
  }
}

template <typename Time>
void write_nodes(ClusterControl& cluster, const Time& time, catalog::SystemRowWriter& writer) {
  for (const ClusterNodeRow& node : cluster.nodes()) {
    writer.add({{"node_id", static_cast<int64_t>(node.id)},
                {"sql_address", node.sql_address},
                {"peer_address", node.peer_address},
                {"locality", node.locality},
                {"state", node.state},
                {"is_live", node.is_live},
                {"started_at", time(node.started_us)},
                {"version", node.version}});
  }
}

// A key as the numbers it begins with, /table/index, and the rest in hexadecimal.
std::string readable_key(ByteView key) {
  OrderedReader reader(key);
  uint32_t number = 0;
  std::string text;
  for (int i = 0; i < 2 && reader.ordered_uint32(number); ++i) {
    text += fmt::format("/{}", number);
  }
  if (!reader.rest().empty()) {
    text += '/';
  }
  for (const char c : reader.rest()) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

void write_shards(ClusterControl& cluster, catalog::SystemRowWriter& writer) {
  for (const ClusterShardRow& shard : cluster.shards()) {
    writer.add({{"shard_id", static_cast<int64_t>(shard.id)},
                {"generation", static_cast<int64_t>(shard.generation)},
                {"start_key", readable_key(shard.start)},
                {"end_key", shard.end.empty() ? catalog::Cell() : readable_key(shard.end)},
                {"leaseholder", shard.leaseholder == 0 ? catalog::Cell() : static_cast<int64_t>(shard.leaseholder)},
                {"replicas", fmt::format("{{{}}}", fmt::join(shard.replicas, ","))}});
  }
}

}  // namespace

void Session::write_view_dependencies(catalog::SystemRowWriter& writer) {
  static constexpr int64_t kPgClass = 1259;
  static constexpr int64_t kPgRewrite = 2618;
  const auto add = [&writer](types::Oid view, types::Oid on, const char* kind) {
    writer.add({{"classid", kPgRewrite},
                {"objid", int64_t{catalog::kRuleOidBase + view}},
                {"refclassid", kPgClass},
                {"refobjid", int64_t{on}},
                {"deptype", std::string(kind)}});
  };
  const auto view = snapshot();
  for (const auto& [oid, table] : view->tables()) {
    if (table->view_sql.empty() || oid < types::oid::kFirstUser) {
      continue;
    }
    add(oid, oid, "i");
    add(oid, oid, "n");
    const auto text = std::make_shared<const std::string>(table->view_sql);
    auto tree = parse::parse_statement(*text);
    auto relations = tree.ok() ? sql::bind_dependencies(**tree, bind_options(text, {})) : std::move(tree).status();
    if (relations.ok()) {
      for (const types::Oid relation : *relations) {
        add(oid, relation, "n");
      }
    }
  }
}

void Session::write_other_databases(catalog::SystemRowWriter& writer) {
  if (environment_.databases == nullptr) {
    return;
  }
  constexpr std::string_view kFirst = "postgres";
  if (identity_.database != kFirst) {
    catalog::write_database(catalog::kPostgresDatabase, std::string(kFirst), writer);
  }
  for (const Databases::Entry& entry : environment_.databases->entries()) {
    if (entry.name != identity_.database) {
      catalog::write_database(entry.oid, entry.name, writer);
    }
  }
}

bool Session::write_system_rows(std::string_view relation, catalog::SystemRowWriter& writer) {
  const auto time = [this](int64_t microseconds) {
    Bytes text;
    if (microseconds == 0) {
      return catalog::Cell();
    }
    types::print_text({types::oid::kTimestamptz}, types::Value::of_int64(microseconds), settings_.values().types, text);
    return catalog::Cell(text);
  };
  if (relation == "nodes" || relation == "shards") {
    if (environment_.cluster != nullptr) {
      relation == "nodes" ? write_nodes(*environment_.cluster, time, writer)
                          : write_shards(*environment_.cluster, writer);
    }
    return true;
  }
  if (write_function_rows(relation, writer)) {
    return true;
  }
  if (relation == "pg_settings") {
    write_settings(settings_, writer);
    return true;
  }
  if (relation == "pg_prepared_statements") {
    for (const auto& [name, statement] : statements_) {
      std::string types;
      for (const types::Type& type : statement->parameter_types) {
        types += fmt::format("{}{}", types.empty() ? "" : ",", type.oid);
      }
      writer.add({{"name", name},
                  {"statement", *statement->text},
                  {"prepare_time", time(statement->prepare_time_us)},
                  {"parameter_types", array_of(types)},
                  {"from_sql", statement->from_sql}});
    }
    return true;
  }
  if (relation == "pg_cursors") {
    for (const auto& [name, portal] : portals_) {
      writer.add({{"name", name},
                  {"statement", *portal->statement->text},
                  {"is_holdable", portal->hold},
                  {"is_binary", portal->binary},
                  {"is_scrollable", portal->scroll == CursorScroll::kScroll},
                  {"creation_time", time(portal->creation_time_us)}});
    }
    return true;
  }
  if (relation == "pg_timezone_names" || relation == "pg_timezone_abbrevs") {
    if (environment_.time_zones != nullptr) {
      constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
      write_time_zones(relation, *environment_.time_zones,
                       static_cast<int64_t>(environment_.clock.wall_ns() / kNanosecondsPerSecond), writer);
    }
    return true;
  }
  if (relation == "pg_database") {
    write_other_databases(writer);
    return true;
  }
  if (relation == "pg_depend") {
    write_view_dependencies(writer);
    return true;
  }
  if (relation == "pg_locks") {
    for (const AdvisoryLocks::Row& lock : environment_.registry.advisory_locks().rows()) {
      writer.add({{"locktype", std::string("advisory")},
                  {"database", int64_t{lock.key.database}},
                  {"classid", int64_t{lock.key.class_id}},
                  {"objid", int64_t{lock.key.object_id}},
                  {"objsubid", int64_t{lock.key.kind}},
                  {"pid", static_cast<int64_t>(lock.owner > INT32_MAX ? 0 : lock.owner)},
                  {"mode", std::string(lock.exclusive ? "ExclusiveLock" : "ShareLock")},
                  {"granted", lock.granted},
                  {"fastpath", false}});
    }
    return true;
  }
  if (relation == "pg_stat_activity") {
    for (const SessionActivity& activity : environment_.registry.activities()) {
      // client_addr stays NULL: there is no type inet yet.
      writer.add({{"datid", static_cast<int64_t>(environment_.catalog.options().database)},
                  {"datname", activity.database},
                  {"pid", static_cast<int64_t>(activity.process_id)},
                  {"usesysid", static_cast<int64_t>(catalog::kSuperuserRole)},
                  {"usename", activity.user},
                  {"application_name", activity.application_name},
                  {"backend_start", time(activity.session_start_us)},
                  {"xact_start", time(activity.transaction_start_us)},
                  {"query_start", time(activity.query_start_us)},
                  {"state_change", time(activity.state_change_us)},
                  {"state", activity.state},
                  {"query", activity.query},
                  {"backend_type", std::string("client backend")}});
    }
    return true;
  }
  return write_statistics_rows(relation, writer);
}

}  // namespace pando::session
