#pragma once

// PostgreSQL's advanced regular expressions: a translator from their syntax, and matching on RE2 with their rule of
// preference (the match is the longest, or the shortest when the expression starts out non-greedy).
//
//   PANDO_ASSIGN(const Regex regex, Regex::compile(pattern, {.ignore_case = true}));
//   std::vector<RegexSpan> groups;
//   PANDO_ASSIGN(const bool found, regex.find(text, from, groups));   // groups[0] is the whole match
//
// Matching is linear in the text, but for expressions with back references, look-ahead or look-behind: those go to
// regex_backtracking.h, which takes the first alternative that matches instead of the longest. A malformed expression
// is 2201B with PostgreSQL's words. \y and \Y know ASCII letters only. Thread-safety: immutable.

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace re2 {
class RE2;
}

namespace pando::types {

class BacktrackingRegex;

struct RegexOptions {
  bool ignore_case = false;
  bool literal = false;   // q: all characters stand for themselves
  bool expanded = false;  // x: white space and comments are ignored
  // Newline-sensitive: '.' and [^a] do not match a newline (p), '^' and '$' match at lines (w); n is both.
  bool newline_stops = false;
  bool newline_anchors = false;
  friend bool operator==(const RegexOptions&, const RegexOptions&) = default;
};

// Byte offsets; start is npos for a group that took no part.
struct RegexSpan {
  std::size_t start = ByteView::npos;
  std::size_t end = 0;
  bool matched() const { return start != ByteView::npos; }
  ByteView of(ByteView text) const { return text.substr(start, end - start); }
};

class Regex {
 public:
  static Result<Regex> compile(ByteView pattern, RegexOptions options);

  Result<bool> matches(ByteView text) const;
  // The first match that starts at or after `from`, with all its groups; groups[0] is the whole. 2201B when an
  // expression that backtracks takes too many steps.
  Result<bool> find(ByteView text, std::size_t from, std::vector<RegexSpan>& groups) const;
  int groups() const { return groups_; }

 private:
  Regex() = default;
  bool find_linear(ByteView text, std::size_t from, std::vector<RegexSpan>& groups) const;

  // Instead of the two below, when the expression needs it.
  std::shared_ptr<const BacktrackingRegex> backtracking_;
  // Finds the bounds of the match.
  std::shared_ptr<const re2::RE2> bounds_;
  // Assigns groups within them; nullptr where bounds_ does it as well.
  std::shared_ptr<const re2::RE2> captures_;
  int groups_ = 0;
};

// Compiled expressions kept from call to call; EvaluationContext owns one. One thread at a time.
class RegexCache {
 public:
  // Valid until the next call.
  Result<const Regex*> get(ByteView pattern, RegexOptions options);

 private:
  static constexpr std::size_t kEntriesMax = 32;
  struct Entry {
    Bytes pattern;
    RegexOptions options;
    Regex regex;
  };
  // Most recently used first.
  std::vector<std::unique_ptr<Entry>> entries_;
};

// What the translator makes of a pattern; for Regex and its tests.
struct RegexTranslation {
  Bytes pattern;
  Bytes lazy_pattern;  // the same with every quantifier non-greedy
  bool has_lazy = false;
  bool prefers_short = false;
  int groups = 0;
  bool ignore_case = false;
  // Has what RE2 cannot do.
  bool backtracks = false;
};
Result<RegexTranslation> translate_regex(ByteView pattern, RegexOptions options);

}  // namespace pando::types
