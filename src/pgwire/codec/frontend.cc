#include "pgwire/codec/frontend.h"

#include "pgwire/codec/reader.h"
#include "pgwire/codec/writer.h"

namespace pando::pgwire {
namespace {

constexpr uint32_t kNullLength = UINT32_MAX;  // -1

uint32_t protocol_major(uint32_t protocol) { return protocol >> 16; }

Status read_format(BodyReader& in, Format& out) {
  uint16_t code;
  PANDO_TRY(in.read_uint16(code));
  if (code > static_cast<uint16_t>(Format::kBinary)) {
    return Status(sql_state::kInvalidParameterValue, "unsupported format code: {}", static_cast<int16_t>(code));
  }
  out = static_cast<Format>(code);
  return {};
}

Status read_formats(BodyReader& in, std::vector<Format>& out) {
  uint16_t count;
  PANDO_TRY(in.read_uint16(count));
  out.clear();
  for (uint16_t i = 0; i < count; ++i) {
    PANDO_TRY(read_format(in, out.emplace_back()));
  }
  return {};
}

Status read_values(BodyReader& in, std::vector<std::optional<ByteView>>& out) {
  uint16_t count;
  PANDO_TRY(in.read_uint16(count));
  out.clear();
  for (uint16_t i = 0; i < count; ++i) {
    uint32_t length;
    PANDO_TRY(in.read_uint32(length));
    if (length == kNullLength) {
      out.emplace_back(std::nullopt);
      continue;
    }
    ByteView value;
    PANDO_TRY(in.read_bytes(length, value));
    out.emplace_back(value);
  }
  return {};
}

Status read_target(BodyReader& in, const char* message, Target& out) {
  char code;
  PANDO_TRY(in.read_char(code));
  if (code != static_cast<char>(Target::kStatement) && code != static_cast<char>(Target::kPortal)) {
    return Status(sql_state::kProtocolViolation, "invalid {} message subtype {}", message,
                  static_cast<int>(static_cast<unsigned char>(code)));
  }
  out = static_cast<Target>(code);
  return {};
}

void write_formats(MessageWriter& writer, const std::vector<Format>& formats) {
  writer.write_uint16(static_cast<uint16_t>(formats.size()));
  for (const Format format : formats) {
    writer.write_uint16(static_cast<uint16_t>(format));
  }
}

void write_values(MessageWriter& writer, const std::vector<std::optional<ByteView>>& values) {
  writer.write_uint16(static_cast<uint16_t>(values.size()));
  for (const auto& value : values) {
    if (!value) {
      writer.write_uint32(kNullLength);
      continue;
    }
    writer.write_uint32(static_cast<uint32_t>(value->size()));
    writer.write_bytes(*value);
  }
}

void encode_empty(FrontendType type, Bytes& out) { MessageWriter(out, static_cast<char>(type)).end(); }

template <typename Message>
Result<FrontendMessage> decode_as(ByteView body) {
  Message message;
  PANDO_TRY(decode(body, message));
  return FrontendMessage(std::move(message));
}

Result<StartupMessage> decode_startup_parameters(uint32_t protocol, BodyReader& in) {
  StartupMessage message;
  message.protocol = protocol;
  while (true) {
    ByteView name;
    PANDO_TRY(in.read_cstring(name));
    if (name.empty()) {
      break;
    }
    ByteView value;
    PANDO_TRY(in.read_cstring(value));
    message.parameters.emplace_back(name, value);
  }
  if (in.left() != 0) {
    return Status(sql_state::kProtocolViolation, "invalid startup packet layout: expected terminator as last byte");
  }
  return message;
}

}  // namespace

Result<StartupPacket> decode_startup(ByteView body) {
  BodyReader in(body);
  uint32_t code;
  PANDO_TRY(in.read_uint32(code));
  if (code == kSslRequestCode) {
    PANDO_TRY(in.finish());
    return StartupPacket(SslRequest{});
  }
  if (code == kGssEncRequestCode) {
    PANDO_TRY(in.finish());
    return StartupPacket(GssEncRequest{});
  }
  if (code == kCancelRequestCode) {
    CancelRequest request;
    PANDO_TRY(in.read_uint32(request.process_id));
    PANDO_TRY(in.read_uint32(request.secret));
    PANDO_TRY(in.finish());
    return StartupPacket(request);
  }
  if (protocol_major(code) != protocol_major(kProtocolVersion3)) {
    return Status(sql_state::kFeatureNotSupported, "unsupported frontend protocol {}.{}: server supports 3.0 to 3.0",
                  protocol_major(code), code & 0xffff);
  }
  PANDO_ASSIGN(StartupMessage message, decode_startup_parameters(code, in));
  return StartupPacket(std::move(message));
}

void encode_startup(const StartupPacket& packet, Bytes& out) {
  MessageWriter writer(out);
  if (std::holds_alternative<SslRequest>(packet)) {
    writer.write_uint32(kSslRequestCode);
  } else if (std::holds_alternative<GssEncRequest>(packet)) {
    writer.write_uint32(kGssEncRequestCode);
  } else if (const auto* cancel = std::get_if<CancelRequest>(&packet)) {
    writer.write_uint32(kCancelRequestCode);
    writer.write_uint32(cancel->process_id);
    writer.write_uint32(cancel->secret);
  } else {
    const auto& startup = std::get<StartupMessage>(packet);
    writer.write_uint32(startup.protocol);
    for (const auto& [name, value] : startup.parameters) {
      writer.write_cstring(name);
      writer.write_cstring(value);
    }
    writer.write_char('\0');
  }
  writer.end();
}

Status decode(ByteView body, QueryMessage& out) {
  BodyReader in(body);
  PANDO_TRY(in.read_cstring(out.sql));
  return in.finish();
}

Status decode(ByteView body, ParseMessage& out) {
  BodyReader in(body);
  PANDO_TRY(in.read_cstring(out.statement));
  PANDO_TRY(in.read_cstring(out.sql));
  uint16_t count;
  PANDO_TRY(in.read_uint16(count));
  out.parameter_types.clear();
  for (uint16_t i = 0; i < count; ++i) {
    PANDO_TRY(in.read_uint32(out.parameter_types.emplace_back()));
  }
  return in.finish();
}

Status decode(ByteView body, BindMessage& out) {
  BodyReader in(body);
  PANDO_TRY(in.read_cstring(out.portal));
  PANDO_TRY(in.read_cstring(out.statement));
  PANDO_TRY(read_formats(in, out.parameter_formats));
  PANDO_TRY(read_values(in, out.parameters));
  if (out.parameter_formats.size() > 1 && out.parameter_formats.size() != out.parameters.size()) {
    return Status(sql_state::kProtocolViolation, "bind message has {} parameter formats but {} parameters",
                  out.parameter_formats.size(), out.parameters.size());
  }
  PANDO_TRY(read_formats(in, out.result_formats));
  return in.finish();
}

Status decode(ByteView body, DescribeMessage& out) {
  BodyReader in(body);
  PANDO_TRY(read_target(in, "DESCRIBE", out.target));
  PANDO_TRY(in.read_cstring(out.name));
  return in.finish();
}

Status decode(ByteView body, ExecuteMessage& out) {
  BodyReader in(body);
  PANDO_TRY(in.read_cstring(out.portal));
  uint32_t rows_max;
  PANDO_TRY(in.read_uint32(rows_max));
  // A negative limit means no limit, as in PostgreSQL.
  out.rows_max = static_cast<int32_t>(rows_max) < 0 ? 0 : rows_max;
  return in.finish();
}

Status decode(ByteView body, CloseMessage& out) {
  BodyReader in(body);
  PANDO_TRY(read_target(in, "CLOSE", out.target));
  PANDO_TRY(in.read_cstring(out.name));
  return in.finish();
}

Status decode(ByteView body, SyncMessage&) { return BodyReader(body).finish(); }
Status decode(ByteView body, FlushMessage&) { return BodyReader(body).finish(); }
Status decode(ByteView body, TerminateMessage&) { return BodyReader(body).finish(); }
Status decode(ByteView body, CopyDoneMessage&) { return BodyReader(body).finish(); }

Status decode(ByteView body, CopyDataMessage& out) {
  out.data = body;
  return {};
}

Status decode(ByteView body, CopyFailMessage& out) {
  BodyReader in(body);
  PANDO_TRY(in.read_cstring(out.reason));
  return in.finish();
}

Status decode(ByteView body, FunctionCallMessage& out) {
  BodyReader in(body);
  PANDO_TRY(in.read_uint32(out.function));
  PANDO_TRY(read_formats(in, out.argument_formats));
  PANDO_TRY(read_values(in, out.arguments));
  PANDO_TRY(read_format(in, out.result_format));
  return in.finish();
}

Status decode(ByteView body, PasswordMessage& out) {
  out.data = body;
  return {};
}

void encode(const QueryMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kQuery));
  writer.write_cstring(message.sql);
  writer.end();
}

