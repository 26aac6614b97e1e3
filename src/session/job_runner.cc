#include "session/job_runner.h"

#include <algorithm>

#include "runtime/sleep.h"
#include "session/schema_change.h"
#include "types/calendar.h"

namespace pando::session {
namespace {

// How often a statement looks whether its job has ended: often at first, for most take no longer.
constexpr std::chrono::milliseconds kWaitFirst{2};
constexpr std::chrono::milliseconds kWaitLongest{100};
// How often it looks so after it was cancelled, until it leaves the job to be undone without it.
constexpr int kLooksAfterCancel = 100;

int64_t now_us(runtime::Clock& clock) { return types::timestamp_of_unix_ns(clock.wall_ns()); }

}  // namespace

JobRunner::JobRunner(SessionEnvironment& environment, runtime::Executor& executor, JobRunnerOptions options)
    : environment_(environment),
      executor_(executor),
      options_(options),
      node_(environment.catalog.options().node),
      jobs_(environment.store, environment.catalog.options().database) {}

JobRunner::~JobRunner() {
  MutexLock lock(mutex_);
  PANDO_ASSERT(!looking_ && running_.empty() && !timer_, "a job runner is stopped before it is destroyed");
}

void JobRunner::start() {
  MutexLock lock(mutex_);
  schedule(std::chrono::nanoseconds(0));
}

void JobRunner::schedule(std::chrono::nanoseconds delay) {
  if (timer_) {
    return;
  }
  timer_ = environment_.timer.schedule(delay, [this] {
    MutexLock lock(mutex_);
    timer_.reset();
    if (!stopping_.requested() && !looking_) {
      looking_ = true;
      runtime::spawn(executor_, round());
    }
  });
}

void JobRunner::wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  if (!stopping_.requested() && !looking_) {
    looking_ = true;
    runtime::spawn(executor_, round());
  }
}

void JobRunner::stop() {
  stopping_.request(Status(sql_state::kAdminShutdown, "terminating jobs due to administrator command"));
  std::optional<runtime::TimerId> timer;
  {
    MutexLock lock(mutex_);
    timer = timer_;
  }
  if (timer) {
    environment_.timer.cancel(*timer);
  }
  MutexLock lock(mutex_);
  timer_.reset();
  while (looking_ || !running_.empty()) {
    idle_.wait(mutex_);
  }
}

Task<void> JobRunner::round() {
  bool again = true;
  while (again) {
    {
      MutexLock lock(mutex_);
      woken_ = false;
    }
    (co_await look_for_jobs()).ignore("what cannot be done now is tried again in the next round");
    MutexLock lock(mutex_);
    again = woken_ && !stopping_.requested();
    if (!again) {
      looking_ = false;
      if (!stopping_.requested()) {
        schedule(options_.interval);
      }
      idle_.notify_all();
    }
  }
}

Task<Status> JobRunner::look_for_jobs() {
  PANDO_CO_ASSIGN(const std::vector<catalog::Job> found, co_await jobs_.all(executor_, &stopping_));
  const int64_t kept_us = std::chrono::microseconds(options_.kept).count();
  for (const catalog::Job& job : found) {
    Status status;
    if (job.is_finished()) {
      if (now_us(environment_.clock) - job.finished_us > kept_us) {
        status = co_await forget(job.id);
      }
    } else if (runs_here(job.id)) {
      status = co_await renew(job.id);
    } else if (is_free(job)) {
      status = co_await claim(job.id);
    }
    status.ignore("another node may have been faster; else the next round finds it again");
  }
  co_return Status();
}

bool JobRunner::runs_here(uint32_t id) {
  MutexLock lock(mutex_);
  return running_.contains(id);
}

// What this node has claimed and does not do is left over from before it started, or could not be gone on with.
bool JobRunner::is_free(const catalog::Job& job) {
  return !job.is_finished() &&
         (job.term == 0 || job.node == node_ || job.claimed_until_ns < environment_.clock.wall_ns());
}

uint64_t JobRunner::claim_end_ns() {
  return environment_.clock.wall_ns() + static_cast<uint64_t>(std::chrono::nanoseconds(options_.claim).count());
}

