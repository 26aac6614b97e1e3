// From PostgreSQL's regular expression syntax (manual section 9.7.3) to RE2's, which PCRE2 shares as far as it is used.

#include <algorithm>
#include <array>

#include "types/regex.h"
#include "types/utf8.h"

namespace pando::types {
namespace {

constexpr int kRepetitionMax = 255;
constexpr int kDepthMax = 500;

Status invalid(std::string_view why) {
  return {sql_state::kInvalidRegularExpression, "invalid regular expression: {}", why};
}
Status unsupported(std::string_view what) {
  return {sql_state::kFeatureNotSupported, "{} in regular expressions is not supported", what};
}

// Whether an expression would rather match more, less, or has no choice.
enum class Preference : uint8_t { kNone, kLong, kShort };

constexpr std::string_view kSpaces =
    "\\t-\\r \\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200a}\\x{2028}\\x{2029}\\x{205f}\\x{3000}";
constexpr std::string_view kWord = "\\p{L}\\p{N}_";
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kClasses = {{
    {"alnum", "\\p{L}\\p{N}"},
    {"alpha", "\\p{L}"},
    {"ascii", "\\x{0}-\\x{7f}"},
    {"blank", " \\t\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200a}\\x{205f}\\x{3000}"},
    {"cntrl", "\\p{Cc}\\x{2028}\\x{2029}"},
    {"digit", "0-9"},
    {"graph", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}"},
    {"lower", "\\p{Ll}"},
    {"print", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} "},
    {"punct", "\\p{P}\\p{S}"},
    {"space", kSpaces},
    {"upper", "\\p{Lu}"},
    {"word", kWord},
    {"xdigit", "0-9A-Fa-f"},
}};

bool is_word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
void append_literal(Bytes& out, uint32_t code) {
  if (code < 0x80 && is_word_character(static_cast<char>(code))) {
    out += static_cast<char>(code);
  } else {
    out += fmt::format("\\x{{{:x}}}", code);
  }
}

class Translator {
 public:
  Translator(ByteView pattern, RegexOptions options) : text_(pattern), options_(options) {}

  Result<RegexTranslation> run() {
    PANDO_TRY(read_prefix());
    Preference preference = Preference::kNone;
    if (options_.literal) {
      while (at_ < text_.size()) {
        literal(next_character());
      }
    } else {
      PANDO_TRY(alternatives(preference));
      if (at_ < text_.size()) {
        return invalid("parentheses () not balanced");
      }
    }
    out_.prefers_short = preference == Preference::kShort;
    out_.ignore_case = options_.ignore_case;
    return std::move(out_);
  }

 private:
  bool more() const { return at_ < text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool eat(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) {
      return false;
    }
    at_ += token.size();
    return true;
  }
  uint32_t next_character() {
    const uint32_t code = utf8_decode(text_.substr(at_));
    at_ += utf8_width(text_[at_]);
    return code;
  }
  void emit(std::string_view piece) {
    out_.pattern += piece;
    out_.lazy_pattern += piece;
  }
  void literal(uint32_t code) {
    Bytes piece;
    append_literal(piece, code);
    emit(piece);
    ends_in_word_ = code < 0x80 && is_word_character(static_cast<char>(code));
  }

