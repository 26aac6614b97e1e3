#include "pgwire/codec/print.h"

#include <fmt/format.h>

namespace pando::pgwire {
namespace {

// Printable ASCII as it is, everything else as \xHH.
std::string quote(ByteView text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + "\"";
}

std::string print_value(const std::optional<ByteView>& value) { return value ? quote(*value) : "NULL"; }
std::string print_format(Format format) { return format == Format::kBinary ? "binary" : "text"; }

template <typename List, typename Print>
std::string print_list(const List& list, Print print_one) {
  std::string out = "(";
  for (const auto& item : list) {
    out += (out.size() > 1 ? ", " : "") + print_one(item);
  }
  return out + ")";
}

std::string print_formats(const std::vector<Format>& formats) { return print_list(formats, print_format); }
std::string print_oids(const std::vector<uint32_t>& oids) {
  return print_list(oids, [](uint32_t oid) { return fmt::to_string(oid); });
}

const char* target_name(Target target) { return target == Target::kStatement ? "statement" : "portal"; }

const char* type_name(BackendType type) {
  switch (type) {
    case BackendType::kBindComplete:
      return "BindComplete";
    case BackendType::kCloseComplete:
      return "CloseComplete";
    case BackendType::kCopyBothResponse:
      return "CopyBothResponse";
    case BackendType::kCopyDone:
      return "CopyDone";
    case BackendType::kCopyInResponse:
      return "CopyInResponse";
    case BackendType::kCopyOutResponse:
      return "CopyOutResponse";
    case BackendType::kEmptyQueryResponse:
      return "EmptyQueryResponse";
    case BackendType::kErrorResponse:
      return "ErrorResponse";
    case BackendType::kNoData:
      return "NoData";
    case BackendType::kNoticeResponse:
      return "NoticeResponse";
    case BackendType::kParseComplete:
      return "ParseComplete";
    case BackendType::kPortalSuspended:
      return "PortalSuspended";
    default:
      return "Unknown";
  }
}

struct FrontendPrinter {
  std::string operator()(const QueryMessage& m) const { return fmt::format("Query {}", quote(m.sql)); }
  std::string operator()(const ParseMessage& m) const {
    return fmt::format("Parse statement={} sql={} types={}", quote(m.statement), quote(m.sql),
                       print_oids(m.parameter_types));
  }
  std::string operator()(const BindMessage& m) const {
    return fmt::format("Bind portal={} statement={} formats={} parameters={} results={}", quote(m.portal),
                       quote(m.statement), print_formats(m.parameter_formats), print_list(m.parameters, print_value),
                       print_formats(m.result_formats));
  }
  std::string operator()(const DescribeMessage& m) const {
    return fmt::format("Describe {} {}", target_name(m.target), quote(m.name));
  }
  std::string operator()(const ExecuteMessage& m) const {
    return fmt::format("Execute portal={} rows_max={}", quote(m.portal), m.rows_max);
  }
  std::string operator()(const CloseMessage& m) const {
    return fmt::format("Close {} {}", target_name(m.target), quote(m.name));
  }
  std::string operator()(const SyncMessage&) const { return "Sync"; }
  std::string operator()(const FlushMessage&) const { return "Flush"; }
  std::string operator()(const TerminateMessage&) const { return "Terminate"; }
  std::string operator()(const CopyDataMessage& m) const { return fmt::format("CopyData {}", quote(m.data)); }
  std::string operator()(const CopyDoneMessage&) const { return "CopyDone"; }
  std::string operator()(const CopyFailMessage& m) const { return fmt::format("CopyFail {}", quote(m.reason)); }
  std::string operator()(const FunctionCallMessage& m) const {
    return fmt::format("FunctionCall function={} formats={} arguments={} result={}", m.function,
                       print_formats(m.argument_formats), print_list(m.arguments, print_value),
                       print_format(m.result_format));
  }
  std::string operator()(const PasswordMessage& m) const { return fmt::format("Password {} bytes", m.data.size()); }
};

struct BackendPrinter {
  std::string operator()(const AuthenticationMessage& m) const {
    return fmt::format("Authentication code={} data={}", static_cast<uint32_t>(m.code), quote(m.data));
  }
  std::string operator()(const BackendKeyData& m) const {
    return fmt::format("BackendKeyData process={} secret={}", m.process_id, m.secret);
  }
  std::string operator()(const BareMessage& m) const { return type_name(m.type); }
  std::string operator()(const CommandComplete& m) const { return fmt::format("CommandComplete {}", quote(m.tag)); }
  std::string operator()(const CopyDataReply& m) const { return fmt::format("CopyData {}", quote(m.data)); }
  std::string operator()(const CopyResponse& m) const {
    return fmt::format("{} format={} columns={}", type_name(m.type), print_format(m.format),
                       print_formats(m.column_formats));
  }
  std::string operator()(const DataRow& m) const {
    return fmt::format("DataRow {}", print_list(m.values, print_value));
  }
  std::string operator()(const ReportMessage& m) const {
    std::string out = type_name(m.type);
    for (const auto& [code, text] : m.fields) {
      out += fmt::format(" {}={}", code, quote(text));
    }
    return out;
  }
  std::string operator()(const FunctionCallResponse& m) const {
    return fmt::format("FunctionCallResponse {}", print_value(m.value));
  }
  std::string operator()(const NegotiateProtocolVersion& m) const {
    return fmt::format("NegotiateProtocolVersion minor={} options={}", m.newest_minor,
                       print_list(m.unrecognized_options, quote));
  }
  std::string operator()(const NotificationResponse& m) const {
    return fmt::format("NotificationResponse process={} channel={} payload={}", m.process_id, quote(m.channel),
                       quote(m.payload));
  }
  std::string operator()(const ParameterDescription& m) const {
    return fmt::format("ParameterDescription {}", print_oids(m.types));
  }
  std::string operator()(const ParameterStatus& m) const {
    return fmt::format("ParameterStatus {}={}", quote(m.name), quote(m.value));
  }
  std::string operator()(const ReadyForQuery& m) const { return fmt::format("ReadyForQuery {}", m.status); }
  std::string operator()(const RowDescription& m) const {
    return "RowDescription " + print_list(m.fields, [](const FieldDescription& field) {
             return fmt::format("{} table={} attribute={} type={} length={} modifier={} {}", quote(field.name),
                                field.table, field.attribute, field.type, field.type_length, field.type_modifier,
                                print_format(field.format));
           });
  }
};

}  // namespace

std::string print(const StartupPacket& packet) {
  if (std::holds_alternative<SslRequest>(packet)) {
    return "SSLRequest";
  }
  if (std::holds_alternative<GssEncRequest>(packet)) {
    return "GSSENCRequest";
  }
  if (const auto* cancel = std::get_if<CancelRequest>(&packet)) {
    return fmt::format("CancelRequest process={} secret={}", cancel->process_id, cancel->secret);
  }
  const auto& startup = std::get<StartupMessage>(packet);
  return fmt::format("Startup {}.{} {}", startup.protocol >> 16, startup.protocol & 0xffff,
                     print_list(startup.parameters, [](const auto& parameter) {
                       return quote(parameter.first) + "=" + quote(parameter.second);
                     }));
}

std::string print(const FrontendMessage& message) { return std::visit(FrontendPrinter(), message); }
std::string print(const BackendMessage& message) { return std::visit(BackendPrinter(), message); }

}  // namespace pando::pgwire
