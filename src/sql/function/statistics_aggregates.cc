// variance, stddev and their kin; covariance, correlation and linear regression. Floats go by Youngs and Cramer's
// updating formulas (1971), as PostgreSQL's do, so that results agree to the last digit.

#include <cmath>
#include <limits>

#include "sql/function/aggregate.h"
#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "types/numeric.h"

namespace pando::sql {
namespace {

namespace numeric = types::numeric;

enum class Statistic : uint8_t { kVariancePopulation, kVarianceSample, kDeviationPopulation, kDeviationSample };
constexpr bool is_sample(Statistic statistic) {
  return statistic == Statistic::kVarianceSample || statistic == Statistic::kDeviationSample;
}
constexpr bool is_deviation(Statistic statistic) {
  return statistic == Statistic::kDeviationPopulation || statistic == Statistic::kDeviationSample;
}

// N, the sum of X, and the sum of squares of X's differences from its mean.
struct FloatMoments {
  double n = 0;
  double sum = 0;
  double squares = 0;

  Status add_value(double value) {
    const double before = n;
    const double sum_before = sum;
    n += 1;
    sum += value;
    if (before > 0) {
      const double difference = value * n - sum;
      squares += difference * difference / (n * before);
      if (std::isinf(sum) || std::isinf(squares)) {
        if (!std::isinf(sum_before) && !std::isinf(value)) {
          return float_overflow();
        }
        squares = std::numeric_limits<double>::quiet_NaN();
      }
    } else if (std::isnan(value) || std::isinf(value)) {
      squares = std::numeric_limits<double>::quiet_NaN();
    }
    return {};
  }
  Status merge(const FloatMoments& other) {
    if (other.n == 0) {
      return {};
    }
    if (n == 0) {
      *this = other;
      return {};
    }
    const double total = n + other.n;
    const double merged_sum = sum + other.sum;
    if (std::isinf(merged_sum) && !std::isinf(sum) && !std::isinf(other.sum)) {
      return float_overflow();
    }
    const double difference = sum / n - other.sum / other.n;
    const double merged = squares + other.squares + n * other.n * difference * difference / total;
    if (std::isinf(merged) && !std::isinf(squares) && !std::isinf(other.squares)) {
      return float_overflow();
    }
    n = total;
    sum = merged_sum;
    squares = merged;
    return {};
  }
};

template <typename T>
struct FloatAverage : FloatMoments {
  using Arguments = std::tuple<T>;
  Status add(T value) { return add_value(value); }
  Status combine(const FloatAverage& other) { return merge(other); }
  std::optional<double> result() const { return n == 0 ? std::nullopt : std::optional(sum / n); }
};
template <typename T, Statistic kStatistic>
struct FloatSpread : FloatMoments {
  using Arguments = std::tuple<T>;
  Status add(T value) { return add_value(value); }
  Status combine(const FloatSpread& other) { return merge(other); }
  std::optional<double> result() const {
    const double divisor = is_sample(kStatistic) ? n - 1 : n;
    if (divisor <= 0) {
      return std::nullopt;
    }
    return is_deviation(kStatistic) ? std::sqrt(squares / divisor) : squares / divisor;
  }
};

// Exact, for integers and numerics.
template <typename T, Statistic kStatistic>
struct ExactSpread {
  using Arguments = std::tuple<T>;
  numeric::Moments moments;
  void add(T value) {
    if constexpr (std::is_same_v<T, ByteView>) {
      moments.add(value);
    } else {
      moments.add(numeric::from_int64(value));
    }
  }
  void combine(const ExactSpread& other) { moments.combine(other.moments); }
  Result<std::optional<Bytes>> result() const {
    return is_deviation(kStatistic) ? moments.deviation(is_sample(kStatistic))
                                    : moments.variance(is_sample(kStatistic));
  }
  std::size_t memory_bytes() const { return moments.memory_bytes(); }
};

// --- two variables: f(Y, X) ---
struct PairMoments {
  double n = 0;
  double sum_x = 0;
  double squares_x = 0;
  double sum_y = 0;
  double squares_y = 0;
  double products = 0;

