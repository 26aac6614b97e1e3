// Comparison of arrays, records, jsonb, oidvector, tid, xid and xid8: through types/compare.h, by the argument's type.

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/compare.h"
#include "types/record.h"

namespace pando::sql {
namespace {

int sign_of(std::strong_ordering order) { return order < 0 ? -1 : static_cast<int>(order > 0); }

// Compares byte-string values of the first argument's type.
struct OfType {
  using Argument = ByteView;
  static Result<int> compare(const CallTypes& types, ByteView a, ByteView b) {
    const types::Oid type = types.arguments[0].oid;
    if (types::is_array(type) && !types::is_orderable(type)) {
      return Status(sql_state::kUndefinedFunction, "could not identify a comparison function for type {}",
                    types::format_type({types::element_of(type)}));
    }
    return sign_of(types::compare_bytes(type, a, b));
  }
};
struct Records {
  using Argument = ByteView;
  static Result<int> compare(const CallTypes&, ByteView a, ByteView b) {
    PANDO_ASSIGN(const auto order, types::compare_records(a, b));
    return sign_of(order);
  }
};
// Byte-wise equality of representation; the order is arbitrary but total.
struct RecordImages {
  using Argument = ByteView;
  static Result<int> compare(const CallTypes&, ByteView a, ByteView b) { return a < b ? -1 : static_cast<int>(b < a); }
};
template <typename T>
struct Plain {
  using Argument = T;
  static Result<int> compare(const CallTypes&, T a, T b) { return a < b ? -1 : static_cast<int>(b < a); }
};

enum class Test : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };
template <typename Kind, Test kTest>
Result<bool> test(const CallTypes& types, typename Kind::Argument a, typename Kind::Argument b) {
  PANDO_ASSIGN(const int order, Kind::compare(types, a, b));
  switch (kTest) {
    case Test::kEq:
      return order == 0;
    case Test::kNe:
      return order != 0;
    case Test::kLt:
      return order < 0;
    case Test::kLe:
      return order <= 0;
    case Test::kGt:
      return order > 0;
    case Test::kGe:
      return order >= 0;
  }
}
template <typename Kind>
Result<int32_t> three_way(const CallTypes& types, typename Kind::Argument a, typename Kind::Argument b) {
  return Kind::compare(types, a, b);
}
template <typename Kind, bool kLarger>
Result<types::Value> extreme(const CallTypes& types, types::Value a, types::Value b) {
  int order = 0;
  if constexpr (std::is_same_v<typename Kind::Argument, ByteView>) {
    PANDO_ASSIGN(order, Kind::compare(types, a.bytes(), b.bytes()));
  } else {
    PANDO_ASSIGN(order, Kind::compare(types, a.as<typename Kind::Argument>(), b.as<typename Kind::Argument>()));
  }
  return (kLarger ? order >= 0 : order < 0) ? a : b;
}

// Equality of arrays needs no order of the element type.
template <bool kNegated>
bool arrays_equal(const CallTypes& types, ByteView a, ByteView b) {
  return types::equal_bytes(types.arguments[0].oid, a, b) != kNegated;
}
template <bool kNegated>
bool same_uint32(uint32_t a, uint32_t b) {
  return (a == b) != kNegated;
}
uint32_t xid_of_xid8(int64_t value) { return static_cast<uint32_t>(value); }
bool same_bytes(ByteView a, ByteView b) { return a == b; }

}  // namespace

#define PANDO_TESTS(prefix, Kind)                                                             \
  {prefix "eq", lift<test<Kind, Test::kEq>>}, {prefix "ne", lift<test<Kind, Test::kNe>>},     \
      {prefix "lt", lift<test<Kind, Test::kLt>>}, {prefix "le", lift<test<Kind, Test::kLe>>}, \
      {prefix "gt", lift<test<Kind, Test::kGt>>}, {                                           \
    prefix "ge", lift<test<Kind, Test::kGe>>                                                  \
  }

KernelTable generic_comparison_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"array_eq", lift<arrays_equal<false>>},
      {"array_ne", lift<arrays_equal<true>>},
      {"array_lt", lift<test<OfType, Test::kLt>>},
      {"array_le", lift<test<OfType, Test::kLe>>},
      {"array_gt", lift<test<OfType, Test::kGt>>},
      {"array_ge", lift<test<OfType, Test::kGe>>},
      {"btarraycmp", lift<three_way<OfType>>},
      {"array_larger", lift<extreme<OfType, true>>},
      {"array_smaller", lift<extreme<OfType, false>>},
      PANDO_TESTS("oidvector", OfType),
      {"btoidvectorcmp", lift<three_way<OfType>>},
      PANDO_TESTS("jsonb_", OfType),
      {"jsonb_cmp", lift<three_way<OfType>>},
      PANDO_TESTS("record_", Records),
      {"btrecordcmp", lift<three_way<Records>>},
      PANDO_TESTS("record_image_", RecordImages),
      {"btrecordimagecmp", lift<three_way<RecordImages>>},
      PANDO_TESTS("tid", Plain<int64_t>),
      {"bttidcmp", lift<three_way<Plain<int64_t>>>},
      {"tidlarger", lift<extreme<Plain<int64_t>, true>>},
      {"tidsmaller", lift<extreme<Plain<int64_t>, false>>},
      PANDO_TESTS("xid8", Plain<int64_t>),
      PANDO_TESTS("enum_", Plain<int64_t>),
      {"enum_cmp", lift<three_way<Plain<int64_t>>>},
      {"enum_larger", lift<extreme<Plain<int64_t>, true>>},
      {"enum_smaller", lift<extreme<Plain<int64_t>, false>>},
      {"xid8cmp", lift<three_way<Plain<int64_t>>>},
      {"xid8_larger", lift<extreme<Plain<int64_t>, true>>},
      {"xid8_smaller", lift<extreme<Plain<int64_t>, false>>},
      {"xid8toxid", lift<xid_of_xid8>},
      {"cideq", lift<same_uint32<false>>},
      // xid against int4 as well: the bits are compared.
      {"xideq", lift<same_uint32<false>>},
      {"xidneq", lift<same_uint32<true>>},
      {"aclitem_eq", lift<same_bytes>},
  };
  return kTable;
}

#undef PANDO_TESTS

}  // namespace pando::sql
