// Histories that are known to be bad, and good ones that look alike.

#include "test/history/list_append.h"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

namespace pando::test {
namespace {

ListOperation append(ListKey key, int64_t element) { return {.key = key, .appends = true, .element = element}; }
ListOperation read(ListKey key, List list) { return {.key = key, .list = std::move(list)}; }

constexpr ListKey kX = 1;
constexpr ListKey kY = 2;

class ListAppendTest : public testing::Test {
 protected:
  // All at the same time, unless told otherwise.
  ListTransaction& add(Level level, std::vector<ListOperation> operations, Ending ending = Ending::kCommitted) {
    history_.transactions.push_back({.number = history_.transactions.size() + 1,
                                     .level = level,
                                     .ending = ending,
                                     .begin_ns = 0,
                                     .end_ns = 100,
                                     .operations = std::move(operations)});
    return history_.transactions.back();
  }
  // "name!" for a violation, "name" for what is permitted, separated by spaces.
  std::string found() {
    std::string names;
    for (const Anomaly& anomaly : find_anomalies(history_)) {
      names += (names.empty() ? "" : ", ") + anomaly.name + (anomaly.violates ? "!" : "");
    }
    return names;
  }
  void at_the_end(ListKey key, List list) { history_.final_lists[key] = std::move(list); }

