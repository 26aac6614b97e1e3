// What every Engine must do, run on each of them.

#include <array>
#include <deque>
#include <functional>

#include <gtest/gtest.h>

#include "storage/engine.h"
#include "storage/memory/memory_engine.h"
#include "storage/mvcc.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "test/support/temporary_directory.h"

namespace pando::storage {
namespace {

struct Subject {
  const char* name;
  std::function<std::unique_ptr<Engine>(FlushedCallback, const Bytes& directory)> open;
};

std::unique_ptr<Engine> open_memory(FlushedCallback on_flushed, const Bytes& directory) {
  return open_memory_engine({.on_flushed = std::move(on_flushed)});
}

std::unique_ptr<Engine> open_rocksdb(FlushedCallback on_flushed, const Bytes& directory) {
  auto engine = open_rocksdb_engine({.directory = directory, .on_flushed = std::move(on_flushed)});
  return engine.ok() ? std::move(*engine) : nullptr;
}

void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name; }

using namespace std::string_literals;

HlcTimestamp at(uint64_t wall) { return {wall, 0}; }

class EngineConformance : public testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    engine_ =
        GetParam().open([this](const std::vector<AppliedIndex>& applied) { flushed_ = applied; }, directory_.path());
    ASSERT_TRUE(engine_);
  }
  void write(const std::function<void(WriteBatch&)>& fill) {
    WriteBatch batch;
    fill(batch);
    ASSERT_TRUE(engine_->write(batch).ok());
  }
  Status ingest(IngestSource& source, HlcTimestamp when) {
    const std::array<IngestSource*, 1> sources{&source};
    return engine_->ingest(sources, when);
  }
  std::string read(const Reader& reader, ByteView key, HlcTimestamp when) {
    auto value = get_at(reader, key, when);
    return !value.ok() ? value.status().to_string() : value->value_or("(none)");
  }
  std::string scan(const Reader& reader, KeySpan span, HlcTimestamp when, bool reverse = false, std::size_t step = 2) {
    std::vector<HlcTimestamp> timestamps;
    const auto scan =
        reader.scan_versions({.span = std::move(span), .at = when, .reverse = reverse, .timestamps = &timestamps});
    KeyValueBatch batch;
    std::string rows;
    for (;;) {
      EXPECT_TRUE(scan->next(batch, step).ok());
      EXPECT_EQ(timestamps.size(), batch.size());
      if (batch.size() == 0) {
        return rows;
      }
      for (std::size_t i = 0; i < batch.size(); ++i) {
        rows += Bytes(batch.key(i)) + "=" + Bytes(batch.value(i)) + " ";
      }
    }
  }
  std::string versions(const Reader& reader, KeySpan span) {
    const auto iterator = reader.iterate_versions(span);
    std::string all;
    for (iterator->seek(span.start, HlcTimestamp::max()); iterator->valid(); iterator->next()) {
      all += fmt::format("{}@{}{} ", iterator->key(), iterator->timestamp().wall_ns,
                         iterator->tombstone() ? "!" : "=" + Bytes(iterator->value()));
    }
    EXPECT_TRUE(iterator->status().ok());
    return all;
  }

  test::TemporaryDirectory directory_;
  std::unique_ptr<Engine> engine_;
  std::vector<AppliedIndex> flushed_;
};

TEST_P(EngineConformance, PlainKeysPutGetErase) {
  write([](WriteBatch& b) {
    b.put("a", "1");
    b.put("b", "2");
    b.put("b", "3");
    b.put("c", "");
    b.erase("a");
  });
  Bytes value;
  EXPECT_FALSE(*engine_->get("a", value));
  EXPECT_TRUE(*engine_->get("b", value));
  EXPECT_EQ(value, "3");
  EXPECT_TRUE(*engine_->get("c", value));
  EXPECT_EQ(value, "");
}

