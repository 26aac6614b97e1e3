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
  virtual const catalog::TableStatistics* find(types::Oid table) const = 0;
};

struct OptimizeOptions {
  catalog::SnapshotPtr catalog;
  // May be null.
  const StatisticsSource* statistics = nullptr;
  // For folding constants through immutable functions; may be null, then nothing is folded.
  EvaluationContext* evaluation = nullptr;
};

Result<PhysicalQuery> optimize(LogicalQuery query, OptimizeOptions options);

}  // namespace pando::sql
