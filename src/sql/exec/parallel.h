#pragma once

// Parallel execution: the same part of a plan run by several threads, each with operators of its own over parts of one
// table that they take as they go.
//
//   PANDO_CO_ASSIGN(auto team, co_await Team::make(input_plan, runtime));    // nullptr: not worth it, or not possible
//   PANDO_CO_TRY(co_await team->run([](Team::Member& member) -> Task<Status> { ... member.input->next(...) }));
//   for (auto& member : team->members()) merge(...);
//
// What a member may run is decided by the optimizer (sql/optimize/parallel.h): it never touches the transaction, only a
// Snapshot of its own. The build sides of hash joins are run once, by the statement's own thread, and shared.
// Thread-safety: Team belongs to the statement's coroutine; each Member to its thread while run() lasts.

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "sql/exec/operator.h"

namespace pando::sql::exec {

// The parts of a scan that nobody has taken yet. Thread-safe.
class ScanParts {
 public:
  ScanParts(const ScanPlan& plan, std::vector<txn::Span> parts) : plan_(plan), parts_(std::move(parts)) {}
  const ScanPlan& plan() const { return plan_; }
  // nullptr when there are none left.
  const txn::Span* take() {
    const std::size_t part = next_.fetch_add(1, std::memory_order_relaxed);
    return part < parts_.size() ? &parts_[part] : nullptr;
  }
  // Nobody gets any more parts.
  void stop() { next_.store(parts_.size(), std::memory_order_relaxed); }
  std::size_t size() const { return parts_.size(); }

 private:
  const ScanPlan& plan_;
  const std::vector<txn::Span> parts_;
  std::atomic<std::size_t> next_{0};
};

class Team {
 public:
  struct Member {
    Member(const Runtime& of, runtime::Executor& executor, std::size_t members);

    EvaluationContext evaluation;
    ExecutionContext context;
    Runtime runtime;
    OperatorPtr input;
    Status status;
  };

  // Opens the scan that `input` reads and the joins above it. nullptr when there are no other threads, the table is
  // small, the transaction has written to it, or a join's table does not fit in memory.
  static Task<Result<std::unique_ptr<Team>>> make(PhysicalPtr input, Runtime& runtime);
  ~Team();

  std::vector<std::unique_ptr<Member>>& members() { return members_; }
  // Runs `work` for every member on its thread, and waits for all of them. The first error, if any.
  Task<Status> run(std::function<Task<Status>(Member&)> work);

 private:
  explicit Team(Runtime& runtime) : runtime_(runtime) {}
  Task<Result<bool>> open_scan(const ScanPlan* scan);
  Task<Result<bool>> build_joins(PhysicalPtr input);
  void add_actuals();

  Runtime& runtime_;
  std::unique_ptr<ScanParts> parts_;
  txn::Span first_part_;
  SharedJoins joins_;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace pando::sql::exec
