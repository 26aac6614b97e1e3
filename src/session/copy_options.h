#pragma once

// CopyOptions: how COPY's data looks: PostgreSQL's options, checked. Thread-safety: a value.

#include <string>
#include <vector>

#include "base/status.h"
#include "sql/ast/command.h"

namespace pando::session {

enum class CopyFormat : uint8_t { kText, kCsv, kBinary };
enum class CopyHeader : uint8_t { kNone, kSkip, kMatch };

struct CopyOptions {
  CopyFormat format = CopyFormat::kText;
  char delimiter = '\t';
  std::string null_text = "\\N";
  CopyHeader header = CopyHeader::kNone;
  char quote = '"';
  char escape = '"';
  // Names of columns; force_quote_all stands for *.
  std::vector<std::string> force_quote;
  bool force_quote_all = false;
  std::vector<std::string> force_not_null;
  std::vector<std::string> force_null;
};

// Errors as PostgreSQL's: 42601 for options that contradict each other, 0A000 for values that do not make sense,
// 22023 for unknown encodings.
Result<CopyOptions> read_copy_options(const ast::Copy& copy);

}  // namespace pando::session
