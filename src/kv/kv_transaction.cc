#include "kv/kv_transaction.h"

#include <algorithm>
#include <numeric>

#include "txn/conflict_errors.h"
#include "txn/overlay_cursor.h"

namespace pando::kv {
namespace {

// Of a transaction larger than memory: those of more are not told apart when serializable transactions are validated.
constexpr std::size_t kRecordedKeysMax = 4096;

class EngineScan final : public txn::CommittedScan {
 public:
  explicit EngineScan(std::unique_ptr<storage::VersionScan> scan) : scan_(std::move(scan)) {}
  Status next(KeyValueBatch& batch, std::size_t entries_max) override { return scan_->next(batch, entries_max); }

 private:
  const std::unique_ptr<storage::VersionScan> scan_;
};

std::unique_ptr<txn::CommittedScan> scan_engine(const storage::Engine& engine, const txn::Span& span, HlcTimestamp at,
                                                const txn::ScanOptions& options) {
  return std::make_unique<EngineScan>(engine.scan_versions(
      {.span = {span.start, span.end}, .at = at, .reverse = options.reverse, .limit_hint = options.limit_hint}));
}

// Walks spans, one after the other. A move costs less than a scan made anew.
class SpansScan final : public txn::CommittedScan {
 public:
  // REQUIRES: `spans` is not empty.
  SpansScan(const storage::Engine& engine, std::vector<txn::Span> spans, HlcTimestamp at,
            const txn::ScanOptions& options)
      : engine_(engine), spans_(std::move(spans)), at_(at), options_(options) {
    start();
  }

  Status next(KeyValueBatch& batch, std::size_t entries_max) override {
    PANDO_TRY(scan_->next(batch, entries_max));
    while (batch.size() < entries_max) {
      PANDO_TRY(scan_->next(part_, entries_max - batch.size()));
      for (std::size_t i = 0; i < part_.size(); ++i) {
        batch.append(part_.key(i), part_.value(i));
      }
      if (part_.size() == 0 && !start_next()) {
        break;
      }
    }
    return {};
  }

 private:
  void start() {
    scan_ = engine_.scan_versions({.span = {spans_[span_].start, spans_[span_].end},
                                   .at = at_,
                                   .reverse = options_.reverse,
                                   .limit_hint = options_.limit_hint});
  }

  bool start_next() {
    if (span_ + 1 == spans_.size()) {
      return false;
    }
    ++span_;
    if (!scan_->move_to({spans_[span_].start, spans_[span_].end})) {
      start();
    }
    return true;
  }

  const storage::Engine& engine_;
  const std::vector<txn::Span> spans_;
  const HlcTimestamp at_;
  const txn::ScanOptions options_;
  std::size_t span_ = 0;
  std::unique_ptr<storage::VersionScan> scan_;
  KeyValueBatch part_;
};

class KvSnapshot final : public txn::Snapshot {
 public:
  KvSnapshot(const storage::Engine& engine, HlcTimestamp at) : engine_(engine), at_(at) {}
  HlcTimestamp timestamp() const override { return at_; }
  std::unique_ptr<txn::Cursor> scan(txn::Span span, txn::ScanOptions options) override {
    auto committed = scan_engine(engine_, span, at_, options);
    return std::make_unique<txn::OverlayCursor>(
        std::move(committed), txn::OverlayCursor::Options{.span = std::move(span), .reverse = options.reverse});
  }
  std::vector<txn::Span> split(txn::Span span, std::size_t pieces) override {
    const auto keys = engine_.split_keys({span.start, span.end}, pieces);
    return txn::cut(span, keys.ok() ? *keys : std::vector<Bytes>{});
  }

 private:
  const storage::Engine& engine_;
  const HlcTimestamp at_;
};

// Reads keys in their order from the engine. The newest versions that it meets come into the record cache while there
// is room.
class NewestVersions {
 public:
  NewestVersions(KvStore& store, const Bytes& first, const Bytes& last)
      : cache_(store.cache()),
        tickets_(cache_.start_fills()),
        iterator_(store.engine().iterate_versions({first, last + '\0'})) {}

