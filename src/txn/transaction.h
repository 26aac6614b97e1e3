#pragma once

// The seam between SQL and everything below it: ordered keys and values, read at a snapshot, written atomically.
//
// The distributed transaction of kv/, the embedded fast path and the block executor of a ledger implement these
// interfaces; sql/ knows nothing else. txn/memory is the reference implementation and the tests' oracle.
//
//   auto transaction = store.begin({.isolation = Isolation::kReadCommitted, ...});
//   transaction->begin_statement();
//   PANDO_CO_ASSIGN(auto locked, co_await transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock));
//   PANDO_CO_ASSIGN(auto value, co_await transaction->get_latest(key));
//   PANDO_CO_TRY(transaction->put(key, changed(value)));
//   PANDO_CO_TRY(co_await transaction->commit());
//
// Thread-safety: a Store is thread-safe; a Transaction belongs to one coroutine at a time (parallel scans take a
// Snapshot each). Waits resume on TransactionOptions::executor.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/key_value_batch.h"
#include "base/status.h"
#include "runtime/cancellation.h"
#include "runtime/executor.h"
#include "runtime/task.h"

namespace pando::txn {

// READ UNCOMMITTED behaves as READ COMMITTED, as in PostgreSQL.
enum class Isolation : uint8_t {
  kReadCommitted,   // a snapshot per statement
  kRepeatableRead,  // snapshot isolation: the first committer wins
  kSerializable,    // also validates what was read
};

// PostgreSQL's row locks (documentation 13.3.2), weakest first. Which pairs conflict is conflicts() below.
enum class LockStrength : uint8_t { kKeyShare, kShare, kNoKeyUpdate, kUpdate };

constexpr bool conflicts(LockStrength a, LockStrength b) { return static_cast<int>(a) + static_cast<int>(b) >= 3; }

enum class WaitPolicy : uint8_t {
  kBlock,
  kNoWait,      // 55P03 instead of waiting
  kSkipLocked,  // LockOutcome::granted is false instead of waiting
};

struct LockOutcome {
  bool granted = true;
  // A version newer than the statement's snapshot is committed: what the statement read of this key is stale.
  // READ COMMITTED restarts the statement (begin_statement takes a new snapshot; locks stay), others fail with 40001.
  bool changed_since_snapshot = false;
};

// Keys in [start, end). An empty end means no upper bound.
struct Span {
  Bytes start;
  Bytes end;
};

// The parts of `span` between rising keys inside it.
std::vector<Span> cut(const Span& span, const std::vector<Bytes>& keys);

using pando::KeyValueBatch;

struct ScanOptions {
  bool reverse = false;
  // The scan will not be asked for more entries than this; 0 means all. A hint for read-ahead.
  std::size_t limit_hint = 0;
};

// An ordered walk over a span. Destroy it before the transaction ends.
class Cursor {
 public:
  virtual ~Cursor() = default;
  // Clears `batch` and fills it with up to `entries_max` next entries. None means the end.
  virtual Task<Status> next(KeyValueBatch& batch, std::size_t entries_max) = 0;
};

// What can be read at one point in time, without the transaction's own writes. Usable from another thread than its
// transaction's, for parallel scans; one thread at a time per Snapshot. Destroy it before the transaction ends.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual HlcTimestamp timestamp() const = 0;
  virtual std::unique_ptr<Cursor> scan(Span span, ScanOptions options) = 0;
  // Up to `pieces` spans, in order, that together are `span` and hold about as much each: what several scans can share.
  // Only `span` itself when it is small or nothing is known of it.
  virtual std::vector<Span> split(Span span, std::size_t pieces) = 0;
};

struct SavepointTag;
using SavepointId = StrongId<SavepointTag, uint32_t>;

class Transaction {
 public:
  // Rolls back if neither commit nor rollback ran.
  virtual ~Transaction() = default;

  virtual TransactionId id() const = 0;
  virtual Isolation isolation() const = 0;
  virtual HlcTimestamp read_timestamp() const = 0;
  // On which it continues after a wait.
  virtual runtime::Executor& executor() const = 0;
  // Whether anything was put or erased (and not rolled back to a savepoint since).
  virtual bool has_writes() const = 0;

  // READ COMMITTED: takes a new snapshot. Otherwise: takes the snapshot if this is the first statement.
  virtual void begin_statement() = 0;

  // The value of `key` in the snapshot, overlaid with this transaction's writes as they were at the last
  // begin_statement(), as scan() sees it.
  virtual Task<Result<std::optional<Bytes>>> get(Bytes key) = 0;
  // The newest committed value, overlaid with this transaction's writes, whatever the snapshot.
  // REQUIRES: this transaction holds a lock on `key`, or the caller only needs a hint.
  virtual Task<Result<std::optional<Bytes>>> get_latest(Bytes key) = 0;
  // Walks `span` in the snapshot, overlaid with this transaction's writes as they were at the last begin_statement(): a
  // statement does not see what it writes itself, however late its cursors are made.
  virtual std::unique_ptr<Cursor> scan(Span span, ScanOptions options) = 0;
  // nullptr when scan() would see writes of this transaction inside `span`: then scan() must be used.
  virtual std::unique_ptr<Snapshot> snapshot_for(Span span) = 0;

