#pragma once

// The settings Pando knows, as immutable data: PostgreSQL's names, kinds, units, defaults and bounds.
//
//   const SettingDefinition* definition = find_setting("work_mem");
//   PANDO_ASSIGN(std::string stored, check_setting(*definition, "4MB"));   // "4096"
//   show_setting(*definition, stored);                                     // "4MB"
//
// Thread-safety: immutable data, pure functions.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace pando::session {

enum class SettingKind : uint8_t { kBool, kInteger, kReal, kString, kEnum };

// Who may change it, and when.
enum class SettingContext : uint8_t {
  kInternal,    // never
  kServer,      // when the server starts
  kConnection,  // when the connection starts
  kSuperuser,
  kUser,
};

struct SettingDefinition {
  std::string_view name;
  SettingKind kind;
  SettingContext context;
  std::string_view unit;  // of the stored number: "ms", "s", "kB", "8kB", "B", ""
  std::string_view default_value;
  std::string_view min;
  std::string_view max;
  std::string_view choices;  // of an enum, separated by commas
  // The client is told of changes (ParameterStatus).
  bool reported;
  std::string_view category;
  std::string_view description;
};

// In case-insensitive order of name.
std::span<const SettingDefinition> all_settings();
// Without regard to case; nullptr when there is none.
const SettingDefinition* find_setting(std::string_view name);

// The form in which a value is stored and shown in pg_settings: booleans as on and off, numbers in the setting's unit,
// enums spelled as defined. 22023 when the value is not of the kind, out of range or not among the choices.
Result<std::string> check_setting(const SettingDefinition& definition, std::string_view value);
// As SHOW prints a stored value: numbers with the largest unit that loses nothing.
std::string show_setting(const SettingDefinition& definition, std::string_view stored);

// 22023 'invalid value for parameter "x": "y"'.
Status invalid_setting_value(std::string_view name, std::string_view value);
// Accepts on/off, true/false, yes/no, 1/0 and their unique prefixes.
bool parse_setting_bool(std::string_view text, bool& out);

}  // namespace pando::session
