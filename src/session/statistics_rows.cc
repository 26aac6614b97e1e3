// Session: rows of system views about tables' statistics: pg_stats, pg_stat_all_tables.

#include <fmt/format.h>

#include "session/planner_statistics.h"
#include "session/session.h"
#include "types/array.h"
#include "types/text_io.h"

namespace pando::session {
namespace {

using catalog::Cell;

// As an array of the type prints.
Cell array_text(const types::Type& type, const std::vector<types::Value>& values, const types::Settings& settings) {
  const types::Oid array = types::array_of(type.oid);
  if (values.empty() || array == 0) {
    return {};
  }
  types::ArrayBuilder builder(type.oid);
  for (const types::Value& value : values) {
    builder.add(value);
  }
  const auto packed = builder.finish();
  Bytes text;
  if (packed.ok()) {
    types::print_text({array}, types::Value::of_bytes(*packed), settings, text);
  }
  return packed.ok() ? Cell(text) : Cell();
}

Cell numbers(const std::vector<double>& values) {
  if (values.empty()) {
    return {};
  }
  std::string text;
  for (const double value : values) {
    text += fmt::format("{}{}", text.empty() ? "{" : ",", static_cast<float>(value));
  }
  return text + "}";
}

std::string number(double value) { return fmt::format("{}", static_cast<float>(value)); }

}  // namespace

bool Session::write_statistics_rows(std::string_view relation, catalog::SystemRowWriter& writer) {
  const auto time = [this](int64_t microseconds) {
    Bytes text;
    if (microseconds != 0) {
      types::print_text({types::oid::kTimestamptz}, types::Value::of_int64(microseconds), settings_.values().types,
                        text);
    }
    return microseconds == 0 ? Cell() : Cell(text);
  };
  if ((relation != "pg_stats" && relation != "pg_stat_all_tables") || environment_.statistics == nullptr) {
    return false;
  }
  const auto snapshot = this->snapshot();
  for (const auto& [oid, table] : snapshot->tables()) {
    if (table->kind != catalog::RelationKind::kTable) {
      continue;
    }
    const std::string schema = snapshot->find_schema(table->schema)->name;
    if (relation == "pg_stats") {
      const auto found = environment_.statistics->find(*table);
      for (const auto& column : table->columns) {
        const auto* statistics = found == nullptr || column.dropped ? nullptr : found->find(column.number);
        if (statistics == nullptr) {
          continue;
        }
        writer.add({{"schemaname", schema},
                    {"tablename", table->name},
                    {"attname", column.name},
                    {"inherited", false},
                    {"null_frac", number(statistics->null_fraction)},
                    {"avg_width", static_cast<int64_t>(statistics->average_width)},
                    {"n_distinct", number(statistics->distinct)},
                    {"most_common_vals", array_text(column.type, statistics->most_common, settings_.values().types)},
                    {"most_common_freqs", numbers(statistics->most_common_frequencies)},
                    {"histogram_bounds", array_text(column.type, statistics->histogram, settings_.values().types)},
                    {"correlation", statistics->has_correlation ? Cell(number(statistics->correlation)) : Cell()}});
      }
      continue;
    }
    auto& activity = environment_.statistics->activity(oid);
    const auto reads = activity.reads();
    const auto writes = activity.writes();
    const auto maintenance = activity.maintenance();
    const auto count = [](uint64_t value) { return static_cast<int64_t>(value); };
    const double live = environment_.statistics->live_rows(*table);
    writer.add({{"relid", static_cast<int64_t>(oid)},
                {"schemaname", schema},
                {"relname", table->name},
                {"seq_scan", count(reads.sequential_scans)},
                {"seq_tup_read", count(reads.sequential_rows)},
                {"idx_scan", table->indexes.empty() ? Cell() : Cell(count(reads.index_scans))},
                {"idx_tup_fetch", table->indexes.empty() ? Cell() : Cell(count(reads.index_rows))},
                {"n_tup_ins", count(writes.inserted)},
                {"n_tup_upd", count(writes.updated)},
                {"n_tup_del", count(writes.deleted)},
                {"n_tup_hot_upd", int64_t{0}},
                {"n_live_tup", static_cast<int64_t>(std::max(0.0, live))},
                {"n_dead_tup", count(writes.dead)},
                {"n_mod_since_analyze", count(writes.changed_since_analyze)},
                {"n_ins_since_vacuum", count(writes.inserted_since_vacuum)},
                {"last_vacuum", time(maintenance.last_vacuum_us)},
                {"last_analyze", time(maintenance.last_analyze_us)},
                {"last_autoanalyze", time(maintenance.last_auto_analyze_us)},
                {"vacuum_count", count(maintenance.vacuums)},
                {"autovacuum_count", int64_t{0}},
                {"analyze_count", count(maintenance.analyzes)},
                {"autoanalyze_count", count(maintenance.auto_analyzes)}});
  }
  return true;
}

}  // namespace pando::session
