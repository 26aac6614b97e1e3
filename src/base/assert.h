#pragma once

// Assertions for programmer errors. They stay on in release builds: a broken invariant ends the process before it can
// reach the disk. Never assert on input from a user, a disk or a peer; that is a Status.
//
//   PANDO_ASSERT(index < size, "a column past the row's end");

#include <source_location>

namespace pando {

// Prints the failed condition with its place to stderr and aborts.
[[noreturn]] void fail_assertion(const char* condition, const char* why, std::source_location where);

}  // namespace pando

#define PANDO_ASSERT(condition, why)                                             \
  do {                                                                           \
    if (!(condition)) [[unlikely]] {                                             \
      ::pando::fail_assertion(#condition, why, std::source_location::current()); \
    }                                                                            \
  } while (false)

// For measured hot loops only.
#ifdef PANDO_DEBUG
#define PANDO_DEBUG_ASSERT(condition, why) PANDO_ASSERT(condition, why)
#else
#define PANDO_DEBUG_ASSERT(condition, why) static_cast<void>(0)
#endif

#define PANDO_UNREACHABLE(why) ::pando::fail_assertion("unreachable", why, std::source_location::current())
