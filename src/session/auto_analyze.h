#pragma once

// AutoAnalyze: keeps the statistics of tables that change up to date, as PostgreSQL's autovacuum does: a table is
// analyzed when more rows changed since the last time than a threshold and a share of its rows. One that was analyzed a
// short time ago waits, unless it has become another one since.
//
//   AutoAnalyze automatic(environment, executor);
//   automatic.start();
//   automatic.stop();          // before the executor ends
//
// Nodes that share a store analyze each table once, and learn what others found.
//
// Thread-safe. One table at a time. Between vectors of rows it rests, so that what clients wait for is not kept
// waiting.

#include <map>

#include "base/mutex.h"
#include "base/prng.h"
#include "session/environment.h"

namespace pando::session {

struct AutoAnalyzeOptions {
  // PostgreSQL's autovacuum_analyze_threshold and autovacuum_analyze_scale_factor.
  uint64_t threshold_rows = 50;
  double scale_factor = 0.1;
  std::chrono::milliseconds interval{5000};
  // PostgreSQL's autovacuum_naptime: how long a table waits for its next analysis, unless this many times the rows that
  // it had have changed.
  std::chrono::milliseconds again_after{60'000};
  double again_factor = 10;
  // How long it rests for what it has worked: PostgreSQL's autovacuum_vacuum_cost_delay.
  double rest_factor = 4;
  // For how long it does so in one table: the rows must be read before the past that they are of is forgotten.
  std::chrono::milliseconds rests_for{120'000};
};

class AutoAnalyze {
 public:
  AutoAnalyze(SessionEnvironment& environment, runtime::Executor& executor, AutoAnalyzeOptions options = {});
  // REQUIRES: stopped, if it was started.
  ~AutoAnalyze();
  AutoAnalyze(const AutoAnalyze&) = delete;
  AutoAnalyze& operator=(const AutoAnalyze&) = delete;

  void start() PANDO_EXCLUDES(mutex_);
  // Ends a round that runs, and waits for it. Not from the executor's thread.
  void stop() PANDO_EXCLUDES(mutex_);
  // Analyzes every table that needs it, now. Errors: the first table's that could not be.
  Task<Status> run_round() PANDO_EXCLUDES(mutex_);

 private:
  void schedule() PANDO_REQUIRES(mutex_);
  Task<void> round();
  bool needs_analysis(const catalog::TableDescriptor& table) const;
  Task<Status> analyze(catalog::TablePtr table);
  // Takes what other nodes have found.
  Task<Status> learn();
  // REQUIRES: called again and again by the coroutine that reads a table.
  Task<Status> pause();

  SessionEnvironment& environment_;
  runtime::Executor& executor_;
  const AutoAnalyzeOptions options_;
  Prng prng_;
  // What was analyzed here within again_after, of the coroutine of a round.
  struct Analyzed {
    uint64_t at_ns = 0;
    double rows = 0;
  };
  std::map<catalog::TableId, Analyzed> analyzed_;
  // When it began with a table, and when it last went on, of the same.
  uint64_t began_ns_ = 0;
  uint64_t working_since_ns_ = 0;
  runtime::Cancellation stopping_;
  Mutex mutex_;
  Condition idle_;
  bool running_ PANDO_GUARDED_BY(mutex_) = false;
  std::optional<runtime::TimerId> timer_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::session
