#pragma once

// Client: a blocking PostgreSQL client, for the shell: connects, sends a text, collects what comes back.
//
//   PANDO_ASSIGN(auto client, Client::connect({.host = "127.0.0.1", .port = 5433}));
//   PANDO_TRY(client->query("SELECT 1", events));
//
// Thread-safety: one thread, except cancel(), which may come from a signal's thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "pgwire/codec/backend.h"

namespace pando::cli {

struct ClientOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 5433;
  std::string user = "postgres";
  std::string database = "postgres";
};

struct ResultColumnInfo {
  std::string name;
  uint32_t type = 0;
};

// One result set, with all its rows.
struct ResultTable {
  std::vector<ResultColumnInfo> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

// What the answer to one text is made of, in the order it comes. Any callback may be empty.
struct AnswerEvents {
  std::function<void(const ResultTable& table)> on_table;
  // After on_table, or alone: "INSERT 0 1".
  std::function<void(std::string_view tag)> on_complete;
  std::function<void(std::string_view severity, const ErrorFields& fields)> on_report;
  std::function<void(ByteView data)> on_copy_data;
  // COPY FROM STDIN: fills in the next piece, false at the end.
  std::function<bool(Bytes& piece)> read_copy_data;
};

class Client {
 public:
  static Result<std::unique_ptr<Client>> connect(const ClientOptions& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Runs a text of statements. Errors of statements come through `events`; the Status is about the connection. Returns
  // whether all statements succeeded.
  Result<bool> query(ByteView sql, const AnswerEvents& events);
  // Asks the server to stop what runs, over a connection of its own. Any thread.
  void cancel() const;

  // 'I', 'T' or 'E'.
  char transaction_status() const { return transaction_status_; }
  const std::string& server_version() const { return server_version_; }

 private:
  explicit Client(int socket, ClientOptions options) : socket_(socket), options_(std::move(options)) {}

  Status start_up();
  Status send(ByteView bytes) const;
  // The next message; its contents are valid until the next call.
  Result<pgwire::BackendMessage> receive();
  Status send_copy_data(const AnswerEvents& events);

  const int socket_;
  const ClientOptions options_;
  Bytes input_;
  std::size_t consumed_ = 0;
  uint32_t process_id_ = 0;
  uint32_t secret_ = 0;
  char transaction_status_ = 'I';
  std::string server_version_;
};

}  // namespace pando::cli
