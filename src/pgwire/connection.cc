#include "pgwire/connection.h"

#include "pgwire/doorbell.h"

namespace pando::pgwire {
namespace {

session::ValueFormat session_format(Format format) {
  return format == Format::kBinary ? session::ValueFormat::kBinary : session::ValueFormat::kText;
}

// One format for all, one for each, or none for text.
Format format_of(const std::vector<Format>& formats, std::size_t index) {
  return formats.empty() ? Format::kText : formats.size() == 1 ? formats[0] : formats[index];
}

}  // namespace

Connection::Connection(session::SessionEnvironment& environment, ConnectionHome home, Socket socket)
    : environment_(environment),
      executor_(home.executor),
      stream_(home.poller, std::move(socket)),
      sink_(stream_),
      client_address_(stream_.socket().peer()),
      doorbell_(std::make_shared<Doorbell>(&stream_, executor_)) {}

Connection::~Connection() {
  doorbell_->stream = nullptr;
  stream_.close();
}

Task<void> Connection::serve() {
  if (stream_.open().ok() && co_await open()) {
    co_await serve_messages();
    (co_await stream_.flush()).ignore("the connection ends either way");
  }
  if (session_ != nullptr) {
    const uint32_t process_id = session_->identity().process_id;
    environment_.registry.hide(process_id);
    co_await session_->close();
    // What it holds of the store is gone before the server may think so.
    session_.reset();
    environment_.registry.remove(process_id);
  }
}

Task<void> Connection::serve_messages() {
  while (true) {
    const auto frame = find_frame(stream_.unread(), Sender::kFrontend);
    if (!frame.ok()) {
      report_fatal(frame.status());
      co_return;
    }
    if (!*frame) {
      if (!co_await wait_for_message()) {
        co_return;
      }
      continue;
    }
    if (skipping_ && (*frame)->type != static_cast<char>(FrontendType::kSync) &&
        (*frame)->type != static_cast<char>(FrontendType::kTerminate)) {
      stream_.consume((*frame)->size);
      continue;
    }
    Status status;
    const Step step = handle_now(**frame, status);
    if (step == Step::kFailed) {
      co_await fail_extended(status);
      if (ends_connection(status)) {
        co_return;
      }
    } else if (step == Step::kMustWait && !co_await handle(**frame)) {
      co_return;
    }
  }
}

Task<bool> Connection::wait_for_message() {
  deliver_mail();
  bool blocked = false;
  if (!stream_.try_flush(blocked).ok() || (blocked && !(co_await stream_.flush()).ok())) {
    co_return false;
  }
  Status reason;
  const auto limit = session_->idle_limit(reason);
  std::optional<runtime::TimerId> timer;
  if (limit.count() > 0) {
    const uint32_t process_id = session_->identity().process_id;
    timer = environment_.timer.schedule(
        limit, [&registry = environment_.registry, process_id, reason] { registry.terminate(process_id, reason); });
  }
  const std::size_t expected = frame_size(stream_.unread());
  Status received = stream_.try_read(expected, blocked);
  while (received.ok() && blocked) {
    co_await stream_.readable();
    if (stream_.take_wake()) {
      break;
    }
    received = stream_.try_read(expected, blocked);
  }
  if (timer) {
    environment_.timer.cancel(*timer);
  }
  if (session_->termination_requested()) {
    report_fatal(session_->termination_reason());
    co_return false;
  }
  co_return received.ok();
}

Connection::Step Connection::handle_now(const Frame& frame, Status& status) {
  switch (static_cast<FrontendType>(frame.type)) {
    case FrontendType::kBind:
      status = handle_bind(frame.body);
      break;
    case FrontendType::kParse:
      status = handle_parse(frame.body);
      break;
    case FrontendType::kDescribe:
      status = handle_describe(frame.body);
      break;
    case FrontendType::kClose:
      status = handle_close(frame.body);
      break;
    case FrontendType::kExecute:
      return execute_now(frame, status);
    case FrontendType::kQuery:
      return query_now(frame, status);
    case FrontendType::kSync:
      if (!session_->try_sync()) {
        return Step::kMustWait;
      }
      skipping_ = false;
      ready();
      break;
    default:
      return Step::kMustWait;
  }
  stream_.consume(frame.size);
  return status.ok() ? Step::kHandled : Step::kFailed;
}

Connection::Step Connection::execute_now(const Frame& frame, Status& status) {
  ExecuteMessage message;
  if (!decode(frame.body, message).ok() || !session_->try_execute(message.portal, message.rows_max, &sink_, status)) {
    return Step::kMustWait;
  }
  stream_.consume(frame.size);
  return status.ok() ? Step::kHandled : Step::kFailed;
}

Connection::Step Connection::query_now(const Frame& frame, Status& status) {
  QueryMessage message;
  const std::size_t mark = stream_.output().size();
  if (!decode(frame.body, message).ok() || !session_->try_run(message.sql, &sink_, status)) {
    return Step::kMustWait;
  }
  if (!status.ok()) {
    // The general way finds the same error, and answers as to every query that fails.
    stream_.output().resize(mark);
    return Step::kMustWait;
  }
  stream_.consume(frame.size);
  ready();
  return Step::kHandled;
}

Task<bool> Connection::handle(Frame frame) {
  Status status;
  switch (static_cast<FrontendType>(frame.type)) {
    case FrontendType::kQuery:
      co_return co_await handle_query(frame);
    case FrontendType::kExecute:
      status = co_await handle_execute(frame);
      break;
    case FrontendType::kSync:
      stream_.consume(frame.size);
      co_return co_await handle_sync();
    case FrontendType::kTerminate:
      co_return false;
    case FrontendType::kFlush:
      stream_.consume(frame.size);
      co_return (co_await stream_.flush()).ok();
    case FrontendType::kFunctionCall:
      stream_.consume(frame.size);
      report(Status(sql_state::kFeatureNotSupported, "function calls of the fast-path protocol are not supported"));
      co_await session_->fail();
      ready();
      co_return true;
    case FrontendType::kPassword:
      status = Status(sql_state::kProtocolViolation, "invalid frontend message type {}", static_cast<int>(frame.type));
      report_fatal(status);
      co_return false;
    default:
      // The rest of a COPY that has failed already; all others were handled on the spot.
      stream_.consume(frame.size);
      co_return true;
  }
  if (!status.ok()) {
    co_await fail_extended(status);
  }
  co_return !ends_connection(status);
}

Task<bool> Connection::handle_query(Frame frame) {
  QueryMessage message;
  Status status = decode(frame.body, message);
  Bytes sql(message.sql);
  stream_.consume(frame.size);
  if (status.ok()) {
    status = co_await session_->run(std::move(sql), &sink_);
  } else {
    co_await session_->fail();
  }
  if (!status.ok()) {
    report(status);
  }
  if (ends_connection(status)) {
    co_return false;
  }
  ready();
  co_return true;
}

// The statement was stopped because the connection is to end; the client has been told.
bool Connection::ends_connection(const Status& status) const {
  return session_->termination_requested() && status.is(session_->termination_reason().code());
}

Task<Status> Connection::handle_execute(Frame frame) {
  ExecuteMessage message;
  Status status = decode(frame.body, message);
  // The name may be needed after the read buffer has moved on (COPY FROM STDIN reads inside).
  const std::string portal(message.portal);
  stream_.consume(frame.size);
  PANDO_CO_TRY(std::move(status));
  PANDO_CO_ASSIGN(const session::ExecuteOutcome outcome, co_await session_->execute(portal, message.rows_max, &sink_));
  if (outcome == session::ExecuteOutcome::kSuspended) {
    encode(BareMessage{BackendType::kPortalSuspended}, stream_.output());
  }
  co_return Status();
}

Task<bool> Connection::handle_sync() {
  skipping_ = false;
  if (const Status status = co_await session_->sync(); !status.ok()) {
    report(status);
  }
  ready();
  co_return true;
}

Status Connection::handle_parse(ByteView body) {
  ParseMessage message;
  PANDO_TRY(decode(body, message));
  PANDO_TRY(session_->prepare(std::string(message.statement), Bytes(message.sql), std::move(message.parameter_types)));
  encode(BareMessage{BackendType::kParseComplete}, stream_.output());
  return {};
}

Status Connection::handle_bind(ByteView body) {
  PANDO_TRY(decode(body, bind_));
  parameters_.clear();
  for (std::size_t i = 0; i < bind_.parameters.size(); ++i) {
    const auto& bytes = bind_.parameters[i];
    parameters_.push_back({.is_null = !bytes,
                           .format = session_format(format_of(bind_.parameter_formats, i)),
                           .bytes = bytes.value_or(ByteView())});
  }
  result_formats_.clear();
  for (const Format format : bind_.result_formats) {
    result_formats_.push_back(session_format(format));
  }
  PANDO_TRY(session_->bind({.portal = bind_.portal,
                            .statement = bind_.statement,
                            .parameters = parameters_,
                            .result_formats = result_formats_}));
  encode(BareMessage{BackendType::kBindComplete}, stream_.output());
  return {};
}

Status Connection::handle_describe(ByteView body) {
  DescribeMessage message;
  PANDO_TRY(decode(body, message));
  session::RowShapePtr shape;
  if (message.target == Target::kStatement) {
    PANDO_ASSIGN(const session::PreparedStatement* statement, session_->describe_statement(message.name));
    ParameterDescription parameters;
    for (const types::Type& type : statement->parameter_types) {
      parameters.types.push_back(type.oid);
    }
    encode(parameters, stream_.output());
    shape = statement->plan == nullptr ? nullptr : statement->plan->shape;
  } else {
    PANDO_ASSIGN(const session::Portal* portal, session_->describe_portal(message.name));
    shape = portal->shape;
  }
  if (shape == nullptr) {
    encode(BareMessage{BackendType::kNoData}, stream_.output());
  } else {
    sink_.add_description(shape);
  }
  return {};
}

Status Connection::handle_close(ByteView body) {
  CloseMessage message;
  PANDO_TRY(decode(body, message));
  if (message.target == Target::kStatement) {
    session_->close_statement(message.name);
  } else {
    session_->close_portal(message.name);
  }
  encode(BareMessage{BackendType::kCloseComplete}, stream_.output());
  return {};
}

Task<void> Connection::fail_extended(Status status) {
  report(status);
  skipping_ = true;
  co_await session_->fail();
}

void Connection::report(const Status& status) {
  const bool fatal = status.is(sql_state::kAdminShutdown);
  encode_report(fatal ? Severity::kFatal : Severity::kError, status.fields(), stream_.output());
}

void Connection::report_fatal(const Status& status) {
  encode_report(Severity::kFatal, status.fields(), stream_.output());
}

void Connection::ready() {
  if (session_->settings().has_reports()) {
    for (const auto& [name, value] : session_->settings().take_reports()) {
      encode(ParameterStatus{name, value}, stream_.output());
    }
  }
  deliver_mail();
  encode(ReadyForQuery{session_->transaction_status()}, stream_.output());
}

void Connection::deliver_mail() {
  if (!session_->mailbox().has_mail() || session_->transaction_status() != 'I' || !session_->is_idle()) {
    return;
  }
  for (const session::Notification& mail : session_->mailbox().take()) {
    encode(NotificationResponse{mail.process_id, mail.channel, mail.payload}, stream_.output());
  }
}

Task<void> serve_connection(std::unique_ptr<Connection> connection) { co_await connection->serve(); }

}  // namespace pando::pgwire
