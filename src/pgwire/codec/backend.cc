#include "pgwire/codec/backend.h"

#include <charconv>

#include <fmt/format.h>

#include "pgwire/codec/reader.h"

namespace pando::pgwire {
namespace {

constexpr uint32_t kNullLength = UINT32_MAX;  // -1

Status read_format(BodyReader& in, Format& out) {
  uint16_t code;
  PANDO_TRY(in.read_uint16(code));
  if (code > static_cast<uint16_t>(Format::kBinary)) {
    return Status(sql_state::kProtocolViolation, "unsupported format code: {}", static_cast<int16_t>(code));
  }
  out = static_cast<Format>(code);
  return {};
}

Status read_value(BodyReader& in, std::optional<ByteView>& out) {
  uint32_t length;
  PANDO_TRY(in.read_uint32(length));
  if (length == kNullLength) {
    out = std::nullopt;
    return {};
  }
  return in.read_bytes(length, out.emplace());
}

Result<BackendMessage> decode_authentication(ByteView body) {
  BodyReader in(body);
  uint32_t code;
  PANDO_TRY(in.read_uint32(code));
  return BackendMessage(AuthenticationMessage{static_cast<AuthenticationCode>(code), in.read_rest()});
}

Result<BackendMessage> decode_key_data(ByteView body) {
  BodyReader in(body);
  BackendKeyData message;
  PANDO_TRY(in.read_uint32(message.process_id));
  PANDO_TRY(in.read_uint32(message.secret));
  PANDO_TRY(in.finish());
  return BackendMessage(message);
}

Result<BackendMessage> decode_bare(BackendType type, ByteView body) {
  PANDO_TRY(BodyReader(body).finish());
  return BackendMessage(BareMessage{type});
}

Result<BackendMessage> decode_command_complete(ByteView body) {
  BodyReader in(body);
  CommandComplete message;
  PANDO_TRY(in.read_cstring(message.tag));
  PANDO_TRY(in.finish());
  return BackendMessage(message);
}

Result<BackendMessage> decode_copy_response(BackendType type, ByteView body) {
  BodyReader in(body);
  CopyResponse message;
  message.type = type;
  char format;
  PANDO_TRY(in.read_char(format));
  if (format != 0 && format != 1) {
    return Status(sql_state::kProtocolViolation, "unsupported format code: {}", static_cast<int>(format));
  }
  message.format = static_cast<Format>(format);
  uint16_t count;
  PANDO_TRY(in.read_uint16(count));
  for (uint16_t i = 0; i < count; ++i) {
    PANDO_TRY(read_format(in, message.column_formats.emplace_back()));
  }
  PANDO_TRY(in.finish());
  return BackendMessage(std::move(message));
}

Result<BackendMessage> decode_data_row(ByteView body) {
  BodyReader in(body);
  DataRow message;
  uint16_t count;
  PANDO_TRY(in.read_uint16(count));
  for (uint16_t i = 0; i < count; ++i) {
    PANDO_TRY(read_value(in, message.values.emplace_back()));
  }
  PANDO_TRY(in.finish());
  return BackendMessage(std::move(message));
}

Result<BackendMessage> decode_report(BackendType type, ByteView body) {
  BodyReader in(body);
  ReportMessage message;
  message.type = type;
  while (true) {
    char code;
    PANDO_TRY(in.read_char(code));
    if (code == '\0') {
      break;
    }
    ByteView text;
    PANDO_TRY(in.read_cstring(text));
    message.fields.emplace_back(code, text);
  }
  PANDO_TRY(in.finish());
  return BackendMessage(std::move(message));
}

Result<BackendMessage> decode_function_call_response(ByteView body) {
  BodyReader in(body);
  FunctionCallResponse message;
  PANDO_TRY(read_value(in, message.value));
  PANDO_TRY(in.finish());
  return BackendMessage(message);
}

Result<BackendMessage> decode_negotiate(ByteView body) {
  BodyReader in(body);
  NegotiateProtocolVersion message;
  PANDO_TRY(in.read_uint32(message.newest_minor));
  uint32_t count;
  PANDO_TRY(in.read_uint32(count));
  for (uint32_t i = 0; i < count; ++i) {
    PANDO_TRY(in.read_cstring(message.unrecognized_options.emplace_back()));
  }
  PANDO_TRY(in.finish());
  return BackendMessage(std::move(message));
}

Result<BackendMessage> decode_notification(ByteView body) {
  BodyReader in(body);
  NotificationResponse message;
  PANDO_TRY(in.read_uint32(message.process_id));
  PANDO_TRY(in.read_cstring(message.channel));
  PANDO_TRY(in.read_cstring(message.payload));
  PANDO_TRY(in.finish());
  return BackendMessage(message);
}

Result<BackendMessage> decode_parameter_description(ByteView body) {
  BodyReader in(body);
  ParameterDescription message;
  uint16_t count;
  PANDO_TRY(in.read_uint16(count));
  for (uint16_t i = 0; i < count; ++i) {
    PANDO_TRY(in.read_uint32(message.types.emplace_back()));
  }
  PANDO_TRY(in.finish());
  return BackendMessage(std::move(message));
}

Result<BackendMessage> decode_parameter_status(ByteView body) {
  BodyReader in(body);
  ParameterStatus message;
  PANDO_TRY(in.read_cstring(message.name));
  PANDO_TRY(in.read_cstring(message.value));
  PANDO_TRY(in.finish());
  return BackendMessage(message);
}

Result<BackendMessage> decode_ready(ByteView body) {
  BodyReader in(body);
  ReadyForQuery message;
  PANDO_TRY(in.read_char(message.status));
  PANDO_TRY(in.finish());
  return BackendMessage(message);
}

Status read_field(BodyReader& in, FieldDescription& field) {
  uint16_t type_length;
  uint32_t type_modifier;
  PANDO_TRY(in.read_cstring(field.name));
  PANDO_TRY(in.read_uint32(field.table));
  PANDO_TRY(in.read_uint16(field.attribute));
  PANDO_TRY(in.read_uint32(field.type));
  PANDO_TRY(in.read_uint16(type_length));
  PANDO_TRY(in.read_uint32(type_modifier));
  field.type_length = static_cast<int16_t>(type_length);
  field.type_modifier = static_cast<int32_t>(type_modifier);
  return read_format(in, field.format);
}

Result<BackendMessage> decode_row_description(ByteView body) {
  BodyReader in(body);
  RowDescription message;
  uint16_t count;
  PANDO_TRY(in.read_uint16(count));
  for (uint16_t i = 0; i < count; ++i) {
    PANDO_TRY(read_field(in, message.fields.emplace_back()));
  }
  PANDO_TRY(in.finish());
  return BackendMessage(std::move(message));
}

void write_value(MessageWriter& writer, const std::optional<ByteView>& value) {
  if (!value) {
    writer.write_uint32(kNullLength);
    return;
  }
  writer.write_uint32(static_cast<uint32_t>(value->size()));
  writer.write_bytes(*value);
}

// A zero byte would end the text and start the next field, so nothing after it is sent.
void write_report_field(MessageWriter& writer, char code, ByteView text) {
  if (!text.empty()) {
    writer.write_char(code);
    writer.write_cstring(text.substr(0, text.find('\0')));
  }
}

}  // namespace

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "ERROR";
    case Severity::kFatal:
      return "FATAL";
    case Severity::kPanic:
      return "PANIC";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kNotice:
      return "NOTICE";
    case Severity::kDebug:
      return "DEBUG";
    case Severity::kInfo:
      return "INFO";
    case Severity::kLog:
      return "LOG";
  }
  PANDO_UNREACHABLE("a severity outside its enumeration");
}

