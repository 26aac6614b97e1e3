#pragma once

// libpando: PostgreSQL's SQL on a directory, inside your process. Standard library only.
//
//   auto database = pando::Database::open("/tmp/app");
//   if (!database) return fail(database.error());
//   auto connection = database->connect();
//   auto rows = connection->query("SELECT name, balance FROM accounts WHERE balance > $1", {100});
//   while (rows->next()) {
//     std::cout << rows->text(0) << " has " << rows->get<int64_t>(1) << "\n";
//   }
//   if (!rows->error().ok()) return fail(rows->error());
//
// Errors are values: what can fail returns Expected<T> or Error, each with PostgreSQL's SQLSTATE and message; nothing
// throws except std::bad_alloc.
//
// Threads: a Database is thread-safe; a Connection, and what comes from it, belongs to one thread at a time. Use a
// connection per thread. Lifetime: everything made by an object must be destroyed before it.

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pando {

struct Error {
  // Five characters, "23505"; empty for no error.
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  // 1-based character position in the statement; 0 when there is none.
  int position = 0;

  bool ok() const { return sqlstate.empty(); }
};

template <typename T>
using Expected = std::expected<T, Error>;

// A parameter: NULL, or a value that PostgreSQL's type inference fits to where it is used. Text is parsed as the
// parameter's type, so dates, numerics, JSON and arrays are passed as their text.
using Parameter = std::variant<std::nullptr_t, bool, int64_t, double, std::string>;

enum class ColumnType : uint8_t { kBool, kInteger, kFloat, kText, kBytes, kOther };

// The rows of a query, read forward. Rows are fetched as they are asked for.
class Rows {
 public:
  struct State;

  ~Rows();
  Rows(Rows&&) noexcept;
  Rows& operator=(Rows&&) noexcept;

  // Moves to the next row; false at the end, or on an error: then error() tells.
  bool next();
  const Error& error() const;

  std::size_t column_count() const;
  std::string_view column_name(std::size_t column) const;
  // PostgreSQL's type OID, and its kind.
  uint32_t column_type_oid(std::size_t column) const;
  ColumnType column_type(std::size_t column) const;

  // --- the current row. REQUIRES: next() returned true; column < column_count(). ---
  bool is_null(std::size_t column) const;
  // As PostgreSQL prints it; empty for NULL. Valid until the next call on these rows.
  std::string_view text(std::size_t column) const;
  // T is bool, int64_t (int2, int4, int8, oid), double (those and float4, float8) or std::string (anything, as text).
  // nullopt for NULL, and for a column that has no such value.
  template <typename T>
  std::optional<T> get(std::size_t column) const;

  // What the statement did: "INSERT 0 3". Known once next() has returned false.
  std::string_view command_tag() const;

 private:
  friend class Connection;
  friend class Statement;
  explicit Rows(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A prepared statement: parsed and planned once. Executing it again ends the rows of the execution before.
class Statement {
 public:
  struct State;

  ~Statement();
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;

  std::size_t parameter_count() const;
  // Sets $index (from 1); unset parameters are NULL.
  Error bind(std::size_t index, Parameter value);
  Expected<Rows> query();
  // Runs it to its end; returns how many rows it changed or returned.
  Expected<uint64_t> execute();

 private:
  friend class Connection;
  explicit Statement(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Loads many rows into a table, faster than INSERT: what COPY does. Rows wait in memory until finish().
//
//   auto appender = connection->appender("accounts", {"id", "name"});
//   appender->append({int64_t{1}, "a"});
//   auto count = appender->finish();          // nothing is there before this returns
class Appender {
 public:
  struct State;

  // An appender that was not finished adds nothing.
  ~Appender();
  Appender(Appender&&) noexcept;
  Appender& operator=(Appender&&) noexcept;

  // One value per column of the list, in order.
  Error append(std::initializer_list<Parameter> row);
  Error append(std::span<const Parameter> row);
  Expected<uint64_t> finish();

 private:
  friend class Connection;
  explicit Appender(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Connection {
 public:
  struct State;

  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  // Runs one or more statements without parameters, dropping their rows. Several are one transaction.
  Error execute(std::string_view sql);
  // Runs one statement to its end; returns how many rows it changed or returned.
  Expected<uint64_t> execute(std::string_view sql, std::initializer_list<Parameter> parameters);
  Expected<Rows> query(std::string_view sql, std::initializer_list<Parameter> parameters = {});
  Expected<Statement> prepare(std::string_view sql);
  Expected<Appender> appender(std::string_view table, std::vector<std::string> columns = {});

  // A transaction block: BEGIN, COMMIT, ROLLBACK. Commit fails with 40001 when a retry can help.
  Error begin();
  Error commit();
  Error rollback();
  // Whether a transaction block is open.
  bool in_transaction() const;

  // Stops the statement that runs on this connection, from any thread.
  void cancel();

 private:
  friend class Database;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct OpenOptions {
  // Memory for cached pages and rows, in bytes.
  std::size_t cache_bytes = 512u << 20;
};

class Database {
 public:
  struct State;

  // Opens or creates a database in `directory`; an empty name makes one in memory that ends with the object. One
  // process opens a directory at a time: the second gets F0001.
  static Expected<Database> open(std::string_view directory, OpenOptions options = {});
  // Closes it; everything committed is durable already.
  ~Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;

  Expected<Connection> connect();

 private:
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

template <>
std::optional<bool> Rows::get<bool>(std::size_t column) const;
template <>
std::optional<int64_t> Rows::get<int64_t>(std::size_t column) const;
template <>
std::optional<double> Rows::get<double>(std::size_t column) const;
template <>
std::optional<std::string> Rows::get<std::string>(std::size_t column) const;

}  // namespace pando
