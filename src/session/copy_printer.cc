#include "session/copy_printer.h"

#include <algorithm>

#include "types/binary_io.h"
#include "types/text_io.h"

namespace pando::session {
namespace {

constexpr ByteView kBinarySignature("PGCOPY\n\377\r\n\0", 11);

void append_big_endian(Bytes& out, uint32_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;) {
    out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
}

}  // namespace

Result<CopyPrinter> CopyPrinter::make(CopyOptions options, RowShapePtr shape, const types::Settings& settings) {
  CopyPrinter printer(std::move(options), std::move(shape), settings);
  for (const std::string& name : printer.options_.force_quote) {
    if (std::ranges::find(*printer.shape_, name, &ResultColumn::name) == printer.shape_->end()) {
      return Status(sql_state::kUndefinedColumn, "FORCE_QUOTE column \"{}\" not referenced by COPY", name);
    }
  }
  for (const ResultColumn& column : *printer.shape_) {
    printer.force_quote_.push_back(printer.options_.force_quote_all ||
                                   std::ranges::find(printer.options_.force_quote, column.name) !=
                                       printer.options_.force_quote.end());
  }
  return printer;
}

void CopyPrinter::print_start(Bytes& out) const {
  if (options_.format == CopyFormat::kBinary) {
    out += kBinarySignature;
    append_big_endian(out, 0, 8);
    return;
  }
  if (options_.header == CopyHeader::kNone) {
    return;
  }
  for (std::size_t i = 0; i < shape_->size(); ++i) {
    if (i > 0) {
      out.push_back(options_.delimiter);
    }
    if (options_.format == CopyFormat::kCsv) {
      print_csv_field((*shape_)[i].name, false, out);
    } else {
      print_text_field((*shape_)[i].name, out);
    }
  }
  out.push_back('\n');
}

void CopyPrinter::print_end(Bytes& out) const {
  if (options_.format == CopyFormat::kBinary) {
    append_big_endian(out, 0xffff, 2);
  }
}

void CopyPrinter::print_text_field(ByteView value, Bytes& out) const {
  for (const char c : value) {
    switch (c) {
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\v':
        out += "\\v";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        if (c == options_.delimiter) {
          out.push_back('\\');
        }
        out.push_back(c);
        break;
    }
  }
}

void CopyPrinter::print_csv_field(ByteView value, bool force_quote, Bytes& out) const {
  const bool single = shape_->size() == 1 && value == "\\.";
  const bool special = std::ranges::any_of(
      value, [this](char c) { return c == options_.delimiter || c == options_.quote || c == '\n' || c == '\r'; });
  if (!force_quote && !special && !single && value != options_.null_text) {
    out += value;
    return;
  }
  out.push_back(options_.quote);
  for (const char c : value) {
    if (c == options_.quote || c == options_.escape) {
      out.push_back(options_.escape);
    }
    out.push_back(c);
  }
  out.push_back(options_.quote);
}

Status CopyPrinter::print_binary_row(const types::Chunk& chunk, std::size_t row, Bytes& out) {
  append_big_endian(out, static_cast<uint32_t>(shape_->size()), 2);
  for (std::size_t i = 0; i < shape_->size(); ++i) {
    if (chunk.columns[i].is_null(row)) {
      append_big_endian(out, UINT32_MAX, 4);
      continue;
    }
    field_.clear();
    PANDO_TRY(types::print_binary((*shape_)[i].type, chunk.columns[i], row, *settings_, field_));
    append_big_endian(out, static_cast<uint32_t>(field_.size()), 4);
    out += field_;
  }
  return {};
}

Status CopyPrinter::print_row(const types::Chunk& chunk, std::size_t row, Bytes& out) {
  if (options_.format == CopyFormat::kBinary) {
    return print_binary_row(chunk, row, out);
  }
  for (std::size_t i = 0; i < shape_->size(); ++i) {
    if (i > 0) {
      out.push_back(options_.delimiter);
    }
    if (chunk.columns[i].is_null(row)) {
      out += options_.null_text;
      continue;
    }
    field_.clear();
    if ((*shape_)[i].named) {
      field_ = chunk.columns[i].bytes_at(row);
    } else {
      types::print_text((*shape_)[i].type, chunk.columns[i], row, *settings_, field_);
    }
    if (options_.format == CopyFormat::kCsv) {
      print_csv_field(field_, force_quote_[i], out);
    } else {
      print_text_field(field_, out);
    }
  }
  out.push_back('\n');
  return {};
}

}  // namespace pando::session
