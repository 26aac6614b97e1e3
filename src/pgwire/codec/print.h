#pragma once

// Messages as one line of text, for tests, traces and fuzzers: "Bind portal="" statement="s1" parameters=("1", NULL)".
// Thread-safety: pure functions.

#include <string>

#include "pgwire/codec/backend.h"
#include "pgwire/codec/frontend.h"

namespace pando::pgwire {

std::string print(const StartupPacket& packet);
std::string print(const FrontendMessage& message);
std::string print(const BackendMessage& message);

}  // namespace pando::pgwire
