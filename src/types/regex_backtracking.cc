#include "types/regex_backtracking.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace pando::types {
namespace {

// A search of this many steps takes about a second.
constexpr uint32_t kStepsMax = 10'000'000;
constexpr uint32_t kHeapKibibytesMax = 64 << 10;
constexpr std::size_t kMessageBytesMax = 256;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeLimits {
  void operator()(pcre2_match_context* limits) const { pcre2_match_context_free(limits); }
};
struct FreeSettings {
  void operator()(pcre2_compile_context* settings) const { pcre2_compile_context_free(settings); }
};

PCRE2_SPTR characters(ByteView text) { return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data()); }

Status failure(int error) {
  char message[kMessageBytesMax];
  pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(message), sizeof(message));
  return {sql_state::kInvalidRegularExpression, "regular expression failed: {}", message};
}

}  // namespace

struct BacktrackingRegex::Code {
  std::unique_ptr<pcre2_code, FreeCode> compiled;
  std::unique_ptr<pcre2_match_context, FreeLimits> limits;
};

Result<std::shared_ptr<const BacktrackingRegex>> BacktrackingRegex::compile(const Bytes& pattern, bool ignore_case) {
  const std::unique_ptr<pcre2_compile_context, FreeSettings> settings(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(settings.get(), PCRE2_NEWLINE_LF);
  const uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | (ignore_case ? PCRE2_CASELESS : 0);
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto code = std::make_shared<Code>();
  code->compiled.reset(pcre2_compile(characters(pattern), pattern.size(), options, &error, &offset, settings.get()));
  if (code->compiled == nullptr) {
    return error == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH
               ? Status(sql_state::kFeatureNotSupported,
                        "look-behind of variable length in regular expressions is not supported")
               : Status(sql_state::kInvalidRegularExpression,
                        "invalid regular expression: regular expression is too complex");
  }
  code->limits.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(code->limits.get(), kStepsMax);
  pcre2_set_heap_limit(code->limits.get(), kHeapKibibytesMax);
  return std::shared_ptr<const BacktrackingRegex>(new BacktrackingRegex(std::move(code)));
}

Result<bool> BacktrackingRegex::find(ByteView text, std::size_t from, std::vector<RegexSpan>& groups) const {
  const std::unique_ptr<pcre2_match_data, FreeData> data(
      pcre2_match_data_create_from_pattern(code_->compiled.get(), nullptr));
  const int count = pcre2_match(code_->compiled.get(), characters(text), text.size(), from, PCRE2_NO_UTF_CHECK,
                                data.get(), code_->limits.get());
  if (count == PCRE2_ERROR_NOMATCH) {
    return false;
  }
  if (count < 0) {
    return failure(count);
  }
  const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(data.get());
  groups.assign(pcre2_get_ovector_count(data.get()), RegexSpan());
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    if (bounds[2 * i] != PCRE2_UNSET) {
      groups[i] = {bounds[2 * i], bounds[2 * i + 1]};
    }
  }
  return true;
}

}  // namespace pando::types
