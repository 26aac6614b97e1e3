#pragma once

// Values of options and settings as they stand in the tree: constants, words, casts. Pure functions.

#include <optional>
#include <string>

#include "base/status.h"
#include "sql/ast/definition.h"

namespace pando::session {

// The text of a constant, a word or a cast constant; nullopt for anything else.
std::optional<std::string> literal_text(const ast::Expr& expr);
// The text of an option's value; nullopt when it has none.
std::optional<std::string> option_text(const ast::Option& option);
// A Boolean option: present alone it is true. 42601 "x requires a Boolean value".
Result<bool> option_bool(const ast::Option& option);

}  // namespace pando::session
