#include "session/advisory_locks.h"

#include <algorithm>
#include <optional>

#include "txn/conflict_errors.h"

namespace pando::session {
namespace {

enum WaitOutcome : int { kGranted = 0, kCancelled = 1 };

// Tells a wait that it is cancelled, or that its time is over.
class Limit {
 public:
  explicit Limit(const AdvisoryWait& wait)
      : timer_(wait.timer),
        registration_(wait.cancellation, [this](const Status& reason) { cancellation_.request(reason); }) {
    if (wait.timeout.count() > 0) {
      end_ = timer_.schedule(wait.timeout, [this] { cancellation_.request(txn::lock_timed_out()); });
    }
  }
  ~Limit() {
    if (end_) {
      timer_.cancel(*end_);
    }
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  runtime::Cancellation& cancellation() { return cancellation_; }

 private:
  runtime::Timer& timer_;
  runtime::Cancellation cancellation_;
  const runtime::Cancellation::Registration registration_;
  std::optional<runtime::TimerId> end_;
};

std::string_view mode_name(bool exclusive) { return exclusive ? "ExclusiveLock" : "ShareLock"; }

Status deadlock(const AdvisoryRequest& request, uint64_t blocker) {
  const AdvisoryKey& key = request.key;
  return Status(sql_state::kDeadlockDetected, "deadlock detected")
      .with_detail(fmt::format("Process {} waits for {} on advisory lock [{},{},{},{}]; blocked by process {}.",
                               request.owner, mode_name(request.exclusive), key.database, key.class_id, key.object_id,
                               key.kind, blocker))
      .with_hint("See server log for query details.");
}

}  // namespace

std::vector<uint64_t> AdvisoryLocks::blockers(const Lock& lock, const AdvisoryRequest& request,
                                              std::list<Waiter>::const_iterator end) {
  std::vector<uint64_t> found;
  for (const auto& [owner, holds] : lock.holders) {
    if (owner != request.owner && (holds.any(true) || (request.exclusive && holds.any(false)))) {
      found.push_back(owner);
    }
  }
  // Who holds the lock in some mode already does not queue behind those who wait for it to let go.
  if (!lock.holders.contains(request.owner)) {
    for (auto waiter = lock.waiters.begin(); waiter != end; ++waiter) {
      if (waiter->request.owner != request.owner && (waiter->request.exclusive || request.exclusive)) {
        found.push_back(waiter->request.owner);
      }
    }
  }
  return found;
}

bool AdvisoryLocks::try_lock_now(const AdvisoryRequest& request) {
  Lock& lock = locks_[request.key];
  if (!blockers(lock, request, lock.waiters.end()).empty()) {
    return false;
  }
  ++lock.holders[request.owner].counts[request.exclusive ? 1 : 0][request.of_transaction ? 1 : 0];
  return true;
}

bool AdvisoryLocks::try_lock(const AdvisoryRequest& request) {
  MutexLock guard(mutex_);
  return try_lock_now(request);
}

Task<Result<bool>> AdvisoryLocks::take(AdvisoryRequest request, bool waits, AdvisoryWait wait) {
  AdvisoryAuthority* const authority = authority_.load();
  const bool taken = try_lock(request);
  if ((taken && authority == nullptr) || (!taken && !waits)) {
    co_return taken;
  }
  Limit limit(wait);
  const AdvisoryCaller caller{wait.executor, limit.cancellation()};
  if (!taken) {
    PANDO_CO_TRY(co_await lock(request, caller));
  }
  if (authority == nullptr) {
    co_return true;
  }
  co_return co_await hold(authority, request, waits, caller);
}

Task<Result<bool>> AdvisoryLocks::hold(AdvisoryAuthority* authority, AdvisoryRequest request, bool waits,
                                       AdvisoryCaller caller) {
  {
    MutexLock guard(mutex_);
    asking_[request.owner] = request;
  }
  const AdvisoryMode mode = request.exclusive ? AdvisoryMode::kExclusive : AdvisoryMode::kShared;
  auto held = co_await authority->hold(request.key, mode, waits, caller);
  const bool has = held.ok() && *held;
  {
    MutexLock guard(mutex_);
    asking_.erase(request.owner);
    if (!has) {
      release(request);
    }
  }
  if (!has) {
    authority->lower_later(request.key);
  }
  co_return held;
}

bool AdvisoryLocks::closes_cycle(const AdvisoryRequest& request, uint64_t& blocker) {
  std::vector<uint64_t> reached = blockers(locks_[request.key], request, locks_[request.key].waiters.end());
  blocker = reached.front();
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (reached[i] == request.owner) {
      return true;
    }
    for (const auto& [key, lock] : locks_) {
      for (auto waiter = lock.waiters.begin(); waiter != lock.waiters.end(); ++waiter) {
        if (waiter->request.owner != reached[i]) {
          continue;
        }
        for (const uint64_t next : blockers(lock, waiter->request, waiter)) {
          if (std::ranges::find(reached, next) == reached.end()) {
            reached.push_back(next);
          }
        }
      }
    }
  }
  return false;
}

bool AdvisoryLocks::stop_waiting(const AdvisoryKey& key, const runtime::Event* granted) {
  MutexLock guard(mutex_);
  auto& waiters = locks_[key].waiters;
  const bool waited = std::erase_if(waiters, [granted](const Waiter& w) { return w.granted == granted; }) > 0;
  settle(key);
  return waited;
}

Task<Status> AdvisoryLocks::lock(AdvisoryRequest request, AdvisoryCaller caller) {
  runtime::Event woken(caller.executor);
  {
    MutexLock guard(mutex_);
    if (try_lock_now(request)) {
      co_return Status();
    }
    if (uint64_t blocker = 0; closes_cycle(request, blocker)) {
      co_return deadlock(request, blocker);
    }
    locks_[request.key].waiters.push_back({request, &woken});
  }
  int outcome = kGranted;
  {
    const runtime::Cancellation::Registration registration(caller.cancellation,
                                                           [&woken](const Status&) { woken.set(kCancelled); });
    outcome = co_await woken.wait();
  }
  if (outcome == kGranted || !stop_waiting(request.key, &woken)) {
    co_return Status();
  }
  co_return caller.cancellation.status();
}

void AdvisoryLocks::settle(const AdvisoryKey& key) {
  const auto found = locks_.find(key);
  if (found == locks_.end()) {
    return;
  }
  Lock& lock = found->second;
  for (auto waiter = lock.waiters.begin(); waiter != lock.waiters.end();) {
    const AdvisoryRequest& request = waiter->request;
    if (!blockers(lock, request, waiter).empty()) {
      ++waiter;
      continue;
    }
    ++lock.holders[request.owner].counts[request.exclusive ? 1 : 0][request.of_transaction ? 1 : 0];
    runtime::Event* granted = waiter->granted;
    waiter = lock.waiters.erase(waiter);
    granted->set(kGranted);
  }
  if (lock.holders.empty() && lock.waiters.empty()) {
    locks_.erase(found);
  }
}

void AdvisoryLocks::release(const AdvisoryRequest& held) {
  const auto found = locks_.find(held.key);
  if (found == locks_.end()) {
    return;
  }
  const auto holds = found->second.holders.find(held.owner);
  if (holds == found->second.holders.end()) {
    return;
  }
  uint32_t& count = holds->second.counts[held.exclusive ? 1 : 0][held.of_transaction ? 1 : 0];
  count -= count > 0 ? 1 : 0;
  if (holds->second.none()) {
    found->second.holders.erase(holds);
  }
  settle(held.key);
}

Task<bool> AdvisoryLocks::unlock(uint64_t owner, AdvisoryKey key, bool exclusive, runtime::Executor& executor) {
  {
    MutexLock guard(mutex_);
    const auto found = locks_.find(key);
    const bool is_held = found != locks_.end() && found->second.holders.contains(owner) &&
                         found->second.holders[owner].counts[exclusive ? 1 : 0][0] > 0;
    if (!is_held) {
      co_return false;
    }
    release({.owner = owner, .key = key, .exclusive = exclusive, .of_transaction = false});
  }
  if (AdvisoryAuthority* const authority = authority_.load()) {
    co_await authority->lower(key, executor);
  }
  co_return true;
}

Task<void> AdvisoryLocks::release_transaction(std::vector<AdvisoryRequest> held, runtime::Executor& executor) {
  std::vector<AdvisoryKey> keys;
  {
    MutexLock guard(mutex_);
    for (const AdvisoryRequest& request : held) {
      release(request);
      keys.push_back(request.key);
    }
  }
  co_await lower(std::move(keys), executor);
}

std::vector<AdvisoryKey> AdvisoryLocks::release_all(uint64_t owner) {
  MutexLock guard(mutex_);
  std::vector<AdvisoryKey> keys;
  for (auto& [key, lock] : locks_) {
    if (const auto holds = lock.holders.find(owner); holds != lock.holders.end()) {
      holds->second.counts[0][0] = 0;
      holds->second.counts[1][0] = 0;
      if (holds->second.none()) {
        lock.holders.erase(holds);
      }
      keys.push_back(key);
    }
  }
  for (const AdvisoryKey& key : keys) {
    settle(key);
  }
  return keys;
}

Task<void> AdvisoryLocks::unlock_all(uint64_t owner, runtime::Executor& executor) {
  co_await lower(release_all(owner), executor);
}

void AdvisoryLocks::forget(uint64_t owner) {
  const std::vector<AdvisoryKey> keys = release_all(owner);
  if (AdvisoryAuthority* const authority = authority_.load()) {
    for (const AdvisoryKey& key : keys) {
      authority->lower_later(key);
    }
  }
}

Task<void> AdvisoryLocks::lower(std::vector<AdvisoryKey> keys, runtime::Executor& executor) {
  AdvisoryAuthority* const authority = authority_.load();
  if (authority == nullptr) {
    co_return;
  }
  // Many take as long as the slowest, and not as all of them.
  for (std::size_t i = 1; i < keys.size(); ++i) {
    authority->lower_later(keys[i]);
  }
  for (const AdvisoryKey& key : keys) {
    co_await authority->lower(key, executor);
  }
}

AdvisoryMode AdvisoryLocks::mode(const AdvisoryKey& key) {
  MutexLock guard(mutex_);
  const auto found = locks_.find(key);
  auto mode = AdvisoryMode::kNone;
  if (found != locks_.end()) {
    for (const auto& [owner, holds] : found->second.holders) {
      mode = std::max(mode, holds.any(true) ? AdvisoryMode::kExclusive : AdvisoryMode::kShared);
    }
  }
  return mode;
}

std::size_t AdvisoryLocks::holds(const AdvisoryKey& key) {
  MutexLock guard(mutex_);
  const auto found = locks_.find(key);
  std::size_t sum = 0;
  if (found != locks_.end()) {
    for (const auto& [owner, holds] : found->second.holders) {
      sum += std::size_t{holds.count(false)} + holds.count(true);
    }
  }
  return sum;
}

std::vector<uint64_t> AdvisoryLocks::blockers_of(uint64_t owner) {
  MutexLock guard(mutex_);
  std::vector<uint64_t> found;
  for (const auto& [key, lock] : locks_) {
    for (auto waiter = lock.waiters.begin(); waiter != lock.waiters.end(); ++waiter) {
      if (waiter->request.owner == owner) {
        std::ranges::copy(blockers(lock, waiter->request, waiter), std::back_inserter(found));
      }
    }
  }
  return found;
}

std::vector<AdvisoryLocks::Row> AdvisoryLocks::rows() {
  MutexLock guard(mutex_);
  std::vector<Row> rows;
  for (const auto& [key, lock] : locks_) {
    for (const auto& [owner, holds] : lock.holders) {
      const auto asking = asking_.find(owner);
      for (const bool exclusive : {false, true}) {
        const bool asks = asking != asking_.end() && asking->second.key == key && asking->second.exclusive == exclusive;
        if (holds.count(exclusive) > (asks ? 1U : 0U)) {
          rows.push_back({key, owner, exclusive, true});
        } else if (asks) {
          rows.push_back({key, owner, exclusive, false});
        }
      }
    }
    for (const Waiter& waiter : lock.waiters) {
      rows.push_back({key, waiter.request.owner, waiter.request.exclusive, false});
    }
  }
  return rows;
}

}  // namespace pando::session
