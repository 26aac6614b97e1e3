// Session: reads of the past (pando.as_of). Rows are kept as they were, definitions are not: a statement is bound to
// the tables as they are now, and may read only what has not been changed since. The same of snapshots that are older
// than an index that was built meanwhile, which lacks entries for them.

#include <algorithm>

#include "catalog/descriptor_codec.h"
#include "catalog/relation_forms.h"
#include "session/session.h"

namespace pando::session {
namespace {

Status changed_since(const catalog::TableDescriptor& table) {
  return Status(sql_state::kObjectNotInPrerequisiteState,
                "relation \"{}\" has been changed since the moment to be read", table.name)
      .with_hint("Set pando.as_of to a later moment, or to an empty string.");
}

Status not_there_yet(const catalog::TableDescriptor& table) {
  return Status(sql_state::kUndefinedTable, "relation \"{}\" did not exist at the moment to be read", table.name);
}

}  // namespace

Task<Status> Session::check_past(const StatementPlan& plan) {
  const HlcTimestamp moment = transaction_.read_at();
  if (moment.wall_ns > environment_.clock.wall_ns()) {
    co_return Status(sql_state::kInvalidParameterValue, "pando.as_of must not lie in the future");
  }
  for (const types::Oid oid : plan.read_tables) {
    const catalog::TablePtr table = snapshot()->find_table(oid);
    if (table == nullptr || !catalog::has_rows(*table)) {
      continue;
    }
    UnchangedSince& known = unchanged_since_[oid];
    if (known.table == table && known.moment <= moment) {
      continue;
    }
    PANDO_CO_ASSIGN(const std::optional<Bytes> then, co_await transaction_.catalog().stored_table(oid));
    if (!then.has_value()) {
      co_return not_there_yet(*table);
    }
    if (*then != catalog::encode(*table)) {
      co_return changed_since(*table);
    }
    known = {.table = table, .moment = moment};
  }
  co_return Status();
}

Task<Status> Session::check_indexes(const StatementPlan& plan) {
  for (const auto* tables : {&plan.read_tables, &plan.locked_tables}) {
    for (const types::Oid oid : *tables) {
      PANDO_CO_TRY(co_await check_indexes_of(oid));
    }
  }
  co_return Status();
}

// A job's last piece and the end of it are commits that follow each other: a snapshot that shows the index as readable
// shows all its entries.
Task<Status> Session::check_indexes_of(types::Oid oid) {
  const HlcTimestamp moment = transaction_.transaction().read_timestamp();
  const catalog::TablePtr table = snapshot()->find_table(oid);
  const auto is_secondary = [](const catalog::IndexDescriptor& index) { return !index.primary && index.readable; };
  if (moment == HlcTimestamp() || table == nullptr || std::ranges::none_of(table->indexes, is_secondary)) {
    co_return Status();
  }
  UnchangedSince& known = indexed_since_[oid];
  if (known.table == table && known.moment <= moment) {
    co_return Status();
  }
  PANDO_CO_ASSIGN(const std::optional<Bytes> stored, co_await transaction_.catalog().stored_table(oid));
  if (stored.has_value()) {
    PANDO_CO_ASSIGN(const catalog::TableDescriptor then, catalog::decode_table(*stored));
    for (const catalog::IndexDescriptor& index : table->indexes) {
      const auto* before = then.find_index(index.oid);
      if (is_secondary(index) && then.id == table->id && (before == nullptr || !before->readable)) {
        co_return Status(sql_state::kSerializationFailure,
                         "could not serialize access due to an index of relation \"{}\" that was built meanwhile",
                         table->name);
      }
    }
  }
  known = {.table = table, .moment = moment};
  co_return Status();
}

}  // namespace pando::session
