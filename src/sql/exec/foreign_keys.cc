#include "sql/exec/foreign_keys.h"

#include <algorithm>

#include "sql/exec/constraint_errors.h"
#include "sql/exec/end_of_statement.h"
#include "sql/exec/key_lookup.h"
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
  for (const Change& change : changes) {
    PANDO_CO_TRY(co_await act(change));
  }
  co_return co_await make_checks(std::exchange(checks_, {}), runtime_);
}

Task<Status> ForeignKeys::act(const Change& change) {
  const Reference& reference = references_[change.reference];
  const ForeignAction action =
      change.new_key.empty() ? reference.constraint->on_delete : reference.constraint->on_update;
  if (action != ForeignAction::kNoAction) {
    co_return co_await change_referencing(change, reference, action);
  }
  DeferredCheck check{reference.table->oid, reference.constraint->oid, change.old_key, {}, true};
  if (is_deferred(runtime_.context.state, *reference.constraint)) {
    runtime_.context.state.deferred.push_back(std::move(check));
    co_return Status();
  }
  co_return co_await make_check(std::move(check), runtime_);
}

Task<Status> ForeignKeys::change_referencing(const Change& change, const Reference& reference, ForeignAction action) {
  const ConstraintDescriptor& constraint = *reference.constraint;
  const catalog::TableDescriptor& table = *reference.table;
  PANDO_CO_ASSIGN(auto writer, ReferencingWriter::make(reference.table, runtime_));
  const auto convert = [&](const std::vector<Value>& key) -> Result<std::vector<Value>> {
    std::vector<Value> converted;
    for (std::size_t i = 0; i < key.size(); ++i) {
      PANDO_ASSIGN(Value value, convert_key(key[i], layout_.table().column(constraint.referenced_columns[i]).type,
                                            table.column(constraint.columns[i]).type, runtime_));
      converted.push_back(std::move(value));
    }
    return converted;
  };
  PANDO_CO_ASSIGN(std::vector<Value> old_key, convert(change.old_key));
  PANDO_CO_ASSIGN(const std::vector<Value> new_key, convert(change.new_key));
  PANDO_CO_ASSIGN(auto matching, MatchingRows::make(writer->layout(), constraint.columns, old_key, runtime_));
  Chunk rows;
  std::vector<Bytes> keys;
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await matching->next(rows, keys));
    if (!more) {
      break;
    }
    if (action == ForeignAction::kRestrict) {
      co_return still_referenced(layout_.table(), table, constraint, change.old_key, runtime_);
    }
    if (action == ForeignAction::kCascade && change.new_key.empty()) {
      PANDO_CO_TRY(co_await writer->erase(rows, keys));
      continue;
    }
    std::vector<catalog::AttributeNumber> columns = constraint.columns;
    if (change.new_key.empty() && !constraint.set_columns.empty()) {
      columns = constraint.set_columns;
    }
    if (action == ForeignAction::kSetDefault) {
      PANDO_CO_TRY(co_await writer->set_default(rows, keys, std::move(columns)));
    } else if (action == ForeignAction::kSetNull) {
      const std::vector<Value> nulls(columns.size());
      PANDO_CO_TRY(co_await writer->set(rows, keys, std::move(columns), nulls));
    } else {
      PANDO_CO_TRY(co_await writer->set(rows, keys, std::move(columns), new_key));
    }
  }
  writer->hand_over();
  co_return Status();
}

}  // namespace pando::sql::exec
