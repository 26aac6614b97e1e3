#pragma once

// Tokens of JSON text and the errors PostgreSQL reports for them. Internal to json.cc.

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"

namespace pando::types {

enum class JsonToken : uint8_t {
  kObjectStart,
  kObjectEnd,
  kArrayStart,
  kArrayEnd,
  kComma,
  kColon,
  kString,
  kNumber,
  kTrue,
  kFalse,
  kNull,
  kEnd,
};

class JsonLexer {
 public:
  // With `unescape`, strings are decoded and escapes that text cannot hold are errors.
  JsonLexer(ByteView text, bool unescape) : text_(text), unescape_(unescape) {}

  // Reads the next token.
  Status advance();
  JsonToken token() const { return token_; }
  ByteView token_text() const { return text_.substr(token_start_, token_end_ - token_start_); }
  // Of a string token, with `unescape`.
  ByteView string() const { return string_; }

  // 'invalid input syntax for type json' with what was expected before the current token.
  Status unexpected(std::string_view expectation) const;

 private:
  Status lex_string();
  Status lex_escape();
  Status lex_unicode_escape();
  Status lex_number();
  Status lex_word();
  Status invalid_token() const;
  Status failed(std::string detail) const;
  Status with_context(Status status) const;
  bool at_end() const { return at_ >= text_.size(); }

  ByteView text_;
  bool unescape_;
  std::size_t at_ = 0;
  std::size_t token_start_ = 0;
  std::size_t token_end_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
  JsonToken token_ = JsonToken::kEnd;
  uint32_t high_surrogate_ = 0;
  Bytes string_;
};

}  // namespace pando::types
