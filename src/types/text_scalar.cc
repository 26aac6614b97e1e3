// Text forms of booleans, integers, floats, bytea and uuid.

#include <charconv>
#include <cmath>
#include <cstring>

#include <gmpxx.h>

#include "types/text_io.h"

namespace pando::types {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr int kFloat64Digits = 15;
constexpr int kFloat32Digits = 6;
// Shorter exponents print without one.
constexpr int kFixedExponentMin = -4;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

ByteView trim(ByteView text) {
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

Status invalid_syntax(std::string_view type_name, ByteView text) {
  return {sql_state::kInvalidTextRepresentation, "invalid input syntax for type {}: \"{}\"", type_name, text};
}

template <typename T>
void print_integer(T value, Bytes& out) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out.append(buffer, static_cast<std::size_t>(end.ptr - buffer));
}

template <typename T>
Result<T> parse_integer(ByteView text, std::string_view type_name) {
  ByteView digits = trim(text);
  if (!digits.empty() && digits[0] == '+') {
    digits.remove_prefix(1);
    if (!digits.empty() && digits[0] == '-') {
      return invalid_syntax(type_name, text);
    }
  }
  T value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  // What comes after too large a number is not looked at.
  if (parsed.ec == std::errc::result_out_of_range) {
    return Status(sql_state::kNumericValueOutOfRange, "value \"{}\" is out of range for type {}", text, type_name);
  }
  if (parsed.ec == std::errc::invalid_argument || parsed.ptr != digits.data() + digits.size()) {
    return invalid_syntax(type_name, text);
  }
  return value;
}

// Whether `digits` * 10^`exponent` lies exactly half way between `value` and a neighbour.
template <typename T>
bool is_half_way(T value, uint64_t digits, int exponent) {
  int binary_exponent = 0;
  constexpr int kBits = std::numeric_limits<T>::digits;
  const auto mantissa = static_cast<uint64_t>(std::ldexp(std::frexp(std::fabs(value), &binary_exponent), kBits));
  binary_exponent -= kBits;
  // In quarters of a unit in the last place; below a power of two the neighbour is half as far.
  const mpz_class upper = mpz_class(mantissa) * 4 + 2;
  const mpz_class lower = mpz_class(mantissa) * 4 - (mantissa == uint64_t{1} << (kBits - 1) ? 1 : 2);
  mpz_class scale;
  mpz_ui_pow_ui(scale.get_mpz_t(), 10, static_cast<unsigned long>(std::abs(exponent)));
  mpz_class decimal(digits);
  mpz_class unit(1);
  (exponent >= 0 ? decimal : unit) *= scale;
  const int shift = binary_exponent - 2;
  mpz_class& shifted = shift >= 0 ? unit : decimal;
  mpz_mul_2exp(shifted.get_mpz_t(), shifted.get_mpz_t(), static_cast<mp_bitcnt_t>(std::abs(shift)));
  return decimal == upper * unit || decimal == lower * unit;
}

// Shortest digits that read back the same, in scientific form. The standard library takes digits half way to a
// neighbour when reading rounds them to the even side; PostgreSQL takes only digits that lie inside.
template <typename T>
ByteView shortest_digits(T value, char (&buffer)[40]) {
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const ByteView text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  const auto e = text.find('e');
  uint64_t digits = 0;
  int exponent = 0;
  int count = 0;
  for (const char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') {
      digits = digits * 10 + static_cast<uint64_t>(c - '0');
      ++count;
    }
  }
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), end.ptr, exponent);
  exponent -= count - 1;
  // Half-way points have one bit more than T: few decimals can be one.
  constexpr int kExponentMax = 23;
  const bool candidate = exponent > kExponentMax ? false
                         : exponent >= 0         ? exponent + count >= std::numeric_limits<T>::digits10
                                                 : digits % 5 == 0 && digits >> std::numeric_limits<T>::digits != 0;
  if (!candidate || !is_half_way(value, digits, exponent)) {
    return text;
  }
  for (int precision = count; precision < std::numeric_limits<T>::max_digits10; ++precision) {
    char longer[40];
    const auto stop = std::to_chars(longer, longer + sizeof(longer), value, std::chars_format::scientific, precision);
    T back = 0;
    std::from_chars(longer, stop.ptr, back);
    const ByteView found(longer, static_cast<std::size_t>(stop.ptr - longer));
    // With a zero at its end it is still what was found to be half way.
    if (back == value && found[found.find('e') - 1] != '0') {
      std::memcpy(buffer, longer, found.size());
      return {buffer, found.size()};
    }
  }
  return text;
}

