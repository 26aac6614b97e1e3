// text: length, concatenation, parts, case, padding, trimming, searching. Quoting and format() are in quoting.cc, LIKE
// in like.cc, regular expressions in regex_kernels.cc.

#include <algorithm>

#include <unicode/uchar.h>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/ordering.h"
#include "types/utf8.h"

namespace pando::sql {
namespace {

using types::utf8_length;
using types::utf8_offset;
using types::utf8_width;

constexpr std::size_t kTextBytesMax = 0x3fffffff;

Status too_long() { return {sql_state::kProgramLimitExceeded, "requested length too large"}; }

int32_t length(ByteView text) { return static_cast<int32_t>(utf8_length(text)); }
int32_t length_padded(ByteView text) { return length(without_padding(text)); }
int32_t octet_length(ByteView text) { return static_cast<int32_t>(text.size()); }
int32_t bit_length(ByteView text) { return static_cast<int32_t>(text.size() * 8); }

Status concatenate(EvaluationContext&, const CallTypes&, std::span<const types::Vector* const> arguments,
                   std::size_t rows, types::Vector& out) {
  auto* results = out.data<types::StringRef>();
  for (std::size_t row = 0; row < rows; ++row) {
    if (out.is_null(row)) {
      continue;
    }
    const ByteView a = arguments[0]->bytes_at(row);
    const ByteView b = arguments[1]->bytes_at(row);
    char* joined = out.allocate_bytes(a.size() + b.size());
    std::ranges::copy(a, joined);
    std::ranges::copy(b, joined + a.size());
    results[row] = {joined, static_cast<uint32_t>(a.size() + b.size())};
  }
  return {};
}

// --- case ---
template <typename Map>
Bytes map_characters(ByteView text, Map&& map) {
  Bytes out;
  out.reserve(text.size());
  while (!text.empty()) {
    types::utf8_append(out, static_cast<uint32_t>(map(static_cast<UChar32>(types::utf8_decode(text)))));
    text.remove_prefix(utf8_width(text.front()));
  }
  return out;
}
Bytes lower(ByteView text) { return map_characters(text, u_tolower); }
Bytes upper(ByteView text) { return map_characters(text, u_toupper); }
Bytes initcap(ByteView text) {
  bool in_word = false;
  return map_characters(text, [&in_word](UChar32 c) {
    const UChar32 mapped = in_word ? u_tolower(c) : u_toupper(c);
    in_word = u_isalnum(c) != 0;
    return mapped;
  });
}

// --- parts ---
// Characters [from, to) of the text, counted from 0.
ByteView characters(ByteView text, std::size_t from, std::size_t to) {
  const std::size_t begin = utf8_offset(text, from);
  const ByteView rest = text.substr(begin);
  return rest.substr(0, utf8_offset(rest, to - from));
}
Result<Borrowed> substring(ByteView text, int32_t start, int32_t count) {
  const int64_t end = static_cast<int64_t>(start) + count;
  if (count < 0) {
    return Status(sql_state::kSubstringError, "negative substring length not allowed");
  }
  if (end <= 1) {
    return Borrowed{};
  }
  const int64_t from = std::max<int64_t>(start, 1);
  return Borrowed{characters(text, static_cast<std::size_t>(from - 1), static_cast<std::size_t>(end - 1))};
}
Borrowed substring_from(ByteView text, int32_t start) {
  return {start <= 1 ? text : text.substr(utf8_offset(text, static_cast<std::size_t>(start) - 1))};
}
Borrowed left(ByteView text, int32_t count) {
  if (count >= 0) {
    return {text.substr(0, utf8_offset(text, static_cast<std::size_t>(count)))};
  }
  const auto keep = static_cast<int64_t>(utf8_length(text)) + count;
  return {keep <= 0 ? ByteView() : text.substr(0, utf8_offset(text, static_cast<std::size_t>(keep)))};
}
Borrowed right(ByteView text, int32_t count) {
  const int64_t skip = count >= 0 ? static_cast<int64_t>(utf8_length(text)) - count : -static_cast<int64_t>(count);
  return {skip <= 0 ? text : text.substr(utf8_offset(text, static_cast<std::size_t>(skip)))};
}
Bytes reverse(ByteView text) {
  Bytes out(text.size(), '\0');
  std::size_t end = text.size();
  while (!text.empty()) {
    const std::size_t width = utf8_width(text.front());
    end -= width;
    std::ranges::copy(text.substr(0, width), out.begin() + static_cast<std::ptrdiff_t>(end));
    text.remove_prefix(width);
  }
  return out;
}
int32_t position(ByteView text, ByteView part) {
  const std::size_t at = text.find(part);
  return at == ByteView::npos ? 0 : static_cast<int32_t>(utf8_length(text.substr(0, at))) + 1;
}
Result<Bytes> overlay(ByteView text, ByteView replacement, int32_t start, int32_t count) {
  if (start <= 0) {
    return Status(sql_state::kSubstringError, "negative substring length not allowed");
  }
  int32_t after = 0;
  if (__builtin_add_overflow(start, count, &after)) {
    return out_of_range<int32_t>();
  }
  Bytes out(text.substr(0, utf8_offset(text, static_cast<std::size_t>(start) - 1)));
  out += replacement;
  out += substring_from(text, after).view;
  return out;
}
Result<Bytes> overlay_own_length(ByteView text, ByteView replacement, int32_t start) {
  return overlay(text, replacement, start, length(replacement));
}
Result<Bytes> split_part(ByteView text, ByteView separator, int32_t field) {
  if (field == 0) {
    return Status(sql_state::kInvalidParameterValue, "field position must not be zero");
  }
  if (text.empty()) {
    return Bytes();
  }
  if (separator.empty()) {
    return field == 1 || field == -1 ? Bytes(text) : Bytes();
  }
  int64_t wanted = field;
  if (field < 0) {
    int64_t fields = 1;
    for (std::size_t at = 0; (at = text.find(separator, at)) != ByteView::npos; at += separator.size()) {
      ++fields;
    }
    wanted = fields + field + 1;
    if (wanted <= 0) {
      return Bytes();
    }
  }
  for (int64_t i = 1;; ++i) {
    const std::size_t at = text.find(separator);
    if (i == wanted) {
      return Bytes(text.substr(0, at));
    }
    if (at == ByteView::npos) {
      return Bytes();
    }
    text.remove_prefix(at + separator.size());
  }
}

// --- padding, trimming ---
// `count` characters of `fill`, over and over.
void append_fill(Bytes& out, ByteView fill, std::size_t count) {
  const std::size_t width = utf8_length(fill);
  for (; count >= width; count -= width) {
    out += fill;
  }
  out += fill.substr(0, utf8_offset(fill, count));
}
template <bool kLeft>
Result<Bytes> pad(ByteView text, int32_t count, ByteView fill) {
  auto wanted = static_cast<std::size_t>(std::max(count, 0));
  if (fill.empty()) {
    wanted = std::min(wanted, utf8_length(text));
  }
  if (wanted * 4 > kTextBytesMax) {
    return too_long();
  }
  const std::size_t have = utf8_length(text);
  if (have >= wanted) {
    return Bytes(text.substr(0, utf8_offset(text, wanted)));
  }
  Bytes out;
  if (kLeft) {
    append_fill(out, fill, wanted - have);
    out += text;
  } else {
    out = text;
    append_fill(out, fill, wanted - have);
  }
  return out;
}
template <bool kLeft>
Result<Bytes> pad_blank(ByteView text, int32_t count) {
  return pad<kLeft>(text, count, " ");
}

bool has_character(ByteView set, ByteView character) {
  while (!set.empty()) {
    const std::size_t width = utf8_width(set.front());
    if (set.substr(0, width) == character) {
      return true;
    }
    set.remove_prefix(width);
  }
  return false;
}
ByteView trim_left(ByteView text, ByteView set) {
  while (!text.empty() && has_character(set, text.substr(0, utf8_width(text.front())))) {
    text.remove_prefix(utf8_width(text.front()));
  }
  return text;
}
ByteView trim_right(ByteView text, ByteView set) {
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<uint8_t>(text[start]) & 0xc0) == 0x80) {
      --start;
    }
    if (!has_character(set, text.substr(start))) {
      break;
    }
    text = text.substr(0, start);
  }
  return text;
}
Borrowed ltrim(ByteView text, ByteView set) { return {trim_left(text, set)}; }
Borrowed rtrim(ByteView text, ByteView set) { return {trim_right(text, set)}; }
Borrowed btrim(ByteView text, ByteView set) { return {trim_right(trim_left(text, set), set)}; }
Borrowed ltrim_blank(ByteView text) { return ltrim(text, " "); }
Borrowed rtrim_blank(ByteView text) { return rtrim(text, " "); }
Borrowed btrim_blank(ByteView text) { return btrim(text, " "); }

