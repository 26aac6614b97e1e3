#include "sql/bind/context.h"

#include <gtest/gtest.h>

#include "types/utf8.h"

namespace pando::sql {
namespace {

TEST(BindContextTest, PositionsCountCharactersInAnyOrder) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += i % 3 == 0 ? "é" : i % 7 == 0 ? "漢" : "a";
  }
  BindOptions options;
  options.text = text;
  const BindContext context(options);
  const auto size = static_cast<ast::Location>(text.size());
  for (const ast::Location location : {4000, 0, 1, 1023, 1024, 1025, 2048, 3071, 17, size, size - 1}) {
    const auto before = types::utf8_length(std::string_view(text).substr(0, static_cast<std::size_t>(location)));
    EXPECT_EQ(context.position(location), static_cast<int>(before) + 1) << location;
  }
  EXPECT_EQ(context.position(size + 1), 0);
  EXPECT_EQ(context.position(-1), 0);
}

}  // namespace
}  // namespace pando::sql
