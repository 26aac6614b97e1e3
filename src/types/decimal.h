#pragma once

// Decimal: a numeric taken apart, and the packed form's codec. Internal to numeric_*.cc.
//
// A finite value is coefficient / 10^scale. Small is the same with a machine integer, for the fast paths.

#include <cstdint>

#include <gmpxx.h>

#include "base/bytes.h"
#include "base/status.h"
#include "types/numeric.h"

namespace pando::types::numeric {

enum class Kind : uint8_t { kFinite, kNan, kInfinity, kMinusInfinity };

inline constexpr uint8_t kMinusInfinityByte = 0xfd;
inline constexpr uint8_t kInfinityByte = 0xfe;
inline constexpr uint8_t kNanByte = 0xff;
// Scales from here on take two more bytes.
inline constexpr uint8_t kWideScaleByte = 0xf0;

struct Small {
  Int128 coefficient = 0;
  int32_t scale = 0;
};

struct Decimal {
  Kind kind = Kind::kFinite;
  mpz_class coefficient;
  int32_t scale = 0;

  bool finite() const { return kind == Kind::kFinite; }
  int sign() const {
    return finite() ? sgn(coefficient) : (kind == Kind::kInfinity ? 1 : (kind == Kind::kMinusInfinity ? -1 : 0));
  }
  bool is_integral() const;
};

// What PostgreSQL's select_div_scale and its kin look at: the number's first base-10000 digit and its position.
struct Leading {
  int32_t weight = 0;
  int32_t first_digit = 0;
};

// 10^0 .. 10^38.
inline constexpr int kPowers128 = 39;
extern const Int128 kPowersOfTen[kPowers128];
mpz_class power_of_ten(uint32_t exponent);
// Decimal digits of |value|; 0 has none.
int32_t digit_count(Int128 value);
int32_t digit_count(const mpz_class& value);

// --- codec ---
Kind kind_of(ByteView value);
// False when it is special or its coefficient exceeds 128 bits.
bool load_small(ByteView value, Small& small);
Decimal load(ByteView value);
mpz_class to_mpz(Int128 value);
bool fits_int128(const mpz_class& value, Int128& out);
// Append nothing before: assign `out`. `store` gives 22003 'value overflows numeric format' beyond the limits.
void store_small(Int128 coefficient, int32_t scale, Bytes& out);
void store_kind(Kind kind, Bytes& out);
Status store(const Decimal& value, Bytes& out);
Status overflow();

// --- scales and rounding ---
Leading leading_of(Int128 coefficient, int32_t scale);
Leading leading_of(const mpz_class& coefficient, int32_t scale);
int32_t select_divide_scale(Leading a, int32_t scale_a, Leading b, int32_t scale_b);
// Multiplies by 10^digits if that fits 128 bits.
bool shift_left(Int128& value, int32_t digits);
// value / 10^digits, half away from zero.
mpz_class divide_rounded(const mpz_class& numerator, const mpz_class& denominator);
// Changes the scale of a finite value, rounding half away from zero or cutting.
void rescale(Decimal& value, int32_t scale);
void rescale_truncated(Decimal& value, int32_t scale);
int compare_finite(const Decimal& a, const Decimal& b);

// --- functions on finite values, result at `result_scale` (may be any scale >= 0) ---
// Quotient rounded half away from zero. REQUIRES: b is not zero.
Decimal divide_to_scale(const Decimal& a, const Decimal& b, int32_t result_scale);
Decimal exp_to_scale(const Decimal& x, int32_t result_scale, bool& overflowed);
// REQUIRES: x > 0.
Decimal ln_to_scale(const Decimal& x, int32_t result_scale);
Decimal sqrt_to_scale(const Decimal& x, int32_t result_scale);
double approximate_of(const Decimal& value);

// PostgreSQL's limits on scales that functions choose.
inline constexpr int32_t kDigitsPerGroup = 4;
inline constexpr int32_t kSignificantDigitsMin = 16;
inline constexpr int32_t kResultScaleMax = 1000;

}  // namespace pando::types::numeric
