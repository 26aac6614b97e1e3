// Unicode: normalize(), IS NORMALIZED and unistr().

#include <algorithm>

#include <unicode/normalizer2.h>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/utf8.h"

namespace pando::sql {
namespace {

Result<const icu::Normalizer2*> find_normalizer(ByteView form) {
  UErrorCode error = U_ZERO_ERROR;
  Bytes upper(form);
  std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  const icu::Normalizer2* normalizer = nullptr;
  if (upper == "NFC") {
    normalizer = icu::Normalizer2::getNFCInstance(error);
  } else if (upper == "NFD") {
    normalizer = icu::Normalizer2::getNFDInstance(error);
  } else if (upper == "NFKC") {
    normalizer = icu::Normalizer2::getNFKCInstance(error);
  } else if (upper == "NFKD") {
    normalizer = icu::Normalizer2::getNFKDInstance(error);
  } else {
    return Status(sql_state::kInvalidParameterValue, "invalid normalization form: {}", form);
  }
  if (U_FAILURE(error) != 0) {
    return Status(sql_state::kInternalError, "Unicode normalization failed: {}", u_errorName(error));
  }
  return normalizer;
}
icu::UnicodeString to_utf16(ByteView text) {
  return icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
}
Result<Bytes> normalize(ByteView text, ByteView form) {
  PANDO_ASSIGN(const icu::Normalizer2* normalizer, find_normalizer(form));
  UErrorCode error = U_ZERO_ERROR;
  const icu::UnicodeString normalized = normalizer->normalize(to_utf16(text), error);
  if (U_FAILURE(error) != 0) {
    return Status(sql_state::kInternalError, "Unicode normalization failed: {}", u_errorName(error));
  }
  Bytes out;
  normalized.toUTF8String(out);
  return out;
}
Result<bool> is_normalized(ByteView text, ByteView form) {
  PANDO_ASSIGN(const icu::Normalizer2* normalizer, find_normalizer(form));
  UErrorCode error = U_ZERO_ERROR;
  const bool normalized = normalizer->isNormalized(to_utf16(text), error) != 0;
  if (U_FAILURE(error) != 0) {
    return Status(sql_state::kInternalError, "Unicode normalization failed: {}", u_errorName(error));
  }
  return normalized;
}

Status invalid_escape() {
  return Status(sql_state::kSyntaxError, "invalid Unicode escape")
      .with_hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.");
}
Status invalid_pair() { return {sql_state::kSyntaxError, "invalid Unicode surrogate pair"}; }
bool is_high_surrogate(uint32_t code) { return code >= 0xd800 && code < 0xdc00; }
bool is_low_surrogate(uint32_t code) { return code >= 0xdc00 && code < 0xe000; }

// Reads the escape after a backslash at text[at]; nullopt when it is none.
std::optional<uint32_t> read_escape(ByteView text, std::size_t& at) {
  std::size_t digits = 4;
  std::size_t start = at;
  if (start < text.size() && (text[start] == 'u' || text[start] == 'U' || text[start] == '+')) {
    digits = text[start] == 'u' ? 4 : text[start] == 'U' ? 8 : 6;
    ++start;
  }
  if (start + digits > text.size()) {
    return std::nullopt;
  }
  uint32_t code = 0;
  for (const char c : text.substr(start, digits)) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      code = code * 16 + static_cast<uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      code = code * 16 + static_cast<uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  at = start + digits;
  return code;
}

Result<Bytes> unistr(ByteView text) {
  Bytes out;
  uint32_t high = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\' || (at + 1 < text.size() && text[at + 1] == '\\')) {
      if (high != 0) {
        return invalid_pair();
      }
      out += text[at];
      at += text[at] == '\\' ? 2 : 1;
      continue;
    }
    ++at;
    const auto code = read_escape(text, at);
    if (!code) {
      return invalid_escape();
    }
    if (*code == 0 || *code > 0x10ffff) {
      return Status(sql_state::kInvalidParameterValue, "invalid Unicode code point: {:04X}", *code);
    }
    if (high != 0) {
      if (!is_low_surrogate(*code)) {
        return invalid_pair();
      }
      types::utf8_append(out, 0x10000 + ((high - 0xd800) << 10) + (*code - 0xdc00));
      high = 0;
    } else if (is_low_surrogate(*code)) {
      return invalid_pair();
    } else if (is_high_surrogate(*code)) {
      high = *code;
    } else {
      types::utf8_append(out, *code);
    }
  }
  if (high != 0) {
    return invalid_pair();
  }
  return out;
}

}  // namespace

KernelTable unicode_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"unicode_normalize_func", lift<normalize>},
      {"unicode_is_normalized", lift<is_normalized>},
      {"unistr", lift<unistr>},
  };
  return kTable;
}

}  // namespace pando::sql
