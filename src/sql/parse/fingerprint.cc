#include "sql/parse/fingerprint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "sql/parse/scanner.h"

namespace pando::parse {

namespace {

// Marks in the key. No token starts with a byte below blank.
constexpr char kTokenEnd = '\x01';
constexpr char kConstantMark = '\x02';
constexpr char kNegatedMark = '\x03';

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// A few words; most others are told apart by their first letter and length alone.
template <std::size_t n>
class WordList {
 public:
  constexpr explicit WordList(const std::string_view (&words)[n]) {
    for (std::size_t i = 0; i < n; ++i) {
      words_[i] = words[i];
      lengths_ |= bit(words[i].size());
      first_letters_ |= bit(static_cast<std::size_t>(words[i].front() - 'a'));
    }
  }
  bool contains(std::string_view word) const {
    return (lengths_ & bit(word.size())) != 0 &&
           (first_letters_ & bit(static_cast<std::size_t>(static_cast<unsigned char>(word.front())) - 'a')) != 0 &&
           std::find(words_.begin(), words_.end(), word) != words_.end();
  }

 private:
  static constexpr uint64_t bit(std::size_t place) { return place < 64 ? uint64_t{1} << place : 0; }
  std::array<std::string_view, n> words_{};
  uint64_t lengths_ = 0;
  uint64_t first_letters_ = 0;
};

bool starts_query(std::string_view word) {
  static constexpr WordList<6> kWords({"select", "insert", "update", "delete", "values", "with"});
  return kWords.contains(word);
}

// Words after which a minus sign cannot be a subtraction.
bool precedes_sign(std::string_view word) {
  static constexpr WordList<23> kWords({"select", "where", "and",   "or",       "not",    "when",  "then",     "else",
                                        "in",     "like",  "ilike", "between",  "values", "limit", "offset",   "having",
                                        "on",     "all",   "any",   "distinct", "case",   "from",  "returning"});
  return kWords.contains(word);
}

// Words after which no more items of a BY list come.
bool ends_sort_list(std::string_view word) {
  static constexpr WordList<12> kWords({"having", "window", "order", "limit", "offset", "fetch", "for", "union",
                                        "except", "intersect", "rows", "range"});
  return kWords.contains(word);
}

class Builder {
 public:
  Builder(std::string_view text, Fingerprint& out) : text_(text), scanner_(text), out_(out) {}

  bool run() {
    for (Token token = scanner_.next(); token.kind != Token::Kind::kEnd; token = scanner_.next()) {
      if (ended_ || !add(token)) {
        return false;
      }
    }
    return !first_;
  }

 private:
  bool add(const Token& token) {
    switch (token.kind) {
      case Token::Kind::kInvalid:
      case Token::Kind::kParameter:
        return false;
      case Token::Kind::kWord:
        return add_word(token);
      case Token::Kind::kString:
        return add_constant(token, LiftedConstant::Kind::kString);
      case Token::Kind::kInteger:
      case Token::Kind::kDecimal:
        return add_number(token);
      case Token::Kind::kPunctuation:
        // A semicolon may only end the text.
        ended_ = text_[token.begin] == ';';
        if (ended_) {
          return true;
        }
        break;
      default:
        break;
    }
    add_verbatim(token);
    return true;
  }

  void finish_token(bool may_precede_sign) {
    out_.key.push_back(kTokenEnd);
    sign_follows_ = may_precede_sign;
  }

  void add_verbatim(const Token& token) {
    flush_sign();
    const std::string_view word = text_.substr(token.begin, token.end - token.begin);
    if (token.kind == Token::Kind::kOperator && word == "-" && sign_follows_) {
      // Held back: it may be the sign of a number.
      pending_sign_ = true;
      sign_at_ = token.begin;
      return;
    }
    out_.key.append(word);
    const bool closes = word == ")" || word == "]" || token.kind != Token::Kind::kPunctuation;
    const bool is_operator = token.kind == Token::Kind::kOperator && word != "..";
    depth_ += word == "(" ? 1 : word == ")" ? -1 : 0;
    in_sort_list_ = in_sort_list_ && depth_ >= sort_depth_;
    at_sort_item_ = in_sort_list_ && depth_ == sort_depth_ && word == ",";
    finish_token(is_operator || !closes);
  }

