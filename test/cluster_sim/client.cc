#include "test/cluster_sim/client.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "base/crc32c.h"

namespace pando::test {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kReconnectNs = 50 * kMs;
constexpr double kStays = 0.7;

// What a client of a cluster must be ready for: to try again, or not to know.
constexpr std::array kAlwaysExpected = {sql_state::kSerializationFailure, sql_state::kDeadlockDetected,
                                        sql_state::kStatementCompletionUnknown, sql_state::kCannotConnectNow};

std::string isolation_of(Level level) {
  std::string name(to_string(level));
  std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

}  // namespace

SqlProcess* process_of(SimulatedClusterNode& node) {
  auto* const process = static_cast<SqlProcess*>(node.service());
  return process != nullptr && process->open() ? process : nullptr;
}

Task<void> Client::pause(uint64_t duration_ns) {
  runtime::Event over(world());
  world().after(duration_ns, [&over] { over.set(); });
  co_await over.wait();
}

Task<void> Client::connect() {
  while (true) {
    std::vector<SqlProcess*> open;
    SqlProcess* same = nullptr;
    for (const auto& node : scene_.cluster.nodes()) {
      if (SqlProcess* const process = process_of(*node)) {
        open.push_back(process);
        same = process->node() == node_ ? process : same;
      }
    }
    if (!open.empty()) {
      SqlProcess* const chosen = same != nullptr && prng().chance(kStays) ? same : pick(open);
      connection_ = std::make_unique<SqlConnection>(*chosen);
      node_ = chosen->node();
      co_return;
    }
    co_await pause(kReconnectNs);
  }
}

Task<SqlAnswer> Client::run(std::string sql) {
  if (!in_transaction_ && (connection_ == nullptr || !connection_->usable())) {
    co_await connect();
  }
  world().trace(world().verbose() ? fmt::format("client {} at {}: {}", number_, node_.number(), sql) : "statement",
                {number_, node_.number()});
  SqlAnswer answer{.status = Status(sql_state::kConnectionFailure, "no connection")};
  if (connection_ != nullptr) {
    answer = co_await connection_->run(sql);
  }
  ++scene_.statements;
  std::string told = answer.status.ok() ? answer.tag : answer.status.to_string();
  if (world().verbose()) {
    for (const auto& row : answer.rows) {
      told += fmt::format(" [{}]", fmt::join(row, "|"));
    }
    std::fprintf(stderr, "                client %u: %s\n", number_, told.c_str());
  }
  world().trace("answer", {number_, crc32c(told)});
  check_expected(sql, answer.status);
  if (answer.lost()) {
    connection_.reset();
  }
  co_return answer;
}

void Client::check_expected(const std::string& sql, const Status& status) {
  const auto is = [&](SqlState code) { return status.is(code); };
  if (status.ok() || is(sql_state::kConnectionFailure) || std::ranges::any_of(kAlwaysExpected, is) ||
      std::ranges::any_of(expected_, is)) {
    return;
  }
  world().fail("unexpected error",
               fmt::format("client {} at node {}: {}: {}", number_, node_.number(), sql, status.to_string()));
}

Ending Client::ending_of(const SqlAnswer& answer) {
  if (answer.lost() || answer.status.is(sql_state::kStatementCompletionUnknown)) {
    world().probe("outcome unknown");
    return Ending::kUnknown;
  }
  const bool committed = answer.ok() && answer.tag != "ROLLBACK";
  world().probe(committed ? "committed" : "aborted");
  scene_.commits += committed ? 1 : 0;
  return committed ? Ending::kCommitted : Ending::kAborted;
}

Task<Ending> Client::run_alone(std::string sql, SqlAnswer* answer) {
  SqlAnswer got = co_await run(std::move(sql));
  const Ending ending = ending_of(got);
  if (answer != nullptr) {
    *answer = std::move(got);
  }
  co_return ending;
}

Task<SqlAnswer> Client::run_until_done(std::string sql) {
  while (true) {
    SqlAnswer answer = co_await run(sql);
    if (answer.ok() || world().failed()) {
      co_return answer;
    }
    co_await pause(kReconnectNs);
  }
}

Task<bool> Client::begin(Level level, bool read_only) {
  const SqlAnswer answer =
      co_await run(fmt::format("BEGIN ISOLATION LEVEL {}{}", isolation_of(level), read_only ? " READ ONLY" : ""));
  in_transaction_ = answer.ok();
  co_return answer.ok();
}

Task<Ending> Client::end(bool commit) {
  // Whoever lost the connection before has not asked for the commit.
  const bool asks = connection_ != nullptr && connection_->usable();
  if (!commit || !asks) {
    if (asks) {
      co_await run("ROLLBACK");
    }
    in_transaction_ = false;
    co_return Ending::kAborted;
  }
  const SqlAnswer answer = co_await run("COMMIT");
  in_transaction_ = false;
  co_return ending_of(answer);
}

Task<void> Client::close() {
  if (connection_ != nullptr) {
    co_await connection_->close();
    connection_.reset();
  }
}

}  // namespace pando::test
