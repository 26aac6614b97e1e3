#pragma once

// Identifiers and literals as SQL text.

#include <span>

#include "base/bytes.h"

namespace pando::sql {

// With double quotes where the name needs them: not lower case, or a keyword.
Bytes quote_identifier(ByteView name);
// In single quotes, with the E prefix where there are backslashes.
Bytes quote_literal(ByteView text);

struct Keyword {
  std::string_view word;
  char category;  // pg_get_keywords().catcode
  bool bare_label;
};
std::span<const Keyword> all_keywords();

}  // namespace pando::sql
