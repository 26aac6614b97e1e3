// Node::check finds what is wrong with a database, each kind of damage planted by hand.

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "catalog/keys.h"
#include "node/node.h"
#include "runtime/block_on.h"
#include "session/result_sink.h"
#include "session/session.h"
#include "test/support/temporary_directory.h"

namespace pando::node {
namespace {

// Takes any answer.
class IgnoringSink final : public session::ResultSink {
 public:
  void begin_rows(const session::RowShapePtr&, const types::Settings&, bool) override {}
  Status add_rows(const types::Chunk&, std::size_t, std::size_t) override { return {}; }
  void complete(std::string_view) override {}
  void empty_query() override {}
  void notice(session::NoticeSeverity, const ErrorFields&) override {}
  bool wants_drain() const override { return false; }
  Task<Status> drain() override { co_return Status(); }
  uint64_t mark() const override { return 0; }
  bool rewind(uint64_t) override { return true; }
  void begin_copy_out(session::ValueFormat, std::size_t) override {}
  void add_copy_data(ByteView) override {}
  void end_copy_out() override {}
  void begin_copy_in(session::ValueFormat, std::size_t) override {}
  Task<Result<bool>> read_copy_data(Bytes&) override { co_return false; }
};

class CollectingObserver final : public session::DatabaseCheckObserver {
 public:
  void stage(const std::string&, std::size_t number, std::size_t count) override { EXPECT_LT(number, count); }
  void progress(uint64_t entries) override { entries_ += entries; }
  void problem(const std::string& where, const std::string& what) override { problems.push_back(where + ": " + what); }

  std::vector<std::string> problems;

 private:
  uint64_t entries_ = 0;
};

class NodeCheck : public testing::Test {
 protected:
  static constexpr const char* kSchema =
      "CREATE TABLE parents (id int PRIMARY KEY, name text UNIQUE);"
      "CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents, age int NOT NULL CHECK (age < 100),"
      " code int, CONSTRAINT code_unique UNIQUE (code) DEFERRABLE);"
      "CREATE INDEX children_age ON children (age) WHERE age > 5;"
      "CREATE INDEX children_sum ON children ((age + parent));"
      "INSERT INTO parents SELECT i, 'name ' || i FROM generate_series(1, 3000) AS i;"
      "INSERT INTO children SELECT i, i, i % 10, i FROM generate_series(1, 3000) AS i";

  void SetUp() override {
    open();
    run(kSchema);
  }
  void TearDown() override {
    if (node_ != nullptr) {
      close();
    }
  }
  void open() {
    auto node = Node::open({.directory = directory_.path(), .workers = 1});
    ASSERT_EQ(node.status().to_string(), "OK");
    node_ = std::move(*node);
  }
  void close() {
    EXPECT_EQ(node_->close().to_string(), "OK");
    node_.reset();
  }
  void run(const char* sql) {
    session::Session session(node_->environment(), executor_, {});
    IgnoringSink sink;
    EXPECT_EQ(runtime::block_on(executor_, session.run(sql, &sink)).to_string(), "OK");
    runtime::block_on(executor_, session.close());
  }
  std::vector<std::string> problems() {
    CollectingObserver observer;
    const auto counts = node_->check(observer);
    EXPECT_EQ(counts.status().to_string(), "OK");
    EXPECT_EQ(counts->tables, 2);
    EXPECT_EQ(counts->problems, observer.problems.size());
    return observer.problems;
  }
  catalog::TablePtr table(const char* name) {
    return node_->environment().catalog.current()->find_table(catalog::kPublicSchema, name);
  }
  static Bytes prefix_of(const catalog::TableDescriptor& table, const char* index) {
    const auto found = std::ranges::find(table.indexes, index, &catalog::IndexDescriptor::name);
    return catalog::index_prefix(table.id, found == table.indexes.end() ? catalog::kRowIndexId : found->id);
  }
  // The first entry of an index, or of the rows themselves.
  std::pair<Bytes, Bytes> first_entry(const Bytes& prefix) {
    const auto transaction = node_->environment().store.begin({.read_only = true, .executor = &executor_});
    transaction->begin_statement();
    const auto cursor = transaction->scan({prefix, prefix_end(prefix)}, {.limit_hint = 1});
    KeyValueBatch batch;
    EXPECT_TRUE(runtime::block_on(executor_, cursor->next(batch, 1)).ok());
    return {Bytes(batch.key(0)), Bytes(batch.value(0))};
  }
  // Changes what is stored behind SQL's back.
  void store(const Bytes& key, std::optional<Bytes> value) {
    const auto transaction = node_->environment().store.begin({.executor = &executor_});
    transaction->begin_statement();
    ASSERT_TRUE(
        runtime::block_on(executor_, transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kNoWait))
            .ok());
    ASSERT_TRUE((value.has_value() ? transaction->put(key, *value) : transaction->erase(key)).ok());
    ASSERT_TRUE(runtime::block_on(executor_, transaction->commit()).ok());
  }
  // Flips a bit in the largest file of a folder, the first such: in its middle, or at damaged_offset_.
  void damage_file(const char* folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(directory_.path()) / folder)) {
      const auto extension = file.path().extension();
      if (extension == ".sst" || extension == ".segment") {
        files.push_back(file.path());
      }
    }
    ASSERT_FALSE(files.empty());
    std::ranges::sort(files);
    const auto largest = *std::ranges::max_element(
        files, {}, [](const std::filesystem::path& file) { return std::filesystem::file_size(file); });
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    const auto place =
        static_cast<std::streamoff>(damaged_offset_ != 0 ? damaged_offset_ : std::filesystem::file_size(largest) / 2);
    file.seekg(place);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(place);
    file.put(byte);
  }

  test::TemporaryDirectory directory_;
  runtime::InlineExecutor executor_;
  std::unique_ptr<Node> node_;
  std::size_t damaged_offset_ = 0;
};

