#include "base/codec.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/prng.h"

namespace pando {
namespace {

template <typename T, typename Append, typename Read>
void expect_order_kept(const std::vector<T>& ascending, Append append, Read read) {
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      Bytes a, b;
      append(a, ascending[i]);
      append(b, ascending[j]);
      EXPECT_EQ(i < j, a < b) << i << " " << j;
      complement_from(a, 0);
      complement_from(b, 0);
      EXPECT_EQ(i < j, b < a) << i << " " << j << " descending";
    }
    for (const bool descending : {false, true}) {
      Bytes key;
      append(key, ascending[i]);
      if (descending) {
        complement_from(key, 0);
      }
      key += "rest";
      OrderedReader reader(key);
      T decoded{};
      ASSERT_TRUE(read(reader, decoded, descending));
      EXPECT_EQ(decoded, ascending[i]);
      EXPECT_EQ(reader.rest(), "rest");
    }
  }
}

TEST(OrderedCodec, KeepsTheOrderOfIntegers) {
  expect_order_kept<int64_t>(
      {std::numeric_limits<int64_t>::min(), -256, -1, 0, 1, 255, 256, std::numeric_limits<int64_t>::max()},
      append_ordered_int64,
      [](OrderedReader& reader, int64_t& value, bool descending) { return reader.ordered_int64(value, descending); });
}

TEST(OrderedCodec, KeepsTheOrderOfDoubles) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  expect_order_kept<double>(
      {-kInfinity, -1e300, -1, -1e-300, 0, 1e-300, 1, 1e300, kInfinity}, append_ordered_double,
      [](OrderedReader& reader, double& value, bool descending) { return reader.ordered_double(value, descending); });
  Bytes infinity, nan, negative_zero, zero;
  append_ordered_double(infinity, kInfinity);
  append_ordered_double(nan, -std::numeric_limits<double>::quiet_NaN());
  EXPECT_LT(infinity, nan);
  append_ordered_double(negative_zero, -0.0);
  append_ordered_double(zero, 0.0);
  EXPECT_EQ(negative_zero, zero);
}

TEST(OrderedCodec, KeepsTheOrderOfBytes) {
  expect_order_kept<Bytes>({"", Bytes("\0", 1), Bytes("\0\0", 2), Bytes("\0a", 2), "\x01", "a", Bytes("a\0", 2), "aa",
                            "b", "\xff", "\xff\xff"},
                           append_ordered_bytes, [](OrderedReader& reader, Bytes& value, bool descending) {
                             return reader.ordered_bytes(value, descending);
                           });
}

TEST(ByteReader, RefusesTruncatedAndOverlongInput) {
  Bytes out;
  put_varint(out, 300);
  uint64_t value = 0;
  for (std::size_t cut = 0; cut < out.size(); ++cut) {
    ByteReader reader(ByteView(out).substr(0, cut));
    EXPECT_FALSE(reader.varint(value));
  }
  ByteReader overlong("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
  EXPECT_FALSE(overlong.varint(value));
  ByteReader short_string(
      "\x05"
      "abcd");
  ByteView bytes;
  EXPECT_FALSE(short_string.length_prefixed(bytes));
}

TEST(ByteReader, ReadsWhatWasPut) {
  Prng prng(1);
  for (int i = 0; i < 1000; ++i) {
    const auto number = prng.next() >> prng.below(64);
    const auto signed_number = static_cast<int64_t>(prng.next()) >> prng.below(64);
    Bytes out;
    put_varint(out, number);
    put_signed_varint(out, signed_number);
    ByteReader reader(out);
    uint64_t decoded = 0;
    int64_t signed_decoded = 0;
    ASSERT_TRUE(reader.varint(decoded) && reader.signed_varint(signed_decoded) && reader.empty());
    EXPECT_EQ(decoded, number);
    EXPECT_EQ(signed_decoded, signed_number);
  }
}

// The check value of RFC 3720, appendix B.4.
TEST(Crc32c, MatchesTheStandard) {
  EXPECT_EQ(crc32c(Bytes(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c("56789", crc32c("1234")), crc32c("123456789"));
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

TEST(PrefixEnd, IsTheFirstKeyPastThePrefix) {
  EXPECT_EQ(prefix_end("ab"), "ac");
  EXPECT_EQ(prefix_end("a\xff"), "b");
  EXPECT_EQ(prefix_end("\xff\xff"), "");
}

}  // namespace
}  // namespace pando
