// real and double precision: arithmetic, powers, logarithms, rounding, random numbers. Trigonometry has its own file.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/prng.h"
#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"

namespace pando::sql {
namespace {

template <typename T>
uint64_t is_infinite(T value) {
  return static_cast<uint64_t>(std::fabs(value) > std::numeric_limits<T>::max());
}

template <typename R, typename A, typename B>
struct Add {
  using Flags = uint64_t;
  static bool is_failure(Flags failed) { return failed != 0; }
  static R apply(A a, B b, Flags& failed) {
    const R sum = static_cast<R>(a) + static_cast<R>(b);
    failed |= is_infinite(sum) & ~is_infinite(a) & ~is_infinite(b);
    return sum;
  }
  static Status error(A, B) { return float_overflow(); }
};
template <typename R, typename A, typename B>
struct Subtract {
  using Flags = uint64_t;
  static bool is_failure(Flags failed) { return failed != 0; }
  static R apply(A a, B b, Flags& failed) {
    const R difference = static_cast<R>(a) - static_cast<R>(b);
    failed |= is_infinite(difference) & ~is_infinite(a) & ~is_infinite(b);
    return difference;
  }
  static Status error(A, B) { return float_overflow(); }
};
template <typename R, typename A, typename B>
struct Multiply {
  using Flags = uint64_t;
  static bool is_failure(Flags failed) { return failed != 0; }
  static R apply(A a, B b, Flags& failed) {
    const R product = static_cast<R>(a) * static_cast<R>(b);
    failed |= is_infinite(product) & ~is_infinite(a) & ~is_infinite(b);
    failed |= static_cast<uint64_t>(product == 0 && a != 0 && b != 0);
    return product;
  }
  static Status error(A a, B b) {
    return static_cast<R>(a) * static_cast<R>(b) == 0 ? float_underflow() : float_overflow();
  }
};
template <typename R, typename A, typename B>
Result<R> divide(A left, B right) {
  const auto a = static_cast<R>(left);
  const auto b = static_cast<R>(right);
  if (b == 0 && !std::isnan(a)) {
    return division_by_zero();
  }
  const R quotient = a / b;
  if (std::isinf(quotient) && !std::isinf(a)) {
    return float_overflow();
  }
  if (quotient == 0 && a != 0 && !std::isinf(b)) {
    return float_underflow();
  }
  return quotient;
}

template <typename T>
T negate(T a) {
  return -a;
}
template <typename T>
T plus(T a) {
  return a;
}
template <typename T>
T absolute(T a) {
  return std::fabs(a);
}
double round_even(double a) { return std::rint(a); }
double truncate(double a) { return std::trunc(a); }
double ceiling(double a) { return std::ceil(a); }
double floor_of(double a) { return std::floor(a); }
double sign(double a) {
  if (a > 0) {
    return 1.0;
  }
  return a < 0 ? -1.0 : 0.0;
}

Result<double> checked(double result, bool may_be_infinite, bool may_be_zero) {
  if (std::isinf(result) && !may_be_infinite) {
    return float_overflow();
  }
  if (result == 0 && !may_be_zero) {
    return float_underflow();
  }
  return result;
}
Result<double> square_root(double a) {
  if (a < 0) {
    return Status(sql_state::kInvalidArgumentForPower, "cannot take square root of a negative number");
  }
  return checked(std::sqrt(a), std::isinf(a), a == 0);
}
Result<double> cube_root(double a) { return checked(std::cbrt(a), std::isinf(a), a == 0); }
Result<double> exponential(double a) {
  if (std::isnan(a) || std::isinf(a)) {
    return a < 0 ? 0.0 : a;
  }
  return checked(std::exp(a), false, false);
}
template <double (*kLogarithm)(double)>
Result<double> logarithm(double a) {
  if (a == 0) {
    return Status(sql_state::kInvalidArgumentForLogarithm, "cannot take logarithm of zero");
  }
  if (a < 0) {
    return Status(sql_state::kInvalidArgumentForLogarithm, "cannot take logarithm of a negative number");
  }
  return checked(kLogarithm(a), std::isinf(a), a == 1);
}
double natural(double a) { return std::log(a); }
double decimal(double a) { return std::log10(a); }

// IEEE 754 defines the powers of infinities, of NaN and to them; the C library follows it.
Result<double> power(double base, double exponent) {
  if (std::isnan(base) || std::isnan(exponent) || std::isinf(exponent)) {
    if (base == 0 && exponent < 0) {
      return Status(sql_state::kInvalidArgumentForPower, "zero raised to a negative power is undefined");
    }
    return std::pow(base, exponent);
  }
  if (base == 0 && exponent < 0) {
    return Status(sql_state::kInvalidArgumentForPower, "zero raised to a negative power is undefined");
  }
  if (base < 0 && std::floor(exponent) != exponent) {
    return Status(sql_state::kInvalidArgumentForPower,
                  "a negative number raised to a non-integer power yields a complex result");
  }
  if (std::isinf(base)) {
    return std::pow(base, exponent);
  }
  return checked(std::pow(base, exponent), false, base == 0);
}

Result<int32_t> width_bucket(double operand, double low, double high, int32_t count) {
  if (count <= 0) {
    return Status(sql_state::kInvalidArgumentForWidthBucket, "count must be greater than zero");
  }
  if (std::isnan(operand) || std::isnan(low) || std::isnan(high)) {
    return Status(sql_state::kInvalidArgumentForWidthBucket, "operand, lower bound, and upper bound cannot be NaN");
  }
  if (std::isinf(low) || std::isinf(high)) {
    return Status(sql_state::kInvalidArgumentForWidthBucket, "lower and upper bounds must be finite");
  }
  if (low == high) {
    return Status(sql_state::kInvalidArgumentForWidthBucket, "lower bound cannot equal upper bound");
  }
  const bool rising = low < high;
  if (rising ? operand < low : operand > low) {
    return 0;
  }
  if (rising ? operand >= high : operand <= high) {
    if (count == std::numeric_limits<int32_t>::max()) {
      return out_of_range<int32_t>();
    }
    return count + 1;
  }
  // Halved where the width of the range would overflow.
  const double scale = std::isinf(high - low) ? 0.5 : 1.0;
  const double fraction = (operand * scale - low * scale) / (high * scale - low * scale);
  const auto bucket = static_cast<int64_t>(fraction * count);
  return static_cast<int32_t>(std::min<int64_t>(bucket, count - 1) + 1);
}

double random_fraction(EvaluationContext& context) { return context.prng->fraction(); }
// setseed() returns void, which has no content but four bytes in a vector.
Result<int32_t> set_seed(EvaluationContext& context, double seed) {
  if (!(seed >= -1 && seed <= 1)) {
    return Status(sql_state::kInvalidParameterValue, "setseed parameter {:g} is out of allowed range [-1,1]", seed);
  }
  *context.prng = Prng(std::bit_cast<uint64_t>(seed));
  return 0;
}

template <template <typename, typename, typename> typename Operation, typename A, typename B>
constexpr ScalarKernel mixed() {
  using R = std::conditional_t<(sizeof(A) > sizeof(B)), A, B>;
  return lift_checked<Operation<R, A, B>, A, B>;
}

}  // namespace

KernelTable float_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"float4pl", mixed<Add, float, float>()},
      {"float8pl", mixed<Add, double, double>()},
      {"float48pl", mixed<Add, float, double>()},
      {"float84pl", mixed<Add, double, float>()},
      {"float4mi", mixed<Subtract, float, float>()},
      {"float8mi", mixed<Subtract, double, double>()},
      {"float48mi", mixed<Subtract, float, double>()},
      {"float84mi", mixed<Subtract, double, float>()},
      {"float4mul", mixed<Multiply, float, float>()},
      {"float8mul", mixed<Multiply, double, double>()},
      {"float48mul", mixed<Multiply, float, double>()},
      {"float84mul", mixed<Multiply, double, float>()},
      {"float4div", lift<divide<float, float, float>>},
      {"float8div", lift<divide<double, double, double>>},
      {"float48div", lift<divide<double, float, double>>},
      {"float84div", lift<divide<double, double, float>>},
      {"float4um", lift<negate<float>>},
      {"float8um", lift<negate<double>>},
      {"float4up", lift<plus<float>>},
      {"float8up", lift<plus<double>>},
      {"float4abs", lift<absolute<float>>},
      {"float8abs", lift<absolute<double>>},
      {"dround", lift<round_even>},
      {"dtrunc", lift<truncate>},
      {"dceil", lift<ceiling>},
      {"dfloor", lift<floor_of>},
      {"dsign", lift<sign>},
      {"dsqrt", lift<square_root>},
      {"dcbrt", lift<cube_root>},
      {"dpow", lift<power>},
      {"dexp", lift<exponential>},
      {"dlog1", lift<logarithm<natural>>},
      {"dlog10", lift<logarithm<decimal>>},
      {"width_bucket_float8", lift<width_bucket>},
      {"drandom", lift<random_fraction>},
      {"setseed", lift<set_seed>},
  };
  return kTable;
}

}  // namespace pando::sql
