#include "types/binary_numeric.h"

#include <algorithm>
#include <vector>

#include "types/numeric.h"
#include "types/wire_reader.h"

namespace pando::types {
namespace {

constexpr uint16_t kPositive = 0x0000;
constexpr uint16_t kNegative = 0x4000;
constexpr uint16_t kNan = 0xc000;
constexpr uint16_t kInfinity = 0xd000;
constexpr uint16_t kMinusInfinity = 0xf000;
constexpr int kGroupDigits = 4;
constexpr int kGroupBase = 10000;
constexpr uint16_t kScaleMask = 0x3fff;
// What PostgreSQL sends as the scale of infinities.
constexpr uint16_t kInfinityScale = 0x20;

Status invalid(std::string_view what) {
  return {sql_state::kInvalidBinaryRepresentation, "invalid {} in external \"numeric\" value", what};
}

// The decimal text of digit groups, the first of which counts 10000^weight.
Bytes text_of(const std::vector<int16_t>& groups, int weight, int scale, bool negative) {
  Bytes text = negative ? "-0" : "0";
  for (int position = std::max(weight, 0); position >= 0; --position) {
    const int index = weight - position;
    const bool given = index >= 0 && index < static_cast<int>(groups.size());
    text += fmt::format("{:04}", given ? groups[static_cast<std::size_t>(index)] : 0);
  }
  if (scale == 0) {
    return text;
  }
  text.push_back('.');
  const std::size_t point = text.size();
  const int fraction_groups = (scale + kGroupDigits - 1) / kGroupDigits;
  for (int i = 1; i <= fraction_groups; ++i) {
    const int index = weight + i;
    const bool given = index >= 0 && index < static_cast<int>(groups.size());
    text += fmt::format("{:04}", given ? groups[static_cast<std::size_t>(index)] : 0);
  }
  text.resize(point + static_cast<std::size_t>(scale));
  return text;
}

}  // namespace

Result<Bytes> parse_binary_numeric(ByteView bytes) {
  WireReader reader(bytes);
  uint16_t count = 0;
  int16_t weight = 0;
  uint16_t sign = 0;
  uint16_t scale = 0;
  PANDO_TRY(reader.number(count));
  PANDO_TRY(reader.number(weight));
  PANDO_TRY(reader.number(sign));
  if (sign != kPositive && sign != kNegative && sign != kNan && sign != kInfinity && sign != kMinusInfinity) {
    return invalid("sign");
  }
  PANDO_TRY(reader.number(scale));
  if ((scale & kScaleMask) != scale) {
    return invalid("scale");
  }
  std::vector<int16_t> groups;
  for (uint16_t i = 0; i < count; ++i) {
    int16_t group = 0;
    PANDO_TRY(reader.number(group));
    if (group < 0 || group >= kGroupBase) {
      return invalid("digit");
    }
    groups.push_back(group);
  }
  PANDO_TRY(reader.finish());
  switch (sign) {
    case kNan:
      return numeric::parse("NaN");
    case kInfinity:
      return numeric::parse("Infinity");
    case kMinusInfinity:
      return numeric::parse("-Infinity");
    default:
      return numeric::parse(text_of(groups, weight, scale, sign == kNegative));
  }
}

void print_binary_numeric(ByteView packed, Bytes& out) {
  if (numeric::is_special(packed)) {
    const uint16_t sign = numeric::is_nan(packed) ? kNan : (numeric::sign_of(packed) > 0 ? kInfinity : kMinusInfinity);
    put_wire<uint16_t>(0, out);
    put_wire<uint16_t>(0, out);
    put_wire<uint16_t>(sign, out);
    put_wire<uint16_t>(sign == kNan ? 0 : kInfinityScale, out);
    return;
  }
  Bytes text;
  numeric::print(packed, text);
  const bool negative = text[0] == '-';
  const ByteView number = ByteView(text).substr(negative ? 1 : 0);
  const auto point = number.find('.');
  Bytes whole(number.substr(0, point));
  Bytes fraction(point == ByteView::npos ? ByteView() : number.substr(point + 1));
  const auto scale = static_cast<uint16_t>(fraction.size());
  whole.insert(0, (kGroupDigits - whole.size() % kGroupDigits) % kGroupDigits, '0');
  fraction.append((kGroupDigits - fraction.size() % kGroupDigits) % kGroupDigits, '0');
  const Bytes digits = whole + fraction;
  std::vector<int16_t> groups;
  for (std::size_t i = 0; i < digits.size(); i += kGroupDigits) {
    groups.push_back(static_cast<int16_t>((digits[i] - '0') * 1000 + (digits[i + 1] - '0') * 100 +
                                          (digits[i + 2] - '0') * 10 + (digits[i + 3] - '0')));
  }
  int weight = static_cast<int>(whole.size()) / kGroupDigits - 1;
  while (!groups.empty() && groups.back() == 0) {
    groups.pop_back();
  }
  const auto leading = std::ranges::find_if(groups, [](int16_t group) { return group != 0; }) - groups.begin();
  groups.erase(groups.begin(), groups.begin() + leading);
  weight = groups.empty() ? 0 : weight - static_cast<int>(leading);
  put_wire(static_cast<uint16_t>(groups.size()), out);
  put_wire(static_cast<int16_t>(weight), out);
  put_wire(negative ? kNegative : kPositive, out);
  put_wire(scale, out);
  for (const int16_t group : groups) {
    put_wire(group, out);
  }
}

}  // namespace pando::types
