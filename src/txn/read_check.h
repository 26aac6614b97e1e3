#pragma once

// ReadCheck: whether a serializable transaction could still commit, asked before it does: an error that others have
// caused meanwhile is then theirs, and goes away when the transaction is tried again.
//
//   auto* const reads = ReadCheck::of(&transaction);
//   if (reads != nullptr && !reads->reads_unchanged()) {
//     return read_write_conflict();
//   }
//
// Thread-safety and lifetime: the transaction's.

#include "txn/transaction.h"

namespace pando::txn {

class ReadCheck {
 public:
  virtual ~ReadCheck() = default;
  // Null when the transaction has none: its commit asks other nodes.
  static ReadCheck* of(Transaction* transaction) { return dynamic_cast<ReadCheck*>(transaction); }

  // False when something that it has read was changed by a commit after its snapshot. Always true unless it is
  // SERIALIZABLE and may write.
  virtual bool reads_unchanged() = 0;
};

}  // namespace pando::txn
