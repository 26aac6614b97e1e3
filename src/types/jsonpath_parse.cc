#include <algorithm>
#include <charconv>

#include "types/json.h"
#include "types/jsonpath_node.h"
#include "types/numeric.h"
#include "types/utf8.h"

namespace pando::types {
namespace {

constexpr int kDepthMax = 500;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

enum class Token : uint8_t { kEnd, kName, kString, kNumber, kVariable, kSymbol };

// Recursive descent over the tokens; depth is limited.
class PathParser {
 public:
  explicit PathParser(ByteView text) : text_(text) {}

  Result<ParsedPath> run() {
    PANDO_TRY(advance());
    if (token_ == Token::kEnd) {
      return Status(sql_state::kInvalidTextRepresentation, "invalid input syntax for type {}: \"{}\"", "jsonpath",
                    text_);
    }
    ParsedPath path;
    if (is_word("strict") || is_word("lax")) {
      path.strict = is_word("strict");
      PANDO_TRY(advance());
    }
    PANDO_ASSIGN(path.root, expression());
    if (token_ != Token::kEnd) {
      return unexpected();
    }
    return path;
  }

 private:
  using Node = JsonPathNode;

  Status unexpected() const {
    if (token_ == Token::kEnd) {
      return {sql_state::kSyntaxError, "syntax error at end of jsonpath input"};
    }
    return {sql_state::kSyntaxError, "syntax error at or near \"{}\" of jsonpath input",
            text_.substr(token_start_, at_ - token_start_)};
  }
  bool is_word(std::string_view word) const {
    const bool cased = word == "true" || word == "false" || word == "null";
    return token_ == Token::kName && std::ranges::equal(value_, word, [cased](char a, char b) {
             return (!cased && a >= 'A' && a <= 'Z' ? a + 32 : a) == b;
           });
  }
  bool is_symbol(std::string_view symbol) const { return token_ == Token::kSymbol && value_ == symbol; }
  Status expect(std::string_view symbol) { return is_symbol(symbol) ? advance() : unexpected(); }
  static PathPtr make(Node node) { return std::make_shared<const Node>(std::move(node)); }

