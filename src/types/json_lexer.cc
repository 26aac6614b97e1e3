#include "types/json_lexer.h"

#include <algorithm>

#include "types/utf8.h"

namespace pando::types {
namespace {

constexpr std::size_t kContextBytesMax = 50;
constexpr std::size_t kContextSlack = 3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_wordy(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_high_surrogate(uint32_t code) { return code >= 0xd800 && code <= 0xdbff; }
bool is_low_surrogate(uint32_t code) { return code >= 0xdc00 && code <= 0xdfff; }

}  // namespace

Status JsonLexer::with_context(Status status) const {
  std::size_t start = line_start_;
  const std::size_t end = token_end_;
  while (end - start >= kContextBytesMax) {
    start += utf8_width(text_[start]);
  }
  if (start - line_start_ <= kContextSlack) {
    start = line_start_;
  }
  const bool more = token_ != JsonToken::kEnd && end < text_.size() && text_[end] != '\n' && text_[end] != '\r';
  status.fields().where = fmt::format("JSON data, line {}: {}{}{}", line_, start > line_start_ ? "..." : "",
                                      text_.substr(start, end > start ? end - start : 0), more ? "..." : "");
  return status;
}

Status JsonLexer::failed(std::string detail) const {
  return with_context(Status(sql_state::kInvalidTextRepresentation, "invalid input syntax for type {}", "json")
                          .with_detail(std::move(detail)));
}

Status JsonLexer::invalid_token() const { return failed(fmt::format("Token \"{}\" is invalid.", token_text())); }

Status JsonLexer::unexpected(std::string_view expectation) const {
  if (token_ == JsonToken::kEnd) {
    return failed("The input string ended unexpectedly.");
  }
  return failed(fmt::format("Expected {}, but found \"{}\".", expectation, token_text()));
}

Status JsonLexer::advance() {
  while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
    if (text_[at_++] == '\n') {
      ++line_;
      line_start_ = at_;
    }
  }
  token_start_ = at_;
  if (at_end()) {
    token_ = JsonToken::kEnd;
    token_end_ = at_;
    return {};
  }
  constexpr std::string_view kPunctuation = "{}[],:";
  const char c = text_[at_];
  if (const auto found = kPunctuation.find(c); found != std::string_view::npos) {
    token_ = static_cast<JsonToken>(found);
    token_end_ = ++at_;
    return {};
  }
  if (c == '"') {
    return lex_string();
  }
  if (c == '-' || is_digit(c)) {
    return lex_number();
  }
  return lex_word();
}

Status JsonLexer::lex_string() {
  token_ = JsonToken::kString;
  string_.clear();
  high_surrogate_ = 0;
  ++at_;
  while (true) {
    if (at_end()) {
      token_end_ = text_.size();
      return invalid_token();
    }
    const char c = text_[at_];
    if (c == '\\') {
      PANDO_TRY(lex_escape());
      continue;
    }
    if (high_surrogate_ != 0) {
      token_end_ = at_ + 1;
      return failed("Unicode low surrogate must follow a high surrogate.");
    }
    if (c == '"') {
      token_end_ = ++at_;
      return {};
    }
    if (static_cast<unsigned char>(c) < 32) {
      token_end_ = at_;
      return failed(fmt::format("Character with value 0x{:02x} must be escaped.", static_cast<unsigned char>(c)));
    }
    if (unescape_) {
      string_.push_back(c);
    }
    ++at_;
  }
}

Status JsonLexer::lex_escape() {
  constexpr std::string_view kEscapes = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (++at_; at_end()) {
    token_end_ = text_.size();
    return invalid_token();
  }
  const char c = text_[at_];
  if (c == 'u') {
    return lex_unicode_escape();
  }
  if (high_surrogate_ != 0) {
    token_end_ = at_ + 1;
    return failed("Unicode low surrogate must follow a high surrogate.");
  }
  const auto found = kEscapes.find(c);
  if (found == std::string_view::npos) {
    token_start_ = at_;
    token_end_ = std::min(at_ + utf8_width(c), text_.size());
    return failed(fmt::format("Escape sequence \"\\{}\" is invalid.", token_text()));
  }
  if (unescape_) {
    string_.push_back(kMeanings[found]);
  }
  ++at_;
  return {};
}

Status JsonLexer::lex_unicode_escape() {
  uint32_t code = 0;
  for (int i = 0; i < 4; ++i) {
    if (++at_; at_end()) {
      token_end_ = text_.size();
      return invalid_token();
    }
    const int digit = hex_value(text_[at_]);
    if (digit < 0) {
      token_end_ = std::min(at_ + utf8_width(text_[at_]), text_.size());
      return failed("\"\\u\" must be followed by four hexadecimal digits.");
    }
    code = code * 16 + static_cast<uint32_t>(digit);
  }
  token_end_ = ++at_;
  if (!unescape_) {
    return {};
  }
  if (is_high_surrogate(code)) {
    if (high_surrogate_ != 0) {
      return failed("Unicode high surrogate must not follow a high surrogate.");
    }
    high_surrogate_ = code;
    return {};
  }
  if (is_low_surrogate(code) != (high_surrogate_ != 0)) {
    return failed("Unicode low surrogate must follow a high surrogate.");
  }
  if (high_surrogate_ != 0) {
    code = 0x10000 + ((high_surrogate_ & 0x3ff) << 10) + (code & 0x3ff);
    high_surrogate_ = 0;
  }
  if (code == 0) {
    return with_context(Status(sql_state::kUntranslatableCharacter, "unsupported Unicode escape sequence")
                            .with_detail("\\u0000 cannot be converted to text."));
  }
  utf8_append(string_, code);
  return {};
}

Status JsonLexer::lex_number() {
  token_ = JsonToken::kNumber;
  bool valid = true;
  const auto digits = [this] {
    const std::size_t start = at_;
    while (!at_end() && is_digit(text_[at_])) {
      ++at_;
    }
    return at_ > start;
  };
  at_ += text_[at_] == '-' ? 1 : 0;
  if (!at_end() && text_[at_] == '0') {
    ++at_;
  } else {
    valid = digits();
  }
  if (!at_end() && text_[at_] == '.') {
    ++at_;
    valid = digits() && valid;
  }
  if (!at_end() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    at_ += !at_end() && (text_[at_] == '+' || text_[at_] == '-') ? 1 : 0;
    valid = digits() && valid;
  }
  // Show all of what was meant to be a number.
  while (!at_end() && is_wordy(text_[at_])) {
    ++at_;
    valid = false;
  }
  token_end_ = at_;
  return valid ? Status() : invalid_token();
}

Status JsonLexer::lex_word() {
  const std::size_t start = at_;
  while (!at_end() && is_wordy(text_[at_])) {
    ++at_;
  }
  at_ += at_ == start ? 1 : 0;
  token_end_ = at_;
  const ByteView word = token_text();
  if (word == "true") {
    token_ = JsonToken::kTrue;
  } else if (word == "false") {
    token_ = JsonToken::kFalse;
  } else if (word == "null") {
    token_ = JsonToken::kNull;
  } else {
    token_ = JsonToken::kString;
    return invalid_token();
  }
  return {};
}

}  // namespace pando::types
