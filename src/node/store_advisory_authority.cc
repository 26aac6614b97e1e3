#include "node/store_advisory_authority.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/sql_state.h"
#include "catalog/keys.h"
#include "runtime/sleep.h"

namespace pando::node {

using session::AdvisoryKey;

namespace {

constexpr uint32_t kHoldersVersion = 1;
constexpr std::chrono::milliseconds kPollMin{5};
constexpr std::chrono::milliseconds kPollMax{100};
// How long sessions of one node may pass a key on while others may want it.
constexpr std::chrono::milliseconds kPassedOnMax{500};
// How long a node that stops tries to say that it holds nothing any more.
constexpr std::chrono::milliseconds kLowerAtEndMax{1000};

// What no session can ask for stands for the lease itself.
constexpr AdvisoryKey kLease{.kind = 0};

uint64_t in_ns(std::chrono::nanoseconds duration) { return static_cast<uint64_t>(duration.count()); }

Bytes holders_key(const AdvisoryKey& key) {
  Bytes row = catalog::index_prefix(catalog::kAdvisoryLockTable, catalog::kRowIndexId);
  append_ordered_uint32(row, key.database);
  append_ordered_uint32(row, key.class_id);
  append_ordered_uint32(row, key.object_id);
  append_ordered_uint32(row, key.kind);
  return row;
}

Bytes lease_key(NodeId node) {
  Bytes row = catalog::index_prefix(catalog::kAdvisoryLeaseTable, catalog::kRowIndexId);
  append_ordered_uint32(row, node.number());
  return row;
}

Status malformed() { return {sql_state::kDataCorrupted, "a row of advisory locks is malformed"}; }

Status lease_lost() { return {sql_state::kSerializationFailure, "this node could not keep its advisory locks"}; }

// Others were faster; or a leaseholder was lost, and what was written, if it was, is written again.
bool may_retry(const Status& status) {
  return status.is(sql_state::kSerializationFailure) || status.is(sql_state::kDeadlockDetected) ||
         status.is(sql_state::kStatementCompletionUnknown);
}

// The row's newest value, which nobody else changes before the transaction has ended.
Task<Result<std::optional<Bytes>>> lock_row(txn::Transaction* transaction, Bytes row) {
  PANDO_CO_TRY((co_await transaction->lock(row, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  co_return co_await transaction->get_latest(std::move(row));
}

}  // namespace

StoreAdvisoryAuthority::StoreAdvisoryAuthority(Parts parts, NodeId self, std::function<void()> on_lost)
    : parts_(parts), self_(self), on_lost_(std::move(on_lost)) {}

// --- rows ---

Bytes StoreAdvisoryAuthority::encode(const std::vector<Holder>& holders) {
  Bytes bytes;
  put_varint(bytes, kHoldersVersion);
  for (const Holder& holder : holders) {
    put_varint(bytes, holder.node.number());
    put_varint(bytes, holder.lease);
    put_varint(bytes, static_cast<uint64_t>(holder.mode));
  }
  return bytes;
}

auto StoreAdvisoryAuthority::decode_holders(ByteView bytes) -> Result<std::vector<Holder>> {
  std::vector<Holder> holders;
  ByteReader reader(bytes);
  uint64_t version = 0;
  if (!reader.varint(version) || version != kHoldersVersion) {
    return malformed();
  }
  while (!reader.empty()) {
    uint64_t node = 0;
    uint64_t mode = 0;
    Holder holder;
    if (!reader.varint(node) || !reader.varint(holder.lease) || !reader.varint(mode) || node > UINT32_MAX ||
        mode > static_cast<uint64_t>(Mode::kExclusive)) {
      return malformed();
    }
    holder.node = NodeId(static_cast<uint32_t>(node));
    holder.mode = static_cast<Mode>(mode);
    holders.push_back(holder);
  }
  return holders;
}

Bytes StoreAdvisoryAuthority::encode(const Lease& lease) {
  Bytes bytes;
  put_varint(bytes, lease.id);
  put_varint(bytes, lease.until_wall_ns);
  return bytes;
}

auto StoreAdvisoryAuthority::decode_lease(ByteView bytes) -> Result<Lease> {
  Lease lease;
  ByteReader reader(bytes);
  if (!reader.varint(lease.id) || !reader.varint(lease.until_wall_ns)) {
    return malformed();
  }
  return lease;
}

// --- one coroutine at a time for a key ---

Task<Status> StoreAdvisoryAuthority::enter(const AdvisoryKey* key, Caller caller) {
  runtime::Event free(caller.executor);
  {
    MutexLock lock(mutex_);
    Hold& hold = holds_[*key];
    if (!std::exchange(hold.busy, true)) {
      co_return Status();
    }
    hold.waiting.push_back(&free);
  }
  {
    const runtime::Cancellation::Registration registration(caller.cancellation, [&free](const Status&) { free.set(); });
    co_await free.wait();
  }
  co_return stop_entering(*key, &free) ? caller.cancellation.status() : Status();
}

// False when it was let in.
bool StoreAdvisoryAuthority::stop_entering(const AdvisoryKey& key, runtime::Event* free) {
  MutexLock lock(mutex_);
  const auto place = holds_.find(key);
  return place != holds_.end() && std::erase(place->second.waiting, free) > 0;
}

void StoreAdvisoryAuthority::leave(const AdvisoryKey& key) {
  MutexLock lock(mutex_);
  const auto place = holds_.find(key);
  Hold& hold = place->second;
  if (!hold.waiting.empty()) {
    runtime::Event* const next = hold.waiting.front();
    hold.waiting.pop_front();
    next->set();
    return;
  }
  hold.busy = false;
  if (hold.stored == Mode::kNone) {
    holds_.erase(place);
  }
}

bool StoreAdvisoryAuthority::has(const AdvisoryKey& key, Mode mode) {
  MutexLock lock(mutex_);
  return lease_ != 0 && parts_.clock.monotonic_ns() < lease_until_ns_ && holds_[key].mode >= mode;
}

bool StoreAdvisoryAuthority::is_due(const AdvisoryKey& key, Mode mode) {
  // Whoever asks has it only now, and nobody besides: nothing is lost if the node lets go.
  if (parts_.locks.holds(key) != 1) {
    return false;
  }
  MutexLock lock(mutex_);
  const Hold& hold = holds_[key];
  return mode == Mode::kExclusive && hold.mode == mode &&
         parts_.clock.monotonic_ns() - hold.since_ns > in_ns(kPassedOnMax);
}

// --- holding and letting go ---

Task<Result<bool>> StoreAdvisoryAuthority::hold(AdvisoryKey key, Mode mode, bool waits, Caller caller) {
  for (auto pause = kPollMin;; pause = std::min(2 * pause, kPollMax)) {
    PANDO_CO_TRY(co_await enter(&key, caller));
    Result<bool> held = true;
    bool retries = false;
    if (is_due(key, mode)) {
      held = co_await write(key, Mode::kNone, 0, caller);
      retries = held.ok();
      // So that whoever waits elsewhere has looked.
      pause = kPollMax;
    } else if (!has(key, mode)) {
      held = co_await try_hold(key, mode, caller);
      retries = held.ok() && !*held && waits;
    }
    leave(key);
    if (!retries && (held.ok() || !may_retry(held.status()))) {
      co_return held;
    }
    PANDO_CO_TRY(co_await runtime::sleep(parts_.timer, caller.executor, pause, &caller.cancellation));
  }
}

Task<Result<bool>> StoreAdvisoryAuthority::try_hold(AdvisoryKey key, Mode mode, Caller caller) {
  PANDO_CO_ASSIGN(const uint64_t lease, co_await current_lease(caller));
  PANDO_CO_ASSIGN(const bool written, co_await write(key, mode, lease, caller));
  if (!written) {
    co_return false;
  }
  if (!has(key, mode)) {
    co_return lease_lost();
  }
  co_return true;
}

Task<Result<bool>> StoreAdvisoryAuthority::write(AdvisoryKey key, Mode mode, uint64_t lease, Caller caller) {
  auto transaction = parts_.store.begin({.executor = &caller.executor, .cancellation = &caller.cancellation});
  transaction->begin_statement();
  const Bytes row = holders_key(key);
  PANDO_CO_ASSIGN(const auto stored, co_await lock_row(transaction.get(), row));
  std::vector<Holder> before;
  if (stored.has_value()) {
    PANDO_CO_ASSIGN(before, decode_holders(*stored));
  }
  std::vector<Holder> holders;
  for (const Holder& holder : before) {
    if (holder.node == self_) {
      continue;
    }
    PANDO_CO_ASSIGN(const bool alive, co_await is_alive(transaction.get(), holder));
    const bool forbids = mode == Mode::kExclusive || (mode == Mode::kShared && holder.mode == Mode::kExclusive);
    if (alive && forbids) {
      co_await transaction->rollback();
      co_return false;
    }
    if (alive) {
      holders.push_back(holder);
    }
  }
  if (mode != Mode::kNone) {
    holders.push_back({self_, lease, mode});
  }
  PANDO_CO_TRY(holders.empty() ? transaction->erase(row) : transaction->put(row, encode(holders)));
  {
    MutexLock lock(mutex_);
    Hold& hold = holds_[key];
    hold.stored = std::max(hold.stored, mode);
    // Whether it is committed may never be known.
    hold.mode = std::min(hold.mode, mode);
  }
  PANDO_CO_TRY(co_await transaction->commit());
  note_written(key, mode, lease);
  co_return true;
}

void StoreAdvisoryAuthority::note_written(const AdvisoryKey& key, Mode mode, uint64_t lease) {
  MutexLock lock(mutex_);
  Hold& hold = holds_[key];
  hold.stored = mode;
  // A lease that was lost meanwhile holds nothing.
  hold.mode = mode == Mode::kNone || lease == lease_ ? mode : Mode::kNone;
  hold.since_ns = parts_.clock.monotonic_ns();
}

// Whether the holder's lease is still there. One that has run out is erased with what the transaction writes, so that
// its node cannot renew it any more.
Task<Result<bool>> StoreAdvisoryAuthority::is_alive(txn::Transaction* transaction, Holder holder) {
  const auto lives = [&](const std::optional<Bytes>& stored) -> Result<bool> {
    if (!stored.has_value()) {
      return false;
    }
    PANDO_ASSIGN(const Lease lease, decode_lease(*stored));
    return lease.id == holder.lease && parts_.clock.wall_ns() < lease.until_wall_ns + in_ns(kAdvisoryClockOffsetMax);
  };
  PANDO_CO_ASSIGN(auto stored, co_await transaction->get_latest(lease_key(holder.node)));
  PANDO_CO_ASSIGN(bool alive, lives(stored));
  if (alive) {
    co_return true;
  }
  PANDO_CO_ASSIGN(stored, co_await lock_row(transaction, lease_key(holder.node)));
  PANDO_CO_ASSIGN(alive, lives(stored));
  if (!alive && stored.has_value()) {
    PANDO_CO_ASSIGN(const Lease lease, decode_lease(*stored));
    if (lease.id == holder.lease) {
      PANDO_CO_TRY(transaction->erase(lease_key(holder.node)));
    }
  }
  co_return alive;
}

Task<void> StoreAdvisoryAuthority::lower(AdvisoryKey key, runtime::Executor& executor) {
  if (is_lowered(key, parts_.locks.mode(key))) {
    co_return;
  }
  // In the background, for it goes on when the lease runs out meanwhile, and nobody has to wait for it any more.
  const auto lowered = std::make_shared<runtime::Event>(executor);
  begin_lowering(key, lowered);
  co_await lowered->wait();
}

void StoreAdvisoryAuthority::lower_later(AdvisoryKey key) {
  if (!is_lowered(key, parts_.locks.mode(key))) {
    begin_lowering(key, nullptr);
  }
}

bool StoreAdvisoryAuthority::is_lowered(const AdvisoryKey& key, Mode wanted) {
  MutexLock lock(mutex_);
  const auto place = holds_.find(key);
  return place == holds_.end() || (!place->second.busy && place->second.stored <= wanted);
}

void StoreAdvisoryAuthority::begin_lowering(const AdvisoryKey& key, std::shared_ptr<runtime::Event> lowered) {
  bool begins = false;
  {
    MutexLock lock(mutex_);
    begins = !stopped_;
    lowering_ += begins ? 1 : 0;
    if (lowered != nullptr && begins && lease_ != 0) {
      awaited_.insert(lowered);
    } else if (lowered != nullptr) {
      // What was lost with the lease is nobody's.
      lowered->set();
    }
  }
  if (begins) {
    runtime::spawn(parts_.executor, run_lowering(key, std::move(lowered)));
  }
}

Task<void> StoreAdvisoryAuthority::run_lowering(AdvisoryKey key, std::shared_ptr<runtime::Event> lowered) {
  const Caller caller{parts_.executor, stopping_};
  if ((co_await enter(&key, caller)).ok()) {
    while (!stopping_.requested() && !co_await try_lower(key, caller)) {
      (co_await runtime::sleep(parts_.timer, parts_.executor, kPollMax, &stopping_)).ignore("the loop looks");
    }
    leave(key);
  }
  MutexLock lock(mutex_);
  --lowering_;
  if (lowered != nullptr) {
    awaited_.erase(lowered);
    lowered->set();
  }
}

Task<bool> StoreAdvisoryAuthority::try_lower(AdvisoryKey key, Caller caller) {
  const Mode wanted = parts_.locks.mode(key);
  uint64_t lease = 0;
  Mode mode = Mode::kNone;
  Mode stored = Mode::kNone;
  {
    MutexLock lock(mutex_);
    const Hold& hold = holds_[key];
    lease = lease_;
    stored = hold.stored;
    // What was lost with a lease is not said again.
    mode = std::min(wanted, hold.mode);
  }
  co_return mode >= stored || (co_await write(key, mode, lease, caller)).ok();
}

// --- the lease ---

Task<Result<uint64_t>> StoreAdvisoryAuthority::current_lease(Caller caller) {
  bool begins_keeping = false;
  uint64_t lease = 0;
  {
    MutexLock lock(mutex_);
    begins_keeping = !stopped_ && !std::exchange(is_kept_, true);
    const bool is_fresh = parts_.clock.monotonic_ns() + in_ns(kAdvisoryLease) / 2 < lease_until_ns_;
    lease = is_fresh ? lease_ : 0;
  }
  if (begins_keeping) {
    runtime::spawn(parts_.executor, keep_lease());
  }
  co_return lease != 0 ? Result<uint64_t>(lease) : co_await renew(caller);
}

Task<Result<uint64_t>> StoreAdvisoryAuthority::renew(Caller caller) {
  PANDO_CO_TRY(co_await enter(&kLease, caller));
  auto renewed = co_await renew_alone(caller);
  leave(kLease);
  co_return renewed;
}

Task<Result<uint64_t>> StoreAdvisoryAuthority::renew_alone(Caller caller) {
  // What counts is when it was asked for, on either clock.
  const uint64_t began_ns = parts_.clock.monotonic_ns();
  Lease lease{.until_wall_ns = parts_.clock.wall_ns() + in_ns(kAdvisoryLease)};
  {
    MutexLock lock(mutex_);
    lease.id = lease_;
  }
  const bool is_new = lease.id == 0;
  auto transaction = parts_.store.begin({.executor = &caller.executor, .cancellation = &caller.cancellation});
  transaction->begin_statement();
  PANDO_CO_ASSIGN(const auto stored, co_await lock_row(transaction.get(), lease_key(self_)));
  if (is_new) {
    lease.id = parts_.clock.wall_ns();
  } else {
    PANDO_CO_ASSIGN(const Lease before, stored.has_value() ? decode_lease(*stored) : Result<Lease>(Lease()));
    if (before.id != lease.id) {
      lose();
      co_return lease_lost();
    }
  }
  PANDO_CO_TRY(transaction->put(lease_key(self_), encode(lease)));
  PANDO_CO_TRY(co_await transaction->commit());
  MutexLock lock(mutex_);
  const bool is_late = parts_.clock.monotonic_ns() >= began_ns + in_ns(kAdvisoryLease);
  const bool is_another = lease_ != (is_new ? 0 : lease.id);
  if (is_late || is_another) {
    co_return lease_lost();
  }
  lease_ = lease.id;
  lease_until_ns_ = std::max(lease_until_ns_, began_ns + in_ns(kAdvisoryLease));
  shown_until_ns_.store(lease_until_ns_, std::memory_order_release);
  schedule_expiry();
  co_return lease_;
}

// Renews it for as long as anything is held.
Task<void> StoreAdvisoryAuthority::keep_lease() {
  while (true) {
    (co_await runtime::sleep(parts_.timer, parts_.executor, kAdvisoryLease / 4, &stopping_)).ignore("the loop looks");
    {
      MutexLock lock(mutex_);
      if (stopped_ || holds_.empty()) {
        is_kept_ = false;
        co_return;
      }
    }
    (co_await renew({parts_.executor, stopping_})).status().ignore("it is tried again until the lease runs out");
  }
}

void StoreAdvisoryAuthority::schedule_expiry() {
  if (expiry_.has_value() || stopped_) {
    return;
  }
  const uint64_t now_ns = parts_.clock.monotonic_ns();
  const uint64_t left_ns = lease_until_ns_ - std::min(lease_until_ns_, now_ns);
  expiry_ = parts_.timer.schedule(std::chrono::nanoseconds(left_ns), [this] { on_expiry(); });
}

void StoreAdvisoryAuthority::on_expiry() {
  expire();
  MutexLock lock(mutex_);
  expiry_.reset();
  if (lease_ != 0) {
    schedule_expiry();
  }
}

void StoreAdvisoryAuthority::expire() {
  const uint64_t until_ns = shown_until_ns_.load(std::memory_order_acquire);
  if (until_ns == 0 || parts_.clock.monotonic_ns() < until_ns) {
    return;
  }
  {
    MutexLock lock(mutex_);
    // It may have been renewed meanwhile.
    if (stopped_ || lease_ == 0 || parts_.clock.monotonic_ns() < lease_until_ns_) {
      return;
    }
  }
  lose();
}

void StoreAdvisoryAuthority::lose() {
  bool held = false;
  {
    MutexLock lock(mutex_);
    lease_ = 0;
    lease_until_ns_ = 0;
    shown_until_ns_.store(0, std::memory_order_release);
    for (auto& [key, hold] : holds_) {
      held = held || hold.mode != Mode::kNone;
      hold.mode = Mode::kNone;
    }
    for (const auto& lowered : awaited_) {
      lowered->set();
    }
    awaited_.clear();
  }
  if (held) {
    on_lost_();
  }
}

// --- the end ---

bool StoreAdvisoryAuthority::is_busy(bool with_lease) {
  MutexLock lock(mutex_);
  return lowering_ > 0 || (with_lease && is_kept_);
}

Task<void> StoreAdvisoryAuthority::stop() {
  std::optional<runtime::TimerId> expiry;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    expiry = std::exchange(expiry_, std::nullopt);
  }
  if (expiry.has_value()) {
    // Without the lock, for which its callback may be waiting.
    parts_.timer.cancel(*expiry);
  }
  // So that others need not wait for the lease to run out.
  const uint64_t give_up_ns = parts_.clock.monotonic_ns() + in_ns(kLowerAtEndMax);
  while (is_busy(false) && parts_.clock.monotonic_ns() < give_up_ns) {
    co_await runtime::sleep(parts_.timer, parts_.executor, kPollMin);
  }
  stopping_.request(Status(sql_state::kAdminShutdown, "the node stops"));
  while (is_busy(true)) {
    co_await runtime::sleep(parts_.timer, parts_.executor, kPollMin);
  }
}

}  // namespace pando::node
