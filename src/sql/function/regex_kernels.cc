// The operators ~ ~* !~ !~*, the regexp_ functions, substring(... from ...) and SIMILAR TO.

#include <algorithm>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/array.h"
#include "types/regex.h"
#include "types/utf8.h"

namespace pando::sql {
namespace {

using types::Regex;
using types::RegexOptions;
using types::RegexSpan;
using types::utf8_length;
using types::utf8_offset;

Result<const Regex*> find_regex(EvaluationContext& context, ByteView pattern, RegexOptions options) {
  if (context.regexes == nullptr) {
    context.regexes = std::make_shared<types::RegexCache>();
  }
  return context.regexes->get(pattern, options);
}

// --- options and parameters ---
struct Flags {
  RegexOptions options;
  bool global = false;
};
Result<Flags> parse_flags(ByteView text) {
  Flags flags;
  for (std::size_t at = 0; at < text.size(); ++at) {
    RegexOptions& options = flags.options;
    switch (text[at]) {
      case 'g':
        flags.global = true;
        break;
      case 'b':
        return Status(sql_state::kFeatureNotSupported, "basic syntax in regular expressions is not supported");
      case 'c':
        options.ignore_case = false;
        break;
      case 'e':
        break;
      case 'i':
        options.ignore_case = true;
        break;
      case 'm':
      case 'n':
        options.newline_stops = options.newline_anchors = true;
        break;
      case 'p':
        options.newline_stops = true;
        options.newline_anchors = false;
        break;
      case 'q':
        options.literal = true;
        break;
      case 's':
        options.newline_stops = options.newline_anchors = false;
        break;
      case 't':
        options.expanded = false;
        break;
      case 'w':
        options.newline_stops = false;
        options.newline_anchors = true;
        break;
      case 'x':
        options.expanded = true;
        break;
      default:
        return Status(sql_state::kInvalidParameterValue, "invalid regular expression option: \"{}\"",
                      text.substr(at, types::utf8_width(text[at])));
    }
  }
  return flags;
}
Result<RegexOptions> parse_options(ByteView text, std::string_view function, std::string_view instead = "") {
  PANDO_ASSIGN(const Flags flags, parse_flags(text));
  if (flags.global) {
    Status status(sql_state::kInvalidParameterValue, "{}() does not support the \"global\" option", function);
    if (!instead.empty()) {
      status.fields().hint = fmt::format("Use the {} function instead.", instead);
    }
    return status;
  }
  return flags.options;
}
Status check_parameter(std::string_view name, int32_t value, int32_t low, int32_t high = INT32_MAX) {
  return value >= low && value <= high
             ? Status()
             : Status(sql_state::kInvalidParameterValue, "invalid value for parameter \"{}\": {}", name, value);
}

// Where the search from character `start` on begins; past the text's end when it has fewer characters.
std::size_t offset_of(ByteView text, int32_t start) {
  const auto characters = static_cast<std::size_t>(start) - 1;
  const std::size_t offset = utf8_offset(text, characters);
  return offset == text.size() && types::utf8_length(text) < characters ? text.size() + 1 : offset;
}

// --- all matches of a text, one after the other ---
class Matches {
 public:
  Matches(const Regex& regex, ByteView text, std::size_t from) : regex_(regex), text_(text), next_(from) {}
  // False when there are no more, or when a search failed: see status. An empty match is followed by the search one
  // character on.
  bool next() {
    if (next_ > text_.size()) {
      return false;
    }
    const Result<bool> found = regex_.find(text_, next_, groups);
    if (!found.ok() || !*found) {
      status = found.ok() ? Status() : found.status();
      return false;
    }
    next_ = groups[0].end;
    if (groups[0].start == groups[0].end) {
      next_ += next_ < text_.size() ? types::utf8_width(text_[next_]) : 1;
    }
    return true;
  }
  std::vector<RegexSpan> groups;
  Status status;

