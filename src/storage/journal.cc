#include "storage/journal.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "base/mutex.h"
#include "runtime/event.h"
#include "storage/journal_format.h"
#include "storage/journal_index.h"
#include "storage/journal_reader.h"
#include "storage/journal_recovery.h"
#include "storage/journal_segments.h"

namespace pando::storage {
namespace {

// The next segment is made ready when this part of the current one is used.
constexpr uint64_t kPrepareDivisor = 2;

struct PendingAppend {
  Bytes records;
  std::function<void(Status)> done;
};

// A segment that holds durable groups.
struct UsedSegment {
  uint64_t number = 0;
  uint64_t file_bytes = 0;
  uint64_t used_bytes = 0;
};

class JournalImpl final : public Journal {
 public:
  JournalImpl(JournalOptions options, runtime::Disk& disk, runtime::Executor& writer, RecoveredJournal recovered)
      : options_(std::move(options)),
        disk_(disk),
        writer_(writer),
        store_(options_, disk, std::move(recovered.spares), recovered.next_segment),
        index_(std::move(recovered.index)),
        next_sequence_(recovered.next_sequence) {
    for (const RecoveredSegment& segment : recovered.segments) {
      segments_.push_back({segment.segment, segment.file_bytes, segment.used_bytes});
    }
    statistics_.torn_bytes = recovered.torn_bytes;
  }

  void append(JournalBatch batch, std::function<void(Status)> done) override PANDO_EXCLUDES(mutex_) {
    PANDO_ASSERT(!batch.empty(), "an append of nothing");
    bool taken = false;
    bool starts = false;
    {
      MutexLock lock(mutex_);
      if (!closed_) {
        pending_.push_back({std::move(batch).take(), std::move(done)});
        taken = true;
        starts = begin_writing();
      }
    }
    if (!taken) {
      done(Status(sql_state::kAdminShutdown, "the journal is closed"));
    }
    start_writing(starts);
  }

  Task<Status> append(JournalBatch batch, runtime::Executor& executor) override {
    Status outcome;
    runtime::Event durable(executor);
    append(std::move(batch), [&outcome, &durable](Status status) {
      outcome = std::move(status);
      durable.set();
    });
    co_await durable.wait();
    co_return outcome;
  }

  void release(ShardId shard, uint64_t index) override PANDO_EXCLUDES(mutex_) {
    bool starts = false;
    {
      MutexLock lock(mutex_);
      index_.release(shard, index);
      starts = !closed_ && has_free_segment() && begin_writing();
    }
    start_writing(starts);
  }

  Task<Result<Entries>> read(ShardId shard, uint64_t first, uint64_t last, std::size_t bytes_max,
                             runtime::Executor& executor) override {
    co_await runtime::yield_to(writer_);
    auto entries = co_await read_here(shard, first, last, bytes_max);
    co_await runtime::yield_to(executor);
    co_return entries;
  }

