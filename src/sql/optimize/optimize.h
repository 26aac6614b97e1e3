#pragma once

// optimize: from what a query means to how it runs.
//
//   PANDO_ASSIGN(PhysicalQuery plan, optimize(std::move(bound), {.catalog = snapshot, .statistics = &statistics}));
//
// Pure: reads no data. The same query, catalog and statistics give the same plan. Plans stay correct when statistics
// change, and are made again when the catalog's version does.

#include "base/status.h"
#include "catalog/snapshot.h"
#include "sql/function/evaluation_context.h"
#include "sql/plan/physical.h"

namespace pando::sql {

class StatisticsSource {
 public:
  virtual ~StatisticsSource() = default;
  // nullptr when the table was never analyzed.
  virtual std::shared_ptr<const catalog::TableStatistics> find(const catalog::TableDescriptor& table) const = 0;
  // How many rows it has now; -1 when nobody knows.
  virtual double rows(const catalog::TableDescriptor& table) const = 0;
};

// PostgreSQL's enable_* settings: a method that is off is used only where there is no other.
struct PlanMethods {
  bool hash_join = true;
  bool nested_loop = true;
  bool index_scan = true;
  bool index_only_scan = true;
  bool sequential_scan = true;
  // max_parallel_workers_per_gather > 0.
  bool parallel = true;
  // A scan of fewer rows is not worth sharing (min_parallel_table_scan_size).
  double parallel_rows_min = 51200;
  // The rows lie on several nodes, which can do a part of the work (distribute.h).
  bool distributed = false;
  // A scan of fewer rows is not worth a program.
  double distributed_rows_min = 500;
};

struct OptimizeOptions {
  catalog::SnapshotPtr catalog;
  // May be null.
  const StatisticsSource* statistics = nullptr;
  PlanMethods methods;
  // For folding constants through immutable functions; may be null, then nothing is folded.
  EvaluationContext* evaluation = nullptr;
};

Result<PhysicalQuery> optimize(LogicalQuery query, OptimizeOptions options);

}  // namespace pando::sql