 private:
  const Regex& regex_;
  ByteView text_;
  std::size_t next_;
};

// --- ~ and its kin, regexp_like ---
template <bool kIgnoreCase, bool kNegated>
Result<bool> matches(EvaluationContext& context, ByteView text, ByteView pattern) {
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, {.ignore_case = kIgnoreCase}));
  PANDO_ASSIGN(const bool found, regex->matches(text));
  return found != kNegated;
}
Result<bool> like(EvaluationContext& context, ByteView text, ByteView pattern, ByteView flags) {
  PANDO_ASSIGN(const RegexOptions options, parse_options(flags, "regexp_like"));
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, options));
  return regex->matches(text);
}

// --- regexp_match, regexp_matches ---
// The groups of a match, or the whole match when there are none.
Result<Bytes> groups_array(ByteView text, const std::vector<RegexSpan>& groups) {
  types::ArrayBuilder builder(types::oid::kText);
  for (std::size_t i = groups.size() == 1 ? 0 : 1; i < groups.size(); ++i) {
    if (groups[i].matched()) {
      builder.add_bytes(groups[i].of(text));
    } else {
      builder.add_null();
    }
  }
  return builder.finish();
}
Result<std::optional<Bytes>> match(EvaluationContext& context, ByteView text, ByteView pattern, ByteView flags) {
  PANDO_ASSIGN(const RegexOptions options, parse_options(flags, "regexp_match", "regexp_matches"));
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, options));
  std::vector<RegexSpan> groups;
  PANDO_ASSIGN(const bool found, regex->find(text, 0, groups));
  if (!found) {
    return std::optional<Bytes>();
  }
  PANDO_ASSIGN(Bytes array, groups_array(text, groups));
  return std::optional(std::move(array));
}
Result<std::optional<Bytes>> match_plain(EvaluationContext& context, ByteView text, ByteView pattern) {
  return match(context, text, pattern, "");
}

// Rows of one byte-string column, computed before the first is asked for.
class BytesRows final : public SetRows {
 public:
  explicit BytesRows(std::vector<Bytes> rows) : rows_(std::move(rows)) {}
  Status next(types::Chunk& out) override {
    out.rows = std::min(rows_.size() - next_, types::kVectorRows);
    out.columns[0].reset(out.rows);
    for (std::size_t i = 0; i < out.rows; ++i) {
      out.columns[0].set_bytes(i, rows_[next_ + i]);
    }
    next_ += out.rows;
    return {};
  }

 private:
  std::vector<Bytes> rows_;
  std::size_t next_ = 0;
};

Result<std::unique_ptr<SetRows>> match_rows(EvaluationContext& context, const CallTypes&,
                                            std::span<const types::Value> arguments) {
  PANDO_ASSIGN(const Flags flags, parse_flags(arguments.size() > 2 ? arguments[2].bytes() : ByteView()));
  PANDO_ASSIGN(const Regex* regex, find_regex(context, arguments[1].bytes(), flags.options));
  const ByteView text = arguments[0].bytes();
  std::vector<Bytes> rows;
  Matches all(*regex, text, 0);
  while (all.next()) {
    PANDO_ASSIGN(Bytes array, groups_array(text, all.groups));
    rows.push_back(std::move(array));
    if (!flags.global) {
      break;
    }
  }
  PANDO_TRY(all.status);
  return std::unique_ptr<SetRows>(std::make_unique<BytesRows>(std::move(rows)));
}

