#pragma once

// PointAccess: what a transaction can do with one key without a coroutine, when nothing has to be waited for. A store
// whose keys may be elsewhere has none, or says kMustWait; then the methods of Transaction are used.
//
//   if (auto* const access = PointAccess::of(transaction)) {
//     PANDO_ASSIGN(const ReadOutcome outcome, access->try_get(key, value));
//     ...
//   }
//
// Thread-safety and lifetime: the transaction's.

#include "txn/transaction.h"

namespace pando::txn {

enum class ReadOutcome : uint8_t {
  kFound,
  kAbsent,
  kMustWait,  // nothing is known: the answer is not at hand here
};

class PointAccess {
 public:
  virtual ~PointAccess() = default;
  // Null when the transaction has none.
  static PointAccess* of(Transaction* transaction) { return dynamic_cast<PointAccess*>(transaction); }

  // Transaction::get() and get_latest(): replaces `value` when it is kFound.
  virtual Result<ReadOutcome> try_get(ByteView key, Bytes& value) = 0;
  virtual Result<ReadOutcome> try_get_latest(ByteView key, Bytes& value) = 0;
  // Transaction::lock(): nullopt when it would have to wait, and then nothing was done.
  virtual Result<std::optional<LockOutcome>> try_lock(ByteView key, LockStrength strength) = 0;
  // The same for a key that never has a value; returns whether it was locked.
  virtual bool try_hold(ByteView key, LockStrength strength) = 0;
  // Transaction::put() of a key that is not locked, over whatever version it has by then: its lock may be taken only
  // when the transaction commits, with the commit. False: nothing was done, and the key must be locked first. REQUIRES:
  // the transaction commits next, without another statement.
  virtual Result<bool> try_replace(ByteView key, Bytes value) = 0;
  // Transaction::commit() when there is nothing to make durable. False: nothing was done.
  virtual bool try_commit() = 0;
  // Begins another transaction in this object, which is over. False: it cannot be used again.
  virtual bool renew(const TransactionOptions& options) = 0;
};

}  // namespace pando::txn