  uint64_t last_index(ShardId shard) const override PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return index_.last(shard).index;
  }
  HardState hard_state(ShardId shard) const override PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return index_.hard_state(shard);
  }
  std::vector<LivenessPromise> promises() const override PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return index_.promises();
  }

  JournalStatistics statistics() const override PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    JournalStatistics statistics = statistics_;
    for (const UsedSegment& segment : segments_) {
      statistics.live_bytes += segment.used_bytes;
    }
    statistics.segment_count = segments_.size();
    statistics.spare_segment_count = store_.spare_count();
    return statistics;
  }

  Task<void> close(runtime::Executor& executor) override PANDO_EXCLUDES(mutex_) {
    runtime::Event idle(writer_);
    bool starts = false;
    {
      MutexLock lock(mutex_);
      PANDO_ASSERT(!closed_, "closed twice");
      closed_ = true;
      idle_ = &idle;
      starts = begin_writing();
    }
    start_writing(starts);
    co_await idle.wait();
    co_await store_.wait_until_idle(writer_);
    if (file_) {
      Bytes mark;
      append_record(mark, {.kind = RecordKind::kClosed});
      (co_await write_payload(std::move(mark))).ignore("everything acknowledged is durable without it");
    }
    file_.reset();
    co_await runtime::yield_to(executor);
  }

 private:
  // Whether write_pending() must be made to run. The caller does so when it has let go of the mutex, which is what the
  // writer wants first; until then nobody thinks that the writer is idle.
  bool begin_writing() PANDO_REQUIRES(mutex_) { return !std::exchange(writing_, true); }
  void start_writing(bool starts) PANDO_EXCLUDES(mutex_) {
    if (starts) {
      runtime::spawn(writer_, write_pending());
    }
  }
  bool has_free_segment() const PANDO_REQUIRES(mutex_) {
    return !segments_.empty() && segments_.front().number < durable_segment_ &&
           index_.is_free(segments_.front().number);
  }

  // --- on the writer executor ---

  // Writes groups until nothing is pending, frees segments, and ends the writing state.
  Task<void> write_pending() {
    for (;;) {
      auto group = take_group();
      if (!group.empty()) {
        co_await write_group(std::move(group));
        co_await runtime::yield_to(writer_);
        continue;
      }
      (co_await recycle_segments()).ignore("the segment stays in use until the next attempt");
      if (stop_when_idle()) {
        co_return;
      }
    }
  }

  // Ends the writing state unless something is pending.
  bool stop_when_idle() PANDO_EXCLUDES(mutex_) {
    runtime::Event* closer = nullptr;
    {
      MutexLock lock(mutex_);
      if (!pending_.empty()) {
        return false;
      }
      closer = std::exchange(idle_, nullptr);
      writing_ = closer != nullptr;
    }
    if (closer != nullptr) {
      // The journal, and with it the mutex, may be destroyed once the closer runs.
      closer->set();
    }
    return true;
  }

  // Takes what may go out together.
  std::vector<PendingAppend> take_group() PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    std::vector<PendingAppend> group;
    for (std::size_t bytes = 0; !pending_.empty(); pending_.pop_front()) {
      bytes += pending_.front().records.size();
      if (!group.empty() && bytes > options_.group_bytes_max) {
        break;
      }
      group.push_back(std::move(pending_.front()));
    }
    return group;
  }

  Task<void> write_group(std::vector<PendingAppend> group) PANDO_EXCLUDES(mutex_) {
    std::vector<Status> outcomes;
    Bytes payload = admit(group, outcomes);
    Status written;
    if (!payload.empty()) {
      written = co_await write_payload(std::move(payload));
    }
    if (!written.ok()) {
      // What waits behind was made in the belief that this would succeed.
      for (PendingAppend& later : take_all_pending()) {
        group.push_back(std::move(later));
      }
      outcomes.assign(group.size(), written);
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      group[i].done(std::move(outcomes[i]));
    }
  }

  // Gathers the records of the appends that may follow what is durable; the outcomes of others are errors.
  Bytes admit(const std::vector<PendingAppend>& group, std::vector<Status>& outcomes) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    Bytes payload;
    std::size_t bytes = 0;
    for (const PendingAppend& append : group) {
      bytes += append.records.size();
    }
    payload.reserve(bytes);
    JournalIndex::Preview preview;
    for (const PendingAppend& append : group) {
      outcomes.push_back(check(append.records, preview));
      if (outcomes.back().ok()) {
        payload.append(append.records);
      }
    }
    return payload;
  }

  Status check(ByteView records, JournalIndex::Preview& preview) PANDO_REQUIRES(mutex_) {
    if (records.size() > kJournalBatchBytesMax) {
      return Status(sql_state::kProgramLimitExceeded, "a journal batch of {} bytes exceeds the limit of {} bytes",
                    records.size(), kJournalBatchBytesMax);
    }
    JournalIndex::Preview attempt = preview;
    for (JournalRecord record; !records.empty();) {
      const bool decoded = next_record(records, record);
      PANDO_ASSERT(decoded, "a JournalBatch holds whole records");
      PANDO_TRY(index_.check(record, attempt));
    }
    preview = std::move(attempt);
    return Status();
  }

  std::deque<PendingAppend> take_all_pending() PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return std::exchange(pending_, {});
  }

  // Makes `payload` durable as one group, in a new segment when there is no room.
  Task<Status> write_payload(Bytes payload) PANDO_EXCLUDES(mutex_) {
    const bool fits = file_ && offset_ + kGroupHeaderBytes + payload.size() <= segment_bytes_;
    Status status;
    if (!fits) {
      payload.insert(0, checkpoint());
      status = co_await start_segment(kGroupHeaderBytes + payload.size() + kGroupAlignment);
    }
    const uint64_t payload_bytes = payload.size();
    Bytes group(kGroupHeaderBytes, '\0');
    group.append(payload);
    seal_group(group, segment_, next_sequence_);
    const uint64_t group_bytes = group.size();
    if (status.ok()) {
      status = co_await file_->write(offset_, std::move(group));
    }
    if (status.ok()) {
      status = co_await file_->sync();
    }
    if (!status.ok()) {
      give_up_segment(status);
      co_return status;
    }
    note_durable(payload, payload_bytes, group_bytes);
    if (offset_ > segment_bytes_ / kPrepareDivisor) {
      store_.prepare_ahead();
    }
    co_return Status();
  }

  Bytes checkpoint() const PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    Bytes records;
    index_.append_checkpoint(records);
    return records;
  }

  Task<Status> start_segment(uint64_t bytes) {
    file_.reset();
    PANDO_CO_ASSIGN(OpenSegment opened, co_await store_.take(std::max(bytes, options_.segment_bytes), writer_));
    file_ = std::move(opened.file);
    segment_ = opened.number;
    segment_bytes_ = opened.file_bytes;
    offset_ = 0;
    co_return Status();
  }

  // After an error the file's contents are unknown: what comes next goes into another, whose first group takes the
  // number of the one that failed and so declares it void.
  void give_up_segment(const Status& status) PANDO_EXCLUDES(mutex_) {
    if (file_ && offset_ == 0) {
      store_.abandon(segment_);
    }
    file_.reset();
    MutexLock lock(mutex_);
    statistics_.error = status;
  }

  void note_durable(ByteView payload, uint64_t payload_bytes, uint64_t group_bytes) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const GroupPlace place{segment_, offset_};
    if (offset_ == 0) {
      segments_.push_back({segment_, segment_bytes_, 0});
      durable_segment_ = segment_;
    }
    for (JournalRecord record; !payload.empty();) {
      const bool decoded = next_record(payload, record);
      PANDO_ASSERT(decoded, "the payload holds whole records");
      index_.apply(record, place);
      statistics_.append_count += record.kind == RecordKind::kEntry ? 1 : 0;
    }
    ++next_sequence_;
    offset_ += group_bytes;
    segments_.back().used_bytes = offset_;
    ++statistics_.sync_count;
    statistics_.appended_bytes += payload_bytes;
    statistics_.error = Status();
  }

  // The oldest segment, if it is free.
  std::optional<UsedSegment> oldest_free() const PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return has_free_segment() ? std::optional(segments_.front()) : std::nullopt;
  }

  // Oldest first and one after the other, so that a crash never leaves a hole.
  Task<Status> recycle_segments() PANDO_EXCLUDES(mutex_) {
    for (auto segment = oldest_free(); segment; segment = oldest_free()) {
      PANDO_CO_TRY(co_await store_.recycle(segment->number, segment->file_bytes));
      MutexLock lock(mutex_);
      index_.forget(segment->number);
      segments_.pop_front();
    }
    co_return Status();
  }

  // --- reading back ---

  Task<Result<Entries>> read_here(ShardId shard, uint64_t first, uint64_t last, std::size_t bytes_max)
      PANDO_EXCLUDES(mutex_) {
    EntryCollector collector(shard, first, last, bytes_max);
    while (!collector.done()) {
      PANDO_CO_ASSIGN(const RunPlace place, find(shard, collector.next()));
      PANDO_CO_TRY(co_await read_run(options_.directory, &disk_, place, &collector));
    }
    co_return std::move(collector).take();
  }

  Result<RunPlace> find(ShardId shard, uint64_t index) const PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    JournalIndex::Run run;
    RunPlace place;
    if (!index_.find(shard, index, run, place.end)) {
      return Status(sql_state::kInternalError, "the journal does not hold entry {} of shard {}", index, shard.number());
    }
    place.group = run.place;
    const auto segment = std::ranges::find(segments_, run.place.segment, &UsedSegment::number);
    PANDO_ASSERT(segment != segments_.end(), "runs lie in segments");
    place.used_bytes = segment->used_bytes;
    return place;
  }

  const JournalOptions options_;
  runtime::Disk& disk_;
  runtime::Executor& writer_;
  SegmentStore store_;

  mutable Mutex mutex_;
  std::deque<PendingAppend> pending_ PANDO_GUARDED_BY(mutex_);
  // write_pending() runs or is about to.
  bool writing_ PANDO_GUARDED_BY(mutex_) = false;
  bool closed_ PANDO_GUARDED_BY(mutex_) = false;
  // Where close() waits for write_pending() to end.
  runtime::Event* idle_ PANDO_GUARDED_BY(mutex_) = nullptr;
  JournalIndex index_ PANDO_GUARDED_BY(mutex_);
  std::deque<UsedSegment> segments_ PANDO_GUARDED_BY(mutex_);
  // The segment of the last durable group of this run; 0 before the first.
  uint64_t durable_segment_ PANDO_GUARDED_BY(mutex_) = 0;
  JournalStatistics statistics_ PANDO_GUARDED_BY(mutex_);

  // The writer's own. No file: before the first append and after a failure.
  uint64_t next_sequence_;
  std::unique_ptr<runtime::File> file_;
  uint64_t segment_ = 0;
  uint64_t segment_bytes_ = 0;
  uint64_t offset_ = 0;
};

}  // namespace

Task<Result<std::unique_ptr<Journal>>> Journal::open(JournalOptions options, runtime::Disk& disk,
                                                     runtime::Executor& writer, JournalVisitor* visitor) {
  PANDO_CO_TRY(co_await disk.create_directory(options.directory));
  PANDO_CO_ASSIGN(RecoveredJournal recovered, co_await recover_journal(options.directory, &disk, visitor));
  co_return std::unique_ptr<Journal>(
      std::make_unique<JournalImpl>(std::move(options), disk, writer, std::move(recovered)));
}

}  // namespace pando::storage
