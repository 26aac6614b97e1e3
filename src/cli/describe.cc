#include "cli/describe.h"

#include <fmt/format.h>

namespace pando::cli {
namespace {

std::string quote_literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "''" : std::string(1, c);
  }
  return out + "'";
}

// psql's patterns as regular expressions: * any characters, ? one; dots split; quotes keep the case.
std::string pattern_to_regex(const std::string& pattern) {
  std::string out = "^(";
  bool quoted = false;
  for (const char c : pattern) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '*' && !quoted) {
      out += ".*";
    } else if (c == '?' && !quoted) {
      out += ".";
    } else if (std::string("$+()[]{}|^\\.").find(c) != std::string::npos) {
      out += std::string("\\") + c;
    } else {
      out += quoted ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return out + ")$";
}

std::string name_condition(const std::string& pattern, const std::string& schema_column,
                           const std::string& name_column) {
  if (pattern.empty()) {
    return "";
  }
  const auto dot = pattern.find('.');
  const std::string name = dot == std::string::npos ? pattern : pattern.substr(dot + 1);
  std::string out =
      fmt::format(" AND {} OPERATOR(pg_catalog.~) {}", name_column, quote_literal(pattern_to_regex(name)));
  if (dot != std::string::npos && !schema_column.empty()) {
    out += fmt::format(" AND {} OPERATOR(pg_catalog.~) {}", schema_column,
                       quote_literal(pattern_to_regex(pattern.substr(0, dot))));
  }
  return out;
}

DescribeQuery list_relations(const std::string& kinds, const std::string& pattern) {
  const std::string scope = pattern.empty() ? " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pando')"
                                              " AND pg_catalog.pg_table_is_visible(c.oid)"
                            : pattern.find('.') == std::string::npos ? " AND pg_catalog.pg_table_is_visible(c.oid)"
                                                                     : "";
  const bool index = kinds == "'i'";
  return {"List of relations",
          fmt::format("SELECT n.nspname AS \"Schema\", c.relname AS \"Name\", "
                      "CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'i' THEN 'index' "
                      "WHEN 'S' THEN 'sequence' END AS \"Type\", pg_catalog.pg_get_userbyid(c.relowner) AS \"Owner\"{} "
                      "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace {}"
                      "WHERE c.relkind IN ({}){}{} ORDER BY 1, 2",
                      index ? ", t.relname AS \"Table\"" : "",
                      index ? "JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid "
                              "JOIN pg_catalog.pg_class t ON t.oid = i.indrelid "
                            : "",
                      kinds, scope, name_condition(pattern, "n.nspname", "c.relname")),
          {}};
}

}  // namespace

DescribeQuery list_query(const std::string& command, const std::string& pattern) {
  if (command == "d") {
    return list_relations("'r', 'v', 'S'", pattern);
  }
  if (command == "dt") {
    return list_relations("'r'", pattern);
  }
  if (command == "di") {
    return list_relations("'i'", pattern);
  }
  if (command == "ds") {
    return list_relations("'S'", pattern);
  }
  if (command == "dv") {
    return list_relations("'v'", pattern);
  }
  if (command == "dn") {
    return {"List of schemas",
            "SELECT n.nspname AS \"Name\", pg_catalog.pg_get_userbyid(n.nspowner) AS \"Owner\" "
            "FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'" +
                name_condition(pattern, "", "n.nspname") + " ORDER BY 1",
            {}};
  }
  if (command == "du") {
    return {"List of roles",
            "SELECT r.rolname AS \"Role name\", CASE WHEN r.rolsuper THEN 'Superuser' ELSE '' END AS \"Attributes\" "
            "FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_'" +
                name_condition(pattern, "", "r.rolname") + " ORDER BY 1",
            {}};
  }
  if (command == "df") {
    const std::string scope = pattern.empty() ? " AND n.nspname NOT IN ('pg_catalog', 'information_schema')" : "";
    return {
        "List of functions",
        "SELECT n.nspname AS \"Schema\", p.proname AS \"Name\", "
        "pg_catalog.pg_get_function_result(p.oid) AS \"Result data type\", "
        "pg_catalog.pg_get_function_arguments(p.oid) AS \"Argument data types\", "
        "CASE p.prokind WHEN 'a' THEN 'agg' WHEN 'w' THEN 'window' WHEN 'p' THEN 'proc' ELSE 'func' END AS \"Type\" "
        "FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE true" +
            scope + name_condition(pattern, "n.nspname", "p.proname") + " ORDER BY 1, 2, 4",
        {}};
  }
  if (command == "l") {
    return {"List of databases",
            "SELECT d.datname AS \"Name\", pg_catalog.pg_get_userbyid(d.datdba) AS \"Owner\", "
            "pg_catalog.pg_encoding_to_char(d.encoding) AS \"Encoding\", d.datcollate AS \"Collate\", "
            "d.datctype AS \"Ctype\" FROM pg_catalog.pg_database d WHERE true" +
                name_condition(pattern, "", "d.datname") + " ORDER BY 1",
            {}};
  }
  return {};
}

