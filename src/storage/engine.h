#pragma once

// Engine: the ordered store that holds a node's state. It has two key spaces:
//   plain keys      one value each, in byte order: applied indexes, descriptors, transaction records, intents
//   versioned keys  rows: many versions each, by timestamp (storage/mvcc.h)
//
//   PANDO_ASSIGN(auto engine, open_rocksdb_engine(options));         // or open_memory_engine
//   WriteBatch batch;
//   batch.put_version(key, timestamp, value);
//   batch.set_applied(shard, index);
//   PANDO_TRY(engine->write(batch));                                 // atomic, visible, not yet durable
//   Version version;
//   PANDO_ASSIGN(bool found, engine->get_version(key, read_timestamp, version));
//
// An engine has no log of its own: after a crash it is in the state of some moment that was flushed, with the applied
// index of each shard at that moment, and the caller replays its journal from there. EngineOptions::on_flushed tells
// which indexes are safe, so that the journal may forget what is below.
//
// Every read takes a consistent view: a Reader call sees whole batches only, and an iterator or scan sees the state at
// the moment it was made. A scan relies on nobody writing versions at or below its timestamp while it runs; one from a
// Snapshot does not.
//
// Thread-safety: engines and snapshots are thread-safe; iterators and scans belong to one thread at a time.
// Lifetime: destroy iterators, scans and snapshots before their engine.
// Errors: 53100 the disk is full, 58030 any other I/O error, XX001 damaged bytes. While a write error lasts reads go
// on; the engine takes writes again by itself once the cause is gone.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/key_value_batch.h"
#include "base/status.h"
#include "storage/sorted_run.h"
#include "storage/write_batch.h"

namespace pando::storage {

// One version of a key.
struct Version {
  HlcTimestamp timestamp;
  bool tombstone = false;
  // Reused between calls, so that a loop of reads allocates nothing.
  Bytes value;
};

// Keys in [start, end). An empty end means no upper bound.
struct KeySpan {
  Bytes start;
  Bytes end;
};

// Walks plain keys inside the span it was made for.
class Iterator {
 public:
  virtual ~Iterator() = default;
  // Moves to the first key >= `key`.
  virtual void seek(ByteView key) = 0;
  // Moves to the last key < `key`; an empty key means the end of the span.
  virtual void seek_before(ByteView key) = 0;
  // REQUIRES: valid().
  virtual void next() = 0;
  virtual void previous() = 0;
  // False at either end and after an error: then status() tells which.
  virtual bool valid() const = 0;
  // Valid until the iterator moves. REQUIRES: valid().
  virtual ByteView key() const = 0;
  virtual ByteView value() const = 0;
  virtual Status status() const = 0;
};

// Walks every version: keys ascending, and of one key the newest version first.
class VersionIterator {
 public:
  virtual ~VersionIterator() = default;
  // Moves to the newest version at or below `at` of `key`, or else to what follows.
  virtual void seek(ByteView key, HlcTimestamp at) = 0;
  // Moves to the newest version of the last key < `key`; an empty key means the end of the span.
  virtual void seek_before(ByteView key) = 0;
  // REQUIRES: valid(), for all below.
  virtual void next() = 0;
  virtual bool valid() const = 0;
  virtual ByteView key() const = 0;
  virtual HlcTimestamp timestamp() const = 0;
  virtual bool tombstone() const = 0;
  virtual ByteView value() const = 0;
  virtual Status status() const = 0;
};

struct VersionScanOptions {
  KeySpan span;
  // Rows are seen as of this moment.
  HlcTimestamp at;
  bool reverse = false;
  // The scan will not be asked for more rows than this; 0 means all. A hint for read-ahead.
  std::size_t limit_hint = 0;
  // Where next() leaves the timestamps of its rows, if anywhere. Outlives the scan.
  std::vector<HlcTimestamp>* timestamps = nullptr;
};

// Takes what a scan finds.
class ScannedRows {
 public:
  ScannedRows(KeyValueBatch& batch, std::vector<HlcTimestamp>* timestamps) : batch_(batch), timestamps_(timestamps) {
    batch_.clear();
    if (timestamps_ != nullptr) {
      timestamps_->clear();
    }
  }
  std::size_t size() const { return batch_.size(); }
  void append(ByteView key, HlcTimestamp timestamp, ByteView value) {
    batch_.append(key, value);
    if (timestamps_ != nullptr) {
      timestamps_->push_back(timestamp);
    }
  }