Task<Status> JobRunner::claim(uint32_t id) {
  auto transaction = environment_.store.begin({.executor = &executor_, .cancellation = &stopping_});
  transaction->begin_statement();
  PANDO_CO_ASSIGN(catalog::Job job, co_await jobs_.lock(*transaction, id));
  if (!is_free(job)) {
    co_await transaction->rollback();
    co_return Status();
  }
  job.node = node_;
  ++job.term;
  job.claimed_until_ns = claim_end_ns();
  job.started_us = job.started_us == 0 ? now_us(environment_.clock) : job.started_us;
  PANDO_CO_TRY(co_await jobs_.put(*transaction, job));
  PANDO_CO_TRY(co_await transaction->commit());
  MutexLock lock(mutex_);
  if (!stopping_.requested()) {
    running_.insert(id);
    runtime::spawn(executor_, run(std::move(job)));
  }
  co_return Status();
}

Task<Status> JobRunner::renew(uint32_t id) {
  auto transaction = environment_.store.begin({.executor = &executor_, .cancellation = &stopping_});
  transaction->begin_statement();
  PANDO_CO_ASSIGN(catalog::Job job, co_await jobs_.lock(*transaction, id));
  if (job.is_finished() || job.node != node_) {
    co_await transaction->rollback();
    co_return Status();
  }
  job.claimed_until_ns = claim_end_ns();
  PANDO_CO_TRY(co_await jobs_.put(*transaction, std::move(job)));
  co_return co_await transaction->commit();
}

Task<Status> JobRunner::forget(uint32_t id) {
  auto transaction = environment_.store.begin({.executor = &executor_, .cancellation = &stopping_});
  transaction->begin_statement();
  PANDO_CO_TRY(co_await jobs_.erase(*transaction, id));
  co_return co_await transaction->commit();
}

Task<void> JobRunner::run(catalog::Job claimed) {
  const uint32_t id = claimed.id;
  {
    SchemaChange change(environment_, executor_, jobs_, std::move(claimed), stopping_);
    (co_await change.run()).ignore("the job is still there, and a later round goes on with it");
  }
  MutexLock lock(mutex_);
  running_.erase(id);
  idle_.notify_all();
}

Task<Result<catalog::Job>> JobRunner::wait(uint32_t id, runtime::Executor& executor,
                                           runtime::Cancellation& cancellation) {
  std::chrono::milliseconds pause = kWaitFirst;
  bool cancelled = false;
  int looks_left = kLooksAfterCancel;
  while (true) {
    // Without the statement's cancellation once it was heard of: what the job began is to be undone first.
    const Status slept =
        co_await runtime::sleep(environment_.timer, executor, pause, cancelled ? nullptr : &cancellation);
    if (!slept.ok()) {
      if (!slept.is(sql_state::kQueryCanceled)) {
        // The session ends. The job does not.
        co_return slept;
      }
      cancelled = true;
      (co_await cancel(id, executor, nullptr)).ignore("it may have ended just now");
    }
    if (cancelled && --looks_left == 0) {
      co_return cancellation.status();
    }
    pause = std::min(2 * pause, kWaitLongest);
    auto job = co_await jobs_.find(id, executor);
    if (!job.ok()) {
      continue;
    }
    if (!job->has_value()) {
      co_return Status(sql_state::kUndefinedObject, "job {} does not exist", id);
    }
    if ((*job)->is_finished()) {
      co_return **std::move(job);
    }
  }
}

Task<Status> JobRunner::cancel(uint32_t id, runtime::Executor& executor, runtime::Cancellation* cancellation) {
  auto transaction = environment_.store.begin({.executor = &executor, .cancellation = cancellation});
  transaction->begin_statement();
  PANDO_CO_ASSIGN(catalog::Job job, co_await jobs_.lock(*transaction, id));
  if (job.is_finished()) {
    co_await transaction->rollback();
    co_return Status(sql_state::kObjectNotInPrerequisiteState, "job {} has ended", id);
  }
  job.cancel_requested = true;
  PANDO_CO_TRY(co_await jobs_.put(*transaction, std::move(job)));
  co_return co_await transaction->commit();
}

}  // namespace pando::session
