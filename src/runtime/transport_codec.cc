#include "runtime/transport_codec.h"

#include "base/codec.h"
#include "base/crc32c.h"

namespace pando::runtime {
namespace {

constexpr std::size_t kFrameHeadBytes = 1 + sizeof(uint32_t);
constexpr ByteView kHelloMagic = "PANDO";

Bytes begin_frame(FrameKind kind) {
  Bytes frame;
  frame.push_back(static_cast<char>(kind));
  put_fixed32(frame, 0);
  return frame;
}

void set_checksum(Bytes& frame, uint32_t checksum) {
  Bytes encoded;
  put_fixed32(encoded, checksum);
  frame.replace(1, encoded.size(), encoded);
}

Bytes end_frame(Bytes frame) {
  set_checksum(frame, crc32c(ByteView(frame).substr(kFrameHeadBytes)));
  return frame;
}

Status malformed(std::string_view what) {
  return Status(sql_state::kProtocolViolation, "malformed {} from another node", what);
}

Result<ByteView> open_frame(ByteView frame, FrameKind kind, std::string_view what) {
  ByteReader reader(frame);
  uint8_t found = 0;
  uint32_t checksum = 0;
  if (!reader.fixed8(found) || !reader.fixed32(checksum) || found != static_cast<uint8_t>(kind)) {
    return malformed(what);
  }
  if (crc32c(reader.rest()) != checksum) {
    return Status(sql_state::kProtocolViolation, "wrong checksum of a {} from another node", what);
  }
  return reader.rest();
}

void put_version(Bytes& out, ProtocolVersion version) {
  put_fixed16(out, version.major);
  put_fixed16(out, version.minor);
}

bool read_version(ByteReader& reader, ProtocolVersion& version) {
  return reader.fixed16(version.major) && reader.fixed16(version.minor);
}

Status check_version(ProtocolVersion version, std::string_view whose) {
  if (version.major == kProtocolVersion.major) {
    return {};
  }
  return Status(sql_state::kFeatureNotSupported,
                "{} speaks version {}.{} of the protocol between nodes, this one {}.{}", whose, version.major,
                version.minor, kProtocolVersion.major, kProtocolVersion.minor);
}

bool read_string(ByteReader& reader, std::string& text) {
  ByteView view;
  if (!reader.length_prefixed(view)) {
    return false;
  }
  text = view;
  return true;
}

bool read_node(ByteReader& reader, NodeId& node) {
  uint32_t number = 0;
  if (!reader.fixed32(number)) {
    return false;
  }
  node = NodeId(number);
  return true;
}

bool read_channel(ByteReader& reader, Channel& channel) {
  uint8_t number = 0;
  if (!reader.fixed8(number) || number < 1 || number > kChannelCount) {
    return false;
  }
  channel = static_cast<Channel>(number);
  return true;
}

bool read_cluster(ByteReader& reader, ClusterId& cluster) {
  ByteView bytes;
  if (!reader.raw(ClusterId::kBytes, bytes)) {
    return false;
  }
  cluster = *ClusterId::from_bytes(bytes);
  return true;
}

}  // namespace

// What a later minor version adds stands behind these fields and is ignored by an earlier one.
Bytes encode(const Hello& hello) {
  Bytes frame = begin_frame(FrameKind::kHello);
  frame += kHelloMagic;
  put_version(frame, hello.version);
  frame += hello.cluster.bytes();
  put_fixed32(frame, hello.from.number());
  put_fixed32(frame, hello.to.number());
  put_fixed64(frame, hello.incarnation);
  frame.push_back(static_cast<char>(hello.channel));
  put_length_prefixed(frame, hello.advertised);
  return end_frame(std::move(frame));
}

Result<Hello> decode_hello(ByteView frame) {
  PANDO_ASSIGN(const ByteView body, open_frame(frame, FrameKind::kHello, "greeting"));
  ByteReader reader(body);
  ByteView magic;
  Hello hello;
  if (!reader.raw(kHelloMagic.size(), magic) || magic != kHelloMagic || !read_version(reader, hello.version)) {
    return malformed("greeting");
  }
  PANDO_TRY(check_version(hello.version, "the connecting node"));
  if (!read_cluster(reader, hello.cluster) || !read_node(reader, hello.from) || !read_node(reader, hello.to) ||
      !reader.fixed64(hello.incarnation) || !read_channel(reader, hello.channel) ||
      !read_string(reader, hello.advertised)) {
    return malformed("greeting");
  }
  return hello;
}

Bytes encode(const Welcome& welcome) {
  Bytes frame = begin_frame(FrameKind::kWelcome);
  put_version(frame, welcome.version);
  put_length_prefixed(frame, welcome.refusal);
  put_fixed32(frame, welcome.node.number());
  put_fixed64(frame, welcome.incarnation);
  return end_frame(std::move(frame));
}

Result<Welcome> decode_welcome(ByteView frame) {
  PANDO_ASSIGN(const ByteView body, open_frame(frame, FrameKind::kWelcome, "welcome"));
  ByteReader reader(body);
  Welcome welcome;
  // The head and the refusal are the same in all versions: a refusal is always understood.
  if (!read_version(reader, welcome.version) || !read_string(reader, welcome.refusal)) {
    return malformed("welcome");
  }
  if (!welcome.refusal.empty()) {
    return welcome;
  }
  PANDO_TRY(check_version(welcome.version, "the node that was reached"));
  if (!read_node(reader, welcome.node) || !reader.fixed64(welcome.incarnation)) {
    return malformed("welcome");
  }
  return welcome;
}

Bytes encode(const AdministrationCall& call) {
  Bytes frame = begin_frame(FrameKind::kCall);
  put_version(frame, kProtocolVersion);
  put_length_prefixed(frame, call.method);
  frame += call.request;
  return end_frame(std::move(frame));
}

Result<AdministrationCall> decode_call(ByteView frame) {
  PANDO_ASSIGN(const ByteView body, open_frame(frame, FrameKind::kCall, "call"));
  ByteReader reader(body);
  ProtocolVersion version;
  AdministrationCall call;
  if (!read_version(reader, version)) {
    return malformed("call");
  }
  PANDO_TRY(check_version(version, "the caller"));
  if (!read_string(reader, call.method)) {
    return malformed("call");
  }
  call.request = reader.rest();
  return call;
}

Bytes encode(const Result<Bytes>& reply) {
  Bytes frame = begin_frame(FrameKind::kReply);
  const Status status = reply.status();
  put_length_prefixed(frame, status.code().view());
  if (status.ok()) {
    frame += *reply;
  } else {
    put_length_prefixed(frame, status.message());
    put_length_prefixed(frame, status.fields().detail);
    put_length_prefixed(frame, status.fields().hint);
  }
  return end_frame(std::move(frame));
}

Result<Bytes> decode_reply(ByteView frame) {
  PANDO_ASSIGN(const ByteView body, open_frame(frame, FrameKind::kReply, "reply"));
  ByteReader reader(body);
  ByteView code;
  ErrorFields fields;
  if (!reader.length_prefixed(code) || code.size() != sql_state::kSuccess.view().size()) {
    return malformed("reply");
  }
  if (code == sql_state::kSuccess.view()) {
    return Bytes(reader.rest());
  }
  fields.code = SqlState(code);
  if (!read_string(reader, fields.message) || !read_string(reader, fields.detail) ||
      !read_string(reader, fields.hint)) {
    return malformed("reply");
  }
  return Status::from_fields(std::move(fields));
}

Status decode_messages(ByteView frame, const std::function<void(ByteView message)>& each) {
  PANDO_ASSIGN(const ByteView body, open_frame(frame, FrameKind::kMessages, "frame"));
  ByteView message;
  for (ByteReader check(body); !check.empty();) {
    if (!check.length_prefixed(message)) {
      return malformed("frame");
    }
  }
  for (ByteReader reader(body); reader.length_prefixed(message);) {
    each(message);
  }
  return {};
}

// --- MessageFrame ---

MessageFrame::MessageFrame() { pieces_.push_back(begin_frame(FrameKind::kMessages)); }

void MessageFrame::add(Bytes message) {
  ++count_;
  bytes_ += message.size();
  if (pieces_.back().size() >= kCopyBytesMax) {
    pieces_.emplace_back();
  }
  put_varint(pieces_.back(), message.size());
  if (message.size() < kCopyBytesMax) {
    pieces_.back() += message;
    return;
  }
  pieces_.push_back(std::move(message));
}

std::vector<Bytes> MessageFrame::take() {
  uint32_t checksum = crc32c(ByteView(pieces_[0]).substr(kFrameHeadBytes));
  for (std::size_t i = 1; i < pieces_.size(); ++i) {
    checksum = crc32c(pieces_[i], checksum);
  }
  set_checksum(pieces_[0], checksum);
  std::vector<Bytes> taken;
  taken.swap(pieces_);
  *this = MessageFrame();
  return taken;
}

}  // namespace pando::runtime