TEST_P(EngineConformance, PlainIteratorsStayInsideTheirSpan) {
  write([](WriteBatch& b) {
    for (const char* key : {"a", "b", "c", "d", "e"}) {
      b.put(key, key);
    }
  });
  const auto iterator = engine_->iterate({"b", "e"});
  std::string seen;
  for (iterator->seek(""); iterator->valid(); iterator->next()) {
    seen += iterator->key();
  }
  for (iterator->seek_before(""); iterator->valid(); iterator->previous()) {
    seen += iterator->value();
  }
  EXPECT_EQ(seen, "bcddcb");
  iterator->seek_before("c");
  EXPECT_EQ(iterator->key(), "b");
  iterator->seek_before("b");
  EXPECT_FALSE(iterator->valid());
  iterator->seek("d");
  iterator->next();
  EXPECT_FALSE(iterator->valid());
  EXPECT_TRUE(iterator->status().ok());
}

TEST_P(EngineConformance, ErasesRangesOfPlainKeysInOrderWithOtherChanges) {
  write([](WriteBatch& b) {
    b.put("a", "1");
    b.put("b", "2");
    b.put("c", "3");
    b.erase_range("a", "c");
    b.put("b", "again");
  });
  Bytes value;
  EXPECT_FALSE(*engine_->get("a", value));
  EXPECT_TRUE(*engine_->get("b", value));
  EXPECT_TRUE(*engine_->get("c", value));
  write([](WriteBatch& b) { b.erase_range("b", ""); });
  EXPECT_FALSE(*engine_->get("c", value));
}

TEST_P(EngineConformance, ReadsTheNewestVersionAtOrBelow) {
  write([](WriteBatch& b) {
    b.put_version("k", at(10), "ten");
    b.put_version("k", at(20), "twenty");
    b.put_tombstone("k", at(30));
    b.put_version("k", {40, 7}, "");
  });
  EXPECT_EQ(read(*engine_, "k", at(9)), "(none)");
  EXPECT_EQ(read(*engine_, "k", at(10)), "ten");
  EXPECT_EQ(read(*engine_, "k", at(19)), "ten");
  EXPECT_EQ(read(*engine_, "k", at(20)), "twenty");
  EXPECT_EQ(read(*engine_, "k", at(35)), "(none)");
  EXPECT_EQ(read(*engine_, "k", {40, 6}), "(none)");
  EXPECT_EQ(read(*engine_, "k", {40, 7}), "");
  EXPECT_EQ(read(*engine_, "j", at(99)), "(none)");
  const auto newest = newest_version(*engine_, "k");
  EXPECT_EQ((*newest)->timestamp, (HlcTimestamp{40, 7}));
  EXPECT_FALSE(newest_version(*engine_, "none")->has_value());
}

