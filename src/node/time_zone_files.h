#pragma once

// TimeZoneFiles: the system's tz database, read from its TZif files. Thread-safe.

#include "types/time_zone.h"

namespace pando::node {

class TimeZoneFiles final : public types::TimeZoneLoader {
 public:
  Result<Bytes> load(std::string_view name) override;
  std::vector<std::string> list_names() override;
};

}  // namespace pando::node