  Result<std::optional<Bytes>> read(const Bytes& key, HlcTimestamp at) {
    iterator_->seek(key, HlcTimestamp::max());
    if (is_at(key) && iterator_->timestamp() > at) {
      iterator_->seek(key, at);
    } else if (is_at(key) && cache_.has_room(key)) {
      const RecordCache::Incoming newest{iterator_->key(), iterator_->timestamp(), iterator_->tombstone(),
                                         iterator_->value()};
      cache_.fill({&newest, 1}, tickets_);
    }
    PANDO_TRY(iterator_->status());
    return is_at(key) && !iterator_->tombstone() ? std::optional(Bytes(iterator_->value())) : std::nullopt;
  }

 private:
  bool is_at(ByteView key) const { return iterator_->valid() && iterator_->key() == key; }

  RecordCache& cache_;
  // From before the iterator.
  const RecordCache::FillTickets tickets_;
  const std::unique_ptr<storage::VersionIterator> iterator_;
};

// The positions of the keys in their order.
std::vector<uint32_t> order_of(std::span<const Bytes> keys) {
  std::vector<uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  if (!std::ranges::is_sorted(keys)) {
    std::ranges::sort(order, {}, [&](uint32_t i) -> const Bytes& { return keys[i]; });
  }
  return order;
}

std::optional<Bytes> value_of(const txn::WriteBuffer::Write& write) {
  return write.value.has_value() ? std::optional<Bytes>(*write.value) : std::nullopt;
}

txn::ReadOutcome take_write(const txn::WriteBuffer::Write& write, Bytes& value) {
  if (!write.value.has_value()) {
    return txn::ReadOutcome::kAbsent;
  }
  value.assign(*write.value);
  return txn::ReadOutcome::kFound;
}

txn::ReadOutcome take_write(std::optional<Bytes> write, Bytes& value) {
  if (!write.has_value()) {
    return txn::ReadOutcome::kAbsent;
  }
  value = *std::move(write);
  return txn::ReadOutcome::kFound;
}

}  // namespace

KvTransaction::KvTransaction(KvStore& store, txn::TransactionOptions options, TransactionId id)
    : store_(store), options_(options), pin_(store.snapshots()) {
  locks_.emplace(store.locks(), id);
}

KvTransaction::~KvTransaction() {
  if (!over_) {
    end();
  }
}

bool KvTransaction::renew(const txn::TransactionOptions& options) {
  PANDO_ASSERT(over_, "a transaction that has not ended");
  if (bulk_ != nullptr || writes_->bytes() != 0 || notes_reads()) {
    return false;
  }
  options_ = options;
  locks_.emplace(store_.locks(), store_.next_transaction());
  statement_ = 0;
  vacancies_.clear();
  known_absent_.clear();
  savepoints_.clear();
  hooks_.clear();
  over_ = false;
  return true;
}

HlcTimestamp KvTransaction::read_timestamp() const {
  PANDO_ASSERT(snapshot_.has_value(), "begin_statement comes before everything else");
  return *snapshot_;
}

void KvTransaction::begin_statement() {
  PANDO_ASSERT(!over_, "a statement in a transaction that has ended");
  statement_ = mark_writes();
  if (options_.read_at != HlcTimestamp()) [[unlikely]] {
    pin_past();
    return;
  }
  if (options_.isolation == txn::Isolation::kReadCommitted) {
    snapshot_ = pin_.take();
  } else if (!snapshot_.has_value()) {
    snapshot_ = notes_reads() ? store_.committer().enter_serializable(pin_) : pin_.take();
  }
}

// What is younger than the newest complete moment is not there yet.
void KvTransaction::pin_past() {
  if (!snapshot_.has_value()) {
    snapshot_ = std::min(options_.read_at, store_.snapshots().visible());
    const auto oldest = store_.history_start();
    too_old_ = (oldest.has_value() && *snapshot_ < *oldest) || !pin_.take_at(*snapshot_);
  }
}

Result<std::optional<Bytes>> KvTransaction::read(ByteView key, HlcTimestamp at) {
  if (too_old_) [[unlikely]] {
    return txn::snapshot_too_old();
  }
  CachedRecord record;
  PANDO_ASSIGN(const bool found, store_.read(key, at, record));
  if (!found || record.tombstone) {
    return std::optional<Bytes>();
  }
  return std::optional<Bytes>(std::move(record.value));
}

Task<Result<std::optional<Bytes>>> KvTransaction::get(Bytes key) {
  if (bulk_ != nullptr) {
    PANDO_CO_ASSIGN(auto write, bulk_->find(key, statement_));
    if (write.has_value()) {
      co_return std::move(*write);
    }
  } else if (has_writes()) {
    if (const auto write = writes_->find(key, statement_)) {
      co_return value_of(*write);
    }
  }
  if (notes_reads()) {
    reads_.add_key(key);
  }
  co_return read(key, read_timestamp());
}

Task<Result<std::optional<Bytes>>> KvTransaction::get_latest(Bytes key) {
  if (bulk_ != nullptr) {
    PANDO_CO_ASSIGN(auto write, bulk_->find(key));
    if (write.has_value()) {
      co_return std::move(*write);
    }
  } else if (has_writes()) {
    if (const auto write = writes_->find(key)) {
      co_return value_of(*write);
    }
  }
  if (is_known_absent(key)) {
    co_return std::optional<Bytes>();
  }
  PANDO_CO_ASSIGN(const bool vacant, is_vacant(key));
  if (vacant) {
    co_return std::optional<Bytes>();
  }
  co_return read(key, HlcTimestamp::max());
}

Result<txn::ReadOutcome> KvTransaction::read_into(ByteView key, HlcTimestamp at, Bytes& value) {
  if (too_old_) [[unlikely]] {
    return txn::snapshot_too_old();
  }
  CachedRecord record{.value = std::move(value)};
  auto found = store_.read(key, at, record);
  value = std::move(record.value);
  if (!found.ok()) {
    return std::move(found).status();
  }
  return *found && !record.tombstone ? txn::ReadOutcome::kFound : txn::ReadOutcome::kAbsent;
}

Result<txn::ReadOutcome> KvTransaction::try_get(ByteView key, Bytes& value) {
  if (bulk_ != nullptr) {
    PANDO_ASSIGN(auto write, bulk_->find(key, statement_));
    if (write.has_value()) {
      return take_write(*std::move(write), value);
    }
  } else if (has_writes()) {
    if (const auto write = writes_->find(key, statement_)) {
      return take_write(*write, value);
    }
  }
  if (notes_reads()) {
    reads_.add_key(key);
  }
  return read_into(key, read_timestamp(), value);
}

Result<txn::ReadOutcome> KvTransaction::try_get_latest(ByteView key, Bytes& value) {
  if (bulk_ != nullptr) {
    PANDO_ASSIGN(auto write, bulk_->find(key));
    if (write.has_value()) {
      return take_write(*std::move(write), value);
    }
  } else if (has_writes()) {
    if (const auto write = writes_->find(key)) {
      return take_write(*write, value);
    }
  }
  if (is_known_absent(key)) {
    return txn::ReadOutcome::kAbsent;
  }
  PANDO_ASSIGN(const bool vacant, is_vacant(key));
  if (vacant) {
    return txn::ReadOutcome::kAbsent;
  }
  return read_into(key, HlcTimestamp::max(), value);
}

Result<bool> KvTransaction::is_vacant(ByteView key) {
  const ByteView prefix = locks_->locked_prefix(key);
  if (prefix.empty()) [[likely]] {
    return false;
  }
  const auto known = std::ranges::find(vacancies_, prefix, &std::pair<Bytes, bool>::first);
  if (known != vacancies_.end()) {
    return known->second;
  }
  const auto versions = store_.engine().iterate_versions({Bytes(prefix), prefix_end(prefix)});
  PANDO_TRY(versions->status());
  vacancies_.emplace_back(prefix, !versions->valid());
  return vacancies_.back().second;
}

std::unique_ptr<txn::Cursor> KvTransaction::scan(txn::Span span, txn::ScanOptions options) {
  if (too_old_) [[unlikely]] {
    return std::make_unique<txn::RefusedCursor>(txn::snapshot_too_old());
  }
  txn::OverlayCursor::Options merged{.reverse = options.reverse, .reads = notes_reads() ? &reads_ : nullptr};
  if (bulk_ != nullptr) {
    if (bulk_->touches(statement_, span.start, span.end)) {
      merged.layered = bulk_->walk(statement_, span, options.reverse);
    }
  } else if (writes_->touches(statement_, span.start, span.end)) {
    merged.overlay.emplace(*writes_, statement_, span.start, span.end, options.reverse);
  }
  auto committed = scan_engine(store_.engine(), span, read_timestamp(), options);
  merged.span = std::move(span);
  return std::make_unique<txn::OverlayCursor>(std::move(committed), std::move(merged));
}

bool KvTransaction::touches(const txn::Span& span) const {
  return bulk_ == nullptr ? writes_->touches(statement_, span.start, span.end)
                          : bulk_->touches(statement_, span.start, span.end);
}

std::unique_ptr<txn::Cursor> KvTransaction::scan_spans(const std::vector<txn::Span>& spans, txn::ScanOptions options) {
  if (spans.empty() || too_old_ || notes_reads() ||
      std::ranges::any_of(spans, [this](const txn::Span& span) { return touches(span); })) {
    return nullptr;
  }
  return std::make_unique<txn::OverlayCursor>(
      std::make_unique<SpansScan>(store_.engine(), spans, read_timestamp(), options),
      txn::OverlayCursor::Options{.reverse = options.reverse});
}

std::unique_ptr<txn::Snapshot> KvTransaction::snapshot_for(txn::Span span) {
  if (touches(span) || too_old_) {
    return nullptr;
  }
  if (notes_reads()) {
    reads_.add_span(std::move(span));
  }
  return std::make_unique<KvSnapshot>(store_.engine(), read_timestamp());
}

Task<Result<txn::LockOutcome>> KvTransaction::lock(Bytes key, txn::LockStrength strength, txn::WaitPolicy wait) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  // A write needs a lock first, so here is the place to wait before there are more.
  if (wants_room()) [[unlikely]] {
    PANDO_CO_TRY(co_await make_room());
  }
  if (!store_.locks().try_lock(*locks_, key, strength)) {
    PANDO_CO_ASSIGN(const bool granted, co_await store_.locks().lock(&*locks_, key, strength,
                                                                     {.policy = wait,
                                                                      .executor = options_.executor,
                                                                      .cancellation = options_.cancellation,
                                                                      .timeout = options_.lock_timeout}));
    if (!granted) {
      co_return txn::LockOutcome{.granted = false};
    }
  }
  co_return locked_outcome(key);
}