ByteView ReportMessage::field(char code) const {
  for (const auto& [name, text] : fields) {
    if (name == code) {
      return text;
    }
  }
  return {};
}

void encode(const AuthenticationMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kAuthentication));
  writer.write_uint32(static_cast<uint32_t>(message.code));
  writer.write_bytes(message.data);
  writer.end();
}

void encode(const BackendKeyData& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kBackendKeyData));
  writer.write_uint32(message.process_id);
  writer.write_uint32(message.secret);
  writer.end();
}

void encode(const BareMessage& message, Bytes& out) { MessageWriter(out, static_cast<char>(message.type)).end(); }

void encode(const CommandComplete& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kCommandComplete));
  writer.write_cstring(message.tag);
  writer.end();
}

void encode(const CopyDataReply& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kCopyData));
  writer.write_bytes(message.data);
  writer.end();
}

void encode(const CopyResponse& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(message.type));
  writer.write_char(static_cast<char>(message.format));
  writer.write_uint16(static_cast<uint16_t>(message.column_formats.size()));
  for (const Format format : message.column_formats) {
    writer.write_uint16(static_cast<uint16_t>(format));
  }
  writer.end();
}

void encode(const DataRow& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kDataRow));
  writer.write_uint16(static_cast<uint16_t>(message.values.size()));
  for (const auto& value : message.values) {
    write_value(writer, value);
  }
  writer.end();
}

