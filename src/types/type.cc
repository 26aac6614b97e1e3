#include "types/type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "types/type_table.h"

namespace pando::types {
namespace {

constexpr std::size_t kTypeCount = std::size(kTypes);
constexpr Oid kBuiltInMax = kTypes[kTypeCount - 1].oid;
static_assert(kTypeCount < UINT8_MAX, "the index below holds positions in a byte");

// Position in kTypes plus one, by OID: find_type() runs for every column of every statement.
constexpr auto kPositions = [] {
  std::array<uint8_t, kBuiltInMax + 1> positions{};
  for (std::size_t i = 0; i < kTypeCount; ++i) {
    positions[kTypes[i].oid] = static_cast<uint8_t>(i + 1);
  }
  return positions;
}();

constexpr int32_t kNumericPrecisionMax = 1000;
constexpr int32_t kNumericScaleMax = 1000;
constexpr int32_t kNumericScaleBits = 0x7ff;
constexpr int32_t kCharacterLengthMax = 10 * 1024 * 1024;
constexpr int32_t kTimePrecisionMax = 6;

bool is_timestamp_kind(Oid oid) {
  return oid == oid::kTime || oid == oid::kTimetz || oid == oid::kTimestamp || oid == oid::kTimestamptz;
}

std::string interval_fields(int32_t range) {
  using namespace interval_mask;
  switch (range) {
    case kYear:
      return " year";
    case kMonth:
      return " month";
    case kDay:
      return " day";
    case kHour:
      return " hour";
    case kMinute:
      return " minute";
    case kSecond:
      return " second";
    case kYear | kMonth:
      return " year to month";
    case kDay | kHour:
      return " day to hour";
    case kDay | kHour | kMinute:
      return " day to minute";
    case kDay | kHour | kMinute | kSecond:
      return " day to second";
    case kHour | kMinute:
      return " hour to minute";
    case kHour | kMinute | kSecond:
      return " hour to second";
    case kMinute | kSecond:
      return " minute to second";
    default:
      return "";
  }
}

std::string format_scalar(const TypeInfo& info, int32_t modifier) {
  const std::string name(info.sql_name);
  if (modifier < 0) {
    return name;
  }
  if (is_timestamp_kind(info.oid)) {
    const auto space = name.find(' ');
    return fmt::format("{}({}){}", name.substr(0, space), modifier, name.substr(space));
  }
  switch (info.oid) {
    case oid::kVarchar:
    case oid::kBpchar:
      return modifier > kModifierHeader ? fmt::format("{}({})", name, modifier - kModifierHeader) : name;
    case oid::kNumeric: {
      if (modifier < kModifierHeader) {
        return name;
      }
      const NumericModifier parts = numeric_modifier(modifier);
      return fmt::format("{}({},{})", name, parts.precision, parts.scale);
    }
    case oid::kInterval: {
      const int32_t precision = modifier & kIntervalFullPrecision;
      const std::string fields = interval_fields((modifier >> 16) & kIntervalFullRange);
      return precision == kIntervalFullPrecision ? name + fields : fmt::format("{}{}({})", name, fields, precision);
    }
    default:
      // Of a type that has no modifiers: as PostgreSQL prints any number.
      return fmt::format("{}({})", name, modifier);
  }
}

// The precision of time, timestamp and interval: too much is a warning, as in PostgreSQL.
Result<int32_t> time_precision(std::string_view name, std::string_view suffix, int32_t precision,
                               std::string* warning) {
  if (precision < 0) {
    return Status(sql_state::kInvalidParameterValue, "{}({}){} precision must not be negative", name, precision,
                  suffix);
  }
  if (precision > kTimePrecisionMax) {
    if (warning != nullptr) {
      *warning =
          fmt::format("{}({}){} precision reduced to maximum allowed, {}", name, precision, suffix, kTimePrecisionMax);
    }
    return kTimePrecisionMax;
  }
  return precision;
}

Result<int32_t> numeric_modifier_of(std::span<const int32_t> numbers) {
  if (numbers.size() > 2) {
    return Status(sql_state::kInvalidParameterValue, "invalid NUMERIC type modifier");
  }
  if (numbers[0] < 1 || numbers[0] > kNumericPrecisionMax) {
    return Status(sql_state::kInvalidParameterValue, "NUMERIC precision {} must be between 1 and {}", numbers[0],
                  kNumericPrecisionMax);
  }
  const int32_t scale = numbers.size() == 2 ? numbers[1] : 0;
  if (std::abs(scale) > kNumericScaleMax) {
    return Status(sql_state::kInvalidParameterValue, "NUMERIC scale {} must be between {} and {}", scale,
                  -kNumericScaleMax, kNumericScaleMax);
  }
  return ((numbers[0] << 16) | (scale & kNumericScaleBits)) + kModifierHeader;
}

Result<int32_t> character_modifier_of(std::string_view name, std::span<const int32_t> numbers) {
  if (numbers.size() != 1) {
    return Status(sql_state::kInvalidParameterValue, "invalid type modifier");
  }
  if (numbers[0] < 1) {
    return Status(sql_state::kInvalidParameterValue, "length for type {} must be at least 1", name);
  }
  if (numbers[0] > kCharacterLengthMax) {
    return Status(sql_state::kInvalidParameterValue, "length for type {} cannot exceed {}", name, kCharacterLengthMax);
  }
  return numbers[0] + kModifierHeader;
}

Result<int32_t> interval_modifier_of(std::span<const int32_t> numbers, std::string* warning) {
  if (numbers.size() > 2 || (numbers[0] != kIntervalFullRange && interval_fields(numbers[0]).empty())) {
    return Status(sql_state::kInvalidParameterValue, "invalid INTERVAL type modifier");
  }
  if (numbers.size() == 1) {
    return numbers[0] == kIntervalFullRange ? kNoModifier : (numbers[0] << 16) | kIntervalFullPrecision;
  }
  PANDO_ASSIGN(const int32_t precision, time_precision("INTERVAL", "", numbers[1], warning));
  return (numbers[0] << 16) | precision;
}

}  // namespace

namespace {

constexpr TypeInfo kEnumInfo{
    oid::kUserEnum, "enum", "enum", Physical::kInt64, 'E', false, 4, 0, oid::kUserEnumArray, 'e', true, 'i', ',', true};
constexpr TypeInfo kEnumArrayInfo{oid::kUserEnumArray,
                                  "_enum",
                                  "enum[]",
                                  Physical::kBytes,
                                  'A',
                                  false,
                                  -1,
                                  oid::kUserEnum,
                                  0,
                                  'b',
                                  false,
                                  'i',
                                  ',',
                                  true};
constexpr TypeInfo kCompositeInfo{oid::kUserComposite,
                                  "composite",
                                  "composite",
                                  Physical::kBytes,
                                  'C',
                                  false,
                                  -1,
                                  0,
                                  oid::kUserCompositeArray,
                                  'c',
                                  false,
                                  'd',
                                  ',',
                                  true};
constexpr TypeInfo kCompositeArrayInfo{oid::kUserCompositeArray,
                                       "_composite",
                                       "composite[]",
                                       Physical::kBytes,
                                       'A',
                                       false,
                                       -1,
                                       oid::kUserComposite,
                                       0,
                                       'b',
                                       false,
                                       'd',
                                       ',',
                                       true};

bool is_of_user(Oid oid) { return oid >= oid::kUserEnum && oid < oid::kUserCompositeEnd; }
bool is_array_of_user(Oid oid) { return is_enum_array(oid) || is_composite_array(oid); }
// The distance between the ranges of types and of arrays of them.
constexpr Oid kArrayDistance = oid::kUserEnumArray - oid::kUserEnum;
static_assert(kArrayDistance == oid::kUserCompositeArray - oid::kUserComposite);

const TypeInfo* find_user_type(Oid oid) {
  return is_enum(oid)         ? &kEnumInfo
         : is_enum_array(oid) ? &kEnumArrayInfo
         : is_composite(oid)  ? &kCompositeInfo
                              : &kCompositeArrayInfo;
}

// What no text has in it stands around an OID in the place of a name.
constexpr char kMarkBegin = '\x02';
constexpr char kMarkEnd = '\x03';

}  // namespace

std::string name_user_types(std::string_view text, const std::function<std::string(Oid)>& name) {
  std::string named;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto begin = text.find(kMarkBegin, at);
    const auto end = begin == std::string_view::npos ? begin : text.find(kMarkEnd, begin);
    if (end == std::string_view::npos) {
      break;
    }
    Oid oid = 0;
    std::from_chars(text.data() + begin + 1, text.data() + end, oid);
    named.append(text.substr(at, begin - at)).append(name(oid));
    at = end + 1;
  }
  return named.append(text.substr(std::min(at, text.size())));
}