  // "***=", "***:" and "(?flags)" at the start.
  Status read_prefix() {
    if (eat("***=")) {
      options_.literal = true;
      return {};
    }
    if (eat("***:")) {
      options_.literal = false;
    } else if (text_.starts_with("***")) {
      return invalid("quantifier operand invalid");
    }
    if (options_.literal || peek() != '(' || peek(1) != '?' || !(peek(2) >= 'a' && peek(2) <= 'z')) {
      return {};
    }
    at_ += 2;
    for (; more() && peek() != ')'; ++at_) {
      PANDO_TRY(apply_flag(peek()));
    }
    return eat(")") ? Status() : invalid("invalid embedded option");
  }
  Status apply_flag(char flag) {
    switch (flag) {
      case 'i':
        options_.ignore_case = true;
        return {};
      case 'c':
        options_.ignore_case = false;
        return {};
      case 'n':
      case 'm':
        options_.newline_stops = options_.newline_anchors = true;
        return {};
      case 'p':
        options_.newline_stops = true;
        options_.newline_anchors = false;
        return {};
      case 'w':
        options_.newline_stops = false;
        options_.newline_anchors = true;
        return {};
      case 's':
        options_.newline_stops = options_.newline_anchors = false;
        return {};
      case 'x':
        options_.expanded = true;
        return {};
      case 't':
        options_.expanded = false;
        return {};
      case 'q':
        options_.literal = true;
        return {};
      case 'e':
        return {};
      case 'b':
        return unsupported("basic syntax");
      default:
        return invalid("invalid embedded option");
    }
  }

  void skip_ignored() {
    while (more()) {
      if (text_.substr(at_).starts_with("(?#")) {
        at_ = std::min(text_.find(')', at_), text_.size() - 1) + 1;
      } else if (options_.expanded && ByteView(" \t\n\r\f\v").contains(peek())) {
        ++at_;
      } else if (options_.expanded && peek() == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        return;
      }
    }
  }

  Status alternatives(Preference& preference) {
    if (++depth_ > kDepthMax) {
      return invalid("regular expression is too complex");
    }
    PANDO_TRY(branch(preference));
    while (more() && peek() == '|') {
      ++at_;
      emit("|");
      Preference ignored = Preference::kNone;
      PANDO_TRY(branch(ignored));
      preference = Preference::kLong;
    }
    --depth_;
    return {};
  }

  Status branch(Preference& preference) {
    preference = Preference::kNone;
    while (true) {
      skip_ignored();
      if (!more() || peek() == '|' || peek() == ')') {
        return {};
      }
      Preference of_atom = Preference::kNone;
      PANDO_TRY(quantified(of_atom));
      if (preference == Preference::kNone) {
        preference = of_atom;
      }
    }
  }

  Status quantified(Preference& preference) {
    const std::size_t start = out_.pattern.size();
    const std::size_t lazy_start = out_.lazy_pattern.size();
    bool is_constraint = false;
    PANDO_TRY(atom(preference, is_constraint));
    skip_ignored();
    int low = 0;
    int high = 0;
    bool exact = false;
    PANDO_ASSIGN(const bool present, quantifier(low, high, exact));
    if (!present) {
      return {};
    }
    if (is_constraint) {
      return invalid("quantifier operand invalid");
    }
    const bool lazy = eat("?");
    if (exact && low == 1) {
      return check_single_quantifier();
    }
    const bool swaps_inside = lazy && !exact && low == 1 && high == 1;
    if (swaps_inside) {
      // {1,1}? makes the whole of what it follows prefer short matches.
      out_.pattern.insert(start, "(?U:");
      out_.pattern += ')';
    } else {
      const std::string bounds = print_bounds(low, high, exact);
      // A quantifier may follow one of another atom's only in a group of its own.
      out_.pattern.insert(start, "(?:");
      out_.pattern += ")" + bounds + (lazy && !exact ? "?" : "");
      out_.lazy_pattern.insert(lazy_start, "(?:");
      out_.lazy_pattern += ")" + bounds + (exact ? "" : "?");
    }
    if (!exact) {
      preference = lazy ? Preference::kShort : Preference::kLong;
      out_.has_lazy = out_.has_lazy || lazy;
    }
    ends_in_word_ = ends_in_word_ && low > 0;
    return check_single_quantifier();
  }
  Status check_single_quantifier() {
    skip_ignored();
    int low = 0;
    int high = 0;
    bool exact = false;
    PANDO_ASSIGN(const bool another, quantifier(low, high, exact));
    return another ? invalid("quantifier operand invalid") : Status();
  }
  static std::string print_bounds(int low, int high, bool exact) {
    if (exact) {
      return fmt::format("{{{}}}", low);
    }
    if (high < 0) {
      return low == 0 ? "*" : low == 1 ? "+" : fmt::format("{{{},}}", low);
    }
    return low == 0 && high == 1 ? "?" : fmt::format("{{{},{}}}", low, high);
  }

