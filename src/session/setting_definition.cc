#include "session/setting_definition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace pando::session {
namespace {

constexpr SettingDefinition kDefinitions[] = {
#define PANDO_SETTING(name, kind, context, unit, default_value, min, max, choices, reported, category, description) \
  {name,     SettingKind::kind, SettingContext::context, unit, default_value, min, max, choices, reported,          \
   category, description},
#include "session/setting_definitions.inc"
#undef PANDO_SETTING
};

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int compare_names(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) {
      return to_lower(a[i]) < to_lower(b[i]) ? -1 : 1;
    }
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

// A unit and how many of the smallest unit of its family it is.
struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array kMemoryUnits = {Unit{"TB", 0x1p40}, Unit{"GB", 0x1p30}, Unit{"MB", 0x1p20}, Unit{"kB", 0x1p10},
                                     Unit{"B", 1}};
constexpr std::array kTimeUnits = {Unit{"d", 86400e6}, Unit{"h", 3600e6}, Unit{"min", 60e6},
                                   Unit{"s", 1e6},     Unit{"ms", 1e3},   Unit{"us", 1}};
constexpr double kBlockBytes = 8192;

std::span<const Unit> family_of(std::string_view unit) {
  if (unit.ends_with("B")) {
    return kMemoryUnits;
  }
  return unit.empty() ? std::span<const Unit>() : std::span<const Unit>(kTimeUnits);
}

double factor_of(std::string_view unit) {
  if (unit == "8kB") {
    return kBlockBytes;
  }
  for (const Unit& candidate : family_of(unit)) {
    if (candidate.name == unit) {
      return candidate.factor;
    }
  }
  return 0;
}

std::string units_hint(std::string_view unit) {
  if (unit.empty()) {
    return "";
  }
  return family_of(unit).front().name == "TB"
             ? R"(Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".)"
             : R"(Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".)";
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

// A number and an optional unit, in the setting's own unit. nullopt when it is not one.
std::optional<double> parse_number(const SettingDefinition& definition, std::string_view value) {
  const std::string text(trim(value));
  char* end = nullptr;
  double number = 0;
  // Hexadecimal and octal integers are accepted, as strtol reads them.
  const long long integer = std::strtoll(text.c_str(), &end, 0);
  if (end != text.c_str() && *end != '.' && *end != 'e' && *end != 'E') {
    number = static_cast<double>(integer);
  } else {
    number = std::strtod(text.c_str(), &end);
  }
  if (end == text.c_str() || std::isnan(number)) {
    return std::nullopt;
  }
  const std::string_view unit = trim(end);
  if (unit.empty()) {
    return number;
  }
  for (const Unit& candidate : family_of(definition.unit)) {
    if (candidate.name == unit) {
      return number * candidate.factor / factor_of(definition.unit);
    }
  }
  return std::nullopt;
}

double parse_bound(std::string_view text) { return std::strtod(std::string(text).c_str(), nullptr); }

Status out_of_range(const SettingDefinition& definition, std::string_view number) {
  const std::string unit = definition.unit.empty() ? "" : fmt::format(" {}", definition.unit);
  return Status(sql_state::kInvalidParameterValue, "{}{} is outside the valid range for parameter \"{}\" ({} .. {})",
                number, unit, definition.name, definition.min, definition.max);
}

Result<std::string> check_number(const SettingDefinition& definition, std::string_view value) {
  const auto number = parse_number(definition, value);
  if (!number) {
    Status status = invalid_setting_value(definition.name, value);
    // Only what is a number with something behind it may lack a unit.
    const std::string_view text = trim(value);
    if (!text.empty() && std::string_view("+-.0123456789").find(text.front()) != std::string_view::npos) {
      status.fields().hint = units_hint(definition.unit);
    }
    return status;
  }
  std::string stored;
  if (definition.kind == SettingKind::kInteger) {
    const double rounded = std::rint(*number);
    if (std::abs(rounded) > 2147483647.0) {
      return std::move(invalid_setting_value(definition.name, value)).with_hint("Value exceeds integer range.");
    }
    stored = fmt::format("{}", static_cast<int64_t>(rounded));
  } else {
    stored = fmt::format("{}", *number);
  }
  if (!definition.min.empty() && (*number < parse_bound(definition.min) || *number > parse_bound(definition.max))) {
    return out_of_range(definition, stored);
  }
  return stored;
}

