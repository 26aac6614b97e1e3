#pragma once

// Applier: turns log entries into engine writes. One engine batch for many entries, with each shard's applied index and
// the node's high-water marks in the same atomic step; then the record cache learns of it.
//
//   Applier applier(engine, &cache, marks);
//   applier.add(shard, index, record);
//   PANDO_TRY(applier.write());              // on error nothing is applied, and write() may be called again
//
// A bulk record does not pass through a batch: the engine takes its runs in, and then a batch says that it did.
//
//   PANDO_TRY(applier.ingest(shard, index, record, {}));   // on error to be called again
//
// Used by live commits and by recovery. One thread at a time.

#include <span>
#include <utility>
#include <vector>

#include "kv/cache_upkeep.h"
#include "kv/commit_record.h"
#include "kv/record_cache.h"
#include "kv/shard.h"
#include "storage/engine.h"
#include "txn/transaction.h"

namespace pando::kv {

// What a node must not forget although no row holds it.
struct HighWaterMarks {
  // Of all commits.
  HlcTimestamp timestamp;
  TransactionId transaction;
};

// Errors: XX001.
Result<HighWaterMarks> load_high_water_marks(const storage::Reader& reader);

class Applier {
 public:
  // `cache` may be null.
  Applier(storage::Engine& engine, RecordCache* cache, HighWaterMarks marks);

  // REQUIRES: not a bulk record; write() has not failed since the last.
  void add(ShardId shard, uint64_t index, CommitRecord record);
  // Applies a bulk record, of which the engine has what lies in the shard once it returns. Blocks.
  // What was added before is written first. What lies in `expected_reads` comes into the cache on the way, if it can.
  // Errors: those of the engine and its runs.
  Status ingest(const ShardDescriptor& shard, uint64_t index, const CommitRecord& record,
                std::span<const txn::Span> expected_reads);
  Status write();
  // The ranges of keys that were ingested since the last call, and are not in the cache.
  std::vector<KeyRange> take_ingested() { return std::exchange(ingested_, {}); }

  bool empty() const { return batch_.empty(); }
  // How much write() would write.
  std::size_t bytes() const { return batch_.bytes().size(); }
  // Over everything added.
  const HighWaterMarks& marks() const { return marks_; }

 private:
  // The changes of one entry: bytes of the batch up to `end`.
  struct Section {
    std::size_t end;
    bool enters_cache;
  };

  void note_applied(ShardId shard, uint64_t index);
  void note_marks();
  void note_record(const CommitRecord& record);
  void update_cache();

  storage::Engine& engine_;
  RecordCache* const cache_;
  HighWaterMarks marks_;
  // What the engine holds: ahead of marks_, so that few writes need to say so again.
  HighWaterMarks stored_marks_;
  storage::WriteBatch batch_;
  std::vector<Section> sections_;
  std::vector<storage::AppliedIndex> applied_;
  bool finished_ = false;
  std::vector<KeyRange> ingested_;
};

}  // namespace pando::kv
