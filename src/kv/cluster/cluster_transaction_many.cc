// ClusterTransaction: reads and locks of many keys, one request to each leaseholder instead of one for each key.

#include <algorithm>
#include <deque>
#include <map>

#include "kv/cluster/call_ahead.h"
#include "kv/cluster/cluster_transaction.h"

namespace pando::kv {

Task<Result<ClusterTransaction::KeyGroup>> ClusterTransaction::first_group(std::span<const Bytes> keys) {
  KeyGroup group;
  PANDO_CO_ASSIGN(group.route, co_await store_.locate(keys.front(), context()));
  for (const Bytes& key : keys.first(std::min(keys.size(), kKeysAtOnceMax))) {
    if (!covers(group.route.span, key, false)) {
      break;
    }
    group.keys.push_back(key);
  }
  co_return group;
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
    PANDO_CO_ASSIGN(KeyGroup group, co_await first_group(rest));
    request.keys = std::move(group.keys);
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

const ClusterTransaction::Lock* ClusterTransaction::find_lock(const Bytes& key, txn::LockStrength strength) const {
  const auto lock = locks_.find(key);
  if (lock == locks_.end() || lock->second.strength < strength) {
    return nullptr;
  }
  // Under kKeyShare others may change the row, but for its key: it is as it was when the statement locked it.
  const bool is_current = lock->second.strength >= txn::LockStrength::kShare || lock->second.number > statement_locks_;
  return is_current ? &lock->second : nullptr;
}

std::vector<Bytes> ClusterTransaction::without_lock(std::span<const Bytes> keys, txn::LockStrength strength) const {
  std::vector<Bytes> missing;
  std::ranges::copy_if(keys, std::back_inserter(missing),
                       [&](const Bytes& key) { return !is_claimed(key) && find_lock(key, strength) == nullptr; });
  std::ranges::sort(missing);
  missing.erase(std::ranges::unique(missing).begin(), missing.end());
  return missing;
}

Task<Status> ClusterTransaction::lock_ahead(std::span<const Bytes> keys, txn::LockStrength strength) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  const std::vector<Bytes> missing = without_lock(keys, strength);
  if (missing.size() < 2 || store_.guards().covers(missing.front())) {
    co_return Status();
  }
  std::map<NodeId, std::deque<KeyGroup>> groups;
  for (std::span<const Bytes> rest(missing); !rest.empty();) {
    PANDO_CO_ASSIGN(KeyGroup group, co_await first_group(rest));
    rest = rest.subspan(group.keys.size());
    if (group.route.leaseholder != NodeId()) {
      groups[group.route.leaseholder].push_back(std::move(group));
    }
  }
  // To each leaseholder one after the other, so that the locks it holds are counted in the order of its answers.
  while (!groups.empty()) {
    std::vector<std::shared_ptr<CallAhead<LockManyRequest>>> calls;
    for (const auto& [node, waiting] : groups) {
      marks_.try_emplace(node, 0);
      LockManyRequest request{.transaction = id_, .keys = waiting.front().keys, .strength = strength};
      calls.push_back(
          CallAhead<LockManyRequest>::start(store_, waiting.front().route, std::move(request), *options_.executor));
    }
    for (const auto& call : calls) {
      PANDO_CO_ASSIGN(auto answer, co_await call->take(options_.cancellation));
      const auto waiting = groups.find(call->node());
      PANDO_CO_TRY(note_many(waiting->second.front(), strength, std::move(answer)));
      waiting->second.pop_front();
      if (waiting->second.empty()) {
        groups.erase(waiting);
      }
    }
  }
  co_return Status();
}

Status ClusterTransaction::note_many(const KeyGroup& group, txn::LockStrength strength,
                                     AnswerTo<LockManyRequest> answer) {
  if (!answer.ok()) {
    // Whoever leads the shard now is asked for each of the locks.
    return answer.verdict == Verdict::kError ? answer.status : Status();
  }
  LockManyReply& reply = answer.reply;
  const NodeId node = group.route.leaseholder;
  if (reply.locked.size() > group.keys.size()) {
    return {sql_state::kProtocolViolation, "node {} has locked more than was asked for", node.number()};
  }
  PANDO_TRY(note_marks(node, reply.mark_before, reply.mark_after));
  store_.note_watched(reply.watched);
  for (std::size_t i = 0; i < reply.locked.size(); ++i) {
    PANDO_TRY(note_locked(group.keys[i], std::move(reply.locked[i]),
                          {.node = node, .shard = group.route.shard, .term = reply.term, .strength = strength}));
  }
  return {};
}

Task<Status> ClusterTransaction::lock_for_insert(std::span<const Bytes> keys, std::vector<uint8_t>& taken) {
  constexpr auto kStrength = txn::LockStrength::kUpdate;
  for (auto missing = without_lock(keys, kStrength); !missing.empty();) {
    PANDO_CO_TRY(co_await lock_ahead(missing, kStrength));
    missing = without_lock(missing, kStrength);
    if (!missing.empty()) {
      // Somebody has it, or is about to write it.
      PANDO_CO_TRY((co_await lock(missing.front(), kStrength, txn::WaitPolicy::kBlock)).status());
    }
  }
  taken.assign(keys.size(), 0);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto write = writes_.find(keys[i]);
    const bool is_taken = write ? write->value.has_value() : has_value(keys[i]);
    taken[i] = is_taken ? 1 : 0;
  }
  co_return Status();
}

bool ClusterTransaction::has_value(const Bytes& key) const {
  const auto lock = locks_.find(key);
  PANDO_ASSERT(lock != locks_.end() || is_claimed(key), "a key that was to be locked");
  return lock != locks_.end() && lock->second.newest != HlcTimestamp() && !lock->second.tombstone;
}

}  // namespace pando::kv
