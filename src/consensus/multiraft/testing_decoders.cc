#include "consensus/multiraft/testing_decoders.h"

#include <memory>

#include "base/assert.h"
#include "consensus/multiraft/multiraft.h"

namespace pando::multiraft::testing {
namespace {

using raft::Message;
using raft::MessageType;

// What the first byte of the input chooses.
enum class Kind : uint8_t { kMessages, kEnvelope, kLiveness, kIdentity, kConfig, kChange, kHardState, kCount };

constexpr uint64_t kSelf = 1;
constexpr raft::LogIndex kApplied = 4;

template <typename T>
void exercise_value(ByteView bytes) {
  T value;
  if (!decode(bytes, value)) {
    return;
  }
  const Bytes encoded = encode(value);
  T again;
  PANDO_ASSERT(decode(encoded, again), "what was encoded decodes");
  PANDO_ASSERT(again == value, "decoding undoes encoding");
}

template <typename T>
void exercise_message(ByteView bytes) {
  T value;
  if (!decode(bytes, value)) {
    return;
  }
  Bytes encoded;
  encode(value, encoded);
  T again;
  PANDO_ASSERT(decode(encoded, again), "what was encoded decodes");
  Bytes encoded_again;
  encode(again, encoded_again);
  PANDO_ASSERT(encoded == encoded_again, "encoding is a function of the value");
}

raft::RestartState restart_state() {
  raft::RestartState state{.hard_state = {.term = 3, .commit = kApplied},
                           .config = raft::Config::of({1, 2, 3}),
                           .applied = kApplied,
                           .compacted = {.index = 2, .term = 1}};
  for (const auto& [index, term] : {std::pair<raft::LogIndex, raft::Term>{3, 1}, {4, 2}, {5, 2}, {6, 3}}) {
    state.entries.push_back({.term = term, .index = index, .payload = raft::Payload::copy_of("x")});
  }
  return state;
}

void drive(raft::Raft& raft) {
  while (raft.has_ready()) {
    const raft::Ready ready = raft.take_ready();
    if (ready.persist.needed()) {
      raft.persisted(ready.persist.sequence);
    }
    if (!ready.apply.empty()) {
      raft.applied(ready.apply.back().index);
    }
  }
}

// Several messages, each behind its length, to a follower and to a leader.
void exercise_replica(ByteView bytes) {
  for (const bool leads : {false, true}) {
    Prng prng(1);
    raft::Raft raft({.self = ReplicaId(kSelf)}, restart_state(), prng);
    if (leads) {
      raft.campaign();
      drive(raft);
      for (const MessageType type : {MessageType::kPreVoteResponse, MessageType::kVoteResponse}) {
        raft.step({.type = type, .from = ReplicaId(2), .to = ReplicaId(kSelf), .term = 4});
        drive(raft);
      }
      PANDO_ASSERT(raft.role() == raft::Role::kLeader, "a majority makes a leader");
    }
    for (ByteView rest = bytes; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(static_cast<uint8_t>(rest[0]), rest.size() - 1);
      Message message;
      if (decode(rest.substr(1, size), message)) {
        message.to = ReplicaId(kSelf);
        raft.step(std::move(message));
        drive(raft);
      }
      rest.remove_prefix(1 + size);
    }
  }
}

Bytes tagged(Kind kind, ByteView bytes) { return Bytes(1, static_cast<char>(kind)) + Bytes(bytes); }

Message sample_append() {
  return {.type = MessageType::kAppend,
          .from = ReplicaId(2),
          .to = ReplicaId(kSelf),
          .term = 5,
          .position = {.index = 6, .term = 3},
          .commit = 7,
          .fortified_epoch = 9,
          .entries = {{.term = 4, .index = 7, .payload = raft::Payload::copy_of("seven")},
                      {.term = 5, .index = 8, .type = raft::EntryType::kConfigChange}}};
}

}  // namespace

void exercise_decoders(ByteView bytes) {
  if (bytes.empty()) {
    return;
  }
  const ByteView rest = bytes.substr(1);
  switch (static_cast<Kind>(static_cast<uint8_t>(bytes[0]) % static_cast<uint8_t>(Kind::kCount))) {
    case Kind::kMessages:
      exercise_message<Message>(rest);
      exercise_replica(rest);
      return;
    case Kind::kEnvelope:
      exercise_message<Envelope>(rest);
      return;
    case Kind::kLiveness:
      exercise_message<liveness::Message>(rest);
      return;
    case Kind::kIdentity:
      exercise_value<liveness::Identity>(rest);
      return;
    case Kind::kConfig:
      exercise_value<raft::Config>(rest);
      return;
    case Kind::kChange:
      exercise_value<raft::ConfigChange>(rest);
      return;
    case Kind::kHardState:
      exercise_value<raft::HardState>(rest);
      return;
    case Kind::kCount:
      PANDO_UNREACHABLE("the remainder is less");
  }
}

std::vector<Bytes> samples() {
  std::vector<Bytes> samples;
  Message snapshot{.type = MessageType::kSnapshot, .from = ReplicaId(2), .to = ReplicaId(kSelf), .term = 5};
  snapshot.snapshot = std::make_shared<raft::Snapshot>(raft::Snapshot{{9, 4}, raft::Config::of({1, 2}, {3})});
  const std::vector<Message> messages = {
      sample_append(),
      snapshot,
      {.type = MessageType::kVote, .from = ReplicaId(3), .to = ReplicaId(kSelf), .term = 6, .position = {8, 5}},
      {.type = MessageType::kHeartbeat, .from = ReplicaId(2), .to = ReplicaId(kSelf), .term = 5, .commit = 5},
      {.type = MessageType::kAppendResponse, .from = ReplicaId(2), .to = ReplicaId(kSelf), .term = 4, .position = {7}}};
  Bytes stream;
  Envelope envelope{.from = NodeId(2), .to = NodeId(1)};
  for (const Message& message : messages) {
    Bytes encoded;
    encode(message, encoded);
    stream += static_cast<char>(encoded.size());
    stream += encoded;
    samples.push_back(tagged(Kind::kMessages, encoded));
    envelope.raft.push_back({ShardId(7), message});
  }
  samples.push_back(tagged(Kind::kMessages, stream));
  envelope.liveness.push_back(
      {.from = NodeId(2), .to = NodeId(1), .incarnation = 3, .sent_ns = 1000, .support_ns = 600, .epoch = 5});
  Bytes encoded;
  encode(envelope, encoded);
  samples.push_back(tagged(Kind::kEnvelope, encoded));
  encoded.clear();
  encode(envelope.liveness[0], encoded);
  samples.push_back(tagged(Kind::kLiveness, encoded));
  samples.push_back(tagged(Kind::kIdentity, encode(liveness::Identity{7, 3'000'000'000})));
  samples.push_back(tagged(Kind::kConfig, encode(raft::Config::of({1, 2, 3}, {4}))));
  raft::ConfigChange change{.steps = {{raft::ConfigChange::Kind::kRemove, ReplicaId(3)}}, .context = "why"};
  samples.push_back(tagged(Kind::kChange, encode(change)));
  samples.push_back(tagged(Kind::kHardState, encode(raft::HardState{.term = 7, .vote = ReplicaId(2), .commit = 9})));
  return samples;
}

}  // namespace pando::multiraft::testing
