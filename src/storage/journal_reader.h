#pragma once

// Reading entries back from segments in use, for followers that lag. Used by the journal only.

#include "storage/journal.h"
#include "storage/journal_index.h"

namespace pando::storage {

// Gathers consecutive entries of one shard until one of the bounds is reached.
class EntryCollector {
 public:
  EntryCollector(ShardId shard, uint64_t first, uint64_t last, std::size_t bytes_max);

  uint64_t next() const { return next_; }
  bool done() const { return full_ || next_ > last_; }
  // Takes `record` if it is the next entry wanted.
  void offer(const JournalRecord& record);
  Journal::Entries take() &&;

 private:
  const ShardId shard_;
  uint64_t next_;
  const uint64_t last_;
  const std::size_t bytes_max_;
  bool full_ = false;
  Journal::Entries entries_;
};

// Where to look for a run of entries.
struct RunPlace {
  GroupPlace group;
  // Entries from this index on lie elsewhere.
  uint64_t end = 0;
  // The segment's durable groups end here.
  uint64_t used_bytes = 0;
};

// Offers the entries of a run to `collector` until it has enough. Errors: XX001 and those of the disk.
Task<Status> read_run(Bytes directory, runtime::Disk* disk, RunPlace place, EntryCollector* collector);

}  // namespace pando::storage
