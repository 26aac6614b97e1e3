#include "types/decimal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace pando::types::numeric {
namespace {

constexpr auto kPowersTable = [] {
  std::array<Int128, kPowers128> powers{};
  powers[0] = 1;
  for (int i = 1; i < kPowers128; ++i) {
    powers[i] = powers[i - 1] * 10;
  }
  return powers;
}();

constexpr Int128 kInt128Max = ~(Int128{1} << 127);

using UInt128 = unsigned __int128;

UInt128 magnitude(Int128 value) { return value < 0 ? UInt128{0} - static_cast<UInt128>(value) : UInt128(value); }

int32_t floor_divide(int32_t a, int32_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

void append_scale(int32_t scale, Bytes& out) {
  if (scale < kWideScaleByte) {
    out.push_back(static_cast<char>(scale));
    return;
  }
  out.push_back(static_cast<char>(kWideScaleByte));
  out.push_back(static_cast<char>(scale & 0xff));
  out.push_back(static_cast<char>(scale >> 8));
}

// Splits off the scale; returns the coefficient's bytes.
ByteView take_scale(ByteView value, int32_t& scale) {
  const auto first = static_cast<uint8_t>(value[0]);
  if (first != kWideScaleByte || value.size() < 3) {
    scale = first;
    return value.substr(1);
  }
  scale = static_cast<uint8_t>(value[1]) | (static_cast<uint8_t>(value[2]) << 8);
  return value.substr(3);
}

void append_mpz(const mpz_class& value, Bytes& out) {
  if (sgn(value) == 0) {
    return;
  }
  const mpz_class shifted = sgn(value) < 0 ? mpz_class(-value - 1) : value;
  const std::size_t width = mpz_sizeinbase(shifted.get_mpz_t(), 2) / 8 + 1;
  Bytes raw(width, '\0');
  mpz_export(raw.data(), nullptr, -1, 1, -1, 0, shifted.get_mpz_t());
  if (sgn(value) < 0) {
    for (char& byte : raw) {
      byte = static_cast<char>(~byte);
    }
  }
  out.append(raw);
}

mpz_class take_mpz(ByteView bytes) {
  mpz_class value;
  if (bytes.empty()) {
    return value;
  }
  const bool negative = (static_cast<uint8_t>(bytes.back()) & 0x80) != 0;
  if (!negative) {
    mpz_import(value.get_mpz_t(), bytes.size(), -1, 1, -1, 0, bytes.data());
    return value;
  }
  Bytes raw(bytes);
  for (char& byte : raw) {
    byte = static_cast<char>(~byte);
  }
  mpz_import(value.get_mpz_t(), raw.size(), -1, 1, -1, 0, raw.data());
  return -value - 1;
}

Leading leading_from(int32_t digits, int32_t scale, int64_t& top_digits_wanted) {
  const int32_t exponent = digits - 1 - scale;
  const int32_t weight = floor_divide(exponent, kDigitsPerGroup);
  top_digits_wanted = exponent - weight * kDigitsPerGroup + 1;
  return {weight, 0};
}

}  // namespace

const Int128 kPowersOfTen[kPowers128] = {
    kPowersTable[0],  kPowersTable[1],  kPowersTable[2],  kPowersTable[3],  kPowersTable[4],  kPowersTable[5],
    kPowersTable[6],  kPowersTable[7],  kPowersTable[8],  kPowersTable[9],  kPowersTable[10], kPowersTable[11],
    kPowersTable[12], kPowersTable[13], kPowersTable[14], kPowersTable[15], kPowersTable[16], kPowersTable[17],
    kPowersTable[18], kPowersTable[19], kPowersTable[20], kPowersTable[21], kPowersTable[22], kPowersTable[23],
    kPowersTable[24], kPowersTable[25], kPowersTable[26], kPowersTable[27], kPowersTable[28], kPowersTable[29],
    kPowersTable[30], kPowersTable[31], kPowersTable[32], kPowersTable[33], kPowersTable[34], kPowersTable[35],
    kPowersTable[36], kPowersTable[37], kPowersTable[38]};

mpz_class power_of_ten(uint32_t exponent) {
  mpz_class power;
  mpz_ui_pow_ui(power.get_mpz_t(), 10, exponent);
  return power;
}

int32_t digit_count(Int128 value) {
  const UInt128 size = magnitude(value);
  if (size == 0) {
    return 0;
  }
  const auto high = static_cast<uint64_t>(size >> 64);
  const int bits = high != 0 ? 128 - std::countl_zero(high) : 64 - std::countl_zero(static_cast<uint64_t>(size));
  // log10(2) is just above 1233 / 4096.
  const int guess = (bits * 1233) >> 12;
  return guess < kPowers128 && size >= static_cast<UInt128>(kPowersTable[guess]) ? guess + 1 : guess;
}

int32_t digit_count(const mpz_class& value) {
  if (sgn(value) == 0) {
    return 0;
  }
  const auto guess = mpz_sizeinbase(value.get_mpz_t(), 10);
  const mpz_class bound = power_of_ten(static_cast<uint32_t>(guess - 1));
  return static_cast<int32_t>(mpz_cmpabs(value.get_mpz_t(), bound.get_mpz_t()) >= 0 ? guess : guess - 1);
}

bool Decimal::is_integral() const {
  if (!finite()) {
    return kind != Kind::kNan;
  }
  return scale == 0 || mpz_divisible_p(coefficient.get_mpz_t(), power_of_ten(scale).get_mpz_t()) != 0;
}

Kind kind_of(ByteView value) {
  if (!is_special(value)) {
    return Kind::kFinite;
  }
  const auto byte = static_cast<uint8_t>(value[0]);
  return byte == kNanByte ? Kind::kNan : (byte == kInfinityByte ? Kind::kInfinity : Kind::kMinusInfinity);
}

bool load_small(ByteView value, Small& small) {
  if (value.empty() || is_special(value)) {
    return false;
  }
  const ByteView bytes = take_scale(value, small.scale);
  const std::size_t size = bytes.size();
  if (size <= sizeof(int64_t)) {
    if (size == 0) {
      small.coefficient = 0;
      return true;
    }
    uint64_t raw = 0;
    std::memcpy(reinterpret_cast<char*>(&raw) + (sizeof(raw) - size), bytes.data(), size);
    small.coefficient = static_cast<int64_t>(raw) >> (8 * (sizeof(raw) - size));
    return true;
  }
  if (size > sizeof(Int128)) {
    return false;
  }
  UInt128 raw = 0;
  std::memcpy(reinterpret_cast<char*>(&raw) + (sizeof(raw) - size), bytes.data(), size);
  small.coefficient = static_cast<Int128>(raw) >> (8 * (sizeof(raw) - size));
  return true;
}

Decimal load(ByteView value) {
  Decimal decimal;
  decimal.kind = value.empty() ? Kind::kNan : kind_of(value);
  if (decimal.finite()) {
    decimal.coefficient = take_mpz(take_scale(value, decimal.scale));
  }
  return decimal;
}

mpz_class to_mpz(Int128 value) {
  const UInt128 size = magnitude(value);
  const uint64_t words[2] = {static_cast<uint64_t>(size), static_cast<uint64_t>(size >> 64)};
  mpz_class result;
  mpz_import(result.get_mpz_t(), 2, -1, sizeof(uint64_t), 0, 0, words);
  return value < 0 ? mpz_class(-result) : result;
}

bool fits_int128(const mpz_class& value, Int128& out) {
  if (mpz_sizeinbase(value.get_mpz_t(), 2) > 127) {
    return false;
  }
  uint64_t words[2] = {0, 0};
  mpz_export(words, nullptr, -1, sizeof(uint64_t), 0, 0, value.get_mpz_t());
  const UInt128 size = (static_cast<UInt128>(words[1]) << 64) | words[0];
  out = sgn(value) < 0 ? -static_cast<Int128>(size) : static_cast<Int128>(size);
  return true;
}

void store_small(Int128 coefficient, int32_t scale, Bytes& out) {
  out.clear();
  append_scale(scale, out);
  if (coefficient == 0) {
    return;
  }
  const UInt128 shifted = static_cast<UInt128>(coefficient < 0 ? ~coefficient : coefficient);
  const auto high = static_cast<uint64_t>(shifted >> 64);
  const auto low = static_cast<uint64_t>(shifted);
  const int bits = high != 0 ? 128 - std::countl_zero(high) : 64 - std::countl_zero(low);
  char raw[sizeof(Int128)];
  std::memcpy(raw, &coefficient, sizeof(raw));
  out.append(raw, static_cast<std::size_t>(bits / 8 + 1));
}

void store_kind(Kind kind, Bytes& out) {
  const uint8_t byte = kind == Kind::kNan ? kNanByte : (kind == Kind::kInfinity ? kInfinityByte : kMinusInfinityByte);
  out.assign(1, static_cast<char>(byte));
}

Status overflow() { return {sql_state::kNumericValueOutOfRange, "value overflows numeric format"}; }

Status store(const Decimal& value, Bytes& out) {
  if (!value.finite()) {
    store_kind(value.kind, out);
    return {};
  }
  if (value.scale > kDisplayScaleMax) {
    return overflow();
  }
  if (Int128 small = 0; fits_int128(value.coefficient, small)) {
    store_small(small, value.scale, out);
    return {};
  }
  if (digit_count(value.coefficient) - value.scale > kDigitsBeforePointMax) {
    return overflow();
  }
  out.clear();
  append_scale(value.scale, out);
  append_mpz(value.coefficient, out);
  return {};
}

Leading leading_of(Int128 coefficient, int32_t scale) {
  if (coefficient == 0) {
    return {};
  }
  const int32_t digits = digit_count(coefficient);
  int64_t wanted = 0;
  Leading leading = leading_from(digits, scale, wanted);
  const UInt128 size = magnitude(coefficient);
  const UInt128 first = digits >= wanted ? size / static_cast<UInt128>(kPowersTable[digits - wanted])
                                         : size * static_cast<UInt128>(kPowersTable[wanted - digits]);
  leading.first_digit = static_cast<int32_t>(first);
  return leading;
}

Leading leading_of(const mpz_class& coefficient, int32_t scale) {
  if (sgn(coefficient) == 0) {
    return {};
  }
  const int32_t digits = digit_count(coefficient);
  int64_t wanted = 0;
  Leading leading = leading_from(digits, scale, wanted);
  const mpz_class size = abs(coefficient);
  const mpz_class first = digits >= wanted ? mpz_class(size / power_of_ten(static_cast<uint32_t>(digits - wanted)))
                                           : mpz_class(size * power_of_ten(static_cast<uint32_t>(wanted - digits)));
  leading.first_digit = static_cast<int32_t>(first.get_si());
  return leading;
}

int32_t select_divide_scale(Leading a, int32_t scale_a, Leading b, int32_t scale_b) {
  int32_t quotient_weight = a.weight - b.weight;
  if (a.first_digit <= b.first_digit) {
    --quotient_weight;
  }
  const int32_t wanted = kSignificantDigitsMin - quotient_weight * kDigitsPerGroup;
  return std::min(std::max({wanted, scale_a, scale_b, 0}), kResultScaleMax);
}

bool shift_left(Int128& value, int32_t digits) {
  if (digits == 0 || value == 0) {
    return true;
  }
  if (digits >= kPowers128) {
    return false;
  }
  // One bit of room is enough to compare without a 128-bit division.
  if (digit_count(value) + digits >= kPowers128) {
    return false;
  }
  static_assert(kPowersTable[kPowers128 - 1] < kInt128Max);
  value *= kPowersTable[digits];
  return true;
}

mpz_class divide_rounded(const mpz_class& numerator, const mpz_class& denominator) {
  mpz_class quotient;
  mpz_class remainder;
  mpz_tdiv_qr(quotient.get_mpz_t(), remainder.get_mpz_t(), numerator.get_mpz_t(), denominator.get_mpz_t());
  const mpz_class twice = 2 * abs(remainder);
  if (mpz_cmpabs(twice.get_mpz_t(), denominator.get_mpz_t()) >= 0) {
    quotient += sgn(numerator) * sgn(denominator);
  }
  return quotient;
}

void rescale(Decimal& value, int32_t scale) {
  if (scale > value.scale) {
    value.coefficient *= power_of_ten(static_cast<uint32_t>(scale - value.scale));
  } else if (scale < value.scale) {
    value.coefficient = divide_rounded(value.coefficient, power_of_ten(static_cast<uint32_t>(value.scale - scale)));
  }
  value.scale = scale;
}

void rescale_truncated(Decimal& value, int32_t scale) {
  if (scale >= value.scale) {
    rescale(value, scale);
    return;
  }
  value.coefficient /= power_of_ten(static_cast<uint32_t>(value.scale - scale));
  value.scale = scale;
}

int compare_finite(const Decimal& a, const Decimal& b) {
  if (a.scale == b.scale) {
    return cmp(a.coefficient, b.coefficient);
  }
  if (sgn(a.coefficient) != sgn(b.coefficient)) {
    return sgn(a.coefficient) - sgn(b.coefficient);
  }
  if (a.scale < b.scale) {
    return cmp(mpz_class(a.coefficient * power_of_ten(static_cast<uint32_t>(b.scale - a.scale))), b.coefficient);
  }
  return cmp(a.coefficient, mpz_class(b.coefficient * power_of_ten(static_cast<uint32_t>(a.scale - b.scale))));
}

Decimal divide_to_scale(const Decimal& a, const Decimal& b, int32_t result_scale) {
  // a / 10^sa / (b / 10^sb) * 10^r = a * 10^(r + sb - sa) / b
  const int32_t shift = result_scale + b.scale - a.scale;
  Decimal quotient;
  quotient.scale = result_scale;
  if (shift >= 0) {
    quotient.coefficient = divide_rounded(a.coefficient * power_of_ten(static_cast<uint32_t>(shift)), b.coefficient);
  } else {
    quotient.coefficient = divide_rounded(a.coefficient, b.coefficient * power_of_ten(static_cast<uint32_t>(-shift)));
  }
  return quotient;
}

double approximate_of(const Decimal& value) {
  if (!value.finite()) {
    return value.kind == Kind::kNan ? std::nan("") : value.kind == Kind::kInfinity ? HUGE_VAL : -HUGE_VAL;
  }
  long exponent = 0;
  const double mantissa = mpz_get_d_2exp(&exponent, value.coefficient.get_mpz_t());
  if (mantissa == 0) {
    return 0;
  }
  // Leave out what would overflow a double on the way: 10^-scale and 2^exponent may cancel.
  const double power = static_cast<double>(exponent) * std::log10(2.0) - value.scale;
  if (std::abs(power) < 300 && value.scale < 300 && exponent < 1000) {
    return std::ldexp(mantissa, static_cast<int>(exponent)) / std::pow(10.0, value.scale);
  }
  return mantissa * std::pow(10.0, power);
}

}  // namespace pando::types::numeric
