#pragma once

// How deep the syntax tree of a text can be, before it is parsed: the grammar's own tree writer recurses without a
// limit, so texts that might nest too deep for the stack must not reach it. Internal to sql/parse.

#include <cstdint>
#include <string_view>

namespace pando::parse {

// An upper bound of the depth of any tree that `text` can parse to. Chains that the grammar flattens (lists, AND, OR)
// do not count. One pass over the tokens; never fails, whatever the text.
int32_t nesting_bound(std::string_view text);

}  // namespace pando::parse
