// LIKE and ILIKE, and the escape forms of LIKE patterns.

#include <unicode/uchar.h>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/utf8.h"

namespace pando::sql {
namespace {

Status escape_at_end() {
  return {sql_state::kInvalidEscapeSequence, "LIKE pattern must not end with escape character"};
}

// How '_' steps over text.
enum class Unit : uint8_t { kByte, kCharacter };

// Matches greedily: on a mismatch only the last '%' need take one character more.
template <Unit kUnit>
Result<bool> matches(ByteView text, ByteView pattern) {
  const auto width = [](char lead) { return kUnit == Unit::kByte ? std::size_t{1} : types::utf8_width(lead); };
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t retry_t = ByteView::npos;
  std::size_t retry_p = 0;
  while (t < text.size()) {
    bool matched = false;
    if (p < pattern.size()) {
      if (pattern[p] == '%') {
        retry_p = ++p;
        retry_t = t;
        continue;
      }
      if (pattern[p] == '_') {
        ++p;
        t += width(text[t]);
        continue;
      }
      const std::size_t escape = pattern[p] == '\\' ? 1 : 0;
      if (p + escape >= pattern.size()) {
        return escape_at_end();
      }
      matched = pattern[p + escape] == text[t];
      if (matched) {
        p += escape + 1;
        ++t;
        continue;
      }
    }
    if (retry_t == ByteView::npos) {
      return false;
    }
    if (retry_p == pattern.size()) {
      return true;
    }
    retry_t += width(text[retry_t]);
    t = retry_t;
    p = retry_p;
  }
  while (p < pattern.size() && pattern[p] == '%') {
    ++p;
  }
  return p == pattern.size();
}

// The plain text of a pattern that has wildcards only at its ends: most patterns are of that kind, and the C library
// compares and searches faster than matches() does.
struct SimplePattern {
  bool any_before = false;
  bool any_after = false;
  ByteView middle;
  bool match(ByteView text) const {
    if (any_before) {
      return any_after ? text.contains(middle) : text.ends_with(middle);
    }
    return any_after ? text.starts_with(middle) : text == middle;
  }
};
std::optional<SimplePattern> simplify(ByteView pattern) {
  SimplePattern simple;
  while (pattern.starts_with('%')) {
    simple.any_before = true;
    pattern.remove_prefix(1);
  }
  if (pattern.find_first_of("\\_") != ByteView::npos) {
    return std::nullopt;
  }
  while (pattern.ends_with('%')) {
    simple.any_after = true;
    pattern.remove_suffix(1);
  }
  if (pattern.contains('%')) {
    return std::nullopt;
  }
  simple.middle = pattern;
  return simple;
}

template <Unit kUnit, bool kNegated>
Status like(EvaluationContext&, const CallTypes&, std::span<const types::Vector* const> arguments, std::size_t rows,
            types::Vector& out) {
  auto* results = out.data<uint8_t>();
  const types::Vector& patterns = *arguments[1];
  const bool constant = patterns.is_constant() && !patterns.is_null(0) && rows > 0;
  const auto simple = constant ? simplify(patterns.bytes_at(0)) : std::nullopt;
  for (std::size_t row = 0; row < rows; ++row) {
    if (out.is_null(row)) {
      continue;
    }
    bool matched = false;
    if (simple) {
      matched = simple->match(arguments[0]->bytes_at(row));
    } else {
      PANDO_ASSIGN(matched, matches<kUnit>(arguments[0]->bytes_at(row), patterns.bytes_at(row)));
    }
    results[row] = static_cast<uint8_t>(matched != kNegated);
  }
  return {};
}

Bytes fold(ByteView text) {
  Bytes out;
  out.reserve(text.size());
  while (!text.empty()) {
    types::utf8_append(out, static_cast<uint32_t>(u_tolower(static_cast<UChar32>(types::utf8_decode(text)))));
    text.remove_prefix(types::utf8_width(text.front()));
  }
  return out;
}
template <bool kNegated>
Result<bool> like_folded(ByteView text, ByteView pattern) {
  PANDO_ASSIGN(const bool matched, matches<Unit::kCharacter>(fold(text), fold(pattern)));
  return matched != kNegated;
}

// LIKE ... ESCAPE 'x': rewrites the pattern so that its escape character is the backslash.
template <Unit kUnit>
Result<Bytes> like_escape(ByteView pattern, ByteView escape) {
  Bytes out;
  if (escape.empty()) {
    for (const char c : pattern) {
      out.append(c == '\\' ? 2 : 1, c);
    }
    return out;
  }
  const std::size_t width = kUnit == Unit::kByte ? 1 : types::utf8_width(escape.front());
  if (escape.size() != width) {
    return Status(sql_state::kInvalidEscapeSequence, "invalid escape string")
        .with_hint("Escape string must be empty or one character.");
  }
  if (escape == "\\") {
    return Bytes(pattern);
  }
  bool after_escape = false;
  while (!pattern.empty()) {
    if (pattern.starts_with(escape) && !after_escape) {
      out += '\\';
      pattern.remove_prefix(escape.size());
      after_escape = true;
    } else {
      const char c = pattern.front();
      out.append(c == '\\' && !after_escape ? 2 : 1, c);
      pattern.remove_prefix(1);
      after_escape = false;
    }
  }
  return out;
}

}  // namespace

KernelTable like_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"textlike", like<Unit::kCharacter, false>},
      {"textnlike", like<Unit::kCharacter, true>},
      {"namelike", like<Unit::kCharacter, false>},
      {"namenlike", like<Unit::kCharacter, true>},
      {"bytealike", like<Unit::kByte, false>},
      {"byteanlike", like<Unit::kByte, true>},
      {"texticlike", lift<like_folded<false>>},
      {"texticnlike", lift<like_folded<true>>},
      {"nameiclike", lift<like_folded<false>>},
      {"nameicnlike", lift<like_folded<true>>},
      {"like_escape", lift<like_escape<Unit::kCharacter>>},
      {"like_escape_bytea", lift<like_escape<Unit::kByte>>},
  };
  return kTable;
}

}  // namespace pando::sql
