#include "storage/rocksdb/block_entries.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/codec.h"
#include "base/prng.h"
#include "storage/rocksdb/table_file.h"

namespace pando::storage {
namespace {

// A block as RocksDB writes it, of keys that each share bytes with the one before.
class BlockBuilder {
 public:
  void add(const Bytes& key, ByteView value) {
    const std::size_t shared =
        static_cast<std::size_t>(std::mismatch(key.begin(), key.end(), last_.begin(), last_.end()).first - key.begin());
    put_varint(block_, shared);
    put_varint(block_, key.size() - shared);
    put_varint(block_, value.size());
    block_ += key.substr(shared);
    block_ += value;
    last_ = key;
  }
  Bytes finish() {
    put_fixed32(block_, 0);
    put_fixed32(block_, 1);
    return block_;
  }

 private:
  Bytes block_;
  Bytes last_;
};

Bytes key_of(int i) { return fmt::format("v{}key {:06}timestamp 12suffix 8", Bytes(i % 300, 'k'), i); }

Bytes make_block(int count) {
  BlockBuilder builder;
  for (int i = 0; i < count; ++i) {
    builder.add(key_of(i), Bytes(static_cast<std::size_t>(i % 200), 'v'));
  }
  return builder.finish();
}

TEST(BlockEntries, GivesWhatIsInTheBlock) {
  const Bytes block = make_block(500);
  BlockEntries entries;
  ASSERT_TRUE(entries.start(block));
  for (int i = 0; i < 500; ++i) {
    ASSERT_FALSE(entries.at_end());
    ASSERT_TRUE(entries.next());
    const Bytes key = key_of(i);
    EXPECT_EQ(entries.key(), key.substr(0, key.size() - 8));
    EXPECT_EQ(entries.value().size(), i % 200);
  }
  EXPECT_TRUE(entries.at_end());
}

TEST(BlockEntries, SurvivesDamage) {
  const Bytes block = make_block(50);
  Prng prng(1);
  BlockEntries entries;
  for (int round = 0; round < 20'000; ++round) {
    Bytes damaged = block.substr(0, prng.below(block.size() + 1));
    for (uint64_t count = prng.below(4); count > 0 && !damaged.empty(); --count) {
      damaged[prng.below(damaged.size())] = static_cast<char>(prng.next());
    }
    std::size_t bytes = 0;
    if (entries.start(damaged)) {
      while (!entries.at_end() && entries.next()) {
        bytes += entries.key().size() + entries.value().size();
      }
    }
    EXPECT_LE(bytes, damaged.size() * damaged.size());
  }
}

TEST(WholeEntries, AreReadAndDamageIsNoticed) {
  Bytes block;
  for (const auto& [key, value] : {std::pair<ByteView, ByteView>{"rocksdb.range_del", "handle"}, {"", ""}}) {
    put_varint(block, 0);
    put_varint(block, key.size());
    put_varint(block, value.size());
    block += key;
    block += value;
  }
  for (const uint32_t number : {0U, 20U, 2U}) {
    put_fixed32(block, number);
  }
  const auto entries = parse_whole_entries(block);
  ASSERT_TRUE(entries.has_value());
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ(entries->front(), (std::pair<ByteView, ByteView>{"rocksdb.range_del", "handle"}));
  for (std::size_t size = 0; size < block.size(); ++size) {
    EXPECT_FALSE(parse_whole_entries(ByteView(block).substr(0, size)).has_value()) << size;
  }
}

TEST(WholeEntries, OfAnyBytesStayInsideThem) {
  Prng prng(7);
  for (int round = 0; round < 100'000; ++round) {
    Bytes block(prng.below(64), '\0');
    for (char& byte : block) {
      byte = static_cast<char>(prng.chance(0.5) ? prng.below(4) : prng.below(256));
    }
    if (const auto entries = parse_whole_entries(block)) {
      for (const auto& [key, value] : *entries) {
        EXPECT_GE(key.data(), block.data());
        EXPECT_LE(value.data() + value.size(), block.data() + block.size());
      }
    }
  }
}

}  // namespace
}  // namespace pando::storage
