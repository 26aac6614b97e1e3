#pragma once

// Framing of the PostgreSQL frontend/backend protocol, version 3: message types, size limits, and the split of a byte
// stream into messages. Pure: no I/O, nothing is kept between calls.
//
//   PANDO_ASSIGN(auto frame, find_frame(unread, Sender::kFrontend));
//   if (!frame) return read_more();
//   decode(frame->type, frame->body);
//   unread.remove_prefix(frame->size);
//
// Reference: PostgreSQL 15 documentation, chapter 55. Thread-safety: pure functions.

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/status.h"

namespace pando::pgwire {

inline constexpr uint32_t kProtocolVersion3 = 196608;  // 3.0: major 3 in the high half, minor 0 in the low half
inline constexpr uint32_t kCancelRequestCode = 80877102;
inline constexpr uint32_t kSslRequestCode = 80877103;
inline constexpr uint32_t kGssEncRequestCode = 80877104;

// Bodies of messages that carry statements or data. PostgreSQL allows 1 GiB; nothing of ours needs that much at once.
inline constexpr std::size_t kLargeMessageBytesMax = 256_MiB;
// Bodies of all other messages, as PostgreSQL's PQ_SMALL_MESSAGE_LIMIT.
inline constexpr std::size_t kSmallMessageBytesMax = 10000;
// The whole startup packet, as PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
inline constexpr std::size_t kStartupPacketBytesMax = 10000;
// A type byte and a length that counts itself.
inline constexpr std::size_t kHeaderBytes = 5;
inline constexpr std::size_t kLengthBytes = 4;

enum class FrontendType : char {
  kBind = 'B',
  kClose = 'C',
  kCopyData = 'd',
  kCopyDone = 'c',
  kCopyFail = 'f',
  kDescribe = 'D',
  kExecute = 'E',
  kFlush = 'H',
  kFunctionCall = 'F',
  kParse = 'P',
  kPassword = 'p',  // also GSSResponse, SASLInitialResponse and SASLResponse
  kQuery = 'Q',
  kSync = 'S',
  kTerminate = 'X',
};

enum class BackendType : char {
  kAuthentication = 'R',
  kBackendKeyData = 'K',
  kBindComplete = '2',
  kCloseComplete = '3',
  kCommandComplete = 'C',
  kCopyBothResponse = 'W',
  kCopyData = 'd',
  kCopyDone = 'c',
  kCopyInResponse = 'G',
  kCopyOutResponse = 'H',
  kDataRow = 'D',
  kEmptyQueryResponse = 'I',
  kErrorResponse = 'E',
  kFunctionCallResponse = 'V',
  kNegotiateProtocolVersion = 'v',
  kNoData = 'n',
  kNoticeResponse = 'N',
  kNotificationResponse = 'A',
  kParameterDescription = 't',
  kParameterStatus = 'S',
  kParseComplete = '1',
  kPortalSuspended = 's',
  kReadyForQuery = 'Z',
  kRowDescription = 'T',
};

enum class Sender : uint8_t { kFrontend, kBackend };

// The limit of a message's body by its type; nullopt for a type that this side does not send.
std::optional<std::size_t> body_limit(Sender sender, char type);

struct Frame {
  char type = 0;
  // Borrowed from the buffer that was searched.
  ByteView body;
  // Header and body: what to drop from the buffer.
  std::size_t size = 0;
};

// The message at the start of `buffer`; nullopt while it is incomplete. Errors (08P01) mean the stream cannot be
// understood any more: an unknown type, or a length out of its limits. They are found from the header alone.
Result<std::optional<Frame>> find_frame(ByteView buffer, Sender sender);
// The same for a packet without type byte, which opens a connection: type is 0.
Result<std::optional<Frame>> find_startup_frame(ByteView buffer);

// How many bytes the message at the start of `buffer` has in total, once its header is there; 0 before. For sizing a
// read buffer. REQUIRES: find_frame returned nullopt for it.
std::size_t frame_size(ByteView buffer);

}  // namespace pando::pgwire
