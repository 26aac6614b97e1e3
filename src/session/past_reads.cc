// Session: reads of the past (pando.as_of). Rows are kept as they were, definitions are not: a statement is bound to
// the tables as they are now, and may read only what has not been changed since.

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

}  // namespace pando::session
