// PostgreSQL's bytes for the same values are in testdata/binary.txt, filled by testdata/regenerate.py.

#include "types/binary_io.h"

#include <memory>

#include <gtest/gtest.h>

#include "types/oracle_test.h"
#include "types/text_io.h"

namespace pando::types {
namespace {

std::string hex(ByteView bytes) {
  std::string out;
  for (const char c : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out.empty() ? "''" : out;
}

TEST(BinaryIoTest, WritesAndReadsAsPostgres) {
  test::run_datadriven("src/types/testdata/binary.txt", [](const test::Command& command) {
    OracleSettings oracle(command);
    const Type type = parse_type_name(command.value("type"));
    std::string out;
    for (const std::string& line : input_lines(command)) {
      const Value value = parse_text(type, line, oracle.settings).value();
      Bytes wire;
      EXPECT_TRUE(print_binary(type, value, oracle.settings, wire).ok());
      out += hex(wire) + "\n";
      const auto back = parse_binary(type, wire, oracle.settings);
      EXPECT_TRUE(back.ok()) << line;
      Bytes again;
      EXPECT_TRUE(print_binary(type, *back, oracle.settings, again).ok());
      EXPECT_EQ(hex(again), hex(wire)) << line;
      for (std::size_t size = 0; size < wire.size(); ++size) {
        parse_binary(type, ByteView(wire).substr(0, size), oracle.settings).status().ignore("only that it returns");
      }
    }
    return out;
  });
}

TEST(BinaryIoTest, RefusesWhatPostgresRefuses) {
  const Settings settings;
  const auto error = [&settings](Oid type, ByteView bytes) {
    return parse_binary({type}, bytes, settings).status().to_string();
  };
  EXPECT_EQ(error(oid::kInt4, "abc"), "08P01: insufficient data left in message");
  EXPECT_EQ(error(oid::kInt4, "abcde"), "22P03: incorrect binary data format");
  EXPECT_EQ(error(oid::kText, "\xff"), "22021: invalid byte sequence for encoding \"UTF8\": 0xff");
  EXPECT_EQ(error(oid::kText, "a\xe4z"), "22021: invalid byte sequence for encoding \"UTF8\": 0xe4 0x7a");
  EXPECT_EQ(error(oid::kNumeric, ByteView("\0\1\0\0\0\0\0\0\x27\x10", 10)),
            "22P03: invalid digit in external \"numeric\" value");
  EXPECT_EQ(error(oid::kJsonb, "\2{}"), "XX000: unsupported jsonb version number 2");
  EXPECT_EQ(error(oid::kInt4Array, ByteView("\xff\xff\xff\xff", 4)), "22P03: invalid number of dimensions: -1");
}

TEST(BinaryIoTest, ReadsCompositesAsPostgres) {
  constexpr Oid kPair = oid::kUserComposite + 1;
  auto types = std::make_shared<UserTypes>();
  types->put(kPair, std::make_shared<const CompositeType>(CompositeType{{{"a", {oid::kInt4}}, {"b", {oid::kText}}}}));
  Settings settings;
  settings.user_types = types;
  const Value value = parse_text({kPair}, "(7,)", settings).value();
  Bytes wire;
  ASSERT_TRUE(print_binary({kPair}, value, settings, wire).ok());
  EXPECT_EQ(hex(wire), "0000000200000017000000040000000700000019ffffffff");
  EXPECT_EQ(parse_binary({kPair}, wire, settings).value(), value);
  for (std::size_t size = 0; size < wire.size(); ++size) {
    EXPECT_FALSE(parse_binary({kPair}, ByteView(wire).substr(0, size), settings).ok()) << size;
  }
  EXPECT_TRUE(parse_binary({kPair}, wire + "x", settings).status().is(sql_state::kInvalidBinaryRepresentation));
  Bytes other = wire;
  other[3] = 1;
  EXPECT_EQ(parse_binary({kPair}, other, settings).status().to_string(),
            "42804: wrong number of columns: 1, expected 2");
  other = wire;
  other[7] = 20;
  EXPECT_EQ(parse_binary({kPair}, other, settings).status().to_string(),
            "42804: binary data has type 20 (bigint) instead of expected 23 (integer) in record column 1");
  other = wire;
  other[8] = '\xff';
  EXPECT_EQ(parse_binary({kPair}, other, settings).status().to_string(), "22P03: insufficient data left in message");
}

}  // namespace
}  // namespace pando::types
