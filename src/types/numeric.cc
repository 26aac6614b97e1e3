#include "types/numeric.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "types/compare.h"
#include "types/decimal.h"

namespace pando::types::numeric {
namespace {

constexpr int32_t kExponentMax = INT32_MAX / 2;
constexpr int kFloat64Digits = 15;
constexpr int kFloat32Digits = 6;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

ByteView trim(ByteView text) {
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

bool equals_lower(ByteView text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::optional<Kind> special_of(ByteView text) {
  if (equals_lower(text, "nan")) {
    return Kind::kNan;
  }
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    text.remove_prefix(1);
  }
  if (equals_lower(text, "infinity") || equals_lower(text, "inf")) {
    return negative ? Kind::kMinusInfinity : Kind::kInfinity;
  }
  return std::nullopt;
}

Status invalid(ByteView text) {
  return {sql_state::kInvalidTextRepresentation, "invalid input syntax for type numeric: \"{}\"", text};
}

struct ParsedText {
  bool negative = false;
  ByteView whole;
  ByteView fraction;
  int64_t exponent = 0;
};

// Splits [sign] digits [. digits] [e [sign] digits]; false when it is not that.
bool split(ByteView text, ParsedText& parts) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    parts.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const auto take_digits = [&text] {
    const auto end = std::ranges::find_if_not(text, is_digit);
    const ByteView digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(digits.size());
    return digits;
  };
  parts.whole = take_digits();
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    parts.fraction = take_digits();
  }
  if (parts.whole.empty() && parts.fraction.empty()) {
    return false;
  }
  if (text.empty()) {
    return true;
  }
  if (text[0] != 'e' && text[0] != 'E') {
    return false;
  }
  text.remove_prefix(1);
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    text.remove_prefix(1);
  }
  const ByteView digits = take_digits();
  if (digits.empty() || !text.empty()) {
    return false;
  }
  for (const char c : digits) {
    parts.exponent = std::min<int64_t>(parts.exponent * 10 + (c - '0'), kExponentMax);
  }
  parts.exponent = negative ? -parts.exponent : parts.exponent;
  return true;
}

Result<Bytes> build(const ParsedText& parts) {
  Bytes out;
  const auto digits = parts.whole.size() + parts.fraction.size();
  if (parts.exponent == 0 && digits < kPowers128 && digits > 0) {
    Int128 value = 0;
    for (const char c : parts.whole) {
      value = value * 10 + (c - '0');
    }
    for (const char c : parts.fraction) {
      value = value * 10 + (c - '0');
    }
    store_small(parts.negative ? -value : value, static_cast<int32_t>(parts.fraction.size()), out);
    return out;
  }
  if (std::abs(parts.exponent) >= kExponentMax) {
    return overflow();
  }
  Bytes all(parts.whole);
  all.append(parts.fraction);
  const auto zeros = std::min(all.find_first_not_of('0'), all.size());
  const int64_t significant = static_cast<int64_t>(all.size() - zeros);
  const int64_t scale = static_cast<int64_t>(parts.fraction.size()) - parts.exponent;
  if (scale > kDisplayScaleMax || (significant > 0 && significant - scale > kDigitsBeforePointMax)) {
    return overflow();
  }
  Decimal value;
  value.coefficient = significant == 0 ? mpz_class(0) : mpz_class(all.substr(zeros), 10);
  if (parts.negative) {
    value.coefficient = -value.coefficient;
  }
  value.scale = static_cast<int32_t>(std::max<int64_t>(scale, 0));
  if (scale < 0) {
    value.coefficient *= power_of_ten(static_cast<uint32_t>(-scale));
  }
  PANDO_TRY(store(value, out));
  return out;
}

// Places a point `scale` digits from the end of `digits`.
void print_digits(bool negative, ByteView digits, int32_t scale, Bytes& out) {
  if (negative) {
    out.push_back('-');
  }
  const auto count = static_cast<int32_t>(digits.size());
  if (count > scale) {
    out.append(digits.substr(0, static_cast<std::size_t>(count - scale)));
  } else {
    out.push_back('0');
  }
  if (scale == 0) {
    return;
  }
  out.push_back('.');
  if (count < scale) {
    out.append(static_cast<std::size_t>(scale - count), '0');
    out.append(digits);
  } else {
    out.append(digits.substr(static_cast<std::size_t>(count - scale)));
  }
}