// --- splitting ---
// The pieces between matches. Empty matches at the ends of the text, or right after another match, do not split.
Result<std::vector<ByteView>> split(const Regex& regex, ByteView text) {
  std::vector<ByteView> pieces;
  std::size_t start = 0;
  std::size_t previous_end = 0;
  Matches all(regex, text, 0);
  while (all.next()) {
    const RegexSpan whole = all.groups[0];
    if (whole.start < text.size() && whole.end > previous_end) {
      pieces.push_back(text.substr(start, whole.start - start));
      start = whole.end;
    }
    previous_end = whole.end;
  }
  PANDO_TRY(all.status);
  pieces.push_back(text.substr(start));
  return pieces;
}
Result<Bytes> split_to_array(EvaluationContext& context, ByteView text, ByteView pattern, ByteView flags) {
  PANDO_ASSIGN(const RegexOptions options, parse_options(flags, "regexp_split_to_array"));
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, options));
  types::ArrayBuilder builder(types::oid::kText);
  PANDO_ASSIGN(const std::vector<ByteView> pieces, split(*regex, text));
  for (const ByteView piece : pieces) {
    builder.add_bytes(piece);
  }
  return builder.finish();
}
Result<Bytes> split_to_array_plain(EvaluationContext& context, ByteView text, ByteView pattern) {
  return split_to_array(context, text, pattern, "");
}
Result<std::unique_ptr<SetRows>> split_rows(EvaluationContext& context, const CallTypes&,
                                            std::span<const types::Value> arguments) {
  PANDO_ASSIGN(const RegexOptions options,
               parse_options(arguments.size() > 2 ? arguments[2].bytes() : ByteView(), "regexp_split_to_table"));
  PANDO_ASSIGN(const Regex* regex, find_regex(context, arguments[1].bytes(), options));
  std::vector<Bytes> rows;
  PANDO_ASSIGN(const std::vector<ByteView> pieces, split(*regex, arguments[0].bytes()));
  for (const ByteView piece : pieces) {
    rows.emplace_back(piece);
  }
  return std::unique_ptr<SetRows>(std::make_unique<BytesRows>(std::move(rows)));
}

// --- regexp_replace ---
void append_replacement(Bytes& out, ByteView replacement, ByteView text, const std::vector<RegexSpan>& groups) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '\\' || i + 1 == replacement.size()) {
      out += replacement[i];
      continue;
    }
    const char c = replacement[++i];
    if (c == '&' || (c >= '1' && c <= '9')) {
      const std::size_t group = c == '&' ? 0 : static_cast<std::size_t>(c - '0');
      if (group < groups.size() && groups[group].matched()) {
        out += groups[group].of(text);
      }
    } else if (c == '\\') {
      out += '\\';
    } else {
      // A backslash before anything else is itself, and what follows it is read again.
      out += '\\';
      --i;
    }
  }
}
// Replaces the `count`-th match, or all for 0, looking from character `start` on.
Result<Bytes> replace_matches(const Regex& regex, ByteView text, ByteView replacement, int32_t start, int32_t count) {
  Bytes out;
  std::size_t copied = 0;
  int32_t seen = 0;
  Matches all(regex, text, offset_of(text, start));
  while (all.next()) {
    ++seen;
    if (count > 0 && seen != count) {
      continue;
    }
    out += text.substr(copied, all.groups[0].start - copied);
    append_replacement(out, replacement, text, all.groups);
    copied = all.groups[0].end;
    if (count > 0) {
      break;
    }
  }
  PANDO_TRY(all.status);
  out += text.substr(copied);
  return out;
}
Result<Bytes> replace_first(EvaluationContext& context, ByteView text, ByteView pattern, ByteView replacement) {
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, {}));
  return replace_matches(*regex, text, replacement, 1, 1);
}
Result<Bytes> replace_flags(EvaluationContext& context, ByteView text, ByteView pattern, ByteView replacement,
                            ByteView flags_text) {
  if (!flags_text.empty() && flags_text.front() >= '0' && flags_text.front() <= '9') {
    return Status(sql_state::kInvalidParameterValue, "invalid regular expression option: \"{}\"", flags_text.front())
        .with_hint(
            "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer "
            "explicitly.");
  }
  PANDO_ASSIGN(const Flags flags, parse_flags(flags_text));
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, flags.options));
  return replace_matches(*regex, text, replacement, 1, flags.global ? 0 : 1);
}
Result<Bytes> replace_n(EvaluationContext& context, ByteView text, ByteView pattern, ByteView replacement,
                        int32_t start, int32_t n) {
  PANDO_TRY(check_parameter("start", start, 1));
  PANDO_TRY(check_parameter("n", n, 0));
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, {}));
  return replace_matches(*regex, text, replacement, start, n);
}
Result<Bytes> replace_from(EvaluationContext& context, ByteView text, ByteView pattern, ByteView replacement,
                           int32_t start) {
  return replace_n(context, text, pattern, replacement, start, 1);
}
// With an explicit n the 'g' flag has no meaning and is ignored.
Result<Bytes> replace_n_flags(EvaluationContext& context, ByteView text, ByteView pattern, ByteView replacement,
                              int32_t start, int32_t n, ByteView flags_text) {
  PANDO_TRY(check_parameter("start", start, 1));
  PANDO_TRY(check_parameter("n", n, 0));
  PANDO_ASSIGN(const Flags flags, parse_flags(flags_text));
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, flags.options));
  return replace_matches(*regex, text, replacement, start, n);
}

