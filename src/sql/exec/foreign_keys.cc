#include "sql/exec/foreign_keys.h"

#include <algorithm>
#include <map>

#include "sql/exec/constraint_errors.h"
#include "sql/exec/end_of_statement.h"
#include "sql/exec/table_writer.h"
#include "types/compare.h"

namespace pando::sql::exec {

using catalog::ConstraintDescriptor;
using catalog::ForeignAction;
using types::Chunk;
using types::Value;

namespace {

bool has_null(const std::vector<Value>& values) { return std::ranges::any_of(values, &Value::is_null); }

}  // namespace

ForeignKeys::ForeignKeys(const TableLayout& layout, Runtime& runtime) : layout_(layout), runtime_(runtime) {
  for (const ConstraintDescriptor& constraint : layout.table().constraints) {
    if (constraint.kind == catalog::ConstraintKind::kForeign) {
      own_.push_back(&constraint);
    }
  }
  if (runtime.context.catalog == nullptr) {
    return;
  }
  for (const catalog::TablePtr& table : runtime.context.catalog->referencing_tables(layout.table().oid)) {
    for (const ConstraintDescriptor& constraint : table->constraints) {
      if (constraint.kind == catalog::ConstraintKind::kForeign && constraint.referenced_table == layout.table().oid) {
        references_.push_back({table, &constraint});
      }
    }
  }
}

std::vector<Value> ForeignKeys::key_of(const std::vector<catalog::AttributeNumber>& columns, const Chunk& rows,
                                       std::size_t row) const {
  std::vector<Value> key;
  for (const catalog::AttributeNumber column : columns) {
    key.push_back(rows.columns[layout_.live_position(column)].get(row));
  }
  return key;
}

Status ForeignKeys::note_check(const ConstraintDescriptor& constraint, const Chunk& rows, std::size_t row,
                               const Bytes& row_key) {
  std::vector<Value> key = key_of(constraint.columns, rows, row);
  if (has_null(key)) {
    const bool all_null = std::ranges::all_of(key, &Value::is_null);
    if (!constraint.match_full || all_null) {
      return {};
    }
    return mixes_nulls(layout_.table(), constraint, runtime_);
  }
  const bool deferred = is_deferred(runtime_.context.state, constraint);
  if (!deferred) {
    // Rows that refer to the same key need one check.
    Bytes identity;
    for (std::size_t i = 0; i < key.size(); ++i) {
      types::append_key(identity, layout_.table().column(constraint.columns[i]).type.oid, key[i]);
    }
    if (!noted_.emplace(constraint.oid, std::move(identity)).second) {
      return {};
    }
  }
  DeferredCheck check{layout_.table().oid, constraint.oid, std::move(key), row_key, false};
  if (deferred) {
    runtime_.context.state.deferred.push_back(std::move(check));
  } else {
    checks_.push_back(std::move(check));
  }
  return {};
}

Status ForeignKeys::inserted(const Chunk& rows, std::size_t row, const Bytes& row_key) {
  for (const ConstraintDescriptor* constraint : own_) {
    PANDO_TRY(note_check(*constraint, rows, row, row_key));
  }
  return {};
}

Status ForeignKeys::updated(const Chunk& old_rows, std::size_t old_row, const Chunk& rows, std::size_t row,
                            const Bytes& row_key) {
  for (const ConstraintDescriptor* constraint : own_) {
    if (key_of(constraint->columns, old_rows, old_row) != key_of(constraint->columns, rows, row)) {
      PANDO_TRY(note_check(*constraint, rows, row, row_key));
    }
  }
  for (std::size_t i = 0; i < references_.size(); ++i) {
    const auto& columns = references_[i].constraint->referenced_columns;
    std::vector<Value> before = key_of(columns, old_rows, old_row);
    std::vector<Value> after = key_of(columns, rows, row);
    bool same = true;
    for (std::size_t column = 0; column < columns.size(); ++column) {
      const types::Oid type = layout_.table().column(columns[column]).type.oid;
      same = same && !before[column].is_null() && !after[column].is_null() &&
             types::equal_values(type, before[column], after[column]);
    }
    if (!same && !has_null(before)) {
      changes_.push_back({i, std::move(before), std::move(after)});
    }
  }
  return {};
}

void ForeignKeys::erased(const Chunk& old_rows, std::size_t old_row) {
  for (std::size_t i = 0; i < references_.size(); ++i) {
    std::vector<Value> key = key_of(references_[i].constraint->referenced_columns, old_rows, old_row);
    if (!has_null(key)) {
      changes_.push_back({i, std::move(key), {}});
    }
  }
}

void ForeignKeys::check_unique_later(const IndexEntries& entries, std::size_t index, std::size_t row) {
  const catalog::IndexDescriptor& descriptor = *entries.indexes()[index].layout->index;
  DeferredCheck check;
  check.table = layout_.table().oid;
  for (std::size_t i = 0; i < entries.indexes()[index].types.size(); ++i) {
    check.key.push_back(entries.column(index, i).get(row));
  }
  if (has_null(check.key) && !descriptor.nulls_not_distinct) {
    return;
  }
  for (const ConstraintDescriptor& constraint : layout_.table().constraints) {
    if (constraint.kind == catalog::ConstraintKind::kUnique && constraint.index == descriptor.oid) {
      check.constraint = constraint.oid;
      auto& checks = is_deferred(runtime_.context.state, constraint) ? runtime_.context.state.deferred : checks_;
      checks.push_back(std::move(check));
      return;
    }
  }
}

Task<Status> ForeignKeys::finish() {
  noted_.clear();
  const std::vector<Change> changes = std::exchange(changes_, {});
  for (std::size_t i = 0; i < references_.size(); ++i) {
    // Of a MERGE there may be both.
    std::vector<const Change*> erased;
    std::vector<const Change*> updated;
    for (const Change& change : changes) {
      if (change.reference == i) {
        (change.new_key.empty() ? erased : updated).push_back(&change);
      }
    }
    PANDO_CO_TRY(co_await act(references_[i], erased));
    PANDO_CO_TRY(co_await act(references_[i], updated));
  }
  std::ranges::move(checks_, std::back_inserter(runtime_.checks));
  checks_.clear();
  co_return Status();
}

Task<Status> ForeignKeys::act(const Reference& reference, const std::vector<const Change*>& changes) {
  if (changes.empty()) {
    co_return Status();
  }
  const ForeignAction action =
      changes.front()->new_key.empty() ? reference.constraint->on_delete : reference.constraint->on_update;
  if (action != ForeignAction::kNoAction) {
    // What an action of another foreign key has written of the same rows stays.
    if (std::exchange(runtime_.has_acted, true)) {
      runtime_.context.transaction.begin_statement();
    }
    PANDO_CO_TRY(co_await change_referencing(reference, changes, action));
  }
  // Rows whose default is the key that is gone still refer to it, and were not changed.
  if (action != ForeignAction::kNoAction && action != ForeignAction::kSetDefault) {
    co_return Status();
  }
  const bool later = action == ForeignAction::kNoAction && is_deferred(runtime_.context.state, *reference.constraint);
  auto& checks = later ? runtime_.context.state.deferred : checks_;
  for (const Change* change : changes) {
    checks.push_back({reference.table->oid, reference.constraint->oid, change->old_key, {}, true});
  }
  co_return Status();
}

Task<Status> ForeignKeys::change_referencing(const Reference& reference, const std::vector<const Change*>& all,
                                             ForeignAction action) {
  PANDO_CO_ASSIGN(auto writer, ReferencingWriter::make(reference.table, runtime_));
  std::vector<const Change*> changes;
  std::vector<MatchingRows::Key> keys;
  for (const Change* change : all) {
    if (auto key = convert_key(change->old_key, {layout_.table(), reference.constraint->referenced_columns},
                               {*reference.table, reference.constraint->columns}, runtime_)) {
      changes.push_back(change);
      keys.push_back(*std::move(key));
    }
  }
  PANDO_CO_ASSIGN(auto matching, MatchingRows::make(writer->layout(), reference.constraint->columns, keys, runtime_));
  MatchingRows::Rows found;
  // Of the rows that others refer to the first is told.
  std::size_t restricted = changes.size();
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await matching->next(found));
    if (!more) {
      break;
    }
    if (action == ForeignAction::kRestrict) {
      restricted = std::min<std::size_t>(restricted, std::ranges::min(found.matched));
    } else {
      PANDO_CO_TRY(co_await change_rows(reference, changes, action, found, *writer));
    }
  }
  if (restricted < changes.size()) {
    co_return still_referenced(layout_.table(), *reference.table, *reference.constraint, changes[restricted]->old_key,
                               runtime_);
  }
  writer->hand_over();
  co_return Status();
}

