#include "kv/cluster/guards.h"

namespace pando::kv {

void Guards::extend(uint64_t until_ns) {
  const uint64_t before_ns = until_ns_.load();
  if (clock_.monotonic_ns() >= before_ns) {
    epoch_.fetch_add(1);
  }
  until_ns_.store(std::max(before_ns, until_ns));
}

uint64_t Guards::epoch() const { return clock_.monotonic_ns() < until_ns_.load() ? epoch_.load() : 0; }

HlcTimestamp Guards::deadline() const {
  const uint64_t now_ns = clock_.monotonic_ns();
  const uint64_t until_ns = until_ns_.load();
  return {clock_.wall_ns() + (until_ns > now_ns ? until_ns - now_ns : 0), 0};
}

// Ends when the statement is cancelled, and when the transaction is here: as the victim of a deadlock, or by its end.
Task<Result<bool>> Guards::lock(LockOwners::Use& use, Bytes key, txn::LockStrength strength, txn::LockWait how) {
  runtime::Cancellation* const statement = how.cancellation;
  std::optional<runtime::Cancellation::Registration> forwarded;
  if (statement != nullptr) {
    forwarded.emplace(*statement, [&use](const Status& reason) { use->cancellation.request(reason); });
  }
  how.cancellation = &use->cancellation;
  auto granted = co_await table_.lock(&use->owner, std::move(key), strength, how);
  if (!granted.ok() && statement != nullptr && statement->requested()) {
    co_return statement->status();
  }
  co_return granted;
}

Task<Result<Guards::Shared>> Guards::share(TransactionId transaction, NodeId self, Bytes key, txn::LockWait how) {
  const uint64_t before = epoch();
  if (before == 0) {
    co_return Shared{};
  }
  LockOwners::Use use(owners_, transaction, self);
  bool granted = table_.try_lock(use->owner, key, txn::LockStrength::kKeyShare);
  if (!granted) {
    PANDO_CO_ASSIGN(granted, co_await lock(use, std::move(key), txn::LockStrength::kKeyShare, how));
  }
  // One that ran out while it waited guards nothing.
  co_return Shared{.granted = granted, .epoch = epoch() == before ? before : 0};
}

Guards::Shared Guards::try_share(TransactionId transaction, NodeId self, ByteView key) {
  const uint64_t before = epoch();
  if (before == 0) {
    return {};
  }
  LockOwners::Use use(owners_, transaction, self);
  const bool granted = table_.try_lock(use->owner, key, txn::LockStrength::kKeyShare);
  return {.granted = granted, .epoch = granted ? before : 0};
}

Task<Status> Guards::exclude(TransactionId transaction, NodeId gateway, Bytes key, txn::LockWait how) {
  LockOwners::Use use(owners_, transaction, gateway);
  PANDO_CO_ASSIGN(const bool granted, co_await lock(use, std::move(key), txn::LockStrength::kUpdate, how));
  PANDO_ASSERT(granted, "only a lock that may be skipped is not granted without an error");
  co_return Status();
}

}  // namespace pando::kv
