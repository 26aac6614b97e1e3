#pragma once

// SpanAccess: a walk over many spans at once, of a transaction whose rows are at hand: to begin a walk costs as much as
// dozens of rows, and what selects a list of keys has a span for each.
//
//   if (auto* const access = SpanAccess::of(transaction)) {
//     cursor = access->scan_spans(spans, options);
//   }
//
// Thread-safety and lifetime: the transaction's.

#include "txn/transaction.h"

namespace pando::txn {

class SpanAccess {
 public:
  virtual ~SpanAccess() = default;
  // Null when the transaction has none.
  static SpanAccess* of(Transaction* transaction) { return dynamic_cast<SpanAccess*>(transaction); }

  // What Transaction::scan() gives of each span, one after the other; null when that must be asked for.
  virtual std::unique_ptr<Cursor> scan_spans(const std::vector<Span>& spans, ScanOptions options) = 0;
};

}  // namespace pando::txn
