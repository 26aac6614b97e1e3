// What PostgreSQL answers for the same input is in testdata/text_*.txt, filled by testdata/regenerate.py.

#include "types/text_io.h"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "test/support/datadriven.h"
#include "types/oracle_test.h"
#include "types/record.h"

namespace pando::types {
namespace {

// Where spaces matter they are shown; an empty text is ''.
std::string shown(Type type, std::string text) {
  const bool limited = (type.oid == oid::kVarchar || type.oid == oid::kBpchar) && type.modifier != kNoModifier;
  if (limited) {
    std::ranges::replace(text, ' ', '_');
    return "<" + text + ">";
  }
  return text.empty() ? "''" : text;
}

std::string run_text(const test::Command& command) {
  OracleSettings oracle(command);
  const Type type = parse_type_name(command.value("type"));
  std::string out;
  for (const std::string& line : input_lines(command)) {
    const auto value = parse_text(type, line, oracle.settings);
    if (value.ok()) {
      std::string text;
      print_text(type, *value, oracle.settings, text);
      out += shown(type, text);
    } else {
      out += error_line(value.status());
    }
    out += "\n";
  }
  return out;
}

TEST(TextIoTest, AnswersAsPostgres) {
  for (const char* name : {"basic", "array", "datetime", "interval", "json"}) {
    test::run_datadriven(std::string("src/types/testdata/text_") + name + ".txt", [](const test::Command& command) {
      return command.name == "text" ? run_text(command) : "unknown command\n";
    });
  }
}

TEST(TextIoTest, RefusesTypesWithoutValues) {
  const Settings settings;
  EXPECT_EQ(parse_text({find_type("point")->oid}, "(1,2)", settings).status().to_string(),
            "0A000: type point is not supported");
  EXPECT_EQ(parse_text({oid::kRecord}, "(1)", settings).status().to_string(),
            "0A000: input of anonymous composite types is not implemented");
  EXPECT_EQ(parse_text({oid::kAnyElement}, "1", settings).status().to_string(),
            "0A000: cannot accept a value of type anyelement");
}

TEST(TextIoTest, ExplicitCastsCutText) {
  const Type type{oid::kVarchar, 2 + kModifierHeader};
  EXPECT_EQ(apply_modifier(type, Value::of_bytes("abcd"), true)->bytes(), "ab");
  EXPECT_EQ(apply_modifier(type, Value::of_bytes("abcd"), false).status().to_string(),
            "22001: value too long for type character varying(2)");
}

TEST(TextIoTest, ReadsCompositesAsPostgres) {
  constexpr Oid kPair = oid::kUserComposite + 1;
  constexpr Oid kNested = oid::kUserComposite + 2;
  auto types = std::make_shared<UserTypes>();
  const auto put = [&](Oid type, std::vector<CompositeType::Attribute> attributes) {
    types->put(type, std::make_shared<const CompositeType>(CompositeType{std::move(attributes)}));
  };
  put(kPair, {{"a", {oid::kInt4}}, {"b", {oid::kText}}});
  put(kNested, {{"p", {kPair}}, {"ps", {array_of(kPair)}}});
  Settings settings;
  settings.user_types = types;
  const auto round_trip = [&settings](Oid type, ByteView text) {
    const auto value = parse_text({type}, text, settings);
    std::string out = value.ok() ? "" : value.status().to_string();
    if (value.ok()) {
      print_text({type}, *value, settings, out);
    }
    return out;
  };
  EXPECT_EQ(round_trip(kPair, "(1,x)"), "(1,x)");
  EXPECT_EQ(round_trip(kPair, " ( 3 ,) "), "(3,)");
  EXPECT_EQ(round_trip(kPair, R"x((,"a ""b\" c"))x"), R"x((,"a ""b"" c"))x");
  EXPECT_EQ(round_trip(kNested, R"x(("(1,a)","{""(2,b)"",NULL}"))x"), R"x(("(1,a)","{""(2,b)"",NULL}"))x");
  for (const char* malformed : {"", "1,2", "(1", "(1)", "(1,2,3)", "(1,2) x", "(1,\"", "(1,\\"}) {
    EXPECT_TRUE(parse_text({kPair}, malformed, settings).status().is(sql_state::kInvalidTextRepresentation))
        << malformed;
  }
  EXPECT_EQ(round_trip(kPair, "(x,1)"), "22P02: invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(round_trip(oid::kUserComposite + 9, "()"), "42704: type with OID 1610612745 does not exist");
}

}  // namespace
TEST(Record, HasTheNamesOfItsFields) {
  const std::vector<RecordField> named{{{oid::kInt4}, Value::of_int32(1), "x"},
                                       {{oid::kText}, Value::null(), "a long name of a field"}};
  std::vector<RecordField> bare = named;
  for (RecordField& field : bare) {
    field.name.clear();
  }
  const Bytes packed = pack_record(named);
  std::vector<RecordField> fields;
  ASSERT_TRUE(unpack_record(packed, fields));
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[0].name, "x");
  EXPECT_EQ(fields[0].value, Value::of_int32(1));
  EXPECT_EQ(fields[1].name, "a long name of a field");
  EXPECT_TRUE(fields[1].value.is_null());
  // Names are no part of what a record is equal to.
  EXPECT_EQ(*compare_records(packed, pack_record(bare)), std::strong_ordering::equal);
  EXPECT_EQ(hash_record(packed), hash_record(pack_record(bare)));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(unpack_record(ByteView(packed).substr(0, size), fields)) << size;
  }
}

}  // namespace pando::types