void encode(const ReportMessage& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(message.type));
  for (const auto& [code, text] : message.fields) {
    writer.write_char(code);
    writer.write_cstring(text);
  }
  writer.write_char('\0');
  writer.end();
}

void encode(const FunctionCallResponse& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kFunctionCallResponse));
  write_value(writer, message.value);
  writer.end();
}

void encode(const NegotiateProtocolVersion& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kNegotiateProtocolVersion));
  writer.write_uint32(message.newest_minor);
  writer.write_uint32(static_cast<uint32_t>(message.unrecognized_options.size()));
  for (const ByteView option : message.unrecognized_options) {
    writer.write_cstring(option);
  }
  writer.end();
}

void encode(const NotificationResponse& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kNotificationResponse));
  writer.write_uint32(message.process_id);
  writer.write_cstring(message.channel);
  writer.write_cstring(message.payload);
  writer.end();
}

void encode(const ParameterDescription& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kParameterDescription));
  writer.write_uint16(static_cast<uint16_t>(message.types.size()));
  for (const uint32_t type : message.types) {
    writer.write_uint32(type);
  }
  writer.end();
}

void encode(const ParameterStatus& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kParameterStatus));
  writer.write_cstring(message.name);
  writer.write_cstring(message.value);
  writer.end();
}

void encode(const ReadyForQuery& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kReadyForQuery));
  writer.write_char(message.status);
  writer.end();
}

void encode(const RowDescription& message, Bytes& out) {
  MessageWriter writer(out, static_cast<char>(BackendType::kRowDescription));
  writer.write_uint16(static_cast<uint16_t>(message.fields.size()));
  for (const FieldDescription& field : message.fields) {
    writer.write_cstring(field.name);
    writer.write_uint32(field.table);
    writer.write_uint16(field.attribute);
    writer.write_uint32(field.type);
    writer.write_uint16(static_cast<uint16_t>(field.type_length));
    writer.write_uint32(static_cast<uint32_t>(field.type_modifier));
    writer.write_uint16(static_cast<uint16_t>(field.format));
  }
  writer.end();
}

