#pragma once

// For tests only: the commands of testdata/*.txt, whose expected output comes from PostgreSQL.

#include <charconv>
#include <sstream>
#include <string>
#include <vector>

#include "test/support/datadriven.h"
#include "types/settings.h"
#include "types/test_zones.h"
#include "types/type.h"

namespace pando::types {

// "numeric(5,2)[]" to a Type.
inline Type parse_type_name(std::string name) {
  if (name.starts_with('"')) {
    name = name.substr(1, name.size() - 2);
  }
  const bool array = name.ends_with("[]");
  name.resize(name.size() - (array ? 2 : 0));
  std::vector<int32_t> numbers;
  if (const auto open = name.find('('); open != std::string::npos) {
    std::istringstream list(name.substr(open + 1, name.size() - open - 2));
    for (std::string number; std::getline(list, number, ',');) {
      numbers.push_back(std::stoi(number));
    }
    name.resize(open);
  }
  name = name == "char" && !numbers.empty() ? "bpchar" : name;
  Type type{find_type(name)->oid};
  if (type.oid == oid::kInterval && !numbers.empty()) {
    numbers.insert(numbers.begin(), kIntervalFullRange);
  }
  type.modifier = make_modifier(type.oid, numbers).value();
  type.oid = array ? array_of(type.oid) : type.oid;
  return type;
}

// "2001-02-03 04:05:06" UTC: the now of tests that do not compare with PostgreSQL's.
inline constexpr int64_t kTestNow = 34488306000000;

// The settings a command names, over the machine's time zones.
struct OracleSettings {
  explicit OracleSettings(const test::Command& command) : zones(loader) {
    const auto pick = [&command](const char* key, std::vector<std::string> names) {
      const std::string wanted = command.value(key, names[0]);
      std::size_t i = 0;
      while (i < names.size() && names[i] != wanted) {
        ++i;
      }
      return i;
    };
    settings.time_zones = &zones;
    settings.time_zone = zones.find(command.value("timezone", "UTC"));
    settings.date_style = static_cast<DateStyle>(pick("datestyle", {"ISO", "SQL", "Postgres", "German"}));
    settings.date_order = static_cast<DateOrder>(pick("order", {"MDY", "DMY", "YMD"}));
    settings.interval_style =
        static_cast<IntervalStyle>(pick("intervalstyle", {"postgres", "postgres_verbose", "sql_standard", "iso_8601"}));
    settings.extra_float_digits = std::stoi(command.value("float", "1"));
    settings.bytea_output = static_cast<ByteaOutput>(pick("bytea", {"hex", "escape"}));
    settings.now_us = kTestNow;
  }

  SystemZoneLoader loader;
  CachingTimeZoneSource zones;
  Settings settings;
};

inline std::vector<std::string> input_lines(const test::Command& command) {
  std::vector<std::string> lines;
  std::istringstream stream(command.input);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line == "''" ? "" : line);
  }
  return lines;
}

inline std::string error_line(const Status& status) {
  const ErrorFields& fields = status.fields();
  std::string line = "ERROR " + std::string(fields.code.view()) + ": " + fields.message;
  line += fields.detail.empty() ? "" : " DETAIL: " + fields.detail;
  line += fields.hint.empty() ? "" : " HINT: " + fields.hint;
  line += fields.where.empty() ? "" : " CONTEXT: " + fields.where;
  return line;
}

}  // namespace pando::types
