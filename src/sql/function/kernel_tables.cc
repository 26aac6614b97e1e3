#include <vector>

#include "sql/function/registry.h"

namespace pando::sql {

std::span<const KernelTable> kernel_tables() {
  static const std::vector<KernelTable> tables = {
      arithmetic_kernels(), comparison_kernels(), boolean_kernels(), number_cast_kernels(),
      float_kernels(),      numeric_kernels(),    text_kernels(),    basic_aggregate_kernels(),
  };
  return tables;
}

}  // namespace pando::sql