// Decimal digits of a magnitude at the end of `buffer`.
ByteView digits_of(unsigned __int128 value, char (&buffer)[40]) {
  char* end = buffer + sizeof(buffer);
  char* place = end;
  constexpr uint64_t kChunk = 10'000'000'000'000'000'000U;
  while (value > UINT64_MAX) {
    auto low = static_cast<uint64_t>(value % kChunk);
    value /= kChunk;
    for (int i = 0; i < 19; ++i) {
      *--place = static_cast<char>('0' + low % 10);
      low /= 10;
    }
  }
  auto rest = static_cast<uint64_t>(value);
  while (rest != 0) {
    *--place = static_cast<char>('0' + rest % 10);
    rest /= 10;
  }
  return {place, static_cast<std::size_t>(end - place)};
}

template <typename T>
Result<T> to_integer(ByteView value, std::string_view name) {
  if (is_special(value)) {
    return Status(sql_state::kFeatureNotSupported, "cannot convert {} to {}", is_nan(value) ? "NaN" : "infinity", name);
  }
  Bytes rounded;
  round(value, 0, rounded);
  Small small;
  if (!load_small(rounded, small) || small.coefficient < std::numeric_limits<T>::min() ||
      small.coefficient > std::numeric_limits<T>::max()) {
    return Status(sql_state::kNumericValueOutOfRange, "{} out of range", name);
  }
  return static_cast<T>(small.coefficient);
}

template <typename T>
Result<T> to_float(ByteView value, std::string_view name) {
  if (is_special(value)) {
    const T infinity = std::numeric_limits<T>::infinity();
    return is_nan(value) ? std::numeric_limits<T>::quiet_NaN() : (sign_of(value) > 0 ? infinity : -infinity);
  }
  Bytes text;
  print(value, text);
  T result = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), result);
  if (parsed.ec == std::errc::result_out_of_range) {
    return Status(sql_state::kNumericValueOutOfRange, "\"{}\" is out of range for type {}", text, name);
  }
  return result;
}

Bytes from_float(double value, int digits) {
  Bytes out;
  if (std::isnan(value) || std::isinf(value)) {
    store_kind(std::isnan(value) ? Kind::kNan : (value > 0 ? Kind::kInfinity : Kind::kMinusInfinity), out);
    return out;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::general, digits);
  return *parse({buffer, static_cast<std::size_t>(end.ptr - buffer)});
}

}  // namespace

Result<Bytes> parse(ByteView text) {
  const ByteView trimmed = trim(text);
  ParsedText parts;
  if (split(trimmed, parts)) {
    return build(parts);
  }
  if (const auto kind = special_of(trimmed)) {
    Bytes out;
    store_kind(*kind, out);
    return out;
  }
  return invalid(text);
}

void print(ByteView value, Bytes& out) {
  Small small;
  if (load_small(value, small)) {
    char buffer[40];
    const bool negative = small.coefficient < 0;
    const auto size = static_cast<unsigned __int128>(negative ? -small.coefficient : small.coefficient);
    print_digits(negative, digits_of(size, buffer), small.scale, out);
    return;
  }
  const Decimal decimal = load(value);
  if (!decimal.finite()) {
    out.append(decimal.kind == Kind::kNan ? "NaN" : (decimal.kind == Kind::kInfinity ? "Infinity" : "-Infinity"));
    return;
  }
  const mpz_class size = abs(decimal.coefficient);
  print_digits(sgn(decimal.coefficient) < 0, size.get_str(), decimal.scale, out);
}

void print_scientific(ByteView value, int32_t scale, Bytes& out) {
  Decimal decimal = load(value);
  if (!decimal.finite()) {
    print(value, out);
    return;
  }
  int32_t exponent = sgn(decimal.coefficient) == 0 ? 0 : digit_count(decimal.coefficient) - 1 - decimal.scale;
  // Treat the value as coefficient / 10^(scale + exponent), and round that to `scale` digits.
  const bool negative = sgn(decimal.coefficient) < 0;
  Decimal significand = decimal;
  significand.coefficient = abs(decimal.coefficient);
  significand.scale = decimal.scale + exponent;
  if (significand.scale < 0) {
    significand.coefficient *= power_of_ten(static_cast<uint32_t>(-significand.scale));
    significand.scale = 0;
  }
  rescale(significand, scale);
  if (digit_count(significand.coefficient) > scale + 1) {
    ++exponent;
    significand.coefficient /= 10;
  }
  const Bytes digits = sgn(significand.coefficient) == 0 ? Bytes() : significand.coefficient.get_str();
  print_digits(negative, digits, scale, out);
  out.append(fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent)));
}

