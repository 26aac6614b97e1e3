// Arithmetic of numeric: each function tries 128-bit integers first and falls back to GMP.

#include <algorithm>
#include <limits>

#include "types/decimal.h"
#include "types/numeric.h"

namespace pando::types::numeric {
namespace {

constexpr int64_t kFactorialArgumentMax = 32177;

bool fits_int64(Int128 value) { return value >= INT64_MIN && value <= INT64_MAX; }

Int128 absolute_of(Int128 value) { return value < 0 ? -value : value; }

// Quotient rounded half away from zero.
Int128 divide_rounded(Int128 numerator, Int128 denominator) {
  Int128 quotient = numerator / denominator;
  const Int128 remainder = absolute_of(numerator % denominator);
  // remainder * 2 >= |denominator| without overflow.
  if (remainder >= absolute_of(denominator) - remainder) {
    quotient += (numerator < 0) == (denominator < 0) ? 1 : -1;
  }
  return quotient;
}

// Both operands as machine integers of one scale.
bool load_aligned(ByteView a, ByteView b, Small& x, Small& y) {
  if (!load_small(a, x) || !load_small(b, y)) {
    return false;
  }
  const int32_t scale = std::max(x.scale, y.scale);
  if (!shift_left(x.coefficient, scale - x.scale) || !shift_left(y.coefficient, scale - y.scale)) {
    return false;
  }
  x.scale = y.scale = scale;
  return true;
}

void align(Decimal& a, Decimal& b) {
  const int32_t scale = std::max(a.scale, b.scale);
  rescale(a, scale);
  rescale(b, scale);
}

Status store_integer(const mpz_class& value, Bytes& out) {
  Decimal decimal;
  decimal.coefficient = value;
  return store(decimal, out);
}

Kind infinity_of(bool negative) { return negative ? Kind::kMinusInfinity : Kind::kInfinity; }

// a + b where at least one is special.
Kind add_special(const Decimal& a, const Decimal& b) {
  if (a.kind == Kind::kNan || b.kind == Kind::kNan) {
    return Kind::kNan;
  }
  if (a.finite()) {
    return b.kind;
  }
  return b.finite() || b.kind == a.kind ? a.kind : Kind::kNan;
}

Status add_big(Decimal a, Decimal b, Bytes& out) {
  if (!a.finite() || !b.finite()) {
    store_kind(add_special(a, b), out);
    return {};
  }
  align(a, b);
  a.coefficient += b.coefficient;
  return store(a, out);
}

Status division_by_zero() { return {sql_state::kDivisionByZero, "division by zero"}; }

// a / b where at least one is special; infinite over finite, NaN, or zero.
Status divide_special(const Decimal& a, const Decimal& b, Bytes& out) {
  if (a.kind == Kind::kNan || b.kind == Kind::kNan) {
    store_kind(Kind::kNan, out);
    return {};
  }
  if (a.finite()) {
    store_small(0, 0, out);
    return {};
  }
  if (!b.finite()) {
    store_kind(Kind::kNan, out);
    return {};
  }
  if (b.sign() == 0) {
    return division_by_zero();
  }
  store_kind(infinity_of((a.sign() < 0) != (b.sign() < 0)), out);
  return {};
}

bool divide_small(const Small& x, const Small& y, Bytes& out) {
  const int32_t scale =
      select_divide_scale(leading_of(x.coefficient, x.scale), x.scale, leading_of(y.coefficient, y.scale), y.scale);
  Int128 numerator = x.coefficient;
  if (!shift_left(numerator, scale + y.scale - x.scale)) {
    return false;
  }
  store_small(divide_rounded(numerator, y.coefficient), scale, out);
  return true;
}

// floor (up is false) or ceil of a finite value.
void round_to_integer(ByteView value, bool up, Bytes& out) {
  Small small;
  if (load_small(value, small)) {
    if (small.scale < kPowers128) {
      const Int128 power = kPowersOfTen[small.scale];
      Int128 whole = small.coefficient / power;
      const Int128 rest = small.coefficient % power;
      whole += up && rest > 0 ? 1 : (!up && rest < 0 ? -1 : 0);
      store_small(whole, 0, out);
      return;
    }
  } else if (is_special(value)) {
    out = Bytes(value);
    return;
  }
  Decimal decimal = load(value);
  const mpz_class power = power_of_ten(static_cast<uint32_t>(decimal.scale));
  mpz_class whole;
  if (up) {
    mpz_cdiv_q(whole.get_mpz_t(), decimal.coefficient.get_mpz_t(), power.get_mpz_t());
  } else {
    mpz_fdiv_q(whole.get_mpz_t(), decimal.coefficient.get_mpz_t(), power.get_mpz_t());
  }
  store_integer(whole, out).ignore("rounding to an integer one digit longer than a stored value stays in range");
}

// Rounds or cuts to `scale` digits; negative scales leave an integer.
void change_scale(ByteView value, int32_t scale, bool truncated, Bytes& out) {
  if (is_special(value)) {
    out = Bytes(value);
    return;
  }
  scale = std::clamp(scale, -kDigitsBeforePointMax - 1, kDisplayScaleMax);
  Small small;
  if (load_small(value, small)) {
    const int32_t drop = small.scale - scale;
    if (drop <= 0) {
      if (shift_left(small.coefficient, -drop)) {
        store_small(small.coefficient, scale, out);
        return;
      }
    } else if (drop < kPowers128) {
      const Int128 power = kPowersOfTen[drop];
      const Int128 kept = truncated ? small.coefficient / power : divide_rounded(small.coefficient, power);
      Int128 restored = kept;
      if (scale >= 0 || shift_left(restored, -scale)) {
        store_small(restored, std::max(scale, 0), out);
        return;
      }
    } else {
      store_small(0, std::max(scale, 0), out);
      return;
    }
  }
  Decimal decimal = load(value);
  if (scale < decimal.scale) {
    const mpz_class power = power_of_ten(static_cast<uint32_t>(decimal.scale - scale));
    decimal.coefficient =
        truncated ? mpz_class(decimal.coefficient / power) : numeric::divide_rounded(decimal.coefficient, power);
    if (scale < 0) {
      decimal.coefficient *= power_of_ten(static_cast<uint32_t>(-scale));
    }
    decimal.scale = std::max(scale, 0);
  } else {
    rescale(decimal, scale);
  }
  if (!store(decimal, out).ok()) {
    // Rounded up beyond the largest number: not a value, which callers see.
    out.clear();
  }
}

}  // namespace

Status add(ByteView a, ByteView b, Bytes& out) {
  Small x;
  Small y;
  if (load_aligned(a, b, x, y)) [[likely]] {
    // Aligned operands are below 10^38 or unshifted; the sum may leave 127 bits only near the top.
    Int128 sum = 0;
    if (!__builtin_add_overflow(x.coefficient, y.coefficient, &sum)) {
      store_small(sum, x.scale, out);
      return {};
    }
  }
  return add_big(load(a), load(b), out);
}

Status subtract(ByteView a, ByteView b, Bytes& out) {
  Small x;
  Small y;
  if (load_aligned(a, b, x, y)) [[likely]] {
    Int128 difference = 0;
    if (!__builtin_sub_overflow(x.coefficient, y.coefficient, &difference)) {
      store_small(difference, x.scale, out);
      return {};
    }
  }
  Bytes negated;
  negate(b, negated);
  return add_big(load(a), load(negated), out);
}

Status multiply(ByteView a, ByteView b, Bytes& out) {
  Small x;
  Small y;
  if (load_small(a, x) && load_small(b, y) && fits_int64(x.coefficient) && fits_int64(y.coefficient) &&
      x.scale + y.scale <= kDisplayScaleMax) [[likely]] {
    store_small(x.coefficient * y.coefficient, x.scale + y.scale, out);
    return {};
  }
  Decimal left = load(a);
  const Decimal right = load(b);
  if (left.kind == Kind::kNan || right.kind == Kind::kNan) {
    store_kind(Kind::kNan, out);
    return {};
  }
  if (!left.finite() || !right.finite()) {
    const int sign = left.sign() * right.sign();
    store_kind(sign == 0 ? Kind::kNan : infinity_of(sign < 0), out);
    return {};
  }
  left.coefficient *= right.coefficient;
  left.scale += right.scale;
  if (left.scale > kDisplayScaleMax) {
    rescale(left, kDisplayScaleMax);
  }
  return store(left, out);
}

Status divide(ByteView a, ByteView b, Bytes& out) {
  Small x;
  Small y;
  if (load_small(a, x) && load_small(b, y)) [[likely]] {
    if (y.coefficient == 0) {
      return division_by_zero();
    }
    if (divide_small(x, y, out)) {
      return {};
    }
  }
  const Decimal left = load(a);
  const Decimal right = load(b);
  if (!left.finite() || !right.finite()) {
    return divide_special(left, right, out);
  }
  if (right.sign() == 0) {
    return division_by_zero();
  }
  const int32_t scale = select_divide_scale(leading_of(left.coefficient, left.scale), left.scale,
                                            leading_of(right.coefficient, right.scale), right.scale);
  return store(divide_to_scale(left, right, scale), out);
}

Status divide_truncated(ByteView a, ByteView b, Bytes& out) {
  Decimal left = load(a);
  Decimal right = load(b);
  if (!left.finite() || !right.finite()) {
    return divide_special(left, right, out);
  }
  if (right.sign() == 0) {
    return division_by_zero();
  }
  align(left, right);
  return store_integer(left.coefficient / right.coefficient, out);
}

Status modulo(ByteView a, ByteView b, Bytes& out) {
  Small x;
  Small y;
  if (load_aligned(a, b, x, y)) {
    if (y.coefficient == 0) {
      return division_by_zero();
    }
    store_small(x.coefficient % y.coefficient, x.scale, out);
    return {};
  }
  Decimal left = load(a);
  Decimal right = load(b);
  if (left.kind == Kind::kNan || right.kind == Kind::kNan) {
    store_kind(Kind::kNan, out);
    return {};
  }
  if (!left.finite()) {
    if (right.finite() && right.sign() == 0) {
      return division_by_zero();
    }
    store_kind(Kind::kNan, out);
    return {};
  }
  if (!right.finite()) {
    return store(left, out);
  }
  if (right.sign() == 0) {
    return division_by_zero();
  }
  align(left, right);
  left.coefficient %= right.coefficient;
  return store(left, out);
}

Status gcd(ByteView a, ByteView b, Bytes& out) {
  Decimal left = load(a);
  Decimal right = load(b);
  if (!left.finite() || !right.finite()) {
    store_kind(Kind::kNan, out);
    return {};
  }
  align(left, right);
  mpz_gcd(left.coefficient.get_mpz_t(), left.coefficient.get_mpz_t(), right.coefficient.get_mpz_t());
  return store(left, out);
}

Status lcm(ByteView a, ByteView b, Bytes& out) {
  Decimal left = load(a);
  Decimal right = load(b);
  if (!left.finite() || !right.finite()) {
    store_kind(Kind::kNan, out);
    return {};
  }
  align(left, right);
  mpz_lcm(left.coefficient.get_mpz_t(), left.coefficient.get_mpz_t(), right.coefficient.get_mpz_t());
  return store(left, out);
}

Status factorial(int64_t value, Bytes& out) {
  if (value < 0) {
    return {sql_state::kNumericValueOutOfRange, "factorial of a negative number is undefined"};
  }
  if (value > kFactorialArgumentMax) {
    return overflow();
  }
  mpz_class result;
  mpz_fac_ui(result.get_mpz_t(), static_cast<unsigned long>(value));
  return store_integer(result, out);
}

void negate(ByteView value, Bytes& out) {
  Small small;
  // The most negative coefficient has no 128-bit opposite.
  if (load_small(value, small) && fits_int64(small.coefficient >> 1)) {
    store_small(-small.coefficient, small.scale, out);
    return;
  }
  Decimal decimal = load(value);
  if (decimal.finite()) {
    decimal.coefficient = -decimal.coefficient;
  } else if (decimal.kind != Kind::kNan) {
    decimal.kind = decimal.kind == Kind::kInfinity ? Kind::kMinusInfinity : Kind::kInfinity;
  }
  store(decimal, out).ignore("the opposite of a stored value is in range");
}

void absolute(ByteView value, Bytes& out) {
  if (sign_of(value) < 0) {
    negate(value, out);
  } else {
    out = Bytes(value);
  }
}

void sign(ByteView value, Bytes& out) {
  if (is_nan(value)) {
    out = Bytes(value);
    return;
  }
  store_small(sign_of(value), 0, out);
}

void round(ByteView value, int32_t scale, Bytes& out) { change_scale(value, scale, false, out); }
void truncate(ByteView value, int32_t scale, Bytes& out) { change_scale(value, scale, true, out); }
void ceil(ByteView value, Bytes& out) { round_to_integer(value, true, out); }
void floor(ByteView value, Bytes& out) { round_to_integer(value, false, out); }

void trim_scale(ByteView value, Bytes& out) {
  Small small;
  if (load_small(value, small)) {
    if (small.coefficient == 0) {
      small.scale = 0;
    }
    while (small.scale > 0 && small.coefficient % 10 == 0) {
      small.coefficient /= 10;
      --small.scale;
    }
    store_small(small.coefficient, small.scale, out);
    return;
  }
  Decimal decimal = load(value);
  if (decimal.finite()) {
    const mpz_class ten(10);
    mpz_class stripped;
    const auto zeros = mpz_remove(stripped.get_mpz_t(), decimal.coefficient.get_mpz_t(), ten.get_mpz_t());
    const int32_t drop = static_cast<int32_t>(std::min<std::size_t>(zeros, static_cast<std::size_t>(decimal.scale)));
    decimal.coefficient /= power_of_ten(static_cast<uint32_t>(drop));
    decimal.scale -= drop;
  }
  store(decimal, out).ignore("trimming zeros makes a stored value shorter");
}

Status increment(ByteView value, Bytes& out) { return add(value, from_int64(1), out); }

Result<int32_t> width_bucket(ByteView operand, ByteView low, ByteView high, int32_t count) {
  const auto invalid = [](std::string_view why) {
    return Status(sql_state::kInvalidArgumentForWidthBucket, "{}", why);
  };
  if (count <= 0) {
    return invalid("count must be greater than zero");
  }
  if (is_nan(operand) || is_nan(low) || is_nan(high)) {
    return invalid("operand, lower bound, and upper bound cannot be NaN");
  }
  if (is_special(low) || is_special(high)) {
    return invalid("lower and upper bounds must be finite");
  }
  const auto order = compare(low, high);
  if (order == 0) {
    return invalid("lower bound cannot equal upper bound");
  }
  const bool ascending = order < 0;
  const auto against_low = compare(operand, low);
  const auto against_high = compare(operand, high);
  if (ascending ? against_low < 0 : against_low > 0) {
    return 0;
  }
  if (ascending ? against_high >= 0 : against_high <= 0) {
    if (count == INT32_MAX) {
      return Status(sql_state::kNumericValueOutOfRange, "integer out of range");
    }
    return count + 1;
  }
  Decimal value = load(operand);
  Decimal from = load(low);
  Decimal to = load(high);
  const int32_t scale = std::max({value.scale, from.scale, to.scale});
  rescale(value, scale);
  rescale(from, scale);
  rescale(to, scale);
  const mpz_class bucket =
      (value.coefficient - from.coefficient) * count / mpz_class(to.coefficient - from.coefficient);
  return static_cast<int32_t>(bucket.get_si()) + 1;
}

}  // namespace pando::types::numeric
