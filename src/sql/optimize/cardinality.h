#pragma once

// Cardinality: how many rows a logical plan gives, and what share of rows a condition passes: estimates from
// statistics where there are some, PostgreSQL's defaults where there are none.
//
// Remembers what it computed for each node. Not thread-safe.

#include <unordered_map>

#include "sql/optimize/optimize.h"
#include "sql/plan/columns.h"

namespace pando::sql {

class Cardinality {
 public:
  Cardinality(const StatisticsSource* statistics) : statistics_(statistics) {}

  // At least one.
  double rows(const LogicalPtr& plan);
  // Of a condition over the columns known so far, between 0 and 1.
  double selectivity(const ExprPtr& condition);
  // Of the join condition.
  double join_selectivity(const ExprPtr& condition) { return selectivity(condition); }
  // How many different values a column has among `rows` rows.
  double distinct_values(const ExprPtr& expr, double rows);
  double table_rows(const catalog::TableDescriptor& table) const;
  // Makes the columns of a scan known; rows() does it for those it meets.
  void learn(const LogicalPtr& plan);

 private:
  double estimate(const LogicalNode& node);
  double equality_selectivity(const ExprPtr& left, const ExprPtr& right);
  double comparison_selectivity(std::string_view op, const ExprPtr& left, const ExprPtr& right);
  double conjunction_selectivity(const std::vector<ExprPtr>& conjuncts);
  static double range_share(const catalog::ColumnStatistics& statistics, types::Oid type, const types::Value& value,
                            bool below);
  const catalog::ColumnStatistics* statistics_of(ColumnId column) const;
  const catalog::TableStatistics* table_statistics(const catalog::TableDescriptor& table) const;

  struct Origin {
    catalog::TablePtr table;
    catalog::AttributeNumber attribute = 0;
    bool unique = false;  // the only column of a unique index
    double rows = 0;
  };
  const StatisticsSource* statistics_;
  // What was asked of it, so that one plan sees one answer.
  mutable std::unordered_map<types::Oid, std::shared_ptr<const catalog::TableStatistics>> tables_;
  mutable std::unordered_map<types::Oid, double> table_rows_;
  std::unordered_map<ColumnId, Origin> origins_;
  std::unordered_map<const LogicalNode*, double> rows_;
};

}  // namespace pando::sql
