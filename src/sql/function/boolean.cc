// bool: casts to and from it, and the functions behind AND-like aggregates.

#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/array.h"

namespace pando::sql {
namespace {

bool both(bool a, bool b) { return a && b; }
bool either(bool a, bool b) { return a || b; }
int32_t bool_to_int4(bool a) { return a ? 1 : 0; }
bool int4_to_bool(int32_t a) { return a != 0; }
Bytes bool_to_text(bool a) { return a ? "true" : "false"; }

// num_nonnulls and num_nulls count arguments, or the elements of a VARIADIC array.
template <bool kNulls>
Status count_nulls(EvaluationContext&, const CallTypes& types, std::span<const types::Vector* const> arguments,
                   std::size_t rows, types::Vector& out) {
  auto* counts = out.data<int32_t>();
  std::fill_n(counts, rows, 0);
  if (types.variadic_array) {
    for (std::size_t row = 0; row < rows; ++row) {
      if (arguments[0]->is_null(row)) {
        out.set_null(row);
        continue;
      }
      const types::ArrayView array(arguments[0]->bytes_at(row));
      for (std::size_t i = 0; i < array.size(); ++i) {
        counts[row] += static_cast<int32_t>(array.is_null(i) == kNulls);
      }
    }
    return {};
  }
  for (const types::Vector* argument : arguments) {
    for (std::size_t row = 0; row < rows; ++row) {
      counts[row] += static_cast<int32_t>(argument->is_null(row) == kNulls);
    }
  }
  return {};
}

}  // namespace

KernelTable boolean_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"booland_statefunc", lift<both>},       {"boolor_statefunc", lift<either>}, {"bool_int4", lift<bool_to_int4>},
      {"int4_bool", lift<int4_to_bool>},       {"booltext", lift<bool_to_text>},   {"pg_num_nulls", count_nulls<true>},
      {"pg_num_nonnulls", count_nulls<false>},
  };
  return kTable;
}

}  // namespace pando::sql
