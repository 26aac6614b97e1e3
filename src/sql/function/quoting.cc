// quote_ident() and its kin, concat(), format(), parse_ident(): text made from any values.

#include "sql/function/quoting.h"

#include <algorithm>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/text_form.h"
#include "types/array.h"
#include "types/utf8.h"

namespace pando::sql {
namespace {

constexpr Keyword kKeywords[] = {
#include "sql/function/pg_keywords.inc"
};

bool is_identifier_start(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

// --- values of any type as text ---
// The arguments of one row from `first` on: each an argument, or the elements of a VARIADIC array.
struct TextArguments {
  // nullopt is NULL.
  std::vector<std::optional<Bytes>> values;
  // The VARIADIC array itself is NULL.
  bool null_array = false;
};
TextArguments text_arguments(EvaluationContext& context, const CallTypes& types,
                             std::span<const types::Vector* const> arguments, std::size_t first, std::size_t row) {
  TextArguments out;
  if (types.variadic_array && arguments.size() > first) {
    const types::Vector& last = *arguments.back();
    if (last.is_null(row)) {
      out.null_array = true;
      return out;
    }
    const types::ArrayView array(last.bytes_at(row));
    for (std::size_t i = 0; i < array.size(); ++i) {
      std::optional<Bytes>& value = out.values.emplace_back();
      if (!array.is_null(i)) {
        print_value(context, {array.element_type()}, array.get(i), value.emplace());
      }
    }
    return out;
  }
  for (std::size_t i = first; i < arguments.size(); ++i) {
    std::optional<Bytes>& value = out.values.emplace_back();
    if (!arguments[i]->is_null(row)) {
      print_value(context, types.arguments[i], *arguments[i], row, value.emplace());
    }
  }
  return out;
}

Status concat(EvaluationContext& context, const CallTypes& types, std::span<const types::Vector* const> arguments,
              std::size_t rows, types::Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) {
    const TextArguments pieces = text_arguments(context, types, arguments, 0, row);
    if (pieces.null_array) {
      out.set_null(row);
      continue;
    }
    Bytes joined;
    for (const auto& piece : pieces.values) {
      joined += piece.value_or("");
    }
    out.set_bytes(row, joined);
  }
  return {};
}

Status concat_ws(EvaluationContext& context, const CallTypes& types, std::span<const types::Vector* const> arguments,
                 std::size_t rows, types::Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) {
    if (arguments[0]->is_null(row)) {
      out.set_null(row);
      continue;
    }
    const TextArguments pieces = text_arguments(context, types, arguments, 1, row);
    if (pieces.null_array) {
      out.set_null(row);
      continue;
    }
    Bytes joined;
    bool first = true;
    for (const auto& piece : pieces.values) {
      if (piece) {
        joined += first ? ByteView() : arguments[0]->bytes_at(row);
        joined += *piece;
        first = false;
      }
    }
    out.set_bytes(row, joined);
  }
  return {};
}

// --- format() ---
Status too_few_arguments() { return {sql_state::kInvalidParameterValue, "too few arguments for format()"}; }
Status argument_zero() {
  return {sql_state::kInvalidParameterValue, "format specifies argument 0, but arguments are numbered from 1"};
}
Status unterminated_specifier() {
  return Status(sql_state::kInvalidParameterValue, "unterminated format() type specifier")
      .with_hint("For a single \"%\" use \"%%\".");
}

// Formats one row.
class Formatter {
 public:
  Formatter(ByteView format, const std::vector<std::optional<Bytes>>& values) : format_(format), values_(values) {}

  Result<Bytes> run() {
    while (at_ < format_.size()) {
      const char c = format_[at_++];
      if (c != '%') {
        out_ += c;
        continue;
      }
      PANDO_TRY(need_more());
      if (format_[at_] == '%') {
        out_ += '%';
        ++at_;
        continue;
      }
      PANDO_TRY(specifier());
    }
    return std::move(out_);
  }

 private:
  Status need_more() const { return at_ < format_.size() ? Status() : unterminated_specifier(); }

  // Digits at the cursor; nullopt for none.
  Result<std::optional<int32_t>> digits() {
    std::optional<int32_t> value;
    while (at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9') {
      int32_t next = 0;
      if (__builtin_mul_overflow(value.value_or(0), 10, &next) ||
          __builtin_add_overflow(next, format_[at_] - '0', &next)) {
        return Status(sql_state::kNumericValueOutOfRange, "number is out of range");
      }
      value = next;
      ++at_;
    }
    if (value) {
      PANDO_TRY(need_more());
    }
    return value;
  }