TEST_P(EngineConformance, AKeyMayBeAPrefixOfAnother) {
  // 0x7f.. and 0xff.. suffixes would interleave if versioned keys were compared as plain bytes.
  write([](WriteBatch& b) {
    b.put_version("a", at(1), "1");
    b.put_version("a", at(UINT64_MAX), "newest");
    b.put_version("ab", at(1), "2");
    b.put_version(Bytes("a\0", 2), at(1), "3");
    b.put_version(Bytes("a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), at(1), "4");
    b.put_version("", at(1), "empty");
  });
  EXPECT_EQ(read(*engine_, "a", at(5)), "1");
  EXPECT_EQ(read(*engine_, "ab", at(5)), "2");
  EXPECT_EQ(read(*engine_, "", at(5)), "empty");
  const std::string rows = scan(*engine_, {}, at(5));
  EXPECT_EQ(rows, "=empty a=1 a\0=3 ab=2 a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff=4 "s);
  EXPECT_EQ(scan(*engine_, {"a", "a"}, at(5)), "");
  EXPECT_EQ(scan(*engine_, {"a", "ac"}, at(UINT64_MAX), true), "ab=2 a\0=3 a=newest "s);
}

TEST_P(EngineConformance, ScansRowsAtATimestamp) {
  write([](WriteBatch& b) {
    b.put_version("a", at(10), "a10");
    b.put_version("b", at(10), "b10");
    b.put_version("b", at(20), "b20");
    b.put_tombstone("c", at(10));
    b.put_version("c", at(20), "c20");
    b.put_version("d", at(30), "d30");
    b.put_version("e", at(5), "e5");
    b.put_tombstone("e", at(15));
  });
  EXPECT_EQ(scan(*engine_, {}, at(4)), "");
  EXPECT_EQ(scan(*engine_, {}, at(10)), "a=a10 b=b10 e=e5 ");
  EXPECT_EQ(scan(*engine_, {}, at(20)), "a=a10 b=b20 c=c20 ");
  EXPECT_EQ(scan(*engine_, {}, at(99)), "a=a10 b=b20 c=c20 d=d30 ");
  EXPECT_EQ(scan(*engine_, {}, at(99), true), "d=d30 c=c20 b=b20 a=a10 ");
  EXPECT_EQ(scan(*engine_, {}, at(10), true), "e=e5 b=b10 a=a10 ");
  EXPECT_EQ(scan(*engine_, {"b", "d"}, at(99)), "b=b20 c=c20 ");
  EXPECT_EQ(scan(*engine_, {"b", "d"}, at(99), true), "c=c20 b=b20 ");
  EXPECT_EQ(scan(*engine_, {"b", "d"}, at(99), false, 1), "b=b20 c=c20 ");
}

TEST_P(EngineConformance, ScansSkipLongChainsOfVersions) {
  write([](WriteBatch& b) {
    for (uint64_t t = 1; t <= 100; ++t) {
      b.put_version("a", at(t), "a" + std::to_string(t));
      b.put_version("b", at(t), "b" + std::to_string(t));
    }
    b.put_version("c", at(50), "c50");
  });
  EXPECT_EQ(scan(*engine_, {}, at(50)), "a=a50 b=b50 c=c50 ");
  EXPECT_EQ(scan(*engine_, {}, at(1)), "a=a1 b=b1 ");
  EXPECT_EQ(scan(*engine_, {}, at(200), true), "c=c50 b=b100 a=a100 ");
  EXPECT_EQ(scan(*engine_, {}, at(3), true), "b=b3 a=a3 ");
}

TEST_P(EngineConformance, VersionIteratorsWalkEverything) {
  write([](WriteBatch& b) {
    b.put_version("a", at(1), "1");
    b.put_version("b", at(1), "1");
    b.put_tombstone("b", at(2));
    b.put_version("b", at(3), "3");
    b.put_version("c", at(1), "1");
  });
  EXPECT_EQ(versions(*engine_, {}), "a@1=1 b@3=3 b@2! b@1=1 c@1=1 ");
  EXPECT_EQ(versions(*engine_, {"b", "c"}), "b@3=3 b@2! b@1=1 ");
  const auto iterator = engine_->iterate_versions({"a", "c"});
  iterator->seek_before("");
  EXPECT_EQ(iterator->key(), "b");
  EXPECT_EQ(iterator->timestamp(), at(3));
  iterator->seek_before("b");
  EXPECT_EQ(iterator->key(), "a");
  iterator->seek_before("a");
  EXPECT_FALSE(iterator->valid());
  iterator->seek("b", at(2));
  EXPECT_TRUE(iterator->tombstone());
  EXPECT_TRUE(*changed_between(*engine_, {"a", "c"}, at(2), at(3)));
  EXPECT_FALSE(*changed_between(*engine_, {"a", "b"}, at(1), at(3)));
  EXPECT_FALSE(*changed_between(*engine_, {"a", "c"}, at(3), at(9)));
}

TEST_P(EngineConformance, ErasesVersionsAndRangesOfThem) {
  write([](WriteBatch& b) {
    b.put_version("a", at(1), "1");
    b.put_version("a", at(2), "2");
    b.put_version("b", at(1), "1");
    b.put_version("c", at(1), "1");
    b.put_version("d", at(9), "9");
    b.erase_version("a", at(2));
    b.erase_version_range("b", "d");
  });
  EXPECT_EQ(versions(*engine_, {}), "a@1=1 d@9=9 ");
  write([](WriteBatch& b) { b.put_version("b", at(3), "new"); });
  EXPECT_EQ(scan(*engine_, {}, at(3)), "a=1 b=new ");
  write([](WriteBatch& b) { b.erase_version_range("b", ""); });
  EXPECT_EQ(versions(*engine_, {}), "a@1=1 ");
}

TEST_P(EngineConformance, SnapshotsAndIteratorsDoNotSeeLaterWrites) {
  write([](WriteBatch& b) {
    b.put("p", "old");
    b.put_version("k", at(1), "old");
  });
  const auto snapshot = engine_->snapshot();
  const auto iterator = engine_->iterate({});
  const auto scan_before = engine_->scan_versions({.at = at(9)});
  write([](WriteBatch& b) {
    b.put("p", "new");
    b.put("q", "new");
    b.put_version("k", at(2), "new");
    b.put_version("l", at(2), "new");
  });
  Bytes value;
  EXPECT_TRUE(*snapshot->get("p", value));
  EXPECT_EQ(value, "old");
  EXPECT_EQ(scan(*snapshot, {}, at(9)), "k=old ");
  EXPECT_EQ(read(*snapshot, "k", at(9)), "old");
  EXPECT_EQ(versions(*snapshot, {}), "k@1=old ");
  iterator->seek("");
  EXPECT_EQ(iterator->value(), "old");
  iterator->next();
  EXPECT_FALSE(iterator->valid());
  KeyValueBatch batch;
  EXPECT_TRUE(scan_before->next(batch, 10).ok());
  EXPECT_EQ(batch.size(), 1U);
  EXPECT_EQ(read(*engine_, "k", at(9)), "new");
}

// Of one key with a few versions and of one with so many that they are skipped, before and after a flush.
TEST_P(EngineConformance, AScanTellsWhetherItMetAnythingNewer) {
  for (const int versions : {2, 100}) {
    for (int version = 1; version <= versions; ++version) {
      write([&](WriteBatch& b) { b.put_version("b", at(version), "v"); });
    }
    for (const bool flushed : {false, true}) {
      if (flushed) {
        ASSERT_TRUE(engine_->flush().ok());
      }
      for (const bool reverse : {false, true}) {
        const auto met = [&](KeySpan span, int moment) {
          const auto scan = engine_->scan_versions({.span = span, .at = at(moment), .reverse = reverse});
          KeyValueBatch batch;
          do {
            EXPECT_TRUE(scan->next(batch, 10).ok());
          } while (batch.size() > 0);
          return scan->met_newer();
        };
        EXPECT_TRUE(met({}, versions - 1));
        EXPECT_TRUE(met({"b", "c"}, 1));
        EXPECT_TRUE(met({"b", "c"}, 0));
        EXPECT_FALSE(met({"c", {}}, 1));
        if (versions < 5) {
          EXPECT_FALSE(met({}, versions));
        }
      }
    }
  }
}

TEST_P(EngineConformance, FlushReportsAppliedIndexes) {
  EXPECT_EQ(*engine_->applied(ShardId(7)), 0U);
  write([](WriteBatch& b) {
    b.put_version("k", at(1), "v");
    b.set_applied(ShardId(7), 41);
    b.set_applied(ShardId(1), 5);
  });
  write([](WriteBatch& b) { b.set_applied(ShardId(7), 42); });
  EXPECT_EQ(*engine_->applied(ShardId(7)), 42U);
  ASSERT_TRUE(engine_->flush().ok());
  EXPECT_EQ(flushed_, (std::vector<AppliedIndex>{{ShardId(1), 5}, {ShardId(7), 42}}));
  EXPECT_EQ(engine_->statistics().unflushed_bytes, 0U);
}

TEST_P(EngineConformance, CollectsGarbageBelowTheThreshold) {
  write([](WriteBatch& b) {
    b.put_version("a", at(1), "1");
    b.put_version("a", at(2), "2");
    b.put_version("a", at(9), "9");
    b.put_version("b", at(1), "1");
    b.put_tombstone("b", at(3));
    b.put_version("c", at(1), "only");
    b.put_version("d", at(1), "1");
    b.put_tombstone("d", at(9));
    b.put_version("e", at(1), "1");
    b.put_tombstone("e", at(2));
    b.put_version("e", at(8), "8");
  });
  ASSERT_TRUE(engine_->flush().ok());
  engine_->set_garbage_threshold(at(5));
  engine_->set_garbage_threshold(at(4));
  ASSERT_TRUE(engine_->collect_garbage({}).ok());
  EXPECT_EQ(versions(*engine_, {}), "a@9=9 a@2=2 c@1=only d@9! d@1=1 e@8=8 ");
}

TEST_P(EngineConformance, ImportsTakeThePlaceOfSpans) {
  write([](WriteBatch& b) {
    for (int i = 0; i < 100; ++i) {
      b.put_version(fmt::format("k{:03}", i), at(5), "old");
    }
    b.put("\x06 inside", "old");
    b.put("\x06 untouched", "stays");
    b.put("\x07 other", "stays");
    b.set_applied(ShardId(7), 3);
  });
  ASSERT_TRUE(engine_->flush().ok());
  write([](WriteBatch& b) { b.put_version("k020", at(6), "newer, not flushed"); });
  const auto before = engine_->snapshot();
  {
    auto abandoned = engine_->start_import();
    ASSERT_TRUE(abandoned.ok());
    ASSERT_TRUE((*abandoned)->put_version("k010", at(9), false, "never seen").ok());
  }
  auto import = engine_->start_import();
  ASSERT_TRUE(import.ok());
  ASSERT_TRUE((*import)->put(applied_key(ShardId(7)), encode_applied(44)).ok());
  ASSERT_TRUE((*import)->put("\x06 inside", "new").ok());
  ASSERT_TRUE((*import)->put_version("k010", at(5), false, "new").ok());
  ASSERT_TRUE((*import)->put_version("k010", at(3), true, "").ok());
  ASSERT_TRUE((*import)->put_version("k011", at(2), false, "new").ok());
  EXPECT_EQ(read(*engine_, "k010", at(9)), "old");
  ASSERT_TRUE((*import)->finish({{"\x06 i", "\x06 j"}}, {{"k010", "k050"}}).ok());
  import->reset();
  EXPECT_EQ(versions(*engine_, {"k009", "k051"}), "k009@5=old k010@5=new k010@3! k011@2=new k050@5=old ");
  EXPECT_EQ(versions(*before, {"k010", "k011"}), "k010@5=old ");
  EXPECT_EQ(*engine_->applied(ShardId(7)), 44U);
  Bytes value;
  EXPECT_TRUE(*engine_->get("\x06 inside", value) && value == "new");
  EXPECT_TRUE(*engine_->get("\x06 untouched", value) && value == "stays");
  EXPECT_TRUE(*engine_->get("\x07 other", value) && value == "stays");
  // Life goes on above what was imported.
  write([](WriteBatch& b) {
    b.put_version("k010", at(8), "newest");
    b.erase_version("k011", at(2));
  });
  ASSERT_TRUE(engine_->flush().ok());
  EXPECT_EQ(versions(*engine_, {"k010", "k050"}), "k010@8=newest k010@5=new k010@3! ");
  // An import of nothing erases.
  auto empty = engine_->start_import();
  ASSERT_TRUE((*empty)->finish({}, {{"k", ""}}).ok());
  EXPECT_EQ(versions(*engine_, {}), "");
  // Other shards' indexes are reported with those that were imported.
  write([](WriteBatch& b) { b.set_applied(ShardId(8), 1); });
  ASSERT_TRUE(engine_->flush().ok());
  EXPECT_EQ(flushed_, (std::vector<AppliedIndex>{{ShardId(7), 44}, {ShardId(8), 1}}));
}

TEST_P(EngineConformance, LongScansSeeImports) {
  constexpr int kRows = 10000;
  write([](WriteBatch& b) {
    for (int i = 0; i < kRows; ++i) {
      b.put_version(fmt::format("k{:06}", i), at(5), "old");
    }
  });
  ASSERT_TRUE(engine_->flush().ok());
  const auto before = engine_->snapshot();
  auto import = engine_->start_import();
  ASSERT_TRUE(import.ok());
  for (int i = 0; i < kRows; i += 2) {
    ASSERT_TRUE((*import)->put_version(fmt::format("k{:06}", i), at(5), false, "new").ok());
  }
  ASSERT_TRUE((*import)->finish({}, {{"k", "l"}}).ok());
  const auto count = [](const Reader& reader, ByteView wanted) {
    const auto scan = reader.scan_versions({.span = {}, .at = at(9)});
    KeyValueBatch batch;
    int rows = 0;
    do {
      EXPECT_TRUE(scan->next(batch, 1000).ok());
      for (std::size_t i = 0; i < batch.size(); ++i) {
        rows += batch.value(i) == wanted ? 1 : 0;
      }
    } while (batch.size() > 0);
    return rows;
  };
  EXPECT_EQ(count(*engine_, "new"), kRows / 2);
  EXPECT_EQ(count(*engine_, "old"), 0);
  EXPECT_EQ(count(*before, "old"), kRows);
  EXPECT_EQ(count(*before, "new"), 0);
}

TEST_P(EngineConformance, DecodedBatchesDoWhatTheOriginalDid) {
  WriteBatch batch;
  batch.put("p", "1");
  batch.put_version("k", {3, 4}, "v");
  batch.put_tombstone("l", at(2));
  batch.erase_version_range("x", "y");
  auto decoded = WriteBatch::decode(batch.bytes());
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->count(), 4U);
  ASSERT_TRUE(engine_->write(*decoded).ok());
  EXPECT_EQ(read(*engine_, "k", {3, 4}), "v");
  EXPECT_EQ(read(*engine_, "k", {3, 3}), "(none)");
  EXPECT_EQ(WriteBatch::decode(ByteView(batch.bytes()).substr(0, batch.bytes().size() - 1)).status().code(),
            sql_state::kDataCorrupted);
}

// Entries given as they are.
class ListSource final : public IngestSource {
 public:
  using Entries = std::vector<std::pair<Bytes, std::optional<Bytes>>>;
  explicit ListSource(Entries entries) : entries_(std::move(entries)) {}
  bool valid() const override { return at_ < entries_.size(); }
  ByteView key() const override { return entries_[at_].first; }
  std::optional<ByteView> value() const override {
    return entries_[at_].second.has_value() ? std::optional<ByteView>(*entries_[at_].second) : std::nullopt;
  }
  Status next() override {
    ++at_;
    return {};
  }

 private:
  const Entries entries_;
  std::size_t at_ = 0;
};

std::string show(RunIterator& iterator) {
  std::string all;
  for (; iterator.valid(); iterator.next()) {
    const auto write = iterator.write();
    all += fmt::format("{}@{}{} ", iterator.key(), write.number, write.value ? "=" + Bytes(*write.value) : "!");
  }
  EXPECT_TRUE(iterator.status().ok());
  return all;
}

TEST_P(EngineConformance, RunsKeepEveryWriteInOrder) {
  RunStore& runs = *engine_->runs();
  {
    auto writer = *runs.create(RunId(7));
    ASSERT_TRUE(writer->add("a", 5, "five").ok());
    ASSERT_TRUE(writer->add("a", 2, std::nullopt).ok());
    ASSERT_TRUE(writer->add("ab\0"s, 3, "").ok());
    ASSERT_TRUE(writer->add("c", 4, "four").ok());
    ASSERT_EQ(writer->finish().status().to_string(), "OK");
  }
  EXPECT_EQ(*runs.list(), std::vector{RunId(7)});
  auto run = *runs.open(RunId(7));
  EXPECT_GT(run->bytes(), 0);
  std::optional<Bytes> value;
  EXPECT_TRUE(*run->get("a", 9, value));
  EXPECT_EQ(value, "five");
  EXPECT_TRUE(*run->get("a", 4, value));
  EXPECT_EQ(value, std::nullopt);
  EXPECT_FALSE(*run->get("a", 1, value));
  EXPECT_FALSE(*run->get("ab", 9, value));
  EXPECT_FALSE(*run->get("zz", 9, value));
  EXPECT_TRUE(*run->get("ab\0"s, 3, value));
  EXPECT_EQ(value, "");
  const auto iterator = run->iterate();
  EXPECT_EQ(show(*iterator), "a@5=five a@2! ab\0@3= c@4=four "s);
  iterator->seek("ab");
  EXPECT_EQ(show(*iterator), "ab\0@3= c@4=four "s);
  iterator->seek_before("");
  EXPECT_EQ(show(*iterator), "c@4=four ");
  iterator->seek_before("ab");
  EXPECT_EQ(show(*iterator), "a@5=five a@2! ab\0@3= c@4=four "s);
  iterator->seek_before("a");
  EXPECT_FALSE(iterator->valid());
}

TEST_P(EngineConformance, RunsAreRemovedAlsoWhileTheyAreRead) {
  RunStore& runs = *engine_->runs();
  {
    const auto abandoned = *runs.create(RunId(1));
    ASSERT_TRUE(abandoned->add("a", 1, "1").ok());
  }
  EXPECT_TRUE(runs.list()->empty());
  auto writer = *runs.create(RunId(2));
  ASSERT_TRUE(writer->add("a", 1, "1").ok());
  const auto run = *writer->finish();
  const auto iterator = run->iterate();
  EXPECT_TRUE(runs.remove(RunId(2)).ok());
  EXPECT_TRUE(runs.remove(RunId(2)).ok());
  EXPECT_EQ(show(*iterator), "a@1=1 ");
  EXPECT_TRUE(runs.list()->empty());
  EXPECT_EQ(runs.open(RunId(2)).status().code(), sql_state::kUndefinedFile);
}

TEST_P(EngineConformance, IngestAddsVersionsBesideWhatIsThere) {
  write([](WriteBatch& b) {
    b.put("plain", "1");
    b.put_version("table one a", at(10), "old");
    b.put_version("table one b", at(10), "old");
    b.put_version("table two", at(10), "old");
  });
  const ListSource::Entries entries{{"table one a", "new"},
                                    {"table one b", std::nullopt},
                                    {"table one c", ""},
                                    {"table three with a longer prefix", Bytes(100'000, 'x')}};
  for (int attempt = 0; attempt < 2; ++attempt) {
    // The second time is what a restart does that finds the first one done.
    ListSource source(entries);
    ASSERT_EQ(ingest(source, at(20)).to_string(), "OK");
    EXPECT_FALSE(source.valid());
    EXPECT_EQ(versions(*engine_, {"table one", "table onf"}),
              "table one a@20=new table one a@10=old table one b@20! table one b@10=old table one c@20= ");
  }
  EXPECT_EQ(scan(*engine_, {"table one", "table onf"}, at(20)), "table one a=new table one c= ");
  EXPECT_EQ(scan(*engine_, {"table one", "table onf"}, at(19)), "table one a=old table one b=old ");
  EXPECT_EQ(scan(*engine_, {"table one", "table onf"}, at(20), true), "table one c= table one a=new ");
  EXPECT_EQ(read(*engine_, "table two", at(30)), "old");
  EXPECT_EQ(read(*engine_, "table three with a longer prefix", at(30)), Bytes(100'000, 'x'));
  // Later versions come on top.
  write([](WriteBatch& b) { b.put_version("table one a", at(30), "newest"); });
  EXPECT_EQ(read(*engine_, "table one a", at(30)), "newest");
  EXPECT_TRUE(engine_->verify_checksums([](uint64_t done, uint64_t total) { EXPECT_LE(done, total); }).ok());
}

TEST_P(EngineConformance, SourcesAreIngestedTogether) {
  constexpr int kSources = 4;
  constexpr int kRowsEach = 3'000;
  std::deque<ListSource> sources;
  std::vector<IngestSource*> all;
  for (int source = 0; source < kSources; ++source) {
    ListSource::Entries entries;
    for (int i = 0; i < kRowsEach; ++i) {
      entries.emplace_back(fmt::format("row {:08}", source * kRowsEach + i), std::to_string(i));
    }
    all.push_back(&sources.emplace_back(std::move(entries)));
  }
  ASSERT_EQ(engine_->ingest(all, at(20)).to_string(), "OK");
  ASSERT_EQ(engine_->ingest({}, at(21)).to_string(), "OK");
  const auto versions = engine_->iterate_versions({});
  for (int i = 0; i < kSources * kRowsEach; ++i) {
    ASSERT_TRUE(versions->valid());
    ASSERT_EQ(versions->key(), fmt::format("row {:08}", i));
    ASSERT_EQ(versions->value(), std::to_string(i % kRowsEach));
    ASSERT_EQ(versions->timestamp(), at(20));
    versions->next();
  }
  EXPECT_FALSE(versions->valid());
}

// Long scans read the files directly: they must understand those that were taken in.
TEST_P(EngineConformance, LongScansSeeWhatWasIngested) {
  constexpr int kRows = 20'000;
  ListSource::Entries entries;
  for (int i = 0; i < kRows; ++i) {
    entries.emplace_back(fmt::format("row {:08}", i), fmt::format("value {}", i));
  }
  ListSource source(entries);
  ASSERT_TRUE(ingest(source, at(10)).ok());
  write([](WriteBatch& b) { b.put_version("row 00010000", at(20), "changed"); });
  const auto rows = engine_->scan_versions({.span = {}, .at = at(30)});
  KeyValueBatch batch;
  int count = 0;
  int changed = 0;
  do {
    ASSERT_TRUE(rows->next(batch, 1000).ok());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      changed += batch.value(i) == "changed" ? 1 : 0;
      EXPECT_EQ(batch.key(i), entries[static_cast<std::size_t>(count)].first);
      ++count;
    }
  } while (batch.size() > 0);
  EXPECT_EQ(count, kRows);
  EXPECT_EQ(changed, 1);
}

TEST_P(EngineConformance, SnapshotsDoNotSeeWhatIsIngestedLater) {
  constexpr int kRows = 5'000;
  write([](WriteBatch& b) {
    for (int i = 0; i < kRows; ++i) {
      b.put_version(fmt::format("row {:08}", 2 * i), at(10), "before");
    }
  });
  ASSERT_TRUE(engine_->flush().ok());
  const auto snapshot = engine_->snapshot();
  ListSource::Entries entries;
  for (int i = 0; i < kRows; ++i) {
    entries.emplace_back(fmt::format("row {:08}", 2 * i + 1), "after");
  }
  ListSource source(entries);
  ASSERT_TRUE(ingest(source, at(10)).ok());
  const auto count = [](const Reader& reader) {
    const auto rows = reader.scan_versions({.span = {}, .at = at(10)});
    KeyValueBatch batch;
    std::size_t count = 0;
    do {
      EXPECT_TRUE(rows->next(batch, 1000).ok());
      count += batch.size();
    } while (batch.size() > 0);
    return count;
  };
  EXPECT_EQ(count(*snapshot), kRows);
  EXPECT_EQ(count(*engine_), 2 * kRows);
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineConformance,
                         testing::Values(Subject{"memory", open_memory}, Subject{"rocksdb", open_rocksdb}),
                         [](const auto& info) { return info.param.name; });

TEST(MemoryEngine, ComesBackFromACrashAsItWasFlushed) {
  auto engine = open_memory_engine({});
  WriteBatch batch;
  batch.put_version("k", at(1), "flushed");
  batch.set_applied(ShardId(1), 1);
  ASSERT_TRUE(engine->write(batch).ok());
  ASSERT_TRUE(engine->flush().ok());
  batch.clear();
  batch.put_version("k", at(2), "lost");
  batch.set_applied(ShardId(1), 2);
  ASSERT_TRUE(engine->write(batch).ok());
  const auto restarted = engine->after_crash();
  EXPECT_EQ(**get_at(*restarted, "k", at(9)), "flushed");
  EXPECT_EQ(*restarted->applied(ShardId(1)), 1U);
}

}  // namespace
}  // namespace pando::storage
