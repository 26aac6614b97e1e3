#include "catalog/system_rows.h"

#include <algorithm>
#include <array>

namespace pando::catalog {
namespace {

struct Entry {
  std::string_view relation;
  SystemRowFunction write;
};

constexpr std::array kEntries = {
    Entry{"pg_am", write_pg_am},
    Entry{"pg_attrdef", write_pg_attrdef},
    Entry{"pg_attribute", write_pg_attribute},
    Entry{"pg_authid", write_pg_authid},
    Entry{"pg_class", write_pg_class},
    Entry{"pg_collation", write_pg_collation},
    Entry{"pg_constraint", write_pg_constraint},
    Entry{"pg_database", write_pg_database},
    Entry{"pg_depend", write_pg_depend},
    Entry{"pg_description", write_pg_description},
    Entry{"pg_enum", write_pg_enum},
    Entry{"pg_extension", write_pg_extension},
    Entry{"pg_index", write_pg_index},
    Entry{"pg_language", write_pg_language},
    Entry{"pg_namespace", write_pg_namespace},
    Entry{"pg_opclass", write_pg_opclass},
    Entry{"pg_opfamily", write_pg_opfamily},
    Entry{"pg_rewrite", write_pg_rewrite},
    Entry{"pg_sequence", write_pg_sequence},
    Entry{"pg_tablespace", write_pg_tablespace},
    Entry{"pg_type", write_pg_type},
};

}  // namespace

Result<std::vector<types::Chunk>> system_rows(const TableDescriptor& table, const SystemRowContext& context) {
  SystemRowWriter writer(table);
  const auto* entry = std::ranges::find(kEntries, table.name, &Entry::relation);
  if (table.schema == kPgCatalogSchema && entry != kEntries.end()) {
    entry->write(context, writer);
    // What views depend on only who can bind their queries knows; and of other databases the session does.
    if ((table.name == "pg_depend" || table.name == "pg_database") && context.source) {
      context.source(table.name, writer);
    }
  } else if (context.source) {
    context.source(table.name, writer);
  }
  return std::move(writer).take();
}

}  // namespace pando::catalog
