// ClusterTransaction: how it commits, on one shard or on several, and in parts when it is large.

#include <algorithm>

#include "kv/cluster/cluster_transaction.h"
#include "txn/conflict_errors.h"

namespace pando::kv {
namespace {

// Of a commit in parts. More would not be faster, and keep what else is written waiting behind them.
constexpr std::size_t kPartsAtOnceMax = 2;
// How long a shard that is being cut or merged is waited for.
constexpr uint64_t kPrepareRetriesNs = 500'000'000;

// Nothing of it depends on who has led its shard so far.
bool may_move(const CommitPart& part) { return part.term == 0 && part.reads.empty(); }

// Its shard is about to be cut or merged; or has gone to another node.
bool may_retry(const CommitPart& part, Verdict verdict) {
  return verdict == Verdict::kTryAgain || (verdict == Verdict::kNotLeaseholder && may_move(part));
}

// So that the span has the key.
void extend(txn::Span& span, const Bytes& key) {
  const bool first = span.end.empty();
  if (first || key < span.start) {
    span.start = key;
  }
  if (first || key >= span.end) {
    span.end = key;
    span.end.push_back('\0');
  }
}

}  // namespace

Task<Status> ClusterTransaction::commit_writes() {
  bool must_lock = !replaced_.empty() && writes_.size() > 1;
  if (!must_lock) {
    std::vector<Part> parts;
    PANDO_CO_TRY(co_await make_parts(parts));
    if (parts.size() > 1) {
      co_return co_await commit_many(std::move(parts));
    }
    PANDO_CO_TRY(fill(parts.front()));
    Status status = co_await commit_one(std::move(parts.front()), &must_lock);
    if (!must_lock) {
      co_return status;
    }
  }
  const Bytes key = std::exchange(replaced_, {});
  PANDO_CO_TRY((co_await lock_at_leaseholder(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  co_return co_await commit_writes();
}

// One part for each shard that is written, or several when there is much; the writes come in key order.
Task<Status> ClusterTransaction::make_parts(std::vector<Part>& parts) {
  // What is large is copied when it is sent, part by part.
  const bool at_once = writes_.bytes() <= store_.options().part_bytes_max;
  auto walk = writes_.walk();
  while (walk.valid()) {
    Part part{.first_key = Bytes(walk.write().key), .commit = {.transaction = id_}};
    PANDO_CO_ASSIGN(part.route, co_await store_.locate(part.first_key, context()));
    if (at_once) {
      PANDO_CO_TRY(add_writes(walk, part));
    } else {
      measure(walk, part);
    }
    parts.push_back(std::move(part));
  }
  PANDO_CO_TRY(co_await bind_locks(parts));
  for (Part& part : parts) {
    PANDO_CO_TRY(bind_guards(part));
  }
  co_return co_await add_reads(parts);
}

// Moves `walk` behind the part's writes.
void ClusterTransaction::measure(txn::WriteBuffer::Walk& walk, Part& part) {
  std::size_t bytes = 0;
  for (; walk.valid() && covers(part.route.span, walk.write().key, false); walk.step()) {
    const auto write = walk.write();
    if (bytes >= store_.options().part_bytes_max) {
      part.end = Bytes(write.key);
      break;
    }
    bytes += write.key.size() + write.value.value_or(ByteView()).size();
    if (const auto lock = locks_.find(Bytes(write.key)); lock != locks_.end()) {
      lock->second.written = true;
    }
  }
  if (part.end.empty()) {
    part.end = part.route.span.end;
  }
  part.measured = true;
}

// The writes of a part that was only measured.
Status ClusterTransaction::fill(Part& part) {
  if (!std::exchange(part.measured, false)) {
    return {};
  }
  txn::WriteBuffer::Walk walk(writes_, writes_.last(), part.first_key, part.end, /*reverse=*/false);
  PANDO_TRY(add_writes(walk, part));
  return bind_guards(part);
}

// As many as the part's shard has.
Status ClusterTransaction::add_writes(txn::WriteBuffer::Walk& walk, Part& part) {
  CommitRecordBuilder builder(id_, part.route.generation, std::min(writes_.bytes(), store_.options().part_bytes_max));
  for (; walk.valid() && covers(part.route.span, walk.write().key, false); walk.step()) {
    const auto write = walk.write();
    changes_watched_ =
        changes_watched_ || (!store_.watched_prefix().empty() && write.key.starts_with(store_.watched_prefix()));
    if (write.value.has_value()) {
      builder.put(write.key, *write.value);
    } else {
      builder.erase(write.key);
    }
    if (const auto lock = locks_.find(Bytes(write.key)); lock != locks_.end()) {
      lock->second.written = true;
      PANDO_TRY(bind_lock(part, lock->second));
      part.commit.conditions.push_back({.key = Bytes(write.key), .newest = lock->second.newest});
    }
  }
  part.commit.payload = std::move(builder).finish();
  part.commit.replaces = !replaced_.empty();
  return {};
}

// Every lock must be one of the lease that its shard is under now.
Status ClusterTransaction::bind_lock(Part& part, const Lock& lock) {
  if (lock.shard != part.route.shard || (part.commit.term != 0 && part.commit.term != lock.term)) {
    return txn::locks_lost();
  }
  part.commit.term = lock.term;
  return {};
}

// A shard that is only locked takes part as well: else its leaseholder could be lost unnoticed, and another transaction
// change what the lock was to keep.
Task<Status> ClusterTransaction::bind_locks(std::vector<Part>& parts) {
  for (const auto& [key, lock] : locks_) {
    if (lock.written) {
      continue;
    }
    auto part = std::ranges::find_if(parts, [&](const Part& each) { return covers(each.route.span, key, false); });
    if (part == parts.end()) {
      PANDO_CO_ASSIGN(RouteReply route, co_await store_.locate(key, context()));
      parts.push_back({.route = std::move(route), .first_key = key, .commit = {.transaction = id_}});
      part = std::prev(parts.end());
    }
    PANDO_CO_TRY(bind_lock(*part, lock));
    extend(part->commit.locked, key);
  }
  co_return Status();
}

Status ClusterTransaction::bind_guards(Part& part) {
  if (!store_.still_excluded(excluded_)) {
    return txn::locks_lost();
  }
  if (guard_epoch_ == 0) {
    return {};
  }
  part.commit.deadline = store_.guards().deadline();
  return store_.guards().epoch() == guard_epoch_ ? Status() : txn::locks_lost();
}

// What a serializable transaction has read on shards that it does not write is checked there too.
Task<Status> ClusterTransaction::add_reads(std::vector<Part>& parts) {
  if (!notes_reads()) {
    co_return Status();
  }
  std::vector<txn::Span> spans;
  reads_.all_of([&](const txn::Span& span) {
    spans.push_back(span);
    return true;
  });
  for (txn::Span& span : spans) {
    while (true) {
      PANDO_CO_ASSIGN(RouteReply route, co_await store_.locate(span.start, context()));
      auto part = std::ranges::find(parts, route.shard, [](const Part& each) { return each.route.shard; });
      if (part == parts.end()) {
        parts.push_back({.route = route, .first_key = span.start, .commit = {.transaction = id_}});
        part = std::prev(parts.end());
      }
      const bool last = route.span.end.empty() || (!span.end.empty() && span.end <= route.span.end);
      part->commit.reads.push_back({span.start, last ? span.end : route.span.end});
      if (last) {
        break;
      }
      span.start = route.span.end;
    }
  }
  for (Part& part : parts) {
    part.commit.snapshot = point_.at;
  }
  co_return Status();
}

Task<Status> ClusterTransaction::commit_one(Part part, bool* must_lock) {
  const bool replaces = part.commit.replaces;
  const HlcTimestamp since = store_.parts().oracle.next();
  part.commit.keeps_locks = !hooks_.empty();
  auto sent = context(false);
  // From here on a cancellation comes too late.
  sent.cancellation = nullptr;
  sent.shard = part.route.shard;
  NodeId node;
  const auto answer =
      co_await store_.send(part.first_key, CommitShardRequest{.part = std::move(part.commit)}, sent, &node);
  switch (answer.verdict) {
    case Verdict::kOk:
      if (hooks_.empty()) {
        marks_.erase(node);
      }
      committed_at_ = answer.reply.at;
      co_return Status();
    case Verdict::kError:
      co_return answer.status;
    case Verdict::kUnreachable:
      co_return co_await store_.find_outcome(part.first_key, id_, since, *options_.executor);
    default:
      *must_lock = replaces && answer.verdict == Verdict::kTryAgain;
      co_return txn::locks_lost();
  }
}

// A commit over several participants, until all have answered.
struct ClusterTransaction::Vote {
  Vote(std::vector<Part> all, runtime::Executor& executor)
      : parts(std::move(all)),
        is_long(std::ranges::adjacent_find(parts, {}, [](const Part& part) { return part.route.shard; }) !=
                parts.end()),
        voters(is_long ? std::min(parts.size(), kPartsAtOnceMax) : parts.size()),
        decided(executor) {
    for (const Part& part : parts) {
      participants.push_back({.key = part.first_key});
    }
  }
  std::vector<Part> parts;
  std::vector<Participant> participants;
  // A shard has several of the parts.
  const bool is_long;
  std::atomic<std::size_t> next{0};
  // Tasks that still prepare parts.
  std::atomic<std::size_t> voters;
  runtime::Event decided;
  Mutex mutex;
  Status failure PANDO_GUARDED_BY(mutex);
  HlcTimestamp latest PANDO_GUARDED_BY(mutex);

  void add(const Result<HlcTimestamp>& prepared) PANDO_EXCLUDES(mutex) {
    MutexLock lock(mutex);
    if (prepared.ok()) {
      latest = std::max(latest, *prepared);
    } else if (failure.ok()) {
      failure = prepared.status();
    }
  }
  Status outcome() PANDO_EXCLUDES(mutex) {
    MutexLock lock(mutex);
    return failure;
  }
  HlcTimestamp moment() PANDO_EXCLUDES(mutex) {
    MutexLock lock(mutex);
    return latest;
  }
};

Task<void> ClusterTransaction::prepare_parts(Vote* vote) {
  for (std::size_t i = vote->next++; i < vote->parts.size() && vote->outcome().ok(); i = vote->next++) {
    vote->add(co_await prepare_part(vote->parts[i], *vote));
  }
  if (vote->voters.fetch_sub(1) == 1) {
    vote->decided.set();
  }
}

Task<Result<HlcTimestamp>> ClusterTransaction::prepare_part(Part& part, const Vote& vote) {
  PANDO_CO_TRY(fill(part));
  const Bytes key = part.first_key;
  const PrepareRequest request{
      .part = std::move(part.commit), .key = key, .participants = vote.participants, .is_long = vote.is_long};
  part.commit = {};
  auto sent = context(false);
  sent.cancellation = nullptr;
  if (!may_move(request.part)) {
    sent.shard = part.route.shard;
  }
  NodeId node;
  auto answer = co_await store_.send(key, request, sent, &node);
  const uint64_t give_up_ns = store_.parts().clock.monotonic_ns() + kPrepareRetriesNs;
  while (may_retry(request.part, answer.verdict) && store_.parts().clock.monotonic_ns() < give_up_ns) {
    PANDO_CO_TRY(co_await store_.pause_before_retry(sent, 1));
    answer = co_await store_.send(key, request, sent, &node);
  }
  switch (answer.verdict) {
    case Verdict::kOk:
      co_return answer.reply.at;
    case Verdict::kError:
      co_return answer.status;
    case Verdict::kUnreachable:
      co_return co_await find_promise(key, vote.participants);
    default:
      co_return txn::locks_lost();
  }
}

// What became of a prepare that got no answer; from then on nothing else can.
Task<Result<HlcTimestamp>> ClusterTransaction::find_promise(Bytes key, std::vector<Participant> participants) {
  NodeId node;
  const auto found = co_await store_.send(
      key, OutcomeRequest{.transaction = id_, .key = key, .prepares = true, .participants = std::move(participants)},
      {.executor = options_.executor}, &node);
  if (!found.ok()) {
    co_return Status(sql_state::kStatementCompletionUnknown,
                     "a participant cannot be reached, and whether the transaction is committed is not known");
  }
  const bool promised = found.reply.outcome == Outcome::kPrepared || found.reply.outcome == Outcome::kCommitted;
  co_return promised ? Result<HlcTimestamp>(found.reply.at) : txn::locks_lost();
}

Task<Status> ClusterTransaction::commit_many(std::vector<Part> parts) {
  Vote vote(std::move(parts), *options_.executor);
  const auto ticket = vote.is_long ? store_.long_commits().enter(id_) : nullptr;
  for (std::size_t voters = vote.voters; voters > 0; --voters) {
    runtime::spawn(*options_.executor, prepare_parts(&vote));
  }
  co_await vote.decided.wait();
  const Status failure = vote.outcome();
  if (failure.is(sql_state::kStatementCompletionUnknown)) {
    // Whoever leads the participants finds out together.
    co_return failure;
  }
  committed_at_ = ClusterStore::commit_moment(vote.moment());
  auto resolution = std::make_shared<Resolution>(id_, std::move(vote.participants), failure.ok(), committed_at_);
  resolution->ticket = ticket;
  if (failure.ok()) {
    for (const auto& hook : hooks_) {
      hook();
    }
    hooks_.clear();
    // Its locks there are freed when its writes are what others see.
    for (const Part& part : vote.parts) {
      marks_.erase(part.route.leaseholder);
      resolution->holders.push_back(part.route.leaseholder);
    }
  }
  store_.resolve_later(std::move(resolution));
  co_return failure;
}

}  // namespace pando::kv
