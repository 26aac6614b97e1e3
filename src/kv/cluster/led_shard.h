#pragma once

// LedShard: what a leaseholder knows of the writes of one shard that are on their way: sequenced and not applied, or
// prepared and not resolved. Readers and writers that meet one of them wait until it is decided.
//
// Timestamps: every commit takes its timestamp from the node's oracle while the shard is locked, and its place in the
// log with it. A reader announces its moment to the oracle under the same lock, so that no later commit lies at or
// below it: what is on its way then is all that can still appear there.
//
// Everything under `mutex`.

#include <array>
#include <deque>
#include <map>
#include <vector>

#include "base/hlc.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "kv/cluster/commit_requests.h"
#include "kv/replica/replica_host.h"
#include "runtime/event.h"

namespace pando::kv {

// A write on its way, in the frame of whoever waits for it.
struct PendingWrite {
  explicit PendingWrite(TransactionId transaction, runtime::Executor& executor)
      : transaction(transaction), decided(executor) {}
  const TransactionId transaction;
  HlcTimestamp at;
  std::vector<Bytes> keys;
  // Once it is applied the participant is prepared, and has read `reads`.
  bool prepares = false;
  Bytes participant;
  std::vector<txn::Span> reads;
  ProposalOutcome outcome = ProposalOutcome::kUnknown;
  runtime::Event decided;
};

// A participant of a commit over several, of which a shard may have more than one.
struct PreparedName {
  TransactionId transaction;
  Bytes participant;
  friend auto operator<=>(const PreparedName&, const PreparedName&) = default;
};

struct PreparedWrite {
  HlcTimestamp at;
  std::vector<Bytes> keys;
  std::vector<Participant> participants;
  std::vector<txn::Span> reads;
  bool is_long = false;
  // When it was last looked at whether its coordinator is gone.
  uint64_t since_ns = 0;
};

// An entry that nobody waits for: it goes along with the shard's next one.
struct UnhurriedProposal {
  Proposal proposal;
  // Set when it goes.
  runtime::Event* gone = nullptr;
};

// How much a shard is asked for, and around which keys.
class ShardLoad {
 public:
  void note(ByteView key) {
    if (requests_++ % kSampleEvery == 0) {
      samples_[requests_ / kSampleEvery % kSamples].assign(key);
    }
  }
  // Requests per second since it was last asked, smoothed.
  uint64_t update(uint64_t now_ns);
  uint64_t rate() const { return rate_; }
  // A key with about half of the requests on either side; empty when a few keys take nearly all of them.
  Bytes middle() const;

 private:
  static constexpr std::size_t kSamples = 64;
  static constexpr uint64_t kSampleEvery = 64;

  uint64_t requests_ = 0;
  uint64_t counted_ = 0;
  uint64_t counted_ns_ = 0;
  uint64_t rate_ = 0;
  std::array<Bytes, kSamples> samples_;
};

struct LedShard {
  LedShard(ShardId id, std::shared_ptr<const ShardView> view) : id(id), view(std::move(view)) {}
  const ShardId id;
  const std::shared_ptr<const ShardView> view;

  Mutex mutex;
  // 0: not led by this node.
  uint64_t term PANDO_GUARDED_BY(mutex) = 0;
  uint64_t generation PANDO_GUARDED_BY(mutex) = 0;
  txn::Span span PANDO_GUARDED_BY(mutex);
  ShardDescriptor descriptor PANDO_GUARDED_BY(mutex);
  // Nothing may be prepared: it is about to be split.
  bool splitting PANDO_GUARDED_BY(mutex) = false;
  // The oracle's time when the lease began: later versions are this node's own.
  HlcTimestamp lease_start PANDO_GUARDED_BY(mutex);
  // On the monotonic clock: no commits before, for reads of the previous leaseholder may lie ahead of this node's
  // clock.
  uint64_t commits_from_ns PANDO_GUARDED_BY(mutex) = 0;
  // The newest commit to a watched key, or the beginning of the lease.
  HlcTimestamp watched PANDO_GUARDED_BY(mutex);
  // The newest commit that is applied.
  HlcTimestamp applied PANDO_GUARDED_BY(mutex);
  // In the order of their timestamps, which is that of the log.
  std::deque<PendingWrite*> pending PANDO_GUARDED_BY(mutex);
  std::map<PreparedName, PreparedWrite> prepared PANDO_GUARDED_BY(mutex);
  // The keys of both, which have them.
  struct Writer {
    HlcTimestamp at;
    TransactionId transaction;
    bool prepared = false;

    // Whether `reader` has to wait for it: see find_writer.
    bool may_commit(TransactionId reader, HlcTimestamp until, HlcTimestamp limit) const {
      return transaction != reader && (at <= until || (prepared && at <= limit));
    }
  };
  std::multimap<ByteView, Writer> writers PANDO_GUARDED_BY(mutex);
  // Reading counts.
  mutable ShardLoad load PANDO_GUARDED_BY(mutex);
  std::vector<UnhurriedProposal> unhurried PANDO_GUARDED_BY(mutex);
  // Woken when something is decided, or the lease ends.
  std::vector<runtime::Event*> waiters PANDO_GUARDED_BY(mutex);

  bool contains(ByteView key) const PANDO_REQUIRES(mutex) {
    return key >= span.start && (span.end.empty() || key < span.end);
  }
  bool contains(const txn::Span& part) const PANDO_REQUIRES(mutex) {
    return part.start >= span.start && (span.end.empty() || (!part.end.empty() && part.end <= span.end));
  }
  // `keys` stay where they are until they are removed.
  void add_writers(const std::vector<Bytes>& keys, Writer writer) PANDO_REQUIRES(mutex);
  void remove_writers(const std::vector<Bytes>& keys, TransactionId transaction, bool prepared) PANDO_REQUIRES(mutex);
  // A writer of a key in [start, end) other than `reader` that may still commit at or below `at`, or, when it is
  // prepared, at or below `limit`. Null when there is none.
  const Writer* find_writer(const txn::Span& part, TransactionId reader, HlcTimestamp at, HlcTimestamp limit) const
      PANDO_REQUIRES(mutex);
  // Whether the participant is prepared, or on its way to be.
  bool takes_part(const PreparedName& name) const PANDO_REQUIRES(mutex);
  // The same of any participant of the transaction.
  bool takes_part(TransactionId transaction) const PANDO_REQUIRES(mutex);
  // Whether something is prepared, or on its way to be.
  bool has_prepares() const PANDO_REQUIRES(mutex);
  // Whether another transaction is prepared, or on its way to be, that has read one of the keys.
  bool read_by_prepared(const std::vector<Bytes>& keys, TransactionId writer) const PANDO_REQUIRES(mutex);
  const Writer* find_writer(ByteView key, TransactionId reader, HlcTimestamp at, HlcTimestamp limit) const
      PANDO_REQUIRES(mutex);
  bool is_prepared(ByteView key) const PANDO_REQUIRES(mutex);
  // The moment up to which everything is applied that is not prepared.
  HlcTimestamp complete_until(HlcTimestamp now) const PANDO_REQUIRES(mutex);
  void wake_waiters() PANDO_REQUIRES(mutex);
  // Proposes what is unhurried: something else is proposed now, or somebody waits.
  void hurry(ReplicaHost& host) PANDO_REQUIRES(mutex);
};

}  // namespace pando::kv
