#include "sql/parse/scanner.h"

#include <array>

namespace pando::parse {

namespace {

enum CharacterClass : uint8_t { kOther = 0, kSpace = 1, kIdentStart = 2, kDigit = 4, kOperatorCharacter = 8 };

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    classes[c] = letter ? kIdentStart : c >= '0' && c <= '9' ? kDigit : kOther;
  }
  for (const char c : {' ', '\t', '\n', '\r', '\f'}) {
    classes[static_cast<unsigned char>(c)] = kSpace;
  }
  for (const char c : {'~', '!', '@', '#', '^', '&', '|', '`', '?', '+', '-', '*', '/', '%', '<', '>', '='}) {
    classes[static_cast<unsigned char>(c)] = kOperatorCharacter;
  }
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();

uint8_t class_of(char c) { return kClasses[static_cast<unsigned char>(c)]; }
bool is_space(char c) { return class_of(c) == kSpace; }
bool is_identifier(char c) { return (class_of(c) & (kIdentStart | kDigit)) != 0 || c == '$'; }
bool is_digit(char c) { return class_of(c) == kDigit; }

}  // namespace

Token Scanner::invalid(uint32_t begin) {
  at_ = text_.size();
  return token(Token::Kind::kInvalid, begin);
}

bool Scanner::skip_block_comment() {
  int depth = 1;
  at_ += 2;
  while (at_ < text_.size()) {
    if (at(at_) == '*' && at(at_ + 1) == '/') {
      at_ += 2;
      if (--depth == 0) {
        return true;
      }
    } else if (at(at_) == '/' && at(at_ + 1) == '*') {
      at_ += 2;
      ++depth;
    } else {
      ++at_;
    }
  }
  return false;
}

void Scanner::skip_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (is_space(c)) {
      ++at_;
    } else if (c == '-' && at(at_ + 1) == '-') {
      while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') {
        ++at_;
      }
    } else {
      return;
    }
  }
}

Token Scanner::next() {
  for (;;) {
    skip_space();
    if (at(at_) != '/' || at(at_ + 1) != '*') {
      break;
    }
    const auto begin = static_cast<uint32_t>(at_);
    if (!skip_block_comment()) {
      return invalid(begin);
    }
  }
  const auto begin = static_cast<uint32_t>(at_);
  if (at_ >= text_.size()) {
    return token(Token::Kind::kEnd, begin);
  }
  const char c = text_[at_];
  switch (class_of(c)) {
    case kIdentStart:
      return word(begin);
    case kDigit:
      return number(begin);
    case kOperatorCharacter:
      return operator_run(begin);
    default:
      break;
  }
  switch (c) {
    case '\'':
      return continued_string(false) ? token(Token::Kind::kString, begin) : invalid(begin);
    case '"':
      return quoted('"', false) ? token(Token::Kind::kQuotedIdentifier, begin) : invalid(begin);
    case '$':
      return dollar(begin);
    case '.':
      if (is_digit(at(at_ + 1))) {
        return number(begin);
      }
      at_ += at(at_ + 1) == '.' ? 2 : 1;
      return token(at_ - begin == 2 ? Token::Kind::kOperator : Token::Kind::kPunctuation, begin);
    case ':':
      at_ += at(at_ + 1) == ':' || at(at_ + 1) == '=' ? 2 : 1;
      return token(at_ - begin == 2 ? Token::Kind::kOperator : Token::Kind::kPunctuation, begin);
    case '(':
    case ')':
    case '[':
    case ']':
    case ',':
    case ';':
      ++at_;
      return token(Token::Kind::kPunctuation, begin);
    default:
      return invalid(begin);
  }
}

bool Scanner::quoted(char quote, bool escapes) {
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == quote) {
      if (at(at_ + 1) != quote) {
        ++at_;
        return true;
      }
      at_ += 2;
    } else {
      at_ += escapes && c == '\\' ? 2 : 1;
    }
  }
  return false;
}

// A string goes on with the next one when only white space with a line break, or line comments, lie between.
bool Scanner::continued_string(bool escapes) {
  for (;;) {
    if (!quoted('\'', escapes) || at_ > text_.size()) {
      return false;
    }
    const std::size_t end = at_;
    skip_space();
    bool line_break = false;
    for (std::size_t i = end; i < at_; ++i) {
      line_break = line_break || text_[i] == '\n' || text_[i] == '\r';
    }
    if (!line_break || at(at_) != '\'') {
      at_ = end;
      return true;
    }
  }
}