std::string find_relations_sql(const std::string& pattern) {
  const std::string scope = pattern.find('.') == std::string::npos ? " AND pg_catalog.pg_table_is_visible(c.oid)" : "";
  return "SELECT c.oid, c.relkind, n.nspname || '.' || c.relname FROM pg_catalog.pg_class c "
         "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE true" +
         scope + name_condition(pattern, "n.nspname", "c.relname") + " ORDER BY 3";
}

DescribeQuery relation_query(const std::string& oid, const std::string& kind, const std::string& full_name) {
  const std::string kind_name = kind == "v" ? "View" : kind == "i" ? "Index" : kind == "S" ? "Sequence" : "Table";
  DescribeQuery query;
  query.title = fmt::format("{} \"{}\"", kind_name, full_name);
  if (kind == "S") {
    query.sql = fmt::format(
        "SELECT pg_catalog.format_type(s.seqtypid, NULL) AS \"Type\", s.seqstart AS \"Start\", s.seqmin AS "
        "\"Minimum\", "
        "s.seqmax AS \"Maximum\", s.seqincrement AS \"Increment\", CASE WHEN s.seqcycle THEN 'yes' ELSE 'no' END AS "
        "\"Cycles?\", s.seqcache AS \"Cache\" FROM pg_catalog.pg_sequence s WHERE s.seqrelid = {}",
        oid);
    return query;
  }
  query.sql = fmt::format(
      "SELECT a.attname AS \"Column\", pg_catalog.format_type(a.atttypid, a.atttypmod) AS \"Type\", "
      "CASE WHEN a.attnotnull THEN 'not null' ELSE '' END AS \"Nullable\", "
      "CASE WHEN a.attidentity = 'a' THEN 'generated always as identity' "
      "WHEN a.attidentity = 'd' THEN 'generated by default as identity' "
      "WHEN a.attgenerated = 's' THEN 'generated always as (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ') "
      "stored' "
      "ELSE coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') END AS \"Default\" "
      "FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = "
      "a.attnum WHERE a.attrelid = {} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
      oid);
  if (kind == "v") {
    query.footers.push_back(
        {"View definition:", fmt::format("SELECT pg_catalog.pg_get_viewdef({}::pg_catalog.oid, true)", oid)});
  }
  if (kind == "r") {
    query.footers.push_back(
        {"Indexes:",
         fmt::format("SELECT '    \"' || c.relname || '\"' || CASE WHEN i.indisprimary THEN ' PRIMARY KEY,' WHEN "
                     "i.indisunique THEN ' UNIQUE,' ELSE '' END || ' ' || substring(pg_catalog.pg_get_indexdef(c.oid) "
                     "from 'USING (.*)$') FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = "
                     "i.indexrelid WHERE i.indrelid = {} ORDER BY i.indisprimary DESC, c.relname",
                     oid)});
    const char* by_type =
        "SELECT '    \"' || r.conname || '\" ' || pg_catalog.pg_get_constraintdef(r.oid, true) FROM "
        "pg_catalog.pg_constraint r WHERE r.conrelid = {} AND r.contype = '{}' ORDER BY 1";
    query.footers.push_back({"Check constraints:", fmt::format(fmt::runtime(by_type), oid, 'c')});
    query.footers.push_back({"Foreign-key constraints:", fmt::format(fmt::runtime(by_type), oid, 'f')});
    query.footers.push_back(
        {"Referenced by:",
         fmt::format("SELECT '    TABLE \"' || r.conrelid::pg_catalog.regclass || '\" CONSTRAINT \"' || r.conname || "
                     "'\" ' || pg_catalog.pg_get_constraintdef(r.oid, true) FROM pg_catalog.pg_constraint r WHERE "
                     "r.confrelid = {} AND r.contype = 'f' ORDER BY 1",
                     oid)});
  }
  return query;
}

}  // namespace pando::cli