void encode(const ParseMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kParse));
  writer.write_cstring(message.statement);
  writer.write_cstring(message.sql);
  writer.write_uint16(static_cast<uint16_t>(message.parameter_types.size()));
  for (const uint32_t type : message.parameter_types) {
    writer.write_uint32(type);
  }
  writer.end();
}

void encode(const BindMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kBind));
  writer.write_cstring(message.portal);
  writer.write_cstring(message.statement);
  write_formats(writer, message.parameter_formats);
  write_values(writer, message.parameters);
  write_formats(writer, message.result_formats);
  writer.end();
}

void encode(const DescribeMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kDescribe));
  writer.write_char(static_cast<char>(message.target));
  writer.write_cstring(message.name);
  writer.end();
}

void encode(const ExecuteMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kExecute));
  writer.write_cstring(message.portal);
  writer.write_uint32(message.rows_max);
  writer.end();
}

void encode(const CloseMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kClose));
  writer.write_char(static_cast<char>(message.target));
  writer.write_cstring(message.name);
  writer.end();
}

void encode(const SyncMessage&, Bytes& out) { encode_empty(FrontendType::kSync, out); }
void encode(const FlushMessage&, Bytes& out) { encode_empty(FrontendType::kFlush, out); }
void encode(const TerminateMessage&, Bytes& out) { encode_empty(FrontendType::kTerminate, out); }
void encode(const CopyDoneMessage&, Bytes& out) { encode_empty(FrontendType::kCopyDone, out); }

