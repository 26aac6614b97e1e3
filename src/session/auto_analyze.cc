#include "session/auto_analyze.h"

#include <algorithm>

#include "runtime/sleep.h"
#include "session/table_sample.h"
#include "types/calendar.h"

namespace pando::session {
namespace {

// However long it has waited for rows, so that it ends one day.
constexpr std::chrono::nanoseconds kRestMax = std::chrono::milliseconds(200);

}  // namespace

AutoAnalyze::AutoAnalyze(SessionEnvironment& environment, runtime::Executor& executor, AutoAnalyzeOptions options)
    : environment_(environment), executor_(executor), options_(options), prng_(environment.random()) {}

AutoAnalyze::~AutoAnalyze() {
  MutexLock lock(mutex_);
  PANDO_ASSERT(!running_ && !timer_, "automatic analysis is stopped before it is destroyed");
}

void AutoAnalyze::start() {
  MutexLock lock(mutex_);
  schedule();
}

void AutoAnalyze::schedule() {
  timer_ = environment_.timer.schedule(options_.interval, [this] {
    MutexLock lock(mutex_);
    timer_.reset();
    if (!stopping_.requested()) {
      running_ = true;
      runtime::spawn(executor_, round());
    }
  });
}

void AutoAnalyze::stop() {
  stopping_.request(Status(sql_state::kAdminShutdown, "terminating automatic analysis due to administrator command"));
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
  while (running_) {
    idle_.wait(mutex_);
  }
}

Task<void> AutoAnalyze::round() {
  // A table that cannot be analyzed now is tried again in the next round.
  (co_await run_round()).ignore("statistics are a help, not a need");
  MutexLock lock(mutex_);
  running_ = false;
  if (!stopping_.requested()) {
    schedule();
  }
  idle_.notify_all();
}

Task<Status> AutoAnalyze::run_round() {
  const uint64_t now_ns = environment_.clock.monotonic_ns();
  const auto again_after_ns = static_cast<uint64_t>(std::chrono::nanoseconds(options_.again_after).count());
  std::erase_if(analyzed_, [&](const auto& entry) { return now_ns - entry.second.at_ns > again_after_ns; });
  PANDO_CO_TRY(co_await learn());
  Status outcome;
  const auto snapshot = environment_.catalog.current();
  for (const auto& [oid, table] : snapshot->tables()) {
    if (table->kind == catalog::RelationKind::kTable && needs_analysis(*table) && !stopping_.requested()) {
      Status analyzed = co_await analyze(table);
      outcome = outcome.ok() ? std::move(analyzed) : outcome;
    }
  }
  co_return outcome;
}

bool AutoAnalyze::needs_analysis(const catalog::TableDescriptor& table) const {
  const auto changed = static_cast<double>(environment_.statistics->activity(table.oid).writes().changed_since_analyze);
  const double rows = std::max(0.0, environment_.statistics->live_rows(table));
  if (changed <= static_cast<double>(options_.threshold_rows) + options_.scale_factor * rows) {
    return false;
  }
  const auto analyzed = analyzed_.find(table.id);
  return analyzed == analyzed_.end() || changed > options_.again_factor * analyzed->second.rows;
}

Task<Status> AutoAnalyze::learn() {
  PANDO_CO_ASSIGN(const bool changed, co_await environment_.statistics->refresh(executor_, &stopping_));
  if (changed) {
    environment_.catalog.renew();
  }
  co_return Status();
}

Task<Status> AutoAnalyze::pause() {
  const uint64_t now_ns = environment_.clock.monotonic_ns();
  const std::chrono::nanoseconds worked(now_ns - working_since_ns_);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(worked * options_.rest_factor);
  if (rest.count() > 0 && std::chrono::nanoseconds(now_ns - began_ns_) < options_.rests_for) {
    PANDO_CO_TRY(co_await runtime::sleep(environment_.timer, executor_, std::min(rest, kRestMax), &stopping_));
  } else {
    co_await runtime::yield_to(executor_);
  }
  working_since_ns_ = environment_.clock.monotonic_ns();
  co_return stopping_.requested() ? stopping_.status() : Status();
}

Task<Status> AutoAnalyze::analyze(catalog::TablePtr table) {
  auto transaction = environment_.store.begin({.executor = &executor_, .cancellation = &stopping_});
  transaction->begin_statement();
  PANDO_CO_ASSIGN(const bool claimed, co_await environment_.statistics->claim(*transaction, table->oid));
  if (claimed) {
    // Another node may have been done with the table since the round began.
    PANDO_CO_TRY(co_await learn());
  }
  if (!claimed || !needs_analysis(*table)) {
    co_await transaction->rollback();
    co_return Status();
  }
  began_ns_ = environment_.clock.monotonic_ns();
  working_since_ns_ = began_ns_;
  const SampleOptions options{.seed = prng_.next(), .pause = [this] { return pause(); }};
  PANDO_CO_ASSIGN(const TableSample sample, co_await sample_table(table, transaction.get(), options));
  PANDO_CO_ASSIGN(auto found, co_await sample.statistics(options));
  const int64_t now_us = types::timestamp_of_unix_ns(environment_.clock.wall_ns());
  PANDO_CO_TRY(co_await environment_.statistics->put(*transaction, table->oid, std::move(found), now_us,
                                                     /*automatic=*/true));
  PANDO_CO_TRY(co_await transaction->commit());
  environment_.catalog.renew();
  analyzed_[table->id] = {.at_ns = environment_.clock.monotonic_ns(),
                          .rows = environment_.statistics->live_rows(*table)};
  co_return Status();
}

}  // namespace pando::session
