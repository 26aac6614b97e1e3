#pragma once

// numeric: exact decimals, digit for digit as PostgreSQL 15.
//
// Packed form (what a kBytes vector or Value of type numeric holds):
//   [display scale: 1 byte below 0xf0, or 0xf0 and 2 bytes] [coefficient: two's complement, little-endian, as few
//   bytes as possible, none for zero]          value = coefficient / 10^scale
//   0xfd = -Infinity, 0xfe = Infinity, 0xff = NaN (one byte)
// Equal values of different scale (1.0, 1.00) are different bytes: compare with compare(). Coefficients below 2^127
// are computed in machine integers, larger ones with GMP. docs/formats/rows.md has the layout.
//
// Functions take packed views and assign `out`; `out` may own the argument's bytes. Errors are PostgreSQL's. Pure.

#include <compare>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/status.h"
#include "types/type.h"

namespace pando::types::numeric {

using Int128 = __int128;

// PostgreSQL's limits.
inline constexpr int32_t kDisplayScaleMax = 16383;
inline constexpr int32_t kDigitsBeforePointMax = 131072;

// --- text, modifiers ---
Result<Bytes> parse(ByteView text);
void print(ByteView value, Bytes& out);
// "1.23e+05" as to_char EEEE needs it, with `scale` digits after the point.
void print_scientific(ByteView value, int32_t scale, Bytes& out);
// numeric(p,s): rounds, or 22003 'numeric field overflow' with its detail. kNoModifier changes nothing.
Status apply_modifier(ByteView value, int32_t modifier, Bytes& out);

// --- conversions ---
Bytes from_int64(int64_t value);
Bytes from_int128(Int128 value, int32_t scale = 0);
// As float8::numeric: 15 significant digits; float4: 6.
Bytes from_float64(double value);
Bytes from_float32(float value);
Result<int16_t> to_int16(ByteView value);
Result<int32_t> to_int32(ByteView value);
Result<int64_t> to_int64(ByteView value);
// 22003 '"1e400" is out of range for type double precision'.
Result<double> to_float64(ByteView value);
Result<float> to_float32(ByteView value);
// For estimates: never an error.
double approximate(ByteView value);

// --- facts ---
bool is_nan(ByteView value);
bool is_infinite(ByteView value);
inline bool is_special(ByteView value) { return value.size() == 1 && static_cast<uint8_t>(value[0]) >= 0xfd; }
// -1, 0 or 1; 0 for NaN.
int sign_of(ByteView value);
// NaN is greater than everything and equal to itself.
std::strong_ordering compare(ByteView a, ByteView b);
// Equal for equal values of any scale.
uint64_t hash(ByteView value);
// nullopt for NaN and infinities.
std::optional<int32_t> scale(ByteView value);
std::optional<int32_t> min_scale(ByteView value);

// --- arithmetic ---
Status add(ByteView a, ByteView b, Bytes& out);
Status subtract(ByteView a, ByteView b, Bytes& out);
Status multiply(ByteView a, ByteView b, Bytes& out);
Status divide(ByteView a, ByteView b, Bytes& out);            // 22012
Status divide_truncated(ByteView a, ByteView b, Bytes& out);  // div()
Status modulo(ByteView a, ByteView b, Bytes& out);
Status gcd(ByteView a, ByteView b, Bytes& out);
Status lcm(ByteView a, ByteView b, Bytes& out);
Status power(ByteView base, ByteView exponent, Bytes& out);
Status exp(ByteView value, Bytes& out);
Status ln(ByteView value, Bytes& out);
Status log(ByteView base, ByteView value, Bytes& out);
Status log10(ByteView value, Bytes& out);
Status sqrt(ByteView value, Bytes& out);
Status factorial(int64_t value, Bytes& out);
void negate(ByteView value, Bytes& out);
void absolute(ByteView value, Bytes& out);
void sign(ByteView value, Bytes& out);
// Half away from zero, to `scale` digits after the point (negative: before it).
void round(ByteView value, int32_t scale, Bytes& out);
void truncate(ByteView value, int32_t scale, Bytes& out);
void ceil(ByteView value, Bytes& out);
void floor(ByteView value, Bytes& out);
void trim_scale(ByteView value, Bytes& out);
Status increment(ByteView value, Bytes& out);
Result<int32_t> width_bucket(ByteView operand, ByteView low, ByteView high, int32_t count);

// --- keys: bytes whose order is compare()'s. Equal values give equal keys, so the scale is lost: decoding gives the
// smallest one. ---
void append_ordered(Bytes& key, ByteView value);
// Reads at the front of `key` and consumes it; false when malformed. `descending` undoes complement_from().
bool take_ordered(ByteView& key, bool descending, Bytes& value);

// --- aggregates ---
// Adds int64, int128 or packed numerics; exact. 48 bytes plus what GMP needs when sums leave 128 bits.
class Sum {
 public:
  Sum() = default;
  Sum(const Sum& other);
  Sum& operator=(const Sum& other);
  Sum(Sum&& other) noexcept;
  Sum& operator=(Sum&& other) noexcept;
  ~Sum();

  void add_int64(int64_t value);
  void add(ByteView value);
  void remove(ByteView value);
  void combine(const Sum& other);
  int64_t count() const { return count_; }
  // The sum, or NaN or an infinity. REQUIRES: count() > 0.
  Status sum(Bytes& out) const;
  Status average(Bytes& out) const;
  std::size_t memory_bytes() const;
  // Appends all of it as bytes, and becomes what was saved: false for bytes that are no sum.
  void save(Bytes& out) const;
  bool restore(ByteReader& reader);

 private:
  struct Big;
  void add_packed(ByteView value, bool negative);
  void spill();

  int64_t count_ = 0;
  int64_t nan_count_ = 0;
  int64_t positive_infinities_ = 0;
  int64_t negative_infinities_ = 0;
  int32_t scale_ = 0;  // of `small_`, and the largest scale seen
  Int128 small_ = 0;
  Big* big_ = nullptr;  // at scale_, added to small_
};

// What sum, average, variance and standard deviation of numerics (and integers) need: N, sum X, sum X*X.
class Moments {
 public:
  void add(ByteView value);
  void combine(const Moments& other);
  int64_t count() const { return sum_.count(); }
  // nullopt is SQL NULL: too few values.
  Result<std::optional<Bytes>> variance(bool sample) const;
  Result<std::optional<Bytes>> deviation(bool sample) const;
  std::size_t memory_bytes() const { return sum_.memory_bytes() + squares_.memory_bytes(); }

 private:
  Result<std::optional<Bytes>> compute(bool sample, bool root) const;
  Sum sum_;
  Sum squares_;
};

}  // namespace pando::types::numeric
