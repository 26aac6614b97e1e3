#include "kv/cluster/lock_owners.h"

#include <algorithm>

#include "base/sql_state.h"

namespace pando::kv {

LockOwners::Entry* LockOwners::enter(TransactionId transaction, NodeId gateway) {
  MutexLock lock(mutex_);
  auto& entry = entries_[transaction];
  if (entry == nullptr) {
    entry = std::make_unique<Entry>(locks_, transaction, gateway, clock_.monotonic_ns());
    entry->over_ = forsaken_.contains(transaction);
  }
  if (entry->uses_++ == 0 && !entry->over_) {
    // What was to be ended has ended by itself.
    entry->cancellation.reset();
  }
  return entry.get();
}

void LockOwners::leave(Entry* entry) {
  std::unique_ptr<Entry> ended;
  MutexLock lock(mutex_);
  // One that got no lock has nothing to release, and its gateway does not tell its end.
  if (--entry->uses_ == 0 && (entry->over_ || entry->owner.mark() == 0)) {
    const auto place = entries_.find(entry->owner.id());
    ended = std::move(place->second);
    entries_.erase(place);
  }
}

bool LockOwners::is_over(const Entry& entry) {
  MutexLock lock(mutex_);
  return entry.over_;
}

bool LockOwners::is_shared(const Entry& entry) {
  MutexLock lock(mutex_);
  return entry.uses_ > 1;
}

// Takes it out, unless something of it still waits. Its locks go with what is returned.
std::unique_ptr<LockOwners::Entry> LockOwners::end(Entries::iterator place) {
  Entry& entry = *place->second;
  if (entry.uses_ > 0) {
    entry.over_ = true;
    entry.cancellation.request(Status(sql_state::kQueryCanceled, "the transaction has ended"));
    return nullptr;
  }
  auto ended = std::move(place->second);
  entries_.erase(place);
  return ended;
}

void LockOwners::release(TransactionId transaction, std::size_t mark) {
  std::unique_ptr<Entry> ended;
  MutexLock lock(mutex_);
  const auto place = entries_.find(transaction);
  if (place == entries_.end()) {
    return;
  }
  if (mark == 0) {
    ended = end(place);
  } else if (place->second->uses_ == 0 && mark < place->second->owner.mark()) {
    place->second->owner.release_to(mark);
  }
}

void LockOwners::cancel(TransactionId transaction, Status reason) {
  MutexLock lock(mutex_);
  const auto place = entries_.find(transaction);
  if (place != entries_.end() && place->second->uses_ > 0) {
    place->second->cancellation.request(std::move(reason));
  }
}

bool LockOwners::knows(TransactionId transaction) {
  MutexLock lock(mutex_);
  const auto place = entries_.find(transaction);
  return place != entries_.end() && !place->second->over_;
}

void LockOwners::refuse(TransactionId transaction) {
  release(transaction, 0);
  MutexLock lock(mutex_);
  forsake(transaction);
}

bool LockOwners::refuses(TransactionId transaction) {
  MutexLock lock(mutex_);
  return forsaken_.contains(transaction);
}

void LockOwners::forsake(TransactionId transaction) {
  if (!forsaken_.insert(transaction).second) {
    return;
  }
  forsaken_order_.push_back(transaction);
  if (forsaken_order_.size() > kForsakenMax) {
    forsaken_.erase(forsaken_order_.front());
    forsaken_order_.pop_front();
  }
}

void LockOwners::release_gateway(NodeId gateway) {
  std::vector<std::unique_ptr<Entry>> ended;
  MutexLock lock(mutex_);
  for (auto place = entries_.begin(); place != entries_.end();) {
    const auto next = std::next(place);
    if (place->second->gateway == gateway) {
      forsake(place->first);
      ended.push_back(end(place));
    }
    place = next;
  }
}

std::vector<TransactionId> LockOwners::of_gateway(NodeId gateway) {
  std::vector<TransactionId> transactions;
  MutexLock lock(mutex_);
  for (const auto& [transaction, entry] : entries_) {
    if (entry->gateway == gateway) {
      transactions.push_back(transaction);
    }
  }
  return transactions;
}

bool LockOwners::any_since(const std::vector<TransactionId>& transactions, uint64_t moment_ns) {
  MutexLock lock(mutex_);
  return std::ranges::any_of(transactions, [&](TransactionId transaction) PANDO_REQUIRES(mutex_) {
    const auto place = entries_.find(transaction);
    return place != entries_.end() && place->second->since_ns < moment_ns;
  });
}

std::size_t LockOwners::count() {
  MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace pando::kv