  // Reads * + ? {m} {m,} {m,n}; `high` is -1 for no limit.
  Result<bool> quantifier(int& low, int& high, bool& exact) {
    exact = false;
    high = -1;
    switch (peek()) {
      case '*':
        low = 0;
        break;
      case '+':
        low = 1;
        break;
      case '?':
        low = 0;
        high = 1;
        break;
      case '{':
        if (!(peek(1) >= '0' && peek(1) <= '9')) {
          return false;
        }
        ++at_;
        return bounds(low, high, exact);
      default:
        return false;
    }
    ++at_;
    return true;
  }
  Result<bool> bounds(int& low, int& high, bool& exact) {
    PANDO_ASSIGN(low, number());
    high = low;
    exact = true;
    if (eat(",")) {
      exact = false;
      high = -1;
      if (peek() >= '0' && peek() <= '9') {
        PANDO_ASSIGN(high, number());
        if (high < low) {
          return invalid("invalid repetition count(s)");
        }
      }
    }
    if (!eat("}")) {
      return more() ? invalid("invalid repetition count(s)") : invalid("braces {} not balanced");
    }
    return true;
  }
  Result<int> number() {
    int value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      value = value * 10 + (peek() - '0');
      if (value > kRepetitionMax) {
        return invalid("invalid repetition count(s)");
      }
    }
    return value;
  }

  Status atom(Preference& preference, bool& is_constraint) {
    switch (peek()) {
      case '(': {
        PANDO_ASSIGN(is_constraint, look_around());
        return is_constraint ? Status() : group(preference);
      }
      case '[':
        if (eat("[[:<:]]")) {
          is_constraint = true;
          return word_start();
        }
        if (eat("[[:>:]]")) {
          is_constraint = true;
          return word_end();
        }
        ++at_;
        ends_in_word_ = false;
        return bracket();
      case '.':
        ++at_;
        ends_in_word_ = false;
        emit(options_.newline_stops ? "[^\\n]" : "(?s:.)");
        return {};
      case '^':
        ++at_;
        is_constraint = true;
        emit(options_.newline_anchors ? "(?m:^)" : "\\A");
        return {};
      case '$':
        ++at_;
        is_constraint = true;
        emit(options_.newline_anchors ? "(?m:$)" : "\\z");
        return {};
      case '*':
      case '+':
      case '?':
        return invalid("quantifier operand invalid");
      case '{':
        if (peek(1) >= '0' && peek(1) <= '9') {
          return invalid("quantifier operand invalid");
        }
        literal(next_character());
        return {};
      case '\\':
        ++at_;
        return escape(is_constraint);
      default:
        literal(next_character());
        return {};
    }
  }

  Status group(Preference& preference) {
    ++at_;
    int number = 0;
    if (eat("?:") || looking_around_ > 0) {
      emit("(?:");
    } else if (peek() == '?') {
      return invalid("quantifier operand invalid");
    } else {
      emit("(");
      number = ++out_.groups;
      closed_.push_back(false);
    }
    PANDO_TRY(alternatives(preference));
    if (!eat(")")) {
      return invalid("parentheses () not balanced");
    }
    if (number > 0) {
      closed_[static_cast<std::size_t>(number) - 1] = true;
    }
    emit(")");
    return {};
  }
  // (?=re) (?!re) (?<=re) (?<!re): groups inside capture nothing.
  Result<bool> look_around() {
    for (const std::string_view open : {"(?=", "(?!", "(?<=", "(?<!"}) {
      if (!eat(open)) {
        continue;
      }
      out_.backtracks = true;
      emit(open);
      ++looking_around_;
      Preference ignored = Preference::kNone;
      PANDO_TRY(alternatives(ignored));
      --looking_around_;
      if (!eat(")")) {
        return invalid("parentheses () not balanced");
      }
      emit(")");
      return true;
    }
    return false;
  }
  // \1 to \9, and longer numbers of groups that are there.
  Status back_reference() {
    int number = 0;
    for (; peek() >= '0' && peek() <= '9' && number < kRepetitionMax; ++at_) {
      number = number * 10 + (peek() - '0');
    }
    const bool usable = looking_around_ == 0 && number <= out_.groups && closed_[static_cast<std::size_t>(number) - 1];
    if (!usable) {
      return invalid("invalid backreference number");
    }
    out_.backtracks = true;
    ends_in_word_ = false;
    emit(fmt::format("\\g{{{}}}", number));
    return {};
  }

