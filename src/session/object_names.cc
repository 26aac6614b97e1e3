#include "session/object_names.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace pando::session {
namespace {

// Keywords that PostgreSQL quotes as identifiers: reserved ones, and those that cannot be column or type names.
constexpr std::array<std::string_view, 96> kReserved = {
    "all",        "analyse",      "analyze",      "and",          "any",          "array",   "as",         "asc",
    "asymmetric", "between",      "bigint",       "bit",          "boolean",      "both",    "case",       "cast",
    "char",       "character",    "check",        "coalesce",     "collate",      "column",  "constraint", "create",
    "cross",      "current_date", "current_role", "current_time", "current_user", "dec",     "decimal",    "default",
    "deferrable", "desc",         "distinct",     "do",           "else",         "end",     "except",     "exists",
    "extract",    "false",        "fetch",        "float",        "for",          "foreign", "from",       "full",
    "grant",      "greatest",     "group",        "having",       "ilike",        "in",      "initially",  "inner",
    "int",        "integer",      "intersect",    "interval",     "into",         "is",      "isnull",     "join",
    "lateral",    "leading",      "least",        "left",         "like",         "limit",   "natural",    "not",
    "notnull",    "null",         "numeric",      "offset",       "on",           "only",    "or",         "order",
    "outer",      "primary",      "references",   "right",        "row",          "select",  "similar",    "some",
    "table",      "then",         "to",           "union",        "unique",       "user",    "using",      "where"};

bool is_plain(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::ranges::all_of(name,
                             [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }) &&
         std::ranges::find(kReserved, name) == kReserved.end();
}

Status invalid_name() { return Status(sql_state::kInvalidName, "invalid name syntax"); }

// Reads one part at `at`; false when there is none.
bool read_part(std::string_view text, std::size_t& at, std::string& part) {
  if (at < text.size() && text[at] == '"') {
    for (++at; at < text.size(); ++at) {
      if (text[at] == '"') {
        if (at + 1 >= text.size() || text[at + 1] != '"') {
          ++at;
          return !part.empty();
        }
        ++at;
      }
      part += text[at];
    }
    return false;
  }
  while (at < text.size() && text[at] != '.' && std::isspace(static_cast<unsigned char>(text[at])) == 0) {
    const char c = text[at++];
    part += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return !part.empty();
}

}  // namespace

Result<std::vector<std::string>> split_qualified_name(std::string_view text) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  const auto skip_spaces = [&] {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) {
      ++at;
    }
  };
  while (true) {
    skip_spaces();
    std::string part;
    if (!read_part(text, at, part)) {
      return invalid_name();
    }
    parts.push_back(std::move(part));
    skip_spaces();
    if (at == text.size()) {
      return parts;
    }
    if (text[at++] != '.') {
      return invalid_name();
    }
  }
}

std::string quote_name(std::string_view name) {
  if (is_plain(name)) {
    return std::string(name);
  }
  std::string out = "\"";
  for (const char c : name) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + "\"";
}

}  // namespace pando::session