Result<std::string> check_enum(const SettingDefinition& definition, std::string_view value) {
  std::string hint;
  std::string_view rest = definition.choices;
  bool has_on = false;
  while (!rest.empty()) {
    const std::string_view choice = rest.substr(0, rest.find(','));
    if (compare_names(choice, value) == 0) {
      return std::string(choice);
    }
    has_on = has_on || choice == "on";
    hint += (hint.empty() ? "" : ", ") + std::string(choice);
    rest.remove_prefix(std::min(rest.size(), choice.size() + 1));
  }
  // Enums that grew out of booleans still take the other spellings of one.
  if (bool parsed = false; has_on && parse_setting_bool(value, parsed)) {
    return std::string(parsed ? "on" : "off");
  }
  return std::move(invalid_setting_value(definition.name, value)).with_hint(fmt::format("Available values: {}.", hint));
}

}  // namespace

std::span<const SettingDefinition> all_settings() { return kDefinitions; }

const SettingDefinition* find_setting(std::string_view name) {
  const auto* found = std::ranges::lower_bound(
      kDefinitions, name, [](std::string_view a, std::string_view b) { return compare_names(a, b) < 0; },
      &SettingDefinition::name);
  return found != std::end(kDefinitions) && compare_names(found->name, name) == 0 ? found : nullptr;
}

Status invalid_setting_value(std::string_view name, std::string_view value) {
  return Status(sql_state::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", name, value);
}

bool parse_setting_bool(std::string_view text, bool& out) {
  struct Word {
    std::string_view text;
    bool value;
    std::size_t shortest;
  };
  constexpr std::array kWords = {Word{"true", true, 1}, Word{"false", false, 1}, Word{"yes", true, 1},
                                 Word{"no", false, 1},  Word{"on", true, 2},     Word{"off", false, 2},
                                 Word{"1", true, 1},    Word{"0", false, 1}};
  for (const Word& word : kWords) {
    if (text.size() >= word.shortest && text.size() <= word.text.size() &&
        compare_names(text, word.text.substr(0, text.size())) == 0) {
      out = word.value;
      return true;
    }
  }
  return false;
}

Result<std::string> check_setting(const SettingDefinition& definition, std::string_view value) {
  switch (definition.kind) {
    case SettingKind::kBool: {
      bool parsed = false;
      if (!parse_setting_bool(value, parsed)) {
        return Status(sql_state::kInvalidParameterValue, "parameter \"{}\" requires a Boolean value", definition.name);
      }
      return std::string(parsed ? "on" : "off");
    }
    case SettingKind::kInteger:
    case SettingKind::kReal:
      return check_number(definition, value);
    case SettingKind::kEnum:
      return check_enum(definition, value);
    case SettingKind::kString:
      return std::string(value);
  }
  PANDO_UNREACHABLE("a setting kind outside its enumeration");
}

std::string show_setting(const SettingDefinition& definition, std::string_view stored) {
  if (definition.unit.empty() || definition.kind != SettingKind::kInteger) {
    if (definition.kind == SettingKind::kReal && !definition.unit.empty() && parse_bound(stored) > 0) {
      return fmt::format("{}{}", stored, definition.unit);
    }
    return std::string(stored);
  }
  const double number = parse_bound(stored);
  if (number <= 0) {
    return std::string(stored);
  }
  const double smallest = number * factor_of(definition.unit);
  for (const Unit& unit : family_of(definition.unit)) {
    if (std::fmod(smallest, unit.factor) == 0) {
      return fmt::format("{:.0f}{}", smallest / unit.factor, unit.name);
    }
  }
  return fmt::format("{}{}", stored, definition.unit);
}

}  // namespace pando::session
