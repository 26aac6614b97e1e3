#include "pgwire/codec/message.h"

#include "pgwire/codec/reader.h"

namespace pando::pgwire {
namespace {

std::optional<std::size_t> frontend_body_limit(char type) {
  switch (static_cast<FrontendType>(type)) {
    case FrontendType::kBind:
    case FrontendType::kCopyData:
    case FrontendType::kFunctionCall:
    case FrontendType::kParse:
    case FrontendType::kQuery:
      return kLargeMessageBytesMax;
    case FrontendType::kClose:
    case FrontendType::kCopyDone:
    case FrontendType::kCopyFail:
    case FrontendType::kDescribe:
    case FrontendType::kExecute:
    case FrontendType::kFlush:
    case FrontendType::kPassword:
    case FrontendType::kSync:
    case FrontendType::kTerminate:
      return kSmallMessageBytesMax;
  }
  return std::nullopt;
}

std::optional<std::size_t> backend_body_limit(char type) {
  switch (static_cast<BackendType>(type)) {
    case BackendType::kAuthentication:
    case BackendType::kCommandComplete:
    case BackendType::kCopyBothResponse:
    case BackendType::kCopyData:
    case BackendType::kCopyInResponse:
    case BackendType::kCopyOutResponse:
    case BackendType::kDataRow:
    case BackendType::kErrorResponse:
    case BackendType::kFunctionCallResponse:
    case BackendType::kNegotiateProtocolVersion:
    case BackendType::kNoticeResponse:
    case BackendType::kNotificationResponse:
    case BackendType::kParameterDescription:
    case BackendType::kParameterStatus:
    case BackendType::kRowDescription:
      return kLargeMessageBytesMax;
    case BackendType::kBackendKeyData:
    case BackendType::kBindComplete:
    case BackendType::kCloseComplete:
    case BackendType::kCopyDone:
    case BackendType::kEmptyQueryResponse:
    case BackendType::kNoData:
    case BackendType::kParseComplete:
    case BackendType::kPortalSuspended:
    case BackendType::kReadyForQuery:
      return kSmallMessageBytesMax;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> body_limit(Sender sender, char type) {
  return sender == Sender::kFrontend ? frontend_body_limit(type) : backend_body_limit(type);
}

Result<std::optional<Frame>> find_frame(ByteView buffer, Sender sender) {
  if (buffer.empty()) {
    return std::optional<Frame>();
  }
  const char type = buffer.front();
  const std::optional<std::size_t> body_max = body_limit(sender, type);
  if (!body_max) {
    return Status(sql_state::kProtocolViolation, "invalid {} message type {}",
                  sender == Sender::kFrontend ? "frontend" : "backend",
                  static_cast<int>(static_cast<unsigned char>(type)));
  }
  if (buffer.size() < kHeaderBytes) {
    return std::optional<Frame>();
  }
  const std::size_t length = load_uint32(buffer.data() + 1);
  if (length < kLengthBytes || length - kLengthBytes > *body_max) {
    return Status(sql_state::kProtocolViolation, "invalid message length");
  }
  if (buffer.size() < 1 + length) {
    return std::optional<Frame>();
  }
  return std::optional<Frame>(Frame{type, buffer.substr(kHeaderBytes, length - kLengthBytes), 1 + length});
}

Result<std::optional<Frame>> find_startup_frame(ByteView buffer) {
  if (buffer.size() < kLengthBytes) {
    return std::optional<Frame>();
  }
  const std::size_t length = load_uint32(buffer.data());
  // Every packet that opens a connection has at least a code after its length.
  if (length < 2 * kLengthBytes || length > kStartupPacketBytesMax) {
    return Status(sql_state::kProtocolViolation, "invalid length of startup packet");
  }
  if (buffer.size() < length) {
    return std::optional<Frame>();
  }
  return std::optional<Frame>(Frame{0, buffer.substr(kLengthBytes, length - kLengthBytes), length});
}

std::size_t frame_size(ByteView buffer) {
  return buffer.size() < kHeaderBytes ? 0 : 1 + std::size_t{load_uint32(buffer.data() + 1)};
}

}  // namespace pando::pgwire
