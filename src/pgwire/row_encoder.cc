#include "pgwire/row_encoder.h"

#include "pgwire/codec/backend.h"
#include "types/binary_io.h"
#include "types/text_io.h"

namespace pando::pgwire {
namespace {

bool is_stored_as_text(types::Oid type) {
  switch (type) {
    case types::oid::kText:
    case types::oid::kVarchar:
    case types::oid::kBpchar:
    case types::oid::kName:
    case types::oid::kJson:
    case types::oid::kUnknown:
      return true;
    default:
      return false;
  }
}

void append_big_endian(Bytes& out, uint64_t value, std::size_t bytes) {
  char raw[sizeof(value)];
  store_uint64(raw, value);
  out.append(raw + sizeof(value) - bytes, bytes);
}

}  // namespace

RowEncoder::Kind RowEncoder::kind_of(const session::ResultColumn& column) {
  const bool binary = column.format == session::ValueFormat::kBinary;
  switch (column.type.oid) {
    case types::oid::kBool:
      return binary ? Kind::kBinary : Kind::kBoolText;
    case types::oid::kInt2:
      return binary ? Kind::kInt16Binary : Kind::kInt16Text;
    case types::oid::kInt4:
      return binary ? Kind::kInt32Binary : Kind::kInt32Text;
    case types::oid::kInt8:
      return binary ? Kind::kInt64Binary : Kind::kInt64Text;
    default:
      break;
  }
  if (column.named || is_stored_as_text(column.type.oid)) {
    return Kind::kBytes;
  }
  return binary ? Kind::kBinary : Kind::kText;
}

void RowEncoder::prepare(const session::RowShapePtr& shape, const types::Settings& settings) {
  settings_ = &settings;
  if (shape == shape_) {
    return;
  }
  shape_ = shape;
  columns_.clear();
  for (const session::ResultColumn& column : *shape) {
    columns_.push_back({kind_of(column), column.type});
  }
}

Status RowEncoder::encode_field(const Column& column, const types::Vector& vector, std::size_t row, Bytes& out) {
  switch (column.kind) {
    case Kind::kBoolText:
      out.push_back(vector.at<uint8_t>(row) != 0 ? 't' : 'f');
      return {};
    case Kind::kInt16Text:
      types::print_int16(vector.at<int16_t>(row), out);
      return {};
    case Kind::kInt32Text:
      types::print_int32(vector.at<int32_t>(row), out);
      return {};
    case Kind::kInt64Text:
      types::print_int64(vector.at<int64_t>(row), out);
      return {};
    case Kind::kInt16Binary:
      append_big_endian(out, static_cast<uint16_t>(vector.at<int16_t>(row)), sizeof(int16_t));
      return {};
    case Kind::kInt32Binary:
      append_big_endian(out, static_cast<uint32_t>(vector.at<int32_t>(row)), sizeof(int32_t));
      return {};
    case Kind::kInt64Binary:
      append_big_endian(out, static_cast<uint64_t>(vector.at<int64_t>(row)), sizeof(int64_t));
      return {};
    case Kind::kBytes:
      out.append(vector.bytes_at(row));
      return {};
    case Kind::kText:
      types::print_text(column.type, vector, row, *settings_, out);
      return {};
    case Kind::kBinary:
      return types::print_binary(column.type, vector, row, *settings_, out);
  }
  PANDO_UNREACHABLE("an encoder kind outside its enumeration");
}

Status RowEncoder::encode(const types::Chunk& chunk, std::size_t first, std::size_t count, Bytes& out) {
  const std::size_t start = out.size();
  for (std::size_t row = first; row < first + count; ++row) {
    RowWriter writer(out, columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const types::Vector& vector = chunk.columns[i];
      if (vector.is_null(row)) {
        writer.null();
        continue;
      }
      writer.begin_field();
      if (Status status = encode_field(columns_[i], vector, row, out); !status.ok()) {
        out.resize(start);
        return status;
      }
      writer.end_field();
    }
    writer.end();
  }
  return {};
}

}  // namespace pando::pgwire
