#pragma once

// TableSample: a uniform sample of a table's rows and an estimate of how many it has.
//
//   PANDO_CO_ASSIGN(TableSample sample, co_await sample_table(table, transaction, how));
//   PANDO_CO_ASSIGN(auto statistics, co_await sample.statistics(how));
//
// Small tables are read to the end, with a reservoir (Vitter, "Random Sampling with a Reservoir", 1985). Of large ones
// only some parts are, each with a share of the sample, and the row count is extrapolated from them.
// Thread-safety: one coroutine at a time.

#include <functional>

#include "base/prng.h"
#include "catalog/statistics.h"
#include "runtime/task.h"
#include "session/column_statistics.h"
#include "txn/transaction.h"

namespace pando::session {

struct SampleOptions {
  std::size_t target = kDefaultStatisticsTarget;
  uint64_t seed = 0;
  // Called between vectors of rows, and between columns: lets others run, and may end the sampling with an error.
  std::function<Task<Status>()> pause;
};

class TableSample {
 public:
  explicit TableSample(catalog::TablePtr table);

  // All live columns.
  Task<Result<catalog::TableStatistics>> statistics(const SampleOptions& options) const;
  double total_rows() const { return total_rows_; }

 private:
  friend class TableSampler;
  catalog::TablePtr table_;
  std::vector<catalog::AttributeNumber> attributes_;
  std::vector<ColumnSample> columns_;
  double total_rows_ = 0;
};

// Reads the rows as the transaction's statement sees them.
Task<Result<TableSample>> sample_table(catalog::TablePtr table, txn::Transaction* transaction, SampleOptions options);

}  // namespace pando::session
