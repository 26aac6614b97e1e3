#include "test/history/register.h"

#include <gtest/gtest.h>

namespace pando::test {
namespace {

using Kind = RegisterOperation::Kind;

RegisterOperation read(int64_t value, uint64_t begin_ns, uint64_t end_ns) {
  return {.kind = Kind::kRead, .value = value, .begin_ns = begin_ns, .end_ns = end_ns};
}
RegisterOperation write(int64_t value, uint64_t begin_ns, std::optional<uint64_t> end_ns) {
  return {.kind = Kind::kWrite, .value = value, .begin_ns = begin_ns, .end_ns = end_ns};
}
RegisterOperation swap(int64_t expected, int64_t value, bool swapped, uint64_t begin_ns,
                       std::optional<uint64_t> end_ns) {
  return {.kind = Kind::kCompareAndSwap,
          .value = value,
          .expected = expected,
          .swapped = swapped,
          .begin_ns = begin_ns,
          .end_ns = end_ns};
}

TEST(RegisterTest, OneAfterTheOther) {
  EXPECT_EQ(check_register(0, {read(0, 0, 1), write(1, 2, 3), read(1, 4, 5)}), "");
}

TEST(RegisterTest, AReadBesideAWriteSeesEither) {
  EXPECT_EQ(check_register(0, {write(1, 0, 10), read(0, 1, 2), read(1, 3, 4)}), "");
}

TEST(RegisterTest, AReadDoesNotGoBack) {
  EXPECT_NE(check_register(0, {write(1, 0, 10), read(1, 1, 2), read(0, 3, 4)}), "");
}

TEST(RegisterTest, AStaleReadIsCaught) { EXPECT_NE(check_register(0, {write(1, 0, 1), read(0, 2, 3)}), ""); }

TEST(RegisterTest, AValueNobodyWroteIsCaught) { EXPECT_NE(check_register(0, {write(1, 0, 1), read(2, 2, 3)}), ""); }

TEST(RegisterTest, AnUnknownWriteMayComeLateOrNever) {
  EXPECT_EQ(check_register(0, {write(1, 0, std::nullopt), read(0, 5, 6), read(1, 7, 8)}), "");
  EXPECT_EQ(check_register(0, {write(1, 0, std::nullopt), read(0, 5, 6)}), "");
  EXPECT_NE(check_register(0, {write(1, 0, std::nullopt), read(1, 5, 6), read(0, 7, 8)}), "");
}

TEST(RegisterTest, AWriteBeforeItBeganIsCaught) {
  EXPECT_NE(check_register(0, {write(1, 5, std::nullopt), read(1, 1, 2)}), "");
}

TEST(RegisterTest, SwapsDependOnWhatIsThere) {
  EXPECT_EQ(check_register(0, {swap(0, 1, true, 0, 1), swap(0, 2, false, 2, 3), read(1, 4, 5)}), "");
  EXPECT_NE(check_register(0, {swap(0, 1, true, 0, 1), swap(0, 2, true, 2, 3)}), "");
  EXPECT_NE(check_register(0, {swap(0, 1, false, 0, 1)}), "");
  // Two from the same value, at the same time: one of them at most.
  EXPECT_NE(check_register(0, {swap(0, 1, true, 0, 9), swap(0, 2, true, 0, 9)}), "");
  EXPECT_EQ(check_register(0, {swap(0, 1, true, 0, 9), swap(0, 2, false, 0, 9), swap(1, 3, true, 10, std::nullopt),
                               read(3, 20, 21)}),
            "");
}

}  // namespace
}  // namespace pando::test
