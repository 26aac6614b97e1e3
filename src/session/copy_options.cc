#include "session/copy_options.h"

#include <algorithm>
#include <optional>

#include "session/option_values.h"

namespace pando::session {
namespace {

struct RawOptions {
  std::optional<std::string> delimiter;
  std::optional<std::string> null_text;
  std::optional<std::string> quote;
  std::optional<std::string> escape;
  bool has_format = false;
};

Status conflicting(const ast::Option& option) {
  return std::move(Status(sql_state::kSyntaxError, "conflicting or redundant options")).with_hint(option.name);
}

Status only_csv(std::string_view what) {
  return Status(sql_state::kFeatureNotSupported, "COPY {} available only in CSV mode", what);
}

Result<CopyHeader> read_header(const ast::Option& option) {
  if (option_text(option) == "match") {
    return CopyHeader::kMatch;
  }
  const auto on = option_bool(option);
  if (!on.ok()) {
    return Status(sql_state::kSyntaxError, "{} requires a Boolean value or \"match\"", option.name);
  }
  return *on ? CopyHeader::kSkip : CopyHeader::kNone;
}

Result<std::vector<std::string>> read_columns(const ast::Option& option) {
  if (const auto* names = std::get_if<std::vector<std::string>>(&option.value)) {
    return *names;
  }
  return Status(sql_state::kInvalidParameterValue, "argument to option \"{}\" must be a list of column names",
                option.name);
}

Status read_format(const ast::Option& option, CopyOptions& options, RawOptions& raw) {
  if (raw.has_format) {
    return conflicting(option);
  }
  raw.has_format = true;
  const std::string name = option_text(option).value_or("");
  if (name == "text") {
    options.format = CopyFormat::kText;
  } else if (name == "csv") {
    options.format = CopyFormat::kCsv;
  } else if (name == "binary") {
    options.format = CopyFormat::kBinary;
  } else {
    return Status(sql_state::kInvalidParameterValue, "COPY format \"{}\" not recognized", name);
  }
  return {};
}

Status read_encoding(const ast::Option& option) {
  std::string plain;
  for (const char c : option_text(option).value_or("")) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  if (plain != "utf8" && plain != "unicode" && plain != "sqlascii") {
    return Status(sql_state::kFeatureNotSupported, "COPY with an encoding other than UTF8 is not supported");
  }
  return {};
}

Status read_option(const ast::Option& option, CopyOptions& options, RawOptions& raw) {
  const std::string& name = option.name;
  if (name == "format") {
    return read_format(option, options, raw);
  }
  if (name == "freeze") {
    return option_bool(option).status();
  }
  if (name == "delimiter") {
    raw.delimiter = option_text(option);
  } else if (name == "null") {
    raw.null_text = option_text(option);
  } else if (name == "header") {
    PANDO_ASSIGN(options.header, read_header(option));
  } else if (name == "quote") {
    raw.quote = option_text(option);
  } else if (name == "escape") {
    raw.escape = option_text(option);
  } else if (name == "force_quote") {
    options.force_quote_all = option.is_star;
    if (!option.is_star) {
      PANDO_ASSIGN(options.force_quote, read_columns(option));
    }
  } else if (name == "force_not_null") {
    PANDO_ASSIGN(options.force_not_null, read_columns(option));
  } else if (name == "force_null") {
    PANDO_ASSIGN(options.force_null, read_columns(option));
  } else if (name == "encoding") {
    return read_encoding(option);
  } else {
    return Status(sql_state::kSyntaxError, "option \"{}\" not recognized", name);
  }
  return {};
}

Status check_binary(const CopyOptions& options, const RawOptions& raw) {
  if (raw.delimiter) {
    return Status(sql_state::kSyntaxError, "cannot specify DELIMITER in BINARY mode");
  }
  if (raw.null_text) {
    return Status(sql_state::kSyntaxError, "cannot specify NULL in BINARY mode");
  }
  if (options.header != CopyHeader::kNone) {
    return Status(sql_state::kFeatureNotSupported, "cannot specify HEADER in BINARY mode");
  }
  return {};
}

Status check_single_byte(const std::optional<std::string>& text, std::string_view what) {
  if (text && text->size() != 1) {
    return Status(sql_state::kFeatureNotSupported, "COPY {} must be a single one-byte character", what);
  }
  return {};
}

Status check_texts(const CopyOptions& options, const RawOptions& raw) {
  PANDO_TRY(check_single_byte(raw.delimiter, "delimiter"));
  if (options.delimiter == '\n' || options.delimiter == '\r') {
    return Status(sql_state::kInvalidParameterValue, "COPY delimiter cannot be newline or carriage return");
  }
  if (options.null_text.find_first_of("\r\n") != std::string::npos) {
    return Status(sql_state::kInvalidParameterValue, "COPY null representation cannot use newline or carriage return");
  }
  constexpr std::string_view kNotDelimiters = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
  if (options.format == CopyFormat::kText && kNotDelimiters.find(options.delimiter) != std::string_view::npos) {
    return Status(sql_state::kInvalidParameterValue, "COPY delimiter cannot be \"{}\"", options.delimiter);
  }
  if (options.null_text.find(options.delimiter) != std::string::npos) {
    return Status(sql_state::kInvalidParameterValue, "COPY delimiter must not appear in the NULL specification");
  }
  return {};
}

Status check_csv(const CopyOptions& options, const RawOptions& raw, bool from) {
  const bool csv = options.format == CopyFormat::kCsv;
  if (!csv && raw.quote) {
    return only_csv("quote");
  }
  if (!csv && raw.escape) {
    return only_csv("escape");
  }
  PANDO_TRY(check_single_byte(raw.quote, "quote"));
  PANDO_TRY(check_single_byte(raw.escape, "escape"));
  if (csv && options.delimiter == options.quote) {
    return Status(sql_state::kInvalidParameterValue, "COPY delimiter and quote must be different");
  }
  if (csv && options.null_text.find(options.quote) != std::string::npos) {
    return Status(sql_state::kInvalidParameterValue, "CSV quote character must not appear in the NULL specification");
  }
  const bool force_quote = options.force_quote_all || !options.force_quote.empty();
  if (force_quote && (!csv || from)) {
    return csv ? Status(sql_state::kFeatureNotSupported, "COPY force quote only available using COPY TO")
               : only_csv("force quote");
  }
  if (!options.force_not_null.empty() && (!csv || !from)) {
    return csv ? Status(sql_state::kFeatureNotSupported, "COPY force not null only available using COPY FROM")
               : only_csv("force not null");
  }
  if (!options.force_null.empty() && (!csv || !from)) {
    return csv ? Status(sql_state::kFeatureNotSupported, "COPY force null only available using COPY FROM")
               : only_csv("force null");
  }
  return {};
}

}  // namespace

Result<CopyOptions> read_copy_options(const ast::Copy& copy) {
  CopyOptions options;
  RawOptions raw;
  for (const ast::Option& option : copy.options) {
    PANDO_TRY(read_option(option, options, raw));
  }
  if (options.format == CopyFormat::kBinary) {
    PANDO_TRY(check_binary(options, raw));
    PANDO_TRY(check_csv(options, raw, copy.from));
    return options;
  }
  const bool csv = options.format == CopyFormat::kCsv;
  options.delimiter = raw.delimiter && !raw.delimiter->empty() ? raw.delimiter->front() : csv ? ',' : '\t';
  options.null_text = raw.null_text.value_or(csv ? "" : "\\N");
  options.quote = raw.quote && !raw.quote->empty() ? raw.quote->front() : '"';
  options.escape = raw.escape && !raw.escape->empty() ? raw.escape->front() : options.quote;
  PANDO_TRY(check_texts(options, raw));
  PANDO_TRY(check_csv(options, raw, copy.from));
  if (options.header == CopyHeader::kMatch && !copy.from) {
    return Status(sql_state::kFeatureNotSupported, "cannot use \"match\" with HEADER in COPY TO");
  }
  return options;
}

}  // namespace pando::session
