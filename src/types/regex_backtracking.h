#pragma once

// BacktrackingRegex: what RE2 cannot do, on PCRE2: back references, look-ahead and look-behind. Takes the translator's
// patterns. It may take exponential time, so the steps of one search are limited. Thread-safety: immutable.

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "types/regex.h"

namespace pando::types {

class BacktrackingRegex {
 public:
  // 0A000 for a look-behind of unlimited length.
  static Result<std::shared_ptr<const BacktrackingRegex>> compile(const Bytes& pattern, bool ignore_case);

  // As Regex::find. 2201B when a search takes too many steps.
  Result<bool> find(ByteView text, std::size_t from, std::vector<RegexSpan>& groups) const;

 private:
  struct Code;
  explicit BacktrackingRegex(std::shared_ptr<const Code> code) : code_(std::move(code)) {}

  std::shared_ptr<const Code> code_;
};

}  // namespace pando::types
