#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace pando {

void fail_assertion(const char* condition, const char* why, std::source_location where) {
  std::fprintf(stderr, "assertion failed: %s (%s) at %s:%u in %s\n", condition, why, where.file_name(), where.line(),
               where.function_name());
  std::abort();
}

}  // namespace pando
