#pragma once

// SessionTransaction: the transaction block of one session (PostgreSQL's "BEGIN ... COMMIT" state machine) and what
// lives as long as the transaction: the store's transaction, the catalog's view of it, deferred checks, savepoints.
//
//                     BEGIN                      error
//       kIdle ----------------------> kInBlock --------> kFailed
//        |  ^   COMMIT, ROLLBACK         |   ROLLBACK TO    |
//        |  +----------------------------+ <----------------+
//        |  statement            ^ BEGIN |                  | COMMIT, ROLLBACK -> kIdle
//        +-----> kImplicit ------+       +-- COMMIT, ROLLBACK
//                  | end of message: commit; error: rollback
//
// The store's transaction starts with the first statement that needs it, so SET TRANSACTION can still change how.
// Thread-safety: the session's coroutine only.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "runtime/cancellation.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "session/advisory_locks.h"
#include "session/notifications.h"
#include "session/session_settings.h"
#include "session/table_locks.h"
#include "sql/exec/context.h"
#include "txn/point_access.h"

namespace pando::session {

enum class BlockState : uint8_t { kIdle, kImplicit, kInBlock, kFailed };

// What SET TRANSACTION and BEGIN's options choose.
struct TransactionModes {
  std::optional<IsolationLevel> isolation;
  std::optional<bool> read_only;
  std::optional<bool> deferrable;
};

class SessionTransaction {
 public:
  // REQUIRES: all outlive this object.
  // `statistics` may be null.
  SessionTransaction(txn::Store& store, catalog::Catalog& catalog, catalog::Statistics* statistics,
                     runtime::Executor& executor, runtime::Cancellation& cancellation, SessionSettings& settings,
                     runtime::Clock& clock);

  BlockState state() const { return state_; }
  // ReadyForQuery's byte: 'I', 'T' or 'E'.
  char status_byte() const;
  bool in_block() const { return state_ == BlockState::kInBlock || state_ == BlockState::kFailed; }
  bool failed() const { return state_ == BlockState::kFailed; }

  txn::Isolation isolation() const { return isolation_of(isolation_); }
  // Also when it reads the past.
  bool read_only() const { return read_only_ || reads_past(); }
  // As the settings said when it began, or would begin now.
  bool reads_past() const {
    const SettingValues& values = settings_.values();
    return started() ? reads_past_
                     : values.as_of.kind != ReadMoment::Kind::kPresent || values.read_staleness.count() != 0;
  }
  // Every statement reads this moment; zero: none in particular. REQUIRES: started().
  HlcTimestamp read_at() const { return read_at_; }
  bool deferrable() const { return deferrable_; }
  // SHOW transaction_isolation, transaction_read_only and transaction_deferrable, inside a transaction or not.
  std::string show_mode(std::string_view name) const;
  runtime::Cancellation& cancellation() { return cancellation_; }

  // --- commands; each returns OK or the error of the command, and leaves warnings to its caller ---

  // A statement begins: from kIdle an implicit transaction starts.
  void begin_implicit();
  // BEGIN. False when a block is open already (the caller warns); the modes apply all the same, as in PostgreSQL.
  Result<bool> begin_block(TransactionModes modes);
  Status set_modes(TransactionModes modes);
  // Ends the transaction, whatever its state: COMMIT, or the end of an implicit one. A failed block rolls back.
  // Returns whether it committed.
  Task<Result<bool>> commit();
  // The same without a coroutine, when there is nothing to make durable and nothing to check. False: nothing was done.
  bool try_commit();
  Task<void> rollback();
  // AND CHAIN: opens a block with the modes of the one that ended.
  void chain_block();
  // A statement failed: an implicit transaction rolls back, a block becomes failed.
  Task<void> fail();

  Status define_savepoint(std::string name);
  // 3B001 and 25P01 as the commands that name a savepoint give them; the index of the savepoint.
  Result<std::size_t> find_savepoint(std::string_view name, std::string_view command) const;
  Status release_savepoint(std::string_view name);
  // Leaves the failed state. REQUIRES: `index` from find_savepoint; no query of a deeper level is open any more.
  Task<void> rollback_to_savepoint(std::size_t index);
  std::size_t savepoint_depth() const { return savepoints_.size(); }

