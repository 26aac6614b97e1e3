// Indexes and constraints that a job makes while others write (docs/decisions/050): on a node of its own, where CREATE
// INDEX CONCURRENTLY asks for one. What is then in the index is compared with the table, entry by entry, by
// Node::check.

#include <atomic>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "node/node.h"
#include "runtime/block_on.h"
#include "session/result_sink.h"
#include "session/session.h"
#include "test/support/temporary_directory.h"
#include "types/text_io.h"

namespace pando::node {
namespace {

// Keeps the rows as text, a line each.
class TextSink final : public session::ResultSink {
 public:
  void begin_rows(const session::RowShapePtr& shape, const types::Settings& settings, bool) override {
    shape_ = shape;
    settings_ = settings;
  }
  Status add_rows(const types::Chunk& chunk, std::size_t first, std::size_t count) override {
    for (std::size_t row = first; row < first + count; ++row) {
      for (std::size_t i = 0; i < shape_->size(); ++i) {
        text += i > 0 ? "|" : "";
        if (!chunk.columns[i].is_null(row)) {
          types::print_text((*shape_)[i].type, chunk.columns[i], row, settings_, text);
        }
      }
      text += '\n';
    }
    return {};
  }
  void complete(std::string_view) override {}
  void empty_query() override {}
  void notice(session::NoticeSeverity, const ErrorFields&) override {}
  bool wants_drain() const override { return false; }
  Task<Status> drain() override { co_return Status(); }
  uint64_t mark() const override { return text.size(); }
  bool rewind(uint64_t mark) override { return text.resize(mark), true; }
  void begin_copy_out(session::ValueFormat, std::size_t) override {}
  void add_copy_data(ByteView) override {}
  void end_copy_out() override {}
  void begin_copy_in(session::ValueFormat, std::size_t) override {}
  Task<Result<bool>> read_copy_data(Bytes&) override { co_return false; }

  std::string text;

 private:
  session::RowShapePtr shape_;
  types::Settings settings_;
};

class Observer final : public session::DatabaseCheckObserver {
 public:
  void stage(const std::string&, std::size_t, std::size_t) override {}
  void progress(uint64_t) override {}
  void problem(const std::string& where, const std::string& what) override { ADD_FAILURE() << where << ": " << what; }
};

// A session of one thread.
class Client {
 public:
  explicit Client(Node& node) : session_(node.environment(), executor_, {}) {}
  ~Client() { runtime::block_on(executor_, session_.close()); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Status run(const std::string& sql) {
    TextSink sink;
    const Status status = runtime::block_on(executor_, session_.run(sql, &sink));
    if (!status.ok()) {
      runtime::block_on(executor_, session_.fail());
    }
    text_ = std::move(sink.text);
    return status;
  }
  std::string query(const std::string& sql) {
    EXPECT_EQ(run(sql).to_string(), "OK") << sql;
    return text_;
  }
  session::Session& session() { return session_; }

 private:
  runtime::InlineExecutor executor_;
  session::Session session_;
  std::string text_;
};

class SchemaChangeTest : public testing::Test {
 protected:
  static constexpr const char* kTable =
      "CREATE TABLE t (id int PRIMARY KEY, v int, w int, s text);"
      "INSERT INTO t SELECT i, i % 100, i, 'row ' || i FROM generate_series(1, 20000) AS i";

