#include "storage/rocksdb/rocksdb_reads.h"

#include <algorithm>
#include <optional>

#include "storage/mvcc.h"
#include "storage/rocksdb/rocksdb_error.h"
#include "storage/rocksdb/stored_key.h"
#include "storage/rocksdb/table_scan.h"
#include "storage/rocksdb/version_memtable.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace pando::storage {
namespace {

// Steps over versions beyond which a seek is cheaper.
constexpr int kStepsMax = 8;

// A RocksDB iterator and the bounds that it borrows.
class BoundedIterator {
 public:
  BoundedIterator(rocksdb::DB& db, rocksdb::ReadOptions options, char space, const KeySpan& span)
      : start_(stored_bound(space, span.start)),
        end_(stored_end(space, span.end)),
        lower_(slice(start_)),
        upper_(slice(end_)) {
    options.iterate_lower_bound = &lower_;
    options.iterate_upper_bound = &upper_;
    options.total_order_seek = true;
    iterator_.reset(db.NewIterator(options));
  }
  BoundedIterator(const BoundedIterator&) = delete;
  BoundedIterator& operator=(const BoundedIterator&) = delete;

  rocksdb::Iterator* operator->() const { return iterator_.get(); }
  ByteView key() const { return view(iterator_->key()); }

  // To be followed by a seek: RocksDB looks at its bounds anew then.
  void set_bounds(char space, const KeySpan& span) {
    start_ = stored_bound(space, span.start);
    end_ = stored_end(space, span.end);
    lower_ = slice(start_);
    upper_ = slice(end_);
  }

 private:
  Bytes start_;
  Bytes end_;
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class PlainIterator final : public Iterator {
 public:
  PlainIterator(rocksdb::DB& db, const rocksdb::ReadOptions& options, const KeySpan& span)
      : iterator_(db, options, kPlainSpace, span) {
    iterator_->SeekToFirst();
  }
  void seek(ByteView key) override { iterator_->Seek(stored_plain_key(key)); }
  void seek_before(ByteView key) override {
    if (key.empty()) {
      iterator_->SeekToLast();
      return;
    }
    iterator_->SeekForPrev(stored_plain_key(key));
    if (iterator_->Valid() && this->key() == key) {
      iterator_->Prev();
    }
  }
  void next() override { iterator_->Next(); }
  void previous() override { iterator_->Prev(); }
  bool valid() const override { return iterator_->Valid(); }
  ByteView key() const override {
    const ByteView stored = iterator_.key();
    return stored.substr(1, stored.size() - 1 - kVersionSuffixBytes);
  }
  ByteView value() const override { return view(iterator_->value()); }
  Status status() const override { return status_of(iterator_->status()); }

 private:
  BoundedIterator iterator_;
};

// The parts of a stored version, borrowed from the iterator.
struct StoredVersion {
  ByteView key;
  HlcTimestamp timestamp;
  bool tombstone = false;
  ByteView value;
};

bool load_version(const BoundedIterator& iterator, StoredVersion& version) {
  const ByteView stored = view(iterator->value());
  if (!split_version_key(iterator.key(), version.key, version.timestamp) || stored.empty()) {
    return false;
  }
  version.tombstone = stored.front() == kTombstoneTag;
  version.value = stored.substr(1);
  return true;
}

Status malformed_version() {
  return Status(sql_state::kDataCorrupted, "the storage engine holds a version that cannot be decoded");
}

class RocksDbVersionIterator final : public VersionIterator {
 public:
  RocksDbVersionIterator(rocksdb::DB& db, const rocksdb::ReadOptions& options, const KeySpan& span)
      : iterator_(db, options, kVersionSpace, span) {
    iterator_->SeekToFirst();
    load();
  }
  void seek(ByteView key, HlcTimestamp at) override {
    iterator_->Seek(stored_key(kVersionSpace, key, at));
    load();
  }
  void seek_before(ByteView key) override {
    if (key.empty()) {
      iterator_->SeekToLast();
    } else {
      // No version can be as new as the suffix says, so what is found belongs to a key before.
      iterator_->SeekForPrev(stored_bound(kVersionSpace, key));
      if (iterator_->Valid() && iterator_.key() == stored_bound(kVersionSpace, key)) {
        iterator_->Prev();
      }
    }
    load();
    if (valid()) {
      seek(Bytes(version_.key), HlcTimestamp::max());
    }
  }
  void next() override {
    iterator_->Next();
    load();
  }
  bool valid() const override { return status_.ok() && iterator_->Valid(); }
  ByteView key() const override { return version_.key; }
  HlcTimestamp timestamp() const override { return version_.timestamp; }
  bool tombstone() const override { return version_.tombstone; }
  ByteView value() const override { return version_.value; }
  Status status() const override { return status_.ok() ? status_of(iterator_->status()) : status_; }

