// The embedded half of `make demo`: loads a generated shop of 150,000 rows, queries it with joins and aggregates, kills
// a process in the middle of a load, and shows that every acknowledged row is there.
//
//   pando_demo DIRECTORY

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pando/database.h"

namespace {

constexpr int64_t kCustomers = 10'000;
constexpr int64_t kProducts = 1'000;
constexpr int64_t kOrders = 150'000;
constexpr auto kLoadBeforeKill = std::chrono::milliseconds(700);

[[noreturn]] void fail(const pando::Error& error) {
  std::fprintf(stderr, "error %s: %s\n", error.sqlstate.c_str(), error.message.c_str());
  std::exit(1);
}

template <typename T>
T check(pando::Expected<T> result) {
  if (!result) {
    fail(result.error());
  }
  return *std::move(result);
}

void check(const pando::Error& error) {
  if (!error.ok()) {
    fail(error);
  }
}

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// A fixed sequence of numbers: the same data on every run.
class Sequence {
 public:
  int64_t below(int64_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(bound));
  }

 private:
  uint64_t state_ = 42;
};

void load_shop(pando::Connection& connection) {
  check(connection.execute(
      "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, city text NOT NULL);"
      "CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2) NOT NULL CHECK (price > 0));"
      "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, product int NOT NULL "
      "REFERENCES products, quantity int NOT NULL, ordered date NOT NULL);"));
  const Stopwatch watch;
  Sequence numbers;
  const char* const cities[] = {"Lisbon", "Porto", "Madrid", "Paris", "Berlin", "Vienna", "Prague", "Oslo"};
  auto customers = check(connection.appender("customers"));
  for (int64_t id = 1; id <= kCustomers; ++id) {
    check(customers.append({id, "customer " + std::to_string(id), std::string(cities[numbers.below(8)])}));
  }
  int64_t rows = static_cast<int64_t>(check(customers.finish()));
  auto products = check(connection.appender("products"));
  for (int64_t id = 1; id <= kProducts; ++id) {
    const int64_t cents = 100 + numbers.below(20'000);
    const std::string price = std::to_string(cents / 100) + "." + std::to_string(10 + cents % 90);
    check(products.append({id, "product " + std::to_string(id), price}));
  }
  rows += static_cast<int64_t>(check(products.finish()));
  auto orders = check(connection.appender("orders"));
  for (int64_t id = 1; id <= kOrders; ++id) {
    const std::string day =
        "2026-" + std::to_string(1 + numbers.below(12)) + "-" + std::to_string(1 + numbers.below(28));
    check(orders.append({id, 1 + numbers.below(kCustomers), 1 + numbers.below(kProducts), 1 + numbers.below(5), day}));
  }
  rows += static_cast<int64_t>(check(orders.finish()));
  std::printf("loaded %lld rows with primary and foreign keys in %.2f s\n\n", static_cast<long long>(rows),
              watch.seconds());
}

void show(pando::Connection& connection, const std::string& sql) {
  std::printf("> %s\n", sql.c_str());
  const Stopwatch watch;
  auto rows = check(connection.query(sql));
  int count = 0;
  while (rows.next()) {
    std::printf("   ");
    for (std::size_t column = 0; column < rows.column_count(); ++column) {
      std::printf(" %-14s", rows.is_null(column) ? "NULL" : std::string(rows.text(column)).c_str());
    }
    std::printf("\n");
    ++count;
  }
  check(rows.error());
  std::printf("    (%d rows, %.1f ms)\n\n", count, watch.seconds() * 1000);
}

// Inserts rows one commit each and writes the number of the last acknowledged one to `report`.
[[noreturn]] void insert_until_killed(const std::string& directory, int report) {
  auto database = check(pando::Database::open(directory));
  auto connection = check(database.connect());
  auto insert = check(connection.prepare("INSERT INTO events VALUES ($1, 'event ' || $1)"));
  for (int64_t id = 1;; ++id) {
    check(insert.bind(1, id));
    check(insert.execute());
    if (write(report, &id, sizeof(id)) != sizeof(id)) {
      std::exit(1);
    }
  }
}

int64_t kill_in_the_middle(const std::string& directory) {
  int ends[2];
  if (pipe(ends) != 0) {
    std::exit(1);
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    insert_until_killed(directory, ends[1]);
  }
  close(ends[1]);
  std::this_thread::sleep_for(kLoadBeforeKill);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  int64_t acknowledged = 0;
  for (int64_t id = 0; read(ends[0], &id, sizeof(id)) == sizeof(id);) {
    acknowledged = id;
  }
  close(ends[0]);
  return acknowledged;
}

int64_t count_events(const std::string& directory) {
  auto database = check(pando::Database::open(directory));
  auto connection = check(database.connect());
  auto rows = check(connection.query("SELECT count(*), coalesce(max(id), 0) FROM events"));
  rows.next();
  check(rows.error());
  const int64_t count = *rows.get<int64_t>(0);
  if (count != *rows.get<int64_t>(1)) {
    std::fprintf(stderr, "there is a hole in the rows\n");
    std::exit(1);
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: pando_demo DIRECTORY\n");
    return 2;
  }
  const std::string directory = argv[1];
  std::printf("A new database in %s\n\n", directory.c_str());
  {
    auto database = check(pando::Database::open(directory));
    auto connection = check(database.connect());
    load_shop(connection);
    show(connection,
         "SELECT c.city, count(*) AS orders, sum(o.quantity * p.price) AS revenue FROM orders o "
         "JOIN customers c ON c.id = o.customer JOIN products p ON p.id = o.product GROUP BY c.city ORDER BY revenue "
         "DESC");
    show(connection,
         "SELECT p.name, sum(o.quantity) AS sold FROM orders o JOIN products p ON p.id = o.product "
         "WHERE o.ordered BETWEEN '2026-06-01' AND '2026-08-31' GROUP BY p.name ORDER BY sold DESC, p.name LIMIT 3");
    show(connection,
         "SELECT count(*) FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer = c.id)");
    check(connection.execute("CREATE TABLE events (id bigint PRIMARY KEY, what text NOT NULL)"));
  }
  std::printf("Another process inserts events, a commit each, and is killed with SIGKILL ...\n");
  const int64_t acknowledged = kill_in_the_middle(directory);
  const int64_t found = count_events(directory);
  std::printf("acknowledged before the kill: %lld rows; found after it: %lld rows; lost: %lld\n",
              static_cast<long long>(acknowledged), static_cast<long long>(found),
              static_cast<long long>(acknowledged > found ? acknowledged - found : 0));
  return found >= acknowledged && acknowledged > 0 ? 0 : 1;
}
