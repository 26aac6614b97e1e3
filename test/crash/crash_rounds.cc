// Kills a real server with SIGKILL at random moments under concurrent load, restarts it, and checks that nothing
// acknowledged is lost, nothing is half done, and indexes match tables.
//
//   pando_crash_rounds PANDO_BINARY DIRECTORY ROUNDS [SEED]
//
// A round: load, until the server is killed (or asked to stop and then killed); perhaps restarts that are killed while
// they recover; then a restart, verify, a clean stop or another kill, and `pando check`.
//
// Every transfer moves an amount between two accounts and writes it into history, in one transaction. Each worker's
// acknowledged transfers must all be there and at most one more; the balances must be exactly what history says;
// and reading through a secondary index must give what reading the rows gives.
//
// In some rounds one more worker loads a table with one COPY that is larger than what a transaction may keep in memory,
// in the transaction that truncates it or beside rows that are there, and counts the load in `loads`. Every
// acknowledged load must be there as a whole, and none in part. The last line is "N passed, N failed".

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/prng.h"
#include "server_process.h"

namespace pando::crash {
namespace {

constexpr int kAccounts = 200;
constexpr int kBranches = 10;
constexpr int kWorkers = 4;
constexpr int kStartingBalance = 1000;
// A load of 150 MB: more than two of the buffers that a transaction has before it moves writes to disk.
constexpr int kLoadRows = 30'000;
constexpr std::size_t kFillerBytes = 5000;

bool is_ok(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

bool run(PGconn* connection, const std::string& sql) {
  const ResultPtr result(PQexec(connection, sql.c_str()));
  return is_ok(result.get());
}

long long number(PGconn* connection, const std::string& sql) {
  const ResultPtr result(PQexec(connection, sql.c_str()));
  if (!is_ok(result.get()) || PQntuples(result.get()) != 1) {
    std::fprintf(stderr, "%s: %s", sql.c_str(), PQresultErrorMessage(result.get()));
    std::exit(EXIT_FAILURE);
  }
  return std::atoll(PQgetvalue(result.get(), 0, 0));
}

int free_port() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(listener);
  if (!bound) {
    std::perror("no free port");
    std::exit(EXIT_FAILURE);
  }
  return ntohs(address.sin_port);
}

std::string make_tables(PGconn* connection) {
  const bool made =
      run(connection,
          "CREATE TABLE accounts (id int PRIMARY KEY, branch int NOT NULL, balance int NOT NULL);"
          "CREATE INDEX accounts_branch ON accounts (branch, balance);"
          "CREATE TABLE history (worker int, seq int, source int, target int, amount int, PRIMARY KEY (worker, seq));"
          "CREATE INDEX history_source ON history (source);"
          "CREATE TABLE fresh (load int, id int, filler text, PRIMARY KEY (load, id));"
          "CREATE TABLE kept (load int, id int, filler text, PRIMARY KEY (load, id));"
          "CREATE INDEX kept_id ON kept (id);"
          "CREATE TABLE loads (name text PRIMARY KEY, count int NOT NULL);"
          "INSERT INTO loads VALUES ('fresh', 0), ('kept', 0)") &&
      run(connection, "INSERT INTO accounts SELECT i, i % 10, " + std::to_string(kStartingBalance) +
                          " FROM generate_series(1, " + std::to_string(kAccounts) + ") AS i");
  return made ? "" : PQerrorMessage(connection);
}

// Transfers until the server is gone; returns the last acknowledged sequence number.
int transfer_until_killed(PGconn* connection, int worker, uint64_t seed, int acknowledged) {
  Prng prng(seed);
  while (true) {
    const auto source = std::to_string(prng.between(1, kAccounts));
    const auto target = std::to_string(prng.between(1, kAccounts));
    const auto amount = std::to_string(prng.between(1, 50));
    const auto seq = std::to_string(acknowledged + 1);
    const bool done = run(connection, "BEGIN") &&
                      run(connection, "UPDATE accounts SET balance = balance - " + amount + " WHERE id = " + source) &&
                      run(connection, "UPDATE accounts SET balance = balance + " + amount + " WHERE id = " + target) &&
                      run(connection, "INSERT INTO history VALUES (" + std::to_string(worker) + "," + seq + "," +
                                          source + "," + target + "," + amount + ")") &&
                      run(connection, "COMMIT");
    if (done) {
      ++acknowledged;
    } else if (PQstatus(connection) != CONNECTION_OK) {
      return acknowledged;
    } else {
      run(connection, "ROLLBACK");
    }
  }
}

bool copy_rows(PGconn* connection, const std::string& table, int load) {
  const ResultPtr started(PQexec(connection, ("COPY " + table + " FROM STDIN").c_str()));
  if (PQresultStatus(started.get()) != PGRES_COPY_IN) {
    return false;
  }
  const std::string filler(kFillerBytes, static_cast<char>('a' + load % 26));
  for (int id = 0; id < kLoadRows; ++id) {
    const std::string row = std::to_string(load) + "\t" + std::to_string(id) + "\t" + filler + "\n";
    if (PQputCopyData(connection, row.data(), static_cast<int>(row.size())) != 1) {
      return false;
    }
  }
  if (PQputCopyEnd(connection, nullptr) != 1) {
    return false;
  }
  bool loaded = false;
  for (ResultPtr result(PQgetResult(connection)); result != nullptr; result.reset(PQgetResult(connection))) {
    loaded = is_ok(result.get());
  }
  return loaded;
}

// The loads of one table: of each only the last is there.
struct Loads {
  std::string table;
  // What makes room for the next.
  std::string clear;
  int acknowledged = 0;
};

// Loads until the server is gone.
void load_until_killed(PGconn* connection, Loads& loads) {
  while (PQstatus(connection) == CONNECTION_OK) {
    const int load = loads.acknowledged + 1;
    const bool done =
        run(connection, "BEGIN") && run(connection, loads.clear) && copy_rows(connection, loads.table, load) &&
        run(connection, "UPDATE loads SET count = " + std::to_string(load) + " WHERE name = '" + loads.table + "'") &&
        run(connection, "COMMIT");
    if (done) {
      loads.acknowledged = load;
    } else if (PQstatus(connection) == CONNECTION_OK) {
      std::fprintf(stderr, "%s", PQerrorMessage(connection));
      std::exit(EXIT_FAILURE);
    }
  }
}

std::string verify_loads(PGconn* connection, Loads& loads) {
  const auto found = static_cast<int>(number(connection, "SELECT count FROM loads WHERE name = '" + loads.table + "'"));
  const long long rows = number(connection, "SELECT count(*) FROM " + loads.table);
  const long long others =
      number(connection, "SELECT count(*) FROM " + loads.table + " WHERE load <> " + std::to_string(found));
  const long long expected = found == 0 ? 0 : kLoadRows;
  if (found < loads.acknowledged || found > loads.acknowledged + 1 || rows != expected || others != 0) {
    return loads.table + ": acknowledged load " + std::to_string(loads.acknowledged) + ", found " +
           std::to_string(found) + " with " + std::to_string(rows) + " rows, " + std::to_string(others) +
           " of other loads";
  }
  loads.acknowledged = found;
  return "";
}

// Returns what is wrong; empty when all is right. Corrects `acknowledged` by commits whose answer was lost.
std::string verify(PGconn* connection, std::vector<int>& acknowledged) {
  for (int worker = 0; worker < kWorkers; ++worker) {
    const std::string where = " FROM history WHERE worker = " + std::to_string(worker);
    const auto found = static_cast<int>(number(connection, "SELECT coalesce(max(seq), 0)" + where));
    const auto count = static_cast<int>(number(connection, "SELECT count(*)" + where));
    int& known = acknowledged[static_cast<std::size_t>(worker)];
    if (found < known || found > known + 1 || count != found) {
      return "worker " + std::to_string(worker) + ": acknowledged " + std::to_string(known) + ", last found " +
             std::to_string(found) + ", rows " + std::to_string(count);
    }
    known = found;
  }
  const long long wrong =
      number(connection, "SELECT count(*) FROM accounts a WHERE balance <> " + std::to_string(kStartingBalance) +
                             " + coalesce((SELECT sum(amount) FROM history WHERE target = a.id), 0)"
                             " - coalesce((SELECT sum(amount) FROM history WHERE source = a.id), 0)");
  if (wrong != 0) {
    return std::to_string(wrong) + " accounts do not agree with history";
  }
  // By branch the index is read, a point at a time; the sum over all rows reads the rows.
  long long by_index = 0;
  for (int branch = 0; branch < kBranches; ++branch) {
    by_index += number(connection, "SELECT coalesce(sum(balance), 0) + count(*) FROM accounts WHERE branch = " +
                                       std::to_string(branch));
  }
  const long long by_rows = number(connection, "SELECT sum(balance) + count(*) FROM accounts");
  return by_index == by_rows ? ""
                             : "the index gives " + std::to_string(by_index) + ", the rows " + std::to_string(by_rows);
}

class Rounds {
 public:
  Rounds(ServerProcess& server, uint64_t seed) : server_(server), prng_(seed), acknowledged_(kWorkers, 0) {}