 private:
  void load() {
    if (iterator_->Valid() && !load_version(iterator_, version_)) {
      status_ = malformed_version();
    }
  }

  BoundedIterator iterator_;
  StoredVersion version_;
  Status status_;
};

class ForwardScan final : public VersionScan {
 public:
  ForwardScan(rocksdb::DB& db, const rocksdb::ReadOptions& options, const VersionScanOptions& scan)
      : iterator_(db, options, kVersionSpace, scan.span), at_(scan.at), timestamps_(scan.timestamps) {
    // A snapshot may lack what is newest at its moment by now.
    if (options.snapshot == nullptr) {
      iterator_->Seek(moment_key(at_));
    }
    iterator_->SeekToFirst();
  }

  Status next(KeyValueBatch& batch, std::size_t entries_max) override {
    ScannedRows rows(batch, timestamps_);
    for (; rows.size() < entries_max && iterator_->Valid(); step()) {
      if (!load_version(iterator_, version_)) {
        return malformed_version();
      }
      if (finished_key_ && version_.key == key_) {
        continue;
      }
      if (version_.timestamp > at_) {
        met_newer_ = true;
        note_key(false);
        continue;
      }
      note_key(true);
      if (!version_.tombstone) {
        rows.append(version_.key, version_.timestamp, version_.value);
      }
    }
    return status_of(iterator_->status());
  }
  bool met_newer() const override { return met_newer_; }
  bool move_to(const KeySpan& span) override {
    iterator_.set_bounds(kVersionSpace, span);
    iterator_->SeekToFirst();
    finished_key_ = false;
    steps_ = 0;
    return true;
  }

 private:
  // Remembers the key at hand, and whether its visible version has been seen.
  void note_key(bool finished) {
    if (key_ != version_.key) {
      key_.assign(version_.key);
      steps_ = 0;
    }
    finished_key_ = finished;
  }

  // To the next version, or past the rest of the key's when there are many.
  void step() {
    if (++steps_ <= kStepsMax) {
      iterator_->Next();
      return;
    }
    steps_ = 0;
    iterator_->Seek(stored_key(kVersionSpace, key_, finished_key_ ? HlcTimestamp{} : at_));
  }

  BoundedIterator iterator_;
  const HlcTimestamp at_;
  std::vector<HlcTimestamp>* const timestamps_;
  StoredVersion version_;
  Bytes key_;
  bool finished_key_ = false;
  bool met_newer_ = false;
  int steps_ = 0;
};

// A scan that may turn out long: begins with RocksDB's iterator, which starts fast, and goes on by reading the files,
// which is several times as fast a row.
class LongScan final : public VersionScan {
 public:
  LongScan(const RocksDbReads::Source& source, const rocksdb::Snapshot* snapshot, VersionScanOptions options,
           std::unique_ptr<VersionScan> rows)
      : source_(source), snapshot_(snapshot), options_(std::move(options)), rows_(std::move(rows)) {}

  Status next(KeyValueBatch& batch, std::size_t entries_max) override {
    if (!decided_ && row_count_ >= kShortScanRows) {
      PANDO_TRY(decide());
    }
    PANDO_TRY(rows_->next(batch, entries_max));
    row_count_ += batch.size();
    if (!decided_ && batch.size() > 0) {
      last_key_.assign(batch.key(batch.size() - 1));
    }
    return Status();
  }
  bool met_newer() const override { return met_newer_ || rows_->met_newer(); }
  bool move_to(const KeySpan& span) override {
    options_.span = span;
    row_count_ = 0;
    return !decided_ && rows_->move_to(span);
  }

