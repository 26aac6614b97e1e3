#pragma once

// JobRunner: does the jobs of a database (catalog/jobs.h) on this node: those that nobody does yet, and those of nodes
// that have not been heard of for a while. A claim is renewed as long as the job is done here.
//
//   JobRunner runner(environment, executor);
//   runner.start();
//   runner.wake();                                           // a job was committed: it is begun at once
//   PANDO_CO_ASSIGN(Job done, co_await runner.wait(id, executor, cancellation));
//   runner.stop();                                           // before the executor ends
//
// Thread-safe.

#include <set>

#include "base/mutex.h"
#include "catalog/jobs.h"
#include "runtime/cancellation.h"
#include "session/environment.h"

namespace pando::session {

struct JobRunnerOptions {
  // How often it looks for jobs, and goes on with those that could not be.
  std::chrono::milliseconds interval{1000};
  // A node that does not renew its claim for so long has lost the job.
  std::chrono::milliseconds claim{6000};
  // How long a finished job is shown.
  std::chrono::hours kept{14 * 24};
};

class JobRunner {
 public:
  JobRunner(SessionEnvironment& environment, runtime::Executor& executor, JobRunnerOptions options = {});
  // REQUIRES: stopped, if it was started.
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  void start() PANDO_EXCLUDES(mutex_);
  // Waits for what runs; jobs stay to be gone on with. Not from the executor's thread.
  void stop() PANDO_EXCLUDES(mutex_);
  void wake() PANDO_EXCLUDES(mutex_);

  catalog::Jobs& jobs() { return jobs_; }
  // Waits until the job has ended, here or on another node. When the statement is cancelled, the job is.
  Task<Result<catalog::Job>> wait(uint32_t id, runtime::Executor& executor, runtime::Cancellation& cancellation);
  // 42704 when there is none, 55000 when it has ended. `cancellation` may be null.
  Task<Status> cancel(uint32_t id, runtime::Executor& executor, runtime::Cancellation* cancellation);

 private:
  void schedule(std::chrono::nanoseconds delay) PANDO_REQUIRES(mutex_);
  Task<void> round();
  Task<Status> look_for_jobs();
  Task<Status> claim(uint32_t id);
  Task<Status> renew(uint32_t id);
  Task<Status> forget(uint32_t id);
  Task<void> run(catalog::Job claimed);
  bool is_free(const catalog::Job& job);
  bool runs_here(uint32_t id) PANDO_EXCLUDES(mutex_);
  uint64_t claim_end_ns();

  SessionEnvironment& environment_;
  runtime::Executor& executor_;
  const JobRunnerOptions options_;
  const uint32_t node_;
  catalog::Jobs jobs_;
  // Requested by stop().
  runtime::Cancellation stopping_;
  Mutex mutex_;
  Condition idle_;
  bool looking_ PANDO_GUARDED_BY(mutex_) = false;
  bool woken_ PANDO_GUARDED_BY(mutex_) = false;
  std::set<uint32_t> running_ PANDO_GUARDED_BY(mutex_);
  std::optional<runtime::TimerId> timer_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::session
