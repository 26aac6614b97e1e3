// Prepared point reads by primary key, one thread, in process: libpando beside SQLite, the same rows and keys.
//
// Prints reads per second of both and their ratio. Both databases are on disk, in a temporary directory, and fit in
// their caches.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sqlite3.h>
#include <unistd.h>

#include "base/prng.h"
#include "pando/database.h"

namespace {

constexpr int64_t kRows = 100'000;
constexpr int kReads = 400'000;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

double reads_per_second(const auto& read_one) {
  pando::Prng prng(1);
  int64_t sum = 0;
  for (int i = 0; i < kReads / 10; ++i) {
    sum += read_one(prng.between(1, kRows));
  }
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kReads; ++i) {
    sum += read_one(prng.between(1, kRows));
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (sum == 0) {
    fail("reads found nothing");
  }
  return kReads / elapsed.count();
}

double measure_pando(const std::string& directory) {
  auto database = pando::Database::open(directory);
  if (!database) {
    fail(database.error().message);
  }
  auto connection = database->connect();
  connection->execute("CREATE TABLE t (id bigint PRIMARY KEY, a bigint, b text)");
  auto appender = connection->appender("t");
  for (int64_t id = 1; id <= kRows; ++id) {
    appender->append({id, id * 7, "row " + std::to_string(id)});
  }
  if (auto finished = appender->finish(); !finished) {
    fail(finished.error().message);
  }
  auto statement = connection->prepare("SELECT a, b FROM t WHERE id = $1");
  if (!statement) {
    fail(statement.error().message);
  }
  return reads_per_second([&](int64_t id) {
    statement->bind(1, id);
    auto rows = statement->query();
    if (!rows || !rows->next()) {
      fail("a row is missing");
    }
    return *rows->get<int64_t>(0) + static_cast<int64_t>(rows->text(1).size());
  });
}

double measure_sqlite(const std::string& path) {
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) {
    fail("sqlite3_open");
  }
  sqlite3_exec(database, "PRAGMA journal_mode = WAL; PRAGMA cache_size = -524288", nullptr, nullptr, nullptr);
  sqlite3_exec(database, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT); BEGIN", nullptr, nullptr,
               nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database, "INSERT INTO t VALUES (?, ?, ?)", -1, &insert, nullptr);
  for (int64_t id = 1; id <= kRows; ++id) {
    const std::string text = "row " + std::to_string(id);
    sqlite3_bind_int64(insert, 1, id);
    sqlite3_bind_int64(insert, 2, id * 7);
    sqlite3_bind_text(insert, 3, text.c_str(), -1, SQLITE_TRANSIENT);
    sqlite3_step(insert);
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_stmt* select = nullptr;
  sqlite3_prepare_v2(database, "SELECT a, b FROM t WHERE id = ?", -1, &select, nullptr);
  const double rate = reads_per_second([&](int64_t id) {
    sqlite3_bind_int64(select, 1, id);
    if (sqlite3_step(select) != SQLITE_ROW) {
      fail("a row is missing");
    }
    const int64_t sum = sqlite3_column_int64(select, 0) + sqlite3_column_bytes(select, 1);
    sqlite3_reset(select);
    return sum;
  });
  sqlite3_finalize(select);
  sqlite3_close(database);
  return rate;
}

}  // namespace

int main() {
  const std::string directory =
      std::filesystem::temp_directory_path() / ("pando-embedded-bench-" + std::to_string(getpid()));
  std::filesystem::create_directory(directory);
  const double pando = measure_pando(directory + "/pando");
  const double sqlite = measure_sqlite(directory + "/sqlite.db");
  std::filesystem::remove_all(directory);
  std::printf("embedded point read, one thread: Pando %.0f/s, SQLite %.0f/s, ratio %.2fx\n", pando, sqlite,
              pando / sqlite);
  return 0;
}
