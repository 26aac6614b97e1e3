#pragma once

// SegmentStore: the journal's files: preparing them ahead of use, recycling those that are free.
//
// Thread-safe; files are touched on the thread that awaits (the writer's or the preparer's). A file becomes segment n
// by being renamed, so a recycled one needs no new space and no metadata change while it is written.

#include <deque>
#include <memory>

#include "base/mutex.h"
#include "runtime/disk.h"
#include "runtime/event.h"
#include "storage/journal.h"

namespace pando::storage {

// A segment that is ready to be written from its beginning.
struct OpenSegment {
  uint64_t number = 0;
  uint64_t file_bytes = 0;
  std::unique_ptr<runtime::File> file;
};

class SegmentStore {
 public:
  // `spares` are paths of files that may be reused.
  SegmentStore(const JournalOptions& options, runtime::Disk& disk, std::vector<Bytes> spares, uint64_t next_segment)
      : options_(options), disk_(disk), spares_(spares.begin(), spares.end()), next_segment_(next_segment) {}

  // The next segment, with room for at least `bytes`. Waits for one that is being prepared; resumes on `executor`.
  Task<Result<OpenSegment>> take(uint64_t bytes, runtime::Executor& executor) PANDO_EXCLUDES(mutex_);
  // Starts to prepare the next segment on the preparer, unless one is ready, under way, or there is no preparer.
  void prepare_ahead() PANDO_EXCLUDES(mutex_);
  // Makes a spare of segment `number`, or removes it when there are enough or it is larger than usual.
  Task<Status> recycle(uint64_t number, uint64_t file_bytes) PANDO_EXCLUDES(mutex_);
  // The same for a file whose writing failed; its path stays.
  void abandon(uint64_t number) PANDO_EXCLUDES(mutex_);
  // Waits until nothing is being prepared; resumes on `executor`.
  Task<void> wait_until_idle(runtime::Executor& executor) PANDO_EXCLUDES(mutex_);

  std::size_t spare_count() const PANDO_EXCLUDES(mutex_);

 private:
  Task<void> prepare_in_background() PANDO_EXCLUDES(mutex_);
  Task<Result<OpenSegment>> prepare(uint64_t bytes) PANDO_EXCLUDES(mutex_);
  Task<Result<OpenSegment>> prepare_from_spare(Bytes spare, uint64_t number, uint64_t bytes);
  uint64_t bytes_ahead(uint64_t bytes) const;
  Task<Result<OpenSegment>> prepare_new(uint64_t number, uint64_t bytes);

  const JournalOptions& options_;
  runtime::Disk& disk_;
  mutable Mutex mutex_;
  std::deque<Bytes> spares_ PANDO_GUARDED_BY(mutex_);
  uint64_t next_segment_ PANDO_GUARDED_BY(mutex_);
  OpenSegment prepared_ PANDO_GUARDED_BY(mutex_);
  bool preparing_ PANDO_GUARDED_BY(mutex_) = false;
  // Set when the preparation under way ends.
  runtime::Event* waiter_ PANDO_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace pando::storage
