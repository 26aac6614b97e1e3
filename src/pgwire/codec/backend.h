#pragma once

// What a server sends. Encoders append whole messages to a caller's buffer, so that a batch of replies leaves in one
// write; RowWriter encodes a DataRow field by field without an intermediate copy. Decoding is for clients of ours and
// for tests; it borrows from the body. Errors are 08P01. Thread-safety: pure functions, values.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "pgwire/codec/frontend.h"
#include "pgwire/codec/message.h"
#include "pgwire/codec/writer.h"

namespace pando::pgwire {

enum class AuthenticationCode : uint32_t {
  kOk = 0,
  kKerberosV5 = 2,
  kCleartextPassword = 3,
  kMd5Password = 5,
  kGss = 7,
  kGssContinue = 8,
  kSspi = 9,
  kSasl = 10,
  kSaslContinue = 11,
  kSaslFinal = 12,
};
struct AuthenticationMessage {
  AuthenticationCode code = AuthenticationCode::kOk;
  // The salt, the mechanisms or the challenge that follow the code.
  ByteView data;
  friend bool operator==(const AuthenticationMessage&, const AuthenticationMessage&) = default;
};
struct BackendKeyData {
  uint32_t process_id = 0;
  uint32_t secret = 0;
  friend bool operator==(const BackendKeyData&, const BackendKeyData&) = default;
};
// Messages without a body: BindComplete, CloseComplete, CopyDone, EmptyQueryResponse, NoData, ParseComplete,
// PortalSuspended.
struct BareMessage {
  BackendType type = BackendType::kParseComplete;
  friend bool operator==(const BareMessage&, const BareMessage&) = default;
};
struct CommandComplete {
  ByteView tag;
  friend bool operator==(const CommandComplete&, const CommandComplete&) = default;
};
struct CopyDataReply {
  ByteView data;
  friend bool operator==(const CopyDataReply&, const CopyDataReply&) = default;
};
// CopyInResponse, CopyOutResponse, CopyBothResponse.
struct CopyResponse {
  BackendType type = BackendType::kCopyInResponse;
  Format format = Format::kText;
  std::vector<Format> column_formats;
  friend bool operator==(const CopyResponse&, const CopyResponse&) = default;
};
struct DataRow {
  std::vector<std::optional<ByteView>> values;
  friend bool operator==(const DataRow&, const DataRow&) = default;
};
enum class Severity : uint8_t { kError, kFatal, kPanic, kWarning, kNotice, kDebug, kInfo, kLog };
std::string_view severity_name(Severity severity);
// ErrorResponse or NoticeResponse as a client reads it: field code and text, in the order sent.
struct ReportMessage {
  BackendType type = BackendType::kErrorResponse;
  std::vector<std::pair<char, ByteView>> fields;
  // Empty when there is no such field.
  ByteView field(char code) const;
  friend bool operator==(const ReportMessage&, const ReportMessage&) = default;
};
struct FunctionCallResponse {
  std::optional<ByteView> value;
  friend bool operator==(const FunctionCallResponse&, const FunctionCallResponse&) = default;
};
struct NegotiateProtocolVersion {
  uint32_t newest_minor = 0;
  std::vector<ByteView> unrecognized_options;
  friend bool operator==(const NegotiateProtocolVersion&, const NegotiateProtocolVersion&) = default;
};
struct NotificationResponse {
  uint32_t process_id = 0;
  ByteView channel;
  ByteView payload;
  friend bool operator==(const NotificationResponse&, const NotificationResponse&) = default;
};
struct ParameterDescription {
  std::vector<uint32_t> types;
  friend bool operator==(const ParameterDescription&, const ParameterDescription&) = default;
};
struct ParameterStatus {
  ByteView name;
  ByteView value;
  friend bool operator==(const ParameterStatus&, const ParameterStatus&) = default;
};
struct ReadyForQuery {
  char status = 'I';  // 'I' idle, 'T' in a transaction block, 'E' in a failed one
  friend bool operator==(const ReadyForQuery&, const ReadyForQuery&) = default;
};
struct FieldDescription {
  ByteView name;
  uint32_t table = 0;
  uint16_t attribute = 0;
  uint32_t type = 0;
  int16_t type_length = 0;
  int32_t type_modifier = -1;
  Format format = Format::kText;
  friend bool operator==(const FieldDescription&, const FieldDescription&) = default;
};
struct RowDescription {
  std::vector<FieldDescription> fields;
  friend bool operator==(const RowDescription&, const RowDescription&) = default;
};

void encode(const AuthenticationMessage& message, Bytes& out);
void encode(const BackendKeyData& message, Bytes& out);
void encode(const BareMessage& message, Bytes& out);
void encode(const CommandComplete& message, Bytes& out);
void encode(const CopyDataReply& message, Bytes& out);
void encode(const CopyResponse& message, Bytes& out);
void encode(const DataRow& message, Bytes& out);
void encode(const ReportMessage& message, Bytes& out);
void encode(const FunctionCallResponse& message, Bytes& out);
void encode(const NegotiateProtocolVersion& message, Bytes& out);
void encode(const NotificationResponse& message, Bytes& out);
void encode(const ParameterDescription& message, Bytes& out);
void encode(const ParameterStatus& message, Bytes& out);
void encode(const ReadyForQuery& message, Bytes& out);
void encode(const RowDescription& message, Bytes& out);

// An ErrorResponse (kError and worse) or NoticeResponse with every field that is set. Zero bytes in texts end them.
void encode_report(Severity severity, const ErrorFields& fields, Bytes& out);

// Writes one DataRow. begin_field() leaves room for the length, which end_field() fills in.
//
//   RowWriter row(out, 2);
//   row.null();
//   row.begin_field();
//   out.append("42");
//   row.end_field();
//   row.end();
class RowWriter {
 public:
  RowWriter(Bytes& out, std::size_t columns) : out_(out), message_(out, static_cast<char>(BackendType::kDataRow)) {
    message_.write_uint16(static_cast<uint16_t>(columns));
  }
  void null() { message_.write_uint32(UINT32_MAX); }
  void field(ByteView value) {
    message_.write_uint32(static_cast<uint32_t>(value.size()));
    out_.append(value);
  }
  void begin_field() {
    field_at_ = out_.size();
    message_.write_uint32(0);
  }
  void end_field() { store_uint32(out_.data() + field_at_, static_cast<uint32_t>(out_.size() - field_at_ - 4)); }
  void end() { message_.end(); }

 private:
  Bytes& out_;
  MessageWriter message_;
  std::size_t field_at_ = 0;
};

using BackendMessage =
    std::variant<AuthenticationMessage, BackendKeyData, BareMessage, CommandComplete, CopyDataReply, CopyResponse,
                 DataRow, ReportMessage, FunctionCallResponse, NegotiateProtocolVersion, NotificationResponse,
                 ParameterDescription, ParameterStatus, ReadyForQuery, RowDescription>;

Result<BackendMessage> decode_backend(char type, ByteView body);
void encode(const BackendMessage& message, Bytes& out);

// The fields of a received report as an error value, for clients.
ErrorFields to_error_fields(const ReportMessage& report);

}  // namespace pando::pgwire