void encode(const CopyDataMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kCopyData));
  writer.write_bytes(message.data);
  writer.end();
}

void encode(const CopyFailMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kCopyFail));
  writer.write_cstring(message.reason);
  writer.end();
}

void encode(const FunctionCallMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kFunctionCall));
  writer.write_uint32(message.function);
  write_formats(writer, message.argument_formats);
  write_values(writer, message.arguments);
  writer.write_uint16(static_cast<uint16_t>(message.result_format));
  writer.end();
}

void encode(const PasswordMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(FrontendType::kPassword));
  writer.write_bytes(message.data);
  writer.end();
}

Result<FrontendMessage> decode_frontend(char type, ByteView body) {
  switch (static_cast<FrontendType>(type)) {
    case FrontendType::kBind:
      return decode_as<BindMessage>(body);
    case FrontendType::kClose:
      return decode_as<CloseMessage>(body);
    case FrontendType::kCopyData:
      return decode_as<CopyDataMessage>(body);
    case FrontendType::kCopyDone:
      return decode_as<CopyDoneMessage>(body);
    case FrontendType::kCopyFail:
      return decode_as<CopyFailMessage>(body);
    case FrontendType::kDescribe:
      return decode_as<DescribeMessage>(body);
    case FrontendType::kExecute:
      return decode_as<ExecuteMessage>(body);
    case FrontendType::kFlush:
      return decode_as<FlushMessage>(body);
    case FrontendType::kFunctionCall:
      return decode_as<FunctionCallMessage>(body);
    case FrontendType::kParse:
      return decode_as<ParseMessage>(body);
    case FrontendType::kPassword:
      return decode_as<PasswordMessage>(body);
    case FrontendType::kQuery:
      return decode_as<QueryMessage>(body);
    case FrontendType::kSync:
      return decode_as<SyncMessage>(body);
    case FrontendType::kTerminate:
      return decode_as<TerminateMessage>(body);
  }
  return Status(sql_state::kProtocolViolation, "invalid frontend message type {}",
                static_cast<int>(static_cast<unsigned char>(type)));
}

void encode(const FrontendMessage& message, Bytes& out) {
  std::visit([&out](const auto& alternative) { encode(alternative, out); }, message);
}

}  // namespace pando::pgwire
