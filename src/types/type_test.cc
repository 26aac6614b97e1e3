#include "types/type.h"

#include <gtest/gtest.h>

namespace pando::types {
namespace {

TEST(TypeTest, FindsTypesByOidAndName) {
  ASSERT_NE(find_type(oid::kInt4), nullptr);
  EXPECT_EQ(find_type(oid::kInt4)->name, "int4");
  EXPECT_EQ(find_type("int4")->oid, oid::kInt4);
  EXPECT_EQ(find_type("double precision")->oid, oid::kFloat8);
  EXPECT_EQ(find_type(Oid{1}), nullptr);
  EXPECT_EQ(find_type(Oid{999999}), nullptr);
  EXPECT_EQ(find_type("no_such_type"), nullptr);
}

TEST(TypeTest, TableIsSortedAndArraysPointBack) {
  std::size_t count = 0;
  const TypeInfo* types = all_types(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) {
      EXPECT_LT(types[i - 1].oid, types[i].oid);
    }
    EXPECT_EQ(find_type(types[i].oid), &types[i]);
    if (types[i].array != oid::kInvalid) {
      EXPECT_EQ(element_of(types[i].array), types[i].oid) << types[i].name;
    }
  }
  EXPECT_TRUE(is_array(oid::kInt4Array));
  EXPECT_FALSE(is_array(oid::kName));
}

TEST(TypeTest, FormatsModifiers) {
  EXPECT_EQ(format_type({oid::kNumeric, ((10 << 16) | 2) + 4}), "numeric(10,2)");
  EXPECT_EQ(format_type({oid::kNumericArray, ((10 << 16) | 2) + 4}), "numeric(10,2)[]");
  EXPECT_EQ(format_type({oid::kNumeric, make_modifier(oid::kNumeric, std::array{3, -2}).value()}), "numeric(3,-2)");
  EXPECT_EQ(format_type({oid::kVarchar, 24}), "character varying(20)");
  EXPECT_EQ(format_type({oid::kBpchar}), "character");
  EXPECT_EQ(format_type({oid::kTimestamptz, 3}), "timestamp(3) with time zone");
  EXPECT_EQ(format_type({oid::kInterval, (0x7fff << 16) | 3}), "interval(3)");
  EXPECT_EQ(format_type({oid::kInterval, (interval_mask::kDay << 16) | 0xffff}), "interval day");
  EXPECT_EQ(format_type({oid::kInt2Vector}), "int2vector");
  EXPECT_EQ(format_type({99999}), "???");
}

TEST(TypeTest, RefusesWrongModifiers) {
  EXPECT_EQ(make_modifier(oid::kNumeric, std::array{0}).status().to_string(),
            "22023: NUMERIC precision 0 must be between 1 and 1000");
  EXPECT_EQ(make_modifier(oid::kNumeric, std::array{5, 2000}).status().to_string(),
            "22023: NUMERIC scale 2000 must be between -1000 and 1000");
  EXPECT_EQ(make_modifier(oid::kVarchar, std::array{0}).status().to_string(),
            "22023: length for type varchar must be at least 1");
  EXPECT_EQ(make_modifier(oid::kBpchar, std::array{10485761}).status().to_string(),
            "22023: length for type char cannot exceed 10485760");
  EXPECT_EQ(make_modifier(oid::kInt4, std::array{3}).status().to_string(),
            "42601: type modifier is not allowed for type \"int4\"");
  std::string warning;
  EXPECT_EQ(make_modifier(oid::kTimestamp, std::array{7}, &warning).value(), 6);
  EXPECT_EQ(warning, "TIMESTAMP(7) precision reduced to maximum allowed, 6");
}

}  // namespace
}  // namespace pando::types
