#pragma once

// The views of pg_catalog and information_schema, as SQL over pg_catalog's tables: the way PostgreSQL itself defines
// them. Columns of pg_catalog's views come from pg_catalog_relations.inc; others list theirs.

#include <span>
#include <string_view>

#include "catalog/descriptor.h"

namespace pando::catalog {

struct SystemView {
  Oid schema;
  std::string_view name;
  // "name:type oid,..."; empty for pg_catalog's.
  std::string_view columns;
  std::string_view sql;
};

std::span<const SystemView> system_views();
// Those of information_schema that are not among the ones above.
std::span<const SystemView> information_schema_views();

}  // namespace pando::catalog
