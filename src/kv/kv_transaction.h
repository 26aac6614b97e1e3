#pragma once

// One transaction of a KvStore; see txn/transaction.h for the contract. Its writes stay here, at the gateway, until it
// commits; its locks are in the store's lock table; what it reads comes from the record cache or the engine.

#include "kv/bulk_writes.h"
#include "kv/kv_store.h"
#include "txn/point_access.h"
#include "txn/read_check.h"
#include "txn/span_access.h"
#include "txn/write_buffer.h"

namespace pando::kv {

class KvTransaction final : public txn::Transaction,
                            public txn::PointAccess,
                            public txn::SpanAccess,
                            public txn::ReadCheck {
 public:
  KvTransaction(KvStore& store, txn::TransactionOptions options, TransactionId id);
  ~KvTransaction() override;

  bool renew(const txn::TransactionOptions& options) override;

  TransactionId id() const override { return locks_->id(); }
  txn::Isolation isolation() const override { return options_.isolation; }
  HlcTimestamp read_timestamp() const override;
  runtime::Executor& executor() const override { return *options_.executor; }
  bool has_writes() const override { return bulk_ == nullptr ? !writes_->empty() : !bulk_->empty(); }
  void begin_statement() override;

  Task<Result<std::optional<Bytes>>> get(Bytes key) override;
  Task<Result<std::optional<Bytes>>> get_latest(Bytes key) override;
  Result<txn::ReadOutcome> try_get(ByteView key, Bytes& value) override;
  Result<txn::ReadOutcome> try_get_latest(ByteView key, Bytes& value) override;
  std::unique_ptr<txn::Cursor> scan(txn::Span span, txn::ScanOptions options) override;
  std::unique_ptr<txn::Cursor> scan_spans(const std::vector<txn::Span>& spans, txn::ScanOptions options) override;
  std::unique_ptr<txn::Snapshot> snapshot_for(txn::Span span) override;
  Task<Result<txn::LockOutcome>> lock(Bytes key, txn::LockStrength strength, txn::WaitPolicy wait) override;
  Result<std::optional<txn::LockOutcome>> try_lock(ByteView key, txn::LockStrength strength) override;
  bool try_hold(ByteView key, txn::LockStrength strength) override {
    return bulk_ == nullptr && store_.locks().try_lock(*locks_, key, strength);
  }
  Result<bool> try_replace(ByteView key, Bytes value) override;
  void expect_reads(txn::Span span) override { expected_reads_.push_back(std::move(span)); }
  Task<Status> lock_for_insert(std::span<const Bytes> keys, std::vector<uint8_t>& taken) override;
  Task<Status> get_many(std::span<const Bytes> keys, KeyValueBatch& found, std::vector<uint32_t>& positions) override;
  Status put(Bytes key, Bytes value) override;
  Status erase(Bytes key) override;

  void on_commit(std::function<void()> hook) override { hooks_.push_back(std::move(hook)); }
  void set_lock_timeout(std::chrono::milliseconds timeout) override { options_.lock_timeout = timeout; }

  txn::SavepointId savepoint() override;
  void rollback_to(txn::SavepointId savepoint) override;
  void undo_writes_to(txn::SavepointId savepoint) override;
  void release(txn::SavepointId savepoint) override;

  Task<Status> commit() override;
  bool try_commit() override;
  Task<void> rollback() override;
  bool reads_unchanged() override;

 private:
  struct Savepoint {
    txn::WriteBuffer::Mark writes;
    std::size_t locks;
  };

  // Whether what it reads must be noted, to be validated when it commits.
  bool notes_reads() const {
    return options_.isolation == txn::Isolation::kSerializable && !options_.read_only && !options_.reads_past();
  }
  Result<std::optional<Bytes>> read(ByteView key, HlcTimestamp at);
  Result<txn::ReadOutcome> read_into(ByteView key, HlcTimestamp at, Bytes& value);
  Result<txn::LockOutcome> locked_outcome(ByteView key);
  // Whether this transaction has put the key last, or erased it; nothing when it has not written it.
  Result<std::optional<bool>> has_written(ByteView key);
  // Sets taken[i] for those keys, in rising order by `order`, that this transaction has not written.
  Status find_committed(std::span<const Bytes> keys, std::span<const uint32_t> order, std::vector<uint8_t>& taken);
  txn::WriteBuffer::Mark mark_writes() { return bulk_ == nullptr ? writes_->mark() : bulk_->mark(); }
  std::size_t buffered_bytes() const { return bulk_ == nullptr ? writes_->bytes() : bulk_->buffered_bytes(); }
  bool wants_room() const;
  // Moves writes out of memory.
  Task<Status> make_room();
  Task<Status> commit_bulk();
  bool is_known_absent(ByteView key) const { return !known_absent_.empty() && key == known_absent_; }
  // Whether this transaction has locked all keys that begin as `key` does, and none of them has a version: a load into
  // an empty table need not look for every row.
  Result<bool> is_vacant(ByteView key);
  Status check_write(ByteView key, bool erases);
  bool touches(const txn::Span& span) const;
  void pin_past();
  void end();
  void release_snapshot();

  KvStore& store_;
  txn::TransactionOptions options_;
  std::optional<txn::LockOwner> locks_;
  SnapshotRegistry::Pin pin_;
  std::optional<HlcTimestamp> snapshot_;
  // The moment to be read may have lost versions.
  bool too_old_ = false;
  const std::shared_ptr<txn::WriteBuffer> writes_ = std::make_shared<txn::WriteBuffer>();
  // All that is written, once writes_ is full; that does not change any more then.
  std::unique_ptr<BulkWrites> bulk_;
  std::vector<txn::Span> expected_reads_;
  // What the running statement sees of them.
  txn::WriteBuffer::Mark statement_ = 0;
  // What is_vacant found, by prefix.
  std::vector<std::pair<Bytes, bool>> vacancies_;
  // A key that was found to have no version while this transaction holds its lock.
  Bytes known_absent_;
  txn::ReadSet reads_;
  std::vector<Savepoint> savepoints_;
  std::vector<std::function<void()>> hooks_;
  bool over_ = false;
};

}  // namespace pando::kv