  void SetUp() override { open(); }
  void TearDown() override {
    if (node_ != nullptr) {
      Observer observer;
      const auto counts = node_->check(observer);
      EXPECT_EQ(counts.status().to_string(), "OK");
      close();
    }
  }
  void open() {
    auto node = Node::open({.directory = directory_.path(), .workers = 2});
    ASSERT_EQ(node.status().to_string(), "OK");
    node_ = std::move(*node);
  }
  void close() {
    EXPECT_EQ(node_->close().to_string(), "OK");
    node_.reset();
  }
  void wait_for(const std::string& query, const std::string& answer) {
    Client client(*node_);
    for (int i = 0; i < 2000 && client.query(query) != answer; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(client.query(query), answer) << query;
  }

  // Begins to build an index, and catches the job between its first step and its last, which waits for `holder`: that
  // has done `hold` to the table.
  void catch_job(Client& holder, const std::function<void()>& build,
                 const std::string& hold = "UPDATE t SET v = v WHERE id = 1") {
    const std::string newest = "SELECT state FROM pando.jobs WHERE rows_done > 0 ORDER BY job_id DESC LIMIT 1";
    Client client(*node_);
    for (int attempt = 0; attempt < 50; ++attempt) {
      const std::string before = client.query("SELECT count(*) FROM pando.jobs WHERE rows_done > 0");
      builder_ = std::thread(build);
      while (client.query("SELECT count(*) FROM pando.jobs WHERE rows_done > 0") == before) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      ASSERT_TRUE(holder.run("BEGIN; " + hold).ok());
      if (client.query(newest) == "running\n") {
        return;
      }
      ASSERT_TRUE(holder.run("ROLLBACK").ok());
      builder_.join();
      ASSERT_TRUE(client.run("DROP INDEX by_v").ok());
    }
    FAIL() << "every job ended before anybody could write";
  }

  static constexpr const char* kNewestState = "SELECT state, error FROM pando.jobs ORDER BY job_id DESC LIMIT 1";

  std::thread builder_;
  test::TemporaryDirectory directory_;
  std::unique_ptr<Node> node_;
};

TEST_F(SchemaChangeTest, AnIndexIsCompleteThoughOthersWrite) {
  Client client(*node_);
  ASSERT_TRUE(client.run(kTable).ok());
  std::atomic<bool> stop{false};
  std::atomic<int> statements{0};
  std::vector<std::thread> writers;
  for (int number = 0; number < 3; ++number) {
    writers.emplace_back([&, number] {
      Client writer(*node_);
      for (int i = number; !stop.load(); i += 3) {
        const int id = i * 7919 % 20000 + 1;
        for (const std::string& sql :
             {fmt::format("UPDATE t SET v = v + 1000 WHERE id = {}", id),
              fmt::format("DELETE FROM t WHERE id = {}", id * 31 % 20000 + 1),
              fmt::format("INSERT INTO t VALUES ({}, {}, {}, 'new')", 30000 + i, i, 30000 + i)}) {
          EXPECT_EQ(writer.run(sql).to_string(), "OK") << sql;
          ++statements;
        }
      }
    });
  }
  while (statements < 50) {
    std::this_thread::yield();
  }
  EXPECT_EQ(client.run("CREATE INDEX CONCURRENTLY by_v ON t (v)").to_string(), "OK");
  EXPECT_EQ(client.run("CREATE UNIQUE INDEX CONCURRENTLY by_w ON t (w)").to_string(), "OK");
  EXPECT_EQ(client.run("CREATE INDEX CONCURRENTLY by_text ON t (upper(s)) WHERE v > 50").to_string(), "OK");
  stop = true;
  for (std::thread& writer : writers) {
    writer.join();
  }
  EXPECT_EQ(client.query("SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 't'::regclass AND NOT "
                         "indisprimary ORDER BY indexrelid"),
            "by_v|t\nby_w|t\nby_text|t\n");
  EXPECT_EQ(client.query("SELECT kind, state, progress, error FROM pando.jobs ORDER BY job_id"),
            "build index|succeeded|1|\nbuild index|succeeded|1|\nbuild index|succeeded|1|\n");
}

// A writer takes a key from one row and gives it to another while the index is built: what the first row leaves is not
// the second row's entry.
TEST_F(SchemaChangeTest, AUniqueKeyMayChangeHands) {
  Client client(*node_);
  ASSERT_TRUE(client.run(kTable).ok());
  std::atomic<bool> stop{false};
  std::atomic<int> moved{0};
  std::thread writer([&] {
    Client writer(*node_);
    for (int i = 0; !stop.load(); ++i) {
      const int from = 20000 - i % 15000;
      // The new row comes first, so that for a moment both have the key.
      EXPECT_EQ(writer
                    .run(fmt::format("BEGIN; UPDATE t SET w = -w WHERE id = {0};"
                                     "INSERT INTO t VALUES (-{0}, 0, {0}, 'took it') ON CONFLICT (id) DO NOTHING;"
                                     "DELETE FROM t WHERE id = {0}; COMMIT",
                                     from))
                    .to_string(),
                "OK");
      ++moved;
    }
  });
  while (moved < 20) {
    std::this_thread::yield();
  }
  EXPECT_EQ(client.run("CREATE UNIQUE INDEX CONCURRENTLY by_w ON t (w)").to_string(), "OK");
  stop = true;
  writer.join();
}

TEST_F(SchemaChangeTest, DuplicatesLeaveNothingBehind) {
  Client client(*node_);
  ASSERT_TRUE(client.run(kTable).ok());
  ASSERT_TRUE(client.run("UPDATE t SET w = 19000 WHERE id = 3").ok());
  const Status status = client.run("CREATE UNIQUE INDEX CONCURRENTLY by_w ON t (w)");
  EXPECT_EQ(status.to_string(), "23505: could not create unique index \"by_w\"");
  EXPECT_EQ(status.fields().detail, "Key (w)=(19000) is duplicated.");
  EXPECT_EQ(status.fields().table_name, "t");
  EXPECT_EQ(status.fields().constraint_name, "by_w");
  EXPECT_EQ(client.query("SELECT count(*) FROM pg_class WHERE relname = 'by_w'"), "0\n");
  EXPECT_EQ(client.query("SELECT statement, state, error FROM pando.jobs"),
            "CREATE UNIQUE INDEX CONCURRENTLY by_w ON t (w)|failed|could not create unique index \"by_w\"\n");
  // The name is free again.
  ASSERT_TRUE(client.run("DELETE FROM t WHERE id = 3").ok());
  EXPECT_EQ(client.run("CREATE UNIQUE INDEX CONCURRENTLY by_w ON t (w)").to_string(), "OK");
}

// Somebody who has written to the table keeps a job from ending.
TEST_F(SchemaChangeTest, AJobIsCancelled) {
  Client client(*node_);
  ASSERT_TRUE(client.run(kTable).ok());
  Client holder(*node_);
  Status built;
  catch_job(holder, [&] {
    Client own(*node_);
    built = own.run("CREATE INDEX CONCURRENTLY by_v ON t (v)");
  });
  const std::string cancel = "CALL pando.cancel_job((SELECT max(job_id) FROM pando.jobs))";
  EXPECT_EQ(client.run(cancel).to_string(), "OK");
  wait_for(kNewestState, "reverting|canceling statement due to user request\n");
  EXPECT_TRUE(holder.run("COMMIT").ok());
  builder_.join();
  EXPECT_EQ(built.to_string(), "57014: canceling statement due to user request");
  EXPECT_EQ(client.query(kNewestState), "cancelled|canceling statement due to user request\n");
  EXPECT_EQ(client.query("SELECT count(*) FROM pg_class WHERE relname = 'by_v'"), "0\n");
  EXPECT_EQ(client.run("CALL pando.cancel_job(1)").to_string(), "42704: job 1 does not exist");
  EXPECT_TRUE(client.run(cancel).is(sql_state::kObjectNotInPrerequisiteState));
}

// Also by a transaction that keeps it from going on.
TEST_F(SchemaChangeTest, WhoHasTheTableCancelsTheJob) {
  // Many pieces, so that it is caught at one of them.
  node_->environment().job_sizes.piece_max = node_->environment().job_sizes.piece_min;
  Client client(*node_);
  ASSERT_TRUE(client.run(kTable).ok());
  Client holder(*node_);
  ASSERT_TRUE(holder.run("SET statement_timeout = '20s'").ok());
  Status built;
  const auto build = [&] {
    Client own(*node_);
    built = own.run("CREATE INDEX CONCURRENTLY by_v ON t (v)");
  };
  catch_job(holder, build, "LOCK TABLE t");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(holder.run("CALL pando.cancel_job((SELECT max(job_id) FROM pando.jobs))").to_string(), "OK");
  EXPECT_TRUE(holder.run("COMMIT").ok());
  builder_.join();
  EXPECT_EQ(built.to_string(), "57014: canceling statement due to user request");
}

// The statement's cancellation is the job's.
TEST_F(SchemaChangeTest, AStatementThatIsCancelledLeavesNothingBehind) {
  Client client(*node_);
  ASSERT_TRUE(client.run(kTable).ok());
  Client holder(*node_);
  Client own(*node_);
  Status built;
  catch_job(holder, [&] { built = own.run("CREATE INDEX CONCURRENTLY by_v ON t (v)"); });
  own.session().request_cancel(Status(sql_state::kQueryCanceled, "canceling statement due to user request"));
  wait_for(kNewestState, "reverting|canceling statement due to user request\n");
  EXPECT_TRUE(holder.run("COMMIT").ok());
  builder_.join();
  EXPECT_EQ(built.to_string(), "57014: canceling statement due to user request");
  EXPECT_EQ(client.query("SELECT count(*) FROM pg_class WHERE relname = 'by_v'"), "0\n");
}

TEST_F(SchemaChangeTest, AJobGoesOnAfterARestart) {
  {
    Client client(*node_);
    ASSERT_TRUE(client.run(kTable).ok());
    Client holder(*node_);
    Client own(*node_);
    Status built;
    catch_job(holder, [&] { built = own.run("CREATE INDEX CONCURRENTLY by_v ON t (v)"); });
    own.session().request_termination(Status(sql_state::kAdminShutdown, "the node ends"));
    builder_.join();
    EXPECT_EQ(built.to_string(), "57P01: the node ends");
    EXPECT_EQ(client.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_v'::regclass"), "f\n");
  }
  close();
  open();
  wait_for(kNewestState, "succeeded|\n");
  wait_for("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_v'::regclass", "t\n");
  Client client(*node_);
  EXPECT_EQ(client.query("SELECT term > 1, rows_done FROM pando.jobs ORDER BY job_id DESC LIMIT 1"), "t|20000\n");
}

// The snapshot is older than the index: it must not be looked for in it.
TEST_F(SchemaChangeTest, AnOldSnapshotDoesNotUseANewIndex) {
  Client client(*node_);
  ASSERT_TRUE(client.run(kTable).ok());
  Client old(*node_);
  EXPECT_EQ(old.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"), "1\n");
  ASSERT_TRUE(client.run("CREATE INDEX CONCURRENTLY by_v ON t (v)").ok());
  EXPECT_TRUE(old.run("SELECT count(*) FROM t WHERE v = 5").is(sql_state::kSerializationFailure));
  ASSERT_TRUE(old.run("ROLLBACK").ok());
  EXPECT_EQ(old.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t WHERE v = 5; COMMIT"), "200\n");
}

// Who deletes a key without having heard of the constraint is waited for.
TEST_F(SchemaChangeTest, AForeignKeyWaitsForWritersOfItsKeys) {
  Client client(*node_);
  ASSERT_TRUE(client
                  .run("CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE children (parent int);"
                       "INSERT INTO parents VALUES (1), (2); INSERT INTO children VALUES (1), (2)")
                  .ok());
  Client deleter(*node_);
  ASSERT_TRUE(deleter.run("BEGIN; DELETE FROM parents WHERE id = 1").ok());
  std::atomic<bool> over{false};
  Status added;
  std::thread adder([&] {
    Client own(*node_);
    added = own.run("ALTER TABLE children ADD FOREIGN KEY (parent) REFERENCES parents");
    over = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(over);
  EXPECT_TRUE(deleter.run("COMMIT").ok());
  adder.join();
  EXPECT_TRUE(added.is(sql_state::kForeignKeyViolation)) << added.to_string();
}

// What is built may be dropped, and its table emptied or dropped, before it is done.
TEST_F(SchemaChangeTest, WhatAJobWorksOnMayGo) {
  for (const char* sql : {"DROP INDEX by_v", "ALTER TABLE t DROP COLUMN v", "DROP TABLE t", "TRUNCATE t"}) {
    Client client(*node_);
    ASSERT_TRUE(client.run("DROP TABLE IF EXISTS t").ok());
    ASSERT_TRUE(client.run(kTable).ok());
    Client holder(*node_);
    Status built;
    catch_job(holder, [&] {
      Client own(*node_);
      built = own.run("CREATE INDEX CONCURRENTLY by_v ON t (v)");
    });
    Status changed;
    std::thread changer([&] {
      Client own(*node_);
      changed = own.run(sql);
    });
    EXPECT_TRUE(holder.run("COMMIT").ok());
    changer.join();
    builder_.join();
    EXPECT_EQ(changed.to_string(), "OK") << sql;
    // The job may have been faster.
    EXPECT_TRUE(built.ok() || built.is(sql_state::kUndefinedObject) || built.is(sql_state::kUndefinedTable))
        << built.to_string();
    EXPECT_EQ(client.query("SELECT count(*) FROM pando.jobs WHERE state IN ('running', 'reverting')"), "0\n");
  }
}

}  // namespace
}  // namespace pando::node
