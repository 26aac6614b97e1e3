#include "txn/memory/memory_transaction.h"

#include <algorithm>

#include "txn/conflict_errors.h"
#include "txn/overlay_cursor.h"
#include "txn/program.h"

namespace pando::txn {
namespace {

// Reads the map anew for each batch, from where the last one ended.
class MemoryScan final : public CommittedScan {
 public:
  MemoryScan(MemoryStore& store, HlcTimestamp snapshot, Span span, bool reverse)
      : store_(store), snapshot_(snapshot), reverse_(reverse), rest_(std::move(span)) {}

  Status next(KeyValueBatch& batch, std::size_t entries_max) override {
    batch.clear();
    if (ended_) {
      return {};
    }
    store_.read_span(rest_.start, rest_.end, reverse_, snapshot_, entries_max, batch);
    ended_ = batch.size() < entries_max;
    if (batch.size() > 0 && reverse_) {
      rest_.end.assign(batch.key(batch.size() - 1));
      // Before the empty key there is nothing, and an empty end would mean no bound.
      ended_ = ended_ || rest_.end.empty();
    } else if (batch.size() > 0) {
      rest_.start.assign(batch.key(batch.size() - 1));
      rest_.start.push_back('\0');
    }
    return {};
  }

 private:
  MemoryStore& store_;
  const HlcTimestamp snapshot_;
  const bool reverse_;
  Span rest_;
  bool ended_ = false;
};

class MemorySnapshot final : public Snapshot {
 public:
  MemorySnapshot(MemoryStore& store, HlcTimestamp snapshot) : store_(store), snapshot_(snapshot) {}
  HlcTimestamp timestamp() const override { return snapshot_; }
  std::unique_ptr<Cursor> scan(Span span, ScanOptions options) override {
    auto committed = std::make_unique<MemoryScan>(store_, snapshot_, span, options.reverse);
    return std::make_unique<OverlayCursor>(std::move(committed),
                                           OverlayCursor::Options{.span = std::move(span), .reverse = options.reverse});
  }
  std::vector<Span> split(Span span, std::size_t pieces) override {
    return cut(span, store_.split_keys(span.start, span.end, pieces));
  }

 private:
  MemoryStore& store_;
  const HlcTimestamp snapshot_;
};

// The entries of one run.
class MemoryProgramInput final : public ProgramInput {
 public:
  MemoryProgramInput(std::unique_ptr<Cursor> entries, std::size_t entries_max)
      : entries_(std::move(entries)), left_(entries_max) {}

  Task<Status> next(KeyValueBatch& batch, std::size_t entries_max) override {
    batch.clear();
    if (left_ == 0) {
      co_return Status();
    }
    PANDO_CO_TRY(co_await entries_->next(batch, std::min(entries_max, left_)));
    ended_ = batch.size() == 0;
    left_ = ended_ ? 0 : left_ - batch.size();
    if (!ended_) {
      last_.assign(batch.key(batch.size() - 1));
    }
    co_return Status();
  }
  void stop() override { left_ = 0; }
  bool ended() const { return ended_; }
  // REQUIRES: anything was read.
  const Bytes& last() const { return last_; }

 private:
  const std::unique_ptr<Cursor> entries_;
  std::size_t left_;
  bool ended_ = false;
  Bytes last_;
};

class MemoryProgramResults final : public ProgramResults {
 public:
  MemoryProgramResults(MemoryStore& store, HlcTimestamp snapshot, Span span, Bytes program, runtime::Executor& executor)
      : store_(store),
        snapshot_(store, snapshot),
        rest_(std::move(span)),
        program_(std::move(program)),
        executor_(executor) {}

  Task<Result<std::optional<Bytes>>> next() override {
    Bytes output;
    while (output.empty() && !ended_) {
      MemoryProgramInput input(snapshot_.scan(rest_, {}), store_.options().program_entries_max);
      PANDO_CO_TRY(co_await store_.programs()->run(program_, input, executor_, output));
      ended_ = input.ended();
      if (!ended_) {
        rest_.start = input.last() + '\0';
      }
    }
    co_return output.empty() ? std::nullopt : std::optional(std::move(output));
  }