 private:
  // Opening the files costs about as much as this many rows.
  static constexpr std::size_t kShortScanRows = 2048;

  Status decide() {
    decided_ = true;
    VersionScanOptions rest = options_;
    rest.span.start = last_key_ + '\0';
    if (source_.erasures->pending(stored_bound(kVersionSpace, rest.span.start),
                                  stored_end(kVersionSpace, rest.span.end))) {
      return Status();
    }
    auto fast = open_table_scan({source_.db, snapshot_, source_.cache}, std::move(rest));
    if (fast.ok()) {
      met_newer_ = rows_->met_newer();
      rows_ = std::move(*fast);
    }
    return fast.status().is(sql_state::kFeatureNotSupported) ? Status() : fast.status();
  }

  const RocksDbReads::Source source_;
  const rocksdb::Snapshot* const snapshot_;
  VersionScanOptions options_;
  std::unique_ptr<VersionScan> rows_;
  bool decided_ = false;
  // Before rows_ was exchanged.
  bool met_newer_ = false;
  std::size_t row_count_ = 0;
  Bytes last_key_;
};

// Meets the oldest version of a key first; the last one at or below the moment is the visible one.
class ReverseScan final : public VersionScan {
 public:
  ReverseScan(rocksdb::DB& db, const rocksdb::ReadOptions& options, const VersionScanOptions& scan)
      : iterator_(db, options, kVersionSpace, scan.span), at_(scan.at), timestamps_(scan.timestamps) {
    iterator_->SeekToLast();
  }

  Status next(KeyValueBatch& batch, std::size_t entries_max) override {
    ScannedRows rows(batch, timestamps_);
    while (rows.size() < entries_max && iterator_->Valid()) {
      PANDO_TRY(take_key(rows));
    }
    return status_of(iterator_->status());
  }
  bool met_newer() const override { return met_newer_; }
  bool move_to(const KeySpan& span) override {
    iterator_.set_bounds(kVersionSpace, span);
    iterator_->SeekToLast();
    return true;
  }

 private:
  Status take_key(ScannedRows& rows) {
    StoredVersion version;
    if (!load_version(iterator_, version)) {
      return malformed_version();
    }
    key_.assign(version.key);
    bool visible = false;
    for (int steps = 0; version.key == key_; ++steps) {
      if (version.timestamp <= at_) {
        take_version(version, visible);
      } else {
        met_newer_ = true;
      }
      if (steps < kStepsMax) {
        iterator_->Prev();
      } else {
        // It does not look at what it skips.
        met_newer_ = true;
        skip_to_visible(visible);
      }
      if (!iterator_->Valid()) {
        break;
      }
      if (!load_version(iterator_, version)) {
        return malformed_version();
      }
    }
    if (visible) {
      rows.append(key_, timestamp_, value_);
    }
    return Status();
  }

  void take_version(const StoredVersion& version, bool& visible) {
    visible = !version.tombstone;
    timestamp_ = version.timestamp;
    value_.assign(visible ? version.value : ByteView());
  }

  // Seeks the visible version of key_ and then leaves the key.
  void skip_to_visible(bool& visible) {
    StoredVersion version;
    iterator_->Seek(stored_key(kVersionSpace, key_, at_));
    if (iterator_->Valid() && load_version(iterator_, version) && version.key == key_) {
      take_version(version, visible);
    }
    iterator_->SeekForPrev(stored_bound(kVersionSpace, key_));
    if (iterator_->Valid() && load_version(iterator_, version) && version.key == key_) {
      iterator_->Prev();
    }
  }

