#pragma once

// RecentOutcomes: which transactions were committed lately, as this replica has applied them, so that a gateway that
// lost the answer to its commit learns it from the next leaseholder. In memory and bounded; `covers` tells from when on
// it is complete. Thread-safe.

#include <deque>
#include <optional>
#include <unordered_map>

#include "base/hlc.h"
#include "base/ids.h"
#include "base/mutex.h"

namespace pando::kv {

class RecentOutcomes {
 public:
  static constexpr std::size_t kTransactionsMax = 100'000;

  // Complete for commits after `since`.
  explicit RecentOutcomes(HlcTimestamp since) : complete_since_(since) {}

  void add(TransactionId transaction, HlcTimestamp at) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (committed_.emplace(transaction, at).second) {
      order_.push_back(transaction);
    }
    if (order_.size() > kTransactionsMax) {
      const auto oldest = committed_.find(order_.front());
      complete_since_ = std::max(complete_since_, oldest->second);
      committed_.erase(oldest);
      order_.pop_front();
    }
  }
  std::optional<HlcTimestamp> find(TransactionId transaction) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const auto found = committed_.find(transaction);
    return found == committed_.end() ? std::nullopt : std::optional(found->second);
  }
  // Whether a commit that began after `since` and is not found did not happen.
  bool covers(HlcTimestamp since) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return since > complete_since_;
  }
  // Commits up to `until` came by another way, in a snapshot.
  void skip(HlcTimestamp until) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    complete_since_ = std::max(complete_since_, until);
  }

 private:
  Mutex mutex_;
  HlcTimestamp complete_since_ PANDO_GUARDED_BY(mutex_);
  std::unordered_map<TransactionId, HlcTimestamp> committed_ PANDO_GUARDED_BY(mutex_);
  std::deque<TransactionId> order_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::kv