  ListHistory history_;
};

constexpr Level kRc = Level::kReadCommitted;
constexpr Level kRr = Level::kRepeatableRead;
constexpr Level kSer = Level::kSerializable;
constexpr std::array<Level, 3> kLevels = {kRc, kRr, kSer};

TEST_F(ListAppendTest, NothingIsWrongWithOneAfterTheOther) {
  for (const Level level : kLevels) {
    add(level, {append(kX, 10 + static_cast<int>(level)), append(kY, 20 + static_cast<int>(level))});
  }
  add(kSer, {read(kX, {10, 11, 12}), read(kY, {20, 21, 22})});
  add(kRc, {read(kX, {10})});
  at_the_end(kX, {10, 11, 12});
  at_the_end(kY, {20, 21, 22});
  EXPECT_EQ(found(), "");
}

TEST_F(ListAppendTest, G0WritesInTwoOrders) {
  add(kRc, {append(kX, 1), append(kY, 11)});
  add(kRc, {append(kX, 2), append(kY, 12)});
  at_the_end(kX, {1, 2});
  at_the_end(kY, {12, 11});
  EXPECT_EQ(found(), "G0!");
}

TEST_F(ListAppendTest, G1aReadOfWhatWasAborted) {
  add(kRc, {append(kX, 1)}, Ending::kAborted);
  add(kRc, {read(kX, {1})});
  EXPECT_EQ(found(), "G1a!");
}

TEST_F(ListAppendTest, G1aAtTheEnd) {
  add(kRc, {append(kX, 1)}, Ending::kAborted);
  at_the_end(kX, {1});
  EXPECT_EQ(found(), "G1a!");
}

TEST_F(ListAppendTest, AnAbortedTransactionSeesItsOwnWrites) {
  add(kRc, {append(kX, 1), read(kX, {1})}, Ending::kAborted);
  at_the_end(kX, {});
  EXPECT_EQ(found(), "");
}

TEST_F(ListAppendTest, G1bReadOfWhatIsNotTheLast) {
  add(kRc, {append(kX, 1), append(kX, 2)});
  add(kRc, {read(kX, {1})});
  at_the_end(kX, {1, 2});
  EXPECT_NE(found().find("G1b!"), std::string::npos);
}

TEST_F(ListAppendTest, G1cEachReadsTheOther) {
  for (const Level level : kLevels) {
    history_ = {};
    add(level, {append(kX, 1), read(kY, {2})});
    add(level, {append(kY, 2), read(kX, {1})});
    EXPECT_EQ(found(), "G1c!");
  }
}

TEST_F(ListAppendTest, GSingleReadSkew) {
  for (const Level level : kLevels) {
    history_ = {};
    add(kRc, {append(kX, 1), append(kY, 2)});
    add(level, {read(kX, {}), read(kY, {2})});
    at_the_end(kX, {1});
    EXPECT_EQ(found(), level == kRc ? "G-single" : "G-single!");
  }
}

TEST_F(ListAppendTest, LostUpdate) {
  for (const Level level : kLevels) {
    history_ = {};
    add(level, {read(kX, {}), append(kX, 1)});
    add(level, {read(kX, {}), append(kX, 2)});
    at_the_end(kX, {1, 2});
    EXPECT_EQ(found(), level == kRc ? "lost update" : "lost update!");
  }
}

TEST_F(ListAppendTest, AnUpdateBesideAnOldSnapshotOfReadCommitted) {
  // Only who reads under a snapshot that holds for the transaction is promised not to lose it.
  add(kRc, {read(kX, {}), append(kX, 2)});
  add(kRr, {append(kX, 1)});
  at_the_end(kX, {1, 2});
  EXPECT_EQ(found(), "lost update");
}

TEST_F(ListAppendTest, LongFork) {
  for (const Level level : kLevels) {
    history_ = {};
    add(level, {append(kX, 1)});
    add(level, {append(kY, 2)});
    add(level, {read(kX, {1}), read(kY, {})});
    add(level, {read(kX, {}), read(kY, {2})});
    at_the_end(kX, {1});
    at_the_end(kY, {2});
    EXPECT_EQ(found(), level == kRc ? "long fork" : "long fork!");
  }
}

TEST_F(ListAppendTest, G2ItemWriteSkew) {
  for (const Level level : kLevels) {
    history_ = {};
    add(level, {read(kX, {}), append(kY, 2)});
    add(level, {read(kY, {}), append(kX, 1)});
    at_the_end(kX, {1});
    at_the_end(kY, {2});
    EXPECT_EQ(found(), level == kSer ? "G2-item!" : "G2-item");
  }
}

TEST_F(ListAppendTest, WriteSkewBetweenASnapshotAndASerializable) {
  // Only the reads of one of them are validated.
  add(kSer, {read(kX, {}), append(kY, 2)});
  add(kRr, {read(kY, {}), append(kX, 1)});
  at_the_end(kX, {1});
  at_the_end(kY, {2});
  EXPECT_EQ(found(), "G2-item");
}

TEST_F(ListAppendTest, ASerializableReaderSeesASnapshot) {
  add(kSer, {read(kX, {}), append(kY, 2)});
  add(kSer, {read(kY, {}), append(kX, 1)}, Ending::kAborted);
  add(kSer, {read(kX, {}), read(kY, {2})}).read_only = true;
  at_the_end(kX, {});
  at_the_end(kY, {2});
  EXPECT_EQ(found(), "");
}

TEST_F(ListAppendTest, ASnapshotFitsIntoTheOrderOfSerializableWriters) {
  // The reader sees the second of two, and not the first.
  add(kSer, {read(kX, {}), append(kY, 2)});
  add(kSer, {append(kX, 1)});
  add(kSer, {read(kX, {1}), read(kY, {})}).read_only = true;
  at_the_end(kX, {1});
  at_the_end(kY, {2});
  EXPECT_EQ(found(), "G2-item!");
}

TEST_F(ListAppendTest, IncompatibleOrder) {
  add(kRc, {append(kX, 1)});
  add(kRc, {append(kX, 2)});
  add(kRc, {read(kX, {1, 2})});
  add(kRc, {read(kX, {2})});
  EXPECT_NE(found().find("incompatible order!"), std::string::npos);
}

TEST_F(ListAppendTest, DuplicateElement) {
  add(kRc, {append(kX, 1)});
  at_the_end(kX, {1, 1});
  EXPECT_EQ(found(), "duplicate element!");
}

TEST_F(ListAppendTest, GarbageRead) {
  add(kRc, {append(kX, 1)});
  at_the_end(kX, {1, 7});
  EXPECT_EQ(found(), "garbage read!");
}

TEST_F(ListAppendTest, LostWrite) {
  add(kRc, {append(kX, 1)});
  add(kRc, {append(kX, 2)}, Ending::kUnknown);
  at_the_end(kX, {});
  EXPECT_EQ(found(), "lost write!");
}

TEST_F(ListAppendTest, PartialCommit) {
  add(kRc, {append(kX, 1), append(kY, 2)}, Ending::kUnknown);
  at_the_end(kX, {1});
  at_the_end(kY, {});
  EXPECT_EQ(found(), "partial commit!");
}

TEST_F(ListAppendTest, AnUnknownTransactionMayOrMayNotBeThere) {
  add(kRc, {append(kX, 1), append(kY, 2)}, Ending::kUnknown);
  add(kRc, {append(kX, 3), append(kY, 4)}, Ending::kUnknown);
  at_the_end(kX, {1});
  at_the_end(kY, {2});
  EXPECT_EQ(found(), "");
}

TEST_F(ListAppendTest, InternalOwnWriteNotSeen) {
  add(kRc, {append(kX, 1), read(kX, {})});
  at_the_end(kX, {1});
  EXPECT_NE(found().find("internal!"), std::string::npos);
}

TEST_F(ListAppendTest, InternalReadsThatDoNotRepeat) {
  for (const Level level : kLevels) {
    history_ = {};
    add(kRc, {append(kX, 1)});
    add(level, {read(kX, {}), read(kX, {1})});
    at_the_end(kX, {1});
    EXPECT_EQ(found().find("internal!") != std::string::npos, level != kRc) << found();
  }
}

TEST_F(ListAppendTest, InternalAListThatShrinks) {
  add(kRc, {append(kX, 1)});
  add(kRc, {read(kX, {1}), read(kX, {})});
  at_the_end(kX, {1});
  EXPECT_NE(found().find("internal!"), std::string::npos);
}

TEST_F(ListAppendTest, StaleRead) {
  add(kRc, {append(kX, 1)}).end_ns = 10;
  ListTransaction& reader = add(kRc, {read(kX, {})});
  at_the_end(kX, {1});
  reader.begin_ns = 5;
  EXPECT_EQ(found(), "");
  reader.begin_ns = 11;
  EXPECT_EQ(found(), "stale read!");
  // Its second statement began later than itself.
  reader.begin_ns = 5;
  reader.operations[0].begin_ns = 11;
  EXPECT_EQ(found(), "stale read!");
  reader.level = kRr;
  EXPECT_EQ(found(), "");
}

TEST_F(ListAppendTest, WhoeverFailsMaySeeItsOwnWriteOnWhatWasThere) {
  add(kRc, {append(kX, 1)}).end_ns = 10;
  ListTransaction& loser = add(kRc, {append(kX, 2), read(kX, {2})}, Ending::kAborted);
  loser.operations[1].begin_ns = 11;
  at_the_end(kX, {1});
  EXPECT_EQ(found(), "");
}

TEST_F(ListAppendTest, ACycleOfManyIsFoundAndToldInOrder) {
  constexpr int kCount = 50;
  for (int i = 0; i < kCount; ++i) {
    const auto next = static_cast<ListKey>((i + 1) % kCount);
    add(kRr, {append(static_cast<ListKey>(i), i), read(next, {(i + 1) % kCount})});
  }
  const std::vector<Anomaly> anomalies = find_anomalies(history_);
  ASSERT_EQ(anomalies.size(), 1U);
  EXPECT_EQ(anomalies[0].name, "G1c");
  EXPECT_EQ(std::ranges::count(anomalies[0].description, '>'), kCount);
}

}  // namespace
}  // namespace pando::test
