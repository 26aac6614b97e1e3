// Comparison of numbers, text, bytes, uuids and the values that are plain integers inside.

#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/ordering.h"

namespace pando::sql {
namespace {

template <typename A, typename B>
bool equal(A a, B b) {
  return is_equal(a, b);
}
template <typename A, typename B>
bool not_equal(A a, B b) {
  return !is_equal(a, b);
}
template <typename A, typename B>
bool less(A a, B b) {
  return is_less(a, b);
}
template <typename A, typename B>
bool less_equal(A a, B b) {
  return !is_less(b, a);
}
template <typename A, typename B>
bool greater(A a, B b) {
  return is_less(b, a);
}
template <typename A, typename B>
bool greater_equal(A a, B b) {
  return !is_less(a, b);
}
template <typename A, typename B>
int32_t three_way(A a, B b) {
  return static_cast<int32_t>(is_less(b, a)) - static_cast<int32_t>(is_less(a, b));
}
template <typename T>
T larger(T a, T b) {
  return is_less(a, b) ? b : a;
}
template <typename T>
T smaller(T a, T b) {
  return is_less(b, a) ? b : a;
}
Borrowed larger_bytes(ByteView a, ByteView b) { return {a < b ? b : a}; }
Borrowed smaller_bytes(ByteView a, ByteView b) { return {b < a ? b : a}; }

// "char" compares as an unsigned byte, which is how its one byte of text compares.
struct Padded {
  static bool equal(ByteView a, ByteView b) { return without_padding(a) == without_padding(b); }
  static bool not_equal(ByteView a, ByteView b) { return !equal(a, b); }
  static bool less(ByteView a, ByteView b) { return without_padding(a) < without_padding(b); }
  static bool less_equal(ByteView a, ByteView b) { return !less(b, a); }
  static bool greater(ByteView a, ByteView b) { return less(b, a); }
  static bool greater_equal(ByteView a, ByteView b) { return !less(a, b); }
  static int32_t compare(ByteView a, ByteView b) {
    return static_cast<int32_t>(less(b, a)) - static_cast<int32_t>(less(a, b));
  }
  static Borrowed larger(ByteView a, ByteView b) { return {less(a, b) ? b : a}; }
  static Borrowed smaller(ByteView a, ByteView b) { return {less(b, a) ? b : a}; }
};

bool starts_with(ByteView text, ByteView prefix) { return text.starts_with(prefix); }

}  // namespace

#define PANDO_COMPARISONS(prefix, A, B)                                                                    \
  {prefix "eq", lift<equal<A, B>>}, {prefix "ne", lift<not_equal<A, B>>}, {prefix "lt", lift<less<A, B>>}, \
      {prefix "le", lift<less_equal<A, B>>}, {prefix "gt", lift<greater<A, B>>}, {                         \
    prefix "ge", lift<greater_equal<A, B>>                                                                 \
  }

KernelTable comparison_kernels() {
  using Int2 = int16_t;
  using Int4 = int32_t;
  using Int8 = int64_t;
  static constexpr KernelEntry kTable[] = {
      PANDO_COMPARISONS("bool", bool, bool),
      PANDO_COMPARISONS("int2", Int2, Int2),
      PANDO_COMPARISONS("int4", Int4, Int4),
      PANDO_COMPARISONS("int8", Int8, Int8),
      PANDO_COMPARISONS("int24", Int2, Int4),
      PANDO_COMPARISONS("int42", Int4, Int2),
      PANDO_COMPARISONS("int28", Int2, Int8),
      PANDO_COMPARISONS("int82", Int8, Int2),
      PANDO_COMPARISONS("int48", Int4, Int8),
      PANDO_COMPARISONS("int84", Int8, Int4),
      PANDO_COMPARISONS("oid", uint32_t, uint32_t),
      PANDO_COMPARISONS("float4", float, float),
      PANDO_COMPARISONS("float8", double, double),
      PANDO_COMPARISONS("float48", float, double),
      PANDO_COMPARISONS("float84", double, float),
      PANDO_COMPARISONS("char", ByteView, ByteView),
      PANDO_COMPARISONS("name", ByteView, ByteView),
      PANDO_COMPARISONS("bytea", ByteView, ByteView),
      PANDO_COMPARISONS("date_", Int4, Int4),
      PANDO_COMPARISONS("time_", Int8, Int8),
      PANDO_COMPARISONS("timestamp_", Int8, Int8),
      PANDO_COMPARISONS("uuid_", types::Uuid, types::Uuid),
      {"nameeqtext", lift<equal<ByteView, ByteView>>},
      {"namenetext", lift<not_equal<ByteView, ByteView>>},
      {"namelttext", lift<less<ByteView, ByteView>>},
      {"nameletext", lift<less_equal<ByteView, ByteView>>},
      {"namegttext", lift<greater<ByteView, ByteView>>},
      {"namegetext", lift<greater_equal<ByteView, ByteView>>},
      {"texteqname", lift<equal<ByteView, ByteView>>},
      {"textnename", lift<not_equal<ByteView, ByteView>>},
      {"textltname", lift<less<ByteView, ByteView>>},
      {"textlename", lift<less_equal<ByteView, ByteView>>},
      {"textgtname", lift<greater<ByteView, ByteView>>},
      {"textgename", lift<greater_equal<ByteView, ByteView>>},
      {"texteq", lift<equal<ByteView, ByteView>>},
      {"textne", lift<not_equal<ByteView, ByteView>>},
      {"text_lt", lift<less<ByteView, ByteView>>},
      {"text_le", lift<less_equal<ByteView, ByteView>>},
      {"text_gt", lift<greater<ByteView, ByteView>>},
      {"text_ge", lift<greater_equal<ByteView, ByteView>>},
      {"text_pattern_lt", lift<less<ByteView, ByteView>>},
      {"text_pattern_le", lift<less_equal<ByteView, ByteView>>},
      {"text_pattern_gt", lift<greater<ByteView, ByteView>>},
      {"text_pattern_ge", lift<greater_equal<ByteView, ByteView>>},
      {"bpchareq", lift<Padded::equal>},
      {"bpcharne", lift<Padded::not_equal>},
      {"bpcharlt", lift<Padded::less>},
      {"bpcharle", lift<Padded::less_equal>},
      {"bpchargt", lift<Padded::greater>},
      {"bpcharge", lift<Padded::greater_equal>},
      {"bpchar_pattern_lt", lift<Padded::less>},
      {"bpchar_pattern_le", lift<Padded::less_equal>},
      {"bpchar_pattern_gt", lift<Padded::greater>},
      {"bpchar_pattern_ge", lift<Padded::greater_equal>},
      {"bpchar_larger", lift<Padded::larger>},
      {"bpchar_smaller", lift<Padded::smaller>},
      {"btboolcmp", lift<three_way<bool, bool>>},
      {"btint2cmp", lift<three_way<Int2, Int2>>},
      {"btint4cmp", lift<three_way<Int4, Int4>>},
      {"btint8cmp", lift<three_way<Int8, Int8>>},
      {"btint24cmp", lift<three_way<Int2, Int4>>},
      {"btint42cmp", lift<three_way<Int4, Int2>>},
      {"btint28cmp", lift<three_way<Int2, Int8>>},
      {"btint82cmp", lift<three_way<Int8, Int2>>},
      {"btint48cmp", lift<three_way<Int4, Int8>>},
      {"btint84cmp", lift<three_way<Int8, Int4>>},
      {"btoidcmp", lift<three_way<uint32_t, uint32_t>>},
      {"btfloat4cmp", lift<three_way<float, float>>},
      {"btfloat8cmp", lift<three_way<double, double>>},
      {"btfloat48cmp", lift<three_way<float, double>>},
      {"btfloat84cmp", lift<three_way<double, float>>},
      {"btcharcmp", lift<three_way<ByteView, ByteView>>},
      {"btnamecmp", lift<three_way<ByteView, ByteView>>},
      {"bttextcmp", lift<three_way<ByteView, ByteView>>},
      {"bttext_pattern_cmp", lift<three_way<ByteView, ByteView>>},
      {"btnametextcmp", lift<three_way<ByteView, ByteView>>},
      {"bttextnamecmp", lift<three_way<ByteView, ByteView>>},
      {"byteacmp", lift<three_way<ByteView, ByteView>>},
      {"bpcharcmp", lift<Padded::compare>},
      {"btbpchar_pattern_cmp", lift<Padded::compare>},
      {"date_cmp", lift<three_way<Int4, Int4>>},
      {"time_cmp", lift<three_way<Int8, Int8>>},
      {"timestamp_cmp", lift<three_way<Int8, Int8>>},
      {"uuid_cmp", lift<three_way<types::Uuid, types::Uuid>>},
      {"int2larger", lift<larger<Int2>>},
      {"int2smaller", lift<smaller<Int2>>},
      {"int4larger", lift<larger<Int4>>},
      {"int4smaller", lift<smaller<Int4>>},
      {"int8larger", lift<larger<Int8>>},
      {"int8smaller", lift<smaller<Int8>>},
      {"oidlarger", lift<larger<uint32_t>>},
      {"oidsmaller", lift<smaller<uint32_t>>},
      {"float4larger", lift<larger<float>>},
      {"float4smaller", lift<smaller<float>>},
      {"float8larger", lift<larger<double>>},
      {"float8smaller", lift<smaller<double>>},
      {"date_larger", lift<larger<Int4>>},
      {"date_smaller", lift<smaller<Int4>>},
      {"time_larger", lift<larger<Int8>>},
      {"time_smaller", lift<smaller<Int8>>},
      {"timestamp_larger", lift<larger<Int8>>},
      {"timestamp_smaller", lift<smaller<Int8>>},
      {"text_larger", lift<larger_bytes>},
      {"text_smaller", lift<smaller_bytes>},
      {"text_starts_with", lift<starts_with>},
  };
  return kTable;
}

#undef PANDO_COMPARISONS

}  // namespace pando::sql