bool mentions(const std::vector<std::string>& problems, const std::string& text) {
  return std::ranges::any_of(problems, [&](const std::string& problem) { return problem.contains(text); });
}

TEST_F(NodeCheck, AHealthyDatabaseHasNoProblems) {
  EXPECT_EQ(problems(), std::vector<std::string>{});
  close();
  open();
  EXPECT_EQ(problems(), std::vector<std::string>{});
}

TEST_F(NodeCheck, AMissingIndexEntry) {
  const auto [key, value] = first_entry(prefix_of(*table("children"), "children_age"));
  store(key, std::nullopt);
  const auto found = problems();
  ASSERT_EQ(found.size(), 1);
  EXPECT_TRUE(mentions(found, "public.children: index \"children_age\" has no entry for the row with key")) << found[0];
}

TEST_F(NodeCheck, AnIndexEntryWithoutItsRow) {
  const auto [key, value] = first_entry(prefix_of(*table("children"), "children_pkey"));
  store(key, std::nullopt);
  const auto found = problems();
  // In the unique index and that on the expression; the first row's age is not in the partial one.
  ASSERT_EQ(found.size(), 2);
  EXPECT_TRUE(mentions(found, "index \"code_unique\" has an entry")) << found[0];
  EXPECT_TRUE(mentions(found, "index \"children_sum\" has an entry")) << found[0];
}

TEST_F(NodeCheck, AnEntryThatPointsToAnotherRow) {
  const auto prefix = prefix_of(*table("parents"), "parents_name_key");
  const auto [key, value] = first_entry(prefix);
  Bytes other = value;
  other.back() = static_cast<char>(other.back() + 1);
  store(key, other);
  const auto found = problems();
  EXPECT_TRUE(mentions(found, "has another row in the place of the one with key"));
  EXPECT_TRUE(mentions(found, "that its row does not have"));
}

TEST_F(NodeCheck, ARowThatCannotBeRead) {
  const auto [key, value] = first_entry(prefix_of(*table("parents"), ""));
  store(key, Bytes("\xff\xff", 2));
  EXPECT_TRUE(mentions(problems(), "public.parents: the row with key"));
}

TEST_F(NodeCheck, BrokenConstraints) {
  // Rows of one table under the keys of another break what only the writer checks.
  const auto [parent, parent_row] = first_entry(prefix_of(*table("parents"), ""));
  store(parent, std::nullopt);
  const auto [entry, unused] = first_entry(prefix_of(*table("parents"), "parents_name_key"));
  store(entry, std::nullopt);
  const auto found = problems();
  ASSERT_EQ(found.size(), 1);
  EXPECT_TRUE(mentions(found, "public.children: constraint \"children_parent_fkey\" does not hold: 1 rows"))
      << found[0];
}

TEST_F(NodeCheck, ADamagedTableFile) {
  close();
  damage_file("state");
  open();
  CollectingObserver observer;
  const auto counts = node_->check(observer);
  EXPECT_EQ(counts.status().code(), sql_state::kDataCorrupted);
  EXPECT_TRUE(counts.status().message().contains(".sst")) << counts.status().message();
}

TEST_F(NodeCheck, ADamagedJournal) {
  // Two groups at least, so that what is damaged is not the last.
  run("INSERT INTO parents VALUES (100000, 'more')");
  close();
  damaged_offset_ = 100;
  damage_file("journal");
  const auto node = Node::open({.directory = directory_.path(), .workers = 1});
  EXPECT_EQ(node.status().code(), sql_state::kDataCorrupted);
  EXPECT_TRUE(node.status().message().contains("is damaged at offset")) << node.status().message();
}

}  // namespace
}  // namespace pando::node