// PostgreSQL's layout of the shortest digits: an exponent only below 1e-04 or from 10^`fixed_digits` on.
template <typename T>
void print_shortest(T value, int fixed_digits, Bytes& out) {
  char scientific[40];
  const ByteView text = shortest_digits(value, scientific);
  const auto e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  if (exponent < kFixedExponentMin || exponent >= fixed_digits) {
    out.append(text);
    return;
  }
  ByteView mantissa = text.substr(0, e);
  if (mantissa[0] == '-') {
    out.push_back('-');
    mantissa.remove_prefix(1);
  }
  char digits[24];
  std::size_t count = 0;
  for (const char c : mantissa) {
    if (c != '.') {
      digits[count++] = c;
    }
  }
  if (exponent < 0) {
    out.append("0.");
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    out.append(digits, count);
    return;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (count <= whole) {
    out.append(digits, count);
    out.append(whole - count, '0');
    return;
  }
  out.append(digits, whole);
  out.push_back('.');
  out.append(digits + whole, count - whole);
}

template <typename T>
void print_float(T value, int32_t extra_float_digits, int digits, Bytes& out) {
  if (std::isnan(value)) {
    out.append("NaN");
    return;
  }
  if (std::isinf(value)) {
    out.append(value > 0 ? "Infinity" : "-Infinity");
    return;
  }
  if (extra_float_digits > 0) {
    if (value == 0) {
      out.append(std::signbit(value) ? "-0" : "0");
      return;
    }
    print_shortest(value, digits, out);
    return;
  }
  char buffer[40];
  const int precision = std::max(digits + extra_float_digits, 1);
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), static_cast<double>(value), std::chars_format::general, precision);
  out.append(buffer, static_cast<std::size_t>(end.ptr - buffer));
}

template <typename T>
bool special_float(ByteView text, bool negative, T& value) {
  Bytes word(text);
  for (char& c : word) {
    c = lower(c);
  }
  if (word == "nan") {
    value = std::numeric_limits<T>::quiet_NaN();
    return true;
  }
  if (word == "inf" || word == "infinity") {
    value = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    return true;
  }
  return false;
}

template <typename T>
Result<T> parse_float(ByteView text, std::string_view type_name) {
  const ByteView number = trim(text);
  ByteView unsigned_part = number;
  bool negative = false;
  if (!number.empty() && (number[0] == '-' || number[0] == '+')) {
    negative = number[0] == '-';
    unsigned_part.remove_prefix(1);
  }
  T value = 0;
  const bool signed_again = !unsigned_part.empty() && (unsigned_part[0] == '-' || unsigned_part[0] == '+');
  if (unsigned_part.empty() || signed_again) {
    return invalid_syntax(type_name, text);
  }
  if (special_float(unsigned_part, negative, value)) {
    return value;
  }
  auto format = std::chars_format::general;
  if (unsigned_part.size() > 2 && unsigned_part[0] == '0' && lower(unsigned_part[1]) == 'x') {
    format = std::chars_format::hex;
    unsigned_part.remove_prefix(2);
  }
  const char* const end = unsigned_part.data() + unsigned_part.size();
  const auto parsed = std::from_chars(unsigned_part.data(), end, value, format);
  if (parsed.ec == std::errc::result_out_of_range) {
    return Status(sql_state::kNumericValueOutOfRange, "\"{}\" is out of range for type {}", number, type_name);
  }
  if (parsed.ec == std::errc::invalid_argument || parsed.ptr != end || std::isnan(value) || std::isinf(value)) {
    return invalid_syntax(type_name, text);
  }
  return negative ? -value : value;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

Result<Bytes> parse_hex_bytea(ByteView digits) {
  Bytes out;
  out.reserve(digits.size() / 2);
  std::size_t i = 0;
  while (i < digits.size()) {
    if (is_space(digits[i])) {
      ++i;
      continue;
    }
    for (std::size_t at = i; at < std::min(i + 2, digits.size()); ++at) {
      if (hex_value(digits[at]) < 0) {
        return Status(sql_state::kInvalidParameterValue, "invalid hexadecimal digit: \"{}\"", digits.substr(at, 1));
      }
    }
    if (i + 1 == digits.size()) {
      return Status(sql_state::kInvalidParameterValue, "invalid hexadecimal data: odd number of digits");
    }
    out.push_back(static_cast<char>(hex_value(digits[i]) << 4 | hex_value(digits[i + 1])));
    i += 2;
  }
  return out;
}

bool is_octal(char c, char max) { return c >= '0' && c <= max; }

}  // namespace

void print_int16(int16_t value, Bytes& out) { print_integer(value, out); }
void print_int32(int32_t value, Bytes& out) { print_integer(value, out); }
void print_int64(int64_t value, Bytes& out) { print_integer(value, out); }

