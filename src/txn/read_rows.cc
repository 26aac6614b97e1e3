#include "txn/read_rows.h"

namespace pando::txn {
namespace {

constexpr std::size_t kBatchRows = 256;

}  // namespace

Task<Status> read_rows(Transaction& transaction, Span span, RowUse use) {
  const auto cursor = transaction.scan(std::move(span), {});
  KeyValueBatch batch;
  while (true) {
    PANDO_CO_TRY(co_await cursor->next(batch, kBatchRows));
    if (batch.size() == 0) {
      co_return Status();
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      PANDO_CO_TRY(use(batch.key(i), batch.value(i)));
    }
  }
}

}  // namespace pando::txn