  BoundedIterator iterator_;
  const HlcTimestamp at_;
  std::vector<HlcTimestamp>* const timestamps_;
  bool met_newer_ = false;
  Bytes key_;
  HlcTimestamp timestamp_;
  Bytes value_;
};

}  // namespace

uint64_t Erasures::begin(std::vector<KeySpan> spans) {
  MutexLock lock(mutex_);
  const uint64_t erasure = ++erasures_;
  for (KeySpan& span : spans) {
    pending_.push_back({.erasure = erasure, .span = std::move(span)});
  }
  if (pending_.size() > kSpansMax) {
    merge();
  }
  return erasure;
}

// Those that are written; the others are few.
void Erasures::merge() {
  std::optional<Pending> all;
  std::erase_if(pending_, [&all](Pending& each) {
    if (each.sequence == UINT64_MAX) {
      return false;
    }
    if (!all.has_value()) {
      all = std::move(each);
      return true;
    }
    all->sequence = std::max(all->sequence, each.sequence);
    if (compare_versioned_keys(each.span.start, all->span.start) < 0) {
      all->span.start = std::move(each.span.start);
    }
    if (compare_versioned_keys(each.span.end, all->span.end) > 0) {
      all->span.end = std::move(each.span.end);
    }
    return true;
  });
  if (all.has_value()) {
    pending_.push_back(*std::move(all));
  }
}

void Erasures::note_written(uint64_t erasure, uint64_t sequence) {
  MutexLock lock(mutex_);
  for (Pending& each : pending_) {
    if (each.erasure == erasure) {
      each.sequence = sequence;
    }
  }
}

void Erasures::note_flushed(uint64_t sequence) {
  MutexLock lock(mutex_);
  std::erase_if(pending_, [sequence](const Pending& each) { return each.sequence <= sequence; });
}

bool Erasures::any_pending() const {
  MutexLock lock(mutex_);
  return !pending_.empty();
}

bool Erasures::pending(ByteView start, ByteView end) const {
  MutexLock lock(mutex_);
  return std::ranges::any_of(pending_, [&](const Pending& each) {
    return compare_versioned_keys(each.span.start, end) < 0 && compare_versioned_keys(each.span.end, start) > 0;
  });
}

rocksdb::ReadOptions RocksDbReads::read_options() const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  return options;
}

Result<bool> RocksDbReads::get(ByteView key, Bytes& value) const {
  rocksdb::PinnableSlice found;
  const rocksdb::Status status =
      source_.db->Get(read_options(), source_.db->DefaultColumnFamily(), stored_plain_key(key), &found);
  if (status.IsNotFound()) {
    return false;
  }
  PANDO_TRY(status_of(status));
  value.assign(found.data(), found.size());
  return true;
}

std::unique_ptr<Iterator> RocksDbReads::iterate(KeySpan span) const {
  return std::make_unique<PlainIterator>(*source_.db, read_options(), std::move(span));
}

Result<bool> RocksDbReads::get_version(ByteView key, HlcTimestamp at, Version& version) const {
  rocksdb::ReadOptions options = read_options();
  // Lets the bloom filters, which hold keys without timestamps, rule files out.
  options.prefix_same_as_start = true;
  const std::unique_ptr<rocksdb::Iterator> iterator(source_.db->NewIterator(options));
  iterator->Seek(stored_key(kVersionSpace, key, at));
  if (!iterator->Valid()) {
    PANDO_TRY(status_of(iterator->status()));
    return false;
  }
  ByteView found_key;
  const ByteView stored = view(iterator->value());
  if (iterator->key()[0] != kVersionSpace) {
    return false;
  }
  if (!split_version_key(view(iterator->key()), found_key, version.timestamp) || stored.empty()) {
    return malformed_version();
  }
  if (found_key != key) {
    return false;
  }
  version.tombstone = stored.front() == kTombstoneTag;
  version.value.assign(stored.substr(1));
  return true;
}

std::unique_ptr<VersionIterator> RocksDbReads::iterate_versions(KeySpan span) const {
  return std::make_unique<RocksDbVersionIterator>(*source_.db, read_options(), span);
}

std::unique_ptr<VersionScan> RocksDbReads::scan_versions(VersionScanOptions scan) const {
  const rocksdb::ReadOptions options = read_options();
  if (scan.reverse) {
    return std::make_unique<ReverseScan>(*source_.db, options, scan);
  }
  auto rows = std::make_unique<ForwardScan>(*source_.db, options, scan);
  if (scan.limit_hint != 0) {
    return rows;
  }
  return std::make_unique<LongScan>(source_, snapshot_, std::move(scan), std::move(rows));
}

}  // namespace pando::storage
