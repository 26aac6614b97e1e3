#include <gtest/gtest.h>

#include "base/prng.h"
#include "kv/replica/replica_format.h"
#include "kv/replica/replica_messages.h"
#include "kv/replica/testing_decoders.h"

namespace pando::kv {
namespace {

ShardDescriptor descriptor() {
  return {.id = ShardId(7),
          .generation = 9,
          .start = "a",
          .end = "m",
          .bounds_generation = 4,
          .replicas = {{NodeId(1), ReplicaId(1), ReplicaRole::kVoter},
                       {NodeId(2), ReplicaId(3), ReplicaRole::kIncoming},
                       {NodeId(3), ReplicaId(4), ReplicaRole::kLearner}},
          .next_replica_id = ReplicaId(5)};
}

std::vector<Bytes> examples() {
  ShardDescriptor right = descriptor();
  right.id = ShardId(8);
  right.start = "m";
  right.end = "";
  ShardDescriptor merging = right;
  merging.merging = MergingInto{.left = ShardId(7), .left_generation = 9};
  ShardDescriptor whole = descriptor();
  whole.end = "";
  whole.generation = 10;
  std::vector<Bytes> all{encode_descriptor(descriptor()),
                         encode_descriptor(merging),
                         encode(Merge{.left_generation = 9, .left = whole, .right = merging, .handover = "moment"}),
                         encode(Split{descriptor(), right}),
                         encode(NewReplicas{{{ReplicaId(5), NodeId(4)}}, ReplicaId(6)}),
                         encode(ReplicaRecord{.replica = ReplicaId(3), .hard_state = {.term = 7, .commit = 12}}),
                         encode(ReplicaRecord{.kind = ReplicaRecord::Kind::kTombstone, .replica = ReplicaId(3)}),
                         encode(ShardState{5, raft::Config::of({1, 2, 3}, {4})}),
                         encode(LocalReplica{.tombstone = true, .replica = ReplicaId(9)})};
  SnapshotMessage begin{
      .kind = SnapshotMessage::Kind::kBegin,
      .stream = 77,
      .shard = ShardId(7),
      .raft = {.type = raft::MessageType::kSnapshot, .from = ReplicaId(1), .to = ReplicaId(3), .term = 6},
      .descriptor = descriptor()};
  begin.raft.snapshot = std::make_shared<const raft::Snapshot>(raft::Snapshot{{20, 6}, raft::Config::of({1, 3})});
  all.push_back(encode(begin));
  Bytes records;
  append_record(records, {.kind = SnapshotRecord::Kind::kPlain, .key = "p", .value = "v"});
  append_record(records, {.kind = SnapshotRecord::Kind::kVersion, .key = "k", .timestamp = {5, 1}, .value = "v"});
  append_record(records, {.kind = SnapshotRecord::Kind::kTombstone, .key = "k", .timestamp = {4, 0}});
  all.push_back(records);
  all.push_back(
      encode(SnapshotMessage{.kind = SnapshotMessage::Kind::kChunk, .stream = 7, .sequence = 3, .records = records}));
  all.push_back(encode(SnapshotMessage{.kind = SnapshotMessage::Kind::kDone, .stream = 7, .installed = true}));
  all.push_back(encode_replicas(ConsensusFrame::kRemoved, {{ShardId(1), ReplicaId(2)}}));
  multiraft::Envelope envelope{.from = NodeId(1), .to = NodeId(2)};
  envelope.raft.push_back({ShardId(1), {.from = ReplicaId(1), .to = ReplicaId(2), .term = 3}});
  all.push_back(encode_envelope(envelope));
  return all;
}

// What the fuzzer does, from mutations of valid bytes.
TEST(ReplicaDecoders, SurviveMutations) {
  Prng prng(1);
  for (const Bytes& example : examples()) {
    testing::exercise_decoders(example);
    for (int round = 0; round < 2000; ++round) {
      Bytes mutated = example;
      for (uint64_t i = prng.below(4); i > 0 && !mutated.empty(); --i) {
        mutated[prng.below(mutated.size())] = static_cast<char>(prng.next());
      }
      mutated.resize(prng.chance(0.3) ? prng.below(mutated.size() + 1) : mutated.size());
      testing::exercise_decoders(mutated);
    }
  }
}

TEST(ReplicaDecoders, RefuseWhatIsDamaged) {
  Bytes chunk = encode(SnapshotMessage{.kind = SnapshotMessage::Kind::kChunk, .stream = 7, .records = "some records"});
  SnapshotMessage message;
  ASSERT_TRUE(decode(chunk, message));
  EXPECT_EQ(message.records, "some records");
  chunk.back() = static_cast<char>(chunk.back() ^ 1);
  EXPECT_FALSE(decode(chunk, message)) << "a checksum that does not fit";
  // Version 1 of a descriptor has no replicas.
  const Bytes old{"\x01\x07\x01\x00\x00", 5};
  const auto decoded = decode_descriptor(old);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->id, ShardId(7));
  EXPECT_TRUE(decoded->replicas.empty());
  ShardDescriptor twice = descriptor();
  twice.replicas[1].id = ReplicaId(1);
  EXPECT_FALSE(decode_descriptor(encode_descriptor(twice)).ok());
}

// What earlier programs cannot read is written only when there is something of it to tell.
TEST(ReplicaFormat, OnlyAMergingDescriptorHasTheNewVersion) {
  ShardDescriptor one = descriptor();
  EXPECT_EQ(encode_descriptor(one).front(), 2);
  one.merging = MergingInto{.left = ShardId(3), .left_generation = 4};
  const Bytes bytes = encode_descriptor(one);
  EXPECT_EQ(bytes.front(), 3);
  EXPECT_EQ(decode_descriptor(bytes)->merging, one.merging);
  Bytes newer = bytes;
  newer.front() = 4;
  EXPECT_FALSE(decode_descriptor(newer).ok());
}

TEST(ReplicaFormat, RolesFollowFromTheConfiguration) {
  raft::Config config = raft::Config::of({1, 3});
  config.voters.outgoing = quorum::VoterSet{ReplicaId(1), ReplicaId(2)};
  config.auto_leave = true;
  const ShardDescriptor joint = with_config(descriptor(), config, {{{ReplicaId(2), NodeId(9)}}, ReplicaId(8)});
  ASSERT_EQ(joint.replicas.size(), 3U);
  EXPECT_EQ(joint.replicas[0].role, ReplicaRole::kVoter);
  EXPECT_EQ(joint.replicas[1].role, ReplicaRole::kOutgoing);
  EXPECT_EQ(joint.replicas[1].node, NodeId(9));
  EXPECT_EQ(joint.replicas[2].role, ReplicaRole::kIncoming);
  EXPECT_EQ(joint.next_replica_id, ReplicaId(8));
  EXPECT_EQ(joint.generation, descriptor().generation + 1);
  EXPECT_EQ(joint.bounds_generation, descriptor().bounds_generation);
  EXPECT_EQ(config_of(joint), config);
}

}  // namespace
}  // namespace pando::kv
