#include "storage/journal_segments.h"

#include "storage/journal_recovery.h"

namespace pando::storage {

Task<Result<OpenSegment>> SegmentStore::take(uint64_t bytes, runtime::Executor& executor) {
  co_await wait_until_idle(executor);
  OpenSegment prepared;
  {
    MutexLock lock(mutex_);
    prepared = std::move(prepared_);
    prepared_ = {};
  }
  if (prepared.file && prepared.file_bytes >= bytes) {
    co_return std::move(prepared);
  }
  if (prepared.file) {
    abandon(prepared.number);
  }
  co_return co_await prepare(bytes);
}

void SegmentStore::prepare_ahead() {
  if (options_.preparer == nullptr) {
    return;
  }
  {
    MutexLock lock(mutex_);
    if (preparing_ || prepared_.file) {
      return;
    }
    preparing_ = true;
  }
  runtime::spawn(*options_.preparer, prepare_in_background());
}

Task<void> SegmentStore::prepare_in_background() {
  auto segment = co_await prepare(options_.segment_bytes);
  MutexLock lock(mutex_);
  if (segment.ok()) {
    prepared_ = std::move(*segment);
  } else {
    segment.status().ignore("the writer tries again when it needs the segment, and reports the error");
  }
  preparing_ = false;
  if (waiter_ != nullptr) {
    std::exchange(waiter_, nullptr)->set();
  }
}

Task<void> SegmentStore::wait_until_idle(runtime::Executor& executor) {
  runtime::Event idle(executor);
  bool wait = false;
  {
    MutexLock lock(mutex_);
    wait = preparing_;
    if (wait) {
      PANDO_ASSERT(waiter_ == nullptr, "only the writer waits");
      waiter_ = &idle;
    }
  }
  if (wait) {
    co_await idle.wait();
  }
}

Task<Result<OpenSegment>> SegmentStore::prepare(uint64_t bytes) {
  Bytes spare;
  uint64_t number = 0;
  {
    MutexLock lock(mutex_);
    number = next_segment_++;
    if (!spares_.empty()) {
      spare = std::move(spares_.front());
      spares_.pop_front();
    }
  }
  if (spare.empty()) {
    co_return co_await prepare_new(number, bytes);
  }
  co_return co_await prepare_from_spare(std::move(spare), number, bytes);
}

Task<Result<OpenSegment>> SegmentStore::prepare_from_spare(Bytes spare, uint64_t number, uint64_t bytes) {
  const Bytes path = segment_path(options_.directory, number);
  if (Status status = co_await disk_.rename(spare, path); !status.ok()) {
    MutexLock lock(mutex_);
    spares_.push_back(std::move(spare));
    co_return status;
  }
  Status status;
  auto file = co_await disk_.open(path, runtime::OpenMode::kExisting);
  status = file.status();
  if (status.ok()) {
    status = co_await (*file)->allocate(bytes_ahead(bytes));
  }
  if (status.ok()) {
    status = co_await disk_.sync_directory(options_.directory);
  }
  if (!status.ok()) {
    abandon(number);
    co_return status;
  }
  PANDO_CO_ASSIGN(const uint64_t size, co_await (*file)->size());
  co_return OpenSegment{number, std::max(size, bytes), std::move(*file)};
}

// A segment for one large group is written once, so zeroing all of it first would write it twice.
uint64_t SegmentStore::bytes_ahead(uint64_t bytes) const { return std::min(bytes, options_.segment_bytes); }

Task<Result<OpenSegment>> SegmentStore::prepare_new(uint64_t number, uint64_t bytes) {
  const Bytes path = segment_path(options_.directory, number);
  PANDO_CO_ASSIGN(auto file, co_await disk_.open(path, runtime::OpenMode::kCreate));
  Status status = co_await file->allocate(bytes_ahead(bytes));
  if (status.ok()) {
    status = co_await disk_.sync_directory(options_.directory);
  }
  if (!status.ok()) {
    file.reset();
    (co_await disk_.remove(path)).ignore("what is left is found unused by the next recovery");
    co_return status;
  }
  co_return OpenSegment{number, bytes, std::move(file)};
}

Task<Status> SegmentStore::recycle(uint64_t number, uint64_t file_bytes) {
  const Bytes path = segment_path(options_.directory, number);
  Bytes spare = spare_path(options_.directory, number);
  if (spare_count() >= options_.spare_segments_max || file_bytes > 2 * options_.segment_bytes) {
    PANDO_CO_TRY(co_await disk_.remove(path));
    co_return co_await disk_.sync_directory(options_.directory);
  }
  PANDO_CO_TRY(co_await disk_.rename(path, spare));
  {
    MutexLock lock(mutex_);
    spares_.push_back(std::move(spare));
  }
  co_return co_await disk_.sync_directory(options_.directory);
}

void SegmentStore::abandon(uint64_t number) {
  MutexLock lock(mutex_);
  spares_.push_back(segment_path(options_.directory, number));
}

std::size_t SegmentStore::spare_count() const {
  MutexLock lock(mutex_);
  return spares_.size();
}

}  // namespace pando::storage