  // Locks `key`, existing or not, until the transaction ends or rolls back to an earlier savepoint.
  // Errors: 55P03 (kNoWait or lock_timeout), 40P01 (this transaction is the deadlock's victim), 57014 and what else the
  // cancellation gives.
  virtual Task<Result<LockOutcome>> lock(Bytes key, LockStrength strength, WaitPolicy wait) = 0;

  // Tells that nobody else names a key of `span` before this transaction has committed, and that none has a value yet
  // but by its writes: the place of a new table's rows. Locks there need not be asked for.
  virtual void claim(Span) {}
  // Tells that what is written in this span will be read soon after the commit: worth some of its time to have it in
  // memory by then.
  virtual void expect_reads(Span) {}
  // Tells that lock(strength, kBlock) of each key comes next: where locks are far away, those that nobody has are taken
  // at once. Waits for no other transaction. Errors: those of lock().
  virtual Task<Status> lock_ahead(std::span<const Bytes> keys, LockStrength strength);
  // For keys about to be inserted, in any order: what lock(kUpdate, kBlock) and get_latest() do for each, at less cost.
  // taken[i] is set to whether keys[i] has a value. Errors: those of lock(). As lock() does, it moves writes out of
  // memory when they are many, even with no keys: who puts without locking calls it now and then.
  virtual Task<Status> lock_for_insert(std::span<const Bytes> keys, std::vector<uint8_t>& taken);
  // The values of `keys` as get() gives them: entries of `found` with the keys that have one, in the order of `keys`,
  // and their positions in `keys`.
  virtual Task<Status> get_many(std::span<const Bytes> keys, KeyValueBatch& found, std::vector<uint32_t>& positions);

  // Buffers a write. REQUIRES: a kNoKeyUpdate or kUpdate lock on `key`, which makes the commit conditional on no other
  // writer; or a lock on another key that every writer of `key` locks first, as an index entry has in its row. Errors:
  // 25006 in a read-only transaction, 54000 over the transaction's size limit, 40001 when the isolation forbids to
  // replace a version newer than the snapshot.
  virtual Status put(Bytes key, Bytes value) = 0;
  virtual Status erase(Bytes key) = 0;

  // Runs `hook` when the commit is decided and before its locks are freed, so that whoever was waiting for one of them
  // sees what the hook publishes. Not run when the transaction rolls back. The hook must not block.
  virtual void on_commit(std::function<void()> hook) = 0;
  // Replaces TransactionOptions::lock_timeout for the locks that follow.
  virtual void set_lock_timeout(std::chrono::milliseconds timeout) = 0;

  virtual SavepointId savepoint() = 0;
  // Undoes writes and frees locks taken since; the savepoint itself stays, those made after it are gone.
  virtual void rollback_to(SavepointId savepoint) = 0;
  // Undoes writes and keeps the locks: what a READ COMMITTED statement does before it starts over.
  virtual void undo_writes_to(SavepointId savepoint) = 0;
  // Forgets the savepoint and those made after it; what was done since stays.
  virtual void release(SavepointId savepoint) = 0;

  // Makes all writes durable and visible at once. Errors: 40001 (a serialization conflict), 53100/58030 (nothing was
  // committed), 40003 (unknown). After it, ok or not, the transaction is over and its locks are free.
  virtual Task<Status> commit() = 0;
  virtual Task<void> rollback() = 0;
};

struct TransactionOptions {
  Isolation isolation = Isolation::kReadCommitted;
  bool read_only = false;
  runtime::Executor* executor = nullptr;
  // May be null. Polled and waited on by everything that waits.
  runtime::Cancellation* cancellation = nullptr;
  // Zero means no limit.
  std::chrono::milliseconds lock_timeout{0};
  // Every statement reads this moment of the past, and none writes. Zero: the present. Reads fail with 72000 when the
  // store does not remember the moment any more.
  HlcTimestamp read_at;
  // Statements, none of which writes, may read a moment up to so long ago, if that spares a way to another node. Zero:
  // the present.
  std::chrono::nanoseconds staleness_max{0};

  bool reads_past() const { return read_at != HlcTimestamp() || staleness_max.count() != 0; }
};

class Store {
 public:
  virtual ~Store() = default;
  // REQUIRES: options.executor is set and outlives the transaction.
  virtual std::unique_ptr<Transaction> begin(TransactionOptions options) = 0;
  // Frees the space of keys that no statement will name again, the rows of a dropped table, some time from now. Does
  // not wait; safe to call from an on_commit hook.
  virtual void discard(Span span) = 0;

  // For who keeps what is under `prefix` in memory while other nodes change it. Whoever changes it here is told by
  // on_commit; after a lock on any key beside it was granted, watched_change() covers every change that was committed
  // before. Once, before the first transaction.
  virtual void watch(Bytes) {}
  // Nearly every transaction locks keys with this prefix with kKeyShare, and hardly any with kUpdate: a store with
  // several nodes makes the former cheap at the cost of the latter. Once, before the first transaction.
  virtual void guard(Bytes) {}
  // The newest commit under the prefix of watch(), by any node, that this node knows of. Zero where there are no other
  // nodes.
  virtual HlcTimestamp watched_change() const { return {}; }
  // Drops versions in `span` that no transaction can see any more, now instead of when the store finds time. Blocks.
  virtual Status collect_garbage(Span span) = 0;
  // About how many bytes `span` takes.
  virtual uint64_t approximate_bytes(Span span) = 0;
};

}  // namespace pando::txn