// --- replacing ---
Result<Bytes> repeat(ByteView text, int32_t count) {
  Bytes out;
  if (count > 0) {
    if (text.size() * static_cast<std::size_t>(count) > kTextBytesMax) {
      return too_long();
    }
    out.reserve(text.size() * static_cast<std::size_t>(count));
    for (int32_t i = 0; i < count; ++i) {
      out += text;
    }
  }
  return out;
}
Bytes replace(ByteView text, ByteView from, ByteView to) {
  if (from.empty()) {
    return Bytes(text);
  }
  Bytes out;
  for (std::size_t at = text.find(from); at != ByteView::npos; at = text.find(from)) {
    out += text.substr(0, at);
    out += to;
    text.remove_prefix(at + from.size());
  }
  out += text;
  return out;
}
Bytes translate(ByteView text, ByteView from, ByteView to) {
  Bytes out;
  while (!text.empty()) {
    const ByteView character = text.substr(0, utf8_width(text.front()));
    text.remove_prefix(character.size());
    std::size_t index = 0;
    bool found = false;
    for (ByteView rest = from; !rest.empty(); rest.remove_prefix(utf8_width(rest.front())), ++index) {
      if (rest.substr(0, utf8_width(rest.front())) == character) {
        found = true;
        break;
      }
    }
    out += found ? characters(to, index, index + 1) : character;
  }
  return out;
}

