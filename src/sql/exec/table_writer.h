#pragma once

// TableWriter: inserts, updates and deletes rows of one table with all their index entries, and enforces NOT NULL,
// CHECK and unique constraints. Foreign keys are the business of ForeignKeys, which it tells of every change.
//
// Rows come as chunks with one column per live attribute. Unique keys are locked before they are looked at, so a
// conflicting writer is waited for. Rows are written in order: an error of row n comes after the effects of the rows
// before it, as in PostgreSQL.
// Thread-safety: one coroutine at a time.

#include <optional>

#include "sql/exec/foreign_keys.h"
#include "sql/exec/index_entries.h"

namespace pando::sql::exec {

// A row that is already there.
struct Conflict {
  const catalog::IndexDescriptor* index = nullptr;
  Bytes row_key;
};

class TableWriter {
 public:
  // `row` names the columns of rows for `checks`.
  static Result<std::unique_ptr<TableWriter>> make(catalog::TablePtr table, const std::vector<OutputColumn>& row,
                                                   const std::vector<BoundCheck>& checks, Runtime& runtime);

  const TableLayout& layout() const { return layout_; }

  // --- the rows to write ---
  // Computes what the rows need: after it the row functions take positions in `rows`, which outlives them.
  // `first_bad` is the first row that breaks NOT NULL or a CHECK (rows.rows for none), `error` says how: write the rows
  // before it, then fail.
  Task<Status> prepare(const types::Chunk& rows, std::size_t& first_bad, Status& error);
  // Looks for a row with the same key in one of `arbiters` (all unique indexes when empty). Locks the keys.
  Task<Result<std::optional<Conflict>>> find_conflict(std::size_t row, const std::vector<types::Oid>& arbiters);
  // `known_free`: find_conflict has just found nothing in any unique index.
  Task<Status> insert(std::size_t row, bool known_free);
  // Before find_conflict of rows [0, count), for all of them at once: taken[row] is set to whether a row with the same
  // key is there, or comes before. Of the others the keys that insert() will look at are locked ahead, too.
  Task<Status> lock_conflicts(std::size_t count, const std::vector<types::Oid>& arbiters, std::vector<uint8_t>& taken);
  // insert() of rows [0, count), in their order, with the looking up of keys done for all of them at once.
  Task<Status> insert_all(std::size_t count);

  // --- the rows that are there ---
  // The same as prepare, for the old rows of update and erase.
  Task<Status> prepare_old(const types::Chunk& old_rows);
  // Locks the row as the statement means to change it. False: another transaction deleted it. kRestartStatement or
  // 40001 when it was changed since the snapshot.
  Task<Status> lock_row(Bytes row_key, txn::LockStrength strength);
  // Before lock_row of these rows, NULLs aside: see Transaction::lock_ahead.
  Task<Status> lock_rows_ahead(const types::Vector& row_keys, txn::LockStrength strength);
  // Before the old rows are replaced by the prepared ones, or erased: the entries of unique indexes that change.
  Task<Status> lock_replaced_entries_ahead(std::size_t count);
  Task<Status> lock_erased_entries_ahead(std::size_t count);
  // Replaces row `old_row` of the old rows, stored under `row_key`, with row `row` of the prepared rows.
  Task<Status> update(Bytes row_key, std::size_t old_row, std::size_t row);
  Task<Status> erase(Bytes row_key, std::size_t old_row);

  // Whether changing these attributes changes a key that others may refer to: then the row needs a kUpdate lock.
  bool changes_key(const std::vector<catalog::AttributeNumber>& changed) const;
  // What is to be checked at the statement's end.
  ForeignKeys& foreign_keys() { return *foreign_keys_; }
  // The rows are written: leaves the checks to the end of the statement. The writer lives until then.
  void finish();
  // Tells the transaction how many rows were written since the last call.
  void note_changes();

 private:
  TableWriter(catalog::TablePtr table, Runtime& runtime);
  Bytes new_row_key(std::size_t row);
  Status taken(Status violation) const;
  Status primary_error(std::size_t row);
  // For index `index`, of rows that are not taken.
  void unique_keys(std::size_t index, const std::vector<uint8_t>& taken, std::vector<Bytes>& keys,
                   std::vector<uint32_t>& rows) const;
  static void note_repeated(const std::vector<Bytes>& keys, std::vector<uint8_t>& taken);
  // Adds the entries of all rows to index `index`. `good_rows` is cut to the rows before the first that breaks the
  // index, whose error goes to `error`.
  Task<Status> prepare_entries(std::size_t index, std::size_t& good_rows, Status& error);
  Task<Status> put_row(const Bytes& row_key, std::size_t row);
  Task<Status> take_unique_key(const Bytes& key, std::size_t index, std::size_t row);
  Task<Status> primary_conflict(const Bytes& row_key, std::size_t row);
  Status unique_error(std::size_t index, std::size_t row);
  // Rows from before the index need not have their entries, and what lies at an entry's key may be another row's.
  bool is_being_built(std::size_t index) const { return !entries_.indexes()[index].layout->index->readable; }
  Task<Status> lock_key(Bytes key, txn::LockStrength strength);
  Task<Status> replace_entries(const Bytes& old_key, std::size_t old_row, const Bytes& new_key, std::size_t row);
  Task<Status> add_entry(std::size_t index, std::size_t row, IndexEntries::Entry& entry);
  Task<Status> remove_entry(std::size_t index, const IndexEntries::Entry& entry);
  void find_null(const types::Chunk& rows, std::size_t& first_bad, Status& error);

  TableLayout layout_;
  Runtime& runtime_;
  types::RowEncoder encoder_;
  std::vector<std::size_t> stored_slots_;
  std::vector<std::size_t> key_slots_;
  IndexEntries entries_;
  IndexEntries old_entries_;
  struct Check {
    BoundCheck check;
    EvaluatorPtr condition;
  };
  std::vector<Check> checks_;
  std::unique_ptr<ForeignKeys> foreign_keys_;
  // The entries that insert_all adds to one index.
  struct NewEntries {
    std::vector<uint32_t> rows;
    std::vector<Bytes> keys;
    std::vector<Bytes> values;
  };
  std::vector<Bytes> row_keys_;
  std::vector<uint8_t> taken_;
  std::vector<NewEntries> new_entries_;
  catalog::TableChanges changes_;
  const types::Chunk* rows_ = nullptr;
  const types::Chunk* old_rows_ = nullptr;
  std::vector<const types::Vector*> stored_columns_;
};

// Sets the error of a lock that found a newer version: kRestartStatement or 40001.
Status changed_since_snapshot(const txn::Transaction& transaction);

}  // namespace pando::sql::exec
