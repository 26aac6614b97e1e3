#pragma once

// Recovery: reads a journal's directory after a restart, decides what is durable, and hands it to the visitor.
// Used by Journal::open only. The rules are in docs/formats/journal.md.

#include <vector>

#include "storage/journal.h"
#include "storage/journal_index.h"

namespace pando::storage {

// Names of files in the journal's directory.
Bytes segment_path(const Bytes& directory, uint64_t segment);
Bytes spare_path(const Bytes& directory, uint64_t number);

struct RecoveredSegment {
  uint64_t segment = 0;
  uint64_t file_bytes = 0;
  // Up to the end of its last group.
  uint64_t used_bytes = 0;
};

struct RecoveredJournal {
  JournalIndex index;
  // Those with groups, the oldest first.
  std::vector<RecoveredSegment> segments;
  // Paths of files free to recycle: spares, and segments that were prepared but never used.
  std::vector<Bytes> spares;
  // Of the next group.
  uint64_t next_sequence = 1;
  uint64_t next_segment = 1;
  uint64_t torn_bytes = 0;
  // The last group says that the journal was closed in order.
  bool closed = false;
};

// Errors: XX001 for damage, those of the disk, and those of the visitor. `visitor` may be null.
Task<Result<RecoveredJournal>> recover_journal(Bytes directory, runtime::Disk* disk, JournalVisitor* visitor);

}  // namespace pando::storage
