#include "pgwire/listener.h"

#include <gtest/gtest.h>

namespace pando::pgwire {
namespace {

struct Address {
  std::string host = "127.0.0.1";
  uint16_t port = 5433;
  bool operator==(const Address&) const = default;
};

Address parse(std::string_view text) {
  Address address;
  EXPECT_TRUE(parse_address(text, address.host, address.port).ok()) << text;
  return address;
}

TEST(ParseAddress, EitherPartMayBeLeftOut) {
  EXPECT_EQ(parse(""), (Address{}));
  EXPECT_EQ(parse("localhost"), (Address{"localhost", 5433}));
  EXPECT_EQ(parse(":6000"), (Address{"127.0.0.1", 6000}));
  EXPECT_EQ(parse("10.0.0.1:1"), (Address{"10.0.0.1", 1}));
  EXPECT_EQ(parse("[::1]:7000"), (Address{"::1", 7000}));
  EXPECT_EQ(parse("[::1]"), (Address{"::1", 5433}));
}

TEST(ParseAddress, RefusesWhatIsNoPort) {
  for (const auto* text : {"host:", "host:x", "host:70000", "host:-1", "[::1", "[::1]x"}) {
    Address address;
    EXPECT_EQ(parse_address(text, address.host, address.port).code(), sql_state::kInvalidParameterValue) << text;
  }
}

}  // namespace
}  // namespace pando::pgwire