Status apply_modifier(ByteView value, int32_t modifier, Bytes& out) {
  if (modifier < kModifierHeader) {
    out = Bytes(value);
    return {};
  }
  const auto [precision, scale] = numeric_modifier(modifier);
  if (is_nan(value)) {
    out = Bytes(value);
    return {};
  }
  if (is_special(value)) {
    return Status(sql_state::kNumericValueOutOfRange, "numeric field overflow")
        .with_detail(
            fmt::format("A field with precision {}, scale {} cannot hold an infinite value.", precision, scale));
  }
  Bytes rounded;
  round(value, scale, rounded);
  const int32_t whole_digits_max = precision - scale;
  Small small;
  int32_t whole_digits = 0;
  bool zero = false;
  if (load_small(rounded, small)) {
    zero = small.coefficient == 0;
    whole_digits = digit_count(small.coefficient) - small.scale;
  } else {
    const Decimal decimal = load(rounded);
    whole_digits = digit_count(decimal.coefficient) - decimal.scale;
  }
  if (!zero && whole_digits > whole_digits_max) {
    const std::string limit = whole_digits_max != 0 ? fmt::format("10^{}", whole_digits_max) : "1";
    return Status(sql_state::kNumericValueOutOfRange, "numeric field overflow")
        .with_detail(fmt::format("A field with precision {}, scale {} must round to an absolute value less than {}.",
                                 precision, scale, limit));
  }
  out = std::move(rounded);
  return {};
}

Bytes from_int64(int64_t value) { return from_int128(value); }
Bytes from_int128(Int128 value, int32_t scale) {
  Bytes out;
  store_small(value, scale, out);
  return out;
}
Bytes from_float64(double value) { return from_float(value, kFloat64Digits); }
Bytes from_float32(float value) { return from_float(value, kFloat32Digits); }
Result<int16_t> to_int16(ByteView value) { return to_integer<int16_t>(value, "smallint"); }
Result<int32_t> to_int32(ByteView value) { return to_integer<int32_t>(value, "integer"); }
Result<int64_t> to_int64(ByteView value) { return to_integer<int64_t>(value, "bigint"); }
Result<double> to_float64(ByteView value) { return to_float<double>(value, "double precision"); }
Result<float> to_float32(ByteView value) { return to_float<float>(value, "real"); }

double approximate(ByteView value) {
  Small small;
  if (load_small(value, small)) {
    return static_cast<double>(small.coefficient) / std::pow(10.0, small.scale);
  }
  return approximate_of(load(value));
}

bool is_nan(ByteView value) { return kind_of(value) == Kind::kNan; }
bool is_infinite(ByteView value) { return is_special(value) && !is_nan(value); }

int sign_of(ByteView value) {
  Small small;
  if (load_small(value, small)) {
    return (small.coefficient > 0 ? 1 : 0) - (small.coefficient < 0 ? 1 : 0);
  }
  return load(value).sign();
}

std::strong_ordering compare(ByteView a, ByteView b) {
  Small left;
  Small right;
  if (load_small(a, left) && load_small(b, right)) {
    if (left.scale == right.scale) {
      return left.coefficient <=> right.coefficient;
    }
    const int32_t scale = std::max(left.scale, right.scale);
    if (shift_left(left.coefficient, scale - left.scale) && shift_left(right.coefficient, scale - right.scale)) {
      return left.coefficient <=> right.coefficient;
    }
  }
  const Decimal x = load(a);
  const Decimal y = load(b);
  if (x.finite() && y.finite()) {
    return compare_finite(x, y) <=> 0;
  }
  const auto rank = [](const Decimal& value) {
    return value.kind == Kind::kMinusInfinity ? 0 : (value.finite() ? 1 : (value.kind == Kind::kInfinity ? 2 : 3));
  };
  return rank(x) <=> rank(y);
}

uint64_t hash(ByteView value) {
  if (is_special(value)) {
    return mix_hash(static_cast<uint8_t>(value[0]));
  }
  Bytes trimmed;
  trim_scale(value, trimmed);
  // An integer may still end in zeros; its digits do not depend on how it was written, so its bytes may be hashed.
  return hash_of_bytes(trimmed);
}

std::optional<int32_t> scale(ByteView value) {
  if (is_special(value)) {
    return std::nullopt;
  }
  Small small;
  return load_small(value, small) ? small.scale : load(value).scale;
}

std::optional<int32_t> min_scale(ByteView value) {
  if (is_special(value)) {
    return std::nullopt;
  }
  Bytes trimmed;
  trim_scale(value, trimmed);
  return scale(trimmed);
}

}  // namespace pando::types::numeric
