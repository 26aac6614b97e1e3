#include "pgwire/message_sink.h"

#include "pgwire/codec/frontend.h"

namespace pando::pgwire {
namespace {

Format wire_format(session::ValueFormat format) {
  return format == session::ValueFormat::kBinary ? Format::kBinary : Format::kText;
}

Severity wire_severity(session::NoticeSeverity severity) {
  switch (severity) {
    case session::NoticeSeverity::kDebug:
      return Severity::kDebug;
    case session::NoticeSeverity::kLog:
      return Severity::kLog;
    case session::NoticeSeverity::kInfo:
      return Severity::kInfo;
    case session::NoticeSeverity::kNotice:
      return Severity::kNotice;
    case session::NoticeSeverity::kWarning:
      return Severity::kWarning;
  }
  PANDO_UNREACHABLE("a notice severity outside its enumeration");
}

void encode_row_description(const session::RowShape& shape, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kRowDescription));
  writer.write_uint16(static_cast<uint16_t>(shape.size()));
  for (const session::ResultColumn& column : shape) {
    const types::TypeInfo* info = types::find_type(column.type.oid);
    writer.write_cstring(column.name);
    writer.write_uint32(column.table);
    writer.write_uint16(static_cast<uint16_t>(column.attribute));
    writer.write_uint32(column.type.oid);
    writer.write_uint16(static_cast<uint16_t>(info != nullptr ? info->length : -1));
    writer.write_uint32(static_cast<uint32_t>(column.type.modifier));
    writer.write_uint16(static_cast<uint16_t>(column.format));
  }
  writer.end();
}

}  // namespace

void MessageSink::add_description(const session::RowShapePtr& shape) {
  if (shape != described_) {
    description_.clear();
    encode_row_description(*shape, description_);
    described_ = shape;
  }
  stream_.output().append(description_);
}

void MessageSink::begin_rows(const session::RowShapePtr& shape, const types::Settings& settings, bool describe) {
  encoder_.prepare(shape, settings);
  if (describe) {
    add_description(shape);
  }
}

Status MessageSink::add_rows(const types::Chunk& chunk, std::size_t first, std::size_t count) {
  return encoder_.encode(chunk, first, count, stream_.output());
}

void MessageSink::complete(std::string_view tag) { encode(CommandComplete{tag}, stream_.output()); }

void MessageSink::empty_query() { encode(BareMessage{BackendType::kEmptyQueryResponse}, stream_.output()); }

void MessageSink::notice(session::NoticeSeverity severity, const ErrorFields& fields) {
  encode_report(wire_severity(severity), fields, stream_.output());
}

bool MessageSink::rewind(uint64_t mark) {
  if (mark < stream_.sent()) {
    return false;
  }
  stream_.output().resize(mark - stream_.sent());
  return true;
}

void MessageSink::begin_copy(BackendType type, session::ValueFormat format, std::size_t columns) {
  encode(CopyResponse{type, wire_format(format), std::vector<Format>(columns, wire_format(format))}, stream_.output());
}

void MessageSink::begin_copy_out(session::ValueFormat format, std::size_t columns) {
  begin_copy(BackendType::kCopyOutResponse, format, columns);
}

void MessageSink::add_copy_data(ByteView data) { encode(CopyDataReply{data}, stream_.output()); }

void MessageSink::end_copy_out() { encode(BareMessage{BackendType::kCopyDone}, stream_.output()); }

void MessageSink::begin_copy_in(session::ValueFormat format, std::size_t columns) {
  begin_copy(BackendType::kCopyInResponse, format, columns);
  copying_in_ = true;
}

Result<bool> MessageSink::take_copy_messages(Bytes& data) {
  bool taken = false;
  while (copying_in_ && data.size() < kDrainBytes) {
    PANDO_ASSIGN(const auto frame, find_frame(stream_.unread(), Sender::kFrontend));
    if (!frame) {
      break;
    }
    taken = true;
    switch (static_cast<FrontendType>(frame->type)) {
      case FrontendType::kCopyData:
        data.append(frame->body);
        break;
      case FrontendType::kCopyDone:
        copying_in_ = false;
        break;
      case FrontendType::kCopyFail: {
        CopyFailMessage message;
        copying_in_ = false;
        PANDO_TRY(decode(frame->body, message));
        Status status(sql_state::kQueryCanceled, "COPY from stdin failed: {}", message.reason);
        stream_.consume(frame->size);
        return status;
      }
      case FrontendType::kFlush:
      case FrontendType::kSync:
        break;
      default:
        copying_in_ = false;
        return Status(sql_state::kProtocolViolation, "unexpected message type 0x{:02X} during COPY from stdin",
                      static_cast<unsigned>(static_cast<unsigned char>(frame->type)));
    }
    stream_.consume(frame->size);
  }
  return taken;
}

Task<Result<bool>> MessageSink::read_copy_data(Bytes& data) {
  data.clear();
  while (copying_in_) {
    PANDO_CO_ASSIGN(const bool taken, take_copy_messages(data));
    if (!data.empty()) {
      co_return true;
    }
    if (!taken) {
      PANDO_CO_TRY(co_await stream_.flush());
      PANDO_CO_TRY(co_await stream_.read_more(frame_size(stream_.unread())));
    }
  }
  co_return false;
}

}  // namespace pando::pgwire
