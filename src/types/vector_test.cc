#include "types/vector.h"

#include <gtest/gtest.h>

namespace pando::types {
namespace {

TEST(VectorTest, HoldsValuesAndNulls) {
  Vector vector(Physical::kInt64);
  vector.reset(3);
  vector.set(0, Value::of_int64(7));
  vector.set_null(1);
  vector.set(2, Value::of_int64(-1));
  EXPECT_EQ(vector.get(0), Value::of_int64(7));
  EXPECT_TRUE(vector.get(1).is_null());
  EXPECT_EQ(vector.at<int64_t>(2), -1);
  vector.reset(2);
  EXPECT_FALSE(vector.has_nulls());
}

TEST(VectorTest, ConstantStoresOneValueForAllRows) {
  Vector vector(Physical::kBytes);
  vector.reset_constant(Value::of_bytes("pando"), 5000);
  EXPECT_EQ(vector.size(), 5000U);
  EXPECT_EQ(vector.bytes_at(4999), "pando");
  vector.resize(10);
  vector.flatten();
  EXPECT_FALSE(vector.is_constant());
  EXPECT_EQ(vector.bytes_at(9), "pando");

  Vector nulls(Physical::kInt32);
  nulls.reset_constant(Value::null(), 4);
  EXPECT_TRUE(nulls.is_null(3));
  nulls.flatten();
  EXPECT_TRUE(nulls.is_null(3));
}

TEST(VectorTest, CopiesShareUntilReset) {
  Vector vector(Physical::kBytes);
  vector.reset(1);
  vector.set_bytes(0, "first");
  const Vector copy = vector;
  vector.reset(1);
  vector.set_bytes(0, "second");
  EXPECT_EQ(copy.bytes_at(0), "first");
  EXPECT_EQ(vector.bytes_at(0), "second");
}

TEST(VectorTest, GatherKeepsBytesAlive) {
  Vector picked(Physical::kBytes);
  {
    Vector source(Physical::kBytes);
    source.reset(3);
    source.set_bytes(0, std::string(3000, 'a'));
    source.set_null(1);
    source.set_bytes(2, "c");
    const uint32_t rows[] = {2, 1, 0, 2};
    picked.gather(source, rows, 4);
    source.reset(3);
    source.set_bytes(0, std::string(3000, 'x'));
  }
  EXPECT_EQ(picked.bytes_at(0), "c");
  EXPECT_TRUE(picked.is_null(1));
  EXPECT_EQ(picked.bytes_at(2), std::string(3000, 'a'));
  const uint32_t again[] = {2};
  picked.gather(picked, again, 1);
  EXPECT_EQ(picked.bytes_at(0), std::string(3000, 'a'));
}

TEST(VectorTest, ResetReusesBlocks) {
  Vector vector(Physical::kBytes);
  for (int round = 0; round < 100; ++round) {
    vector.reset(kVectorRows);
    for (std::size_t i = 0; i < kVectorRows; ++i) {
      vector.set_bytes(i, "twenty bytes of text");
    }
  }
  EXPECT_LT(vector.memory_bytes(), 400000U);
}

}  // namespace
}  // namespace pando::types
