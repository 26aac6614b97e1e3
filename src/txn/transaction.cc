#include "txn/transaction.h"

namespace pando::txn {

std::vector<Span> cut(const Span& span, const std::vector<Bytes>& keys) {
  std::vector<Span> parts{span};
  for (const Bytes& key : keys) {
    parts.back().end = key;
    parts.push_back({key, span.end});
  }
  return parts;
}

Task<Status> Transaction::lock_ahead(std::span<const Bytes>, LockStrength) { co_return Status(); }

Task<Status> Transaction::lock_for_insert(std::span<const Bytes> keys, std::vector<uint8_t>& taken) {
  taken.assign(keys.size(), 0);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    PANDO_CO_TRY((co_await lock(keys[i], LockStrength::kUpdate, WaitPolicy::kBlock)).status());
    PANDO_CO_ASSIGN(const auto value, co_await get_latest(keys[i]));
    taken[i] = value.has_value() ? 1 : 0;
  }
  co_return Status();
}

Task<Status> Transaction::get_many(std::span<const Bytes> keys, KeyValueBatch& found,
                                   std::vector<uint32_t>& positions) {
  found.clear();
  positions.clear();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    PANDO_CO_ASSIGN(const auto value, co_await get(keys[i]));
    if (value) {
      found.append(keys[i], *value);
      positions.push_back(static_cast<uint32_t>(i));
    }
  }
  co_return Status();
}

}  // namespace pando::txn
