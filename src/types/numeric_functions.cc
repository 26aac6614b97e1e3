// power, exp, ln, log and sqrt of numeric. Scales of results are chosen as PostgreSQL chooses them; the digits come
// from fixed-point arithmetic with guard digits, rounded at the end.

#include <algorithm>
#include <cmath>

#include "types/decimal.h"
#include "types/numeric.h"

namespace pando::types::numeric {
namespace {

constexpr int32_t kGuardDigits = 15;
constexpr double kLog10OfE = 0.434294481903252;
constexpr double kLnOfTen = 2.302585092994046;
// exp() of more overflows or underflows.
constexpr double kExponentMax = 6000;
constexpr double kExponentFuzzyMax = 6020;
constexpr double kResultWeightMax = 2000;

Status negative_logarithm() {
  return {sql_state::kInvalidArgumentForLogarithm, "cannot take logarithm of a negative number"};
}
Status zero_logarithm() { return {sql_state::kInvalidArgumentForLogarithm, "cannot take logarithm of zero"}; }

Decimal integer(int64_t value) {
  Decimal decimal;
  mpz_set_si(decimal.coefficient.get_mpz_t(), value);
  return decimal;
}

// A finite value as an integer multiple of 10^-digits, cut.
mpz_class fixed_point(const Decimal& value, int32_t digits) {
  if (digits >= value.scale) {
    return value.coefficient * power_of_ten(static_cast<uint32_t>(digits - value.scale));
  }
  return value.coefficient / power_of_ten(static_cast<uint32_t>(value.scale - digits));
}

Decimal from_fixed_point(const mpz_class& fixed, int32_t digits, int32_t scale) {
  Decimal value;
  value.coefficient = fixed;
  value.scale = digits;
  rescale(value, scale);
  return value;
}

// e^x for x >= 0, both multiples of 10^-digits.
mpz_class exp_fixed(mpz_class x, int32_t digits) {
  const mpz_class one = power_of_ten(static_cast<uint32_t>(digits));
  unsigned halvings = 0;
  // Halve until below 2^-6 of one: the series then gains nearly two digits a term.
  while (x * 64 > one) {
    x /= 2;
    ++halvings;
  }
  mpz_class sum = one + x;
  mpz_class term = x;
  for (unsigned n = 2; sgn(term) != 0; ++n) {
    term = term * x / one / n;
    sum += term;
  }
  for (; halvings > 0; --halvings) {
    sum = sum * sum / one;
  }
  return sum;
}

// The decimal exponent of ln(x)'s first digit, estimated: PostgreSQL's estimate_ln_dweight.
int32_t estimate_ln_weight(const Decimal& x) {
  if (x.sign() <= 0) {
    return 0;
  }
  Decimal low = integer(9);
  low.scale = 1;
  Decimal high = integer(11);
  high.scale = 1;
  if (compare_finite(x, low) >= 0 && compare_finite(x, high) <= 0) {
    Decimal rest = x;
    rest.coefficient -= power_of_ten(static_cast<uint32_t>(x.scale));
    return sgn(rest.coefficient) == 0 ? 0 : digit_count(rest.coefficient) - 1 - rest.scale;
  }
  const int32_t digits = digit_count(x.coefficient);
  const double mantissa = approximate_of(Decimal{Kind::kFinite, x.coefficient, digits});
  const double exponent = digits - x.scale;
  const double estimate = std::log(mantissa) + exponent * kLnOfTen;
  return static_cast<int32_t>(std::log10(std::fabs(estimate)));
}

int32_t clamp_scale(int32_t scale) { return std::min(std::max(scale, 0), kResultScaleMax); }

Result<Decimal> power_of_integer(const Decimal& base, int64_t exponent, int32_t scale) {
  Decimal result;
  if (exponent == 0) {
    result = integer(1);
    rescale(result, scale);
    return result;
  }
  if (base.sign() == 0) {
    if (exponent < 0) {
      return Status(sql_state::kDivisionByZero, "division by zero");
    }
    result.scale = scale;
    return result;
  }
  if (exponent == -1) {
    return divide_to_scale(integer(1), base, scale);
  }
  const double digits = digit_count(base.coefficient);
  const double mantissa = approximate_of(Decimal{Kind::kFinite, abs(base.coefficient), digit_count(base.coefficient)});
  const double weight = static_cast<double>(exponent) * (std::log10(mantissa) + digits - base.scale);
  if (weight > 3.0 * INT16_MAX * kDigitsPerGroup) {
    return overflow();
  }
  if (weight + 1 < -scale || weight + 1 < -kResultScaleMax) {
    result.scale = scale;
    return result;
  }
  // Multiply with as many significant digits as the result needs; each step may lose one unit of the last.
  const auto significant = static_cast<int32_t>(std::max(weight, -weight) + scale + kGuardDigits * 2 + 8);
  Decimal factor = base;
  result = integer(1);
  const auto trim = [significant](Decimal& value) {
    const int32_t excess = digit_count(value.coefficient) - significant;
    if (excess > 0) {
      value.coefficient = divide_rounded(value.coefficient, power_of_ten(static_cast<uint32_t>(excess)));
      value.scale -= excess;
    }
  };
  for (auto bits = static_cast<uint64_t>(std::abs(exponent)); bits != 0; bits >>= 1) {
    if ((bits & 1) != 0) {
      result.coefficient *= factor.coefficient;
      result.scale += factor.scale;
      trim(result);
    }
    factor.coefficient *= factor.coefficient;
    factor.scale += factor.scale;
    trim(factor);
  }
  if (exponent < 0) {
    return divide_to_scale(integer(1), result, scale);
  }
  rescale(result, scale);
  return result;
}

// base^exponent through e^(exponent * ln(base)).
Result<Decimal> power_by_logarithm(Decimal base, const Decimal& exponent) {
  Decimal result;
  if (base.sign() == 0) {
    result.scale = kSignificantDigitsMin;
    return result;
  }
  bool negative = false;
  if (base.sign() < 0) {
    mpz_class whole = exponent.coefficient / power_of_ten(static_cast<uint32_t>(exponent.scale));
    negative = mpz_odd_p(whole.get_mpz_t()) != 0;
    base.coefficient = -base.coefficient;
  }
  const int32_t ln_weight = estimate_ln_weight(base);
  Decimal product = ln_to_scale(base, std::max(8 - ln_weight, 0));
  product.coefficient *= exponent.coefficient;
  product.scale += exponent.scale;
  double value = approximate_of(product);
  if (std::fabs(value) > kExponentFuzzyMax) {
    if (value > 0) {
      return overflow();
    }
    result.scale = kResultScaleMax;
    return result;
  }
  value *= kLog10OfE;
  const int32_t scale =
      clamp_scale(std::max({kSignificantDigitsMin - static_cast<int32_t>(value), base.scale, exponent.scale}));
  const int32_t significant = std::max(scale + static_cast<int32_t>(value), 0);
  product = ln_to_scale(base, std::max(significant - ln_weight + kGuardDigits, 0));
  product.coefficient *= exponent.coefficient;
  product.scale += exponent.scale;
  bool overflowed = false;
  result = exp_to_scale(product, scale, overflowed);
  if (overflowed) {
    return overflow();
  }
  if (negative) {
    result.coefficient = -result.coefficient;
  }
  return result;
}

// power() with an infinite or NaN operand. REQUIRES: the errors of zero and negative bases are already raised.
Kind power_special(const Decimal& base, const Decimal& exponent, int& integer_result) {
  const Decimal one = integer(1);
  integer_result = -1;
  if (base.kind == Kind::kNan || exponent.kind == Kind::kNan) {
    const bool is_one = base.kind == Kind::kNan ? exponent.finite() && exponent.sign() == 0
                                                : base.finite() && compare_finite(base, one) == 0;
    integer_result = is_one ? 1 : -1;
    return Kind::kNan;
  }
  const bool base_is_one = base.finite() && compare_finite(base, one) == 0;
  if (base_is_one || (exponent.finite() && exponent.sign() == 0)) {
    integer_result = 1;
    return Kind::kFinite;
  }
  if (base.finite() && base.sign() == 0) {
    integer_result = 0;
    return Kind::kFinite;
  }
  if (!exponent.finite()) {
    Decimal size = base;
    size.coefficient = abs(base.coefficient);
    const int order = base.finite() ? compare_finite(size, one) : 1;
    if (order == 0) {
      integer_result = 1;
      return Kind::kFinite;
    }
    integer_result = (order > 0) == (exponent.sign() > 0) ? -1 : 0;
    return Kind::kInfinity;
  }
  integer_result = exponent.sign() > 0 ? -1 : 0;
  if (base.kind == Kind::kInfinity) {
    return Kind::kInfinity;
  }
  const mpz_class whole = exponent.coefficient / power_of_ten(static_cast<uint32_t>(exponent.scale));
  return mpz_odd_p(whole.get_mpz_t()) != 0 ? Kind::kMinusInfinity : Kind::kInfinity;
}

}  // namespace

Decimal exp_to_scale(const Decimal& x, int32_t result_scale, bool& overflowed) {
  const double value = approximate_of(x);
  Decimal result;
  result.scale = result_scale;
  if (std::fabs(value) >= kExponentMax) {
    overflowed = value > 0;
    return result;
  }
  // Significant digits: those of the result plus guards for the squarings.
  const auto whole_digits = static_cast<int32_t>(std::fabs(value) * kLog10OfE) + 1;
  const int32_t digits = result_scale + whole_digits + kGuardDigits;
  const mpz_class size = abs(fixed_point(x, digits + whole_digits));
  mpz_class power = exp_fixed(size, digits + whole_digits);
  if (x.sign() < 0) {
    power = power_of_ten(static_cast<uint32_t>(2 * (digits + whole_digits))) / power;
  }
  return from_fixed_point(power, digits + whole_digits, result_scale);
}

Decimal ln_to_scale(const Decimal& x, int32_t result_scale) {
  int32_t digits = std::max(result_scale, 0) + kGuardDigits;
  bool negative = false;
  mpz_class fixed;
  const Decimal one = integer(1);
  if (compare_finite(x, one) < 0) {
    // ln(x) = -ln(1/x), with enough digits that 1/x is as exact as x was.
    negative = true;
    fixed = power_of_ten(static_cast<uint32_t>(digits + x.scale)) / x.coefficient;
  } else {
    fixed = fixed_point(x, digits);
    if (x.scale > digits) {
      digits = x.scale;
      fixed = x.coefficient;
    }
  }
  // Each square root halves the logarithm and the error in the result doubles back: keep digits for that.
  constexpr int32_t kRootDigits = 12;
  fixed *= power_of_ten(kRootDigits);
  digits += kRootDigits;
  const mpz_class unit = power_of_ten(static_cast<uint32_t>(digits));
  unsigned roots = 0;
  while (fixed * 10 > unit * 11) {
    const mpz_class shifted = fixed * unit;
    mpz_sqrt(fixed.get_mpz_t(), shifted.get_mpz_t());
    ++roots;
  }
  // ln(y) = 2 atanh((y - 1) / (y + 1))
  const mpz_class z = mpz_class((fixed - unit) * unit) / mpz_class(fixed + unit);
  const mpz_class square = z * z / unit;
  mpz_class term = z;
  mpz_class sum = z;
  for (unsigned n = 3; sgn(term) != 0; n += 2) {
    term = term * square / unit;
    sum += term / n;
  }
  mpz_mul_2exp(sum.get_mpz_t(), sum.get_mpz_t(), roots + 1);
  return from_fixed_point(negative ? mpz_class(-sum) : sum, digits, result_scale);
}

Decimal sqrt_to_scale(const Decimal& x, int32_t result_scale) {
  // One more digit than wanted decides the rounding: the root cannot lie exactly between unless the digit says so.
  const int32_t digits = result_scale + 1;
  mpz_class scaled = 2 * digits >= x.scale
                         ? mpz_class(x.coefficient * power_of_ten(static_cast<uint32_t>(2 * digits - x.scale)))
                         : mpz_class(x.coefficient / power_of_ten(static_cast<uint32_t>(x.scale - 2 * digits)));
  mpz_class root;
  mpz_sqrt(root.get_mpz_t(), scaled.get_mpz_t());
  return from_fixed_point(root, digits, result_scale);
}

Status exp(ByteView value, Bytes& out) {
  const Decimal x = load(value);
  if (!x.finite()) {
    if (x.kind == Kind::kMinusInfinity) {
      store_small(0, 0, out);
    } else {
      store_kind(x.kind, out);
    }
    return {};
  }
  const double weight = std::clamp(approximate_of(x) * kLog10OfE, -kResultWeightMax, kResultWeightMax);
  const int32_t scale = clamp_scale(std::max(kSignificantDigitsMin - static_cast<int32_t>(weight), x.scale));
  bool overflowed = false;
  const Decimal result = exp_to_scale(x, scale, overflowed);
  return overflowed ? overflow() : store(result, out);
}

Status ln(ByteView value, Bytes& out) {
  const Decimal x = load(value);
  if (x.kind == Kind::kMinusInfinity) {
    return negative_logarithm();
  }
  if (!x.finite()) {
    store_kind(x.kind, out);
    return {};
  }
  if (x.sign() <= 0) {
    return x.sign() == 0 ? zero_logarithm() : negative_logarithm();
  }
  const int32_t scale = clamp_scale(std::max(kSignificantDigitsMin - estimate_ln_weight(x), x.scale));
  return store(ln_to_scale(x, scale), out);
}

Status log(ByteView base, ByteView value, Bytes& out) {
  const Decimal b = load(base);
  const Decimal x = load(value);
  if (b.kind == Kind::kNan || x.kind == Kind::kNan) {
    store_kind(Kind::kNan, out);
    return {};
  }
  const bool special = !b.finite() || !x.finite();
  if (special ? (b.sign() < 0 || x.sign() < 0) : b.sign() < 0) {
    return negative_logarithm();
  }
  if (special ? (b.sign() == 0 || x.sign() == 0) : b.sign() == 0) {
    return zero_logarithm();
  }
  if (special) {
    if (b.finite()) {
      store_kind(Kind::kInfinity, out);
    } else if (!x.finite()) {
      store_kind(Kind::kNan, out);
    } else {
      store_small(0, 0, out);
    }
    return {};
  }
  if (x.sign() <= 0) {
    return x.sign() == 0 ? zero_logarithm() : negative_logarithm();
  }
  const int32_t base_weight = estimate_ln_weight(b);
  const int32_t value_weight = estimate_ln_weight(x);
  const int32_t result_weight = value_weight - base_weight;
  const int32_t scale = clamp_scale(std::max({kSignificantDigitsMin - result_weight, b.scale, x.scale}));
  const Decimal ln_base = ln_to_scale(b, std::max(scale + result_weight - base_weight + kGuardDigits, 0));
  const Decimal ln_value = ln_to_scale(x, std::max(scale + result_weight - value_weight + kGuardDigits, 0));
  if (ln_base.sign() == 0) {
    return {sql_state::kDivisionByZero, "division by zero"};
  }
  return store(divide_to_scale(ln_value, ln_base, scale), out);
}

Status log10(ByteView value, Bytes& out) { return log(from_int64(10), value, out); }

Status sqrt(ByteView value, Bytes& out) {
  const Decimal x = load(value);
  if (x.sign() < 0) {
    return {sql_state::kInvalidArgumentForPower, "cannot take square root of a negative number"};
  }
  if (!x.finite()) {
    store_kind(x.kind, out);
    return {};
  }
  const Leading leading = leading_of(x.coefficient, x.scale);
  const int32_t whole_digits = leading.weight * kDigitsPerGroup / 2 + 1;
  const int32_t scale = clamp_scale(std::max(kSignificantDigitsMin - whole_digits, x.scale));
  return store(sqrt_to_scale(x, scale), out);
}

Status power(ByteView base, ByteView exponent, Bytes& out) {
  const Decimal b = load(base);
  const Decimal e = load(exponent);
  const bool has_nan = b.kind == Kind::kNan || e.kind == Kind::kNan;
  if (!has_nan) {
    if (b.sign() == 0 && e.sign() < 0) {
      return {sql_state::kInvalidArgumentForPower, "zero raised to a negative power is undefined"};
    }
    if (b.sign() < 0 && !e.is_integral()) {
      return {sql_state::kInvalidArgumentForPower,
              "a negative number raised to a non-integer power yields a complex result"};
    }
  }
  if (!b.finite() || !e.finite()) {
    int whole = 0;
    const Kind kind = power_special(b, e, whole);
    if (whole >= 0) {
      store_small(whole, 0, out);
    } else {
      store_kind(kind, out);
    }
    return {};
  }
  if (e.is_integral()) {
    const mpz_class whole = e.coefficient / power_of_ten(static_cast<uint32_t>(e.scale));
    if (whole.fits_sint_p()) {
      const int32_t scale = clamp_scale(std::max(kSignificantDigitsMin, b.scale));
      PANDO_ASSIGN(const Decimal result, power_of_integer(b, whole.get_si(), scale));
      return store(result, out);
    }
  }
  PANDO_ASSIGN(const Decimal result, power_by_logarithm(b, e));
  return store(result, out);
}

}  // namespace pando::types::numeric
