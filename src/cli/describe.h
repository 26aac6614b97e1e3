#pragma once

// The shell's \d family: the SQL behind each command. Pure functions.

#include <string>
#include <vector>

namespace pando::cli {

struct DescribeQuery {
  std::string title;
  std::string sql;
  // What follows the table, from the rows of these: a heading and one line for each row.
  struct Footer {
    std::string heading;
    std::string sql;
  };
  std::vector<Footer> footers;
};

// \dt, \di, \ds, \dv, \d without a name, \dn, \du, \df, \l. Empty SQL for an unknown command. `pattern` is psql's: *
// and ? are wildcards, schema.name is split.
DescribeQuery list_query(const std::string& command, const std::string& pattern);
// \d NAME: finds the relations that match.
std::string find_relations_sql(const std::string& pattern);
// \d of one relation of find_relations_sql: its columns, then its indexes, constraints and references.
DescribeQuery relation_query(const std::string& oid, const std::string& kind, const std::string& full_name);

}  // namespace pando::cli