const TypeInfo* find_type(Oid oid) {
  if (is_of_user(oid)) {
    return find_user_type(oid);
  }
  if (oid > kBuiltInMax || kPositions[oid] == 0) {
    return nullptr;
  }
  return &kTypes[kPositions[oid] - 1];
}

const TypeInfo* find_type(std::string_view name) {
  const auto* by_name = std::ranges::find(kTypes, name, &TypeInfo::name);
  if (by_name != std::end(kTypes)) {
    return by_name;
  }
  const auto* by_spelling = std::ranges::find(kTypes, name, &TypeInfo::sql_name);
  return by_spelling != std::end(kTypes) ? by_spelling : nullptr;
}

const TypeInfo* all_types(std::size_t& count) {
  count = kTypeCount;
  return kTypes;
}

Physical physical_of(Oid oid) {
  const TypeInfo* info = find_type(oid);
  return info != nullptr ? info->physical : Physical::kBytes;
}

Oid element_of(Oid array) {
  if (is_array_of_user(array)) {
    return array - kArrayDistance;
  }
  const TypeInfo* info = find_type(array);
  return info != nullptr ? info->element : oid::kInvalid;
}

Oid array_of(Oid element) {
  if (is_of_user(element)) {
    return is_array_of_user(element) ? oid::kInvalid : element + kArrayDistance;
  }
  const TypeInfo* info = find_type(element);
  return info != nullptr ? info->array : oid::kInvalid;
}

