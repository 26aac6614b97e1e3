#pragma once

// What a client sends. Decoding borrows from the message's body, so a decoded message lives as long as the read buffer;
// the vectors inside are reused when the same object is decoded into again, so a steady connection allocates nothing.
// Encoding is for clients of ours and for tests. Errors are 08P01. Thread-safety: pure functions, values.

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "pgwire/codec/message.h"

namespace pando::pgwire {

// ---- packets that open a connection ----

struct StartupMessage {
  uint32_t protocol = kProtocolVersion3;
  // Name and value, in the order sent; names that begin with "_pq_." are protocol options.
  std::vector<std::pair<ByteView, ByteView>> parameters;
  friend bool operator==(const StartupMessage&, const StartupMessage&) = default;
};
struct SslRequest {
  friend bool operator==(const SslRequest&, const SslRequest&) = default;
};
struct GssEncRequest {
  friend bool operator==(const GssEncRequest&, const GssEncRequest&) = default;
};
struct CancelRequest {
  uint32_t process_id = 0;
  uint32_t secret = 0;
  friend bool operator==(const CancelRequest&, const CancelRequest&) = default;
};
using StartupPacket = std::variant<StartupMessage, SslRequest, GssEncRequest, CancelRequest>;

// `body` is a find_startup_frame() body. 0A000 for a protocol that is not version 3.
Result<StartupPacket> decode_startup(ByteView body);
void encode_startup(const StartupPacket& packet, Bytes& out);

// ---- messages ----

struct QueryMessage {
  ByteView sql;
  friend bool operator==(const QueryMessage&, const QueryMessage&) = default;
};
struct ParseMessage {
  ByteView statement;
  ByteView sql;
  std::vector<uint32_t> parameter_types;
  friend bool operator==(const ParseMessage&, const ParseMessage&) = default;
};
enum class Format : uint16_t { kText = 0, kBinary = 1 };
struct BindMessage {
  ByteView portal;
  ByteView statement;
  // None: all text. One: for all. Else one for each parameter.
  std::vector<Format> parameter_formats;
  std::vector<std::optional<ByteView>> parameters;
  // As parameter_formats, for result columns.
  std::vector<Format> result_formats;
  friend bool operator==(const BindMessage&, const BindMessage&) = default;
};
enum class Target : char { kStatement = 'S', kPortal = 'P' };
struct DescribeMessage {
  Target target = Target::kStatement;
  ByteView name;
  friend bool operator==(const DescribeMessage&, const DescribeMessage&) = default;
};
struct ExecuteMessage {
  ByteView portal;
  // 0 means no limit.
  uint32_t rows_max = 0;
  friend bool operator==(const ExecuteMessage&, const ExecuteMessage&) = default;
};
struct CloseMessage {
  Target target = Target::kStatement;
  ByteView name;
  friend bool operator==(const CloseMessage&, const CloseMessage&) = default;
};
struct SyncMessage {
  friend bool operator==(const SyncMessage&, const SyncMessage&) = default;
};
struct FlushMessage {
  friend bool operator==(const FlushMessage&, const FlushMessage&) = default;
};
struct TerminateMessage {
  friend bool operator==(const TerminateMessage&, const TerminateMessage&) = default;
};
struct CopyDataMessage {
  ByteView data;
  friend bool operator==(const CopyDataMessage&, const CopyDataMessage&) = default;
};
struct CopyDoneMessage {
  friend bool operator==(const CopyDoneMessage&, const CopyDoneMessage&) = default;
};
struct CopyFailMessage {
  ByteView reason;
  friend bool operator==(const CopyFailMessage&, const CopyFailMessage&) = default;
};
// The obsolete fast-path call.
struct FunctionCallMessage {
  uint32_t function = 0;
  std::vector<Format> argument_formats;
  std::vector<std::optional<ByteView>> arguments;
  Format result_format = Format::kText;
  friend bool operator==(const FunctionCallMessage&, const FunctionCallMessage&) = default;
};
// A password, or a GSSAPI or SASL response: what it means depends on what the server asked for.
struct PasswordMessage {
  ByteView data;
  friend bool operator==(const PasswordMessage&, const PasswordMessage&) = default;
};

// Each decodes a body of its own type. Into an object used before, its vectors are reused.
Status decode(ByteView body, QueryMessage& out);
Status decode(ByteView body, ParseMessage& out);
Status decode(ByteView body, BindMessage& out);
Status decode(ByteView body, DescribeMessage& out);
Status decode(ByteView body, ExecuteMessage& out);
Status decode(ByteView body, CloseMessage& out);
Status decode(ByteView body, SyncMessage& out);
Status decode(ByteView body, FlushMessage& out);
Status decode(ByteView body, TerminateMessage& out);
Status decode(ByteView body, CopyDataMessage& out);
Status decode(ByteView body, CopyDoneMessage& out);
Status decode(ByteView body, CopyFailMessage& out);
Status decode(ByteView body, FunctionCallMessage& out);
Status decode(ByteView body, PasswordMessage& out);

void encode(const QueryMessage& message, Bytes& out);
void encode(const ParseMessage& message, Bytes& out);
void encode(const BindMessage& message, Bytes& out);
void encode(const DescribeMessage& message, Bytes& out);
void encode(const ExecuteMessage& message, Bytes& out);
void encode(const CloseMessage& message, Bytes& out);
void encode(const SyncMessage& message, Bytes& out);
void encode(const FlushMessage& message, Bytes& out);
void encode(const TerminateMessage& message, Bytes& out);
void encode(const CopyDataMessage& message, Bytes& out);
void encode(const CopyDoneMessage& message, Bytes& out);
void encode(const CopyFailMessage& message, Bytes& out);
void encode(const FunctionCallMessage& message, Bytes& out);
void encode(const PasswordMessage& message, Bytes& out);

using FrontendMessage = std::variant<QueryMessage, ParseMessage, BindMessage, DescribeMessage, ExecuteMessage,
                                     CloseMessage, SyncMessage, FlushMessage, TerminateMessage, CopyDataMessage,
                                     CopyDoneMessage, CopyFailMessage, FunctionCallMessage, PasswordMessage>;

// Any message, by its type byte.
Result<FrontendMessage> decode_frontend(char type, ByteView body);
void encode(const FrontendMessage& message, Bytes& out);

}  // namespace pando::pgwire