  Status specifier() {
    int32_t width = 0;
    bool left = false;
    std::optional<int32_t> argument;
    PANDO_ASSIGN(auto number, digits());
    if (number && format_[at_] == '$') {
      ++at_;
      PANDO_TRY(*number == 0 ? argument_zero() : need_more());
      argument = number;
      number.reset();
    }
    if (!number) {
      while (format_[at_] == '-') {
        left = true;
        ++at_;
        PANDO_TRY(need_more());
      }
      PANDO_TRY(read_width(width, left));
    } else {
      width = *number;
    }
    return convert(argument, width, left);
  }

  Status read_width(int32_t& width, bool& left) {
    if (format_[at_] != '*') {
      PANDO_ASSIGN(const auto literal, digits());
      width = literal.value_or(0);
      return {};
    }
    ++at_;
    PANDO_TRY(need_more());
    PANDO_ASSIGN(const auto from, digits());
    if (from) {
      if (format_[at_] != '$') {
        return {sql_state::kInvalidParameterValue, "width argument position must be ended by \"$\""};
      }
      ++at_;
      PANDO_TRY(*from == 0 ? argument_zero() : need_more());
    }
    PANDO_ASSIGN(const auto value, take(from));
    if (value) {
      PANDO_ASSIGN(width, types::parse_int32(*value));
    }
    if (width < 0) {
      left = true;
      width = width == INT32_MIN ? INT32_MAX : -width;
    }
    return {};
  }

  // The value an argument reference, or the next argument, stands for.
  Result<std::optional<Bytes>> take(std::optional<int32_t> position) {
    const std::size_t index = position ? static_cast<std::size_t>(*position) - 1 : next_;
    if (index >= values_.size()) {
      return too_few_arguments();
    }
    next_ = index + 1;
    return values_[index];
  }

  Status convert(std::optional<int32_t> argument, int32_t width, bool left) {
    const char kind = format_[at_];
    if (kind != 's' && kind != 'I' && kind != 'L') {
      return Status(sql_state::kInvalidParameterValue, "unrecognized format() type specifier \"{}\"",
                    format_.substr(at_, types::utf8_width(kind)))
          .with_hint("For a single \"%\" use \"%%\".");
    }
    ++at_;
    PANDO_ASSIGN(const auto value, take(argument));
    if (!value) {
      if (kind == 'I') {
        return {sql_state::kNullValueNotAllowed, "null values cannot be formatted as an SQL identifier"};
      }
      append(kind == 'L' ? "NULL" : "", width, left);
    } else {
      append(kind == 's' ? *value : kind == 'I' ? quote_identifier(*value) : quote_literal(*value), width, left);
    }
    return {};
  }

  void append(ByteView text, int32_t width, bool left) {
    const auto have = static_cast<int64_t>(types::utf8_length(text));
    const auto fill = static_cast<std::size_t>(std::max<int64_t>(width - have, 0));
    if (!left) {
      out_.append(fill, ' ');
    }
    out_ += text;
    if (left) {
      out_.append(fill, ' ');
    }
  }

  ByteView format_;
  const std::vector<std::optional<Bytes>>& values_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  Bytes out_;
};

Status format(EvaluationContext& context, const CallTypes& types, std::span<const types::Vector* const> arguments,
              std::size_t rows, types::Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) {
    if (arguments[0]->is_null(row)) {
      out.set_null(row);
      continue;
    }
    const TextArguments values = text_arguments(context, types, arguments, 1, row);
    PANDO_ASSIGN(const Bytes text, Formatter(arguments[0]->bytes_at(row), values.values).run());
    out.set_bytes(row, text);
  }
  return {};
}