Token Scanner::word(uint32_t begin) {
  const char first = text_[at_];
  const char second = at(at_ + 1);
  if (second == '\'') {
    switch (first) {
      case 'e':
      case 'E':
        ++at_;
        return continued_string(true) ? token(Token::Kind::kEscapeString, begin) : invalid(begin);
      case 'b':
      case 'B':
      case 'x':
      case 'X':
      case 'n':
      case 'N':
        ++at_;
        return continued_string(false) ? token(Token::Kind::kOtherString, begin) : invalid(begin);
      default:
        break;
    }
  }
  if ((first == 'u' || first == 'U') && second == '&') {
    if (at(at_ + 2) == '\'') {
      at_ += 2;
      return continued_string(false) ? token(Token::Kind::kOtherString, begin) : invalid(begin);
    }
    if (at(at_ + 2) == '"') {
      at_ += 2;
      return quoted('"', false) ? token(Token::Kind::kQuotedIdentifier, begin) : invalid(begin);
    }
  }
  while (at_ < text_.size() && is_identifier(text_[at_])) {
    ++at_;
  }
  return token(Token::Kind::kWord, begin);
}

Token Scanner::number(uint32_t begin) {
  bool decimal = false;
  while (is_digit(at(at_))) {
    ++at_;
  }
  // "1..10" is a range of integers in the grammar, not a decimal point.
  if (at(at_) == '.' && at(at_ + 1) != '.') {
    decimal = true;
    ++at_;
    while (is_digit(at(at_))) {
      ++at_;
    }
  }
  if (at(at_) == 'e' || at(at_) == 'E') {
    std::size_t digits = at_ + 1;
    if (at(digits) == '+' || at(digits) == '-') {
      ++digits;
    }
    if (!is_digit(at(digits))) {
      return invalid(begin);
    }
    decimal = true;
    at_ = digits;
    while (is_digit(at(at_))) {
      ++at_;
    }
  }
  if (at_ < text_.size() && (class_of(text_[at_]) & kIdentStart) != 0) {
    return invalid(begin);
  }
  return token(decimal ? Token::Kind::kDecimal : Token::Kind::kInteger, begin);
}

Token Scanner::dollar(uint32_t begin) {
  if (is_digit(at(at_ + 1))) {
    ++at_;
    while (is_digit(at(at_))) {
      ++at_;
    }
    if (at_ < text_.size() && (class_of(text_[at_]) & kIdentStart) != 0) {
      return invalid(begin);
    }
    return token(Token::Kind::kParameter, begin);
  }
  std::size_t tag_end = at_ + 1;
  while (tag_end < text_.size() && text_[tag_end] != '$' && is_identifier(text_[tag_end])) {
    ++tag_end;
  }
  if (at(tag_end) != '$') {
    return invalid(begin);
  }
  const std::string_view tag = text_.substr(at_, tag_end + 1 - at_);
  const std::size_t close = text_.find(tag, tag_end + 1);
  if (close == std::string_view::npos) {
    return invalid(begin);
  }
  at_ = close + tag.size();
  return token(Token::Kind::kDollarString, begin);
}

Token Scanner::operator_run(uint32_t begin) {
  std::size_t end = at_;
  while (end < text_.size() && class_of(text_[end]) == kOperatorCharacter) {
    // A comment ends the operator.
    if ((text_[end] == '-' && at(end + 1) == '-') || (text_[end] == '/' && at(end + 1) == '*')) {
      break;
    }
    ++end;
  }
  // A trailing + or - belongs to the operand unless the operator has one of the characters SQL's own do not.
  bool may_end_in_sign = false;
  for (std::size_t i = at_; i < end; ++i) {
    const char c = text_[i];
    may_end_in_sign = may_end_in_sign || c == '~' || c == '!' || c == '@' || c == '#' || c == '^' || c == '&' ||
                      c == '|' || c == '`' || c == '?' || c == '%';
  }
  if (!may_end_in_sign) {
    while (end > at_ + 1 && (text_[end - 1] == '+' || text_[end - 1] == '-')) {
      --end;
    }
  }
  at_ = end;
  return token(Token::Kind::kOperator, begin);
}

}  // namespace pando::parse
