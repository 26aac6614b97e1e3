#include "sql/exec/table_writer.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "sql/exec/constraint_errors.h"
#include "sql/exec/row_id.h"
#include "txn/conflict_errors.h"
#include "txn/read_check.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Value;
using types::Vector;

namespace {

// Between these the transaction may move what it has written out of memory.
constexpr std::size_t kRowsPerMove = 64;

}  // namespace

Status changed_since_snapshot(const txn::Transaction& transaction) {
  if (transaction.isolation() == txn::Isolation::kReadCommitted) {
    return {kRestartStatement, "a row was changed by another transaction"};
  }
  return {sql_state::kSerializationFailure, "could not serialize access due to concurrent update"};
}

TableWriter::TableWriter(catalog::TablePtr table, Runtime& runtime)
    : layout_(std::move(table)), runtime_(runtime), encoder_(layout_.stored(), layout_.table().version) {}

Result<std::unique_ptr<TableWriter>> TableWriter::make(catalog::TablePtr table, const std::vector<OutputColumn>& row,
                                                       const std::vector<BoundCheck>& checks, Runtime& runtime) {
  std::unique_ptr<TableWriter> writer(new TableWriter(std::move(table), runtime));
  const TableLayout& layout = writer->layout_;
  for (const types::RowColumn& column : layout.stored()) {
    writer->stored_slots_.push_back(layout.live_position(column.attribute));
  }
  for (const KeyColumn& column : layout.primary_key()) {
    writer->key_slots_.push_back(layout.live_position(column.attribute));
  }
  PANDO_ASSIGN(writer->entries_, IndexEntries::make(layout, runtime));
  PANDO_ASSIGN(writer->old_entries_, IndexEntries::make(layout, runtime));
  const Scope scope(row);
  for (const BoundCheck& check : checks) {
    PANDO_ASSIGN(EvaluatorPtr condition, compile(check.condition, scope, runtime));
    writer->checks_.push_back({check, std::move(condition)});
  }
  writer->foreign_keys_ = std::make_unique<ForeignKeys>(layout, runtime);
  return writer;
}

Task<Status> TableWriter::prepare(const Chunk& rows, std::size_t& first_bad, Status& error) {
  rows_ = &rows;
  first_bad = rows.rows;
  error = Status();
  find_null(rows, first_bad, error);
  for (const Check& check : checks_) {
    const Vector* holds = nullptr;
    Status status = check.condition->evaluate({&rows, nullptr, rows.rows}, holds);
    while (!status.ok()) {
      PANDO_CO_TRY(co_await runtime_.settle(std::move(status)));
      status = check.condition->evaluate({&rows, nullptr, rows.rows}, holds);
    }
    for (std::size_t row = 0; row < first_bad; ++row) {
      if (!holds->is_null(row) && holds->at<uint8_t>(row) == 0) {
        first_bad = row;
        error = check_violation(layout_, runtime_, rows, row, check.check);
      }
    }
  }
  stored_columns_.clear();
  for (const std::size_t slot : stored_slots_) {
    stored_columns_.push_back(&rows.columns[slot]);
  }
  co_return co_await entries_.compute(rows);
}

void TableWriter::find_null(const Chunk& rows, std::size_t& first_bad, Status& error) {
  for (std::size_t i = 0; i < layout_.live().size(); ++i) {
    const catalog::ColumnDescriptor& column = layout_.table().column(layout_.live()[i]);
    if (!column.not_null || !rows.columns[i].has_nulls()) {
      continue;
    }
    for (std::size_t row = 0; row < first_bad; ++row) {
      if (rows.columns[i].is_null(row)) {
        first_bad = row;
        error = not_null_violation(layout_, runtime_, rows, row, column);
      }
    }
  }
}

Task<Status> TableWriter::prepare_old(const Chunk& old_rows) {
  old_rows_ = &old_rows;
  co_return co_await old_entries_.compute(old_rows);
}

Bytes TableWriter::new_row_key(std::size_t row) {
  Bytes key = layout_.row_prefix();
  if (layout_.primary_key().empty()) {
    append_row_id(key, runtime_.context);
    return key;
  }
  for (std::size_t i = 0; i < key_slots_.size(); ++i) {
    const KeyColumn& column = layout_.primary_key()[i];
    types::append_key(key, column.type.oid, rows_->columns[key_slots_[i]], row, column.order);
  }
  return key;
}

Task<Status> TableWriter::lock_key(Bytes key, txn::LockStrength strength) {
  PANDO_CO_TRY(
      (co_await runtime_.context.transaction.lock(std::move(key), strength, txn::WaitPolicy::kBlock)).status());
  co_return Status();
}