// --- parse_ident() ---
Status bad_identifier(ByteView text) {
  return {sql_state::kInvalidParameterValue, "string is not a valid identifier: \"{}\"", text};
}
Result<Bytes> parse_identifiers(ByteView text, bool strict) {
  const auto is_start = [](char c) {
    return is_identifier_start(c) || (c >= 'A' && c <= 'Z') || static_cast<uint8_t>(c) >= 0x80;
  };
  types::ArrayBuilder parts(types::oid::kText);
  std::size_t at = 0;
  const auto skip_space = [&] { at = std::min(text.find_first_not_of(" \t\n\r\f", at), text.size()); };
  skip_space();
  bool after_dot = false;
  while (true) {
    Bytes part;
    if (at < text.size() && text[at] == '"') {
      ++at;
      while (true) {
        if (at >= text.size()) {
          return bad_identifier(text).with_detail("String has unclosed double quotes.");
        }
        if (text[at] == '"' && (at + 1 >= text.size() || text[at + 1] != '"')) {
          break;
        }
        at += text[at] == '"' ? 1 : 0;
        part += text[at++];
      }
      ++at;
      if (part.empty()) {
        return bad_identifier(text).with_detail("Quoted identifier must not be empty.");
      }
    } else if (at < text.size() && is_start(text[at])) {
      const std::size_t start = at;
      while (at < text.size() && (is_start(text[at]) || (text[at] >= '0' && text[at] <= '9') || text[at] == '$')) {
        ++at;
      }
      part = Bytes(text.substr(start, at - start));
      std::ranges::transform(part, part.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
    } else if (at < text.size() && text[at] == '.') {
      return bad_identifier(text).with_detail("No valid identifier before \".\".");
    } else if (after_dot) {
      return bad_identifier(text).with_detail("No valid identifier after \".\".");
    } else {
      return bad_identifier(text);
    }
    parts.add_bytes(part);
    skip_space();
    if (at >= text.size()) {
      break;
    }
    if (text[at] != '.') {
      if (strict) {
        return bad_identifier(text);
      }
      break;
    }
    ++at;
    after_dot = true;
    skip_space();
  }
  return parts.finish();
}

// NULL quotes to the word NULL.
Bytes quote_nullable(std::optional<ByteView> text) { return text ? quote_literal(*text) : Bytes("NULL"); }

// || of text and a value of any other type.
Status text_with_any(EvaluationContext& context, const CallTypes& types,
                     std::span<const types::Vector* const> arguments, std::size_t rows, types::Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) {
    if (!out.is_null(row)) {
      Bytes joined;
      print_value(context, types.arguments[0], *arguments[0], row, joined);
      print_value(context, types.arguments[1], *arguments[1], row, joined);
      out.set_bytes(row, joined);
    }
  }
  return {};
}

class KeywordRows final : public SetRows {
 public:
  Status next(types::Chunk& out) override {
    const std::size_t count = std::min(std::size(kKeywords) - next_, types::kVectorRows);
    for (types::Vector& column : out.columns) {
      column.reset(count);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const Keyword& keyword = kKeywords[next_ + i];
      out.columns[0].set_bytes(i, keyword.word);
      out.columns[1].set_bytes(i, {&keyword.category, 1});
      out.columns[2].data<uint8_t>()[i] = keyword.bare_label ? 1 : 0;
      out.columns[3].set_bytes(i, describe(keyword.category));
      out.columns[4].set_bytes(i, keyword.bare_label ? "can be bare label" : "requires AS");
    }
    out.rows = count;
    next_ += count;
    return {};
  }

 private:
  static ByteView describe(char category) {
    switch (category) {
      case 'U':
        return "unreserved";
      case 'C':
        return "unreserved (cannot be function or type name)";
      case 'T':
        return "reserved (can be function or type name)";
      default:
        return "reserved";
    }
  }
  std::size_t next_ = 0;
};
Result<std::unique_ptr<SetRows>> keywords(EvaluationContext&, const CallTypes&, std::span<const types::Value>) {
  return std::unique_ptr<SetRows>(std::make_unique<KeywordRows>());
}

}  // namespace

std::span<const Keyword> all_keywords() { return kKeywords; }

Bytes quote_identifier(ByteView name) {
  bool safe = !name.empty() && is_identifier_start(name.front()) &&
              std::ranges::all_of(name, [](char c) { return is_identifier_start(c) || (c >= '0' && c <= '9'); });
  if (safe) {
    const auto* found = std::ranges::lower_bound(kKeywords, name, {}, &Keyword::word);
    safe = found == std::end(kKeywords) || found->word != name || found->category == 'U';
  }
  if (safe) {
    return Bytes(name);
  }
  Bytes out = "\"";
  for (const char c : name) {
    out.append(c == '"' ? 2 : 1, c);
  }
  return out += '"';
}

Bytes quote_literal(ByteView text) {
  Bytes out(text.contains('\\') ? "E'" : "'");
  for (const char c : text) {
    out.append(c == '\'' || c == '\\' ? 2 : 1, c);
  }
  return out += '\'';
}

KernelTable quoting_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"quote_ident", lift<quote_identifier>},
      {"quote_literal", lift<quote_literal>},
      {"quote_nullable", lift<quote_nullable>},
      {"text_concat", concat},
      {"text_concat_ws", concat_ws},
      {"text_format", format},
      {"text_format_nv", format},
      {"parse_ident", lift<parse_identifiers>},
      {"textanycat(text,anynonarray)", text_with_any},
      {"anytextcat(anynonarray,text)", text_with_any},
      {"pg_get_keywords", keywords},
  };
  return kTable;
}

}  // namespace pando::sql
