#pragma once

// SQL text to syntax trees, with PostgreSQL 15's own grammar (libpg_query).
//
//   PANDO_ASSIGN(std::vector<parse::ParsedStatement> statements, parse::parse_statements(text));
//
// Errors carry PostgreSQL's message, SQLSTATE and cursor position: 42601 syntax errors, 22021 invalid UTF-8, 54001 text
// nested deeper than kNestingMax, 54000 text longer than kTextBytesMax. Constructs that parse but are not supported
// become Unsupported nodes, which sql/bind refuses with 0A000.
// Thread-safety: all functions may be called from any thread at once.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "sql/ast/statement.h"

namespace pando::parse {

// PostgreSQL's limit is the message length, 1 GiB; a text this long is a mistake or an attack, not a statement.
inline constexpr std::size_t kTextBytesMax = 64_MiB;
// How deep a tree may nest. Every pass over a tree recurses, and the smallest stack it runs on is 1 MiB.
inline constexpr int32_t kNestingMax = 1000;

struct ParsedStatement {
  ast::StatementPtr statement;
  // The statement's bytes in the text, without the semicolon and leading white space. Locations in the tree count from
  // the start of the whole text.
  int32_t offset = 0;
  int32_t length = 0;
};

// The statements of a text, empty statements left out.
Result<std::vector<ParsedStatement>> parse_statements(std::string_view text);
// The only statement of a text: a stored view.
Result<ast::StatementPtr> parse_statement(std::string_view text);
// An expression by itself: a stored DEFAULT or CHECK.
Result<ast::ExprPtr> parse_expression(std::string_view text);
// A type by itself: "numeric(10,2)", the argument of regtype and format_type's inverse.
Result<ast::TypeName> parse_type_name(std::string_view text);

// The 1-based character position, as ErrorResponse counts, of a byte offset; 0 for ast::kNoLocation.
int position_of(std::string_view text, ast::Location location);

}  // namespace pando::parse
