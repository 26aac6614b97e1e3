#pragma once

// What travels between nodes: frames, and the greeting that begins each stream (docs/formats/transport.md).
//
//   stream, from the node that connects:   hello, then frames of messages
//   stream, back:                          welcome (accepted, or refused and why)
//   administration:                        a call; back a reply
//
// Every frame has a checksum. The head of a hello never changes, so that a node of another version can be refused by
// name. Pure; any thread. Errors: 08P01.

#include <cstdint>
#include <functional>
#include <string>

#include "base/cluster_id.h"
#include "base/status.h"
#include "runtime/transport.h"

namespace pando::runtime {

// Nodes of another major version do not understand each other; a higher minor version only adds.
struct ProtocolVersion {
  uint16_t major = 0;
  uint16_t minor = 0;
  friend bool operator==(const ProtocolVersion&, const ProtocolVersion&) = default;
};
inline constexpr ProtocolVersion kProtocolVersion{5, 0};

// Never renumber: these are on the wire.
enum class FrameKind : uint8_t {
  kHello = 1,
  kWelcome = 2,
  kMessages = 3,
  kCall = 4,
  kReply = 5,
};

struct Hello {
  ProtocolVersion version = kProtocolVersion;
  ClusterId cluster;
  NodeId from;
  // Whom the sender believes to reach.
  NodeId to;
  uint64_t incarnation = 0;
  Channel channel = Channel::kConsensus;
  std::string advertised;
  friend bool operator==(const Hello&, const Hello&) = default;
};

struct Welcome {
  ProtocolVersion version = kProtocolVersion;
  // Empty when accepted.
  std::string refusal;
  NodeId node;
  uint64_t incarnation = 0;
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

struct AdministrationCall {
  std::string method;
  Bytes request;
  friend bool operator==(const AdministrationCall&, const AdministrationCall&) = default;
};

Bytes encode(const Hello& hello);
Bytes encode(const Welcome& welcome);
Bytes encode(const AdministrationCall& call);
Bytes encode(const Result<Bytes>& reply);

// decode_hello gives an error that names both versions when the major one is another; decode_reply gives the reply's
// own error too.
Result<Hello> decode_hello(ByteView frame);
Result<Welcome> decode_welcome(ByteView frame);
Result<AdministrationCall> decode_call(ByteView frame);
Result<Bytes> decode_reply(ByteView frame);

// Calls `each` with the messages of a frame in order; on an error with none.
Status decode_messages(ByteView frame, const std::function<void(ByteView message)>& each);

// Puts messages into frames. Small ones are copied together; the content of large ones is only referred to.
//
//   MessageFrame frame;
//   frame.add(message); ...
//   send(frame.head(), frame.parts()...)
class MessageFrame {
 public:
  // A message of at least this many bytes is not copied.
  static constexpr std::size_t kCopyBytesMax = 16_KiB;

  MessageFrame();
  void add(Bytes message);
  bool empty() const { return count_ == 0; }
  std::size_t bytes() const { return bytes_; }

  // The pieces that make up the frame, in order; the frame is empty after it.
  std::vector<Bytes> take();

 private:
  std::vector<Bytes> pieces_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace pando::runtime