Result<std::optional<txn::LockOutcome>> KvTransaction::try_lock(ByteView key, txn::LockStrength strength) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  // lock() makes room.
  if (wants_room()) [[unlikely]] {
    return std::optional<txn::LockOutcome>();
  }
  if (!store_.locks().try_lock(*locks_, key, strength)) {
    return std::optional<txn::LockOutcome>();
  }
  PANDO_ASSIGN(const txn::LockOutcome outcome, locked_outcome(key));
  return std::optional(outcome);
}

Result<bool> KvTransaction::try_replace(ByteView key, Bytes value) {
  PANDO_ASSIGN(const auto locked, try_lock(key, txn::LockStrength::kUpdate));
  if (!locked.has_value()) {
    return false;
  }
  PANDO_TRY(put(Bytes(key), std::move(value)));
  return true;
}

Result<txn::LockOutcome> KvTransaction::locked_outcome(ByteView key) {
  PANDO_ASSIGN(const bool vacant, is_vacant(key));
  if (vacant) {
    return txn::LockOutcome{};
  }
  HlcTimestamp timestamp;
  bool tombstone = false;
  PANDO_ASSIGN(const bool found, store_.newest(key, timestamp, tombstone));
  if (!found) {
    known_absent_ = key;
    return txn::LockOutcome{};
  }
  return txn::LockOutcome{.changed_since_snapshot = timestamp > read_timestamp()};
}

