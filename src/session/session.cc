#include "session/session.h"

#include "session/cluster_control.h"
#include "session/plan_cache.h"
#include "session/services.h"
#include "session/system_tables.h"
#include "types/calendar.h"
#include "types/utf8.h"

namespace pando::session {
namespace {

// What pg_stat_activity shows of a statement, as PostgreSQL's track_activity_query_size.
constexpr std::size_t kActivityTextBytes = 1023;

// What may run in a failed block: what ends it or goes back to a savepoint.
bool ends_failed_block(const ast::Statement& tree) {
  using Kind = ast::TransactionCommand::Kind;
  const auto* command = std::get_if<ast::TransactionCommand>(&tree.node);
  return command != nullptr &&
         (command->kind == Kind::kCommit || command->kind == Kind::kRollback || command->kind == Kind::kRollbackTo);
}

int64_t read_clock(void* state) {
  return types::timestamp_of_unix_ns(static_cast<SessionEnvironment*>(state)->clock.wall_ns());
}

}  // namespace

Session::Session(SessionEnvironment& environment, runtime::Executor& executor, SessionIdentity identity)
    : environment_(environment),
      executor_(executor),
      identity_(std::move(identity)),
      secret_(static_cast<uint32_t>(environment.random())),
      settings_(environment.time_zones),
      transaction_(environment.store, environment.catalog, environment.statistics, executor, cancellation_, settings_,
                   environment.clock),
      prng_(environment.random()),
      session_start_us_(types::timestamp_of_unix_ns(environment.clock.wall_ns())) {
  services_ = std::make_unique<Services>(environment_, identity_, settings_, transaction_, executor_);
  services_->set_listened_channels([this] { return environment_.registry.notifications().channels(&mailbox_); });
  services_->set_current_row([this](std::string_view cursor, types::Oid table) { return current_row(cursor, table); });
  plan_cache_ = std::make_unique<PlanCache>();
  system_tables_ = std::make_unique<SystemTables>(
      environment_, executor_, [this] { return snapshot(); },
      [this](std::string_view relation, catalog::SystemRowWriter& writer) {
        return write_system_rows(relation, writer);
      });
  table_expressions_ = std::make_unique<TableExpressionCache>([this](catalog::TablePtr table) {
    const auto empty = std::make_shared<const std::string>();
    return sql::bind_table_expressions(std::move(table), bind_options(empty, {}));
  });
  evaluation_.wall_clock_us = &read_clock;
  evaluation_.wall_clock_state = &environment_;
  evaluation_.services = services_.get();
  evaluation_.prng = &prng_;
  // Sessions of the embedded library have no process id; their address tells them apart.
  transaction_.set_lock_owner(&environment_.registry.advisory_locks(),
                              identity_.process_id != 0 ? identity_.process_id : reinterpret_cast<uintptr_t>(this));
  settings_.set("session_authorization", identity_.user, SettingScope::kSession, SettingSource::kServer)
      .ignore("any name is a valid value");
}

Session::~Session() = default;

Status Session::set_startup_option(std::string_view name, std::string_view value) {
  PANDO_TRY(settings_.set(name, value, SettingScope::kSession, SettingSource::kConnection));
  MutexLock lock(activity_mutex_);
  application_name_ = settings_.show("application_name").value_or("");
  return {};
}

int64_t Session::now_us() { return types::timestamp_of_unix_ns(environment_.clock.wall_ns()); }

// Enums as the transaction sees them.
void Session::refresh_user_types() {
  const uint64_t version = environment_.catalog.version();
  if (user_types_version_ == version) {
    return;
  }
  settings_.know_user_types(snapshot()->user_types());
  // With definitions of its own the transaction sees more than the version tells.
  const bool is_own = transaction_.state() != BlockState::kIdle && transaction_.catalog().has_changes();
  user_types_version_ = is_own ? 0 : version;
}

void Session::begin_message(std::string_view text) {
  cancellation_.reset();
  refresh_user_types();
  running_.store(true);
  environment_.registry.advisory_locks().expire();
  // A termination that came when nothing ran stops what begins now.
  if (terminating_.load()) {
    cancellation_.request(termination_reason());
  }
  const int64_t now = now_us();
  if (transaction_.state() == BlockState::kIdle) {
    evaluation_.transaction_time_us = now;
  }
  evaluation_.statement_time_us = now;
  if (evaluation_settings_ != settings_.version()) {
    evaluation_.settings = settings_.values().types;
    evaluation_settings_ = settings_.version();
  }
  evaluation_.settings.now_us = evaluation_.transaction_time_us;
  start_statement_timer();
  MutexLock lock(activity_mutex_);
  activity_text_.assign(types::utf8_truncate(text, kActivityTextBytes));
  query_start_us_ = now;
  transaction_start_us_ = evaluation_.transaction_time_us;
  state_change_us_ = now;
}

void Session::start_statement_timer() {
  const auto timeout = settings_.values().statement_timeout;
  if (timeout.count() > 0 && !statement_timer_) {
    statement_timer_ = environment_.timer.schedule(timeout, [this] {
      cancellation_.request(Status(sql_state::kQueryCanceled, "canceling statement due to statement timeout"));
    });
  }
}

void Session::stop_statement_timer() {
  if (statement_timer_) {
    environment_.timer.cancel(*statement_timer_);
    statement_timer_.reset();
  }
}

void Session::end_message() {
  executions_.count = 0;
  stop_statement_timer();
  status_.store(transaction_.status_byte(), std::memory_order_release);
  running_.store(false, std::memory_order_release);
}

Status Session::check_not_failed(const ast::Statement& tree) const {
  if (transaction_.failed() && !ends_failed_block(tree)) {
    return Status(sql_state::kInFailedSqlTransaction,
                  "current transaction is aborted, commands ignored until end of transaction block");
  }
  return {};
}

void Session::close_portals_of_transaction() {
  if (const auto unnamed = portals_.find(std::string_view()); unnamed != portals_.end()) {
    unnamed->second->clear();
    spare_portal_ = portals_.extract(unnamed);
  }
  std::erase_if(portals_, [](const auto& entry) { return !entry.second->held; });
}

// The queries of open portals hold on to the transaction, which may end now.
void Session::end_queries() {
  for (auto& [name, portal] : portals_) {
    if (!portal->held) {
      portal->query.reset();
    }
  }
}

void Session::close_portals_deeper_than(std::size_t savepoint_depth) {
  std::erase_if(portals_, [savepoint_depth](const auto& entry) {
    return !entry.second->held && entry.second->savepoint_depth > savepoint_depth;
  });
}

Task<Status> Session::commit_transaction() {
  Status status;
  if (transaction_.started() && !transaction_.failed()) {
    if (!transaction_.execution_state().deferred.empty()) {
      auto context = execution_context({});
      status = co_await sql::exec::check_deferred(context);
    }
    if (status.ok() && !on_commit_.empty()) {
      status = co_await run_on_commit();
    }
    if (status.ok()) {
      status = co_await hold_cursors();
    }
  }
  if (!portals_.empty()) {
    close_portals_of_transaction();
  }
  if (!status.ok()) {
    co_await transaction_.rollback();
    co_return status;
  }
  auto committed = co_await transaction_.commit();
  if (const TransactionMessages messages = transaction_.take_messages(); committed.ok() && !messages.empty()) {
    deliver_messages(messages);
  }
  co_return std::move(committed).status();
}

void Session::deliver_messages(const TransactionMessages& messages) {
  using Kind = TransactionMessages::Listening::Kind;
  NotificationHub& hub = environment_.registry.notifications();
  for (const auto& change : messages.listening) {
    switch (change.kind) {
      case Kind::kListen:
        hub.listen(&mailbox_, change.channel);
        break;
      case Kind::kUnlisten:
        hub.unlisten(&mailbox_, change.channel);
        break;
      case Kind::kUnlistenAll:
        hub.unlisten_all(&mailbox_);
        break;
    }
  }
  hub.notify(messages.notifications);
  if (environment_.cluster != nullptr && !messages.notifications.empty()) {
    environment_.cluster->notify(messages.notifications);
  }
}

Task<void> Session::fail() {
  if (transaction_.state() == BlockState::kImplicit) {
    close_portals_of_transaction();
  } else if (transaction_.state() == BlockState::kInBlock && transaction_.savepoint_depth() == 0) {
    // With a savepoint to return to, the cursors from before it go on.
    end_queries();
  }
  co_await transaction_.fail();
  end_message();
}

std::chrono::milliseconds Session::idle_limit(Status& reason) const {
  const SettingValues& values = settings_.values();
  if (transaction_.in_block() && values.idle_in_transaction_session_timeout.count() > 0) {
    reason = Status(sql_state::kIdleInTransactionSessionTimeout,
                    "terminating connection due to idle-in-transaction timeout");
    return values.idle_in_transaction_session_timeout;
  }
  if (!transaction_.in_block() && values.idle_session_timeout.count() > 0) {
    reason = Status(sql_state::kIdleSessionTimeout, "terminating connection due to idle-session timeout");
    return values.idle_session_timeout;
  }
  return std::chrono::milliseconds(0);
}

Task<void> Session::close() {
  portals_.clear();
  if (transaction_.state() != BlockState::kIdle) {
    co_await transaction_.rollback();
  }
  if (!services_->temporary_schema().empty()) {
    on_commit_.clear();
    cancellation_.reset();
    transaction_.begin_implicit();
    Status dropped = co_await drop_temporary_objects();
    if (dropped.ok()) {
      dropped = (co_await transaction_.commit()).status();
    } else {
      co_await transaction_.rollback();
    }
    dropped.ignore("what is left goes when the store next opens");
  }
  environment_.registry.advisory_locks().forget(transaction_.lock_owner());
  environment_.registry.notifications().unlisten_all(&mailbox_);
  end_message();
}

void Session::request_cancel(Status reason) {
  // In one order with begin_message(), which sets the one and reads the other.
  if (running_.load()) {
    cancellation_.request(std::move(reason));
  }
}

void Session::request_termination(Status reason) {
  {
    MutexLock lock(activity_mutex_);
    if (terminating_.load(std::memory_order_relaxed)) {
      return;
    }
    termination_reason_ = reason;
    terminating_.store(true);
  }
  request_cancel(std::move(reason));
  if (on_terminate_) {
    on_terminate_();
  }
}

Status Session::termination_reason() {
  MutexLock lock(activity_mutex_);
  return termination_reason_;
}

SessionActivity Session::activity() const {
  const bool active = running_.load(std::memory_order_acquire);
  const char status = status_.load(std::memory_order_acquire);
  MutexLock lock(activity_mutex_);
  SessionActivity out;
  out.process_id = identity_.process_id;
  out.user = identity_.user;
  out.database = identity_.database;
  out.application_name = application_name_;
  out.client_address = identity_.client_address;
  out.state = active          ? "active"
              : status == 'T' ? "idle in transaction"
              : status == 'E' ? "idle in transaction (aborted)"
                              : "idle";
  out.query = activity_text_;
  out.session_start_us = session_start_us_;
  out.transaction_start_us = active || status != 'I' ? transaction_start_us_ : 0;
  out.query_start_us = query_start_us_;
  out.state_change_us = state_change_us_;
  out.transaction = transaction_.number();
  return out;
}

}  // namespace pando::session