int32_t ascii(ByteView text) { return text.empty() ? 0 : static_cast<int32_t>(types::utf8_decode(text)); }
Result<Bytes> chr(int32_t code) {
  if (code == 0) {
    return Status(sql_state::kProgramLimitExceeded, "null character not permitted");
  }
  if (code < 0) {
    return Status(sql_state::kInvalidParameterValue, "character number must be positive");
  }
  if (code > 0x10ffff) {
    return Status(sql_state::kProgramLimitExceeded, "requested character too large for encoding: {}", code);
  }
  if (code >= 0xd800 && code <= 0xdfff) {
    return Status(sql_state::kProgramLimitExceeded, "requested character not valid for encoding: {}", code);
  }
  Bytes out;
  types::utf8_append(out, static_cast<uint32_t>(code));
  return out;
}
template <typename Int>
Bytes to_hex(Int value) {
  return fmt::format("{:x}", static_cast<std::make_unsigned_t<Int>>(value));
}

Borrowed to_name(ByteView text) { return {types::truncate_name(text)}; }
Borrowed padded_to_name(ByteView text) { return {types::truncate_name(without_padding(text))}; }
Borrowed same(ByteView text) { return {text}; }

}  // namespace

KernelTable text_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"textlen", lift<length>},
      {"bpcharlen", lift<length_padded>},
      {"textoctetlen", lift<octet_length>},
      {"bpcharoctetlen", lift<octet_length>},
      {"byteaoctetlen", lift<octet_length>},
      {"bit_length(text)", lift<bit_length>},
      {"bit_length(bytea)", lift<bit_length>},
      {"textcat", concatenate},
      {"byteacat", concatenate},
      {"lower", lift<lower>},
      {"upper", lift<upper>},
      {"initcap", lift<initcap>},
      {"text_substr", lift<substring>},
      {"text_substr_no_len", lift<substring_from>},
      {"text_left", lift<left>},
      {"text_right", lift<right>},
      {"text_reverse", lift<reverse>},
      {"textpos", lift<position>},
      {"textoverlay", lift<overlay>},
      {"textoverlay_no_len", lift<overlay_own_length>},
      {"split_part", lift<split_part>},
      {"lpad", lift<pad<true>>},
      {"rpad", lift<pad<false>>},
      {"lpad(text,int4)", lift<pad_blank<true>>},
      {"rpad(text,int4)", lift<pad_blank<false>>},
      {"ltrim", lift<ltrim>},
      {"rtrim", lift<rtrim>},
      {"btrim", lift<btrim>},
      {"ltrim1", lift<ltrim_blank>},
      {"rtrim1", lift<rtrim_blank>},
      {"btrim1", lift<btrim_blank>},
      {"repeat", lift<repeat>},
      {"replace_text", lift<replace>},
      {"translate", lift<translate>},
      {"ascii", lift<ascii>},
      {"chr", lift<chr>},
      {"to_hex32", lift<to_hex<int32_t>>},
      {"to_hex64", lift<to_hex<int64_t>>},
      {"text_name", lift<to_name>},
      {"bpchar_name", lift<padded_to_name>},
      {"name_text", lift<same>},
      {"name_bpchar", lift<same>},
  };
  return kTable;
}

}  // namespace pando::sql