Task<Status> TableWriter::primary_conflict(const Bytes& row_key, std::size_t row) {
  PANDO_CO_TRY(co_await lock_key(row_key, txn::LockStrength::kUpdate));
  PANDO_CO_ASSIGN(const auto existing, co_await runtime_.context.transaction.get_latest(row_key));
  co_return existing ? primary_error(row) : Status();
}

// The key that is taken as the error it is: of a serializable transaction that had looked before others took it,
// theirs.
Status TableWriter::taken(Status violation) const {
  txn::Transaction& transaction = runtime_.context.transaction;
  auto* const reads =
      transaction.isolation() == txn::Isolation::kSerializable ? txn::ReadCheck::of(&transaction) : nullptr;
  return reads == nullptr || reads->reads_unchanged() ? std::move(violation) : txn::read_write_conflict();
}

Status TableWriter::primary_error(std::size_t row) {
  std::vector<types::Type> types;
  std::vector<Value> values;
  for (std::size_t i = 0; i < key_slots_.size(); ++i) {
    types.push_back(layout_.primary_key()[i].type);
    values.push_back(rows_->columns[key_slots_[i]].get(row));
  }
  return taken(unique_violation(layout_.table(), *layout_.table().primary_index(), runtime_, types, values));
}

Status TableWriter::unique_error(std::size_t index, std::size_t row) {
  const IndexEntries::Index& entry = entries_.indexes()[index];
  std::vector<types::Type> types;
  std::vector<Value> values;
  for (std::size_t i = 0; i < entry.types.size(); ++i) {
    types.push_back({entry.types[i]});
    values.push_back(entries_.column(index, i).get(row));
  }
  return taken(unique_violation(layout_.table(), *entry.layout->index, runtime_, types, values));
}

namespace {

bool arbitrates(const catalog::IndexDescriptor* index, const std::vector<types::Oid>& arbiters) {
  return index != nullptr && (arbiters.empty() || std::ranges::find(arbiters, index->oid) != arbiters.end());
}

}  // namespace

void TableWriter::unique_keys(std::size_t index, const std::vector<uint8_t>& taken, std::vector<Bytes>& keys,
                              std::vector<uint32_t>& rows) const {
  IndexEntries::Entry entry;
  for (uint32_t row = 0; entries_.indexes()[index].layout->index->unique && row < taken.size(); ++row) {
    if (taken[row] == 0 && entries_.includes(index, row)) {
      entries_.entry(index, row, {}, entry);
      if (entry.unique) {
        keys.push_back(entry.key);
        rows.push_back(row);
      }
    }
  }
}

Task<Status> TableWriter::lock_conflicts(std::size_t count, const std::vector<types::Oid>& arbiters,
                                         std::vector<uint8_t>& taken) {
  taken.assign(count, 0);
  std::vector<Bytes> keys;
  if (arbitrates(layout_.table().primary_index(), arbiters)) {
    for (std::size_t row = 0; row < count; ++row) {
      keys.push_back(new_row_key(row));
    }
    PANDO_CO_TRY(co_await runtime_.context.transaction.lock_for_insert(keys, taken));
    note_repeated(keys, taken);
  }
  std::vector<Bytes> other_keys;
  for (std::size_t i = 0; i < entries_.indexes().size(); ++i) {
    std::vector<uint32_t> rows;
    if (!arbitrates(entries_.indexes()[i].layout->index, arbiters)) {
      continue;
    }
    keys.clear();
    unique_keys(i, taken, keys, rows);
    PANDO_CO_TRY(co_await runtime_.context.transaction.lock_for_insert(keys, taken_));
    note_repeated(keys, taken_);
    for (std::size_t key = 0; key < keys.size(); ++key) {
      taken[rows[key]] |= taken_[key];
    }
  }
  for (std::size_t i = 0; i < entries_.indexes().size(); ++i) {
    std::vector<uint32_t> rows;
    if (!arbitrates(entries_.indexes()[i].layout->index, arbiters)) {
      unique_keys(i, taken, other_keys, rows);
    }
  }
  co_return co_await runtime_.context.transaction.lock_ahead(other_keys, txn::LockStrength::kUpdate);
}

