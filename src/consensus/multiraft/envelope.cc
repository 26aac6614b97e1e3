#include "base/codec.h"
#include "consensus/multiraft/multiraft.h"

namespace pando::multiraft {

namespace {

// More in one envelope means that its sender is not one of ours.
constexpr uint64_t kMessagesMax = 1 << 20;

}  // namespace

void encode(const Envelope& envelope, Bytes& out) {
  put_varint(out, envelope.from.number());
  put_varint(out, envelope.to.number());
  put_varint(out, envelope.liveness.size());
  Bytes scratch;
  for (const liveness::Message& message : envelope.liveness) {
    scratch.clear();
    encode(message, scratch);
    put_length_prefixed(out, scratch);
  }
  put_varint(out, envelope.raft.size());
  for (const GroupMessage& message : envelope.raft) {
    put_varint(out, message.group.number());
    scratch.clear();
    encode(message.message, scratch);
    put_length_prefixed(out, scratch);
  }
}

bool decode(ByteView bytes, Envelope& envelope) {
  ByteReader reader(bytes);
  uint64_t from = 0;
  uint64_t to = 0;
  uint64_t count = 0;
  envelope = Envelope();
  if (!reader.varint(from) || from > UINT32_MAX || !reader.varint(to) || to > UINT32_MAX || !reader.varint(count) ||
      count > kMessagesMax) {
    return false;
  }
  envelope.from = NodeId(static_cast<uint32_t>(from));
  envelope.to = NodeId(static_cast<uint32_t>(to));
  ByteView part;
  for (uint64_t i = 0; i < count; ++i) {
    liveness::Message message;
    if (!reader.length_prefixed(part) || !decode(part, message) || message.from != envelope.from) {
      return false;
    }
    envelope.liveness.push_back(message);
  }
  if (!reader.varint(count) || count > kMessagesMax) {
    return false;
  }
  for (uint64_t i = 0; i < count; ++i) {
    GroupMessage message;
    uint64_t group = 0;
    if (!reader.varint(group) || !reader.length_prefixed(part) || !decode(part, message.message)) {
      return false;
    }
    message.group = ShardId(group);
    envelope.raft.push_back(std::move(message));
  }
  return reader.empty();
}

}  // namespace pando::multiraft
