#pragma once

// The input, output and other functions of PostgreSQL's types, by OID and name. Pando's types do not go through them;
// clients look for them (typreceive = 'array_recv'::regproc tells an array). Immutable facts; thread-safe.

#include <span>
#include <string_view>

#include "types/type.h"

namespace pando::catalog {

// Columns of pg_type; 0 for none.
struct TypeProcedures {
  types::Oid type = 0;
  types::Oid input = 0;
  types::Oid output = 0;
  types::Oid receive = 0;
  types::Oid send = 0;
  types::Oid modifier_in = 0;
  types::Oid modifier_out = 0;
  types::Oid subscript = 0;
  char delimiter = ',';
};
// nullptr for a type that PostgreSQL does not have.
const TypeProcedures* find_type_procedures(types::Oid type);

// Columns of pg_proc.
struct TypeProcedureName {
  types::Oid oid = 0;
  std::string_view name;
  std::string_view arguments;  // OIDs, separated by blanks
  types::Oid result = 0;
};
// In OID order.
std::span<const TypeProcedureName> type_procedure_names();
const TypeProcedureName* find_type_procedure(types::Oid oid);
// The first of that name.
const TypeProcedureName* find_type_procedure(std::string_view name);

}  // namespace pando::catalog