// --- regexp_count, regexp_instr, regexp_substr ---
Result<int32_t> count(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start, ByteView flags) {
  PANDO_TRY(check_parameter("start", start, 1));
  PANDO_ASSIGN(const RegexOptions options, parse_options(flags, "regexp_count"));
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, options));
  int32_t found = 0;
  Matches all(*regex, text, offset_of(text, start));
  while (all.next()) {
    ++found;
  }
  PANDO_TRY(all.status);
  return found;
}
Result<int32_t> count_from(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start) {
  return count(context, text, pattern, start, "");
}
Result<int32_t> count_all(EvaluationContext& context, ByteView text, ByteView pattern) {
  return count(context, text, pattern, 1, "");
}

// Group `group` of the n-th match; unmatched when there is none.
Result<RegexSpan> nth_group(EvaluationContext& context, ByteView text, ByteView pattern, RegexOptions options,
                            int32_t start, int32_t n, int32_t group) {
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, options));
  Matches all(*regex, text, offset_of(text, start));
  for (int32_t i = 0; i < n; ++i) {
    if (!all.next()) {
      PANDO_TRY(all.status);
      return RegexSpan();
    }
  }
  if (group == 1 && all.groups.size() == 1) {
    // As PostgreSQL: a pattern without groups is its own first one.
    group = 0;
  }
  return static_cast<std::size_t>(group) < all.groups.size() ? all.groups[static_cast<std::size_t>(group)]
                                                             : RegexSpan();
}
Result<int32_t> instr(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start, int32_t n,
                      int32_t end_option, ByteView flags, int32_t group) {
  PANDO_TRY(check_parameter("start", start, 1));
  PANDO_TRY(check_parameter("n", n, 1));
  PANDO_TRY(check_parameter("endoption", end_option, 0, 1));
  PANDO_TRY(check_parameter("subexpr", group, 0));
  PANDO_ASSIGN(const RegexOptions options, parse_options(flags, "regexp_instr"));
  PANDO_ASSIGN(const RegexSpan span, nth_group(context, text, pattern, options, start, n, group));
  if (!span.matched()) {
    return 0;
  }
  return static_cast<int32_t>(utf8_length(text.substr(0, end_option == 1 ? span.end : span.start))) + 1;
}
Result<int32_t> instr_flags(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start, int32_t n,
                            int32_t end_option, ByteView flags) {
  return instr(context, text, pattern, start, n, end_option, flags, 0);
}
Result<int32_t> instr_end(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start, int32_t n,
                          int32_t end_option) {
  return instr(context, text, pattern, start, n, end_option, "", 0);
}
Result<int32_t> instr_n(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start, int32_t n) {
  return instr(context, text, pattern, start, n, 0, "", 0);
}
Result<int32_t> instr_from(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start) {
  return instr(context, text, pattern, start, 1, 0, "", 0);
}
Result<int32_t> instr_first(EvaluationContext& context, ByteView text, ByteView pattern) {
  return instr(context, text, pattern, 1, 1, 0, "", 0);
}

