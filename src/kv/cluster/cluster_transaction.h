#pragma once

// One transaction of a ClusterStore; see txn/transaction.h for the contract. Its writes stay here, at the gateway,
// until it commits; its locks are at the leaseholders; it reads from them at a moment that the first of them chose.

#include <algorithm>
#include <map>
#include <unordered_map>

#include "kv/cluster/cluster_store.h"
#include "kv/commit_record.h"
#include "txn/point_access.h"
#include "txn/read_set.h"
#include "txn/write_buffer.h"

namespace pando::kv {

class ClusterTransaction final : public txn::Transaction, public txn::PointAccess, public txn::ProgramAccess {
 public:
  ClusterTransaction(ClusterStore& store, txn::TransactionOptions options, TransactionId id);
  ~ClusterTransaction() override;

  // --- PointAccess, in cluster_point_access.cc: of keys that are led here, and of what it has already ---
  Result<txn::ReadOutcome> try_get(ByteView key, Bytes& value) override;
  Result<txn::ReadOutcome> try_get_latest(ByteView key, Bytes& value) override;
  Result<std::optional<txn::LockOutcome>> try_lock(ByteView key, txn::LockStrength strength) override;
  bool try_hold(ByteView key, txn::LockStrength strength) override;
  Result<bool> try_replace(ByteView key, Bytes value) override;
  bool try_commit() override;
  bool renew(const txn::TransactionOptions& options) override;

  TransactionId id() const override { return id_; }
  txn::Isolation isolation() const override { return options_.isolation; }
  HlcTimestamp read_timestamp() const override { return point_.at; }
  runtime::Executor& executor() const override { return *options_.executor; }
  bool has_writes() const override { return !writes_.empty(); }
  void begin_statement() override;

  Task<Result<std::optional<Bytes>>> get(Bytes key) override;
  Task<Result<std::optional<Bytes>>> get_latest(Bytes key) override;
  Task<Status> get_many(std::span<const Bytes> keys, txn::KeyValueBatch& found,
                        std::vector<uint32_t>& positions) override;
  std::unique_ptr<txn::Cursor> scan(txn::Span span, txn::ScanOptions options) override;
  // Several threads of a gateway would only wait for the same leaseholders.
  std::unique_ptr<txn::Snapshot> snapshot_for(txn::Span) override { return nullptr; }
  std::unique_ptr<txn::ProgramResults> run_program(txn::Span span, Bytes program,
                                                   const txn::ProgramOptions& options) override;
  Task<Result<txn::LockOutcome>> lock(Bytes key, txn::LockStrength strength, txn::WaitPolicy wait) override;
  void claim(txn::Span span) override { claimed_.push_back(std::move(span)); }
  Task<Status> lock_ahead(std::span<const Bytes> keys, txn::LockStrength strength) override;
  Task<Status> lock_for_insert(std::span<const Bytes> keys, std::vector<uint8_t>& taken) override;
  Status put(Bytes key, Bytes value) override;
  Status erase(Bytes key) override;

  void on_commit(std::function<void()> hook) override { hooks_.push_back(std::move(hook)); }
  void set_lock_timeout(std::chrono::milliseconds timeout) override { options_.lock_timeout = timeout; }

  txn::SavepointId savepoint() override;
  void rollback_to(txn::SavepointId savepoint) override;
  void undo_writes_to(txn::SavepointId savepoint) override;
  void release(txn::SavepointId savepoint) override;

  Task<Status> commit() override;
  Task<void> rollback() override;

  // --- for its cursors ---

  const ReadPoint& point() const { return point_; }
  // A leaseholder has read at `at`.
  void note_moment(HlcTimestamp at, NodeId origin);
  // What a read that found something uncertain ends with.
  Status restart_after(HlcTimestamp uncertain);
  // A view of a replica here that holds what the transaction is to read of the past; null: its leaseholder must be
  // asked. The first one chooses the moment where that is left to it.
  Result<std::shared_ptr<const PastView>> open_past(ByteView key, bool before);
  ClusterStore& store() { return store_; }
  ClusterStore::SendContext context(bool repeatable = true) {
    return {.executor = options_.executor, .cancellation = options_.cancellation, .repeatable = repeatable};
  }

 private:
  // A lock as its leaseholder gave it.
  struct Lock {
    NodeId node;
    ShardId shard;
    uint64_t term = 0;
    HlcTimestamp newest;
    bool tombstone = false;
    std::optional<Bytes> value;
    // Its place in the order of locking.
    std::size_t number = 0;
    // As it was first taken: what was raised since may be undone by a rollback to a savepoint.
    txn::LockStrength strength = txn::LockStrength::kKeyShare;
    // Set when the commit has met its key among the writes.
    bool written = false;
  };
  struct Savepoint {
    txn::WriteBuffer::Mark writes;
    std::size_t locks;
    std::map<NodeId, uint64_t> marks;
  };
  // Of a commit: what goes to one shard, at once.
  struct Part {
    RouteReply route;
    Bytes first_key;
    CommitPart commit;
    // The commit does not have its writes yet, which are those up to `end`.
    bool measured = false;
    Bytes end;
  };

