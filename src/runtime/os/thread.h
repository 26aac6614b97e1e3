#pragma once

// What a thread says of itself to the operating system. All of it concerns the calling thread; errors only make it one
// like any other.

#include <string>

namespace pando::runtime {

// Shown by the system's tools; at most 15 bytes of it.
void name_this_thread(const std::string& name);

enum class Urgency {
  kUsual,
  // Many wait for what it does, and it never runs for long: on a busy machine it gets its turn before those that do.
  // (A short slice, which Linux honours since 6.12; no privilege and no larger share.)
  kPrompt,
  // Nobody waits for it: it gets what others leave.
  kLeisurely,
};
void set_urgency(Urgency urgency);

}  // namespace pando::runtime