  // Each returns what went wrong; empty for nothing.
  std::string prepare() {
    server_.start();
    const ConnectionPtr connection = server_.connect();
    if (connection == nullptr) {
      return no_answer();
    }
    std::string problem = make_tables(connection.get());
    server_.terminate();
    const std::string end = server_.end();
    return problem.empty() ? end : problem;
  }

  std::string run_round(int round) {
    // The first round has one, so that even a short run does.
    Loads* const loads = round % 3 == 0 ? &loads_[static_cast<std::size_t>(round / 3 % 2)] : nullptr;
    std::string problem = load_and_kill(loads);
    while (problem.empty() && prng_.below(2) == 0) {
      problem = kill_while_starting();
    }
    if (problem.empty()) {
      problem = restart_and_verify();
    }
    return problem.empty() ? server_.check() : problem;
  }

  long long transfers() const {
    long long sum = 0;
    for (const int count : acknowledged_) {
      sum += count;
    }
    return sum;
  }
  int loads() const { return loads_[0].acknowledged + loads_[1].acknowledged; }

 private:
  std::string no_answer() {
    server_.kill_now();
    const std::string end = server_.end();
    return "the server does not serve; " + (end.empty() ? "it was still running" : end);
  }

  std::string load_and_kill(Loads* loads) {
    server_.start();
    std::vector<ConnectionPtr> connections;
    for (int worker = 0; worker < kWorkers; ++worker) {
      connections.push_back(server_.connect());
      if (connections.back() == nullptr) {
        return no_answer();
      }
    }
    std::vector<std::thread> workers;
    for (int worker = 0; worker < kWorkers; ++worker) {
      workers.emplace_back([this, worker, seed = prng_.next(), connection = connections[worker].get()] {
        int& mine = acknowledged_[static_cast<std::size_t>(worker)];
        mine = transfer_until_killed(connection, worker, seed, mine);
      });
    }
    ConnectionPtr loading;
    if (loads != nullptr) {
      loading = server_.connect();
      if (loading == nullptr) {
        return no_answer();
      }
      workers.emplace_back([&] { load_until_killed(loading.get(), *loads); });
    }
    wait_up_to(loads != nullptr ? 5000 : 700);
    if (prng_.below(4) == 0) {
      server_.terminate();
      wait_up_to(100);
    }
    server_.kill_now();
    for (auto& worker : workers) {
      worker.join();
    }
    return server_.end();
  }

