#include "sql/parse/parse.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "sql/parse/nested.h"
#include "sql/parse/nesting.h"
#include "sql/parse/scanner.h"
#include "sql/parse/tree_reader.h"

namespace pando::parse {

namespace {

// A token deepens the tree by at most one level, and most by none; what is left is checked on the tree itself.
constexpr int32_t kNestingBoundMax = 4 * kNestingMax;

// Memory for one unpacked parse tree, given back at once.
class Arena {
 public:
  Arena() : allocator_{&Arena::allocate, &Arena::release, this} {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ProtobufCAllocator* allocator() { return &allocator_; }

 private:
  static constexpr std::size_t kBlockBytes = 16_KiB;

  static void* allocate(void* self, std::size_t size) { return static_cast<Arena*>(self)->take(size); }
  static void release(void* /*self*/, void* /*memory*/) {}

  void* take(std::size_t size) {
    const std::size_t rounded = (size + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
    if (rounded > left_) {
      const std::size_t block = std::max(rounded, kBlockBytes);
      blocks_.push_back(std::make_unique_for_overwrite<std::max_align_t[]>(block / sizeof(std::max_align_t) + 1));
      next_ = reinterpret_cast<char*>(blocks_.back().get());
      left_ = block;
    }
    char* memory = next_;
    next_ += rounded;
    left_ -= rounded;
    return memory;
  }

  ProtobufCAllocator allocator_;
  std::vector<std::unique_ptr<std::max_align_t[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

// The length of the UTF-8 character at the start of `text`, or 0 when it is not valid.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return first == 0 ? 0 : 1;
  }
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return 0;
    }
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool surrogate = first == 0xed && byte(1) > 0x9f;
  const bool too_large = first == 0xf4 && byte(1) > 0x8f;
  return overlong || surrogate || too_large ? 0 : length;
}

Status check_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = character_length(text.substr(at));
    if (length != 0) {
      at += length;
      continue;
    }
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t expected = first >= 0xf8 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    std::string bytes;
    for (std::size_t i = at; i < std::min(at + expected, text.size()); ++i) {
      bytes += fmt::format("{}0x{:02x}", bytes.empty() ? "" : " ", static_cast<unsigned char>(text[i]));
    }
    return {sql_state::kCharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": {}", bytes};
  }
  return {};
}

Status check_text(std::string_view text) {
  if (text.size() > kTextBytesMax) {
    return {sql_state::kProgramLimitExceeded, "statement text of {} bytes is longer than the limit of {} bytes",
            text.size(), kTextBytesMax};
  }
  PANDO_TRY(check_utf8(text));
  if (nesting_bound(text) > kNestingBoundMax) {
    return nesting_error();
  }
  return {};
}

struct KnownError {
  std::string_view message_prefix;
  SqlState code;
  const char* hint;
};

// The grammar reports only texts: the errors that are not plain 42601, and the hints.
constexpr KnownError kKnownErrors[] = {
    {"stack depth limit exceeded", sql_state::kStatementTooComplex, ""},
    {"memory exhausted", sql_state::kSyntaxError, ""},
    {"invalid byte sequence for encoding", sql_state::kCharacterNotInRepertoire, ""},
    {"invalid Unicode escape value", sql_state::kSyntaxError, ""},
    {"invalid Unicode escape character", sql_state::kSyntaxError, ""},
    {"invalid Unicode escape", sql_state::kInvalidEscapeSequence, "Unicode escapes must be \\uXXXX or \\UXXXXXXXX."},
    {"LIMIT #,# syntax is not supported", sql_state::kSyntaxError, "Use separate LIMIT and OFFSET clauses."},
    {"subquery in FROM must have an alias", sql_state::kSyntaxError, "For example, FROM (SELECT ...) [AS] foo."},
    {"VALUES in FROM must have an alias", sql_state::kSyntaxError, "For example, FROM (VALUES ...) [AS] foo."},
    {"frame ", sql_state::kWindowingError, ""},
    {"precision for type float", sql_state::kInvalidParameterValue, ""},
    {"role name \"", sql_state::kReservedName, ""},
    {"MATCH PARTIAL not yet implemented", sql_state::kFeatureNotSupported, ""},
    {"CREATE ASSERTION is not yet implemented", sql_state::kFeatureNotSupported, ""},
    {"UNIQUE predicate is not yet implemented", sql_state::kFeatureNotSupported, ""},
    {"current database cannot be changed", sql_state::kFeatureNotSupported, ""},
    {"UNENCRYPTED PASSWORD is no longer supported", sql_state::kFeatureNotSupported, ""},
};

SqlState code_of(std::string_view message) {
  // "CHECK constraints cannot be marked DEFERRABLE" and its kin.
  if (message.find(" constraints cannot be marked ") != std::string_view::npos) {
    return sql_state::kFeatureNotSupported;
  }
  if (message.ends_with(" cannot be used as a role name here")) {
    return sql_state::kReservedName;
  }
  return sql_state::kSyntaxError;
}

// Bad escapes of U&'...' are other errors than those of E'...'.
Status known_error(const KnownError& known, std::string_view message, std::string_view at) {
  const bool in_escape_string = at.starts_with("\\u") || at.starts_with("\\U");
  if (std::string_view(known.hint).starts_with("Unicode escapes") && !in_escape_string) {
    return Status::from_message(sql_state::kSyntaxError, std::string(message))
        .with_hint("Unicode escapes must be \\XXXX or \\+XXXXXX.");
  }
  return Status::from_message(known.code, std::string(message)).with_hint(known.hint);
}

// The message with all of the number and the letters after it, of which the grammar library gives the first.
std::string with_whole_junk(std::string_view message, std::string_view at) {
  constexpr std::string_view kNear = " at or near \"";
  const std::size_t quote = message.find(kNear);
  if (!message.starts_with("trailing junk after ") || quote == std::string_view::npos) {
    return std::string(message);
  }
  const std::string_view token = message.substr(quote + kNear.size(), message.size() - quote - kNear.size() - 1);
  std::size_t end = token.size() - 1;
  const auto continues = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || (c & 0x80) != 0;
  };
  while (end < at.size() && continues(at[end])) {
    ++end;
  }
  return fmt::format("{}{}{}\"", message.substr(0, quote), kNear, at.substr(0, end));
}

