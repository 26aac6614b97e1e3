#pragma once

// One transaction of a MemoryStore; see txn/transaction.h for the contract.

#include "txn/memory/memory_store.h"
#include "txn/point_access.h"
#include "txn/read_check.h"

namespace pando::txn {

class MemoryTransaction final : public Transaction, public PointAccess, public ProgramAccess, public ReadCheck {
 public:
  MemoryTransaction(MemoryStore& store, TransactionOptions options, TransactionId id);
  ~MemoryTransaction() override;

  TransactionId id() const override { return locks_.id(); }
  Isolation isolation() const override { return options_.isolation; }
  runtime::Executor& executor() const override { return *options_.executor; }
  HlcTimestamp read_timestamp() const override;
  bool has_writes() const override { return !writes_.empty(); }
  void begin_statement() override;

  Task<Result<std::optional<Bytes>>> get(Bytes key) override;
  Task<Result<std::optional<Bytes>>> get_latest(Bytes key) override;
  std::unique_ptr<Cursor> scan(Span span, ScanOptions options) override;
  std::unique_ptr<Snapshot> snapshot_for(Span span) override;
  std::unique_ptr<ProgramResults> run_program(Span span, Bytes program, const ProgramOptions& options) override;
  Task<Result<LockOutcome>> lock(Bytes key, LockStrength strength, WaitPolicy wait) override;
  Status put(Bytes key, Bytes value) override;
  Status erase(Bytes key) override;

  Result<ReadOutcome> try_get(ByteView key, Bytes& value) override;
  Result<ReadOutcome> try_get_latest(ByteView key, Bytes& value) override;
  Result<std::optional<LockOutcome>> try_lock(ByteView key, LockStrength strength) override;
  bool try_hold(ByteView key, LockStrength strength) override;
  Result<bool> try_replace(ByteView key, Bytes value) override;
  bool try_commit() override;
  bool renew(const TransactionOptions&) override { return false; }

  void on_commit(std::function<void()> hook) override { hooks_.push_back(std::move(hook)); }
  void set_lock_timeout(std::chrono::milliseconds timeout) override { options_.lock_timeout = timeout; }

  SavepointId savepoint() override;
  void rollback_to(SavepointId savepoint) override;
  void undo_writes_to(SavepointId savepoint) override;
  void release(SavepointId savepoint) override;

  Task<Status> commit() override;
  Task<void> rollback() override;
  bool reads_unchanged() override;

 private:
  struct Savepoint {
    WriteBuffer::Mark writes;
    std::size_t locks;
  };

  ReadOutcome read_into(ByteView key, HlcTimestamp at, Bytes& value);
  LockOutcome locked_outcome(ByteView key);
  bool serializable() const { return options_.isolation == Isolation::kSerializable; }
  // The store keeps no history.
  bool reads_forgotten() const { return options_.read_at != HlcTimestamp(); }
  Status check_write(ByteView key, bool erases);
  void end();
  void release_snapshot();

  MemoryStore& store_;
  TransactionOptions options_;
  LockOwner locks_;
  WriteBuffer writes_;
  // What the running statement sees of them.
  WriteBuffer::Mark statement_ = 0;
  ReadSet reads_;
  std::optional<HlcTimestamp> snapshot_;
  std::vector<Savepoint> savepoints_;
  std::vector<std::function<void()>> hooks_;
  bool over_ = false;
};

}  // namespace pando::txn
