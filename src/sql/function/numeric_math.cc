// numeric: operators and functions over types/numeric.h.

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/numeric.h"

namespace pando::sql {
namespace {

namespace numeric = types::numeric;

using Binary = Status (*)(ByteView, ByteView, Bytes&);
using Unary = Status (*)(ByteView, Bytes&);
using UnaryTotal = void (*)(ByteView, Bytes&);

// One buffer serves all rows of a vector.
template <Binary kOperation>
Status binary(EvaluationContext&, const CallTypes&, std::span<const types::Vector* const> arguments, std::size_t rows,
              types::Vector& out) {
  Bytes result;
  for (std::size_t row = 0; row < rows; ++row) {
    if (!out.is_null(row)) {
      PANDO_TRY(kOperation(arguments[0]->bytes_at(row), arguments[1]->bytes_at(row), result));
      out.set_bytes(row, result);
    }
  }
  return {};
}
template <Unary kOperation>
Result<Bytes> unary(ByteView value) {
  Bytes result;
  PANDO_TRY(kOperation(value, result));
  return result;
}
template <UnaryTotal kOperation>
Bytes unary_total(ByteView value) {
  Bytes result;
  kOperation(value, result);
  return result;
}

bool equal(ByteView a, ByteView b) { return numeric::compare(a, b) == 0; }
bool not_equal(ByteView a, ByteView b) { return numeric::compare(a, b) != 0; }
bool less(ByteView a, ByteView b) { return numeric::compare(a, b) < 0; }
bool less_equal(ByteView a, ByteView b) { return numeric::compare(a, b) <= 0; }
bool greater(ByteView a, ByteView b) { return numeric::compare(a, b) > 0; }
bool greater_equal(ByteView a, ByteView b) { return numeric::compare(a, b) >= 0; }
int32_t three_way(ByteView a, ByteView b) {
  const auto order = numeric::compare(a, b);
  return order < 0 ? -1 : static_cast<int32_t>(order > 0);
}
Borrowed larger(ByteView a, ByteView b) { return {numeric::compare(a, b) > 0 ? a : b}; }
Borrowed smaller(ByteView a, ByteView b) { return {numeric::compare(a, b) < 0 ? a : b}; }
Borrowed plus(ByteView a) { return {a}; }

Result<Bytes> round_to(ByteView value, int32_t scale) {
  Bytes result;
  numeric::round(value, scale, result);
  if (result.empty()) {
    return Status(sql_state::kNumericValueOutOfRange, "value overflows numeric format");
  }
  return result;
}
Result<Bytes> round_whole(ByteView value) { return round_to(value, 0); }
Bytes truncate_to(ByteView value, int32_t scale) {
  Bytes result;
  numeric::truncate(value, scale, result);
  return result;
}
Bytes truncate_whole(ByteView value) { return truncate_to(value, 0); }
std::optional<int32_t> scale_of(ByteView value) { return numeric::scale(value); }
std::optional<int32_t> min_scale_of(ByteView value) { return numeric::min_scale(value); }
Result<Bytes> factorial(int64_t value) {
  Bytes result;
  PANDO_TRY(numeric::factorial(value, result));
  return result;
}
Result<int32_t> width_bucket(ByteView operand, ByteView low, ByteView high, int32_t count) {
  return numeric::width_bucket(operand, low, high, count);
}

}  // namespace

KernelTable numeric_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"numeric_add", binary<numeric::add>},
      {"numeric_sub", binary<numeric::subtract>},
      {"numeric_mul", binary<numeric::multiply>},
      {"numeric_div", binary<numeric::divide>},
      {"numeric_div_trunc", binary<numeric::divide_truncated>},
      {"numeric_mod", binary<numeric::modulo>},
      {"numeric_gcd", binary<numeric::gcd>},
      {"numeric_lcm", binary<numeric::lcm>},
      {"numeric_power", binary<numeric::power>},
      {"numeric_log", binary<numeric::log>},
      {"numeric_exp", lift<unary<numeric::exp>>},
      {"numeric_ln", lift<unary<numeric::ln>>},
      {"log(numeric)", lift<unary<numeric::log10>>},
      {"log10(numeric)", lift<unary<numeric::log10>>},
      {"numeric_sqrt", lift<unary<numeric::sqrt>>},
      {"numeric_inc", lift<unary<numeric::increment>>},
      {"numeric_abs", lift<unary_total<numeric::absolute>>},
      {"numeric_uminus", lift<unary_total<numeric::negate>>},
      {"numeric_uplus", lift<plus>},
      {"numeric_sign", lift<unary_total<numeric::sign>>},
      {"numeric_ceil", lift<unary_total<numeric::ceil>>},
      {"numeric_floor", lift<unary_total<numeric::floor>>},
      {"numeric_trim_scale", lift<unary_total<numeric::trim_scale>>},
      {"numeric_round", lift<round_to>},
      {"round(numeric)", lift<round_whole>},
      {"numeric_trunc", lift<truncate_to>},
      {"trunc(numeric)", lift<truncate_whole>},
      {"numeric_scale", lift<scale_of>},
      {"numeric_min_scale", lift<min_scale_of>},
      {"numeric_fac", lift<factorial>},
      {"width_bucket_numeric", lift<width_bucket>},
      {"numeric_eq", lift<equal>},
      {"numeric_ne", lift<not_equal>},
      {"numeric_lt", lift<less>},
      {"numeric_le", lift<less_equal>},
      {"numeric_gt", lift<greater>},
      {"numeric_ge", lift<greater_equal>},
      {"numeric_cmp", lift<three_way>},
      {"numeric_larger", lift<larger>},
      {"numeric_smaller", lift<smaller>},
  };
  return kTable;
}

}  // namespace pando::sql
