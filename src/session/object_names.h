#pragma once

// Names of objects as text: splitting "Schema"."name" and quoting, as regclass and its kin do. Pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pando::session {

// The parts of a possibly qualified, possibly quoted name, folded to lower case where not quoted. 42602 "invalid name
// syntax".
Result<std::vector<std::string>> split_qualified_name(std::string_view text);
// Quoted when it must be: keywords, upper case, other characters.
std::string quote_name(std::string_view name);

}  // namespace pando::session