 private:
  MemoryStore& store_;
  MemorySnapshot snapshot_;
  Span rest_;
  const Bytes program_;
  runtime::Executor& executor_;
  bool ended_ = false;
};

}  // namespace

MemoryTransaction::MemoryTransaction(MemoryStore& store, TransactionOptions options, TransactionId id)
    : store_(store), options_(options), locks_(store.locks(), id) {}

MemoryTransaction::~MemoryTransaction() { end(); }

HlcTimestamp MemoryTransaction::read_timestamp() const {
  PANDO_ASSERT(snapshot_.has_value(), "begin_statement comes before everything else");
  return *snapshot_;
}

void MemoryTransaction::begin_statement() {
  PANDO_ASSERT(!over_, "a statement in a transaction that has ended");
  statement_ = writes_.mark();
  if (options_.isolation == Isolation::kReadCommitted) {
    release_snapshot();
  }
  if (!snapshot_.has_value()) {
    snapshot_ = serializable() ? store_.take_validated_snapshot() : store_.take_snapshot();
  }
}

Task<Result<std::optional<Bytes>>> MemoryTransaction::get(Bytes key) {
  if (reads_forgotten()) {
    co_return snapshot_too_old();
  }
  if (const auto write = writes_.find(key, statement_)) {
    co_return write->value.has_value() ? std::optional<Bytes>(*write->value) : std::nullopt;
  }
  if (serializable()) {
    reads_.add_key(key);
  }
  auto version = store_.read(key, read_timestamp());
  co_return version.has_value() ? std::move(version->value) : std::nullopt;
}

Task<Result<std::optional<Bytes>>> MemoryTransaction::get_latest(Bytes key) {
  if (const auto write = writes_.find(key)) {
    co_return write->value.has_value() ? std::optional<Bytes>(*write->value) : std::nullopt;
  }
  auto version = store_.read(key, HlcTimestamp::max());
  co_return version.has_value() ? std::move(version->value) : std::nullopt;
}

std::unique_ptr<Cursor> MemoryTransaction::scan(Span span, ScanOptions options) {
  if (reads_forgotten()) {
    return std::make_unique<RefusedCursor>(snapshot_too_old());
  }
  OverlayCursor::Options merged{.reverse = options.reverse, .reads = serializable() ? &reads_ : nullptr};
  if (writes_.touches(statement_, span.start, span.end)) {
    merged.overlay.emplace(writes_, statement_, span.start, span.end, options.reverse);
  }
  auto committed = std::make_unique<MemoryScan>(store_, read_timestamp(), span, options.reverse);
  merged.span = std::move(span);
  return std::make_unique<OverlayCursor>(std::move(committed), std::move(merged));
}

std::unique_ptr<Snapshot> MemoryTransaction::snapshot_for(Span span) {
  if (reads_forgotten() || writes_.touches(statement_, span.start, span.end)) {
    return nullptr;
  }
  if (serializable()) {
    reads_.add_span(std::move(span));
  }
  return std::make_unique<MemorySnapshot>(store_, read_timestamp());
}

std::unique_ptr<ProgramResults> MemoryTransaction::run_program(Span span, Bytes program, const ProgramOptions&) {
  if (!store_.runs_programs() || snapshot_for(span) == nullptr) {
    return nullptr;
  }
  return std::make_unique<MemoryProgramResults>(store_, read_timestamp(), std::move(span), std::move(program),
                                                *options_.executor);
}

Task<Result<LockOutcome>> MemoryTransaction::lock(Bytes key, LockStrength strength, WaitPolicy wait) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  PANDO_CO_ASSIGN(const bool granted, co_await store_.locks().lock(&locks_, key, strength,
                                                                   {.policy = wait,
                                                                    .executor = options_.executor,
                                                                    .cancellation = options_.cancellation,
                                                                    .timeout = options_.lock_timeout}));
  co_return granted ? locked_outcome(key) : LockOutcome{.granted = false};
}

LockOutcome MemoryTransaction::locked_outcome(ByteView key) {
  const auto newest = store_.read(key, HlcTimestamp::max());
  return {.changed_since_snapshot = newest.has_value() && newest->committed > read_timestamp()};
}

ReadOutcome MemoryTransaction::read_into(ByteView key, HlcTimestamp at, Bytes& value) {
  const auto version = store_.read(key, at);
  if (!version.has_value() || !version->value.has_value()) {
    return ReadOutcome::kAbsent;
  }
  value.assign(*version->value);
  return ReadOutcome::kFound;
}

