#pragma once

// For tests only: zones from the machine's tz database.

#include <filesystem>
#include <fstream>
#include <iterator>

#include "types/time_zone.h"

namespace pando::types {

class SystemZoneLoader final : public TimeZoneLoader {
 public:
  Result<Bytes> load(std::string_view name) override {
    std::ifstream file(kDirectory / name, std::ios::binary);
    if (!file) {
      return Status(sql_state::kUndefinedFile, "no time zone file \"{}\"", name);
    }
    return Bytes(std::istreambuf_iterator<char>(file), {});
  }
  std::vector<std::string> list_names() override {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(kDirectory)) {
      const std::string name = entry.path().lexically_relative(kDirectory);
      if (entry.is_regular_file() && !name.starts_with("posix/") && !name.starts_with("right/")) {
        names.push_back(name);
      }
    }
    return names;
  }

 private:
  const std::filesystem::path kDirectory = "/usr/share/zoneinfo";
};

}  // namespace pando::types
