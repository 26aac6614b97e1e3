#include "types/row_codec.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "types/array.h"
#include "types/compare.h"
#include "types/record.h"
#include "types/text_io.h"

namespace pando::types {
namespace {

Value parsed(Oid type, std::string_view text) {
  const Settings settings;
  return parse_text({type}, text, settings).value();
}

struct Sample {
  Oid type;
  std::vector<std::string> texts;
};

// Values of each type with what makes order hard: signs, zeros, prefixes, infinities.
std::vector<Sample> samples() {
  return {
      {oid::kBool, {"f", "t"}},
      {oid::kInt2, {"-32768", "-1", "0", "1", "32767"}},
      {oid::kInt4, {"-2147483648", "-256", "-1", "0", "1", "255", "256", "2147483647"}},
      {oid::kInt8, {"-9223372036854775808", "-4294967296", "-1", "0", "1", "4294967295", "9223372036854775807"}},
      {oid::kOid, {"0", "1", "4294967295"}},
      {oid::kFloat4, {"-inf", "-1.5", "-0", "0", "1e-40", "1.5", "inf", "nan"}},
      {oid::kFloat8, {"-inf", "-1.5", "-0", "0", "1e-310", "1.5", "inf", "nan"}},
      {oid::kNumeric,
       {"-Infinity",
        "-1e50",
        "-123.456",
        "-123.4",
        "-1",
        "-0.001",
        "0",
        "0.00",
        "1e-200",
        "0.001",
        "0.1",
        "0.10",
        "1",
        "1.0",
        "9.9",
        "10",
        "12",
        "120",
        "123",
        "123.4",
        "123.456",
        "1e20",
        "1e50",
        "1e300",
        "Infinity",
        "NaN",
        "170141183460469231731687303715884105728",
        "-170141183460469231731687303715884105728"}},
      {oid::kText, {"", "a", "ab", "b", "ä", "zz"}},
      {oid::kBpchar, {"", "a", "a  ", "ab", "b "}},
      {oid::kBytea, {"\\x", "\\x00", "\\x0000", "\\x0001", "\\x01", "\\xff", "\\xff00"}},
      {oid::kDate, {"-infinity", "0044-03-15 BC", "1999-12-31", "2000-01-01", "2001-02-03", "infinity"}},
      {oid::kTime, {"00:00", "04:05:06.789", "24:00"}},
      {oid::kTimetz, {"04:05+02", "04:05+01", "05:05+02", "03:05+01", "04:05-01"}},
      {oid::kTimestamp, {"-infinity", "1970-01-01", "2000-01-01", "2001-02-03 04:05:06.7", "infinity"}},
      {oid::kInterval,
       {"-1 month", "-30 days", "-1 us", "0", "1 us", "29 days", "30 days", "1 month", "720:00:00", "178000000 years"}},
      {oid::kUuid,
       {"00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "ffffffff-ffff-ffff-ffff-ffffffffffff"}},
      {oid::kInt4Array, {"{}", "{1}", "{1,NULL}", "{1,2}", "{2}", "{NULL}", "{{1,2}}", "[0:1]={1,2}", "{-1}"}},
      {oid::kTextArray, {"{}", "{\"\"}", "{a}", "{a,b}", "{ab}", "{NULL}"}},
      {oid::kJsonb,
       {"[]", "null", "\"a\"", "\"b\"", "1", "1.0", "2", "false", "true", "[1]", "[1,2]", "[2]", "{}", "{\"a\":1}",
        "{\"b\":1}", "{\"a\":1,\"b\":2}"}},
  };
}

// Equality that holds for NaN too.
bool same(const Value& a, const Value& b) {
  Bytes left;
  Bytes right;
  append_raw(a, left);
  append_raw(b, right);
  return a.is_null() == b.is_null() && left == right;
}

Bytes key_of(Oid type, const Value& value, KeyOrder order) {
  Bytes key;
  append_key(key, type, value, order);
  return key;
}

TEST(KeyCodecTest, OrdersAsComparison) {
  for (const Sample& sample : samples()) {
    for (const KeyOrder order : {KeyOrder{}, KeyOrder{.descending = true, .nulls_first = true}}) {
      for (const std::string& a : sample.texts) {
        for (const std::string& b : sample.texts) {
          const Value x = parsed(sample.type, a);
          const Value y = parsed(sample.type, b);
          auto expected = compare_values(sample.type, x, y);
          if (order.descending) {
            expected = 0 <=> expected;
          }
          const Bytes left = key_of(sample.type, x, order);
          const Bytes right = key_of(sample.type, y, order);
          EXPECT_TRUE((left.compare(right) <=> 0) == expected)
              << format_type({sample.type}) << ": " << a << " and " << b;
          if (expected == 0) {
            EXPECT_EQ(hash_value(sample.type, x), hash_value(sample.type, y)) << a << " and " << b;
            EXPECT_TRUE(equal_values(sample.type, x, y));
          }
        }
      }
    }
  }
}

TEST(KeyCodecTest, NullsSortWhereTold) {
  const Value one = Value::of_int32(1);
  EXPECT_LT(key_of(oid::kInt4, one, {}), key_of(oid::kInt4, Value::null(), {}));
  const KeyOrder first{.descending = true, .nulls_first = true};
  EXPECT_LT(key_of(oid::kInt4, Value::null(), first), key_of(oid::kInt4, one, first));
}

TEST(KeyCodecTest, DecodesAndSkips) {
  for (const Sample& sample : samples()) {
    for (const KeyOrder order : {KeyOrder{}, KeyOrder{.descending = true, .nulls_first = true}}) {
      for (const std::string& text : sample.texts) {
        const Value value = parsed(sample.type, text);
        Bytes key = key_of(sample.type, value, order);
        append_key(key, oid::kInt4, Value::of_int32(7), order);
        ByteView rest = key;
        ASSERT_TRUE(skip_key(rest, sample.type, order).ok()) << text;
        EXPECT_EQ(rest.size(), 5U) << format_type({sample.type}) << " " << text;
        rest = key;
        Value decoded;
        const Status status = take_key(rest, sample.type, order, decoded);
        if (status.is(sql_state::kFeatureNotSupported)) {
          EXPECT_FALSE(is_key_exact(sample.type));
          continue;
        }
        ASSERT_TRUE(status.ok()) << text;
        EXPECT_EQ(rest.size(), 5U);
        EXPECT_TRUE(equal_values(sample.type, decoded, value)) << text;
        if (is_key_exact(sample.type)) {
          EXPECT_EQ(decoded, value) << text;
        }
        for (std::size_t size = 0; size + 5 < key.size(); ++size) {
          ByteView cut = ByteView(key).substr(0, size);
          EXPECT_FALSE(take_key(cut, sample.type, order, decoded).ok()) << text << " cut at " << size;
        }
      }
    }
  }
}

std::vector<RowColumn> columns_of(const std::vector<Sample>& kinds) {
  std::vector<RowColumn> columns;
  for (const Sample& sample : kinds) {
    columns.push_back({static_cast<int16_t>(columns.size() + 1), {sample.type}, Value::null()});
  }
  return columns;
}

TEST(RowCodecTest, RoundTripsRandomRows) {
  const auto kinds = samples();
  const auto columns = columns_of(kinds);
  const RowEncoder encoder(columns, 3);
  const RowDecoder decoder(columns);
  Prng prng(17);
  std::vector<std::vector<Value>> rows;
  std::vector<Bytes> encoded;
  for (int i = 0; i < 500; ++i) {
    std::vector<Value> row;
    for (const Sample& sample : kinds) {
      const bool null = prng.below(5) == 0;
      row.push_back(null ? Value::null() : parsed(sample.type, sample.texts[prng.below(sample.texts.size())]));
    }
    if (i % 10 == 0) {
      row[8] = Value::of_bytes(Bytes(prng.below(100000), 'x'));
    }
    encoded.emplace_back();
    encoder.encode(row, encoded.back());
    rows.push_back(std::move(row));
  }
  const std::vector<ByteView> views(encoded.begin(), encoded.end());
  std::vector<Vector> vectors(columns.size());
  std::vector<Vector*> outs;
  for (Vector& vector : vectors) {
    outs.push_back(&vector);
  }
  ASSERT_TRUE(decoder.decode(views, outs).ok());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<Value> decoded;
    ASSERT_TRUE(decoder.decode_row(views[i], decoded).ok());
    for (std::size_t c = 0; c < columns.size(); ++c) {
      ASSERT_TRUE(same(decoded[c], rows[i][c])) << "row " << i << " column " << c;
      ASSERT_TRUE(same(vectors[c].get(i), rows[i][c])) << "row " << i << " column " << c;
    }
    EXPECT_EQ(row_schema_version(views[i]).value(), 3U);
    Bytes again;
    encoder.encode(std::vector<const Vector*>(outs.begin(), outs.end()), i, again);
    EXPECT_EQ(again, encoded[i]);
  }
}

TEST(RowCodecTest, ColumnsComeAndGo) {
  const RowEncoder old_encoder({{1, {oid::kInt4}, {}}, {2, {oid::kText}, {}}, {3, {oid::kInt8}, {}}});
  Bytes row;
  old_encoder.encode(std::vector<Value>{Value::of_int32(1), Value::of_bytes("gone"), Value::of_int64(-5)}, row);
  const RowDecoder decoder({{1, {oid::kInt4}, {}}, {3, {oid::kInt8}, {}}, {4, {oid::kText}, Value::of_bytes("new")}});
  std::vector<Value> values;
  ASSERT_TRUE(decoder.decode_row(row, values).ok());
  EXPECT_EQ(values, (std::vector<Value>{Value::of_int32(1), Value::of_int64(-5), Value::of_bytes("new")}));
}

// No cut or flipped byte may do more than fail or give other values.
TEST(RowCodecTest, SurvivesMalformedRows) {
  const RowEncoder encoder({{1, {oid::kInt4}, {}}, {2, {oid::kText}, {}}, {4, {oid::kInterval}, {}}});
  const RowDecoder decoder({{1, {oid::kInt4}, {}}, {2, {oid::kText}, {}}, {4, {oid::kInterval}, {}}});
  Bytes row;
  encoder.encode(std::vector<Value>{Value::of_int32(1), Value::of_bytes("text"), Value::null()}, row);
  std::vector<Value> values;
  int failures = 0;
  for (std::size_t size = 0; size < row.size(); ++size) {
    failures += decoder.decode_row(Bytes(row, 0, size), values).ok() ? 0 : 1;
  }
  EXPECT_GT(failures, 5);
  for (std::size_t i = 0; i < row.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes flipped = row;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      decoder.decode_row(flipped, values).ignore("any answer will do, as long as memory stays whole");
    }
  }
}

}  // namespace
}  // namespace pando::types
