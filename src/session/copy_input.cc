#include "session/copy_input.h"

#include <fmt/format.h>

#include "types/binary_io.h"
#include "types/text_io.h"
#include "types/utf8.h"

namespace pando::session {
namespace {

// How much of a field or line an error quotes, as PostgreSQL's MAX_COPY_DATA_DISPLAY.
constexpr std::size_t kQuotedBytesMax = 100;

std::string quote_cut(ByteView text) {
  return text.size() <= kQuotedBytesMax ? std::string(text)
                                        : std::string(types::utf8_truncate(text, kQuotedBytesMax)) + "...";
}

std::vector<std::string> names_of(const std::vector<CopyColumn>& columns) {
  std::vector<std::string> names;
  for (const CopyColumn& column : columns) {
    names.push_back(column.name);
  }
  return names;
}

bool is_plain_text(types::Type type) {
  return type.oid == types::oid::kText || (type.oid == types::oid::kVarchar && type.modifier == types::kNoModifier);
}

}  // namespace

CopyInput::CopyInput(std::string table, CopyOptions options, std::vector<CopyColumn> columns,
                     const types::Settings& settings, CopySource& source)
    : table_(std::move(table)),
      columns_(std::move(columns)),
      binary_(options.format == CopyFormat::kBinary),
      settings_(settings),
      source_(source),
      parser_(std::move(options), names_of(columns_)) {}

Status CopyInput::in_line(Status status, std::size_t column, const CopyField* field) const {
  if (!status.fields().where.empty()) {
    return status;
  }
  std::string where = fmt::format("COPY {}, line {}", table_, parser_.line_number());
  if (field != nullptr) {
    where += fmt::format(", column {}", columns_[column].name);
    where += field->is_null ? ": null input" : binary_ ? "" : fmt::format(": \"{}\"", quote_cut(field->bytes));
  } else if (!binary_ && types::validate_utf8(parser_.line()).ok()) {
    where += fmt::format(": \"{}\"", quote_cut(parser_.line()));
  }
  status.fields().where = std::move(where);
  return status;
}

Result<types::Value> CopyInput::read_value(std::size_t column, ByteView bytes) const {
  if (binary_) {
    return types::parse_binary(columns_[column].type, bytes, settings_);
  }
  PANDO_TRY(types::validate_utf8(bytes));
  return types::parse_text(columns_[column].type, bytes, settings_);
}

// Numbers and plain text go straight into the vector.
Status CopyInput::store_field(std::size_t column, const CopyField& field, std::size_t row, types::Chunk& out) {
  types::Vector& vector = out.columns[column];
  if (field.is_null) {
    vector.set_null(row);
    return {};
  }
  if (!binary_) {
    switch (columns_[column].type.oid) {
      case types::oid::kInt4: {
        PANDO_ASSIGN(vector.data<int32_t>()[row], types::parse_int32(field.bytes));
        return {};
      }
      case types::oid::kInt8: {
        PANDO_ASSIGN(vector.data<int64_t>()[row], types::parse_int64(field.bytes));
        return {};
      }
      default:
        break;
    }
    if (is_plain_text(columns_[column].type)) {
      PANDO_TRY(types::validate_utf8(field.bytes));
      vector.set_bytes(row, field.bytes);
      return {};
    }
  }
  PANDO_ASSIGN(const types::Value value, read_value(column, field.bytes));
  vector.set(row, value);
  return {};
}

Status CopyInput::take_rows(types::Chunk& out) {
  while (out.rows < types::kVectorRows) {
    const auto found = parser_.next();
    if (!found.ok()) {
      return in_line(found.status(), 0, nullptr);
    }
    if (!*found) {
      break;
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (Status status = store_field(i, parser_.fields()[i], out.rows, out); !status.ok()) {
        return in_line(std::move(status), i, &parser_.fields()[i]);
      }
    }
    ++out.rows;
  }
  return {};
}

Task<Result<bool>> CopyInput::next(types::Chunk& out) {
  out.rows = 0;
  out.columns.resize(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    out.columns[i].reset_physical(types::physical_of(columns_[i].type.oid));
    out.columns[i].reset(types::kVectorRows);
  }
  while (true) {
    PANDO_CO_TRY(take_rows(out));
    if (out.rows == types::kVectorRows || input_ended_) {
      break;
    }
    PANDO_CO_ASSIGN(const bool more, co_await source_.read(piece_));
    if (more) {
      parser_.feed(piece_);
    } else {
      input_ended_ = true;
      parser_.finish();
    }
  }
  for (types::Vector& column : out.columns) {
    column.resize(out.rows);
  }
  row_count_ += out.rows;
  co_return out.rows > 0;
}

}  // namespace pando::session