using OptionalText = Result<std::optional<Borrowed>>;
OptionalText substr(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start, int32_t n,
                    ByteView flags, int32_t group) {
  PANDO_TRY(check_parameter("start", start, 1));
  PANDO_TRY(check_parameter("n", n, 1));
  PANDO_TRY(check_parameter("subexpr", group, 0));
  PANDO_ASSIGN(const RegexOptions options, parse_options(flags, "regexp_substr"));
  PANDO_ASSIGN(const RegexSpan span, nth_group(context, text, pattern, options, start, n, group));
  return span.matched() ? std::optional(Borrowed{span.of(text)}) : std::nullopt;
}
OptionalText substr_flags(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start, int32_t n,
                          ByteView flags) {
  return substr(context, text, pattern, start, n, flags, 0);
}
OptionalText substr_n(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start, int32_t n) {
  return substr(context, text, pattern, start, n, "", 0);
}
OptionalText substr_from(EvaluationContext& context, ByteView text, ByteView pattern, int32_t start) {
  return substr(context, text, pattern, start, 1, "", 0);
}
OptionalText substr_first(EvaluationContext& context, ByteView text, ByteView pattern) {
  return substr(context, text, pattern, 1, 1, "", 0);
}
// substring(text from pattern): the first group, or the whole match when there is none.
OptionalText substring(EvaluationContext& context, ByteView text, ByteView pattern) {
  PANDO_ASSIGN(const Regex* regex, find_regex(context, pattern, {}));
  std::vector<RegexSpan> groups;
  PANDO_ASSIGN(const bool found, regex->find(text, 0, groups));
  if (!found) {
    return std::optional<Borrowed>();
  }
  const RegexSpan span = groups[groups.size() > 1 ? 1 : 0];
  return span.matched() ? std::optional(Borrowed{span.of(text)}) : std::nullopt;
}

// --- SIMILAR TO ---
class SimilarPattern {
 public:
  SimilarPattern(ByteView pattern, ByteView escape) : text_(pattern), escape_(escape) {}

  Result<Bytes> translate() {
    while (!text_.empty()) {
      const std::size_t width = types::utf8_width(text_.front());
      const ByteView character = text_.substr(0, width);
      text_.remove_prefix(width);
      if (after_escape_) {
        PANDO_TRY(escaped(character));
      } else if (!escape_.empty() && character == escape_) {
        after_escape_ = true;
      } else if (in_brackets_) {
        out_ += character == "\\" ? ByteView("\\\\") : character;
        in_brackets_ = character != "]";
      } else {
        plain(character);
      }
    }
    return out_ + ")$";
  }

 private:
  Status escaped(ByteView character) {
    after_escape_ = false;
    if (character != "\"" || in_brackets_) {
      out_ += '\\';
      out_ += character;
      return {};
    }
    // A pair of escape-double-quotes marks the part that substring() gives: what is before it matches as little as
    // it can, and so may not be chosen by the greed of its own parts.
    if (separators_ == 0) {
      out_ += "){1,1}?(";
    } else if (separators_ == 1) {
      out_ += "){1,1}(?:";
    } else {
      return {SqlState("2200C"), "SQL regular expression may not contain more than two escape-double-quote separators"};
    }
    ++separators_;
    return {};
  }
  void plain(ByteView character) {
    const char c = character.front();
    switch (c) {
      case '[':
        out_ += c;
        in_brackets_ = true;
        break;
      case '%':
        out_ += ".*";
        break;
      case '_':
        out_ += '.';
        break;
      case '(':
        out_ += "(?:";
        break;
      case '\\':
      case '.':
      case '^':
      case '$':
        out_ += '\\';
        out_ += c;
        break;
      default:
        out_ += character;
    }
  }

