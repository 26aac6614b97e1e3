#pragma once

// PlannerStatistics: what the optimizer asks of tables, from catalog::Statistics.
// Thread-safety: as catalog::Statistics.

#include "catalog/statistics.h"
#include "sql/optimize/optimize.h"

namespace pando::session {

class PlannerStatistics final : public sql::StatisticsSource {
 public:
  // May be null: then every table counts as never analyzed.
  explicit PlannerStatistics(catalog::Statistics* statistics) : statistics_(statistics) {}

  std::shared_ptr<const catalog::TableStatistics> find(const catalog::TableDescriptor& table) const override {
    return statistics_ == nullptr ? nullptr : statistics_->find(table);
  }

  double rows(const catalog::TableDescriptor& table) const override {
    if (statistics_ == nullptr) {
      return -1;
    }
    const double counted = statistics_->live_rows(table);
    if (counted >= 0 && statistics_->find(table) != nullptr) {
      return counted;
    }
    // Never analyzed: its size tells more than what was written since the process started, once it is large.
    const uint64_t bytes = statistics_->row_bytes(table);
    if (bytes < kSizeThatTellsBytes) {
      return -1;
    }
    return std::max(counted, static_cast<double>(bytes) / kStoredRowBytes);
  }

 private:
  static constexpr uint64_t kSizeThatTellsBytes = 1_MiB;
  // Of a compressed row with its key, roughly.
  static constexpr double kStoredRowBytes = 48;

  catalog::Statistics* statistics_;
};

}  // namespace pando::session
