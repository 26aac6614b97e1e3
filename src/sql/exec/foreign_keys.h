#pragma once

// ForeignKeys: the checks and actions that the rows written by one statement call for: foreign keys in both
// directions, and unique constraints that may be violated for a while. Changes are noted row by row and dealt with when
// the statement ends (EndOfStatement); deferred constraints when the transaction does (TransactionState::deferred).
//
// Thread-safety: one coroutine at a time.

#include <set>

#include "sql/exec/index_entries.h"
#include "sql/exec/key_lookup.h"

namespace pando::sql::exec {

class ReferencingWriter;

class ForeignKeys {
 public:
  ForeignKeys(const TableLayout& layout, Runtime& runtime);

  // Rows have one column per live attribute.
  Status inserted(const types::Chunk& rows, std::size_t row, const Bytes& row_key);
  Status updated(const types::Chunk& old_rows, std::size_t old_row, const types::Chunk& rows, std::size_t row,
                 const Bytes& row_key);
  void erased(const types::Chunk& old_rows, std::size_t old_row);
  // Notes that the key of this row in a deferrable unique index may be there twice.
  void check_unique_later(const IndexEntries& entries, std::size_t index, std::size_t row);

  bool has_work() const { return !checks_.empty() || !changes_.empty(); }
  // Acts on what was noted, leaves the checks to the runtime, and forgets it.
  Task<Status> finish();

 private:
  // A foreign key of another table (or of this one) that refers to this table.
  struct Reference {
    catalog::TablePtr table;
    const catalog::ConstraintDescriptor* constraint = nullptr;
  };
  // A row of this table that others may refer to is gone or has another key.
  struct Change {
    std::size_t reference = 0;
    std::vector<types::Value> old_key;
    std::vector<types::Value> new_key;  // empty when the row was deleted
  };

  Status note_check(const catalog::ConstraintDescriptor& constraint, const types::Chunk& rows, std::size_t row,
                    const Bytes& row_key);
  std::vector<types::Value> key_of(const std::vector<catalog::AttributeNumber>& columns, const types::Chunk& rows,
                                   std::size_t row) const;
  // What `changes` of rows call for in one of the tables that refer to them.
  Task<Status> act(const Reference& reference, const std::vector<const Change*>& changes);
  Task<Status> change_referencing(const Reference& reference, const std::vector<const Change*>& changes,
                                  catalog::ForeignAction action);
  Task<Status> change_rows(const Reference& reference, const std::vector<const Change*>& changes,
                           catalog::ForeignAction action, const MatchingRows::Rows& found, ReferencingWriter& writer);

  const TableLayout& layout_;
  Runtime& runtime_;
  std::vector<const catalog::ConstraintDescriptor*> own_;
  std::vector<Reference> references_;
  std::vector<DeferredCheck> checks_;
  std::set<std::pair<types::Oid, Bytes>> noted_;
  std::vector<Change> changes_;
};

// Whether the transaction puts off this constraint's checks to its end.
bool is_deferred(const TransactionState& state, const catalog::ConstraintDescriptor& constraint);

// Checks constraints, as rows are now.
Task<Status> make_checks(std::vector<DeferredCheck> checks, Runtime& runtime);

// 23503: rows of `table` refer to a key of `referenced` that is no longer there.
Status still_referenced(const catalog::TableDescriptor& referenced, const catalog::TableDescriptor& table,
                        const catalog::ConstraintDescriptor& constraint, const std::vector<types::Value>& key,
                        Runtime& runtime);

}  // namespace pando::sql::exec
