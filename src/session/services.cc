#include "session/services.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "runtime/sleep.h"
#include "session/object_names.h"
#include "session/session.h"
#include "types/array.h"

namespace pando::session {
namespace {

constexpr std::string_view kServerVersion =
    "PostgreSQL 15.20 (Pando 0.1.0) on x86_64-pc-linux-gnu, compiled by clang 19, 64-bit";
constexpr double kNanosecondsPerSecond = 1e9;
// Longer sleeps than this many seconds are cut: the clock counts nanoseconds in 64 bits.
constexpr double kSleepSecondsMax = 1e9;

}  // namespace

Services::Services(SessionEnvironment& environment, const SessionIdentity& identity, SessionSettings& settings,
                   SessionTransaction& transaction, runtime::Executor& executor)
    : environment_(environment),
      identity_(identity),
      settings_(settings),
      transaction_(transaction),
      executor_(executor) {}

std::vector<std::string> Services::existing_search_path() {
  std::vector<std::string> path = permanent_search_path();
  const bool has_temporary =
      !temporary_schema_.empty() && transaction_.catalog_snapshot()->find_schema(temporary_schema_) != nullptr;
  if (has_temporary) {
    const auto place = std::ranges::find(settings_.values().search_path, "pg_temp");
    const bool is_last = place != settings_.values().search_path.end() &&
                         place + 1 == settings_.values().search_path.end() &&
                         place != settings_.values().search_path.begin();
    path.insert(is_last ? path.end() : path.begin(), temporary_schema_);
  }
  return path;
}

std::string Services::current_user() const {
  std::string role = settings_.show("role").value_or("none");
  return role != "none" ? role : settings_.show("session_authorization").value_or(identity_.user);
}

std::vector<std::string> Services::permanent_search_path() {
  const auto snapshot = transaction_.catalog_snapshot();
  const std::string user = current_user();
  std::vector<std::string> path;
  for (const std::string& name : settings_.values().search_path) {
    const std::string& schema = name == "$user" ? user : name;
    if (snapshot->find_schema(schema) != nullptr && std::ranges::find(path, schema) == path.end()) {
      path.push_back(schema);
    }
  }
  return path;
}

// --- waiting ---

const Services::Answer* Services::answer_of(Pending pending) {
  if (replayed_ < answers_.size()) {
    return &answers_[replayed_++];
  }
  pending_ = std::move(pending);
  return nullptr;
}

Task<Status> Services::wait_for_service(void* state) { return static_cast<Services*>(state)->run_pending(); }

Task<Status> Services::run_pending() {
  const Pending pending = std::exchange(pending_, std::monostate());
  replayed_ = 0;
  if (const auto* reserve = std::get_if<PendingReserve>(&pending)) {
    co_return co_await environment_.sequences.reserve(reserve->sequence, reserve->count, executor_);
  }
  if (std::holds_alternative<std::monostate>(pending)) {
    // The expression is through.
    answers_.clear();
    co_return Status();
  }
  PANDO_CO_ASSIGN(Answer answer, co_await answer_pending(pending));
  answers_.push_back(std::move(answer));
  co_return Status();
}

Task<Result<Services::Answer>> Services::answer_pending(Pending pending) {
  if (const auto* set = std::get_if<PendingSet>(&pending)) {
    PANDO_CO_TRY(co_await environment_.sequences.set(set->sequence, set->state, executor_));
  }
  if (const auto* read = std::get_if<PendingRead>(&pending)) {
    PANDO_CO_ASSIGN(const auto state, co_await environment_.sequences.read(read->sequence, executor_));
    co_return state.is_called ? Answer(std::to_string(state.last_value)) : Answer();
  }
  if (const auto* nap = std::get_if<PendingSleep>(&pending)) {
    PANDO_CO_TRY(co_await sleep(nap->duration_ns));
  }
  if (const auto* lock = std::get_if<PendingLock>(&pending)) {
    co_return co_await take_advisory_lock(*lock);
  }
  if (const auto* unlock = std::get_if<PendingUnlock>(&pending)) {
    const AdvisoryRequest& held = unlock->request;
    const bool was_held =
        co_await environment_.registry.advisory_locks().unlock(held.owner, held.key, held.exclusive, executor_);
    co_return Answer(was_held ? "t" : "f");
  }
  if (std::holds_alternative<PendingUnlockAll>(pending)) {
    co_await environment_.registry.advisory_locks().unlock_all(transaction_.lock_owner(), executor_);
  }
  co_return Answer("");
}

// --- advisory locks ---

Services::Pending Services::advisory_call(std::string_view name, std::span<const types::Value> arguments) const {
  AdvisoryRequest request{.owner = transaction_.lock_owner(),
                          .exclusive = !name.ends_with("_shared"),
                          .of_transaction = name.find("_xact_") != std::string_view::npos};
  request.key.database = environment_.catalog.options().database;
  if (arguments.size() == 2) {
    request.key.class_id = static_cast<uint32_t>(arguments[0].as<int32_t>());
    request.key.object_id = static_cast<uint32_t>(arguments[1].as<int32_t>());
    request.key.kind = 2;
  } else {
    const auto whole = static_cast<uint64_t>(arguments[0].as<int64_t>());
    request.key.class_id = static_cast<uint32_t>(whole >> 32);
    request.key.object_id = static_cast<uint32_t>(whole);
  }
  if (name.find("_unlock") != std::string_view::npos) {
    return PendingUnlock{request};
  }
  return PendingLock{request, !name.starts_with("pg_try_")};
}

Task<Result<Services::Answer>> Services::take_advisory_lock(PendingLock pending) {
  const AdvisoryWait wait{.executor = executor_,
                          .timer = environment_.timer,
                          .cancellation = transaction_.cancellation(),
                          .timeout = pending.wait ? settings_.values().lock_timeout : std::chrono::milliseconds(0)};
  PANDO_CO_ASSIGN(const bool taken,
                  co_await environment_.registry.advisory_locks().take(pending.request, pending.wait, wait));
  if (taken && pending.request.of_transaction) {
    transaction_.keep_advisory_lock(pending.request);
  }
  co_return Answer(pending.wait ? "" : taken ? "t" : "f");
}

Task<Status> Services::sleep(uint64_t duration_ns) {
  co_return co_await runtime::sleep(environment_.timer, executor_, std::chrono::nanoseconds(duration_ns),
                                    &transaction_.cancellation());
}

// --- sequences ---

Result<catalog::SequencePtr> Services::find_sequence(types::Oid oid) {
  auto sequence = transaction_.catalog_snapshot()->find_sequence(oid);
  if (sequence != nullptr) {
    return sequence;
  }
  if (const auto table = transaction_.catalog_snapshot()->find_table(oid)) {
    return Status(sql_state::kWrongObjectType, "\"{}\" is not a sequence", table->name);
  }
  return Status(sql_state::kUndefinedTable, "could not open relation with OID {}", oid);
}

// So many calls of one sequence's nextval() may stand in one statement.
constexpr std::size_t kCallsPerRowMax = 100;

Status Services::nextval(types::Oid sequence, std::size_t count, std::vector<int64_t>& values) {
  PANDO_ASSIGN(const catalog::SequencePtr descriptor, find_sequence(sequence));
  if (transaction_.read_only()) {
    return Status(sql_state::kReadOnlySqlTransaction, "cannot execute nextval() in a read-only transaction");
  }
  Status status;
  if (!environment_.sequences.try_next(*descriptor, count, values, status)) {
    // What this attempt took of it, the next one takes again: a statement may call it more than once for each row.
    std::size_t& taken = taken_since_wait_[sequence];
    pending_ = PendingReserve{descriptor, count + std::min(taken, kCallsPerRowMax * count)};
    taken = 0;
    return Status(sql::kWaitNeeded, "values of sequence \"{}\" are being reserved", descriptor->name);
  }
  PANDO_TRY(std::move(status));
  taken_since_wait_[sequence] += count;
  if (count > 0) {
    sequence_values_[sequence] = values.back();
    last_sequence_ = sequence;
  }
  return {};
}

Result<int64_t> Services::currval(types::Oid sequence) {
  PANDO_ASSIGN(const catalog::SequencePtr descriptor, find_sequence(sequence));
  const auto found = sequence_values_.find(sequence);
  if (found == sequence_values_.end()) {
    return Status(sql_state::kObjectNotInPrerequisiteState,
                  "currval of sequence \"{}\" is not yet defined in this session", descriptor->name);
  }
  return found->second;
}

Result<int64_t> Services::lastval() {
  const auto found = sequence_values_.find(last_sequence_);
  if (found == sequence_values_.end()) {
    return Status(sql_state::kObjectNotInPrerequisiteState, "lastval is not yet defined in this session");
  }
  return found->second;
}

Status Services::setval(types::Oid sequence, int64_t value, bool is_called) {
  PANDO_ASSIGN(const catalog::SequencePtr descriptor, find_sequence(sequence));
  if (transaction_.read_only()) {
    return Status(sql_state::kReadOnlySqlTransaction, "cannot execute setval() in a read-only transaction");
  }
  if (value < descriptor->min || value > descriptor->max) {
    return Status(sql_state::kNumericValueOutOfRange, "setval: value {} is out of bounds for sequence \"{}\" ({}..{})",
                  value, descriptor->name, descriptor->min, descriptor->max);
  }
  if (answer_of(PendingSet{descriptor, {.last_value = value, .is_called = is_called}}) == nullptr) {
    return Status(sql::kWaitNeeded, "sequence \"{}\" is being set", descriptor->name);
  }
  if (is_called) {
    sequence_values_[sequence] = value;
    last_sequence_ = sequence;
  }
  return {};
}

// --- settings ---

Result<std::optional<std::string>> Services::current_setting(std::string_view name, bool missing_ok) {
  if (name == "transaction_isolation" || name == "transaction_read_only" || name == "transaction_deferrable") {
    return std::optional<std::string>(transaction_.show_mode(name));
  }
  auto shown = settings_.show(name);
  if (!shown && !missing_ok) {
    return Status(sql_state::kUndefinedObject, "unrecognized configuration parameter \"{}\"", name);
  }
  return shown;
}

Result<std::string> Services::set_config(std::string_view name, std::string_view value, bool is_local) {
  PANDO_TRY(settings_.set(name, value, is_local ? SettingScope::kTransaction : SettingScope::kSession));
  return settings_.show(name).value_or("");
}

std::vector<std::string> Services::current_schemas(bool include_implicit) {
  std::vector<std::string> schemas = permanent_search_path();
  if (include_implicit && std::ranges::find(schemas, "pg_catalog") == schemas.end()) {
    schemas.insert(schemas.begin(), "pg_catalog");
  }
  if (include_implicit && existing_search_path() != permanent_search_path()) {
    schemas.insert(schemas.begin(), temporary_schema_);
  }
  return schemas;
}

std::vector<uint32_t> Services::blocking_processes(uint32_t process_id) {
  const std::vector<SessionActivity> sessions = environment_.registry.activities();
  const auto waiter = std::ranges::find(sessions, process_id, &SessionActivity::process_id);
  std::vector<uint32_t> blocking;
  if (waiter != sessions.end() && waiter->transaction != 0 && environment_.lock_waits) {
    for (const auto& [waiting, blocker] : environment_.lock_waits()) {
      const auto session = std::ranges::find(sessions, blocker, &SessionActivity::transaction);
      if (waiting == waiter->transaction && session != sessions.end()) {
        blocking.push_back(session->process_id);
      }
    }
  }
  for (const uint64_t owner : environment_.registry.advisory_locks().blockers_of(process_id)) {
    blocking.push_back(static_cast<uint32_t>(owner));
  }
  std::ranges::sort(blocking);
  blocking.erase(std::ranges::unique(blocking).begin(), blocking.end());
  return blocking;
}

// --- facts and requests ---

std::optional<std::string> Services::fact(std::string_view name) {
  if (name == "current_database") {
    return identity_.database;
  }
  if (name == "current_user") {
    return current_user();
  }
  if (name == "session_user") {
    return settings_.show("session_authorization");
  }
  if (name == "current_schema") {
    const auto path = permanent_search_path();
    return path.empty() ? std::nullopt : std::optional(path.front());
  }
  if (name == "pg_listening_channels") {
    std::string channels;
    for (const std::string& channel : listened_channels_ ? listened_channels_() : std::vector<std::string>()) {
      channels += channel;
      channels += '\0';
    }
    return channels;
  }
  if (name == "pg_my_temp_schema") {
    const auto schema = transaction_.catalog_snapshot()->find_schema(temporary_schema_);
    return std::to_string(schema == nullptr ? 0 : schema->oid);
  }
  if (name == "version") {
    return std::string(kServerVersion);
  }
  if (name == "pg_backend_pid") {
    return std::to_string(identity_.process_id);
  }
  if (name == "txid_current") {
    transaction_.start();
    return std::to_string(transaction_.transaction().id().number());
  }
  if (name == "txid_current_if_assigned") {
    return transaction_.started() && transaction_.transaction().has_writes()
               ? std::optional(std::to_string(transaction_.transaction().id().number()))
               : std::nullopt;
  }
  if (name == "inet_client_addr" || name == "inet_client_port") {
    const auto colon = identity_.client_address.rfind(':');
    if (colon == std::string::npos) {
      return std::nullopt;
    }
    return name.ends_with("addr") ? identity_.client_address.substr(0, colon)
                                  : identity_.client_address.substr(colon + 1);
  }
  if (name == "pg_postmaster_start_time" || name == "pg_conf_load_time") {
    Bytes text;
    types::print_text({types::oid::kTimestamptz}, types::Value::of_int64(environment_.start_time_us),
                      settings_.values().types, text);
    return text;
  }
  return std::nullopt;
}

Result<std::optional<std::string>> Services::act(std::string_view name, std::span<const types::Value> arguments) {
  if (name == "pg_sleep") {
    const double seconds = std::clamp(arguments[0].as<double>(), 0.0, kSleepSecondsMax);
    const Answer* answer = answer_of(PendingSleep{static_cast<uint64_t>(seconds * kNanosecondsPerSecond)});
    return answer == nullptr ? Result<Answer>(Status(sql::kWaitNeeded, "sleeping")) : *answer;
  }
  if (name == "pg_cancel_backend" || name == "pg_terminate_backend") {
    const auto process_id = static_cast<uint32_t>(arguments[0].as<int32_t>());
    const bool found =
        name == "pg_cancel_backend"
            ? environment_.registry.cancel(process_id,
                                           Status(sql_state::kQueryCanceled, "canceling statement due to user request"))
            : environment_.registry.terminate(
                  process_id, Status(sql_state::kAdminShutdown, "terminating connection due to administrator command"));
    return std::optional<std::string>(found ? "t" : "f");
  }
  if (name == "pg_get_expr") {
    return std::optional(shown_expression(arguments[0].bytes()));
  }
  if (name == "pg_blocking_pids") {
    return fmt::format("{{{}}}", fmt::join(blocking_processes(static_cast<uint32_t>(arguments[0].as<int32_t>())), ","));
  }
  if (name == "pg_isolation_test_session_is_blocked") {
    const types::ArrayView others(arguments[1].bytes());
    for (const uint32_t process : blocking_processes(static_cast<uint32_t>(arguments[0].as<int32_t>()))) {
      for (std::size_t i = 0; i < others.size(); ++i) {
        if (!others.is_null(i) && others.at<int32_t>(i) == static_cast<int32_t>(process)) {
          return std::optional<std::string>("t");
        }
      }
    }
    return std::optional<std::string>("f");
  }
  if (name == "pg_get_expr_pretty") {
    const auto table = transaction_.catalog_snapshot()->find_table(arguments[1].as<types::Oid>());
    const std::string stored(arguments[0].bytes());
    return std::optional(table == nullptr ? shown_expression(stored) : pretty_expression(stored, table));
  }
  if (name == "pg_get_serial_sequence") {
    return serial_sequence(arguments[0].bytes(), arguments[1].bytes());
  }
  if (name.find("advisory") != std::string_view::npos) {
    const Answer* answer =
        answer_of(name == "pg_advisory_unlock_all" ? Pending(PendingUnlockAll{}) : advisory_call(name, arguments));
    return answer == nullptr ? Result<Answer>(Status(sql::kWaitNeeded, "an advisory lock")) : *answer;
  }
  if (name == "pg_notify") {
    PANDO_TRY(transaction_.notify(arguments[0].bytes(), arguments[1].bytes(), identity_.process_id));
    return std::optional<std::string>("");
  }
  if (name == "current_row") {
    return current_row_(arguments[0].bytes(), arguments[1].as<types::Oid>());
  }
  if (name == "pg_database_size") {
    return database_size(arguments[0].bytes());
  }
  if (name == "pg_reload_conf") {
    return std::optional<std::string>("t");
  }
  return Status(sql_state::kFeatureNotSupported, "function {}() is not supported", name);
}

Result<std::optional<std::string>> Services::serial_sequence(std::string_view table_name,
                                                             std::string_view column_name) {
  PANDO_ASSIGN(const std::vector<std::string> parts, split_qualified_name(table_name));
  const auto snapshot = transaction_.catalog_snapshot();
  const auto table =
      snapshot->resolve_table(existing_search_path(), parts.size() > 1 ? parts[parts.size() - 2] : "", parts.back());
  if (table == nullptr) {
    return Status(sql_state::kUndefinedTable, "relation \"{}\" does not exist", table_name);
  }
  const catalog::ColumnDescriptor* column = table->find_column(column_name);
  if (column == nullptr) {
    return Status(sql_state::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", column_name,
                  table->name);
  }
  const auto sequence = snapshot->find_sequence(column->owned_sequence);
  return sequence == nullptr ? std::nullopt : std::optional(qualify(sequence->schema, sequence->name, false));
}

}  // namespace pando::session