  // --- escapes outside brackets ---
  Status word_start() {
    const bool word_follows = is_word_character(peek()) || (peek() == '\\' && (peek(1) == 'w' || peek(1) == 'd'));
    if (word_follows) {
      emit("\\b");
    } else {
      out_.backtracks = true;
      emit(fmt::format("(?<![{0}])(?=[{0}])", kWord));
    }
    return {};
  }
  Status word_end() {
    if (ends_in_word_) {
      emit("\\b");
    } else {
      out_.backtracks = true;
      emit(fmt::format("(?<=[{0}])(?![{0}])", kWord));
    }
    return {};
  }
  Status escape(bool& is_constraint) {
    if (!more()) {
      return invalid("invalid escape \\ sequence");
    }
    const char c = peek();
    switch (c) {
      case 'd':
      case 'w':
      case 's':
      case 'D':
      case 'W':
      case 'S':
        ++at_;
        class_escape(c);
        return {};
      case 'A':
      case 'Z':
      case 'y':
      case 'Y':
        ++at_;
        is_constraint = true;
        emit(c == 'A' ? "\\A" : c == 'Z' ? "\\z" : c == 'y' ? "\\b" : "\\B");
        return {};
      case 'm':
        ++at_;
        is_constraint = true;
        return word_start();
      case 'M':
        ++at_;
        is_constraint = true;
        return word_end();
      default:
        break;
    }
    if (c >= '1' && c <= '9' && !(peek(1) >= '0' && peek(1) <= '9' && c - '0' > out_.groups)) {
      return back_reference();
    }
    PANDO_ASSIGN(const uint32_t code, character_escape());
    literal(code);
    return {};
  }
  void class_escape(char kind) {
    const char lower = static_cast<char>(kind | 0x20);
    const bool negated = kind != lower;
    const std::string_view members = lower == 'd' ? "0-9" : lower == 'w' ? kWord : kSpaces;
    emit(fmt::format("[{}{}{}]", negated ? "^" : "", members, negated && options_.newline_stops ? "\\n" : ""));
    ends_in_word_ = kind == 'd' || kind == 'w';
  }
  // Escapes that stand for one character, here and in brackets.
  Result<uint32_t> character_escape() {
    if (!more()) {
      return invalid("invalid escape \\ sequence");
    }
    const char c = peek();
    if (!is_word_character(c) || c == '_') {
      return next_character();
    }
    ++at_;
    switch (c) {
      case 'a':
        return uint32_t{7};
      case 'b':
        return uint32_t{8};
      case 'B':
        return uint32_t{'\\'};
      case 'e':
        return uint32_t{27};
      case 'f':
        return uint32_t{12};
      case 'n':
        return uint32_t{10};
      case 'r':
        return uint32_t{13};
      case 't':
        return uint32_t{9};
      case 'v':
        return uint32_t{11};
      case 'c':
        return more() ? Result<uint32_t>(next_character() & 037) : invalid("invalid escape \\ sequence");
      case 'u':
        return hexadecimal(4, 4);
      case 'U':
        return hexadecimal(8, 8);
      case 'x':
        return hexadecimal(1, 255);
      default:
        break;
    }
    if (c >= '0' && c <= '7') {
      uint32_t code = static_cast<uint32_t>(c - '0');
      for (int i = 0; i < 2 && peek() >= '0' && peek() <= '7'; ++i, ++at_) {
        code = code * 8 + static_cast<uint32_t>(peek() - '0');
      }
      return code;
    }
    return invalid("invalid escape \\ sequence");
  }
  Result<uint32_t> hexadecimal(int low, int high) {
    uint64_t code = 0;
    int digits = 0;
    for (; digits < high; ++digits, ++at_) {
      const char c = peek();
      const char lower = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        code = code * 16 + static_cast<uint64_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        code = code * 16 + static_cast<uint64_t>(lower - 'a' + 10);
      } else {
        break;
      }
      code = std::min<uint64_t>(code, 0x110000);
    }
    if (digits < low || code > 0x10ffff) {
      return invalid("invalid escape \\ sequence");
    }
    return static_cast<uint32_t>(code);
  }