 private:
  KeyValueBatch& batch_;
  std::vector<HlcTimestamp>* const timestamps_;
};

// Walks the rows (not tombstones) of a span at one moment.
class VersionScan {
 public:
  virtual ~VersionScan() = default;
  // Clears `batch` and fills it with up to `entries_max` next rows. None means the end.
  virtual Status next(KeyValueBatch& batch, std::size_t entries_max) = 0;
  // Whether it may have passed a version that is newer than its moment: false only when there was none in what it has
  // walked so far.
  virtual bool met_newer() const = 0;
  // Goes on with the rows of another span, and sees the state that it saw before. False: it cannot, and is of no use
  // any more.
  virtual bool move_to(const KeySpan& span) { return false; }
};

// What can be read from an engine, now or as of a snapshot.
class Reader {
 public:
  virtual ~Reader() = default;
  // Whether plain key `key` exists; fills `value` if so.
  virtual Result<bool> get(ByteView key, Bytes& value) const = 0;
  virtual std::unique_ptr<Iterator> iterate(KeySpan span) const = 0;
  // Whether `key` has a version at or below `at`; fills `version` with the newest such, which may be a tombstone.
  virtual Result<bool> get_version(ByteView key, HlcTimestamp at, Version& version) const = 0;
  virtual std::unique_ptr<VersionIterator> iterate_versions(KeySpan span) const = 0;
  virtual std::unique_ptr<VersionScan> scan_versions(VersionScanOptions options) const = 0;
};

// The engine's state at the moment it was taken, whatever is written later.
class Snapshot : public Reader {};

// Builds the contents of some spans beside the running engine, and then puts them in place in one step. Used for the
// snapshots of shards. Destroying it before finish() leaves no trace. One thread at a time.
class SpanImport {
 public:
  virtual ~SpanImport() = default;
  // Plain keys, in rising order, before any version.
  virtual Status put(ByteView key, ByteView value) = 0;
  // Versions in the order of VersionIterator.
  virtual Status put_version(ByteView key, HlcTimestamp timestamp, bool tombstone, ByteView value) = 0;
  // Erases the spans and adds what was put, atomically. When it returns OK all of that, and all that was written
  // before, is durable. On an error nothing has happened. Blocks. At most once. REQUIRES: nobody writes into the spans.
  virtual Status finish(const std::vector<KeySpan>& plain, const std::vector<KeySpan>& versions) = 0;
};

struct AppliedIndex {
  ShardId shard;
  uint64_t index = 0;
  friend bool operator==(const AppliedIndex&, const AppliedIndex&) = default;
};

struct EngineStatistics {
  // Bytes that a crash would lose (to be replayed from the journal).
  uint64_t unflushed_bytes = 0;
  // Bytes of files, or of memory for the memory engine.
  uint64_t stored_bytes = 0;
  uint64_t flush_count = 0;
  uint64_t compaction_pending_bytes = 0;
  uint64_t block_cache_bytes = 0;
  // OK, or why nothing can be made durable at the moment: writes are still taken until memory runs out, but whoever
  // can refuse work should.
  Status write_error;
};

// How far a long call has come.
using ProgressCallback = std::function<void(uint64_t done, uint64_t total)>;

class Engine : public Reader {
 public:
  // Makes all changes of `batch` at once. Not durable before the next flush.
  virtual Status write(const WriteBatch& batch) = 0;
  // Where transactions leave what does not fit in memory; null when this engine has no such place.
  virtual RunStore* runs() { return nullptr; }
  // Adds a version at `at` for all that `sources` hold, in bounded memory. Durable when it returns, but not atomic: a
  // crash or an error may leave a part, and the same call made again completes it. Nobody reads at `at` yet. Blocks.
  // The keys of each source come before those of the next; they may be read at the same time, by a thread each.
  // REQUIRES: runs() is not null.
  virtual Status ingest(std::span<IngestSource* const> sources, HlcTimestamp at) {
    PANDO_UNREACHABLE("an engine without runs");
  }
  // How many sources ingest() reads at the same time.
  virtual std::size_t ingest_threads() const { return 1; }
  // Reads everything that is in files and checks it against its checksums. Blocks. Errors: XX001 naming the file.
  virtual Status verify_checksums(const ProgressCallback& progress) const { return Status(); }
  virtual std::unique_ptr<Snapshot> snapshot() const = 0;
  // The index up to which `shard` has applied its log; 0 before the first.
  virtual Result<uint64_t> applied(ShardId shard) const = 0;
  // Makes everything written so far durable, and returns when it is. Blocks.
  virtual Status flush() = 0;
  // Destroy it before the engine.
  virtual Result<std::unique_ptr<SpanImport>> start_import() = 0;
  // From now on nobody reads below `threshold`: versions that no read at or above it can see may be dropped at any
  // time. Never lowers it.
  virtual void set_garbage_threshold(HlcTimestamp threshold) = 0;
  // Drops the garbage in `span` now, instead of when the engine finds time. Blocks.
  virtual Status collect_garbage(KeySpan span) = 0;
  // Approximate bytes that `span` of the versioned keys takes.
  virtual Result<uint64_t> approximate_bytes(KeySpan span) const = 0;
  // Rising keys inside `span` that cut it into up to `pieces` parts of about the same size, for scans in parallel;
  // none when it is small or the engine does not know.
  virtual Result<std::vector<Bytes>> split_keys(KeySpan span, std::size_t pieces) const = 0;
  virtual EngineStatistics statistics() const = 0;
};

// Called after a flush, on a thread of the engine's, with the applied index of every shard whose index is now durable.
// It must not block nor call the engine's flush().
using FlushedCallback = std::function<void(const std::vector<AppliedIndex>&)>;

}  // namespace pando::storage
