// The checks of constraints: at the end of a statement, or of the transaction for those that were deferred.

#include <algorithm>
#include <map>
#include <tuple>

#include "sql/exec/constraint_errors.h"
#include "sql/exec/end_of_statement.h"
#include "sql/exec/key_lookup.h"

namespace pando::sql::exec {

using catalog::ConstraintDescriptor;
using types::Chunk;
using types::Value;

namespace {

// How many rows are locked together.
constexpr std::size_t kChecksAtOnce = 1024;

const ConstraintDescriptor* find_constraint(const catalog::TableDescriptor& table, types::Oid oid) {
  const auto found = std::ranges::find(table.constraints, oid, &ConstraintDescriptor::oid);
  return found == table.constraints.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const catalog::TableDescriptor& table,
                                  const std::vector<catalog::AttributeNumber>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const catalog::AttributeNumber column : columns) {
    names.push_back(table.column(column).name);
  }
  return names;
}

std::vector<types::Type> types_of(const catalog::TableDescriptor& table,
                                  const std::vector<catalog::AttributeNumber>& columns) {
  std::vector<types::Type> types;
  types.reserve(columns.size());
  for (const catalog::AttributeNumber column : columns) {
    types.push_back(table.column(column).type);
  }
  return types;
}

// Whether the row that queued a check still has the key.
Task<Result<bool>> still_has_key(const TableLayout& layout, const ConstraintDescriptor& constraint,
                                 const DeferredCheck& check, Runtime& runtime) {
  PANDO_CO_ASSIGN(const auto value, co_await runtime.context.transaction.get_latest(check.row_key));
  if (!value) {
    co_return false;
  }
  PANDO_CO_ASSIGN(RowReader reader, RowReader::make(layout, constraint.columns));
  Chunk row;
  row.columns.resize(constraint.columns.size());
  row.rows = 1;
  const ByteView key_view = check.row_key;
  const ByteView value_view = *value;
  PANDO_CO_TRY(reader.read({&key_view, 1}, {&value_view, 1}, row));
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    if (row.columns[i].get(0) != check.key[i]) {
      co_return false;
    }
  }
  co_return true;
}

// A row of the referencing table: the key it names must be there.
Task<Status> check_referencing(const DeferredCheck& check, catalog::TablePtr table,
                               const ConstraintDescriptor& constraint, Runtime& runtime) {
  const TableLayout layout(table);
  PANDO_CO_ASSIGN(const bool current, co_await still_has_key(layout, constraint, check, runtime));
  if (!current) {
    co_return Status();
  }
  const catalog::TablePtr referenced = runtime.context.catalog->find_table(constraint.referenced_table);
  if (referenced == nullptr) {
    co_return Status(sql_state::kInternalError, "a foreign key refers to a table that does not exist");
  }
  const TableLayout referenced_layout(referenced);
  const auto key =
      convert_key(check.key, {*table, constraint.columns}, {*referenced, constraint.referenced_columns}, runtime);
  if (key.has_value()) {
    PANDO_CO_ASSIGN(const bool found, co_await lock_referenced_row(referenced_layout, constraint.index,
                                                                   constraint.referenced_columns, *key, runtime));
    if (found) {
      co_return Status();
    }
  }
  co_return lacks_referenced_row(*table, *referenced, constraint, check.key, runtime);
}

// The row that a check of a referencing row looks for, when its key tells which: not of a secondary index.
std::optional<Bytes> referenced_row_key(const DeferredCheck& check, Runtime& runtime) {
  const catalog::TablePtr table = runtime.context.catalog->find_table(check.table);
  const ConstraintDescriptor* constraint = table == nullptr ? nullptr : find_constraint(*table, check.constraint);
  if (constraint == nullptr || constraint->kind != catalog::ConstraintKind::kForeign || check.of_referenced) {
    return std::nullopt;
  }
  const catalog::TablePtr referenced = runtime.context.catalog->find_table(constraint->referenced_table);
  if (referenced == nullptr) {
    return std::nullopt;
  }
  const TableLayout layout(referenced);
  const auto key =
      convert_key(check.key, {*table, constraint->columns}, {*referenced, constraint->referenced_columns}, runtime);
  if (!key.has_value() || layout.find_secondary(constraint->index) != nullptr) {
    return std::nullopt;
  }
  return key_in_index(layout, constraint->index, constraint->referenced_columns, *key);
}

// See Transaction::lock_ahead.
Task<Status> lock_ahead(std::span<const DeferredCheck> checks, Runtime& runtime) {
  std::vector<Bytes> keys;
  for (std::size_t i = 0; checks.size() > 1 && i < checks.size(); ++i) {
    if (auto key = referenced_row_key(checks[i], runtime)) {
      keys.push_back(*std::move(key));
    }
  }
  co_return co_await runtime.context.transaction.lock_ahead(keys, txn::LockStrength::kKeyShare);
}