  ByteView text_;
  ByteView escape_;
  Bytes out_ = "^(?:";
  bool after_escape_ = false;
  bool in_brackets_ = false;
  int separators_ = 0;
};
Result<Bytes> similar_escape(ByteView pattern, ByteView escape) {
  if (!escape.empty() && escape.size() != types::utf8_width(escape.front())) {
    return Status(sql_state::kInvalidEscapeSequence, "invalid escape string")
        .with_hint("Escape string must be empty or one character.");
  }
  return SimilarPattern(pattern, escape).translate();
}
Result<Bytes> similar_default(ByteView pattern) { return similar_escape(pattern, "\\"); }
// The old form, in which a NULL escape means the default.
Result<std::optional<Bytes>> similar_nullable(std::optional<ByteView> pattern, std::optional<ByteView> escape) {
  if (!pattern) {
    return std::optional<Bytes>();
  }
  PANDO_ASSIGN(Bytes translated, similar_escape(*pattern, escape.value_or("\\")));
  return std::optional(std::move(translated));
}
OptionalText substring_similar(EvaluationContext& context, ByteView text, ByteView pattern, ByteView escape) {
  PANDO_ASSIGN(const Bytes translated, similar_escape(pattern, escape));
  return substring(context, text, translated);
}

}  // namespace

KernelTable regex_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"textregexeq", lift<matches<false, false>>},
      {"textregexne", lift<matches<false, true>>},
      {"texticregexeq", lift<matches<true, false>>},
      {"texticregexne", lift<matches<true, true>>},
      {"nameregexeq", lift<matches<false, false>>},
      {"nameregexne", lift<matches<false, true>>},
      {"nameicregexeq", lift<matches<true, false>>},
      {"nameicregexne", lift<matches<true, true>>},
      {"regexp_like_no_flags", lift<matches<false, false>>},
      {"regexp_like", lift<like>},
      {"regexp_match", lift<match>},
      {"regexp_match_no_flags", lift<match_plain>},
      {"regexp_matches", match_rows},
      {"regexp_matches_no_flags", match_rows},
      {"regexp_split_to_array", lift<split_to_array>},
      {"regexp_split_to_array_no_flags", lift<split_to_array_plain>},
      {"regexp_split_to_table", split_rows},
      {"regexp_split_to_table_no_flags", split_rows},
      {"textregexreplace_noopt", lift<replace_first>},
      {"textregexreplace", lift<replace_flags>},
      {"textregexreplace_extended", lift<replace_n_flags>},
      {"textregexreplace_extended_no_flags", lift<replace_n>},
      {"textregexreplace_extended_no_n", lift<replace_from>},
      {"regexp_count", lift<count>},
      {"regexp_count_no_flags", lift<count_from>},
      {"regexp_count_no_start", lift<count_all>},
      {"regexp_instr", lift<instr>},
      {"regexp_instr_no_subexpr", lift<instr_flags>},
      {"regexp_instr_no_flags", lift<instr_end>},
      {"regexp_instr_no_endoption", lift<instr_n>},
      {"regexp_instr_no_n", lift<instr_from>},
      {"regexp_instr_no_start", lift<instr_first>},
      {"regexp_substr", lift<substr>},
      {"regexp_substr_no_subexpr", lift<substr_flags>},
      {"regexp_substr_no_flags", lift<substr_n>},
      {"regexp_substr_no_n", lift<substr_from>},
      {"regexp_substr_no_start", lift<substr_first>},
      {"textregexsubstr", lift<substring>},
      {"similar_to_escape_1", lift<similar_default>},
      {"similar_to_escape_2", lift<similar_escape>},
      {"similar_escape", lift<similar_nullable>},
      {"substring(text,text,text)", lift<substring_similar>},
  };
  return kTable;
}

}  // namespace pando::sql
