#pragma once

// LongCommits: which of a gateway's transactions commit in so many parts that it takes a while. Whoever meets one that
// is prepared for long asks the gateway before it takes it for abandoned.
//
//   const auto ticket = commits.enter(transaction);       // until the last copy of it is gone
//
// Thread-safe. Outlives its tickets.

#include <memory>
#include <set>

#include "base/ids.h"
#include "base/mutex.h"

namespace pando::kv {

class LongCommits {
 public:
  class Ticket {
   public:
    Ticket(LongCommits& commits, TransactionId transaction) : commits_(commits), transaction_(transaction) {}
    ~Ticket() { commits_.leave(transaction_); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

   private:
    LongCommits& commits_;
    const TransactionId transaction_;
  };

  std::shared_ptr<const Ticket> enter(TransactionId transaction) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    running_.insert(transaction);
    return std::make_shared<const Ticket>(*this, transaction);
  }
  bool has(TransactionId transaction) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return running_.contains(transaction);
  }

 private:
  void leave(TransactionId transaction) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    running_.erase(transaction);
  }

  Mutex mutex_;
  std::set<TransactionId> running_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::kv
