// Runs testdata/session/*.txt: stories of sessions on the in-memory store. Commands:
//   sql [session=b]                       the simple protocol; the input is the text
//   prepare name | bind portal statement=s parameters=(1,x) | execute portal [rows=n] | sync
//   "unnamed" stands for the unnamed statement or portal
//   describe name                         a prepared statement's parameters and columns
//   start session=b | end session=b       as sql, but goes on while it waits for another session
//   copy                                  the simple protocol; the first input line is the statement, the rest its data

#include "session/session.h"

#include <gtest/gtest.h>

#include "catalog/system_relations.h"
#include "runtime/block_on.h"
#include "session/testing_text_sink.h"
#include "test/support/datadriven.h"
#include "test/support/memory_disk.h"
#include "txn/memory/memory_store.h"

namespace pando::session {
namespace {

// Time stands still, and nothing is ever late.
class StillClock final : public runtime::Clock {
 public:
  uint64_t wall_ns() override { return 1'700'000'000'000'000'000; }
  uint64_t monotonic_ns() override { return 0; }
};
class IdleTimer final : public runtime::Timer {
 public:
  runtime::TimerId schedule(std::chrono::nanoseconds, std::function<void()>) override { return 1; }
  void cancel(runtime::TimerId) override {}
};

class SessionStory {
 public:
  // `on_the_spot`: what can be done without a coroutine is, as a connection does; else nothing is.
  explicit SessionStory(bool on_the_spot) : on_the_spot_(on_the_spot) {
    EXPECT_TRUE(runtime::block_on(executor_, catalog_.open(executor_)).ok());
  }
  ~SessionStory() {
    for (auto& [name, session] : sessions_) {
      runtime::block_on(executor_, session->close());
    }
  }

  std::string run(const test::Command& command) {
    Session& session = get(command.value("session", "a"));
    std::string name = command.arguments.empty() ? "" : command.arguments.front().key;
    name = name == "unnamed" ? "" : name;
    if (command.name == "sql" || command.name == "copy") {
      const auto line_end = command.name == "copy" ? command.input.find('\n') : std::string::npos;
      sink_.give_copy_data(line_end == std::string::npos ? "" : command.input.substr(line_end + 1));
      return finish(session, run_text(session, command.input.substr(0, line_end)));
    }
    if (command.name == "start") {
      return start(session, command);
    }
    if (command.name == "end") {
      return end(session, command.value("session"));
    }
    if (command.name == "prepare") {
      return extended(session, session.prepare(name, command.input, {}));
    }
    if (command.name == "bind") {
      return bind(session, command, name);
    }
    if (command.name == "describe") {
      return describe(session, name);
    }
    if (command.name == "execute") {
      auto outcome = execute(session, name, std::stoul(command.value("rows", "0")));
      if (outcome.ok() && *outcome == ExecuteOutcome::kSuspended) {
        return sink_.take() + "(suspended)";
      }
      return extended(session, std::move(outcome).status());
    }
    const bool synced = on_the_spot_ && session.try_sync();
    return finish(session, synced ? Status() : runtime::block_on(executor_, session.sync()));
  }

 private:
  Status run_text(Session& session, const std::string& sql) {
    Status status;
    if (on_the_spot_ && session.try_run(sql, &sink_, status) && status.ok()) {
      return status;
    }
    sink_.take();
    return runtime::block_on(executor_, session.run(sql, &sink_));
  }

  // What a session does while others go on.
  struct Started {
    TestingTextSink sink;
    Status status;
    bool ended = false;
  };
  Task<void> yield() { co_await runtime::yield_to(executor_); }
  static Task<void> run_started(Session* session, std::string sql, Started* started) {
    started->status = co_await session->run(sql, &started->sink);
    started->ended = true;
  }
  std::string start(Session& session, const test::Command& command) {
    auto& started = started_[command.value("session")];
    started = std::make_unique<Started>();
    runtime::spawn(executor_, run_started(&session, command.input, started.get()));
    // More than it takes to come to the lock.
    for (int i = 0; i < 100; ++i) {
      runtime::block_on(executor_, yield());
    }
    return started->ended ? end(session, command.value("session")) : "(waits)";
  }
  std::string end(Session& session, const std::string& name) {
    Started& started = *started_.at(name);
    executor_.run_until(started.ended);
    return started.sink.take() + (started.status.ok() ? "" : show(started.status) + "\n") + "[" +
           session.transaction_status() + "]";
  }