// `parsed` is `text` with comments blanked: byte for byte as long, but perhaps with more characters.
Status parser_error(const PgQueryError& error, std::string_view text, std::string_view parsed) {
  const std::string_view message = error.message;
  std::size_t offset = 0;
  for (int characters = 1; characters < error.cursorpos && offset < parsed.size(); ++characters) {
    offset += character_length(parsed.substr(offset));
  }
  const int position = error.cursorpos <= 0 ? 0 : position_of(text, static_cast<ast::Location>(offset));
  const std::string_view rest = text.substr(std::min(offset, text.size()));
  for (const KnownError& known : kKnownErrors) {
    if (message.starts_with(known.message_prefix)) {
      return known_error(known, message, rest).with_position(error.cursorpos);
    }
  }
  return Status::from_message(code_of(message), with_whole_junk(message, rest)).with_position(position);
}

// The grammar library takes a comment for a token when it looks ahead (NULLS /* c */ FIRST), so it gets none.
std::string blank_comments(std::string_view text) {
  std::string result(text);
  if (text.find("--") == std::string_view::npos && text.find("/*") == std::string_view::npos) {
    return result;
  }
  Scanner scanner(text);
  std::size_t end = 0;
  for (Token token = scanner.next(); token.kind != Token::Kind::kInvalid; token = scanner.next()) {
    std::replace_if(
        result.begin() + static_cast<std::ptrdiff_t>(end), result.begin() + token.begin,
        [](char c) { return c != '\n' && c != '\r'; }, ' ');
    end = token.end;
    if (token.kind == Token::Kind::kEnd) {
      break;
    }
  }
  return result;
}

using ParseResult = std::unique_ptr<PgQueryProtobufParseResult, void (*)(PgQueryProtobufParseResult*)>;

