// txn::SpanAccess: a walk over many spans must give what one walk after the other gives, on every store that has it.

#include "txn/span_access.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "runtime/block_on.h"
#include "test/txn/store_variants.h"

namespace pando::test {
namespace {

using txn::Cursor;
using txn::Isolation;
using txn::LockStrength;
using txn::Span;
using txn::SpanAccess;
using txn::Transaction;

class SpanAccessTest : public testing::TestWithParam<StoreVariant> {
 protected:
  static constexpr uint64_t kKeys = 200;

  static Bytes key_of(uint64_t n) { return fmt::format("k{:03}", n); }
  std::unique_ptr<Transaction> begin(Isolation isolation = Isolation::kReadCommitted) {
    auto transaction = subject_->store().begin({.isolation = isolation, .executor = &executor_});
    transaction->begin_statement();
    return transaction;
  }
  void write(Transaction& transaction, uint64_t n) {
    const Bytes key = key_of(n);
    const auto locked =
        runtime::block_on(executor_, transaction.lock(key, LockStrength::kUpdate, txn::WaitPolicy::kBlock));
    ASSERT_TRUE(locked.ok());
    ASSERT_TRUE((prng_.chance(0.2) ? transaction.erase(key) : transaction.put(key, std::to_string(prng_.next()))).ok());
  }
  void load(int count) {
    const auto transaction = begin();
    for (int i = 0; i < count; ++i) {
      write(*transaction, prng_.below(kKeys));
    }
    ASSERT_EQ(runtime::block_on(executor_, transaction->commit()).to_string(), "OK");
  }
  std::string read(Cursor& cursor, std::size_t step) {
    std::string text;
    KeyValueBatch batch;
    do {
      EXPECT_TRUE(runtime::block_on(executor_, cursor.next(batch, step)).ok());
      for (std::size_t i = 0; i < batch.size(); ++i) {
        text.append(batch.key(i)).append("=").append(batch.value(i)).append("\n");
      }
    } while (batch.size() > 0);
    return text;
  }
  std::vector<Span> some_spans(bool reverse) {
    std::vector<Span> spans;
    for (uint64_t n = prng_.below(20); n < kKeys; n += 1 + prng_.below(30)) {
      const uint64_t first = n;
      n += prng_.below(5);
      spans.push_back({key_of(first), key_of(n)});
    }
    if (reverse) {
      std::ranges::reverse(spans);
    }
    return spans;
  }

  std::unique_ptr<StoreSubject> subject_ = GetParam().make();
  runtime::InlineExecutor executor_;
  Prng prng_{1};
};

std::vector<StoreVariant> variants_with_access() {
  std::vector<StoreVariant> variants = store_variants();
  std::erase_if(variants, [](const StoreVariant& variant) {
    runtime::InlineExecutor executor;
    const auto subject = variant.make();
    const auto transaction = subject->store().begin({.executor = &executor});
    return SpanAccess::of(transaction.get()) == nullptr;
  });
  return variants;
}

INSTANTIATE_TEST_SUITE_P(Stores, SpanAccessTest, testing::ValuesIn(variants_with_access()),
                         [](const auto& info) { return info.param.name; });

TEST_P(SpanAccessTest, GivesWhatOneWalkAfterTheOtherGives) {
  load(300);
  const auto reader = begin(Isolation::kRepeatableRead);
  auto* const access = SpanAccess::of(reader.get());
  ASSERT_NE(access, nullptr);
  load(100);
  for (int round = 0; round < 20; ++round) {
    const bool reverse = prng_.chance(0.3);
    const auto spans = some_spans(reverse);
    const txn::ScanOptions options{.reverse = reverse, .limit_hint = prng_.below(2)};
    std::string expected;
    for (const Span& span : spans) {
      expected += read(*reader->scan(span, options), 10);
    }
    const auto together = access->scan_spans(spans, options);
    ASSERT_NE(together, nullptr);
    ASSERT_EQ(read(*together, 1 + prng_.below(10)), expected);
  }
}

TEST_P(SpanAccessTest, LeavesSpansWithOwnWritesAndReadsThatAreValidated) {
  load(300);
  const auto serializable = begin(Isolation::kSerializable);
  const auto writer = begin();
  auto* const access = SpanAccess::of(writer.get());
  ASSERT_NE(access, nullptr);
  const std::vector<Span> spans{{key_of(1), key_of(3)}, {key_of(7), key_of(9)}};
  EXPECT_EQ(SpanAccess::of(serializable.get())->scan_spans(spans, {}), nullptr);
  EXPECT_NE(access->scan_spans(spans, {}), nullptr);
  write(*writer, 5);
  write(*writer, 8);
  EXPECT_NE(access->scan_spans(spans, {}), nullptr) << "a statement does not see what it writes";
  writer->begin_statement();
  EXPECT_EQ(access->scan_spans(spans, {}), nullptr);
  EXPECT_NE(access->scan_spans({spans[0]}, {}), nullptr);
}

}  // namespace
}  // namespace pando::test
