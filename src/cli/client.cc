#include "cli/client.h"

#include <cerrno>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pgwire/codec/frontend.h"

namespace pando::cli {
namespace {

constexpr std::size_t kReadBytes = 64_KiB;

Status broken(const char* what) {
  return Status(sql_state::kConnectionFailure, "{}: {}", what,
                errno == 0 ? "server closed the connection unexpectedly" : std::strerror(errno));
}

Result<int> open_socket(const ClientOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &found);
      error != 0) {
    return Status(sql_state::kConnectionFailure, "could not find host \"{}\": {}", options.host, gai_strerror(error));
  }
  int socket = -1;
  for (const addrinfo* address = found; address != nullptr && socket < 0; address = address->ai_next) {
    socket = ::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (socket >= 0 && ::connect(socket, address->ai_addr, address->ai_addrlen) != 0) {
      ::close(socket);
      socket = -1;
    }
  }
  ::freeaddrinfo(found);
  if (socket < 0) {
    return Status(sql_state::kConnectionFailure, "could not connect to {}:{}: {}", options.host, options.port,
                  std::strerror(errno));
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket;
}

Status send_all(int socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return broken("could not send to the server");
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

void read_row(const pgwire::DataRow& row, ResultTable& table) {
  auto& values = table.rows.emplace_back();
  for (const auto& value : row.values) {
    values.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
  }
}

}  // namespace

Result<std::unique_ptr<Client>> Client::connect(const ClientOptions& options) {
  PANDO_ASSIGN(const int socket, open_socket(options));
  std::unique_ptr<Client> client(new Client(socket, options));
  PANDO_TRY(client->start_up());
  return client;
}

Client::~Client() {
  Bytes out;
  encode(pgwire::TerminateMessage{}, out);
  send(out).ignore("the connection ends either way");
  ::close(socket_);
}

Status Client::send(ByteView bytes) const { return send_all(socket_, bytes); }

Result<pgwire::BackendMessage> Client::receive() {
  while (true) {
    PANDO_ASSIGN(const auto frame, pgwire::find_frame(ByteView(input_).substr(consumed_), pgwire::Sender::kBackend));
    if (frame) {
      consumed_ += frame->size;
      return pgwire::decode_backend(frame->type, frame->body);
    }
    input_.erase(0, consumed_);
    consumed_ = 0;
    const std::size_t size = input_.size();
    input_.resize(size + kReadBytes);
    errno = 0;
    ssize_t received = -1;
    do {
      received = ::recv(socket_, input_.data() + size, kReadBytes, 0);
    } while (received < 0 && errno == EINTR);
    input_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(received, 0)));
    if (received <= 0) {
      return broken("could not receive from the server");
    }
  }
}

Status Client::start_up() {
  Bytes out;
  pgwire::encode_startup(pgwire::StartupMessage{.parameters = {{"user", options_.user},
                                                               {"database", options_.database},
                                                               {"application_name", "pando"},
                                                               {"client_encoding", "UTF8"}}},
                         out);
  PANDO_TRY(send(out));
  while (true) {
    PANDO_ASSIGN(const pgwire::BackendMessage message, receive());
    if (const auto* report = std::get_if<pgwire::ReportMessage>(&message);
        report != nullptr && report->type == pgwire::BackendType::kErrorResponse) {
      return Status::from_fields(to_error_fields(*report));
    }
    if (const auto* authentication = std::get_if<pgwire::AuthenticationMessage>(&message);
        authentication != nullptr && authentication->code != pgwire::AuthenticationCode::kOk) {
      return Status(sql_state::kFeatureNotSupported, "the server asks for a password, which is not supported");
    }
    if (const auto* key = std::get_if<pgwire::BackendKeyData>(&message)) {
      process_id_ = key->process_id;
      secret_ = key->secret;
    }
    if (const auto* parameter = std::get_if<pgwire::ParameterStatus>(&message);
        parameter != nullptr && parameter->name == "server_version") {
      server_version_ = parameter->value;
    }
    if (std::holds_alternative<pgwire::ReadyForQuery>(message)) {
      return {};
    }
  }
}

Status Client::send_copy_data(const AnswerEvents& events) {
  Bytes piece;
  Bytes out;
  while (events.read_copy_data && events.read_copy_data(piece)) {
    encode(pgwire::CopyDataMessage{piece}, out);
    if (out.size() >= kReadBytes) {
      PANDO_TRY(send(out));
      out.clear();
    }
  }
  encode(pgwire::CopyDoneMessage{}, out);
  return send(out);
}

Result<bool> Client::query(ByteView sql, const AnswerEvents& events) {
  Bytes out;
  encode(pgwire::QueryMessage{sql}, out);
  PANDO_TRY(send(out));
  bool succeeded = true;
  std::optional<ResultTable> table;
  while (true) {
    PANDO_ASSIGN(const pgwire::BackendMessage message, receive());
    if (const auto* row = std::get_if<pgwire::DataRow>(&message)) {
      read_row(*row, *table);
    } else if (const auto* description = std::get_if<pgwire::RowDescription>(&message)) {
      table.emplace();
      for (const pgwire::FieldDescription& field : description->fields) {
        table->columns.push_back({std::string(field.name), field.type});
      }
    } else if (const auto* complete = std::get_if<pgwire::CommandComplete>(&message)) {
      if (table && events.on_table) {
        events.on_table(*table);
      }
      table.reset();
      if (events.on_complete) {
        events.on_complete(complete->tag);
      }
    } else if (const auto* report = std::get_if<pgwire::ReportMessage>(&message)) {
      const bool is_error = report->type == pgwire::BackendType::kErrorResponse;
      succeeded = succeeded && !is_error;
      table = is_error ? std::nullopt : std::move(table);
      if (events.on_report) {
        events.on_report(report->field('S'), to_error_fields(*report));
      }
    } else if (const auto* copy = std::get_if<pgwire::CopyResponse>(&message)) {
      if (copy->type == pgwire::BackendType::kCopyInResponse) {
        PANDO_TRY(send_copy_data(events));
      }
    } else if (const auto* data = std::get_if<pgwire::CopyDataReply>(&message)) {
      if (events.on_copy_data) {
        events.on_copy_data(data->data);
      }
    } else if (const auto* ready = std::get_if<pgwire::ReadyForQuery>(&message)) {
      transaction_status_ = ready->status;
      return succeeded;
    }
  }
}

void Client::cancel() const {
  const auto socket = open_socket(options_);
  if (!socket.ok()) {
    return;
  }
  Bytes out;
  pgwire::encode_startup(pgwire::CancelRequest{process_id_, secret_}, out);
  send_all(*socket, out).ignore("the request is a favour");
  ::close(*socket);
}

}  // namespace pando::cli