Task<Status> ForeignKeys::change_rows(const Reference& reference, const std::vector<const Change*>& changes,
                                      ForeignAction action, const MatchingRows::Rows& found,
                                      ReferencingWriter& writer) {
  const ConstraintDescriptor& constraint = *reference.constraint;
  const bool erased = changes.front()->new_key.empty();
  if (action == ForeignAction::kCascade && erased) {
    co_return co_await writer.erase(found.rows, found.row_keys);
  }
  const auto& columns = erased && !constraint.set_columns.empty() ? constraint.set_columns : constraint.columns;
  if (action == ForeignAction::kSetDefault) {
    co_return co_await writer.set_default(found.rows, found.row_keys, columns);
  }
  if (action == ForeignAction::kSetNull) {
    co_return co_await writer.set(found.rows, found.row_keys, columns, std::vector<Value>(columns.size()));
  }
  std::map<uint32_t, std::vector<uint32_t>> rows_of;
  for (uint32_t row = 0; row < found.matched.size(); ++row) {
    rows_of[found.matched[row]].push_back(row);
  }
  for (const auto& [change, rows] : rows_of) {
    auto new_key = convert_key(changes[change]->new_key, {layout_.table(), reference.constraint->referenced_columns},
                               {*reference.table, columns}, runtime_);
    if (!new_key.has_value()) {
      co_return Status(sql_state::kNumericValueOutOfRange, "the new key is out of range for table \"{}\"",
                       reference.table->name);
    }
    Chunk some;
    gather(found.rows, rows, some);
    std::vector<Bytes> row_keys;
    for (const uint32_t row : rows) {
      row_keys.push_back(found.row_keys[row]);
    }
    PANDO_CO_TRY(co_await writer.set(some, row_keys, columns, *std::move(new_key)));
  }
  co_return Status();
}

}  // namespace pando::sql::exec
