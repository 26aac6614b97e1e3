#pragma once

// JournalIndex: what the journal knows of its contents without reading them: each shard's state, and where its entries
// lie. Fed with every durable record in order, by the writer and by recovery alike. One thread at a time.

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "storage/journal.h"
#include "storage/journal_format.h"

namespace pando::storage {

// Where a group begins.
struct GroupPlace {
  uint64_t segment = 0;
  uint64_t offset = 0;
};

class JournalIndex {
 public:
  // Entries from `first` on, up to the next run's first, lie in this group and those behind it in the same segment.
  struct Run {
    uint64_t first = 0;
    GroupPlace place;
  };

  // The ends of logs as they will be once records that are not yet applied are.
  struct Ends {
    LogPosition start;
    LogPosition last;
  };
  using Preview = std::map<ShardId, Ends>;
  // Whether `record` may follow what is known and `preview`, which it is added to: entries leave no gap.
  // Errors: XX000 otherwise.
  Status check(const JournalRecord& record, Preview& preview) const;
  // REQUIRES: check() passed.
  void apply(const JournalRecord& record, GroupPlace place);

  // The records that the next segment begins with.
  void append_checkpoint(Bytes& out) const;

  // Entries of `shard` up to `index` may go.
  void release(ShardId shard, uint64_t index);
  // Whether nothing in `segment` is needed any more.
  bool is_free(uint64_t segment) const;
  // Forgets the entries of a free segment, the oldest one.
  void forget(uint64_t segment);

  LogPosition last(ShardId shard) const;
  // The log begins after this.
  LogPosition start(ShardId shard) const;
  HardState hard_state(ShardId shard) const;
  std::vector<LivenessPromise> promises() const;
  // The run that holds `index` and the index that the next run begins with (or last + 1). False: not in the journal.
  bool find(ShardId shard, uint64_t index, Run& run, uint64_t& end) const;

 private:
  struct ShardLog {
    HardState hard_state;
    LogPosition start;
    LogPosition last;
    uint64_t released = 0;
    std::vector<Run> runs;
  };

  void apply_entry(ShardLog& log, const JournalRecord& record, GroupPlace place);
  void apply_checkpoint(ShardLog& log, const JournalRecord& record);

  // Ordered, so that checkpoints are the same bytes for the same state.
  std::map<ShardId, ShardLog> shards_;
  std::map<NodeId, LivenessPromise> promises_;
  // For each segment, the highest index of each shard in it.
  std::map<uint64_t, std::unordered_map<ShardId, uint64_t>> segments_;
};

}  // namespace pando::storage