std::string format_type(Type type) {
  if (type.oid == oid::kInvalid) {
    return "-";
  }
  if (is_of_user(type.oid)) {
    const Oid named = is_array_of_user(type.oid) ? element_of(type.oid) : type.oid;
    return fmt::format("{}{}{}{}", kMarkBegin, named, kMarkEnd, named == type.oid ? "" : "[]");
  }
  const TypeInfo* info = find_type(type.oid);
  if (info == nullptr) {
    return "???";
  }
  const bool vector_kind = type.oid == oid::kInt2Vector || type.oid == oid::kOidVector;
  if (info->element != oid::kInvalid && !vector_kind) {
    return format_scalar(*find_type(info->element), type.modifier) + "[]";
  }
  return format_scalar(*info, type.modifier);
}

NumericModifier numeric_modifier(int32_t modifier) {
  const int32_t packed = modifier - kModifierHeader;
  const int32_t scale = packed & kNumericScaleBits;
  return {(packed >> 16) & 0xffff, (scale ^ 0x400) - 0x400};
}

Result<int32_t> make_modifier(Oid oid, std::span<const int32_t> numbers, std::string* warning) {
  if (numbers.empty()) {
    return kNoModifier;
  }
  if (const Oid element = element_of(oid); element != oid::kInvalid) {
    return make_modifier(element, numbers, warning);
  }
  switch (oid) {
    case oid::kNumeric:
      return numeric_modifier_of(numbers);
    case oid::kVarchar:
      return character_modifier_of("varchar", numbers);
    case oid::kBpchar:
      return character_modifier_of("char", numbers);
    case oid::kInterval:
      return interval_modifier_of(numbers, warning);
    default:
      break;
  }
  if (!is_timestamp_kind(oid)) {
    return Status(sql_state::kSyntaxError, "type modifier is not allowed for type \"{}\"",
                  find_type(oid) != nullptr ? find_type(oid)->name : "???");
  }
  if (numbers.size() != 1) {
    return Status(sql_state::kInvalidParameterValue, "invalid type modifier");
  }
  const bool zoned = oid == oid::kTimetz || oid == oid::kTimestamptz;
  const bool time = oid == oid::kTime || oid == oid::kTimetz;
  return time_precision(time ? "TIME" : "TIMESTAMP", zoned ? " WITH TIME ZONE" : "", numbers[0], warning);
}

}  // namespace pando::types
