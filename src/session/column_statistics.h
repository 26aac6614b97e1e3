#pragma once

// From a sample of a column's values to its statistics, as PostgreSQL's ANALYZE makes them (compute_scalar_stats and
// analyze_mcv_list of its analyze.c): null fraction, width, distinct values by the estimator of Haas and Stokes, most
// common values, histogram bounds and correlation. Pure.

#include <vector>

#include "catalog/descriptor.h"

namespace pando::session {

// default_statistics_target.
inline constexpr std::size_t kDefaultStatisticsTarget = 100;
// Sampled rows for each unit of the target.
inline constexpr std::size_t kSampleRowsPerTarget = 300;

struct ColumnSample {
  types::Type type;
  // In the order of the rows; NULLs included.
  std::vector<types::Value> values;
};

// `total_rows`: of the table the sample is of.
catalog::ColumnStatistics make_column_statistics(catalog::AttributeNumber attribute, const ColumnSample& sample,
                                                 double total_rows, std::size_t target);

}  // namespace pando::session
