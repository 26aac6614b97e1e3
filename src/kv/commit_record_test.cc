#include "kv/commit_record.h"

#include <gtest/gtest.h>

namespace pando::kv {
namespace {

constexpr HlcTimestamp kTimestamp{.wall_ns = 0x1122334455667788, .logical = 0x99aabbcc};

TEST(CommitRecord, KeepsItsChangesInOrder) {
  CommitRecordBuilder builder(TransactionId(300), 2, 0);
  builder.put("a", "1");
  builder.erase("b");
  builder.put("c", "");
  Bytes payload = std::move(builder).finish();
  set_commit_timestamp(payload, kTimestamp);
  auto record = *CommitRecord::decode(payload);
  EXPECT_EQ(record.timestamp(), kTimestamp);
  EXPECT_EQ(record.transaction(), TransactionId(300));
  EXPECT_EQ(record.shard_generation(), 2);
  EXPECT_FALSE(record.is_bulk());
  std::string changes;
  for (CommitRecord::Change change; record.next(change);) {
    changes += fmt::format("{}={} ", change.key, change.value.value_or("(erased)"));
  }
  EXPECT_EQ(changes, "a=1 b=(erased) c= ");
}

TEST(CommitRecord, ABulkRecordNamesItsRuns) {
  const std::vector<RunPart> parts{{storage::RunId(5), 70}, {storage::RunId(UINT64_MAX), UINT32_MAX}};
  Bytes payload = encode_bulk_record(TransactionId(7), 3, parts);
  set_commit_timestamp(payload, kTimestamp);
  auto record = *CommitRecord::decode(payload);
  EXPECT_EQ(record.timestamp(), kTimestamp);
  EXPECT_EQ(record.transaction(), TransactionId(7));
  EXPECT_EQ(record.shard_generation(), 3);
  EXPECT_TRUE(record.is_bulk());
  EXPECT_EQ(record.parts(), parts);
  CommitRecord::Change change;
  EXPECT_FALSE(record.next(change));
}

TEST(CommitRecord, RefusesWhatIsCutOrLonger) {
  CommitRecordBuilder builder(TransactionId(1), 1, 0);
  builder.put("key", "value");
  const std::vector<Bytes> payloads{std::move(builder).finish(),
                                    encode_bulk_record(TransactionId(1), 1, {{storage::RunId(1), 200}})};
  for (const Bytes& payload : payloads) {
    ASSERT_TRUE(CommitRecord::decode(payload).ok());
    // Cut before the changes, a commit is an empty one.
    const std::size_t header = 2 + 12 + 2;
    for (std::size_t size = 0; size < payload.size(); ++size) {
      const bool ok = CommitRecord::decode(ByteView(payload).substr(0, size)).ok();
      EXPECT_EQ(ok, size == header && payload == payloads[0]) << size;
    }
    EXPECT_EQ(CommitRecord::decode(payload + "\x07").status().code(), sql_state::kDataCorrupted);
  }
  EXPECT_EQ(CommitRecord::decode(encode_bulk_record(TransactionId(1), 1, {})).status().code(),
            sql_state::kDataCorrupted);
  Bytes unknown = payloads[0];
  unknown[1] = 3;
  EXPECT_EQ(CommitRecord::decode(unknown).status().code(), sql_state::kDataCorrupted);
}

}  // namespace
}  // namespace pando::kv
