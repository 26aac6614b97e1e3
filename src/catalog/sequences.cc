#include "catalog/sequences.h"

#include <algorithm>

#include "catalog/keys.h"
#include "runtime/event.h"

namespace pando::catalog {
namespace {

// As PostgreSQL's SEQ_LOG_VALS: values logged beyond those asked for.
constexpr std::size_t kLogAhead = 32;
constexpr SqlState kSequenceLimitExceeded{"2200H"};

Bytes state_key(Oid sequence) {
  Bytes key = index_prefix(kSequenceTable, kRowIndexId);
  append_ordered_uint32(key, sequence);
  return key;
}

Bytes encode_state(SequenceState state) {
  Bytes value;
  put_signed_varint(value, state.last_value);
  value.push_back(state.is_called ? 1 : 0);
  return value;
}

bool decode_state(ByteView bytes, SequenceState& state) {
  ByteReader reader(bytes);
  uint8_t is_called = 0;
  if (!reader.signed_varint(state.last_value) || !reader.fixed8(is_called) || !reader.empty()) {
    return false;
  }
  state.is_called = is_called != 0;
  return true;
}

// Moves `state` one value on. False when the sequence ends.
bool advance(const SequenceDescriptor& sequence, SequenceState& state) {
  if (!state.is_called) {
    state.is_called = true;
    return true;
  }
  int64_t next = 0;
  const bool overflows = __builtin_add_overflow(state.last_value, sequence.increment, &next);
  if (!overflows && next <= sequence.max && next >= sequence.min) {
    state.last_value = next;
    return true;
  }
  if (!sequence.cycle) {
    return false;
  }
  state.last_value = sequence.increment > 0 ? sequence.min : sequence.max;
  return true;
}

Status limit_reached(const SequenceDescriptor& sequence) {
  const bool ascending = sequence.increment > 0;
  return Status(kSequenceLimitExceeded, "nextval: reached {} value of sequence \"{}\" ({})",
                ascending ? "maximum" : "minimum", sequence.name, ascending ? sequence.max : sequence.min);
}

}  // namespace

bool Sequences::try_next(const SequenceDescriptor& sequence, std::size_t count, std::vector<int64_t>& values,
                         Status& status) {
  MutexLock lock(mutex_);
  const auto found = cached_.find(sequence.oid);
  if (found == cached_.end() || !found->second.loaded || !is_fresh(found->second)) {
    return false;
  }
  Cached& cached = found->second;
  SequenceState state = cached.state;
  std::vector<int64_t> taken;
  for (std::size_t i = 0; i < count; ++i) {
    if (state.is_called && state.last_value == cached.logged.last_value) {
      SequenceState probe = state;
      if (advance(sequence, probe)) {
        return false;
      }
    }
    if (!advance(sequence, state)) {
      cached.state = state;
      status = limit_reached(sequence);
      return true;
    }
    taken.push_back(state.last_value);
  }
  cached.state = state;
  values.insert(values.end(), taken.begin(), taken.end());
  return true;
}

Task<Status> Sequences::reserve(SequencePtr sequence, std::size_t count, runtime::Executor& executor) {
  co_return co_await load_and_log(std::move(sequence), count, executor);
}

// The stored state is locked while it moves on, so two reservations of one sequence follow each other.
Task<Status> Sequences::load_and_log(SequencePtr sequence, std::size_t count, runtime::Executor& executor) {
  const uint64_t since_ns = now_ns();
  auto transaction = store_.begin({.executor = &executor});
  transaction->begin_statement();
  const Bytes key = state_key(sequence->oid);
  PANDO_CO_TRY((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_ASSIGN(const std::optional<Bytes> stored, co_await transaction->get_latest(key));
  SequenceState start{sequence->start, false};
  if (stored && !decode_state(*stored, start)) {
    co_return Status(sql_state::kDataCorrupted, "the state of sequence \"{}\" is malformed", sequence->name);
  }
  bool moved = false;
  {
    MutexLock lock(mutex_);
    Cached& cached = cached_[sequence->oid];
    // Where another node has stored values since, what is left of those logged here is a gap.
    if (cached.loaded && stored && start == cached.logged) {
      start = cached.state;
    } else {
      moved = cached.loaded;
    }
  }
  SequenceState logged = start;
  for (std::size_t i = 0; i < count + kLogAhead && advance(*sequence, logged); ++i) {
  }
  PANDO_CO_TRY(transaction->put(key, encode_state(logged)));
  transaction->on_commit([this, oid = sequence->oid, start, logged, moved, since_ns] {
    MutexLock lock(mutex_);
    Cached& cached = cached_[oid];
    if (!cached.loaded || moved) {
      cached.state = start;
      cached.loaded = true;
    }
    cached.logged = logged;
    cached.since_ns = since_ns;
  });
  co_return co_await transaction->commit();
}

// What others reserved before lives no longer than this; clocks may run at different rates.
Task<void> Sequences::wait_for_others(runtime::Executor& executor) {
  if (sharing_.timer == nullptr) {
    co_return;
  }
  runtime::Event over(executor);
  sharing_.timer->schedule(sharing_.block_life + sharing_.block_life / 10, [&over] { over.set(); });
  co_await over.wait();
}

Task<Status> Sequences::set(SequencePtr sequence, SequenceState state, runtime::Executor& executor) {
  auto transaction = store_.begin({.executor = &executor});
  transaction->begin_statement();
  const Bytes key = state_key(sequence->oid);
  PANDO_CO_TRY((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_TRY(transaction->put(key, encode_state(state)));
  transaction->on_commit([this, oid = sequence->oid, state] {
    MutexLock lock(mutex_);
    // Values are handed out again once they are reserved.
    cached_[oid] = Cached{state, state, state.is_called && sharing_.clock == nullptr};
  });
  PANDO_CO_TRY(co_await transaction->commit());
  co_await wait_for_others(executor);
  co_return Status();
}

Task<Result<SequenceState>> Sequences::read(SequencePtr sequence, runtime::Executor& executor) {
  {
    MutexLock lock(mutex_);
    const auto found = cached_.find(sequence->oid);
    if (found != cached_.end() && found->second.loaded && is_fresh(found->second)) {
      co_return found->second.state;
    }
  }
  auto transaction = store_.begin({.read_only = true, .executor = &executor});
  transaction->begin_statement();
  PANDO_CO_ASSIGN(const std::optional<Bytes> stored, co_await transaction->get(state_key(sequence->oid)));
  co_await transaction->rollback();
  SequenceState state{sequence->start, false};
  if (stored && !decode_state(*stored, state)) {
    co_return Status(sql_state::kDataCorrupted, "the state of sequence \"{}\" is malformed", sequence->name);
  }
  co_return state;
}

}  // namespace pando::catalog
