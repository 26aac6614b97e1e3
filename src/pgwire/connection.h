#pragma once

// Connection: one client on one socket, from its startup packet to its end. A coroutine on the worker that owns the
// socket; no thread of its own.
//
//   runtime::spawn(worker, serve_connection(std::make_unique<Connection>(environment, home, std::move(socket))));
//
// Authentication is "trust": the listener lets only loopback addresses in.
// Thread-safety: the worker's thread only.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pgwire/byte_stream.h"
#include "pgwire/codec/frontend.h"
#include "pgwire/message_sink.h"
#include "runtime/executor.h"
#include "session/environment.h"
#include "session/session.h"

namespace pando::pgwire {

// Where a connection runs: the executor and the poller of one thread.
struct ConnectionHome {
  runtime::Executor& executor;
  runtime::Poller& poller;
};

class Connection {
 public:
  // REQUIRES: what `home` refers to and `environment` outlive it.
  Connection(session::SessionEnvironment& environment, ConnectionHome home, Socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves the client until it leaves or is told to.
  Task<void> serve();

 private:
  // What another thread wakes the connection through; outlives it.
  struct Doorbell;

  // --- opening (startup.cc) ---
  // False when there is nothing more to do: a cancel request, a refusal, a client that left.
  Task<bool> open();
  Task<Result<std::optional<StartupPacket>>> read_startup_packet();
  Task<Status> open_session(const StartupMessage& startup);
  // What sessions of the database share. 3D000 when there is no such database.
  Task<Result<session::SessionEnvironment*>> find_database(std::string name);
  Status apply_startup_parameters(const StartupMessage& startup);
  Status apply_command_line(std::string_view options);
  void greet(const StartupMessage& startup);

  // --- messages (connection.cc) ---
  Task<void> serve_messages();
  // Waits for the client. False: the connection ends.
  Task<bool> wait_for_message();
  // What handling a message on the spot came to.
  enum class Step : uint8_t { kHandled, kFailed, kMustWait };
  // Handles a message that needs no waiting; kMustWait: nothing was done.
  Step handle_now(const Frame& frame, Status& status);
  Step execute_now(const Frame& frame, Status& status);
  Step query_now(const Frame& frame, Status& status);
  // False: the connection ends.
  Task<bool> handle(Frame frame);
  Task<bool> handle_query(Frame frame);
  Task<Status> handle_execute(Frame frame);
  Task<bool> handle_sync();
  Status handle_parse(ByteView body);
  Status handle_bind(ByteView body);
  Status handle_describe(ByteView body);
  Status handle_close(ByteView body);
  // An error between two Syncs: report it, drop what follows until the next Sync.
  Task<void> fail_extended(Status status);
  bool ends_connection(const Status& status) const;
  void report(const Status& status);
  void report_fatal(const Status& status);
  void ready();
  // Sends the notifications that have come, unless a transaction is open.
  void deliver_mail();

  session::SessionEnvironment& environment_;
  runtime::Executor& executor_;
  ByteStream stream_;
  MessageSink sink_;
  std::string client_address_;
  std::unique_ptr<session::Session> session_;
  std::shared_ptr<Doorbell> doorbell_;
  bool skipping_ = false;

  // Decoded messages, kept for their vectors.
  BindMessage bind_;
  std::vector<session::BoundParameter> parameters_;
  std::vector<session::ValueFormat> result_formats_;
};

// Serves and then destroys it.
Task<void> serve_connection(std::unique_ptr<Connection> connection);

}  // namespace pando::pgwire