  // --- tokens ---
  char front(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  Status advance() {
    while (true) {
      while (at_ < text_.size() && is_space(text_[at_])) {
        ++at_;
      }
      if (front() != '/' || front(1) != '*') {
        break;
      }
      const auto end = text_.find("*/", at_ + 2);
      token_start_ = at_;
      at_ = end == ByteView::npos ? text_.size() : end + 2;
      if (end == ByteView::npos) {
        return {sql_state::kSyntaxError, "unexpected end of comment at end of jsonpath input"};
      }
    }
    token_start_ = at_;
    value_.clear();
    if (at_ >= text_.size()) {
      token_ = Token::kEnd;
      return {};
    }
    const char c = front();
    if (c == '"') {
      token_ = Token::kString;
      return quoted();
    }
    if (c == '$' && (is_name_char(front(1)) || front(1) == '"')) {
      ++at_;
      token_ = Token::kVariable;
      return c == '$' && front() == '"' ? quoted() : name();
    }
    if (is_digit(c) || (c == '.' && is_digit(front(1)))) {
      return number();
    }
    if (is_name_char(c) || c == '\\') {
      token_ = Token::kName;
      return name();
    }
    return symbol();
  }

  Status symbol() {
    constexpr std::string_view kSymbols[] = {"**", "==", "!=", "<>", "<=", ">=", "&&", "||"};
    token_ = Token::kSymbol;
    for (const std::string_view two : kSymbols) {
      if (text_.substr(at_).starts_with(two)) {
        at_ += two.size();
        value_ = two == "<>" ? "!=" : Bytes(two);
        return {};
      }
    }
    value_ = Bytes(1, text_[at_++]);
    return std::string_view("$@.,*[](){}?!<>=+-/%&|").find(value_[0]) != std::string_view::npos ? Status()
                                                                                                : unexpected();
  }

  Status name() {
    while (is_name_char(front()) || front() == '\\') {
      if (front() == '\\') {
        PANDO_TRY(escape());
      } else {
        value_.push_back(text_[at_++]);
      }
    }
    return {};
  }

  // 12, 1.5, 1., .5, 1e-3. A number ends where it cannot go on: 1..e is the member e of "1.".
  Status number() {
    token_ = Token::kNumber;
    const auto digits = [this] {
      while (is_digit(front())) {
        ++at_;
      }
    };
    const auto refuse = [this](std::string_view what) {
      ++at_;
      return Status(sql_state::kSyntaxError, "{} at or near \"{}\" of jsonpath input", what,
                    text_.substr(token_start_, at_ - token_start_));
    };
    if (front() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (front() == '.') {
      ++at_;
      digits();
    }
    if (front() == 'e' || front() == 'E') {
      const bool sign = front(1) == '+' || front(1) == '-';
      if (is_digit(front(sign ? 2 : 1))) {
        at_ += sign ? 2 : 1;
        digits();
      } else if (sign) {
        ++at_;
        return refuse("invalid numeric literal");
      }
    }
    if (is_name_char(front())) {
      return refuse("trailing junk after numeric literal");
    }
    value_ = Bytes(text_.substr(token_start_, at_ - token_start_));
    return {};
  }

  Status quoted() {
    for (++at_; front() != '"';) {
      if (at_ >= text_.size()) {
        return {sql_state::kSyntaxError, "unterminated quoted string at end of jsonpath input"};
      }
      if (front() == '\\') {
        PANDO_TRY(escape());
      } else {
        value_.push_back(text_[at_++]);
      }
    }
    ++at_;
    return {};
  }

  bool hex(std::size_t count, uint32_t& code) {
    if (at_ + count > text_.size()) {
      return false;
    }
    const char* const end = text_.data() + at_ + count;
    const auto parsed = std::from_chars(text_.data() + at_, end, code, 16);
    at_ += count;
    return parsed.ec == std::errc() && parsed.ptr == end;
  }

  // At a backslash.
  Status escape() {
    constexpr std::string_view kEscapes = "bfnrtv";
    constexpr std::string_view kMeanings = "\b\f\n\r\t\v";
    const char c = front(1);
    at_ += at_ + 1 < text_.size() ? 2 : 1;
    if (const auto found = kEscapes.find(c); found != std::string_view::npos && c != '\0') {
      value_.push_back(kMeanings[found]);
      return {};
    }
    uint32_t code = 0;
    if (c == 'x') {
      return hex(2, code) ? append_code(code)
                          : Status(sql_state::kSyntaxError,
                                   "invalid hexadecimal character sequence at or near \"{}\" of "
                                   "jsonpath input",
                                   text_.substr(token_start_, at_ - token_start_));
    }
    if (c != 'u') {
      value_.push_back(c);
      return {};
    }
    // Names the escape as far as it is one.
    const std::size_t start = at_ - 2;
    const auto invalid = [this, start] {
      const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
      std::size_t end = start + 2;
      const std::size_t digits_max = end < text_.size() && text_[end] == '{' ? 6 : 3;
      end += digits_max == 6 ? 1 : 0;
      for (std::size_t i = 0; i < digits_max && end < text_.size() && is_hex(text_[end]); ++i) {
        ++end;
      }
      return Status(sql_state::kSyntaxError, "invalid unicode sequence at or near \"{}\" of jsonpath input",
                    text_.substr(start, end - start));
    };
    if (front() == '{') {
      const auto close = text_.find('}', at_);
      constexpr std::size_t kDigitsMax = 6;
      if (close == ByteView::npos || close == at_ + 1 || close - at_ - 1 > kDigitsMax) {
        return invalid();
      }
      ++at_;
      const bool valid = hex(close - at_, code);
      ++at_;
      return valid ? append_code(code) : invalid();
    }
    if (!hex(4, code)) {
      return invalid();
    }
    if (code >= 0xd800 && code <= 0xdbff && front() == '\\' && front(1) == 'u') {
      uint32_t low = 0;
      at_ += 2;
      if (!hex(4, low)) {
        return invalid();
      }
      if (low < 0xdc00 || low > 0xdfff) {
        return Status(sql_state::kInvalidTextRepresentation, "invalid input syntax for type {}", "jsonpath")
            .with_detail(low >= 0xd800 && low <= 0xdbff ? "Unicode high surrogate must not follow a high surrogate."
                                                        : "Unicode low surrogate must follow a high surrogate.");
      }
      code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
    }
    return append_code(code);
  }

  Status append_code(uint32_t code) {
    if (code == 0) {
      return Status(sql_state::kUntranslatableCharacter, "unsupported Unicode escape sequence")
          .with_detail("\\u0000 cannot be converted to text.");
    }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      return Status(sql_state::kInvalidTextRepresentation, "invalid input syntax for type {}", "jsonpath")
          .with_detail("Unicode low surrogate must follow a high surrogate.");
    }
    utf8_append(value_, code);
    return {};
  }

  // --- grammar, loosest first ---
  Result<PathPtr> expression() {
    if (++depth_ > kDepthMax) {
      return Status(sql_state::kStatementTooComplex, "stack depth limit exceeded");
    }
    auto result = binary(0);
    --depth_;
    return result;
  }

  struct Operator {
    std::string_view symbol;
    PathKind kind;
    int level;
  };

  const Operator* operator_at(int level) const {
    static constexpr Operator kOperators[] = {
        {"||", PathKind::kOr, 0},       {"&&", PathKind::kAnd, 1},          {"==", PathKind::kEqual, 2},
        {"!=", PathKind::kNotEqual, 2}, {"<", PathKind::kLess, 2},          {"<=", PathKind::kLessEqual, 2},
        {">", PathKind::kGreater, 2},   {">=", PathKind::kGreaterEqual, 2}, {"+", PathKind::kAdd, 3},
        {"-", PathKind::kSubtract, 3},  {"*", PathKind::kMultiply, 4},      {"/", PathKind::kDivide, 4},
        {"%", PathKind::kModulo, 4}};
    for (const Operator& candidate : kOperators) {
      if (candidate.level == level && is_symbol(candidate.symbol)) {
        return &candidate;
      }
    }
    return nullptr;
  }

  Result<PathPtr> binary(int level) {
    constexpr int kComparison = 2;
    constexpr int kTightest = 4;
    if (level > kTightest) {
      return unary();
    }
    PANDO_ASSIGN(PathPtr left, binary(level + 1));
    while (const Operator* found = operator_at(level)) {
      const bool wants_predicates = level < kComparison;
      if (left->is_predicate() != wants_predicates) {
        return unexpected();
      }
      PANDO_TRY(advance());
      PANDO_ASSIGN(PathPtr right, binary(level + 1));
      if (right->is_predicate() != wants_predicates) {
        return unexpected();
      }
      left = make({.kind = found->kind, .arguments = {left, right}});
      if (level == kComparison) {
        break;
      }
    }
    return level == kComparison ? word_predicate(left) : Result<PathPtr>(left);
  }

  // starts with, like_regex, is unknown
  Result<PathPtr> word_predicate(PathPtr left) {
    if (is_word("starts")) {
      PANDO_TRY(advance());
      if (!is_word("with")) {
        return unexpected();
      }
      PANDO_TRY(advance());
      if (token_ != Token::kString && token_ != Token::kVariable) {
        return unexpected();
      }
      PathPtr prefix =
          make({.kind = token_ == Token::kString ? PathKind::kString : PathKind::kVariable, .text = value_});
      PANDO_TRY(advance());
      return make({.kind = PathKind::kStartsWith, .arguments = {left, prefix}});
    }
    if (!is_word("like_regex")) {
      return left;
    }
    PANDO_TRY(advance());
    if (token_ != Token::kString) {
      return unexpected();
    }
    Node node{.kind = PathKind::kLikeRegex, .text = value_, .arguments = {left}};
    PANDO_TRY(advance());
    if (is_word("flag")) {
      PANDO_TRY(advance());
      if (token_ != Token::kString) {
        return unexpected();
      }
      if (const auto wrong = value_.find_first_not_of("imsxq"); wrong != Bytes::npos) {
        return Status(sql_state::kSyntaxError, "invalid input syntax for type {}", "jsonpath")
            .with_detail(
                fmt::format("Unrecognized flag character \"{}\" in LIKE_REGEX predicate.", value_.substr(wrong, 1)));
      }
      node.flags = value_;
      if (node.flags.contains('x') && !node.flags.contains('q')) {
        return Status(sql_state::kFeatureNotSupported,
                      "XQuery \"x\" flag (expanded regular expressions) is not implemented");
      }
      PANDO_TRY(advance());
    }
    PANDO_TRY(Regex::compile(node.text, like_regex_options(node.flags)).status());
    return make(std::move(node));
  }

  Result<PathPtr> unary() {
    if (is_symbol("!")) {
      PANDO_TRY(advance());
      PANDO_ASSIGN(PathPtr operand, primary());
      if (!operand->is_predicate()) {
        return unexpected();
      }
      return make({.kind = PathKind::kNot, .arguments = {operand}});
    }
    if (is_symbol("+") || is_symbol("-")) {
      const PathKind kind = is_symbol("+") ? PathKind::kPlus : PathKind::kMinus;
      if (++depth_ > kDepthMax) {
        return Status(sql_state::kStatementTooComplex, "stack depth limit exceeded");
      }
      PANDO_TRY(advance());
      PANDO_ASSIGN(PathPtr operand, unary());
      --depth_;
      // A signed number is a number.
      if (operand->kind == PathKind::kNumber && operand->next == nullptr) {
        Bytes value = operand->text;
        if (kind == PathKind::kMinus) {
          numeric::negate(value, value);
        }
        return make({.kind = PathKind::kNumber, .text = value});
      }
      return make({.kind = kind, .arguments = {operand}});
    }
    return primary();
  }

  Result<PathPtr> primary() {
    Node node;
    if (is_symbol("(")) {
      PANDO_TRY(advance());
      PANDO_ASSIGN(PathPtr inner, expression());
      PANDO_TRY(expect(")"));
      if (inner->is_predicate() && is_word("is")) {
        PANDO_TRY(advance());
        if (!is_word("unknown")) {
          return unexpected();
        }
        PANDO_TRY(advance());
        return make({.kind = PathKind::kIsUnknown, .arguments = {inner}});
      }
      if (starts_step()) {
        node = *inner;
        return with_steps(std::move(node));
      }
      return inner;
    }
    if (is_word("exists")) {
      PANDO_TRY(advance());
      PANDO_TRY(expect("("));
      PANDO_ASSIGN(PathPtr inner, expression());
      PANDO_TRY(expect(")"));
      return make({.kind = PathKind::kExists, .arguments = {inner}});
    }
    PANDO_TRY(start(node));
    return with_steps(std::move(node));
  }

  Status start(Node& node) {
    node.text = value_;
    if (token_ == Token::kString) {
      node.kind = PathKind::kString;
    } else if (token_ == Token::kVariable) {
      node.kind = PathKind::kVariable;
    } else if (token_ == Token::kNumber) {
      node.kind = PathKind::kNumber;
      PANDO_ASSIGN(node.text, numeric::parse(value_));
    } else if (is_symbol("$")) {
      node.kind = PathKind::kRoot;
    } else if (is_symbol("@")) {
      if (filter_depth_ == 0) {
        return {sql_state::kSyntaxError, "@ is not allowed in root expressions"};
      }
      node.kind = PathKind::kCurrent;
    } else if (is_word("last")) {
      if (subscript_depth_ == 0) {
        return {sql_state::kSyntaxError, "LAST is allowed only in array subscripts"};
      }
      node.kind = PathKind::kLast;
    } else if (is_word("null")) {
      node.kind = PathKind::kNull;
    } else if (is_word("true")) {
      node.kind = PathKind::kTrue;
    } else if (is_word("false")) {
      node.kind = PathKind::kFalse;
    } else {
      return unexpected();
    }
    return advance();
  }

  bool starts_step() const { return is_symbol(".") || is_symbol("[") || is_symbol("?"); }

  // Links the steps that follow after the last one of `node`.
  Result<PathPtr> with_steps(Node node) {
    std::vector<Node> steps;
    for (PathPtr old = node.next; old != nullptr; old = old->next) {
      steps.push_back(*old);
    }
    while (starts_step()) {
      Node step;
      if (is_symbol(".")) {
        PANDO_TRY(member_step(step));
      } else if (is_symbol("[")) {
        PANDO_TRY(array_step(step));
      } else {
        PANDO_TRY(advance());
        PANDO_TRY(expect("("));
        ++filter_depth_;
        PANDO_ASSIGN(PathPtr condition, expression());
        --filter_depth_;
        if (!condition->is_predicate()) {
          return unexpected();
        }
        PANDO_TRY(expect(")"));
        step.kind = PathKind::kFilter;
        step.arguments = {condition};
      }
      steps.push_back(std::move(step));
    }
    PathPtr next;
    while (!steps.empty()) {
      steps.back().next = next;
      next = make(std::move(steps.back()));
      steps.pop_back();
    }
    node.next = next;
    return make(std::move(node));
  }

  Status member_step(Node& step) {
    PANDO_TRY(advance());
    if (is_symbol("*")) {
      step.kind = PathKind::kAnyKey;
      return advance();
    }
    if (is_symbol("**")) {
      return level_step(step);
    }
    if (token_ != Token::kName && token_ != Token::kString && token_ != Token::kVariable) {
      return unexpected();
    }
    const bool plain = token_ == Token::kName;
    step.kind = PathKind::kKey;
    step.text = token_ == Token::kVariable ? "$" + value_ : value_;
    PANDO_TRY(advance());
    if (!plain || !is_symbol("(")) {
      return {};
    }
    const auto found = std::ranges::find(kPathMethodNames, step.text);
    if (found == std::end(kPathMethodNames)) {
      return unexpected();
    }
    step.kind = PathKind::kMethod;
    step.method = static_cast<PathMethod>(found - std::begin(kPathMethodNames));
    PANDO_TRY(advance());
    if (step.method == PathMethod::kDateTime && token_ == Token::kString) {
      step.arguments = {make({.kind = PathKind::kString, .text = value_})};
      PANDO_TRY(advance());
    }
    return expect(")");
  }

  Status level_step(Node& step) {
    step.kind = PathKind::kAnyLevel;
    step.first_level = 0;
    step.last_level = kPathLastLevel;
    PANDO_TRY(advance());
    if (!is_symbol("{")) {
      return {};
    }
    PANDO_TRY(advance());
    PANDO_TRY(level(step.first_level));
    step.last_level = step.first_level;
    if (is_word("to")) {
      PANDO_TRY(advance());
      PANDO_TRY(level(step.last_level));
    }
    return expect("}");
  }

  Status level(uint32_t& value) {
    if (is_word("last")) {
      value = kPathLastLevel;
      return advance();
    }
    const char* const end = value_.data() + value_.size();
    const auto parsed = std::from_chars(value_.data(), end, value);
    if (token_ != Token::kNumber || parsed.ec != std::errc() || parsed.ptr != end) {
      return unexpected();
    }
    return advance();
  }

  Status array_step(Node& step) {
    PANDO_TRY(advance());
    if (is_symbol("*")) {
      step.kind = PathKind::kAnyElement;
      PANDO_TRY(advance());
      return expect("]");
    }
    step.kind = PathKind::kSubscripts;
    ++subscript_depth_;
    while (true) {
      Node::Subscript subscript;
      PANDO_ASSIGN(subscript.from, expression());
      if (is_word("to")) {
        PANDO_TRY(advance());
        PANDO_ASSIGN(subscript.to, expression());
      }
      step.subscripts.push_back(std::move(subscript));
      if (!is_symbol(",")) {
        break;
      }
      PANDO_TRY(advance());
    }
    --subscript_depth_;
    return expect("]");
  }

  ByteView text_;
  std::size_t at_ = 0;
  std::size_t token_start_ = 0;
  Token token_ = Token::kEnd;
  Bytes value_;
  int depth_ = 0;
  int filter_depth_ = 0;
  int subscript_depth_ = 0;
};

}  // namespace

Result<ParsedPath> parse_jsonpath_text(ByteView text) { return PathParser(text).run(); }

// The dot and [^...] match newlines only with s, ^ and $ match at lines only with m.
RegexOptions like_regex_options(ByteView flags) {
  RegexOptions options;
  options.ignore_case = flags.contains('i');
  options.literal = flags.contains('q');
  options.newline_stops = !options.literal && !flags.contains('s');
  options.newline_anchors = !options.literal && flags.contains('m');
  return options;
}

}  // namespace pando::types
