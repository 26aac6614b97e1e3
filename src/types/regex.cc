#include "types/regex.h"

#include <algorithm>

#include <re2/re2.h>

#include "types/regex_backtracking.h"

namespace pando::types {
namespace {

constexpr int64_t kProgramBytesMax = 64 << 20;

std::shared_ptr<const re2::RE2> build(const Bytes& pattern, bool ignore_case, bool longest) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!ignore_case);
  options.set_longest_match(longest);
  options.set_max_mem(kProgramBytesMax);
  return std::make_shared<const re2::RE2>(pattern, options);
}

}  // namespace

Result<Regex> Regex::compile(ByteView pattern, RegexOptions options) {
  PANDO_ASSIGN(const RegexTranslation translated, translate_regex(pattern, options));
  Regex regex;
  regex.groups_ = translated.groups;
  if (translated.backtracks) {
    PANDO_ASSIGN(regex.backtracking_, BacktrackingRegex::compile(translated.pattern, translated.ignore_case));
    return regex;
  }
  const bool longest = !translated.prefers_short;
  regex.bounds_ = build(longest ? translated.pattern : translated.lazy_pattern, translated.ignore_case, longest);
  if (translated.has_lazy) {
    regex.captures_ = build(translated.pattern, translated.ignore_case, false);
  }
  for (const auto& engine : {regex.bounds_, regex.captures_}) {
    if (engine != nullptr && !engine->ok()) {
      return Status(sql_state::kInvalidRegularExpression,
                    "invalid regular expression: regular expression is too complex")
          .with_detail(engine->error());
    }
  }
  return regex;
}

Result<bool> Regex::matches(ByteView text) const {
  if (backtracking_ != nullptr) {
    std::vector<RegexSpan> groups;
    return backtracking_->find(text, 0, groups);
  }
  return bounds_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

Result<bool> Regex::find(ByteView text, std::size_t from, std::vector<RegexSpan>& groups) const {
  return backtracking_ != nullptr ? backtracking_->find(text, from, groups) : find_linear(text, from, groups);
}

bool Regex::find_linear(ByteView text, std::size_t from, std::vector<RegexSpan>& groups) const {
  if (text.data() == nullptr) {
    // RE2 tells a group that took no part by its null pointer.
    text = "";
  }
  const re2::StringPiece subject(text.data(), text.size());
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups_) + 1);
  const int wanted = captures_ == nullptr ? groups_ + 1 : 1;
  if (!bounds_->Match(subject, from, text.size(), re2::RE2::UNANCHORED, found.data(), wanted)) {
    return false;
  }
  if (captures_ != nullptr && groups_ > 0) {
    const auto start = static_cast<std::size_t>(found[0].data() - text.data());
    const std::size_t end = start + found[0].size();
    std::vector<re2::StringPiece> inner(found.size());
    if (captures_->Match(subject, start, end, re2::RE2::ANCHOR_BOTH, inner.data(), groups_ + 1)) {
      found = std::move(inner);
    }
  }
  groups.assign(found.size(), RegexSpan());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].data() != nullptr) {
      groups[i].start = static_cast<std::size_t>(found[i].data() - text.data());
      groups[i].end = groups[i].start + found[i].size();
    }
  }
  return true;
}

Result<const Regex*> RegexCache::get(ByteView pattern, RegexOptions options) {
  const auto found = std::ranges::find_if(entries_, [&](const std::unique_ptr<Entry>& entry) {
    return entry->options == options && entry->pattern == pattern;
  });
  if (found != entries_.end()) {
    std::rotate(entries_.begin(), found, found + 1);
    return &entries_.front()->regex;
  }
  PANDO_ASSIGN(Regex regex, Regex::compile(pattern, options));
  if (entries_.size() == kEntriesMax) {
    entries_.pop_back();
  }
  entries_.insert(entries_.begin(), std::make_unique<Entry>(Entry{Bytes(pattern), options, std::move(regex)}));
  return &entries_.front()->regex;
}

}  // namespace pando::types
