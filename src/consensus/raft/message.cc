#include "consensus/raft/message.h"

#include "base/assert.h"
#include "base/codec.h"

namespace pando::raft {

namespace {

enum Flag : uint64_t { kReject = 1, kTransfer = 2, kHasSnapshot = 4, kFlagsAll = 7 };

void put_position(Bytes& out, LogPosition position) {
  put_varint(out, position.index);
  put_varint(out, position.term);
}
bool read_position(ByteReader& reader, LogPosition& position) {
  return reader.varint(position.index) && reader.varint(position.term);
}

// An entry takes at least this much.
constexpr std::size_t kEntryBytesMin = 3;

bool read_entries(ByteReader& reader, LogIndex before, Entries& entries) {
  uint64_t count = 0;
  if (!reader.varint(count) || count > kMessageEntriesMax || count > reader.rest().size() / kEntryBytesMin) {
    return false;
  }
  if (count == 0) {
    return true;
  }
  // Enough for all payloads: they are part of what is left.
  EntryBlock block(count, reader.rest().size());
  for (uint64_t i = 0; i < count; ++i) {
    Entry entry;
    uint8_t type = 0;
    uint64_t has_payload = 0;
    if (!reader.varint(entry.term) || !reader.fixed8(type) || type > static_cast<uint8_t>(EntryType::kConfigChange) ||
        !reader.varint(has_payload) || has_payload > 1) {
      return false;
    }
    entry.index = before + 1 + i;
    entry.type = static_cast<EntryType>(type);
    ByteView payload;
    if (has_payload == 0) {
      block.add(std::move(entry));
    } else if (reader.length_prefixed(payload)) {
      block.add(entry.term, entry.index, entry.type, payload);
    } else {
      return false;
    }
  }
  entries = std::move(block).take();
  return true;
}

bool read_snapshot(ByteReader& reader, std::shared_ptr<const Snapshot>& snapshot) {
  Snapshot read;
  ByteView config;
  if (!read_position(reader, read.position) || !reader.length_prefixed(config) || !decode(config, read.config)) {
    return false;
  }
  snapshot = std::make_shared<const Snapshot>(std::move(read));
  return true;
}

// The members that a type must have, so that the core need not look.
bool complete(const Message& message) {
  if (message.from == kNobody || message.to == kNobody || message.term == 0) {
    return false;
  }
  if ((message.type == MessageType::kSnapshot) != (message.snapshot != nullptr)) {
    return false;
  }
  if (message.snapshot != nullptr && message.snapshot->position.term > message.term) {
    return false;
  }
  if (!message.entries.empty() && message.type != MessageType::kAppend) {
    return false;
  }
  Term before = message.position.term;
  for (const Entry& entry : message.entries) {
    if (entry.term < before || entry.term > message.term) {
      return false;
    }
    before = entry.term;
  }
  return true;
}

}  // namespace

bool Message::operator==(const Message& other) const {
  const bool same_snapshot = snapshot == other.snapshot || (snapshot && other.snapshot && *snapshot == *other.snapshot);
  return type == other.type && from == other.from && to == other.to && term == other.term &&
         position == other.position && commit == other.commit && reject == other.reject && hint == other.hint &&
         transfer == other.transfer && context == other.context && fortified_epoch == other.fortified_epoch &&
         entries == other.entries && same_snapshot;
}

std::string_view to_string(MessageType type) {
  switch (type) {
    case MessageType::kAppend:
      return "Append";
    case MessageType::kAppendResponse:
      return "AppendResponse";
    case MessageType::kHeartbeat:
      return "Heartbeat";
    case MessageType::kHeartbeatResponse:
      return "HeartbeatResponse";
    case MessageType::kPreVote:
      return "PreVote";
    case MessageType::kPreVoteResponse:
      return "PreVoteResponse";
    case MessageType::kVote:
      return "Vote";
    case MessageType::kVoteResponse:
      return "VoteResponse";
    case MessageType::kSnapshot:
      return "Snapshot";
    case MessageType::kTimeoutNow:
      return "TimeoutNow";
    case MessageType::kReadIndex:
      return "ReadIndex";
    case MessageType::kReadIndexResponse:
      return "ReadIndexResponse";
    case MessageType::kRelease:
      return "Release";
    case MessageType::kReleaseResponse:
      return "ReleaseResponse";
  }
  PANDO_UNREACHABLE("every message type has a name");
}

void encode(const Message& message, Bytes& out) {
  put_varint(out, static_cast<uint64_t>(message.type));
  put_varint(out, (message.reject ? kReject : 0) | (message.transfer ? kTransfer : 0) |
                      (message.snapshot != nullptr ? kHasSnapshot : 0));
  for (const uint64_t number : {message.from.number(), message.to.number(), message.term, message.commit,
                                message.context, message.fortified_epoch}) {
    put_varint(out, number);
  }
  put_position(out, message.position);
  put_position(out, message.hint);
  put_varint(out, message.entries.size());
  for (const Entry& entry : message.entries) {
    put_varint(out, entry.term);
    out.push_back(static_cast<char>(entry.type));
    put_varint(out, entry.payload == nullptr ? 0 : 1);
    if (entry.payload != nullptr) {
      put_length_prefixed(out, *entry.payload);
    }
  }
  if (message.snapshot != nullptr) {
    put_position(out, message.snapshot->position);
    put_length_prefixed(out, encode(message.snapshot->config));
  }
}

bool decode(ByteView bytes, Message& message) {
  ByteReader reader(bytes);
  uint64_t type = 0;
  uint64_t flags = 0;
  uint64_t from = 0;
  uint64_t to = 0;
  message = Message();
  if (!reader.varint(type) || type < static_cast<uint64_t>(MessageType::kAppend) ||
      type > static_cast<uint64_t>(MessageType::kReleaseResponse) || !reader.varint(flags) || flags > kFlagsAll) {
    return false;
  }
  if (!reader.varint(from) || !reader.varint(to) || !reader.varint(message.term) || !reader.varint(message.commit) ||
      !reader.varint(message.context) || !reader.varint(message.fortified_epoch) ||
      !read_position(reader, message.position) || !read_position(reader, message.hint)) {
    return false;
  }
  message.type = static_cast<MessageType>(type);
  message.reject = (flags & kReject) != 0;
  message.transfer = (flags & kTransfer) != 0;
  message.from = ReplicaId(from);
  message.to = ReplicaId(to);
  if (!read_entries(reader, message.position.index, message.entries) ||
      ((flags & kHasSnapshot) != 0 && !read_snapshot(reader, message.snapshot))) {
    return false;
  }
  return reader.empty() && complete(message);
}

}  // namespace pando::raft