Task<Result<std::optional<Conflict>>> TableWriter::find_conflict(std::size_t row,
                                                                 const std::vector<types::Oid>& arbiters) {
  const catalog::IndexDescriptor* primary = layout_.table().primary_index();
  if (arbitrates(primary, arbiters)) {
    const Bytes key = new_row_key(row);
    PANDO_CO_TRY(co_await lock_key(key, txn::LockStrength::kUpdate));
    PANDO_CO_ASSIGN(const auto existing, co_await runtime_.context.transaction.get_latest(key));
    if (existing) {
      co_return std::optional<Conflict>(Conflict{primary, key});
    }
  }
  IndexEntries::Entry entry;
  for (std::size_t i = 0; i < entries_.indexes().size(); ++i) {
    const catalog::IndexDescriptor& index = *entries_.indexes()[i].layout->index;
    if (!index.unique || !arbitrates(&index, arbiters) || !entries_.includes(i, row)) {
      continue;
    }
    entries_.entry(i, row, {}, entry);
    if (!entry.unique) {
      continue;
    }
    PANDO_CO_TRY(co_await lock_key(entry.key, txn::LockStrength::kUpdate));
    PANDO_CO_ASSIGN(const auto existing, co_await runtime_.context.transaction.get_latest(entry.key));
    if (existing) {
      const auto suffix = row_suffix_of_entry(entry.key, *existing);
      if (!suffix) {
        co_return Status(sql_state::kIndexCorrupted, "index \"{}\" has a malformed entry", index.name);
      }
      co_return std::optional<Conflict>(Conflict{&index, layout_.row_key_of_suffix(*suffix)});
    }
  }
  co_return std::optional<Conflict>();
}

Task<Status> TableWriter::insert(std::size_t row, bool known_free) {
  ++changes_.inserted;
  const Bytes key = new_row_key(row);
  if (layout_.primary_key().empty()) {
    PANDO_CO_TRY(co_await lock_key(key, txn::LockStrength::kUpdate));
  } else if (!known_free) {
    PANDO_CO_TRY(co_await primary_conflict(key, row));
  }
  PANDO_CO_TRY(co_await put_row(key, row));
  const ByteView suffix = layout_.suffix_of(key);
  IndexEntries::Entry entry;
  for (std::size_t i = 0; i < entries_.indexes().size(); ++i) {
    if (entries_.includes(i, row)) {
      entries_.entry(i, row, suffix, entry);
      PANDO_CO_TRY(co_await add_entry(i, row, entry));
    }
  }
  co_return foreign_keys_->inserted(*rows_, row, key);
}

Task<Status> TableWriter::insert_all(std::size_t count) {
  std::size_t good_rows = count;
  Status error;
  row_keys_.clear();
  for (std::size_t row = 0; row < count; ++row) {
    row_keys_.push_back(new_row_key(row));
  }
  // A hidden row id is this transaction's own: nobody else can name it, so it needs no lock.
  if (!layout_.primary_key().empty()) {
    PANDO_CO_TRY(co_await runtime_.context.transaction.lock_for_insert(row_keys_, taken_));
    note_repeated(row_keys_, taken_);
    good_rows = static_cast<std::size_t>(std::ranges::find(taken_, uint8_t{1}) - taken_.begin());
    error = good_rows < count ? primary_error(good_rows) : Status();
  }
  new_entries_.resize(entries_.indexes().size());
  for (std::size_t i = 0; i < entries_.indexes().size(); ++i) {
    PANDO_CO_TRY(co_await prepare_entries(i, good_rows, error));
  }
  for (std::size_t row = 0; row < good_rows; ++row) {
    if (row % kRowsPerMove == 0) {
      PANDO_CO_TRY(co_await runtime_.context.transaction.lock_for_insert({}, taken_));
    }
    PANDO_CO_TRY(co_await put_row(row_keys_[row], row));
    PANDO_CO_TRY(foreign_keys_->inserted(*rows_, row, row_keys_[row]));
  }
  for (NewEntries& added : new_entries_) {
    for (std::size_t i = 0; i < added.rows.size() && added.rows[i] < good_rows; ++i) {
      PANDO_CO_TRY(runtime_.context.transaction.put(std::move(added.keys[i]), std::move(added.values[i])));
    }
  }
  changes_.inserted += good_rows;
  co_return error;
}

// Marks keys that come a second time.
void TableWriter::note_repeated(const std::vector<Bytes>& keys, std::vector<uint8_t>& taken) {
  if (std::ranges::adjacent_find(keys, std::greater_equal()) == keys.end()) {
    return;
  }
  std::vector<uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
    const int compared = keys[a].compare(keys[b]);
    return compared != 0 ? compared < 0 : a < b;
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (keys[order[i]] == keys[order[i - 1]]) {
      taken[order[i]] = 1;
    }
  }
}

