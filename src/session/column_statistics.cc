#include "session/column_statistics.h"

#include <algorithm>
#include <cmath>

#include "types/compare.h"

namespace pando::session {
namespace {

using catalog::ColumnStatistics;
using types::Value;

// Values larger than this are counted as distinct and kept out of the lists.
constexpr std::size_t kWideBytes = 1024;
// Distinct values beyond this share of the rows are thought to grow with the table.
constexpr double kGrowingShare = 0.1;

// Equal values of the sorted sample.
struct Group {
  std::size_t first = 0;
  std::size_t count = 0;
};

std::size_t width_of(const types::Type& type, const Value& value) {
  if (!value.holds<Bytes>()) {
    return types::physical_size(types::physical_of(type.oid));
  }
  // PostgreSQL's short and long headers.
  constexpr std::size_t kShortMax = 126;
  return value.bytes().size() + (value.bytes().size() <= kShortMax ? 1 : 4);
}

class Analysis {
 public:
  Analysis(const ColumnSample& sample, double total_rows, std::size_t target)
      : sample_(sample), total_rows_(total_rows), target_(target) {}

  ColumnStatistics run() {
    take_values();
    const auto sampled = static_cast<double>(sample_.values.size());
    if (sampled == 0) {
      return result_;
    }
    result_.null_fraction = static_cast<double>(nulls_) / sampled;
    const std::size_t present = order_.size() + wide_;
    result_.average_width = present == 0 ? 0 : static_cast<double>(width_) / static_cast<double>(present);
    if (present == 0) {
      return result_;
    }
    if (!types::is_orderable(sample_.type.oid)) {
      // Nothing can be sorted: every value counts as distinct, as in compute_trivial_stats.
      result_.distinct = 0;
      return result_;
    }
    sort_values();
    estimate_distinct();
    choose_most_common();
    make_histogram();
    correlate();
    return result_;
  }

 private:
  const Value& value(std::size_t place) const { return sample_.values[order_[place]]; }

  void take_values() {
    for (std::size_t i = 0; i < sample_.values.size(); ++i) {
      const Value& value = sample_.values[i];
      if (value.is_null()) {
        ++nulls_;
        continue;
      }
      width_ += width_of(sample_.type, value);
      if (value.holds<Bytes>() && value.bytes().size() > kWideBytes) {
        ++wide_;
      } else {
        order_.push_back(static_cast<uint32_t>(i));
      }
    }
  }

  void sort_values() {
    std::ranges::sort(order_, [&](uint32_t a, uint32_t b) {
      const auto order = types::compare_values(sample_.type.oid, sample_.values[a], sample_.values[b]);
      return order != 0 ? order < 0 : a < b;
    });
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (i > 0 && types::compare_values(sample_.type.oid, value(i - 1), value(i)) == 0) {
        ++groups_.back().count;
      } else {
        groups_.push_back({i, 1});
      }
    }
  }

  void estimate_distinct() {
    const auto repeated =
        static_cast<double>(std::ranges::count_if(groups_, [](const Group& g) { return g.count > 1; }));
    const double distinct = static_cast<double>(groups_.size() + wide_);
    if (repeated == 0) {
      result_.distinct = -1.0 * (1.0 - result_.null_fraction);
    } else if (wide_ == 0 && repeated == distinct) {
      // Every value came more than once: these are all there are.
      result_.distinct = distinct;
    } else {
      const double once = distinct - repeated;
      const auto sampled = static_cast<double>(sample_.values.size() - nulls_);
      const double rows = total_rows_ * (1.0 - result_.null_fraction);
      const double estimate = rows > 0 ? sampled * distinct / ((sampled - once) + once * sampled / rows) : 0;
      result_.distinct = std::floor(std::clamp(estimate, distinct, std::max(distinct, rows)) + 0.5);
    }
    if (result_.distinct > kGrowingShare * total_rows_) {
      result_.distinct = -(result_.distinct / total_rows_);
    }
  }