  std::string kill_while_starting() {
    server_.start();
    wait_up_to(150);
    server_.kill_now();
    return server_.end();
  }

  std::string restart_and_verify() {
    server_.start();
    const ConnectionPtr connection = server_.connect();
    if (connection == nullptr) {
      return no_answer();
    }
    std::string problem = verify(connection.get(), acknowledged_);
    for (Loads& loads : loads_) {
      problem = problem.empty() ? verify_loads(connection.get(), loads) : problem;
    }
    if (prng_.below(4) == 0) {
      server_.kill_now();
    } else {
      server_.terminate();
    }
    const std::string end = server_.end();
    return problem.empty() ? end : problem;
  }

  void wait_up_to(uint64_t milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(prng_.below(milliseconds)));
  }

  ServerProcess& server_;
  Prng prng_;
  std::vector<int> acknowledged_;
  std::array<Loads, 2> loads_{Loads{"fresh", "TRUNCATE fresh"}, Loads{"kept", "DELETE FROM kept"}};
};

int run_rounds(ServerProcess& server, int count, uint64_t seed) {
  Rounds rounds(server, seed);
  std::string problem = rounds.prepare();
  int passed = 0;
  for (; passed < count && problem.empty(); ++passed) {
    problem = rounds.run_round(passed);
    if (!problem.empty()) {
      break;
    }
  }
  if (!problem.empty()) {
    std::printf("round %d of seed %llu: %s\n", passed, static_cast<unsigned long long>(seed), problem.c_str());
    std::printf("%d passed, 1 failed\n", passed);
    return EXIT_FAILURE;
  }
  std::printf("%lld acknowledged transfers and %d loads survived, seed %llu\n", rounds.transfers(), rounds.loads(),
              static_cast<unsigned long long>(seed));
  std::printf("%d passed, 0 failed\n", passed);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace pando::crash

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: pando_crash_rounds PANDO_BINARY DIRECTORY ROUNDS [SEED]\n");
    return 2;
  }
  const uint64_t seed = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : static_cast<uint64_t>(getpid());
  pando::crash::ServerProcess server(argv[1], argv[2], pando::crash::free_port());
  return pando::crash::run_rounds(server, std::atoi(argv[3]), seed);
}
