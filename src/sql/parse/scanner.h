#pragma once

// A scanner of SQL text by PostgreSQL's lexical rules (documentation 4.1), for what must be known before or without
// parsing: nesting_bound and fingerprint. It never fails: what PostgreSQL would refuse comes out as kInvalid.
//
//   Scanner scanner(text);
//   for (Token token = scanner.next(); token.kind != Token::Kind::kEnd; token = scanner.next()) { ... }
//
// Assumes standard_conforming_strings = on, as the grammar does. Thread-safety: none. The text must outlive it.

#include <cstdint>
#include <string_view>

namespace pando::parse {

struct Token {
  enum class Kind : uint8_t {
    kEnd,
    kWord,              // unquoted identifier or keyword
    kQuotedIdentifier,  // "..." or U&"..."
    kString,            // '...' with no escape processing, also as continued over lines
    kEscapeString,      // E'...'
    kOtherString,       // b'', x'', n'', U&''
    kDollarString,      // $tag$...$tag$
    kInteger,           // digits only
    kDecimal,           // with a point or an exponent
    kParameter,         // $1
    kOperator,          // a run of operator characters, or :: := => ..
    kPunctuation,       // one of ( ) [ ] , ; : .
    kInvalid,
  };
  Kind kind = Kind::kEnd;
  uint32_t begin = 0;
  uint32_t end = 0;
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  // kEnd again and again at the end. Comments and white space are skipped.
  Token next();

 private:
  void skip_space();
  bool skip_block_comment();
  Token word(uint32_t begin);
  Token number(uint32_t begin);
  Token dollar(uint32_t begin);
  Token operator_run(uint32_t begin);
  // Scans past a quoted text whose opening quote is at at_; false when it does not end.
  bool quoted(char quote, bool escapes);
  bool continued_string(bool escapes);
  char at(std::size_t index) const { return index < text_.size() ? text_[index] : '\0'; }
  Token token(Token::Kind kind, uint32_t begin) const { return {kind, begin, static_cast<uint32_t>(at_)}; }
  Token invalid(uint32_t begin);

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace pando::parse
