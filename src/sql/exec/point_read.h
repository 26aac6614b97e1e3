#pragma once

// PointRead: a SELECT of columns of the one row with a given primary key, without operators, coroutines or allocations.
//
//   std::unique_ptr<PointRead> point = PointRead::make(plan);            // null for any other plan
//   PANDO_ASSIGN(const txn::ReadOutcome outcome, point->run(access, parameters));
//   if (outcome == txn::ReadOutcome::kFound) sink.add_rows(point->rows(), 0, 1);
//
// It sees what the plan's operators would see; kMustWait means that they must be run instead, or
//
//   PANDO_CO_ASSIGN(const auto row, co_await transaction.get(point->key()));
//   if (row) { PANDO_CO_TRY(point->take(*row)); sink.add_rows(point->rows(), 0, 1); }
//
// Thread-safety: one thread at a time; it keeps its buffers. rows() is valid until the next run().

#include <memory>
#include <span>

#include "sql/exec/row_reader.h"
#include "sql/plan/physical.h"
#include "txn/point_access.h"

namespace pando::sql::exec {

// The key of the one row that a scan reads.
class PointKey {
 public:
  // REQUIRES: is_point_scan(scan); `layout` outlives it.
  PointKey(const TableLayout& layout, const ScanPlan& scan)
      : layout_(&layout), values_(scan.conditions.front().equal) {}
  // Replaces `key`. False when a value is NULL, or none of the column's: no row has that key.
  bool make(std::span<const types::Value> parameters, Bytes& key) const;

 private:
  const TableLayout* layout_;
  // Constants and parameters, one per column of the primary key.
  std::vector<ExprPtr> values_;
};

class PointRead {
 public:
  static std::unique_ptr<PointRead> make(const PhysicalQuery& query);

  // REQUIRES: the transaction's statement has begun.
  Result<txn::ReadOutcome> run(txn::PointAccess& access, std::span<const types::Value> parameters);
  // After kMustWait: the key, and what Transaction::get() gave for it.
  const Bytes& key() const { return key_; }
  Status take(ByteView row);
  // One row, with the query's result columns.
  const types::Chunk& rows() const { return rows_; }

 private:
  PointRead(const ScanPlan& scan, std::vector<catalog::AttributeNumber> attributes);

  const TableLayout layout_;
  const PointKey key_of_row_;
  std::optional<RowReader> reader_;
  Bytes key_;
  Bytes row_;
  types::Chunk rows_;
};

// Whether `scan` reads the one row whose primary key has the values of constants and parameters.
bool is_point_scan(const ScanPlan& scan);

}  // namespace pando::sql::exec