Result<ReadOutcome> MemoryTransaction::try_get(ByteView key, Bytes& value) {
  if (reads_forgotten()) {
    return snapshot_too_old();
  }
  if (const auto write = writes_.find(key, statement_)) {
    value.assign(write->value.value_or(ByteView()));
    return write->value.has_value() ? ReadOutcome::kFound : ReadOutcome::kAbsent;
  }
  if (serializable()) {
    reads_.add_key(key);
  }
  return read_into(key, read_timestamp(), value);
}

Result<ReadOutcome> MemoryTransaction::try_get_latest(ByteView key, Bytes& value) {
  if (const auto write = writes_.find(key)) {
    value.assign(write->value.value_or(ByteView()));
    return write->value.has_value() ? ReadOutcome::kFound : ReadOutcome::kAbsent;
  }
  return read_into(key, HlcTimestamp::max(), value);
}

Result<std::optional<LockOutcome>> MemoryTransaction::try_lock(ByteView key, LockStrength strength) {
  if (!try_hold(key, strength)) {
    return std::optional<LockOutcome>();
  }
  return std::optional(locked_outcome(key));
}

bool MemoryTransaction::try_hold(ByteView key, LockStrength strength) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  return store_.locks().try_lock(locks_, key, strength);
}

Result<bool> MemoryTransaction::try_replace(ByteView key, Bytes value) {
  if (!try_hold(key, LockStrength::kUpdate)) {
    return false;
  }
  PANDO_TRY(put(Bytes(key), std::move(value)));
  return true;
}

bool MemoryTransaction::try_commit() {
  PANDO_ASSERT(!over_, "a transaction ends once");
  if (has_writes() || !hooks_.empty()) {
    return false;
  }
  end();
  return true;
}

Status MemoryTransaction::check_write(ByteView key, bool erases) {
  PANDO_ASSERT(!over_, "a write in a transaction that has ended");
  if (options_.read_only || options_.reads_past()) {
    return read_only_violation();
  }
  if (writes_.bytes() > store_.options().transaction_bytes_max) {
    return transaction_too_large(store_.options().transaction_bytes_max);
  }
  return store_.check_write(key, erases, options_.isolation, read_timestamp());
}

Status MemoryTransaction::put(Bytes key, Bytes value) {
  PANDO_TRY(check_write(key, false));
  writes_.put(key, value);
  return {};
}

Status MemoryTransaction::erase(Bytes key) {
  PANDO_TRY(check_write(key, true));
  writes_.erase(key);
  return {};
}

SavepointId MemoryTransaction::savepoint() {
  savepoints_.push_back({writes_.mark(), locks_.mark()});
  return SavepointId(static_cast<uint32_t>(savepoints_.size()));
}

void MemoryTransaction::rollback_to(SavepointId savepoint) {
  undo_writes_to(savepoint);
  locks_.release_to(savepoints_.back().locks);
}

void MemoryTransaction::undo_writes_to(SavepointId savepoint) {
  PANDO_ASSERT(savepoint.number() >= 1, "a savepoint that was never made");
  PANDO_ASSERT(savepoint.number() <= savepoints_.size(), "a savepoint that is gone");
  savepoints_.resize(savepoint.number());
  writes_.rollback_to(savepoints_.back().writes);
  statement_ = std::min(statement_, savepoints_.back().writes);
}

void MemoryTransaction::release(SavepointId savepoint) {
  PANDO_ASSERT(savepoint.number() >= 1, "a savepoint that was never made");
  PANDO_ASSERT(savepoint.number() <= savepoints_.size(), "a savepoint that is gone");
  savepoints_.resize(savepoint.number() - 1);
}

bool MemoryTransaction::reads_unchanged() {
  return !serializable() || !snapshot_.has_value() || store_.unchanged_since(reads_, *snapshot_);
}

Task<Status> MemoryTransaction::commit() {
  PANDO_ASSERT(!over_, "a transaction ends once");
  Status status;
  if (has_writes()) {
    status = store_.commit(writes_, reads_, options_.isolation, read_timestamp());
  }
  if (status.ok()) {
    for (const auto& hook : hooks_) {
      hook();
    }
  }
  end();
  co_return status;
}

Task<void> MemoryTransaction::rollback() {
  end();
  co_return;
}

void MemoryTransaction::end() {
  over_ = true;
  locks_.release_all();
  release_snapshot();
}

void MemoryTransaction::release_snapshot() {
  if (snapshot_.has_value()) {
    store_.release_snapshot(*snapshot_, serializable());
    snapshot_.reset();
  }
}

}  // namespace pando::txn