  void choose_most_common() {
    std::vector<Group> common;
    for (const Group& group : groups_) {
      if (group.count > 1) {
        common.push_back(group);
      }
    }
    std::ranges::sort(common, [](const Group& a, const Group& b) {
      return a.count != b.count ? a.count > b.count : a.first < b.first;
    });
    const bool complete = common.size() == groups_.size() && wide_ == 0 && result_.distinct > 0;
    if (!complete || common.size() > target_) {
      common.resize(std::min(common.size(), target_));
      common.resize(worth_keeping(common));
    }
    for (const Group& group : common) {
      result_.most_common.push_back(value(group.first));
      result_.most_common_frequencies.push_back(static_cast<double>(group.count) /
                                                static_cast<double>(sample_.values.size()));
    }
    common_ = std::move(common);
  }

  // How many of the values are significantly more common than the values that would not be listed.
  std::size_t worth_keeping(const std::vector<Group>& common) const {
    const auto n = static_cast<double>(sample_.values.size());
    const double rows = total_rows_;
    if (n >= rows || rows <= 1) {
      return common.size();
    }
    const double distinct = result_.distinct < 0 ? -result_.distinct * rows : result_.distinct;
    std::size_t kept = common.size();
    double counted = 0;
    for (std::size_t i = 0; i + 1 < kept; ++i) {
      counted += static_cast<double>(common[i].count);
    }
    while (kept > 0) {
      double share = std::clamp(1.0 - counted / n - result_.null_fraction, 0.0, 1.0);
      const double others = distinct - static_cast<double>(kept - 1);
      share = others > 1 ? share / others : share;
      const auto count = static_cast<double>(common[kept - 1].count);
      const double in_table = rows * count / n;
      const double variance = n * in_table * (rows - in_table) * (rows - n) / (rows * rows * (rows - 1));
      if (count > share * n + 2 * std::sqrt(variance) + 0.5) {
        break;
      }
      --kept;
      counted -= kept > 0 ? static_cast<double>(common[kept - 1].count) : 0;
    }
    return kept;
  }

  // Bounds of equally full buckets of the values that are not among the most common.
  void make_histogram() {
    const std::size_t distinct = groups_.size() - common_.size();
    if (distinct < 2) {
      return;
    }
    std::vector<uint32_t> rest;
    std::vector<char> listed(order_.size(), 0);
    for (const Group& group : common_) {
      std::fill_n(listed.begin() + static_cast<std::ptrdiff_t>(group.first), group.count, 1);
    }
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (listed[i] == 0) {
        rest.push_back(order_[i]);
      }
    }
    const std::size_t bounds = std::min(distinct, target_ + 1);
    for (std::size_t i = 0; i < bounds; ++i) {
      result_.histogram.push_back(sample_.values[rest[i * (rest.size() - 1) / (bounds - 1)]]);
    }
  }

  // Of the order of the values with that of the rows.
  void correlate() {
    const auto count = static_cast<double>(order_.size());
    if (order_.size() < 2) {
      return;
    }
    double products = 0;
    // Places among the rows that are not NULL.
    std::vector<uint32_t> rows = order_;
    std::ranges::sort(rows);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const auto row = std::ranges::lower_bound(rows, order_[i]) - rows.begin();
      products += static_cast<double>(i) * static_cast<double>(row);
    }
    const double sum = (count - 1) * count / 2;
    const double squares = (count - 1) * count * (2 * count - 1) / 6;
    result_.has_correlation = true;
    result_.correlation = (count * products - sum * sum) / (count * squares - sum * sum);
  }

  const ColumnSample& sample_;
  const double total_rows_;
  const std::size_t target_;
  ColumnStatistics result_;
  std::size_t nulls_ = 0;
  std::size_t wide_ = 0;
  std::size_t width_ = 0;
  // Positions in the sample, by value.
  std::vector<uint32_t> order_;
  std::vector<Group> groups_;
  std::vector<Group> common_;
};

}  // namespace

catalog::ColumnStatistics make_column_statistics(catalog::AttributeNumber attribute, const ColumnSample& sample,
                                                 double total_rows, std::size_t target) {
  ColumnStatistics statistics = Analysis(sample, total_rows, target).run();
  statistics.attribute = attribute;
  return statistics;
}

}  // namespace pando::session
