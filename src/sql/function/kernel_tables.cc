#include <vector>

#include "sql/function/registry.h"

namespace pando::sql {

std::span<const KernelTable> kernel_tables() {
  static const std::vector<KernelTable> tables = {
      arithmetic_kernels(),
      comparison_kernels(),
      boolean_kernels(),
      number_cast_kernels(),
      float_kernels(),
      numeric_kernels(),
      text_kernels(),
      datetime_kernels(),
      datetime_field_kernels(),
      datetime_comparison_kernels(),
      trigonometry_kernels(),
      quoting_kernels(),
      bytea_kernels(),
      formatting_kernels(),
      unicode_kernels(),
      like_kernels(),
      regex_kernels(),
      array_kernels(),
      enum_kernels(),
      set_function_kernels(),
      generic_comparison_kernels(),
      statistics_aggregate_kernels(),
      collecting_aggregate_kernels(),
      window_kernels(),
      json_building_kernels(),
      json_access_kernels(),
      jsonb_access_kernels(),
      jsonpath_kernels(),
      system_information_kernels(),
      privilege_kernels(),
      administration_kernels(),
      length_kernels(),
      basic_aggregate_kernels(),
  };
  return tables;
}

}  // namespace pando::sql