// Rows of the referenced table are gone: unless others have their keys now, none may refer to them. The checks are of
// one constraint.
Task<Status> check_referenced(std::span<const DeferredCheck> checks, catalog::TablePtr table,
                              const ConstraintDescriptor& constraint, Runtime& runtime) {
  const catalog::TablePtr referenced = runtime.context.catalog->find_table(constraint.referenced_table);
  if (referenced == nullptr) {
    co_return Status();
  }
  const TableLayout referenced_layout(referenced);
  std::vector<const DeferredCheck*> gone;
  std::vector<MatchingRows::Key> keys;
  for (const DeferredCheck& check : checks) {
    PANDO_CO_ASSIGN(const bool replaced,
                    co_await lock_referenced_row(referenced_layout, constraint.index, constraint.referenced_columns,
                                                 check.key, runtime));
    auto key =
        convert_key(check.key, {*referenced, constraint.referenced_columns}, {*table, constraint.columns}, runtime);
    if (!replaced && key.has_value()) {
      gone.push_back(&check);
      keys.push_back(*std::move(key));
    }
    if (runtime.should_yield()) {
      PANDO_CO_TRY(co_await runtime.pause());
    }
  }
  const TableLayout layout(table);
  PANDO_CO_ASSIGN(auto matching, MatchingRows::make(layout, constraint.columns, keys, runtime));
  MatchingRows::Rows found;
  // Of the keys that rows still refer to the first is told.
  std::size_t first = gone.size();
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await matching->next(found));
    if (!more) {
      break;
    }
    first = std::min<std::size_t>(first, std::ranges::min(found.matched));
  }
  co_return first == gone.size() ? Status()
                                 : still_referenced(*referenced, *table, constraint, gone[first]->key, runtime);
}

// A key of a deferrable unique constraint may be there once.
Task<Status> check_unique(const DeferredCheck& check, catalog::TablePtr table, const ConstraintDescriptor& constraint,
                          Runtime& runtime) {
  const TableLayout layout(table);
  const IndexLayout* index = layout.find_secondary(constraint.index);
  if (index == nullptr) {
    co_return Status();
  }
  Bytes prefix = index->prefix;
  std::vector<types::Type> types;
  for (std::size_t i = 0; i < index->columns.size(); ++i) {
    types.push_back(index->columns[i].type);
    types::append_key(prefix, index->columns[i].type.oid, check.key[i], index->columns[i].order);
  }
  auto cursor = runtime.context.transaction.scan({prefix, prefix_end(prefix)}, {});
  txn::KeyValueBatch batch;
  constexpr std::size_t kTwo = 2;
  PANDO_CO_TRY(co_await cursor->next(batch, kTwo));
  co_return batch.size() < kTwo ? Status() : unique_violation(*table, *index->index, runtime, types, check.key);
}

}  // namespace

bool is_deferred(const TransactionState& state, const ConstraintDescriptor& constraint) {
  if (!constraint.deferrable) {
    return false;
  }
  for (auto set = state.constraint_deferred.rbegin(); set != state.constraint_deferred.rend(); ++set) {
    if (set->first == constraint.oid) {
      return set->second;
    }
  }
  return state.all_deferred.value_or(constraint.initially_deferred);
}

namespace {

// The checks are of one constraint, and of the same side of it.
Task<Status> make_checks_of_one(std::span<const DeferredCheck> checks, Runtime& runtime) {
  const catalog::TablePtr table = runtime.context.catalog->find_table(checks.front().table);
  const ConstraintDescriptor* constraint =
      table == nullptr ? nullptr : find_constraint(*table, checks.front().constraint);
  if (constraint == nullptr) {
    co_return Status();
  }
  if (checks.front().of_referenced) {
    co_return co_await check_referenced(checks, table, *constraint, runtime);
  }
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (i % kChecksAtOnce == 0) {
      PANDO_CO_TRY(co_await lock_ahead(checks.subspan(i, std::min(checks.size() - i, kChecksAtOnce)), runtime));
    }
    PANDO_CO_TRY(constraint->kind == catalog::ConstraintKind::kUnique
                     ? co_await check_unique(checks[i], table, *constraint, runtime)
                     : co_await check_referencing(checks[i], table, *constraint, runtime));
    if (runtime.should_yield()) {
      PANDO_CO_TRY(co_await runtime.pause());
    }
  }
  co_return Status();
}

}  // namespace

Task<Status> make_checks(std::vector<DeferredCheck> checks, Runtime& runtime) {
  // Constraints in the order in which they were first noted.
  std::map<std::tuple<types::Oid, types::Oid, bool>, std::size_t> places;
  std::vector<std::vector<DeferredCheck>> of_one;
  for (DeferredCheck& check : checks) {
    const auto [place, added] =
        places.emplace(std::tuple(check.table, check.constraint, check.of_referenced), of_one.size());
    if (added) {
      of_one.emplace_back();
    }
    of_one[place->second].push_back(std::move(check));
  }
  for (const std::vector<DeferredCheck>& same : of_one) {
    PANDO_CO_TRY(co_await make_checks_of_one(same, runtime));
  }
  co_return Status();
}

Status still_referenced(const catalog::TableDescriptor& referenced, const catalog::TableDescriptor& table,
                        const ConstraintDescriptor& constraint, const std::vector<Value>& key, Runtime& runtime) {
  return Status(sql_state::kForeignKeyViolation,
                "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                referenced.name, constraint.name, table.name)
      .with_detail("Key " +
                   describe_key(names_of(referenced, constraint.referenced_columns),
                                types_of(referenced, constraint.referenced_columns), key, runtime) +
                   " is still referenced from table \"" + table.name + "\".")
      .with_constraint(schema_name(table, runtime), table.name, constraint.name);
}

Task<Status> check_deferred(ExecutionContext& context, types::Oid constraint) {
  std::vector<DeferredCheck> later;
  std::vector<DeferredCheck> now;
  for (DeferredCheck& check : std::exchange(context.state.deferred, {})) {
    (constraint == 0 || check.constraint == constraint ? now : later).push_back(std::move(check));
  }
  context.state.deferred = std::move(later);
  if (now.empty()) {
    co_return Status();
  }
  Runtime runtime(context);
  context.transaction.begin_statement();
  co_return co_await make_checks(std::move(now), runtime);
}

}  // namespace pando::sql::exec
