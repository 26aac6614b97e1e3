#pragma once

// The rows of the generated signature tables, and what joins them with kernels. For registry.cc and its tests; users
// of functions include sql/function/function.h.

#include <span>
#include <string_view>

#include "sql/function/kernel_table.h"
#include "types/type.h"

namespace pando::sql {

struct ProcRow {
  types::Oid oid;
  std::string_view name;
  std::string_view symbol;
  std::string_view arguments;  // OIDs, separated by blanks
  types::Oid result;
  bool variadic;
  bool strict;
  char volatility;
  char kind;  // pg_proc.prokind, or 's' for set-returning
  uint8_t defaults;
  std::string_view default_arguments;  // SQL expressions, separated by commas
  std::string_view argument_names;     // of the input arguments, separated by commas
  std::string_view out_columns;        // "name oid", separated by commas
  std::string_view aggregate_kind;     // "o" ordered-set, "h" hypothetical-set
};

struct OperatorRow {
  types::Oid oid;
  std::string_view name;
  types::Oid left;
  types::Oid right;
  types::Oid result;
  types::Oid function;
  std::string_view commutator;
  std::string_view negator;
};

struct CastRow {
  types::Oid source;
  types::Oid target;
  char context;
  char method;
  types::Oid function;
};

// Every table of kernels.
std::span<const KernelTable> kernel_tables();
// PostgreSQL's signatures, with or without a kernel of ours.
std::span<const ProcRow> signature_rows();

}  // namespace pando::sql
