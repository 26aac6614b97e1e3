#include "txn/read_set.h"

#include <gtest/gtest.h>

namespace pando::txn {
namespace {

HlcTimestamp at(uint64_t wall) { return {wall, 0}; }

TEST(RecentWrites, TellsWhetherWhatWasReadHasChanged) {
  RecentWrites recent(1_MiB);
  EXPECT_FALSE(recent.needed());
  recent.record("ignored", at(5));
  recent.enter(at(10));
  EXPECT_TRUE(recent.needed());
  recent.record("b", at(11));
  recent.record("d", at(12));

  ReadSet keys;
  keys.add_key("a");
  keys.add_key("c");
  EXPECT_TRUE(recent.unchanged_since(keys, at(10)));
  keys.add_key("b");
  EXPECT_FALSE(recent.unchanged_since(keys, at(10)));
  EXPECT_TRUE(recent.unchanged_since(keys, at(11)));

  ReadSet span;
  span.add_span({"bb", "d"});
  EXPECT_TRUE(recent.unchanged_since(span, at(10)));
  span.add_span({"c", ""});
  EXPECT_FALSE(recent.unchanged_since(span, at(11)));
  EXPECT_TRUE(recent.unchanged_since(span, at(12)));

  recent.leave(at(10));
  EXPECT_EQ(recent.size(), 0);
}

TEST(RecentWrites, OverItsBudgetItForgetsAndRefuses) {
  RecentWrites recent(1000);
  recent.enter(at(1));
  for (uint64_t i = 2; i < 100; ++i) {
    recent.record("key" + std::to_string(i), at(i));
  }
  EXPECT_LT(recent.size(), 11);
  ReadSet reads;
  reads.add_key("other");
  EXPECT_FALSE(recent.unchanged_since(reads, at(1)));
  EXPECT_TRUE(recent.unchanged_since(reads, at(99)));
  EXPECT_TRUE(recent.unchanged_since(ReadSet(), at(1)));
  recent.leave(at(1));
}

TEST(ReadSet, OpenSpansCountAsFarAsTheyHaveCome) {
  RecentWrites recent(1_MiB);
  recent.enter(at(1));
  recent.record("m", at(2));
  ReadSet reads;
  const auto cursor = reads.open({"a", "b"});
  EXPECT_TRUE(recent.unchanged_since(reads, at(1)));
  cursor->end = "n";
  EXPECT_FALSE(recent.unchanged_since(reads, at(1)));
  reads.close(cursor);
  EXPECT_FALSE(recent.unchanged_since(reads, at(1)));
  recent.leave(at(1));
}

// Shrinking may widen what was read, never narrow it.
TEST(ReadSet, StaysBoundedAndCoversWhatWasRead) {
  ReadSet reads;
  constexpr int kKeys = 20'000;
  for (int i = 0; i < kKeys; ++i) {
    // Not in key order.
    reads.add_key(fmt::format("{:06}", i * 7919 % kKeys));
  }
  reads.add_span({"000100", "000200"});
  reads.add_span({"x", ""});
  std::vector<Span> spans;
  reads.all_of([&](const Span& span) {
    spans.push_back(span);
    return true;
  });
  EXPECT_LE(spans.size(), ReadSet::kSpansMax + 2);
  for (int i = 0; i < kKeys; i += 37) {
    const Bytes key = fmt::format("{:06}", i);
    EXPECT_FALSE(reads.all_of([&](const Span& span) {
      return key < span.start || (!span.end.empty() && key >= span.end);
    })) << key;
  }
  EXPECT_FALSE(reads.all_of([](const Span& span) { return !span.end.empty(); }));
}

}  // namespace
}  // namespace pando::txn
