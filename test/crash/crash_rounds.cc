// Kills a real server with SIGKILL at random moments under concurrent load, restarts it, and checks that nothing
// acknowledged is lost, nothing is half done, and indexes match tables.
//
//   pando_crash_rounds PANDO_BINARY DIRECTORY ROUNDS [SEED]
//
// Every transfer moves an amount between two accounts and writes it into history, in one transaction. After a restart:
// each worker's acknowledged transfers are all there and at most one more; the balances are exactly what history says;
// and reading through a secondary index gives what reading the rows gives. The last line is "N passed, N failed".

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <libpq-fe.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/prng.h"

namespace {

using pando::Prng;

constexpr int kAccounts = 200;
constexpr int kBranches = 10;
constexpr int kWorkers = 4;
constexpr int kStartingBalance = 1000;
constexpr int kStartAttempts = 300;

struct ConnectionDeleter {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using ConnectionPtr = std::unique_ptr<PGconn, ConnectionDeleter>;
struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

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

class Server {
 public:
  Server(std::string binary, std::string directory, int port)
      : binary_(std::move(binary)), directory_(std::move(directory)), port_(port) {}

  void start() {
    const std::string listen = "127.0.0.1:" + std::to_string(port_);
    process_ = fork();
    if (process_ == 0) {
      const std::string log = directory_ + ".log";
      if (freopen(log.c_str(), "a", stdout) == nullptr || freopen(log.c_str(), "a", stderr) == nullptr) {
        _exit(1);
      }
      execl(binary_.c_str(), binary_.c_str(), "start", "--dir", directory_.c_str(), "--listen", listen.c_str(),
            nullptr);
      _exit(1);
    }
  }

  ConnectionPtr connect() const {
    const std::string where =
        "host=127.0.0.1 user=postgres dbname=postgres connect_timeout=5 port=" + std::to_string(port_);
    for (int attempt = 0; attempt < kStartAttempts; ++attempt) {
      ConnectionPtr connection(PQconnectdb(where.c_str()));
      if (PQstatus(connection.get()) == CONNECTION_OK) {
        return connection;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    std::fprintf(stderr, "the server does not answer; see %s.log\n", directory_.c_str());
    std::exit(EXIT_FAILURE);
  }

  void stop(int signal) {
    kill(process_, signal);
    waitpid(process_, nullptr, 0);
  }

 private:
  const std::string binary_;
  const std::string directory_;
  const int port_;
  pid_t process_ = 0;
};

void make_tables(PGconn* connection) {
  const bool made =
      run(connection,
          "CREATE TABLE accounts (id int PRIMARY KEY, branch int NOT NULL, balance int NOT NULL);"
          "CREATE INDEX accounts_branch ON accounts (branch, balance);"
          "CREATE TABLE history (worker int, seq int, source int, target int, amount int, PRIMARY KEY (worker, seq));"
          "CREATE INDEX history_source ON history (source)") &&
      run(connection, "INSERT INTO accounts SELECT i, i % 10, " + std::to_string(kStartingBalance) +
                          " FROM generate_series(1, " + std::to_string(kAccounts) + ") AS i");
  if (!made) {
    std::fprintf(stderr, "%s", PQerrorMessage(connection));
    std::exit(EXIT_FAILURE);
  }
}

// Transfers until the server is gone; returns the last acknowledged sequence number.
int transfer_until_killed(const Server& server, int worker, uint64_t seed, int acknowledged) {
  Prng prng(seed);
  const ConnectionPtr connection = server.connect();
  while (true) {
    const auto source = std::to_string(prng.between(1, kAccounts));
    const auto target = std::to_string(prng.between(1, kAccounts));
    const auto amount = std::to_string(prng.between(1, 50));
    const auto seq = std::to_string(acknowledged + 1);
    const bool done =
        run(connection.get(), "BEGIN") &&
        run(connection.get(), "UPDATE accounts SET balance = balance - " + amount + " WHERE id = " + source) &&
        run(connection.get(), "UPDATE accounts SET balance = balance + " + amount + " WHERE id = " + target) &&
        run(connection.get(), "INSERT INTO history VALUES (" + std::to_string(worker) + "," + seq + "," + source + "," +
                                  target + "," + amount + ")") &&
        run(connection.get(), "COMMIT");
    if (done) {
      ++acknowledged;
    } else if (PQstatus(connection.get()) != CONNECTION_OK) {
      return acknowledged;
    } else {
      run(connection.get(), "ROLLBACK");
    }
  }
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

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: pando_crash_rounds PANDO_BINARY DIRECTORY ROUNDS [SEED]\n");
    return 2;
  }
  const int rounds = std::atoi(argv[3]);
  const uint64_t seed = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : static_cast<uint64_t>(getpid());
  Prng prng(seed);
  Server server(argv[1], argv[2], static_cast<int>(20000 + prng.below(20000)));
  std::vector<int> acknowledged(kWorkers, 0);
  int passed = 0;
  for (int round = 0; round < rounds; ++round) {
    server.start();
    if (round == 0) {
      make_tables(server.connect().get());
    }
    std::vector<std::thread> workers;
    for (int worker = 0; worker < kWorkers; ++worker) {
      workers.emplace_back([&, worker, worker_seed = prng.next()] {
        int& mine = acknowledged[static_cast<std::size_t>(worker)];
        mine = transfer_until_killed(server, worker, worker_seed, mine);
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + prng.below(700)));
    server.stop(SIGKILL);
    for (auto& worker : workers) {
      worker.join();
    }
    server.start();
    std::string problem = verify(server.connect().get(), acknowledged);
    server.stop(SIGTERM);
    if (!problem.empty()) {
      std::printf("round %d of seed %llu: %s\n", round, static_cast<unsigned long long>(seed), problem.c_str());
      std::printf("%d passed, 1 failed\n", passed);
      return EXIT_FAILURE;
    }
    ++passed;
  }
  long long transfers = 0;
  for (const int count : acknowledged) {
    transfers += count;
  }
  std::printf("%lld acknowledged transfers survived, seed %llu\n", transfers, static_cast<unsigned long long>(seed));
  std::printf("%d passed, 0 failed\n", passed);
  return EXIT_SUCCESS;
}