Task<Status> TableWriter::prepare_entries(std::size_t index, std::size_t& good_rows, Status& error) {
  NewEntries& added = new_entries_[index];
  added.rows.clear();
  added.keys.clear();
  added.values.clear();
  IndexEntries::Entry entry;
  std::vector<Bytes> locked;
  std::vector<uint32_t> locked_rows;
  const bool deferrable = entries_.indexes()[index].deferrable;
  for (uint32_t row = 0; row < good_rows; ++row) {
    if (!entries_.includes(index, row)) {
      continue;
    }
    entries_.entry(index, row, layout_.suffix_of(row_keys_[row]), entry);
    if (entry.unique) {
      locked.push_back(entry.key);
      locked_rows.push_back(row);
    } else if (deferrable) {
      bool has_null = false;
      entries_.columns_key(index, row, locked.emplace_back(), has_null);
      locked_rows.push_back(row);
      foreign_keys_->check_unique_later(entries_, index, row);
    }
    added.rows.push_back(row);
    added.keys.push_back(std::move(entry.key));
    added.values.push_back(std::move(entry.value));
  }
  if (locked.empty()) {
    co_return Status();
  }
  std::vector<uint8_t> taken;
  PANDO_CO_TRY(co_await runtime_.context.transaction.lock_for_insert(locked, taken));
  note_repeated(locked, taken);
  for (std::size_t i = 0; !deferrable && i < locked.size(); ++i) {
    if (taken[i] != 0) {
      good_rows = locked_rows[i];
      error = unique_error(index, good_rows);
      break;
    }
  }
  co_return Status();
}

Task<Status> TableWriter::put_row(const Bytes& row_key, std::size_t row) {
  Bytes value;
  encoder_.encode(stored_columns_, row, value);
  co_return runtime_.context.transaction.put(row_key, std::move(value));
}

Task<Status> TableWriter::add_entry(std::size_t index, std::size_t row, IndexEntries::Entry& entry) {
  if (entry.unique) {
    PANDO_CO_TRY(co_await lock_key(entry.key, txn::LockStrength::kUpdate));
    PANDO_CO_ASSIGN(const auto existing, co_await runtime_.context.transaction.get_latest(entry.key));
    if (existing) {
      co_return unique_error(index, row);
    }
  } else if (entries_.indexes()[index].deferrable) {
    Bytes key;
    bool has_null = false;
    entries_.columns_key(index, row, key, has_null);
    PANDO_CO_TRY(co_await lock_key(std::move(key), txn::LockStrength::kUpdate));
    foreign_keys_->check_unique_later(entries_, index, row);
  }
  co_return runtime_.context.transaction.put(std::move(entry.key), std::move(entry.value));
}

Task<Status> TableWriter::remove_entry(std::size_t index, const IndexEntries::Entry& entry) {
  if (entry.unique) {
    PANDO_CO_TRY(co_await lock_key(entry.key, txn::LockStrength::kUpdate));
    if (is_being_built(index)) {
      PANDO_CO_ASSIGN(const auto existing, co_await runtime_.context.transaction.get_latest(entry.key));
      if (existing != entry.value) {
        co_return Status();
      }
    }
  }
  co_return runtime_.context.transaction.erase(entry.key);
}

Task<Status> TableWriter::lock_rows_ahead(const Vector& row_keys, txn::LockStrength strength) {
  std::vector<Bytes> keys;
  for (std::size_t row = 0; row_keys.size() > 1 && row < row_keys.size(); ++row) {
    if (!row_keys.is_null(row)) {
      keys.emplace_back(row_keys.bytes_at(row));
    }
  }
  co_return co_await runtime_.context.transaction.lock_ahead(keys, strength);
}

Task<Status> TableWriter::lock_replaced_entries_ahead(std::size_t count) {
  std::vector<Bytes> keys;
  IndexEntries::Entry before;
  IndexEntries::Entry after;
  for (std::size_t i = 0; count > 1 && i < entries_.indexes().size(); ++i) {
    if (!entries_.indexes()[i].layout->index->unique) {
      continue;
    }
    for (std::size_t row = 0; row < count; ++row) {
      before = after = {};
      if (old_entries_.includes(i, row)) {
        old_entries_.entry(i, row, {}, before);
      }
      if (entries_.includes(i, row)) {
        entries_.entry(i, row, {}, after);
      }
      for (IndexEntries::Entry* const entry : {&before, &after}) {
        if (entry->unique && before.key != after.key) {
          keys.push_back(entry->key);
        }
      }
    }
  }
  co_return co_await runtime_.context.transaction.lock_ahead(keys, txn::LockStrength::kUpdate);
}