  bool add_word(const Token& token) {
    flush_sign();
    const std::size_t begin = out_.key.size();
    for (uint32_t i = token.begin; i < token.end; ++i) {
      out_.key.push_back(lower(text_[i]));
    }
    const std::string_view word = std::string_view(out_.key).substr(begin);
    if (first_ && !starts_query(word)) {
      return false;
    }
    first_ = false;
    at_sort_item_ = word == "by";
    if (at_sort_item_) {
      in_sort_list_ = true;
      sort_depth_ = depth_;
    } else if (depth_ == sort_depth_ && ends_sort_list(word)) {
      in_sort_list_ = false;
    }
    finish_token(precedes_sign(word));
    return true;
  }

  bool add_number(const Token& token) {
    const std::string_view digits = text_.substr(token.begin, token.end - token.begin);
    if (token.kind == Token::Kind::kInteger && at_sort_item_ && !pending_sign_) {
      // A position in the select list.
      out_.key.append(digits);
      at_sort_item_ = false;
      finish_token(false);
      return true;
    }
    LiftedConstant::Kind kind = LiftedConstant::Kind::kNumeric;
    if (token.kind == Token::Kind::kInteger) {
      uint64_t value = 0;
      const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      // The grammar reads int4 before the sign is applied, int8 after.
      const uint64_t int8_max = static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) + (pending_sign_ ? 1 : 0);
      if (result.ec == std::errc() && value <= static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
        kind = LiftedConstant::Kind::kInt4;
      } else if (result.ec == std::errc() && value <= int8_max) {
        kind = LiftedConstant::Kind::kInt8;
      }
    }
    return add_constant(token, kind);
  }

  bool add_constant(const Token& token, LiftedConstant::Kind kind) {
    if (first_ || out_.constants.size() >= kFingerprintConstantsMax) {
      return false;
    }
    const bool negated = pending_sign_ && kind != LiftedConstant::Kind::kString;
    if (!negated) {
      flush_sign();
    }
    out_.constants.push_back({kind, negated, token.begin, token.end});
    out_.locations.push_back(static_cast<ast::Location>(negated ? sign_at_ : token.begin));
    pending_sign_ = false;
    out_.key.push_back(negated ? kNegatedMark : kConstantMark);
    out_.key.push_back(static_cast<char>('0' + static_cast<int>(kind)));
    at_sort_item_ = false;
    finish_token(false);
    return true;
  }

  void flush_sign() {
    if (pending_sign_) {
      pending_sign_ = false;
      out_.key.push_back('-');
      out_.key.push_back(kTokenEnd);
    }
  }

  std::string_view text_;
  Scanner scanner_;
  Fingerprint& out_;
  bool first_ = true;
  bool ended_ = false;
  // The last token cannot end an operand, so a minus now is a sign.
  bool sign_follows_ = false;
  bool pending_sign_ = false;
  uint32_t sign_at_ = 0;
  // In a BY list, at the start of one of its items: a number there is a position in the select list.
  bool in_sort_list_ = false;
  bool at_sort_item_ = false;
  int32_t depth_ = 0;
  int32_t sort_depth_ = 0;
};

}  // namespace

bool make_fingerprint(std::string_view text, Fingerprint& out) {
  out.key.clear();
  out.constants.clear();
  out.locations.clear();
  return text.size() <= kFingerprintTextMax && Builder(text, out).run();
}

Bytes constant_text(std::string_view text, const LiftedConstant& constant) {
  const std::string_view literal = text.substr(constant.begin, constant.end - constant.begin);
  if (constant.kind != LiftedConstant::Kind::kString) {
    Bytes number = constant.negated ? "-" : "";
    number.append(literal);
    return number;
  }
  // Pieces in quotes, with white space and comments between those continued over lines.
  Bytes value;
  std::size_t at = 0;
  while (at < literal.size()) {
    if (literal[at] == '-') {
      at = std::min(literal.find_first_of("\n\r", at), literal.size());
      continue;
    }
    if (literal[at] != '\'') {
      ++at;
      continue;
    }
    for (++at; at < literal.size(); ++at) {
      if (literal[at] == '\'') {
        if (at + 1 >= literal.size() || literal[at + 1] != '\'') {
          break;
        }
        ++at;
      }
      value.push_back(literal[at]);
    }
    ++at;
  }
  return value;
}

}  // namespace pando::parse
