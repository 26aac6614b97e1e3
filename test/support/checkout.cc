#include "test/support/checkout.h"

#include <array>
#include <cstdio>

namespace pando::test {

std::string describe_checkout() {
  std::string text;
  if (FILE* const git = popen("git describe --always --dirty 2>/dev/null", "r"); git != nullptr) {
    std::array<char, 128> line{};
    if (std::fgets(line.data(), line.size(), git) != nullptr) {
      text = line.data();
      text.erase(text.find_last_not_of('\n') + 1);
    }
    pclose(git);
  }
  return text.empty() ? "unknown" : text;
}

}  // namespace pando::test