Task<Status> TableWriter::lock_erased_entries_ahead(std::size_t count) {
  std::vector<Bytes> keys;
  IndexEntries::Entry entry;
  for (std::size_t i = 0; count > 1 && i < old_entries_.indexes().size(); ++i) {
    for (std::size_t row = 0; old_entries_.indexes()[i].layout->index->unique && row < count; ++row) {
      if (old_entries_.includes(i, row)) {
        old_entries_.entry(i, row, {}, entry);
        if (entry.unique) {
          keys.push_back(entry.key);
        }
      }
    }
  }
  co_return co_await runtime_.context.transaction.lock_ahead(keys, txn::LockStrength::kUpdate);
}

Task<Status> TableWriter::lock_row(Bytes row_key, txn::LockStrength strength) {
  PANDO_CO_ASSIGN(const auto outcome,
                  co_await runtime_.context.transaction.lock(std::move(row_key), strength, txn::WaitPolicy::kBlock));
  co_return outcome.changed_since_snapshot ? changed_since_snapshot(runtime_.context.transaction) : Status();
}

Task<Status> TableWriter::update(Bytes row_key, std::size_t old_row, std::size_t row) {
  ++changes_.updated;
  const Bytes new_key = layout_.primary_key().empty() ? row_key : new_row_key(row);
  if (new_key != row_key) {
    PANDO_CO_TRY(co_await primary_conflict(new_key, row));
    PANDO_CO_TRY(runtime_.context.transaction.erase(row_key));
  }
  PANDO_CO_TRY(co_await put_row(new_key, row));
  PANDO_CO_TRY(co_await replace_entries(row_key, old_row, new_key, row));
  co_return foreign_keys_->updated(*old_rows_, old_row, *rows_, row, new_key);
}

Task<Status> TableWriter::replace_entries(const Bytes& old_key, std::size_t old_row, const Bytes& new_key,
                                          std::size_t row) {
  IndexEntries::Entry before;
  IndexEntries::Entry after;
  for (std::size_t i = 0; i < entries_.indexes().size(); ++i) {
    const bool was = old_entries_.includes(i, old_row);
    const bool is = entries_.includes(i, row);
    if (was) {
      old_entries_.entry(i, old_row, layout_.suffix_of(old_key), before);
    }
    if (is) {
      entries_.entry(i, row, layout_.suffix_of(new_key), after);
    }
    if (was && is && before.key == after.key && before.unique && (before.value == after.value || !is_being_built(i))) {
      // The same unique key, held by the same row.
      if (before.value != after.value) {
        PANDO_CO_TRY(co_await lock_key(after.key, txn::LockStrength::kUpdate));
        PANDO_CO_TRY(runtime_.context.transaction.put(after.key, after.value));
      }
      continue;
    }
    if (was && is && before.key == after.key && !before.unique) {
      continue;
    }
    if (was) {
      PANDO_CO_TRY(co_await remove_entry(i, before));
    }
    if (is) {
      PANDO_CO_TRY(co_await add_entry(i, row, after));
    }
  }
  co_return Status();
}

Task<Status> TableWriter::erase(Bytes row_key, std::size_t old_row) {
  ++changes_.deleted;
  PANDO_CO_TRY(runtime_.context.transaction.erase(row_key));
  IndexEntries::Entry entry;
  for (std::size_t i = 0; i < old_entries_.indexes().size(); ++i) {
    if (old_entries_.includes(i, old_row)) {
      old_entries_.entry(i, old_row, layout_.suffix_of(row_key), entry);
      PANDO_CO_TRY(co_await remove_entry(i, entry));
    }
  }
  foreign_keys_->erased(*old_rows_, old_row);
  co_return Status();
}

bool TableWriter::changes_key(const std::vector<catalog::AttributeNumber>& changed) const {
  return std::ranges::any_of(layout_.table().indexes, [&](const catalog::IndexDescriptor& index) {
    return index.unique && std::ranges::any_of(index.columns, [&](const catalog::IndexColumn& column) {
             return column.attribute == 0 || std::ranges::find(changed, column.attribute) != changed.end();
           });
  });
}

void TableWriter::note_changes() {
  if (changes_.inserted + changes_.updated + changes_.deleted == 0) {
    return;
  }
  changes_.table = layout_.table().oid;
  changes_.id = layout_.table().id;
  runtime_.context.state.changes.push_back(std::exchange(changes_, {}));
}

void TableWriter::finish() {
  note_changes();
  if (foreign_keys_->has_work()) {
    runtime_.finishing.push_back(foreign_keys_.get());
  }
}

}  // namespace pando::sql::exec
