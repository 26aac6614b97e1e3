#include "txn/write_buffer.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/prng.h"

namespace pando::txn {
namespace {

using Model = std::map<Bytes, std::optional<Bytes>>;

std::string print(WriteBuffer::Walk walk) {
  std::string line;
  for (; walk.valid(); walk.step()) {
    const auto write = walk.write();
    line += fmt::format("{}={} ", write.key, write.value.value_or("-"));
  }
  return line;
}

std::string print(const Model& model, ByteView start, ByteView end, bool reverse) {
  std::string line;
  for (const auto& [key, value] : model) {
    if (key >= start && (end.empty() || key < end)) {
      const auto entry = fmt::format("{}={} ", key, value.value_or("-"));
      line = reverse ? entry + line : line + entry;
    }
  }
  return line;
}

TEST(WriteBuffer, CanBeFilledAgain) {
  WriteBuffer writes;
  std::size_t bytes = 0;
  for (const WriteBuffer::Mark first : {0, 7, 100'000}) {
    writes.reset(first);
    EXPECT_TRUE(writes.empty());
    EXPECT_EQ(writes.last(), first);
    EXPECT_EQ(writes.bytes(), 0);
    EXPECT_FALSE(writes.find("key 1"));
    EXPECT_EQ(print(writes.walk()), "");
    for (int i = 0; i < 10'000; ++i) {
      writes.put(fmt::format("key {}", i), fmt::format("{} from {}", i, first));
    }
    // One that needs a chunk of its own.
    writes.put("large", Bytes(5'000'000, 'x'));
    EXPECT_EQ(writes.last(), first + 10'001);
    for (int i = 0; i < 10'000; i += 100) {
      EXPECT_EQ(writes.find(fmt::format("key {}", i))->value, fmt::format("{} from {}", i, first));
    }
    EXPECT_EQ(writes.find("large")->value->size(), 5'000'000);
    bytes = std::max(bytes, writes.bytes());
    EXPECT_LE(writes.bytes(), bytes);
  }
}

TEST(WriteBuffer, ShowsEachMarkWhatWasWrittenBeforeIt) {
  WriteBuffer writes;
  EXPECT_TRUE(writes.empty());
  const auto nothing = writes.mark();
  writes.put("b", "1");
  writes.put("a", "1");
  const auto first = writes.mark();
  writes.put("b", "2");
  writes.erase("a");
  writes.put("c", "2");
  const auto second = writes.mark();
  const auto shown = [&](WriteBuffer::Mark mark) { return print(WriteBuffer::Walk(writes, mark, {}, {}, false)); };
  EXPECT_EQ(shown(nothing), "");
  EXPECT_EQ(shown(first), "a=1 b=1 ");
  EXPECT_EQ(shown(second), "a=- b=2 c=2 ");
  EXPECT_EQ(writes.find("b", first)->value, "1");
  EXPECT_FALSE(writes.find("c", first).has_value());
  EXPECT_FALSE(writes.touches(first, "c", "d"));
  EXPECT_TRUE(writes.touches(second, "c", "d"));
  writes.rollback_to(first);
  EXPECT_EQ(shown(second), "a=1 b=1 ");
  writes.rollback_to(nothing);
  EXPECT_TRUE(writes.empty());
  EXPECT_FALSE(writes.find("a").has_value());
}

TEST(WriteBuffer, OverwritingWithinAMarkKeepsOneVersion) {
  WriteBuffer writes;
  writes.put("a", "1");
  writes.put("a", "2");
  writes.erase("a");
  EXPECT_EQ(writes.size(), 1);
  EXPECT_FALSE(writes.find("a")->value.has_value());
  writes.mark();
  writes.put("a", "3");
  EXPECT_EQ(writes.size(), 2);
}

TEST(WriteBuffer, WalksKeepTheirPlaceWhileTheBufferChanges) {
  WriteBuffer writes;
  for (const char* key : {"a", "c", "e"}) {
    writes.put(key, "1");
  }
  const auto mark = writes.mark();
  WriteBuffer::Walk walk(writes, mark, {}, {}, false);
  EXPECT_EQ(walk.write().key, "a");
  writes.put("b", "2");
  writes.put("c", "2");
  writes.erase("e");
  walk.step();
  EXPECT_EQ(walk.write().key, "c");
  EXPECT_EQ(walk.write().value, "1");
  writes.rollback_to(mark);
  walk.step();
  EXPECT_EQ(walk.write().key, "e");
  walk.step();
  EXPECT_FALSE(walk.valid());
}

// Random writes, marks and rollbacks, against a map that is copied at each mark.
TEST(WriteBuffer, BehavesAsAMap) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Prng prng(seed);
    WriteBuffer writes;
    Model model;
    std::vector<std::pair<WriteBuffer::Mark, Model>> marks{{writes.mark(), model}};
    const auto random_key = [&] { return Bytes(prng.below(3) + 1, static_cast<char>('a' + prng.below(4))); };
    for (int i = 0; i < 400; ++i) {
      const auto dice = prng.below(20);
      if (dice < 12) {
        const Bytes key = random_key();
        const Bytes value = std::to_string(i);
        writes.put(key, value);
        model[key] = value;
      } else if (dice < 16) {
        const Bytes key = random_key();
        writes.erase(key);
        model[key] = std::nullopt;
      } else if (dice < 19) {
        marks.emplace_back(writes.mark(), model);
      } else {
        marks.resize(1 + prng.below(marks.size()));
        writes.rollback_to(marks.back().first);
        model = marks.back().second;
      }
      const auto& [mark, then] = marks[prng.below(marks.size())];
      const Bytes start = prng.chance(0.3) ? "" : random_key();
      const Bytes end = prng.chance(0.3) ? "" : random_key();
      const bool reverse = prng.chance(0.5);
      if (end.empty() || start < end) {
        ASSERT_EQ(print(WriteBuffer::Walk(writes, mark, start, end, reverse)), print(then, start, end, reverse));
      }
      ASSERT_EQ(print(writes.walk()), print(model, {}, {}, false));
    }
  }
}

TEST(WriteBuffer, SeeksInBothDirections) {
  WriteBuffer writes;
  for (const char* key : {"a", "c", "e", "g"}) {
    writes.put(key, "");
  }
  WriteBuffer::Walk up(writes, writes.mark(), "a", "g", false);
  up.seek("d");
  EXPECT_EQ(up.write().key, "e");
  up.seek("f");
  EXPECT_FALSE(up.valid());
  WriteBuffer::Walk down(writes, writes.mark(), "c", "", true);
  EXPECT_EQ(down.write().key, "g");
  down.seek("d");
  EXPECT_EQ(down.write().key, "c");
  down.seek("b");
  EXPECT_FALSE(down.valid());
}

}  // namespace
}  // namespace pando::txn
