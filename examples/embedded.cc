// The smallest whole program on libpando: a database in a directory, a table, a transaction, a query.

#include <cstdio>

#include "pando/database.h"

namespace {

int fail(const pando::Error& error) {
  std::fprintf(stderr, "%s: %s\n", error.sqlstate.c_str(), error.message.c_str());
  return 1;
}

pando::Error transfer(pando::Connection& connection, int64_t from, int64_t to, int64_t amount) {
  if (pando::Error error = connection.begin(); !error.ok()) {
    return error;
  }
  const auto take = connection.execute("UPDATE accounts SET balance = balance - $1 WHERE id = $2", {amount, from});
  const auto give = connection.execute("UPDATE accounts SET balance = balance + $1 WHERE id = $2", {amount, to});
  if (!take || !give) {
    connection.rollback();
    return take ? give.error() : take.error();
  }
  return connection.commit();
}

}  // namespace

int main(int argc, char** argv) {
  auto database = pando::Database::open(argc > 1 ? argv[1] : "");
  if (!database) {
    return fail(database.error());
  }
  auto connection = database->connect();
  if (!connection) {
    return fail(connection.error());
  }
  pando::Error error = connection->execute(
      "CREATE TABLE IF NOT EXISTS accounts (id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));"
      "INSERT INTO accounts VALUES (1, 100), (2, 0) ON CONFLICT DO NOTHING");
  if (!error.ok()) {
    return fail(error);
  }
  if (error = transfer(*connection, 1, 2, 30); !error.ok()) {
    return fail(error);
  }
  // The check constraint refuses this one, and nothing of it stays.
  error = transfer(*connection, 1, 2, 1000);
  std::printf("too large a transfer: %s %s\n", error.sqlstate.c_str(), error.message.c_str());

  auto rows = connection->query("SELECT id, balance FROM accounts ORDER BY id");
  if (!rows) {
    return fail(rows.error());
  }
  while (rows->next()) {
    std::printf("account %lld has %lld\n", static_cast<long long>(*rows->get<int64_t>(0)),
                static_cast<long long>(*rows->get<int64_t>(1)));
  }
  return rows->error().ok() ? 0 : fail(rows->error());
}
