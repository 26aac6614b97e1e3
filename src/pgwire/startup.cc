// How a connection opens: encryption requests, cancel requests, the startup packet, the greeting.

#include <algorithm>
#include <cctype>

#include "pgwire/connection.h"
#include "pgwire/doorbell.h"
#include "session/databases.h"

namespace pando::pgwire {
namespace {

constexpr ByteView kEncryptionRefused = "N";

ByteView find_parameter(const StartupMessage& startup, ByteView name) {
  for (const auto& [key, value] : startup.parameters) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

// Splits a command line at white space; a backslash takes the next character as it is.
std::vector<std::string> split_command_line(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      word += text[++i];
      in_word = true;
    } else if (std::isspace(static_cast<unsigned char>(text[i])) != 0) {
      if (in_word) {
        words.push_back(std::exchange(word, ""));
      }
      in_word = false;
    } else {
      word += text[i];
      in_word = true;
    }
  }
  if (in_word) {
    words.push_back(word);
  }
  return words;
}

bool role_exists(const catalog::Snapshot& snapshot, std::string_view name) {
  for (const auto& [oid, role] : snapshot.roles()) {
    if (role->name == name) {
      return role->can_login;
    }
  }
  return false;
}

}  // namespace

Task<Result<std::optional<StartupPacket>>> Connection::read_startup_packet() {
  while (true) {
    const auto found = find_startup_frame(stream_.unread());
    if (!found.ok()) {
      // Who writes that may not speak the protocol: as with PostgreSQL, there is no answer.
      co_return std::optional<StartupPacket>();
    }
    if (const auto& frame = *found) {
      auto packet = decode_startup(frame->body);
      if (!packet.ok()) {
        co_return std::move(packet).status();
      }
      // A startup message borrows from the read buffer, which nobody touches before the session is open.
      if (!std::holds_alternative<StartupMessage>(*packet)) {
        stream_.consume(frame->size);
      }
      co_return std::optional<StartupPacket>(*std::move(packet));
    }
    if (!(co_await stream_.read_more()).ok()) {
      co_return std::optional<StartupPacket>();
    }
  }
}

Task<bool> Connection::open() {
  while (true) {
    auto packet = co_await read_startup_packet();
    if (!packet.ok()) {
      report_fatal(packet.status());
      (co_await stream_.flush()).ignore("the connection ends either way");
      co_return false;
    }
    if (!*packet) {
      co_return false;
    }
    if (const auto* cancel = std::get_if<CancelRequest>(&**packet)) {
      environment_.registry.cancel_with_secret(
          cancel->process_id, cancel->secret,
          Status(sql_state::kQueryCanceled, "canceling statement due to user request"));
      co_return false;
    }
    if (const auto* startup = std::get_if<StartupMessage>(&**packet)) {
      const Status opened = co_await open_session(*startup);
      if (opened.ok()) {
        greet(*startup);
      } else {
        report_fatal(opened);
      }
      // The packet is complete: what it borrowed from is no longer needed.
      stream_.consume(find_startup_frame(stream_.unread()).value()->size);
      const Status sent = co_await stream_.flush();
      co_return opened.ok() && sent.ok();
    }
    // SSLRequest and GSSENCRequest: the client may go on without.
    stream_.output() += kEncryptionRefused;
    if (!(co_await stream_.flush()).ok()) {
      co_return false;
    }
  }
}

Task<Result<session::SessionEnvironment*>> Connection::find_database(std::string name) {
  if (name == environment_.catalog.options().database_name) {
    co_return &environment_;
  }
  if (environment_.databases == nullptr) {
    co_return Status(sql_state::kInvalidCatalogName, "database \"{}\" does not exist", name);
  }
  co_return co_await environment_.databases->find(std::move(name), executor_);
}

Task<Status> Connection::open_session(const StartupMessage& startup) {
  session::SessionIdentity identity;
  identity.user = find_parameter(startup, "user");
  identity.database = find_parameter(startup, "database");
  identity.client_address = client_address_;
  if (identity.user.empty()) {
    co_return Status(sql_state::kInvalidAuthorizationSpecification,
                     "no PostgreSQL user name specified in startup packet");
  }
  if (identity.database.empty()) {
    identity.database = identity.user;
  }
  // Roles are those of the first database.
  const auto snapshot = environment_.catalog.current();
  if (!role_exists(*snapshot, identity.user)) {
    co_return Status(sql_state::kInvalidAuthorizationSpecification, "role \"{}\" does not exist", identity.user);
  }
  PANDO_CO_ASSIGN(session::SessionEnvironment * environment, co_await find_database(identity.database));
  if (const ByteView replication = find_parameter(startup, "replication");
      !replication.empty() && replication != "false" && replication != "off" && replication != "0") {
    co_return Status(sql_state::kFeatureNotSupported, "replication connections are not supported");
  }
  PANDO_CO_ASSIGN(identity.process_id, environment_.registry.reserve());
  session_ = std::make_unique<session::Session>(*environment, executor_, std::move(identity));
  session_->on_terminate([doorbell = doorbell_] { doorbell->ring(); });
  session_->mailbox().set_on_mail([doorbell = doorbell_] { doorbell->knock(); });
  environment_.registry.add(session_->identity().process_id, session_.get());
  co_return apply_startup_parameters(startup);
}

Status Connection::apply_startup_parameters(const StartupMessage& startup) {
  for (const auto& [name, value] : startup.parameters) {
    if (name == "user" || name == "database" || name == "replication" || name.starts_with("_pq_.")) {
      continue;
    }
    if (name == "options") {
      PANDO_TRY(apply_command_line(value));
      continue;
    }
    PANDO_TRY(session_->set_startup_option(name, value));
  }
  return {};
}

// "-c name=value", "-cname=value" and "--name=value", as psql's PGOPTIONS sends them.
Status Connection::apply_command_line(std::string_view options) {
  const std::vector<std::string> words = split_command_line(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string setting;
    if (words[i] == "-c" && i + 1 < words.size()) {
      setting = words[++i];
    } else if (words[i].starts_with("-c") || words[i].starts_with("--")) {
      setting = words[i].substr(2);
    }
    const auto equals = setting.find('=');
    if (equals == std::string::npos) {
      return Status(sql_state::kSyntaxError, "invalid command-line argument for server process: {}", words[i]);
    }
    std::string name = setting.substr(0, equals);
    std::ranges::replace(name, '-', '_');
    PANDO_TRY(session_->set_startup_option(name, std::string_view(setting).substr(equals + 1)));
  }
  return {};
}

void Connection::greet(const StartupMessage& startup) {
  Bytes& out = stream_.output();
  NegotiateProtocolVersion negotiate;
  for (const auto& [name, value] : startup.parameters) {
    if (name.starts_with("_pq_.")) {
      negotiate.unrecognized_options.push_back(name);
    }
  }
  if (startup.protocol > kProtocolVersion3 || !negotiate.unrecognized_options.empty()) {
    negotiate.newest_minor = kProtocolVersion3;
    encode(negotiate, out);
  }
  encode(AuthenticationMessage{AuthenticationCode::kOk, {}}, out);
  for (const auto& [name, value] : session_->settings().take_reports()) {
    encode(ParameterStatus{name, value}, out);
  }
  encode(BackendKeyData{session_->identity().process_id, session_->secret()}, out);
  encode(ReadyForQuery{session_->transaction_status()}, out);
}

}  // namespace pando::pgwire
