// The ordered form of numeric: a class byte, the decimal exponent, then digits two by two.
//
//   class     0x08 -Infinity, 0x10 negative, 0x18 zero, 0x20 positive, 0x28 Infinity, 0x30 NaN
//   exponent  e of 0.d1d2... * 10^e: one byte 128 + e for |e| <= 100, else 0x00 or 0xff and e + 2^23 in three bytes
//   digits    pairs 00..99 as 2 * pair + 1, the last as 2 * pair; no trailing zero pair
// Negative numbers complement exponent and digits.

#include "types/decimal.h"
#include "types/numeric.h"

namespace pando::types::numeric {
namespace {

enum Class : uint8_t {
  kMinusInfinityClass = 0x08,
  kNegativeClass = 0x10,
  kZeroClass = 0x18,
  kPositiveClass = 0x20,
  kInfinityClass = 0x28,
  kNanClass = 0x30,
};

constexpr int32_t kShortExponentMax = 100;
constexpr int32_t kShortExponentBias = 128;
constexpr int32_t kLongExponentBias = 1 << 23;
constexpr uint8_t kLongNegative = 0x00;
constexpr uint8_t kLongPositive = 0xff;

void append_exponent(Bytes& key, int32_t exponent) {
  if (exponent >= -kShortExponentMax && exponent <= kShortExponentMax) {
    key.push_back(static_cast<char>(kShortExponentBias + exponent));
    return;
  }
  const int32_t biased = exponent + kLongExponentBias;
  key.push_back(static_cast<char>(exponent < 0 ? kLongNegative : kLongPositive));
  key.push_back(static_cast<char>(biased >> 16));
  key.push_back(static_cast<char>(biased >> 8));
  key.push_back(static_cast<char>(biased));
}

void append_digits(Bytes& key, ByteView digits) {
  while (!digits.empty() && digits.back() == '0') {
    digits.remove_suffix(1);
  }
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = digits[i] - '0';
    const int low = i + 1 < digits.size() ? digits[i + 1] - '0' : 0;
    const int pair = high * 10 + low;
    key.push_back(static_cast<char>(2 * pair + (i + 2 < digits.size() ? 1 : 0)));
  }
}

Class class_of(Kind kind, int sign) {
  switch (kind) {
    case Kind::kNan:
      return kNanClass;
    case Kind::kInfinity:
      return kInfinityClass;
    case Kind::kMinusInfinity:
      return kMinusInfinityClass;
    case Kind::kFinite:
      break;
  }
  return sign == 0 ? kZeroClass : (sign > 0 ? kPositiveClass : kNegativeClass);
}

// One byte at the front of `key`, complemented by `mask`.
bool take(ByteView& key, uint8_t mask, uint8_t& byte) {
  if (key.empty()) {
    return false;
  }
  byte = static_cast<uint8_t>(key[0]) ^ mask;
  key.remove_prefix(1);
  return true;
}

bool take_exponent(ByteView& key, uint8_t mask, int32_t& exponent) {
  uint8_t first = 0;
  if (!take(key, mask, first)) {
    return false;
  }
  if (first != kLongNegative && first != kLongPositive) {
    exponent = first - kShortExponentBias;
    return true;
  }
  int32_t biased = 0;
  for (int i = 0; i < 3; ++i) {
    uint8_t byte = 0;
    if (!take(key, mask, byte)) {
      return false;
    }
    biased = (biased << 8) | byte;
  }
  exponent = biased - kLongExponentBias;
  return true;
}

bool take_digits(ByteView& key, uint8_t mask, Bytes& digits) {
  uint8_t byte = 1;
  while ((byte & 1) != 0) {
    if (!take(key, mask, byte) || byte / 2 > 99) {
      return false;
    }
    digits.push_back(static_cast<char>('0' + byte / 2 / 10));
    digits.push_back(static_cast<char>('0' + byte / 2 % 10));
  }
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
  }
  return true;
}

// The value of 0.digits * 10^exponent with the smallest scale.
bool rebuild(ByteView digits, int32_t exponent, bool negative, Bytes& value) {
  const auto count = static_cast<int32_t>(digits.size());
  if (count - exponent > kDisplayScaleMax || exponent > kDigitsBeforePointMax || count == 0) {
    return false;
  }
  Decimal decimal;
  decimal.coefficient = mpz_class(Bytes(digits), 10);
  decimal.scale = count - exponent;
  if (decimal.scale < 0) {
    rescale(decimal, 0);
  }
  if (negative) {
    decimal.coefficient = -decimal.coefficient;
  }
  return store(decimal, value).ok();
}

}  // namespace

void append_ordered(Bytes& key, ByteView value) {
  Small small;
  const bool is_small = load_small(value, small);
  const Decimal decimal = is_small ? Decimal() : load(value);
  const int sign = is_small ? (small.coefficient > 0 ? 1 : 0) - (small.coefficient < 0 ? 1 : 0) : decimal.sign();
  const Class kind = class_of(decimal.kind, sign);
  key.push_back(static_cast<char>(kind));
  if (kind != kPositiveClass && kind != kNegativeClass) {
    return;
  }
  const std::size_t start = key.size();
  char buffer[40];
  if (is_small) {
    auto rest = static_cast<unsigned __int128>(sign < 0 ? -small.coefficient : small.coefficient);
    char* place = buffer + sizeof(buffer);
    for (; rest > UINT64_MAX; rest /= 10) {
      *--place = static_cast<char>('0' + static_cast<int>(rest % 10));
    }
    for (auto low = static_cast<uint64_t>(rest); low != 0; low /= 10) {
      *--place = static_cast<char>('0' + low % 10);
    }
    const ByteView digits(place, static_cast<std::size_t>(buffer + sizeof(buffer) - place));
    append_exponent(key, static_cast<int32_t>(digits.size()) - small.scale);
    append_digits(key, digits);
  } else {
    const Bytes digits = mpz_class(abs(decimal.coefficient)).get_str();
    append_exponent(key, static_cast<int32_t>(digits.size()) - decimal.scale);
    append_digits(key, digits);
  }
  if (sign < 0) {
    for (std::size_t i = start; i < key.size(); ++i) {
      key[i] = static_cast<char>(~key[i]);
    }
  }
}

bool take_ordered(ByteView& key, bool descending, Bytes& value) {
  const uint8_t outer = descending ? 0xff : 0;
  ByteView rest = key;
  uint8_t kind = 0;
  if (!take(rest, outer, kind)) {
    return false;
  }
  switch (kind) {
    case kMinusInfinityClass:
      store_kind(Kind::kMinusInfinity, value);
      break;
    case kInfinityClass:
      store_kind(Kind::kInfinity, value);
      break;
    case kNanClass:
      store_kind(Kind::kNan, value);
      break;
    case kZeroClass:
      store_small(0, 0, value);
      break;
    case kPositiveClass:
    case kNegativeClass: {
      const bool negative = kind == kNegativeClass;
      const uint8_t mask = outer ^ (negative ? 0xff : 0);
      int32_t exponent = 0;
      Bytes digits;
      if (!take_exponent(rest, mask, exponent) || !take_digits(rest, mask, digits) ||
          !rebuild(digits, exponent, negative, value)) {
        return false;
      }
      break;
    }
    default:
      return false;
  }
  key = rest;
  return true;
}

}  // namespace pando::types::numeric
