// ClusterTransaction: reads and locks of many keys, one request to each leaseholder instead of one for each key.

#include <algorithm>
#include <numeric>

#include "kv/cluster/cluster_transaction.h"

namespace pando::kv {

Task<Result<std::vector<Bytes>>> ClusterTransaction::keys_at_once(std::span<const Bytes> keys) {
  PANDO_CO_ASSIGN(const RouteReply route, co_await store_.locate(keys.front(), context()));
  std::vector<Bytes> together;
  for (const Bytes& key : keys.first(std::min(keys.size(), kKeysAtOnceMax))) {
    if (!covers(route.span, key, false)) {
      break;
    }
    together.push_back(key);
  }
  co_return together;
}

// --- reads ---

Task<Status> ClusterTransaction::get_many(std::span<const Bytes> keys, txn::KeyValueBatch& found,
                                          std::vector<uint32_t>& positions) {
  if (options_.reads_past()) {
    // A replica here may have them.
    co_return co_await Transaction::get_many(keys, found, positions);
  }
  found.clear();
  positions.clear();
  std::vector<std::optional<Bytes>> values(keys.size());
  std::vector<uint32_t> asked;
  for (uint32_t i = 0; i < keys.size(); ++i) {
    if (const auto write = has_writes() ? writes_.find(keys[i], statement_) : std::nullopt) {
      values[i] = write->value.has_value() ? std::optional<Bytes>(*write->value) : std::nullopt;
    } else {
      asked.push_back(i);
    }
  }
  std::ranges::sort(asked, [&](uint32_t a, uint32_t b) { return keys[a] < keys[b]; });
  std::vector<Bytes> sorted;
  for (const uint32_t i : asked) {
    sorted.push_back(keys[i]);
    if (notes_reads()) {
      reads_.add_key(keys[i]);
    }
  }
  std::vector<std::optional<Bytes>> answers;
  PANDO_CO_TRY(co_await read_many(sorted, answers));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    values[asked[i]] = std::move(answers[i]);
  }
  for (uint32_t i = 0; i < keys.size(); ++i) {
    if (values[i].has_value()) {
      found.append(keys[i], *values[i]);
      positions.push_back(i);
    }
  }
  co_return Status();
}

Task<Status> ClusterTransaction::read_many(std::span<const Bytes> keys, std::vector<std::optional<Bytes>>& values) {
  while (values.size() < keys.size()) {
    const auto rest = keys.subspan(values.size());
    GetManyRequest request{.transaction = id_, .point = point_};
    PANDO_CO_ASSIGN(request.keys, co_await keys_at_once(rest));
    NodeId node;
    auto answer = co_await store_.send(rest.front(), request, context(), &node);
    if (answer.verdict == Verdict::kUncertain) {
      co_return restart_after(answer.uncertain);
    }
    if (!answer.ok()) {
      co_return answer.status;
    }
    auto& read = answer.reply.values;
    if (read.empty() || read.size() > request.keys.size()) {
      co_return Status(sql_state::kProtocolViolation, "node {} has not read what was asked for", node.number());
    }
    note_moment(answer.reply.at, node);
    std::ranges::move(read, std::back_inserter(values));
  }
  co_return Status();
}

// --- locks ---

Task<Status> ClusterTransaction::lock_for_insert(std::span<const Bytes> keys, std::vector<uint8_t>& taken) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  std::vector<Bytes> missing;
  for (const Bytes& key : keys) {
    const auto lock = locks_.find(key);
    if (lock == locks_.end() || lock->second.strength < txn::LockStrength::kUpdate) {
      missing.push_back(key);
    }
  }
  std::ranges::sort(missing);
  missing.erase(std::ranges::unique(missing).begin(), missing.end());
  for (std::span<const Bytes> rest(missing); !rest.empty();) {
    std::size_t locked = 0;
    if (rest.size() > 1 && !store_.guards().covers(rest.front())) {
      PANDO_CO_ASSIGN(locked, co_await lock_at_once(rest));
    }
    if (locked == 0) {
      // Somebody has it, or is about to write it.
      PANDO_CO_TRY((co_await lock(rest.front(), txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
      locked = 1;
    }
    rest = rest.subspan(locked);
  }
  taken.assign(keys.size(), 0);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Lock& lock = locks_.at(keys[i]);
    const auto write = writes_.find(keys[i]);
    const bool has_value = write ? write->value.has_value() : lock.newest != HlcTimestamp() && !lock.tombstone;
    taken[i] = has_value ? 1 : 0;
  }
  co_return Status();
}

// How many of the keys, which rise, their leaseholder has given without waiting.
Task<Result<std::size_t>> ClusterTransaction::lock_at_once(std::span<const Bytes> keys) {
  LockManyRequest request{.transaction = id_, .strength = txn::LockStrength::kUpdate};
  PANDO_CO_ASSIGN(request.keys, co_await keys_at_once(keys));
  auto sent = context();
  sent.marks = &marks_;
  NodeId node;
  auto answer = co_await store_.send(keys.front(), request, sent, &node, &request.shard);
  if (!answer.ok()) {
    co_return answer.status;
  }
  LockManyReply& reply = answer.reply;
  if (reply.locked.size() > request.keys.size()) {
    co_return Status(sql_state::kProtocolViolation, "node {} has locked more than was asked for", node.number());
  }
  PANDO_CO_TRY(note_marks(node, reply.mark_before, reply.mark_after));
  store_.note_watched(reply.watched);
  for (std::size_t i = 0; i < reply.locked.size(); ++i) {
    PANDO_CO_TRY(note_locked(request.keys[i], std::move(reply.locked[i]),
                             {.node = node, .shard = request.shard, .term = reply.term, .strength = request.strength}));
  }
  co_return reply.locked.size();
}

}  // namespace pando::kv
