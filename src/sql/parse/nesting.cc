#include "sql/parse/nesting.h"

#include <algorithm>
#include <vector>

#include "sql/parse/scanner.h"

namespace pando::parse {

namespace {

bool is_word(std::string_view text, const Token& token, std::string_view lower) {
  return token.end - token.begin == lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin() + token.begin, [](char expected, char actual) {
           return expected == (actual >= 'A' && actual <= 'Z' ? actual + ('a' - 'A') : actual);
         });
}

// One level of parentheses, brackets or CASE.
struct Level {
  // Tokens since the last separator that starts a sibling: each can deepen the tree by one.
  int32_t chain = 0;
  // Set operations and joins, whose left-deep chains go on past separators.
  int32_t structure = 0;
  bool is_case = false;
};

class Levels {
 public:
  void push(bool is_case) {
    levels_.push_back({0, 0, is_case});
    deepen();
  }
  void pop(bool is_case) {
    if (levels_.size() > 1 && levels_.back().is_case == is_case) {
      outer_ -= levels_.back().chain + levels_.back().structure;
      levels_.pop_back();
    }
  }
  void deepen() {
    ++levels_.back().chain;
    grow();
  }
  void extend_structure() {
    ++levels_.back().structure;
    grow();
  }
  void restart() {
    outer_ -= levels_.back().chain;
    levels_.back().chain = 0;
  }
  int32_t bound() const { return bound_; }

 private:
  void grow() { bound_ = std::max(bound_, ++outer_); }

  std::vector<Level> levels_{1};
  int32_t outer_ = 0;
  int32_t bound_ = 0;
};

void count_word(std::string_view text, const Token& token, Levels& levels) {
  if (is_word(text, token, "and") || is_word(text, token, "or")) {
    levels.restart();
  } else if (is_word(text, token, "case")) {
    levels.push(true);
  } else if (is_word(text, token, "end")) {
    levels.pop(true);
  } else if (is_word(text, token, "join") || is_word(text, token, "union") || is_word(text, token, "intersect") ||
             is_word(text, token, "except")) {
    levels.extend_structure();
  } else {
    levels.deepen();
  }
}

}  // namespace

int32_t nesting_bound(std::string_view text) {
  Levels levels;
  Scanner scanner(text);
  for (Token token = scanner.next(); token.kind != Token::Kind::kEnd; token = scanner.next()) {
    if (token.kind == Token::Kind::kWord) {
      count_word(text, token, levels);
      continue;
    }
    if (token.kind != Token::Kind::kPunctuation) {
      levels.deepen();
      continue;
    }
    switch (text[token.begin]) {
      case '(':
      case '[':
        levels.push(false);
        break;
      case ')':
      case ']':
        levels.pop(false);
        levels.deepen();
        break;
      case ',':
      case ';':
        levels.restart();
        break;
      default:
        levels.deepen();
        break;
    }
  }
  return levels.bound();
}

}  // namespace pando::parse
