#include <gtest/gtest.h>

#include "base/prng.h"
#include "storage/journal_format.h"
#include "storage/mvcc.h"
#include "storage/testing_decoders.h"
#include "storage/write_batch.h"

namespace pando::storage {
namespace {

JournalBatch one_of_each() {
  JournalBatch batch;
  batch.entry(ShardId(1), 2, 3, "payload");
  batch.hard_state(ShardId(300), {"hard"});
  batch.promise({NodeId(1), 2, UINT64_MAX});
  batch.truncate(ShardId(1), 100, 3);
  batch.remove(ShardId(UINT64_MAX));
  return batch;
}

WriteBatch every_change() {
  WriteBatch batch;
  batch.put("a", "1");
  batch.erase("b");
  batch.erase_range("c", "d");
  batch.put_version("e", {5, 6}, "2");
  batch.put_tombstone("f", {7, 8});
  batch.erase_version("g", {9, 10});
  batch.erase_version_range("h", "");
  return batch;
}

std::string hex(ByteView bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

// Bytes that are on disks: a change here is a change of format and needs a new magic number.
TEST(Formats, AreWhatTheDocumentsSay) {
  EXPECT_EQ(hex(one_of_each().bytes()),
            "01010203077061796c6f6164"    // entry
            "02ac020468617264"            // hard state
            "030102ffffffffffffffffff01"  // promise
            "04016403"                    // truncate
            "05ffffffffffffffffff01");    // remove
  EXPECT_EQ(hex(every_change().bytes()),
            "0101610131"
            "020162"
            "0301630164"
            "0401650500000000000000060000000132"
            "050166070000000000000008000000"
            "06016709000000000000000a000000"
            "07016800");
  EXPECT_EQ(hex(encode_versioned_key("k", {1, 2})), "6bfffffffffffffffefffffffd");
  EXPECT_EQ(hex(applied_key(ShardId(3))), "010000000000000003");
  EXPECT_EQ(hex(encode_applied(4)), "0400000000000000");
  Bytes group(kGroupHeaderBytes, '\0');
  group.append(JournalBatch(one_of_each()).bytes());
  seal_group(group, 5, 6);
  EXPECT_EQ(group.size(), kGroupAlignment);
  EXPECT_EQ(hex(ByteView(group).substr(0, 4)), "504a4731");
  EXPECT_EQ(hex(ByteView(group).substr(8, 24)),
            "30000000000000000500000000000000"
            "0600000000000000");
}

TEST(Formats, DecodersSurviveMutations) {
  Prng prng(11);
  std::vector<Bytes> corpus;
  corpus.emplace_back(one_of_each().bytes());
  corpus.emplace_back(every_change().bytes());
  corpus.emplace_back(encode_versioned_key("key", {1, 2}));
  Bytes group(kGroupHeaderBytes, '\0');
  group.append(one_of_each().bytes());
  seal_group(group, 1, 1);
  corpus.push_back(group + group);
  for (int i = 0; i < 50000; ++i) {
    Bytes bytes = corpus[prng.below(corpus.size())];
    for (uint64_t mutations = prng.below(4); mutations > 0 && !bytes.empty(); --mutations) {
      const std::size_t place = prng.below(bytes.size());
      switch (prng.below(4)) {
        case 0:
          bytes[place] = static_cast<char>(prng.next());
          break;
        case 1:
          bytes.resize(place);
          break;
        case 2:
          bytes.insert(place, 1 + prng.below(4), '\xff');
          break;
        default:
          bytes.erase(place, 1 + prng.below(8));
          break;
      }
    }
    testing::exercise_decoders(bytes);
  }
}

TEST(Formats, VersionedKeysOrderByKeyThenNewestFirst) {
  Prng prng(5);
  const auto random = [&] {
    Bytes key;
    for (uint64_t size = prng.below(4); size > 0; --size) {
      key.push_back(static_cast<char>(prng.chance(0.5) ? 0xff : 0));
    }
    return std::pair(key, HlcTimestamp{prng.below(3), static_cast<uint32_t>(prng.below(3))});
  };
  for (int i = 0; i < 20000; ++i) {
    const auto [a_key, a_at] = random();
    const auto [b_key, b_at] = random();
    const int order = compare_versioned_keys(encode_versioned_key(a_key, a_at), encode_versioned_key(b_key, b_at));
    const int expected = a_key != b_key ? a_key.compare(b_key) : a_at == b_at ? 0 : a_at > b_at ? -1 : 1;
    ASSERT_EQ(order < 0, expected < 0);
    ASSERT_EQ(order > 0, expected > 0);
  }
}

}  // namespace
}  // namespace pando::storage