  // --- bracket expressions; the cursor is after '[' ---
  Status bracket() {
    const bool negated = eat("^");
    Bytes members;
    bool first = true;
    while (first || peek() != ']') {
      if (!more()) {
        return invalid("brackets [] not balanced");
      }
      first = false;
      PANDO_TRY(member(members));
    }
    ++at_;
    emit(fmt::format("[{}{}{}]", negated ? "^" : "", members, negated && options_.newline_stops ? "\\n" : ""));
    return {};
  }
  Status member(Bytes& members) {
    if (eat("[:")) {
      const std::size_t end = text_.find(":]", at_);
      if (end == ByteView::npos) {
        return invalid("brackets [] not balanced");
      }
      const ByteView name = text_.substr(at_, end - at_);
      at_ = end + 2;
      const auto* found = std::ranges::find(kClasses, name, [](const auto& entry) { return entry.first; });
      if (found == kClasses.end()) {
        return invalid("invalid character class");
      }
      members += found->second;
      return {};
    }
    if (peek() == '\\' && ByteView("dws").contains(peek(1)) && peek(1) != '\0') {
      members += peek(1) == 'd' ? "0-9" : peek(1) == 'w' ? kWord : kSpaces;
      at_ += 2;
      return {};
    }
    if (peek() == '\\' && ByteView("DWS").contains(peek(1)) && peek(1) != '\0') {
      return unsupported("a negated class escape inside brackets");
    }
    PANDO_ASSIGN(const uint32_t low, member_character());
    append_literal(members, low);
    if (peek() == '-' && peek(1) != ']' && at_ + 1 < text_.size()) {
      ++at_;
      PANDO_ASSIGN(const uint32_t high, member_character());
      if (high < low) {
        return invalid("invalid character range");
      }
      members += '-';
      append_literal(members, high);
    }
    return {};
  }
  Result<uint32_t> member_character() {
    for (const std::string_view open : {"[.", "[="}) {
      if (eat(open)) {
        const ByteView close = open == "[." ? ".]" : "=]";
        if (!more()) {
          return invalid("brackets [] not balanced");
        }
        const uint32_t code = next_character();
        if (!eat(close)) {
          return invalid("invalid collating element");
        }
        return code;
      }
    }
    if (eat("\\")) {
      return character_escape();
    }
    if (!more()) {
      return invalid("brackets [] not balanced");
    }
    return next_character();
  }

  ByteView text_;
  RegexOptions options_;
  std::size_t at_ = 0;
  int depth_ = 0;
  // The last atom always ends in an ASCII word character.
  bool ends_in_word_ = false;
  // Inside so many look-aheads and look-behinds.
  int looking_around_ = 0;
  // By group: whether its closing parenthesis was read.
  std::vector<bool> closed_;
  RegexTranslation out_;
};

}  // namespace

Result<RegexTranslation> translate_regex(ByteView pattern, RegexOptions options) {
  return Translator(pattern, options).run();
}

}  // namespace pando::types