  Status add_pair(double y, double x) {
    const PairMoments before = *this;
    n += 1;
    sum_x += x;
    sum_y += y;
    if (before.n > 0) {
      const double dx = x * n - sum_x;
      const double dy = y * n - sum_y;
      const double scale = 1.0 / (n * before.n);
      squares_x += dx * dx * scale;
      squares_y += dy * dy * scale;
      products += dx * dy * scale;
      return check_overflow(before, y, x);
    }
    const double nan = std::numeric_limits<double>::quiet_NaN();
    if (std::isnan(x) || std::isinf(x)) {
      squares_x = products = nan;
    }
    if (std::isnan(y) || std::isinf(y)) {
      squares_y = products = nan;
    }
    return {};
  }
  // An infinity is an error unless it came in; then the squares are unknown.
  Status check_overflow(const PairMoments& before, double y, double x) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    if (!std::isinf(sum_x) && !std::isinf(squares_x) && !std::isinf(sum_y) && !std::isinf(squares_y) &&
        !std::isinf(products)) {
      return {};
    }
    const bool x_came = std::isinf(before.sum_x) || std::isinf(x);
    const bool y_came = std::isinf(before.sum_y) || std::isinf(y);
    if (((std::isinf(sum_x) || std::isinf(squares_x)) && !x_came) ||
        ((std::isinf(sum_y) || std::isinf(squares_y)) && !y_came) || (std::isinf(products) && !x_came && !y_came)) {
      return float_overflow();
    }
    squares_x = std::isinf(squares_x) ? nan : squares_x;
    squares_y = std::isinf(squares_y) ? nan : squares_y;
    products = std::isinf(products) ? nan : products;
    return {};
  }
  Status merge(const PairMoments& other) {
    if (other.n == 0) {
      return {};
    }
    if (n == 0) {
      *this = other;
      return {};
    }
    const double total = n + other.n;
    const double dx = sum_x / n - other.sum_x / other.n;
    const double dy = sum_y / n - other.sum_y / other.n;
    const double weight = n * other.n / total;
    squares_x += other.squares_x + weight * dx * dx;
    squares_y += other.squares_y + weight * dy * dy;
    products += other.products + weight * dx * dy;
    sum_x += other.sum_x;
    sum_y += other.sum_y;
    n = total;
    return {};
  }
};

using Pair = const PairMoments&;
std::optional<double> when(bool known, double value) { return known ? std::optional(value) : std::nullopt; }
std::optional<double> squares_x(Pair p) { return when(p.n >= 1, p.squares_x); }
std::optional<double> squares_y(Pair p) { return when(p.n >= 1, p.squares_y); }
std::optional<double> products(Pair p) { return when(p.n >= 1, p.products); }
std::optional<double> average_x(Pair p) { return when(p.n >= 1, p.sum_x / p.n); }
std::optional<double> average_y(Pair p) { return when(p.n >= 1, p.sum_y / p.n); }
std::optional<double> covariance_population(Pair p) { return when(p.n >= 1, p.products / p.n); }
std::optional<double> covariance_sample(Pair p) { return when(p.n >= 2, p.products / (p.n - 1)); }
std::optional<double> correlation(Pair p) {
  return when(p.n >= 1 && p.squares_x != 0 && p.squares_y != 0, p.products / std::sqrt(p.squares_x * p.squares_y));
}
std::optional<double> determination(Pair p) {
  if (p.n < 1 || p.squares_x == 0) {
    return std::nullopt;
  }
  return p.squares_y == 0 ? 1.0 : (p.products * p.products) / (p.squares_x * p.squares_y);
}
std::optional<double> slope(Pair p) { return when(p.n >= 1 && p.squares_x != 0, p.products / p.squares_x); }
std::optional<double> intercept(Pair p) {
  return when(p.n >= 1 && p.squares_x != 0, (p.sum_y - p.sum_x * p.products / p.squares_x) / p.n);
}

template <std::optional<double> (*kResult)(Pair)>
struct Regression : PairMoments {
  using Arguments = std::tuple<double, double>;
  Status add(double y, double x) { return add_pair(y, x); }
  Status combine(const Regression& other) { return merge(other); }
  std::optional<double> result() const { return kResult(*this); }
};
struct PairCount {
  using Arguments = std::tuple<double, double>;
  int64_t count = 0;
  void add(double, double) { ++count; }
  void combine(const PairCount& other) { count += other.count; }
  int64_t result() const { return count; }
};

}  // namespace

