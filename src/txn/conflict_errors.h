#pragma once

// The errors of transactions that got in each other's way, with PostgreSQL's SQLSTATE and wording. Every Store gives
// exactly these.

#include "base/status.h"
#include "txn/transaction.h"

namespace pando::txn {

inline Status read_write_conflict() {
  return Status(sql_state::kSerializationFailure,
                "could not serialize access due to read/write dependencies among transactions")
      .with_hint("The transaction might succeed if retried.");
}
inline Status concurrent_update() {
  return Status(sql_state::kSerializationFailure, "could not serialize access due to concurrent update");
}
inline Status concurrent_delete() {
  return Status(sql_state::kSerializationFailure, "could not serialize access due to concurrent delete");
}
// Asks the session to run the statement again on a new snapshot; it never reaches a client.
inline constexpr SqlState kRestartStatement{"RESTA"};
// A read met a version that may have been acknowledged before the statement began, though its timestamp is later:
// clocks differ.
inline Status uncertain_read(Isolation isolation) {
  if (isolation == Isolation::kReadCommitted) {
    return {kRestartStatement, "a row may have been committed before the statement began"};
  }
  return Status(sql_state::kSerializationFailure, "could not serialize access: a read met a write of uncertain order")
      .with_hint("The transaction might succeed if retried.");
}
// SQL adds `in relation "..."`, which only it knows.
inline Status lock_not_available() { return Status(sql_state::kLockNotAvailable, "could not obtain lock on row"); }
inline Status lock_timed_out() {
  return Status(sql_state::kLockNotAvailable, "canceling statement due to lock timeout");
}
inline constexpr SqlState kSnapshotTooOld{"72000"};
// What a read of a moment ends with whose versions may be gone.
inline Status snapshot_too_old() {
  return Status(kSnapshotTooOld, "snapshot too old")
      .with_detail("Versions of rows that the moment saw may have been collected as garbage.");
}
// Of a store of several nodes, which keeps locks in memory.
inline Status locks_lost() {
  return Status(sql_state::kSerializationFailure, "the transaction lost its locks because another node leads the shard")
      .with_hint("The transaction might succeed if retried.");
}
inline Status read_only_violation() {
  return Status(sql_state::kReadOnlySqlTransaction, "cannot write in a read-only transaction");
}
inline Status transaction_too_large(std::size_t bytes_max) {
  return Status(sql_state::kProgramLimitExceeded, "transaction is too large")
      .with_detail(fmt::format("The limit is {} bytes of buffered writes.", bytes_max));
}
inline Status row_too_large(std::size_t bytes_max) {
  return Status(sql_state::kProgramLimitExceeded, "row is too large")
      .with_detail(fmt::format("The limit is {} bytes in a cluster.", bytes_max));
}
inline Status transaction_is_over() {
  return Status(sql_state::kInvalidTransactionState, "the transaction has already ended");
}

}  // namespace pando::txn
