#include "catalog/type_procedures.h"

#include <algorithm>

namespace pando::catalog {
namespace {

constexpr TypeProcedures kTypes[] = {
#include "catalog/pg_type_procedures.inc"
};
constexpr TypeProcedureName kNames[] = {
#include "catalog/pg_type_procedure_names.inc"
};

}  // namespace

const TypeProcedures* find_type_procedures(types::Oid type) {
  const auto* found = std::ranges::lower_bound(kTypes, type, {}, &TypeProcedures::type);
  return found != std::end(kTypes) && found->type == type ? found : nullptr;
}

std::span<const TypeProcedureName> type_procedure_names() { return kNames; }

const TypeProcedureName* find_type_procedure(types::Oid oid) {
  const auto* found = std::ranges::lower_bound(kNames, oid, {}, &TypeProcedureName::oid);
  return found != std::end(kNames) && found->oid == oid ? found : nullptr;
}

const TypeProcedureName* find_type_procedure(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name, &TypeProcedureName::name);
  return found != std::end(kNames) ? found : nullptr;
}

}  // namespace pando::catalog
