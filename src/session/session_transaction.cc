#include "session/session_transaction.h"

#include <algorithm>
#include <utility>

#include "types/calendar.h"

namespace pando::session {
namespace {

// PostgreSQL's NAMEDATALEN - 1 and NOTIFY_PAYLOAD_MAX_LENGTH - 1.
constexpr std::size_t kChannelBytesMax = 63;
constexpr std::size_t kPayloadBytesMax = 7999;

// Where timestamps begin, 2000-01-01 UTC, on Unix clocks.
constexpr int64_t kEpochUs = types::kUnixToPostgresSeconds * types::kMicrosPerSecond;
constexpr uint64_t kNsPerUs = 1000;

}  // namespace

SessionTransaction::SessionTransaction(txn::Store& store, catalog::Catalog& catalog, catalog::Statistics* statistics,
                                       runtime::Executor& executor, runtime::Cancellation& cancellation,
                                       SessionSettings& settings, runtime::Clock& clock)
    : store_(store),
      catalog_(catalog),
      statistics_(statistics),
      executor_(executor),
      cancellation_(cancellation),
      settings_(settings),
      clock_(clock) {}

char SessionTransaction::status_byte() const {
  switch (state_) {
    case BlockState::kIdle:
    case BlockState::kImplicit:
      return 'I';
    case BlockState::kInBlock:
      return 'T';
    case BlockState::kFailed:
      return 'E';
  }
  PANDO_UNREACHABLE("a block state outside its enumeration");
}

std::string SessionTransaction::show_mode(std::string_view name) const {
  const SettingValues& values = settings_.values();
  const bool idle = state_ == BlockState::kIdle;
  if (name == "transaction_isolation") {
    return std::string(isolation_name(idle ? values.default_isolation : isolation_));
  }
  const bool on = name == "transaction_read_only" ? (idle ? values.default_read_only : read_only_) || reads_past()
                                                  : (idle ? values.default_deferrable : deferrable_);
  return on ? "on" : "off";
}

void SessionTransaction::take_defaults() {
  const SettingValues& values = settings_.values();
  isolation_ = values.default_isolation;
  read_only_ = values.default_read_only;
  deferrable_ = values.default_deferrable;
  execution_state_ = {};
  settings_.begin_transaction();
}

void SessionTransaction::begin_implicit() {
  if (state_ == BlockState::kIdle) {
    take_defaults();
    state_ = BlockState::kImplicit;
  }
}

Result<bool> SessionTransaction::begin_block(TransactionModes modes) {
  const bool opened = state_ == BlockState::kIdle || state_ == BlockState::kImplicit;
  if (state_ == BlockState::kIdle) {
    take_defaults();
  }
  if (opened) {
    state_ = BlockState::kInBlock;
  }
  PANDO_TRY(apply_modes(modes));
  return opened;
}

Status SessionTransaction::set_modes(TransactionModes modes) { return apply_modes(modes); }

Status SessionTransaction::apply_modes(const TransactionModes& modes) {
  if (modes.isolation && *modes.isolation != isolation_) {
    if (transaction_ != nullptr) {
      return Status(sql_state::kActiveSqlTransaction,
                    "SET TRANSACTION ISOLATION LEVEL must be called before any query");
    }
    if (!savepoints_.empty()) {
      return Status(sql_state::kActiveSqlTransaction,
                    "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
    }
    isolation_ = *modes.isolation;
  }
  if (modes.read_only) {
    if (read_only_ && !*modes.read_only) {
      if (!savepoints_.empty()) {
        return Status(sql_state::kActiveSqlTransaction,
                      "cannot set transaction read-write mode inside a read-only transaction");
      }
      if (transaction_ != nullptr) {
        return Status(sql_state::kActiveSqlTransaction, "transaction read-write mode must be set before any query");
      }
    }
    read_only_ = *modes.read_only;
  }
  if (modes.deferrable) {
    if (!savepoints_.empty()) {
      return Status(sql_state::kActiveSqlTransaction,
                    "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction");
    }
    if (transaction_ != nullptr) {
      return Status(sql_state::kActiveSqlTransaction,
                    "SET TRANSACTION [NOT] DEFERRABLE must be called before any query");
    }
    deferrable_ = *modes.deferrable;
  }
  return {};
}

void SessionTransaction::start() {
  PANDO_ASSERT(state_ != BlockState::kIdle, "a transaction starts inside a block, implicit or not");
  PANDO_ASSERT(state_ != BlockState::kFailed, "nothing runs in a failed block");
  if (transaction_ != nullptr) {
    return;
  }
  // Read only is refused before execution, where temporary effects are told apart.
  txn::TransactionOptions options{.isolation = isolation(),
                                  .read_only = false,
                                  .executor = &executor_,
                                  .cancellation = &cancellation_,
                                  .lock_timeout = settings_.values().lock_timeout};
  choose_moment(options);
  if (ended_ != nullptr && access_ != nullptr && access_->renew(options)) {
    transaction_ = std::move(ended_);
  } else {
    ended_.reset();
    transaction_ = store_.begin(options);
    access_ = txn::PointAccess::of(transaction_.get());
  }
  number_.store(transaction_->id().number(), std::memory_order_release);
  catalog_view_.emplace(catalog_, *transaction_);
}

void SessionTransaction::choose_moment(txn::TransactionOptions& options) {
  const ReadMoment as_of = settings_.values().as_of;
  switch (as_of.kind) {
    case ReadMoment::Kind::kPresent:
      options.staleness_max = settings_.values().read_staleness;
      break;
    case ReadMoment::Kind::kMoment:
      options.read_at = {static_cast<uint64_t>(std::max<int64_t>(as_of.us + kEpochUs, 1)) * kNsPerUs, 0};
      break;
    case ReadMoment::Kind::kAgo: {
      const uint64_t now_us = clock_.wall_ns() / kNsPerUs;
      options.read_at = {(now_us - std::min(now_us - 1, static_cast<uint64_t>(as_of.us))) * kNsPerUs, 0};
      break;
    }
  }
  reads_past_ = options.reads_past();
  read_at_ = options.read_at;
}

catalog::SnapshotPtr SessionTransaction::catalog_snapshot() {
  return catalog_view_ ? catalog_view_->snapshot() : catalog_.current();
}

void SessionTransaction::count_changes(bool committed) {
  for (const catalog::TableChanges& changes : execution_state_.changes) {
    if (statistics_ != nullptr) {
      statistics_->activity(changes.table).count_changes(changes, committed);
    }
  }
  execution_state_.changes.clear();
}

Task<void> SessionTransaction::free_advisory_locks(std::size_t kept) {
  if (advisory_held_.size() > kept) {
    const auto first = advisory_held_.begin() + static_cast<std::ptrdiff_t>(kept);
    std::vector<AdvisoryRequest> freed(first, advisory_held_.end());
    advisory_held_.erase(first, advisory_held_.end());
    co_await advisory_locks_->release_transaction(std::move(freed), executor_);
  }
}

Status SessionTransaction::change_listening(TransactionMessages::Listening change) {
  if (change.channel.size() > kChannelBytesMax) {
    return Status(sql_state::kInvalidParameterValue, "channel name too long");
  }
  messages_.listening.push_back(std::move(change));
  return {};
}

Status SessionTransaction::notify(std::string_view channel, std::string_view payload, uint32_t process_id) {
  if (channel.empty()) {
    return Status(sql_state::kInvalidParameterValue, "channel name cannot be empty");
  }
  if (channel.size() > kChannelBytesMax) {
    return Status(sql_state::kInvalidParameterValue, "channel name too long");
  }
  if (payload.size() > kPayloadBytesMax) {
    return Status(sql_state::kInvalidParameterValue, "payload string too long");
  }
  Notification notification{process_id, std::string(channel), std::string(payload)};
  if (std::ranges::find(messages_.notifications, notification) == messages_.notifications.end()) {
    messages_.notifications.push_back(std::move(notification));
  }
  return {};
}

void SessionTransaction::end(bool committed) {
  PANDO_ASSERT(advisory_held_.empty(), "a transaction frees its advisory locks before it ends");
  if (!committed) {
    messages_ = {};
  }
  count_changes(committed);
  settings_.end_transaction(committed);
  catalog_view_.reset();
  transaction_.reset();
  exclusive_tables_.clear();
  savepoints_.clear();
  state_ = BlockState::kIdle;
}

Task<Result<bool>> SessionTransaction::commit() {
  if (state_ == BlockState::kFailed) {
    co_await rollback();
    co_return false;
  }
  Status status;
  if (transaction_ != nullptr) {
    status = co_await transaction_->commit();
  }
  co_await free_advisory_locks(0);
  end(status.ok());
  if (!status.ok()) {
    co_return status;
  }
  co_return true;
}

bool SessionTransaction::try_commit() {
  if (state_ == BlockState::kFailed || !execution_state_.deferred.empty() || !messages_.empty() ||
      !advisory_held_.empty()) {
    return false;
  }
  if (transaction_ != nullptr) {
    if (access_ == nullptr || !access_->try_commit()) {
      return false;
    }
    catalog_view_.reset();
    ended_ = std::move(transaction_);
  }
  end(/*committed=*/true);
  return true;
}

Task<void> SessionTransaction::rollback() {
  if (transaction_ != nullptr) {
    co_await transaction_->rollback();
  }
  co_await free_advisory_locks(0);
  end(/*committed=*/false);
}

void SessionTransaction::chain_block() {
  const TransactionModes modes{isolation_, read_only_, deferrable_};
  take_defaults();
  state_ = BlockState::kInBlock;
  isolation_ = *modes.isolation;
  read_only_ = *modes.read_only;
  deferrable_ = *modes.deferrable;
}

Task<void> SessionTransaction::fail() {
  if (state_ == BlockState::kImplicit) {
    co_await rollback();
  } else if (state_ == BlockState::kInBlock) {
    state_ = BlockState::kFailed;
    // Without a savepoint to return to, nothing of it can be kept: free its locks now.
    if (savepoints_.empty() && transaction_ != nullptr) {
      co_await transaction_->rollback();
      catalog_view_.reset();
      transaction_.reset();
    }
    co_await free_advisory_locks(savepoints_.empty() ? 0 : savepoints_.back().advisory_held);
  }
}

Status SessionTransaction::define_savepoint(std::string name) {
  if (state_ != BlockState::kInBlock) {
    return Status(sql_state::kNoActiveSqlTransaction, "SAVEPOINT can only be used in transaction blocks");
  }
  Savepoint savepoint{.name = std::move(name),
                      .settings_mark = settings_.savepoint(),
                      .advisory_held = advisory_held_.size(),
                      .listening = messages_.listening.size(),
                      .notifications = messages_.notifications.size(),
                      .read_only = read_only_};
  if (transaction_ != nullptr) {
    savepoint.savepoint = transaction_->savepoint();
    savepoint.catalog_changes = catalog_view_->change_count();
    savepoint.deferred_checks = execution_state_.deferred.size();
    savepoint.changes = execution_state_.changes.size();
  }
  savepoints_.push_back(std::move(savepoint));
  return {};
}

Result<std::size_t> SessionTransaction::find_savepoint(std::string_view name, std::string_view command) const {
  if (!in_block()) {
    return Status(sql_state::kNoActiveSqlTransaction, "{} can only be used in transaction blocks", command);
  }
  for (std::size_t i = savepoints_.size(); i-- > 0;) {
    if (savepoints_[i].name == name) {
      return i;
    }
  }
  return Status(sql_state::kInvalidSavepointSpecification, "savepoint \"{}\" does not exist", name);
}

Status SessionTransaction::release_savepoint(std::string_view name) {
  PANDO_ASSIGN(const std::size_t index, find_savepoint(name, "RELEASE SAVEPOINT"));
  if (savepoints_[index].savepoint) {
    transaction_->release(*savepoints_[index].savepoint);
  }
  read_only_ = savepoints_[index].read_only;
  savepoints_.resize(index);
  return {};
}

Task<void> SessionTransaction::rollback_to_savepoint(std::size_t index) {
  const Savepoint& savepoint = savepoints_[index];
  if (savepoint.savepoint) {
    transaction_->rollback_to(*savepoint.savepoint);
    catalog_view_->rollback_to(savepoint.catalog_changes);
  } else if (transaction_ != nullptr) {
    // The savepoint is older than the store's transaction: all of it goes, and the next statement starts a new one.
    catalog_view_.reset();
    transaction_.reset();
  }
  execution_state_.deferred.resize(std::min(execution_state_.deferred.size(), savepoint.deferred_checks));
  execution_state_.changes.resize(std::min(execution_state_.changes.size(), savepoint.changes));
  read_only_ = savepoint.read_only;
  settings_.rollback_to(savepoint.settings_mark);
  messages_.listening.resize(std::min(messages_.listening.size(), savepoint.listening));
  messages_.notifications.resize(std::min(messages_.notifications.size(), savepoint.notifications));
  savepoints_.resize(index + 1);
  state_ = BlockState::kInBlock;
  co_await free_advisory_locks(savepoints_.back().advisory_held);
}

SessionTransaction::StatementMark SessionTransaction::mark_statement() {
  return {transaction_->savepoint(), catalog_view_->change_count(), execution_state_.deferred.size(),
          execution_state_.changes.size()};
}

void SessionTransaction::undo_statement(const StatementMark& mark) {
  transaction_->undo_writes_to(mark.savepoint);
  catalog_view_->rollback_to(mark.catalog_changes);
  execution_state_.deferred.resize(mark.deferred_checks);
  execution_state_.changes.resize(mark.changes);
}

void SessionTransaction::forget_statement(const StatementMark& mark) { transaction_->release(mark.savepoint); }

}  // namespace pando::session