void encode_report(Severity severity, const ErrorFields& fields, Bytes& out) {
  const bool is_error = severity == Severity::kError || severity == Severity::kFatal || severity == Severity::kPanic;
  MessageWriter writer(out, static_cast<char>(is_error ? BackendType::kErrorResponse : BackendType::kNoticeResponse));
  write_report_field(writer, 'S', severity_name(severity));
  write_report_field(writer, 'V', severity_name(severity));
  write_report_field(writer, 'C', fields.code.view());
  // The message is the one field that must always be there.
  writer.write_char('M');
  writer.write_cstring(ByteView(fields.message).substr(0, fields.message.find('\0')));
  write_report_field(writer, 'D', fields.detail);
  write_report_field(writer, 'H', fields.hint);
  if (fields.position > 0) {
    const auto position = fmt::format_int(fields.position);
    // A position inside a query that the server itself made goes with that query's text.
    write_report_field(writer, fields.internal_query.empty() ? 'P' : 'p', {position.data(), position.size()});
  }
  write_report_field(writer, 'q', fields.internal_query);
  write_report_field(writer, 'W', fields.where);
  write_report_field(writer, 's', fields.schema_name);
  write_report_field(writer, 't', fields.table_name);
  write_report_field(writer, 'c', fields.column_name);
  write_report_field(writer, 'd', fields.data_type_name);
  write_report_field(writer, 'n', fields.constraint_name);
  writer.write_char('\0');
  writer.end();
}

Result<BackendMessage> decode_backend(char type, ByteView body) {
  switch (static_cast<BackendType>(type)) {
    case BackendType::kAuthentication:
      return decode_authentication(body);
    case BackendType::kBackendKeyData:
      return decode_key_data(body);
    case BackendType::kBindComplete:
    case BackendType::kCloseComplete:
    case BackendType::kCopyDone:
    case BackendType::kEmptyQueryResponse:
    case BackendType::kNoData:
    case BackendType::kParseComplete:
    case BackendType::kPortalSuspended:
      return decode_bare(static_cast<BackendType>(type), body);
    case BackendType::kCommandComplete:
      return decode_command_complete(body);
    case BackendType::kCopyData:
      return BackendMessage(CopyDataReply{body});
    case BackendType::kCopyBothResponse:
    case BackendType::kCopyInResponse:
    case BackendType::kCopyOutResponse:
      return decode_copy_response(static_cast<BackendType>(type), body);
    case BackendType::kDataRow:
      return decode_data_row(body);
    case BackendType::kErrorResponse:
    case BackendType::kNoticeResponse:
      return decode_report(static_cast<BackendType>(type), body);
    case BackendType::kFunctionCallResponse:
      return decode_function_call_response(body);
    case BackendType::kNegotiateProtocolVersion:
      return decode_negotiate(body);
    case BackendType::kNotificationResponse:
      return decode_notification(body);
    case BackendType::kParameterDescription:
      return decode_parameter_description(body);
    case BackendType::kParameterStatus:
      return decode_parameter_status(body);
    case BackendType::kReadyForQuery:
      return decode_ready(body);
    case BackendType::kRowDescription:
      return decode_row_description(body);
  }
  return Status(sql_state::kProtocolViolation, "invalid backend message type {}",
                static_cast<int>(static_cast<unsigned char>(type)));
}

void encode(const BackendMessage& message, Bytes& out) {
  std::visit([&out](const auto& alternative) { encode(alternative, out); }, message);
}

ErrorFields to_error_fields(const ReportMessage& report) {
  ErrorFields fields;
  if (report.field('C').size() == sql_state::kSuccess.view().size()) {
    fields.code = SqlState(report.field('C'));
  }
  fields.message = report.field('M');
  fields.detail = report.field('D');
  fields.hint = report.field('H');
  const ByteView position = report.field('P').empty() ? report.field('p') : report.field('P');
  // What is not a number leaves the position at "none".
  std::from_chars(position.data(), position.data() + position.size(), fields.position);
  fields.internal_query = report.field('q');
  fields.where = report.field('W');
  fields.schema_name = report.field('s');
  fields.table_name = report.field('t');
  fields.column_name = report.field('c');
  fields.data_type_name = report.field('d');
  fields.constraint_name = report.field('n');
  return fields;
}

}  // namespace pando::pgwire
