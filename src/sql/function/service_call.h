#pragma once

// What kernels that ask the session share.

#include <algorithm>
#include <string_view>

#include "sql/function/evaluation_context.h"

namespace pando::sql {

// A string as a template argument: the name a service is asked by.
template <std::size_t kSize>
struct ServiceName {
  // NOLINTNEXTLINE(google-explicit-constructor): spelled as a literal.
  consteval ServiceName(const char (&text)[kSize]) { std::copy_n(text, kSize, characters); }
  constexpr std::string_view view() const { return {characters, kSize - 1}; }
  char characters[kSize];
};

inline Result<SessionServices*> services_of(EvaluationContext& context) {
  if (context.services == nullptr) {
    return Status(sql_state::kFeatureNotSupported, "there is no session to ask here");
  }
  return context.services;
}

}  // namespace pando::sql
