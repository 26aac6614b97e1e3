#pragma once

// StoreAdvisoryAuthority: keeps the advisory locks of a cluster's nodes apart by rows of the replicated store.
//
// A row for each key names the nodes that hold it; a lease row for each of these nodes says until when, by the clock
// on the wall, it still does. Whoever finds a holder whose lease has run out erases that lease and goes on without it;
// a node renews only a lease that is still there, and one that could not renew its own in time has lost what it held
// before anybody else can have it. So nothing rests on the memory of a leaseholder of shards. Both are decided by
// transactions that lock the rows. Formats: docs/formats/keys.md.
//
//   StoreAdvisoryAuthority authority(parts, self, [&] { ...end the sessions that hold advisory locks... });
//   locks.set_authority(&authority);
//   ...
//   co_await authority.stop();
//
// Thread-safe.

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "base/ids.h"
#include "base/mutex.h"
#include "session/advisory_locks.h"
#include "txn/transaction.h"

namespace pando::node {

// How long a node holds keys after it last renewed its lease, and how far the clocks of two nodes may be apart.
inline constexpr std::chrono::milliseconds kAdvisoryLease{6'000};
inline constexpr std::chrono::milliseconds kAdvisoryClockOffsetMax{500};

class StoreAdvisoryAuthority final : public session::AdvisoryAuthority {
 public:
  // All of it outlives stop(). What nobody waits for continues on `executor`.
  struct Parts {
    txn::Store& store;
    runtime::Clock& clock;
    runtime::Timer& timer;
    runtime::Executor& executor;
    session::AdvisoryLocks& locks;
  };
  // `on_lost` is called, on any thread, when the node has lost all that it held.
  StoreAdvisoryAuthority(Parts parts, NodeId self, std::function<void()> on_lost);

  Task<Result<bool>> hold(session::AdvisoryKey key, session::AdvisoryMode mode, bool waits,
                          session::AdvisoryCaller caller) override;
  Task<void> lower(session::AdvisoryKey key, runtime::Executor& executor) override;
  void lower_later(session::AdvisoryKey key) override;
  void expire() override PANDO_EXCLUDES(mutex_);

  // Waits for what runs in the background. REQUIRES: no call of hold() or lower() is under way, or comes.
  Task<void> stop();

 private:
  using Mode = session::AdvisoryMode;
  using Caller = session::AdvisoryCaller;
  // What the node has of a key. One coroutine changes its row at a time.
  struct Hold {
    Mode mode = Mode::kNone;
    // What the row may say of this node.
    Mode stored = Mode::kNone;
    uint64_t since_ns = 0;
    bool busy = false;
    std::deque<runtime::Event*> waiting;
  };
  struct Holder {
    NodeId node;
    // Of the lease under which it holds the key.
    uint64_t lease = 0;
    Mode mode = Mode::kNone;
  };
  struct Lease {
    uint64_t id = 0;
    uint64_t until_wall_ns = 0;
  };

  static Bytes encode(const std::vector<Holder>& holders);
  static Result<std::vector<Holder>> decode_holders(ByteView bytes);
  static Bytes encode(const Lease& lease);
  static Result<Lease> decode_lease(ByteView bytes);

  // Errors: those of the cancellation; then it is not to be left.
  Task<Status> enter(const session::AdvisoryKey* key, Caller caller) PANDO_EXCLUDES(mutex_);
  bool stop_entering(const session::AdvisoryKey& key, runtime::Event* free) PANDO_EXCLUDES(mutex_);
  void leave(const session::AdvisoryKey& key) PANDO_EXCLUDES(mutex_);
  bool has(const session::AdvisoryKey& key, Mode mode) PANDO_EXCLUDES(mutex_);
  // Sessions of this node have passed the key on among themselves for so long that others are to have their turn.
  bool is_due(const session::AdvisoryKey& key, Mode mode) PANDO_EXCLUDES(mutex_);
  Task<Result<bool>> try_hold(session::AdvisoryKey key, Mode mode, Caller caller);
  // Says in the key's row that this node has it so; false when another node forbids it.
  Task<Result<bool>> write(session::AdvisoryKey key, Mode mode, uint64_t lease, Caller caller);
  Task<Result<bool>> is_alive(txn::Transaction* transaction, Holder holder);
  void note_written(const session::AdvisoryKey& key, Mode mode, uint64_t lease) PANDO_EXCLUDES(mutex_);

  // The lease's id; renewed when half of it is over.
  Task<Result<uint64_t>> current_lease(Caller caller);
  Task<Result<uint64_t>> renew(Caller caller);
  Task<Result<uint64_t>> renew_alone(Caller caller);
  Task<void> keep_lease();
  void schedule_expiry() PANDO_REQUIRES(mutex_);
  void on_expiry() PANDO_EXCLUDES(mutex_);
  void lose() PANDO_EXCLUDES(mutex_);
  // Whether the key's row may have to be written, or is just being written, for sessions here to hold no more than
  // `wanted`.
  bool is_lowered(const session::AdvisoryKey& key, Mode wanted) PANDO_EXCLUDES(mutex_);
  // In the background; `lowered` may be null.
  void begin_lowering(const session::AdvisoryKey& key, std::shared_ptr<runtime::Event> lowered) PANDO_EXCLUDES(mutex_);
  Task<void> run_lowering(session::AdvisoryKey key, std::shared_ptr<runtime::Event> lowered);
  Task<bool> try_lower(session::AdvisoryKey key, Caller caller);
  bool is_busy(bool with_lease) PANDO_EXCLUDES(mutex_);

  const Parts parts_;
  const NodeId self_;
  const std::function<void()> on_lost_;
  runtime::Cancellation stopping_;

  Mutex mutex_;
  std::map<session::AdvisoryKey, Hold> holds_ PANDO_GUARDED_BY(mutex_);
  // 0: there is none.
  uint64_t lease_ PANDO_GUARDED_BY(mutex_) = 0;
  // On the monotonic clock.
  uint64_t lease_until_ns_ PANDO_GUARDED_BY(mutex_) = 0;
  // The same, for those who only look; 0: there is none.
  std::atomic<uint64_t> shown_until_ns_{0};
  bool is_kept_ PANDO_GUARDED_BY(mutex_) = false;
  std::optional<runtime::TimerId> expiry_ PANDO_GUARDED_BY(mutex_);
  bool stopped_ PANDO_GUARDED_BY(mutex_) = false;
  // Calls of run_lowering() that are not done.
  std::size_t lowering_ PANDO_GUARDED_BY(mutex_) = 0;
  // Those for which somebody waits.
  std::set<std::shared_ptr<runtime::Event>> awaited_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::node
