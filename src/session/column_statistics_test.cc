#include "session/column_statistics.h"

#include <gtest/gtest.h>

namespace pando::session {
namespace {

using types::Value;

// Expected values are PostgreSQL 15's pg_stats of the same columns, analyzed whole.
class ColumnStatistics : public testing::Test {
 protected:
  static constexpr int kRows = 2000;

  template <typename Make>
  catalog::ColumnStatistics of(types::Oid type, Make make, double total_rows = kRows) {
    ColumnSample sample{{type}, {}};
    for (int i = 1; i <= kRows; ++i) {
      sample.values.push_back(make(i));
    }
    return make_column_statistics(1, sample, total_rows, kDefaultStatisticsTarget);
  }
  static std::vector<int> integers(const std::vector<Value>& values, std::size_t count) {
    std::vector<int> found;
    for (std::size_t i = 0; i < std::min(count, values.size()); ++i) {
      found.push_back(values[i].as<int32_t>());
    }
    return found;
  }
};

TEST_F(ColumnStatistics, UniqueColumn) {
  const auto found = of(types::oid::kInt4, [](int i) { return Value::of_int32(i); });
  EXPECT_EQ(found.null_fraction, 0);
  EXPECT_EQ(found.average_width, 4);
  EXPECT_EQ(found.distinct, -1);
  EXPECT_TRUE(found.most_common.empty());
  EXPECT_EQ(found.histogram.size(), 101U);
  EXPECT_EQ(integers(found.histogram, 3), (std::vector<int>{1, 20, 40}));
  EXPECT_NEAR(found.correlation, 1, 1e-9);
}

TEST_F(ColumnStatistics, DescendingColumn) {
  const auto found = of(types::oid::kInt4, [](int i) { return Value::of_int32(-i); });
  EXPECT_EQ(integers(found.histogram, 3), (std::vector<int>{-2000, -1981, -1961}));
  EXPECT_NEAR(found.correlation, -1, 1e-9);
}

TEST_F(ColumnStatistics, FewValues) {
  const auto found = of(types::oid::kInt4, [](int i) { return Value::of_int32(i % 10); });
  EXPECT_EQ(found.distinct, 10);
  EXPECT_EQ(integers(found.most_common, 10), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(found.most_common_frequencies, std::vector<double>(10, 0.1));
  EXPECT_TRUE(found.histogram.empty());
  EXPECT_NEAR(found.correlation, 0.10224753, 1e-6);
}

TEST_F(ColumnStatistics, NullsAndFewValues) {
  const auto found = of(types::oid::kInt4, [](int i) { return i % 4 == 0 ? Value::null() : Value::of_int32(i % 7); });
  EXPECT_EQ(found.null_fraction, 0.25);
  EXPECT_EQ(found.distinct, 7);
  EXPECT_EQ(integers(found.most_common, 7), (std::vector<int>{2, 3, 0, 1, 4, 5, 6}));
  EXPECT_NEAR(found.most_common_frequencies[0], 0.1075, 1e-9);
  EXPECT_NEAR(found.most_common_frequencies[6], 0.107, 1e-9);
}

TEST_F(ColumnStatistics, OneCommonValueAmongMany) {
  const auto found = of(types::oid::kInt4, [](int i) { return Value::of_int32(i <= 500 ? 1 : i); });
  EXPECT_NEAR(found.distinct, -0.7505, 1e-9);
  EXPECT_EQ(integers(found.most_common, 2), (std::vector<int>{1}));
  EXPECT_EQ(found.most_common_frequencies, std::vector<double>{0.25});
  EXPECT_EQ(integers(found.histogram, 3), (std::vector<int>{501, 515, 530}));
}

TEST_F(ColumnStatistics, Text) {
  const auto found =
      of(types::oid::kText, [](int i) { return Value::of_bytes("v" + std::to_string(i * 7919 % 2000)); });
  EXPECT_EQ(found.distinct, -1);
  EXPECT_EQ(static_cast<int>(found.average_width), 5);
  EXPECT_EQ(found.histogram[0].bytes(), "v0");
  EXPECT_EQ(found.histogram[1].bytes(), "v1014");
  EXPECT_EQ(found.histogram[2].bytes(), "v1032");
  EXPECT_NEAR(found.correlation, 0.0045433436, 1e-6);
}

// A sample says little about the values it has only once: they are more in a larger table.
TEST_F(ColumnStatistics, SampleOfALargerTable) {
  const auto few = of(types::oid::kInt4, [](int i) { return Value::of_int32(i % 10); }, 1000000);
  EXPECT_EQ(few.distinct, 10);
  const auto unique = of(types::oid::kInt4, [](int i) { return Value::of_int32(i); }, 1000000);
  EXPECT_EQ(unique.distinct, -1);
}

TEST_F(ColumnStatistics, OnlyNulls) {
  const auto found = of(types::oid::kInt4, [](int) { return Value::null(); });
  EXPECT_EQ(found.null_fraction, 1);
  EXPECT_EQ(found.distinct, 0);
  EXPECT_TRUE(found.histogram.empty());
}

}  // namespace
}  // namespace pando::session