void print_float32(float value, int32_t extra_float_digits, Bytes& out) {
  print_float(value, extra_float_digits, kFloat32Digits, out);
}
void print_float64(double value, int32_t extra_float_digits, Bytes& out) {
  print_float(value, extra_float_digits, kFloat64Digits, out);
}

void print_bytea(ByteView value, ByteaOutput style, Bytes& out) {
  if (style == ByteaOutput::kHex) {
    out.append("\\x");
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back(kHexDigits[byte >> 4]);
      out.push_back(kHexDigits[byte & 15]);
    }
    return;
  }
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      out.append("\\\\");
    } else if (byte < 0x20 || byte > 0x7e) {
      out.push_back('\\');
      out.push_back(static_cast<char>('0' + (byte >> 6)));
      out.push_back(static_cast<char>('0' + ((byte >> 3) & 7)));
      out.push_back(static_cast<char>('0' + (byte & 7)));
    } else {
      out.push_back(c);
    }
  }
}

void print_uuid(const Uuid& value, Bytes& out) {
  for (std::size_t i = 0; i < sizeof(value.bytes); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      out.push_back('-');
    }
    out.push_back(kHexDigits[value.bytes[i] >> 4]);
    out.push_back(kHexDigits[value.bytes[i] & 15]);
  }
}

Result<bool> parse_bool(ByteView text) {
  Bytes word(trim(text));
  for (char& c : word) {
    c = lower(c);
  }
  const auto is_prefix_of = [&word](std::string_view whole, std::size_t shortest) {
    return word.size() >= shortest && whole.starts_with(word);
  };
  if (is_prefix_of("true", 1) || is_prefix_of("yes", 1) || word == "on" || word == "1") {
    return true;
  }
  if (is_prefix_of("false", 1) || is_prefix_of("no", 1) || is_prefix_of("off", 2) || word == "0") {
    return false;
  }
  return invalid_syntax("boolean", text);
}

Result<int16_t> parse_int16(ByteView text) { return parse_integer<int16_t>(text, "smallint"); }
Result<int32_t> parse_int32(ByteView text) { return parse_integer<int32_t>(text, "integer"); }
Result<int64_t> parse_int64(ByteView text) { return parse_integer<int64_t>(text, "bigint"); }

Result<uint32_t> parse_oid(ByteView text, std::string_view type_name) {
  const auto wide = parse_integer<int64_t>(text, type_name);
  if (!wide.ok()) {
    return wide.status();
  }
  // As strtoul() does, negative numbers of 32 bits wrap around.
  if (*wide > UINT32_MAX || *wide < INT32_MIN) {
    return Status(sql_state::kNumericValueOutOfRange, "value \"{}\" is out of range for type {}", text, type_name);
  }
  return static_cast<uint32_t>(*wide);
}

Result<float> parse_float32(ByteView text) { return parse_float<float>(text, "real"); }
Result<double> parse_float64(ByteView text) { return parse_float<double>(text, "double precision"); }

Result<Bytes> parse_bytea(ByteView text) {
  if (text.starts_with("\\x")) {
    return parse_hex_bytea(text.substr(2));
  }
  Bytes out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '\\') {
      out.push_back('\\');
      ++i;
      continue;
    }
    const bool octal =
        i + 3 < text.size() && is_octal(text[i + 1], '3') && is_octal(text[i + 2], '7') && is_octal(text[i + 3], '7');
    if (!octal) {
      return Status(sql_state::kInvalidTextRepresentation, "invalid input syntax for type {}", "bytea");
    }
    out.push_back(static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0')));
    i += 3;
  }
  return out;
}

Result<Uuid> parse_uuid(ByteView text) {
  ByteView rest = text;
  const bool braces = !rest.empty() && rest[0] == '{';
  if (braces) {
    rest.remove_prefix(1);
  }
  Uuid uuid;
  for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
    if (rest.size() < 2 || hex_value(rest[0]) < 0 || hex_value(rest[1]) < 0) {
      return invalid_syntax("uuid", text);
    }
    uuid.bytes[i] = static_cast<uint8_t>(hex_value(rest[0]) << 4 | hex_value(rest[1]));
    rest.remove_prefix(2);
    if (!rest.empty() && rest[0] == '-' && i % 2 == 1 && i < sizeof(uuid.bytes) - 1) {
      rest.remove_prefix(1);
    }
  }
  if (braces ? rest != "}" : !rest.empty()) {
    return invalid_syntax("uuid", text);
  }
  return uuid;
}

}  // namespace pando::types
