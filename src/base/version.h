#pragma once

// The version of this program.

#include <string_view>

namespace pando {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace pando
