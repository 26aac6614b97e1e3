#include "cli/statement_splitter.h"

#include <cctype>

namespace pando::cli {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0; }

}  // namespace

// Each skip moves at_ past what opens there; false when its end has not come yet, with at_ where it was.
bool StatementSplitter::skip_quoted(char quote) {
  const bool escapes = quote == '\'' && at_ > 0 && (text_[at_ - 1] == 'E' || text_[at_ - 1] == 'e') &&
                       (at_ == 1 || !is_word(text_[at_ - 2]));
  for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
    if (escapes && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == quote) {
      at_ = i + 1;
      return true;
    }
  }
  open_ = quote;
  return false;
}

bool StatementSplitter::skip_dollar_quote() {
  std::size_t end = at_ + 1;
  while (end < text_.size() && is_word(text_[end])) {
    ++end;
  }
  // The tag may go on in the next piece.
  if (end >= text_.size()) {
    return false;
  }
  const bool is_parameter = end > at_ + 1 && std::isdigit(static_cast<unsigned char>(text_[at_ + 1])) != 0;
  if (text_[end] != '$' || is_parameter) {
    at_ = end;
    return true;
  }
  const std::string tag = text_.substr(at_, end + 1 - at_);
  const auto close = text_.find(tag, end + 1);
  if (close == std::string::npos) {
    open_ = '$';
    return false;
  }
  at_ = close + tag.size();
  return true;
}

bool StatementSplitter::skip_block_comment() {
  int nesting = 0;
  for (std::size_t i = at_; i + 1 < text_.size(); ++i) {
    if (text_[i] == '/' && text_[i + 1] == '*') {
      ++nesting;
      ++i;
    } else if (text_[i] == '*' && text_[i + 1] == '/') {
      ++i;
      if (--nesting == 0) {
        at_ = i + 1;
        return true;
      }
    }
  }
  open_ = '*';
  return false;
}

bool StatementSplitter::skip_line_comment() {
  const auto end = text_.find('\n', at_);
  if (end == std::string::npos) {
    return false;
  }
  at_ = end + 1;
  return true;
}

std::optional<std::string> StatementSplitter::take() {
  open_ = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (next == '\0' && (c == '-' || c == '/')) {
      // Half of a comment's beginning, perhaps.
      return std::nullopt;
    }
    if (c == '\'' || c == '"') {
      if (!skip_quoted(c)) {
        return std::nullopt;
      }
    } else if (c == '$' && (at_ == 0 || !is_word(text_[at_ - 1]))) {
      if (!skip_dollar_quote()) {
        return std::nullopt;
      }
    } else if (c == '-' && next == '-') {
      if (!skip_line_comment()) {
        return std::nullopt;
      }
    } else if (c == '/' && next == '*') {
      if (!skip_block_comment()) {
        return std::nullopt;
      }
    } else {
      depth_ += c == '(' ? 1 : c == ')' && depth_ > 0 ? -1 : 0;
      ++at_;
      if (c == ';' && depth_ == 0) {
        std::string statement = text_.substr(0, at_);
        text_.erase(0, at_);
        at_ = 0;
        statement.erase(0, statement.find_first_not_of(" \t\r\n"));
        return statement;
      }
    }
  }
  return std::nullopt;
}

std::string StatementSplitter::take_rest() {
  std::string rest = text_;
  clear();
  rest.erase(0, rest.find_first_not_of(" \t\r\n"));
  return rest;
}

void StatementSplitter::clear() {
  text_.clear();
  at_ = 0;
  depth_ = 0;
  open_ = 0;
}

bool StatementSplitter::empty() const { return text_.find_first_not_of(" \t\r\n") == std::string::npos; }

char StatementSplitter::state() const {
  if (open_ != 0) {
    return open_;
  }
  return depth_ > 0 ? '(' : empty() ? '=' : '-';
}

}  // namespace pando::cli
