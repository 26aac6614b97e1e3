#pragma once

// The tables that say which kernel computes which of PostgreSQL's functions. A table file holds the kernels of one
// subject and lists them by pg_proc.prosrc; registry.cc joins them with the signatures in pg_proc.inc. A signature
// whose symbol no table names is not offered to users.
//
//   std::span<const KernelEntry> boolean_kernels() {
//     static constexpr KernelEntry kTable[] = {{"booleq", lift<equal>}};
//     return kTable;
//   }

#include <span>
#include <string_view>

#include "sql/function/function.h"

namespace pando::sql {

struct KernelEntry {
  constexpr KernelEntry(std::string_view s, ScalarKernel k) : symbol(s), scalar(k) {}
  constexpr KernelEntry(std::string_view s, SetKernel k) : symbol(s), set(k) {}
  constexpr KernelEntry(std::string_view s, WindowKernel k) : symbol(s), window(k) {}
  constexpr KernelEntry(std::string_view s, const AggregateKernels* k) : symbol(s), aggregate(k) {}

  std::string_view symbol;
  ScalarKernel scalar = nullptr;
  SetKernel set = nullptr;
  WindowKernel window = nullptr;
  const AggregateKernels* aggregate = nullptr;
};

using KernelTable = std::span<const KernelEntry>;

KernelTable arithmetic_kernels();
KernelTable comparison_kernels();
KernelTable boolean_kernels();
KernelTable number_cast_kernels();
KernelTable float_kernels();
KernelTable numeric_kernels();
KernelTable text_kernels();
KernelTable datetime_kernels();
KernelTable datetime_comparison_kernels();
KernelTable trigonometry_kernels();
KernelTable quoting_kernels();
KernelTable bytea_kernels();
KernelTable formatting_kernels();
KernelTable unicode_kernels();
KernelTable like_kernels();
KernelTable regex_kernels();
KernelTable array_kernels();
KernelTable enum_kernels();
KernelTable set_function_kernels();
KernelTable generic_comparison_kernels();
KernelTable statistics_aggregate_kernels();
KernelTable collecting_aggregate_kernels();
KernelTable window_kernels();
KernelTable json_building_kernels();
KernelTable json_access_kernels();
KernelTable jsonb_access_kernels();
KernelTable system_information_kernels();
KernelTable privilege_kernels();
KernelTable administration_kernels();
KernelTable length_kernels();
KernelTable datetime_field_kernels();
KernelTable jsonpath_kernels();
KernelTable basic_aggregate_kernels();

}  // namespace pando::sql