  bool notes_reads() const {
    return options_.isolation == txn::Isolation::kSerializable && !options_.read_only && !options_.reads_past();
  }
  Task<Result<std::optional<Bytes>>> read(Bytes key, bool latest);
  Status check_write(ByteView key, bool erases);
  Task<Result<txn::LockOutcome>> lock_at_leaseholder(Bytes key, txn::LockStrength strength, txn::WaitPolicy wait);
  txn::LockWait lock_wait(txn::WaitPolicy wait) const;
  Status note_guard(uint64_t epoch);
  // Keys that one request may have, and where it goes.
  struct KeyGroup {
    RouteReply route;
    std::vector<Bytes> keys;
  };
  // Of rising keys: the first ones.
  Task<Result<KeyGroup>> first_group(std::span<const Bytes> keys);
  Task<Status> read_many(std::span<const Bytes> keys, std::vector<std::optional<Bytes>>& values);
  // The lock on the key, when it is as strong and what it tells of the key cannot have changed since.
  const Lock* find_lock(const Bytes& key, txn::LockStrength strength) const;
  bool is_claimed(ByteView key) const {
    return std::ranges::any_of(claimed_, [&](const txn::Span& span) { return covers(span, key, false); });
  }
  // The keys that need one and are without such a lock, rising.
  std::vector<Bytes> without_lock(std::span<const Bytes> keys, txn::LockStrength strength) const;
  Status note_many(const KeyGroup& group, txn::LockStrength strength, AnswerTo<LockManyRequest> answer);
  Status note_lock(const LockRequest& request, NodeId node, const LockReply& reply);
  Status note_marks(NodeId node, uint64_t before, uint64_t after);
  // Takes the version, and the number of the lock where there was one, into `granted`.
  Status note_locked(const Bytes& key, LockedVersion version, Lock granted);
  txn::LockOutcome outcome_of(HlcTimestamp newest) const {
    return {.changed_since_snapshot = point_.at != HlcTimestamp() && newest > point_.at};
  }
  LockRequest lock_request(Bytes key, txn::LockStrength strength, txn::WaitPolicy wait) const;
  // The newest version, when it came along with a lock.
  std::optional<txn::ReadOutcome> find_locked(ByteView key, Bytes& value) const;
  void forget_locks_after(std::size_t number);

  // Whether the newest version of a key that it has locked has a value.
  bool has_value(const Bytes& key) const;

  Task<Status> commit_writes();
  Task<Status> make_parts(std::vector<Part>& parts);
  void measure(txn::WriteBuffer::Walk& walk, Part& part);
  Status fill(Part& part);
  Status add_writes(txn::WriteBuffer::Walk& walk, Part& part);
  static Status bind_lock(Part& part, const Lock& lock);
  Task<Status> bind_locks(std::vector<Part>& parts);
  Status bind_guards(Part& part);
  Task<Status> add_reads(std::vector<Part>& parts);
  // Sets `must_lock` when what it replaces is locked by somebody else; then nothing is committed.
  Task<Status> commit_one(Part part, bool* must_lock);
  Task<Status> commit_many(std::vector<Part> parts);
  struct Vote;
  Task<void> prepare_parts(Vote* vote);
  // When it was prepared at.
  Task<Result<HlcTimestamp>> prepare_part(Part& part, const Vote& vote);
  Task<Result<HlcTimestamp>> find_promise(Bytes key, std::vector<Participant> participants);
  void end();

  ClusterStore& store_;
  txn::TransactionOptions options_;
  TransactionId id_;
  ReadPoint point_;
  // Of the statement that found something uncertain, until it starts over: what it must see does not grow meanwhile, so
  // that under any load of writes nothing is uncertain any more once that moment is past.
  HlcTimestamp uncertain_limit_;
  bool starts_over_ = false;
  // When it may read the past: the oldest moment that is new enough, and the view it has read from last.
  HlcTimestamp oldest_;
  std::shared_ptr<const PastView> past_;
  txn::WriteBuffer writes_;
  // What the running statement sees of them.
  txn::WriteBuffer::Mark statement_ = 0;
  std::unordered_map<Bytes, Lock> locks_;
  std::vector<txn::Span> claimed_;
  std::size_t lock_count_ = 0;
  // How many locks each node holds for it, as far as it has answered.
  std::map<NodeId, uint64_t> marks_;
  // Of the lease under which it shares guarded keys; 0: it shares none.
  uint64_t guard_epoch_ = 0;
  bool guarded_ = false;
  // Nodes on which it has guarded keys exclusively.
  ClusterStore::Exclusions excluded_;
  txn::ReadSet reads_;
  std::vector<Savepoint> savepoints_;
  std::vector<std::function<void()>> hooks_;
  // What try_replace has put and nothing has locked since; empty for none.
  Bytes replaced_;
  // Locks that it had when the running statement began, and before that, when it began the last time.
  std::size_t statement_locks_ = 0;
  std::size_t earlier_locks_ = 0;
  // It writes under the watched prefix.
  bool changes_watched_ = false;
  HlcTimestamp committed_at_;
  bool over_ = false;
};

}  // namespace pando::kv