#define PANDO_FLOAT_SPREAD(type, T)                                                             \
  {"variance(" type ")", aggregate_of<FloatSpread<T, Statistic::kVarianceSample>>()},           \
      {"var_samp(" type ")", aggregate_of<FloatSpread<T, Statistic::kVarianceSample>>()},       \
      {"var_pop(" type ")", aggregate_of<FloatSpread<T, Statistic::kVariancePopulation>>()},    \
      {"stddev(" type ")", aggregate_of<FloatSpread<T, Statistic::kDeviationSample>>()},        \
      {"stddev_samp(" type ")", aggregate_of<FloatSpread<T, Statistic::kDeviationSample>>()}, { \
    "stddev_pop(" type ")", aggregate_of<FloatSpread<T, Statistic::kDeviationPopulation>>()     \
  }
#define PANDO_EXACT_SPREAD(type, T)                                                             \
  {"variance(" type ")", aggregate_of<ExactSpread<T, Statistic::kVarianceSample>>()},           \
      {"var_samp(" type ")", aggregate_of<ExactSpread<T, Statistic::kVarianceSample>>()},       \
      {"var_pop(" type ")", aggregate_of<ExactSpread<T, Statistic::kVariancePopulation>>()},    \
      {"stddev(" type ")", aggregate_of<ExactSpread<T, Statistic::kDeviationSample>>()},        \
      {"stddev_samp(" type ")", aggregate_of<ExactSpread<T, Statistic::kDeviationSample>>()}, { \
    "stddev_pop(" type ")", aggregate_of<ExactSpread<T, Statistic::kDeviationPopulation>>()     \
  }

KernelTable statistics_aggregate_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"avg(float4)", aggregate_of<FloatAverage<float>>()},
      {"avg(float8)", aggregate_of<FloatAverage<double>>()},
      PANDO_FLOAT_SPREAD("float4", float),
      PANDO_FLOAT_SPREAD("float8", double),
      PANDO_EXACT_SPREAD("int2", int16_t),
      PANDO_EXACT_SPREAD("int4", int32_t),
      PANDO_EXACT_SPREAD("int8", int64_t),
      PANDO_EXACT_SPREAD("numeric", ByteView),
      {"regr_count(float8,float8)", aggregate_of<PairCount>()},
      {"regr_sxx(float8,float8)", aggregate_of<Regression<squares_x>>()},
      {"regr_syy(float8,float8)", aggregate_of<Regression<squares_y>>()},
      {"regr_sxy(float8,float8)", aggregate_of<Regression<products>>()},
      {"regr_avgx(float8,float8)", aggregate_of<Regression<average_x>>()},
      {"regr_avgy(float8,float8)", aggregate_of<Regression<average_y>>()},
      {"regr_r2(float8,float8)", aggregate_of<Regression<determination>>()},
      {"regr_slope(float8,float8)", aggregate_of<Regression<slope>>()},
      {"regr_intercept(float8,float8)", aggregate_of<Regression<intercept>>()},
      {"covar_pop(float8,float8)", aggregate_of<Regression<covariance_population>>()},
      {"covar_samp(float8,float8)", aggregate_of<Regression<covariance_sample>>()},
      {"corr(float8,float8)", aggregate_of<Regression<correlation>>()},
  };
  return kTable;
}

#undef PANDO_FLOAT_SPREAD
#undef PANDO_EXACT_SPREAD

}  // namespace pando::sql