ParseResult run_grammar(const std::string& text) {
  const auto free_result = [](PgQueryProtobufParseResult* result) {
    pg_query_free_protobuf_parse_result(*result);
    delete result;
  };
  return {new PgQueryProtobufParseResult(pg_query_parse_protobuf(text.c_str())), free_result};
}

// The statement's bytes without leading white space.
ParsedStatement statement_range(std::string_view text, const PgQuery__RawStmt& raw) {
  ParsedStatement statement;
  std::size_t begin = static_cast<std::size_t>(raw.stmt_location);
  std::size_t end = raw.stmt_len > 0 ? begin + static_cast<std::size_t>(raw.stmt_len) : text.size();
  while (begin < end && std::string_view(" \t\n\r\f").find(text[begin]) != std::string_view::npos) {
    ++begin;
  }
  statement.offset = static_cast<int32_t>(begin);
  statement.length = static_cast<int32_t>(end - begin);
  return statement;
}

}  // namespace

Result<std::vector<ParsedStatement>> parse_statements(std::string_view text) {
  PANDO_TRY(check_text(text));
  const std::string without_comments = blank_comments(text);
  const ParseResult parsed = run_grammar(without_comments);
  if (parsed->error != nullptr) {
    return parser_error(*parsed->error, text, without_comments);
  }
  Arena arena;
  const PgQuery__ParseResult* tree = pg_query__parse_result__unpack(
      arena.allocator(), parsed->parse_tree.len, reinterpret_cast<const uint8_t*>(parsed->parse_tree.data));
  if (tree == nullptr) {
    return Status(sql_state::kInternalError, "the parse tree of {} bytes cannot be read", parsed->parse_tree.len);
  }
  std::vector<ParsedStatement> statements;
  statements.reserve(tree->n_stmts);
  TreeReader reader;
  for (std::size_t i = 0; i < tree->n_stmts; ++i) {
    ParsedStatement statement = statement_range(text, *tree->stmts[i]);
    statement.statement = reader.statement(tree->stmts[i]->stmt);
    PANDO_TRY(reader.status());
    statements.push_back(std::move(statement));
  }
  return statements;
}

Result<ast::StatementPtr> parse_statement(std::string_view text) {
  PANDO_ASSIGN(std::vector<ParsedStatement> statements, parse_statements(text));
  if (statements.size() != 1) {
    return Status(sql_state::kSyntaxError, "{} statements where one is expected", statements.size());
  }
  return std::move(statements[0].statement);
}

Result<ast::ExprPtr> parse_expression(std::string_view text) {
  PANDO_ASSIGN(std::vector<ParsedStatement> statements, parse_statements(fmt::format("SELECT ({})", text)));
  if (statements.size() == 1) {
    auto* select = std::get_if<ast::Select>(&statements[0].statement->node);
    auto* core = select == nullptr ? nullptr : std::get_if<ast::SelectCore>(&select->body);
    if (core != nullptr && core->items.size() == 1 && core->items[0].expr != nullptr && core->from.empty()) {
      return std::move(core->items[0].expr);
    }
  }
  return Status(sql_state::kSyntaxError, "\"{}\" is not one expression", text);
}

Result<ast::TypeName> parse_type_name(std::string_view text) {
  PANDO_ASSIGN(ast::ExprPtr expr, parse_expression(fmt::format("NULL::{}", text)));
  auto* cast = std::get_if<ast::Cast>(&expr->node);
  const auto* operand = cast == nullptr ? nullptr : std::get_if<ast::Constant>(&cast->operand->node);
  if (operand == nullptr || !std::holds_alternative<ast::NullLiteral>(operand->value)) {
    return Status(sql_state::kSyntaxError, "invalid type name \"{}\"", text);
  }
  return std::move(cast->type);
}

int position_of(std::string_view text, ast::Location location) {
  if (location < 0 || static_cast<std::size_t>(location) > text.size()) {
    return 0;
  }
  int position = 1;
  for (const char c : text.substr(0, static_cast<std::size_t>(location))) {
    position += (static_cast<unsigned char>(c) & 0xc0) == 0x80 ? 0 : 1;
  }
  return position;
}

}  // namespace pando::parse
