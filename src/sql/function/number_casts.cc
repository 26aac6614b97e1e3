// Casts among integers, floats, numeric, oid and the reg* types, which are oids inside.

#include <cmath>
#include <limits>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/numeric.h"

namespace pando::sql {
namespace {

namespace numeric = types::numeric;

template <typename From, typename To>
To widen(From value) {
  return static_cast<To>(value);
}
template <typename From, typename To>
Result<To> narrow(From value) {
  if (value < std::numeric_limits<To>::min() || value > std::numeric_limits<To>::max()) {
    return out_of_range<To>();
  }
  return static_cast<To>(value);
}
// Rounds half to even; limits compare as floats so that 2^31 itself is refused.
template <typename From, typename To>
Result<To> round_to(From value) {
  const From rounded = std::rint(value);
  const auto low = static_cast<From>(std::numeric_limits<To>::min());
  if (!(rounded >= low && rounded < -low)) {
    return out_of_range<To>();
  }
  return static_cast<To>(rounded);
}
Result<float> float8_to_float4(double value) {
  const auto narrowed = static_cast<float>(value);
  if (std::isinf(narrowed) && !std::isinf(value)) {
    return float_overflow();
  }
  if (narrowed == 0 && value != 0) {
    return float_underflow();
  }
  return narrowed;
}
Result<uint32_t> int8_to_oid(int64_t value) {
  if (value < 0 || value > std::numeric_limits<uint32_t>::max()) {
    return Status(sql_state::kNumericValueOutOfRange, "OID out of range");
  }
  return static_cast<uint32_t>(value);
}
template <typename Int>
Bytes int_to_numeric(Int value) {
  return numeric::from_int64(value);
}
Bytes float8_to_numeric(double value) { return numeric::from_float64(value); }
Bytes float4_to_numeric(float value) { return numeric::from_float32(value); }
Result<int16_t> numeric_to_int2(ByteView value) { return numeric::to_int16(value); }
Result<int32_t> numeric_to_int4(ByteView value) { return numeric::to_int32(value); }
Result<int64_t> numeric_to_int8(ByteView value) { return numeric::to_int64(value); }
Result<double> numeric_to_float8(ByteView value) { return numeric::to_float64(value); }
Result<float> numeric_to_float4(ByteView value) { return numeric::to_float32(value); }
Result<Bytes> numeric_scale(ByteView value, int32_t modifier) {
  Bytes out;
  PANDO_TRY(numeric::apply_modifier(value, modifier, out));
  return out;
}

}  // namespace

KernelTable number_cast_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"i2toi4", lift<widen<int16_t, int32_t>>},
      {"i4toi2", lift<narrow<int32_t, int16_t>>},
      {"int28", lift<widen<int16_t, int64_t>>},
      {"int82", lift<narrow<int64_t, int16_t>>},
      {"int48", lift<widen<int32_t, int64_t>>},
      {"int84", lift<narrow<int64_t, int32_t>>},
      {"i2tof", lift<widen<int16_t, float>>},
      {"i4tof", lift<widen<int32_t, float>>},
      {"i8tof", lift<widen<int64_t, float>>},
      {"i2tod", lift<widen<int16_t, double>>},
      {"i4tod", lift<widen<int32_t, double>>},
      {"i8tod", lift<widen<int64_t, double>>},
      {"ftod", lift<widen<float, double>>},
      {"dtof", lift<float8_to_float4>},
      {"ftoi2", lift<round_to<float, int16_t>>},
      {"ftoi4", lift<round_to<float, int32_t>>},
      {"ftoi8", lift<round_to<float, int64_t>>},
      {"dtoi2", lift<round_to<double, int16_t>>},
      {"dtoi4", lift<round_to<double, int32_t>>},
      {"dtoi8", lift<round_to<double, int64_t>>},
      {"oidtoi8", lift<widen<uint32_t, int64_t>>},
      {"i8tooid", lift<int8_to_oid>},
      {"int2_numeric", lift<int_to_numeric<int16_t>>},
      {"int4_numeric", lift<int_to_numeric<int32_t>>},
      {"int8_numeric", lift<int_to_numeric<int64_t>>},
      {"float4_numeric", lift<float4_to_numeric>},
      {"float8_numeric", lift<float8_to_numeric>},
      {"numeric_int2", lift<numeric_to_int2>},
      {"numeric_int4", lift<numeric_to_int4>},
      {"numeric_int8", lift<numeric_to_int8>},
      {"numeric_float4", lift<numeric_to_float4>},
      {"numeric_float8", lift<numeric_to_float8>},
      {"numeric", lift<numeric_scale>},
  };
  return kTable;
}

}  // namespace pando::sql