  Result<ExecuteOutcome> execute(Session& session, const std::string& portal, uint64_t rows_max) {
    Status status;
    if (on_the_spot_ && session.try_execute(portal, rows_max, &sink_, status)) {
      return status.ok() ? Result(ExecuteOutcome::kCompleted) : Result<ExecuteOutcome>(status);
    }
    return runtime::block_on(executor_, session.execute(portal, rows_max, &sink_));
  }

  Session& get(const std::string& name) {
    auto& session = sessions_[name];
    if (session == nullptr) {
      session = std::make_unique<Session>(environment_, executor_, SessionIdentity{});
    }
    return *session;
  }

  std::string bind(Session& session, const test::Command& command, const std::string& portal) {
    const std::vector<std::string> values = command.values("parameters");
    std::vector<BoundParameter> parameters;
    for (const std::string& value : values) {
      parameters.push_back({.is_null = value == "NULL", .bytes = value});
    }
    const std::string statement = command.value("statement");
    return extended(session, session.bind({.portal = portal, .statement = statement, .parameters = parameters}));
  }

  std::string describe(Session& session, const std::string& name) {
    const auto statement = session.describe_statement(name);
    if (!statement.ok()) {
      return extended(session, statement.status());
    }
    std::string out = "parameters";
    for (const types::Type& type : (*statement)->parameter_types) {
      out += " " + types::format_type(type);
    }
    out += "\ncolumns";
    if ((*statement)->plan != nullptr && (*statement)->plan->shape != nullptr) {
      for (const ResultColumn& column : *(*statement)->plan->shape) {
        out += fmt::format(" {}:{}", column.name, types::format_type(column.type));
      }
    }
    return out;
  }

  std::string extended(Session& session, const Status& status) {
    if (!status.ok()) {
      runtime::block_on(executor_, session.fail());
    }
    const std::string out = sink_.take() + (status.ok() ? "" : show(status));
    return out.empty() ? "ok" : out;
  }

  std::string finish(Session& session, const Status& status) {
    return sink_.take() + (status.ok() ? "" : show(status) + "\n") + "[" + session.transaction_status() + "]";
  }

  static std::string show(const Status& status) {
    std::string out = "ERROR " + status.to_string();
    out += status.fields().where.empty() ? "" : "\nCONTEXT " + status.fields().where;
    return out;
  }

  const bool on_the_spot_;
  StillClock clock_;
  IdleTimer timer_;
  runtime::InlineExecutor executor_;
  txn::MemoryStore store_{&timer_};
  catalog::Catalog catalog_{store_, catalog::CatalogOptions{.system_relations = catalog::system_relations()}};
  catalog::Sequences sequences_{store_};
  catalog::Statistics statistics_{store_, catalog_.options().database};
  SessionRegistry registry_{10};
  test::MemoryDisk files_;
  SessionEnvironment environment_{.store = store_,
                                  .catalog = catalog_,
                                  .sequences = sequences_,
                                  .clock = clock_,
                                  .timer = timer_,
                                  .registry = registry_,
                                  .files = &files_,
                                  .statistics = &statistics_,
                                  .random = [] { return uint64_t{42}; }};
  TestingTextSink sink_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
  std::map<std::string, std::unique_ptr<Started>> started_;
};

TEST(Session, Stories) {
  const auto files = test::testdata_files("src/session/testdata/session");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    SCOPED_TRACE(file);
    for (const bool on_the_spot : {false, true}) {
      SCOPED_TRACE(on_the_spot ? "on the spot" : "the general way");
      SessionStory story(on_the_spot);
      test::run_datadriven(file, [&story](const test::Command& command) { return story.run(command); });
    }
  }
}

}  // namespace
}  // namespace pando::session