Task<Status> KvTransaction::lock_for_insert(std::span<const Bytes> keys, std::vector<uint8_t>& taken) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  if (wants_room()) [[unlikely]] {
    PANDO_CO_TRY(co_await make_room());
  }
  taken.assign(keys.size(), 0);
  for (const Bytes& key : keys) {
    if (!store_.locks().try_lock(*locks_, key, txn::LockStrength::kUpdate)) {
      PANDO_CO_TRY((co_await lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
    }
  }
  const std::vector<uint32_t> order = order_of(keys);
  std::vector<uint32_t> unwritten;
  for (const uint32_t i : order) {
    PANDO_CO_ASSIGN(const std::optional<bool> written, has_written(keys[i]));
    PANDO_CO_ASSIGN(const bool vacant, is_vacant(keys[i]));
    if (written.has_value()) {
      taken[i] = *written ? 1 : 0;
    } else if (!vacant) {
      unwritten.push_back(i);
    }
  }
  co_return find_committed(keys, unwritten, taken);
}

Result<std::optional<bool>> KvTransaction::has_written(ByteView key) {
  if (bulk_ != nullptr) {
    PANDO_ASSIGN(const auto write, bulk_->find(key));
    return write.has_value() ? std::optional(write->has_value()) : std::nullopt;
  }
  const auto write = writes_->find(key);
  return write.has_value() ? std::optional(write->value.has_value()) : std::nullopt;
}

// One walk over the keys' span: where nothing is committed, it steps over all of them at once.
Status KvTransaction::find_committed(std::span<const Bytes> keys, std::span<const uint32_t> order,
                                     std::vector<uint8_t>& taken) {
  if (order.empty()) {
    return {};
  }
  const auto iterator = store_.engine().iterate_versions({keys[order.front()], keys[order.back()] + '\0'});
  for (const uint32_t i : order) {
    if (iterator->valid() && iterator->key() < keys[i]) {
      iterator->seek(keys[i], HlcTimestamp::max());
    }
    if (!iterator->valid()) {
      break;
    }
    if (iterator->key() == keys[i]) {
      taken[i] = iterator->tombstone() ? 0 : 1;
    }
  }
  return iterator->status();
}

Task<Status> KvTransaction::get_many(std::span<const Bytes> keys, KeyValueBatch& found,
                                     std::vector<uint32_t>& positions) {
  if (bulk_ != nullptr) {
    co_return co_await Transaction::get_many(keys, found, positions);
  }
  if (too_old_) {
    co_return txn::snapshot_too_old();
  }
  const HlcTimestamp at = read_timestamp();
  std::vector<std::optional<Bytes>> values(keys.size());
  std::optional<NewestVersions> versions;
  const std::vector<uint32_t> order = order_of(keys);
  for (const uint32_t i : order) {
    if (const auto write = has_writes() ? writes_->find(keys[i], statement_) : std::nullopt) {
      values[i] = value_of(*write);
      continue;
    }
    if (notes_reads()) {
      reads_.add_key(keys[i]);
    }
    if (CachedRecord record; store_.read_cached(keys[i], record) && record.timestamp <= at) {
      values[i] = record.tombstone ? std::nullopt : std::optional<Bytes>(std::move(record.value));
      continue;
    }
    if (!versions.has_value()) {
      versions.emplace(store_, keys[order.front()], keys[order.back()]);
    }
    PANDO_CO_ASSIGN(values[i], versions->read(keys[i], at));
  }
  found.clear();
  positions.clear();
  for (uint32_t i = 0; i < keys.size(); ++i) {
    if (values[i]) {
      found.append(keys[i], *values[i]);
      positions.push_back(i);
    }
  }
  co_return Status();
}

Status KvTransaction::check_write(ByteView key, bool erases) {
  PANDO_ASSERT(!over_, "a write in a transaction that has ended");
  if (options_.read_only || options_.reads_past()) {
    return txn::read_only_violation();
  }
  const bool exhausted = bulk_ != nullptr && bulk_->is_exhausted();
  if (buffered_bytes() > store_.options().transaction_bytes_max || exhausted) {
    return txn::transaction_too_large(store_.options().transaction_bytes_max);
  }
  if (options_.isolation == txn::Isolation::kReadCommitted || is_known_absent(key)) {
    return {};
  }
  HlcTimestamp timestamp;
  bool tombstone = false;
  PANDO_ASSIGN(const bool found, store_.newest(key, timestamp, tombstone));
  if (!found || timestamp <= read_timestamp()) {
    return {};
  }
  if (!tombstone) {
    return txn::concurrent_update();
  }
  // An insert may follow a deletion that the snapshot does not see.
  return erases ? txn::concurrent_delete() : Status();
}

Status KvTransaction::put(Bytes key, Bytes value) {
  PANDO_TRY(check_write(key, false));
  if (bulk_ != nullptr) {
    bulk_->put(key, value);
  } else {
    writes_->put(key, value);
  }
  return {};
}

Status KvTransaction::erase(Bytes key) {
  PANDO_TRY(check_write(key, true));
  if (bulk_ != nullptr) {
    bulk_->erase(key);
  } else {
    writes_->erase(key);
  }
  return {};
}

bool KvTransaction::wants_room() const {
  return buffered_bytes() >= store_.options().spill_bytes && store_.run_files().available();
}

Task<Status> KvTransaction::make_room() {
  if (bulk_ == nullptr) {
    bulk_ =
        std::make_unique<BulkWrites>(writes_, BulkWrites::Options{.files = store_.run_files(),
                                                                  .executor = *options_.executor,
                                                                  .background = store_.background(),
                                                                  .buffer_bytes_max = store_.options().spill_bytes});
  }
  co_return co_await bulk_->spill();
}

txn::SavepointId KvTransaction::savepoint() {
  savepoints_.push_back({mark_writes(), locks_->mark()});
  return txn::SavepointId(static_cast<uint32_t>(savepoints_.size()));
}

void KvTransaction::rollback_to(txn::SavepointId savepoint) {
  undo_writes_to(savepoint);
  locks_->release_to(savepoints_.back().locks);
  known_absent_.clear();
}

void KvTransaction::undo_writes_to(txn::SavepointId savepoint) {
  PANDO_ASSERT(savepoint.number() >= 1, "a savepoint that was never made");
  PANDO_ASSERT(savepoint.number() <= savepoints_.size(), "a savepoint that is gone");
  savepoints_.resize(savepoint.number());
  if (bulk_ != nullptr) {
    bulk_->rollback_to(savepoints_.back().writes);
  } else {
    writes_->rollback_to(savepoints_.back().writes);
  }
  statement_ = std::min(statement_, savepoints_.back().writes);
}

void KvTransaction::release(txn::SavepointId savepoint) {
  PANDO_ASSERT(savepoint.number() >= 1, "a savepoint that was never made");
  PANDO_ASSERT(savepoint.number() <= savepoints_.size(), "a savepoint that is gone");
  savepoints_.resize(savepoint.number() - 1);
}

Task<Status> KvTransaction::commit() {
  PANDO_ASSERT(!over_, "a transaction ends once");
  Status status;
  if (has_writes() && bulk_ != nullptr) {
    status = co_await commit_bulk();
  } else if (has_writes()) {
    status = co_await store_.committer().commit({.transaction = id(),
                                                 .writes = writes_.get(),
                                                 .reads = notes_reads() ? &reads_ : nullptr,
                                                 .snapshot = read_timestamp(),
                                                 .executor = options_.executor});
  }
  if (status.ok()) {
    for (const auto& hook : hooks_) {
      hook();
    }
  }
  end();
  co_return status;
}

bool KvTransaction::reads_unchanged() {
  return !notes_reads() || !snapshot_.has_value() || store_.committer().unchanged_since(reads_, *snapshot_);
}

bool KvTransaction::try_commit() {
  PANDO_ASSERT(!over_, "a transaction ends once");
  if (bulk_ != nullptr || has_writes() || !hooks_.empty()) {
    return false;
  }
  end();
  return true;
}

Task<Status> KvTransaction::commit_bulk() {
  PANDO_CO_ASSIGN(const auto parts, co_await bulk_->finish());
  // It reads the runs.
  if (store_.background() != nullptr) {
    co_await runtime::yield_to(*store_.background());
  }
  const auto keys = bulk_->keys(kRecordedKeysMax);
  if (store_.background() != nullptr) {
    co_await runtime::yield_to(*options_.executor);
  }
  PANDO_CO_TRY(keys.status());
  bulk_->release();
  co_return co_await store_.committer().commit({.transaction = id(),
                                                .parts = &parts,
                                                .keys = keys->has_value() ? &**keys : nullptr,
                                                .expected_reads = expected_reads_,
                                                .reads = notes_reads() ? &reads_ : nullptr,
                                                .snapshot = read_timestamp(),
                                                .executor = options_.executor});
}

Task<void> KvTransaction::rollback() {
  if (!over_) {
    end();
  }
  co_return;
}

void KvTransaction::end() {
  over_ = true;
  locks_->release_all();
  release_snapshot();
}

void KvTransaction::release_snapshot() {
  if (!snapshot_.has_value()) {
    return;
  }
  if (notes_reads()) {
    store_.committer().leave_serializable(*snapshot_);
  }
  pin_.release();
  snapshot_.reset();
  too_old_ = false;
}

}  // namespace pando::kv