  // --- what statements use ---

  // Starts the store's transaction when there is none. REQUIRES: not kIdle, not kFailed.
  void start();
  bool started() const { return transaction_ != nullptr; }
  // REQUIRES: started().
  txn::Transaction& transaction() { return *transaction_; }
  // Null when the store has none.
  txn::PointAccess* point_access() { return access_; }
  catalog::CatalogTransaction& catalog() { return *catalog_view_; }
  sql::exec::TransactionState& execution_state() { return execution_state_; }
  // The catalog as this transaction sees it, started or not.
  catalog::SnapshotPtr catalog_snapshot();

  // --- what the transaction tells others, when it commits ---
  // 22023 for a name or text that is too long.
  Status notify(std::string_view channel, std::string_view payload, uint32_t process_id);
  Status change_listening(TransactionMessages::Listening change);

  // --- advisory locks of the transaction, freed when it or the savepoint they were taken under ends ---
  void set_lock_owner(AdvisoryLocks* locks, uint64_t owner) { advisory_locks_ = locks, lock_owner_ = owner; }
  uint64_t lock_owner() const { return lock_owner_; }
  // Of the newest transaction; 0 before the first. From any thread.
  uint64_t number() const { return number_.load(std::memory_order_acquire); }
  // Until the transaction ends.
  void keep_exclusive_table(ExclusiveTables::Hold hold) { exclusive_tables_.push_back(std::move(hold)); }
  void keep_advisory_lock(const AdvisoryRequest& held) { advisory_held_.push_back(held); }
  // What the committed transaction said; taken by the session after commit().
  TransactionMessages take_messages() { return std::exchange(messages_, {}); }

  // A savepoint around one statement, so that it can be undone and run again.
  struct StatementMark {
    txn::SavepointId savepoint;
    std::size_t catalog_changes = 0;
    std::size_t deferred_checks = 0;
    std::size_t changes = 0;
  };
  StatementMark mark_statement();
  void undo_statement(const StatementMark& mark);
  void forget_statement(const StatementMark& mark);

 private:
  struct Savepoint {
    std::string name;
    // nullopt while the store's transaction had not started.
    std::optional<txn::SavepointId> savepoint;
    std::size_t settings_mark = 0;
    std::size_t catalog_changes = 0;
    std::size_t deferred_checks = 0;
    std::size_t changes = 0;
    std::size_t advisory_held = 0;
    std::size_t listening = 0;
    std::size_t notifications = 0;
    // SET TRANSACTION READ ONLY ends with the savepoint inside which it was said.
    bool read_only = false;
  };

  void take_defaults();
  void choose_moment(txn::TransactionOptions& options);
  // Other nodes may have them when it returns.
  Task<void> free_advisory_locks(std::size_t kept);
  Status apply_modes(const TransactionModes& modes);
  void end(bool committed);
  // Tells the tables' statistics what the transaction wrote.
  void count_changes(bool committed);

  txn::Store& store_;
  catalog::Catalog& catalog_;
  catalog::Statistics* statistics_;
  runtime::Executor& executor_;
  runtime::Cancellation& cancellation_;
  SessionSettings& settings_;
  runtime::Clock& clock_;

  BlockState state_ = BlockState::kIdle;
  IsolationLevel isolation_ = IsolationLevel::kReadCommitted;
  bool read_only_ = false;
  bool deferrable_ = false;
  bool reads_past_ = false;
  HlcTimestamp read_at_;
  std::unique_ptr<txn::Transaction> transaction_;
  txn::PointAccess* access_ = nullptr;
  // The last one, to make the next one of.
  std::unique_ptr<txn::Transaction> ended_;
  std::optional<catalog::CatalogTransaction> catalog_view_;
  sql::exec::TransactionState execution_state_;
  std::vector<Savepoint> savepoints_;
  AdvisoryLocks* advisory_locks_ = nullptr;
  uint64_t lock_owner_ = 0;
  std::vector<AdvisoryRequest> advisory_held_;
  std::vector<ExclusiveTables::Hold> exclusive_tables_;
  TransactionMessages messages_;
  std::atomic<uint64_t> number_{0};
};

}  // namespace pando::session
