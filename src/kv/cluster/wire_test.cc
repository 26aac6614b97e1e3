#include "kv/cluster/wire.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "kv/cluster/commit_requests.h"
#include "kv/cluster/log_entry.h"

namespace pando::kv {
namespace {

template <typename Message>
Bytes bytes_of(const Message& message) {
  Bytes bytes;
  encode(message, bytes);
  return bytes;
}

CommitPart example_part() {
  return {.shard = ShardId(3),
          .transaction = TransactionId(uint64_t{7} << 48 | 12),
          .term = 9,
          .payload = Bytes("\x01\x01payload\0!", 11),
          .conditions = {{.key = "k", .newest = {5, 1}}, {.key = "", .newest = {}}},
          .snapshot = {123456789, 2},
          .reads = {{"a", "b"}, {"c", ""}},
          .keeps_locks = true};
}

TEST(Wire, WhatIsWrittenIsRead) {
  const PrepareRequest request{.part = example_part(), .key = "k", .participants = {{"k"}, {"x"}}};
  PrepareRequest read;
  ASSERT_TRUE(decode(bytes_of(request), read));
  EXPECT_EQ(read.part.transaction, request.part.transaction);
  EXPECT_EQ(read.part.conditions.size(), 2u);
  EXPECT_EQ(read.part.conditions[0].newest, (HlcTimestamp{5, 1}));
  EXPECT_EQ(read.part.reads[1].start, "c");
  EXPECT_EQ(read.participants[1].key, "x");
  EXPECT_EQ(bytes_of(read), bytes_of(request));
}

TEST(Wire, AnswersCarryErrorsWithTheirCode) {
  const auto answer = AnswerTo<GetRequest>::error(
      Status(sql_state::kSerializationFailure, "conflict of {}", 1).with_hint("Try again."));
  AnswerTo<GetRequest> read;
  ASSERT_TRUE(decode(bytes_of(answer), read));
  EXPECT_EQ(read.verdict, Verdict::kError);
  EXPECT_EQ(read.status.to_string(), "40001: conflict of 1");
  EXPECT_EQ(read.status.fields().hint, "Try again.");
}

TEST(Wire, EntriesOfAScanKeepTheirBytes) {
  AnswerTo<ScanRequest> answer;
  answer.reply.entries.append(Bytes("\0k", 2), "v");
  answer.reply.entries.append("l", "");
  answer.reply.ended = true;
  AnswerTo<ScanRequest> read;
  ASSERT_TRUE(decode(bytes_of(answer), read));
  ASSERT_EQ(read.reply.entries.size(), 2u);
  EXPECT_EQ(read.reply.entries.key(0), ByteView("\0k", 2));
  EXPECT_EQ(read.reply.entries.value(1), "");
}

TEST(Wire, EveryCutOfAMessageIsRefused) {
  const Bytes bytes = bytes_of(PrepareRequest{.part = example_part(), .key = "k", .participants = {{"k"}}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    PrepareRequest read;
    EXPECT_FALSE(decode(ByteView(bytes).substr(0, size), read)) << size;
  }
  PrepareRequest read;
  EXPECT_FALSE(decode(bytes + '\0', read));
}

TEST(Wire, DamagedMessagesAreReadOrRefusedButNeverBreakAnything) {
  const Bytes bytes = bytes_of(PrepareRequest{.part = example_part(), .key = "k", .participants = {{"k"}}});
  Prng prng(1);
  for (int round = 0; round < 20'000; ++round) {
    Bytes damaged = bytes;
    damaged[prng.below(damaged.size())] = static_cast<char>(prng.below(256));
    PrepareRequest read;
    if (decode(damaged, read)) {
      // What decodes can be encoded.
      bytes_of(read);
    }
  }
}

TEST(LogEntry, WhatIsWrittenIsRead) {
  const PrepareEntry prepare{.transaction = TransactionId(4),
                             .key = "k",
                             .at = {10, 0},
                             .participants = {{"k"}, {"z"}},
                             .commit = "commit",
                             .reads = {{"a", "b"}}};
  const Bytes payload = encode_entry(prepare);
  EXPECT_EQ(*payload_kind(payload), PayloadKind::kPrepare);
  const auto read = decode_prepare(payload);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->commit, "commit");
  EXPECT_EQ(read->reads.at(0).end, "b");
  EXPECT_EQ(encode_entry(*read), payload);

  const auto resolve = decode_resolve(
      encode_entry(ResolveEntry{.transaction = TransactionId(4), .key = "k", .committed = true, .at = {11, 1}}));
  ASSERT_TRUE(resolve.ok());
  EXPECT_TRUE(resolve->committed);
  EXPECT_EQ(resolve->at, (HlcTimestamp{11, 1}));
  const auto forget = decode_forget(encode_entry(ForgetEntry{.transaction = TransactionId(4), .key = "k"}));
  ASSERT_TRUE(forget.ok());
  EXPECT_EQ(forget->key, "k");
  const auto name = outcome_name(outcome_key("some key", TransactionId(77)));
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->participant, "some key");
  EXPECT_EQ(name->transaction, TransactionId(77));
  EXPECT_FALSE(outcome_name("short").has_value());
  // As it was before participants were kept.
  Bytes old = encode_outcome({.committed = true, .at = {5, 1}});
  old.pop_back();
  EXPECT_EQ(decode_outcome(old)->at, (HlcTimestamp{5, 1}));
  EXPECT_TRUE(decode_prepare(Bytes("\x01\x02")).status().is(sql_state::kDataCorrupted));
  EXPECT_TRUE(payload_kind("\x09\x01").status().is(sql_state::kDataCorrupted));
}

TEST(LogEntry, AnOutcomeLiesWithItsKey) {
  const Bytes record = outcome_key("key", TransactionId(1));
  EXPECT_GT(record, outcome_key("kex", TransactionId(9)));
  EXPECT_LT(record, outcome_key("key1", TransactionId(0)));
}

}  // namespace
}  // namespace pando::kv
