#pragma once

// Runtime: what the operators and expressions of one Query share while it runs. Private to exec.
//
// Thread-safety: one coroutine at a time, the Query's.

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "sql/exec/context.h"
#include "sql/exec/query.h"

namespace pando::sql::exec {

class Cte;
class ForeignKeys;
class HashJoinBuild;
class ScanParts;
class TableWriter;

// The finished build sides of hash joins that several threads probe.
using SharedJoins = std::map<const HashJoinPlan*, std::shared_ptr<const HashJoinBuild>>;

// Work that an expression found it needs before it can be evaluated: it made the evaluation return kWaitNeeded.
class PendingWork {
 public:
  virtual ~PendingWork() = default;
  virtual Task<Status> run() = 0;
};

class ActualsMap final : public ActualsByNode {
 public:
  const NodeActuals* find(const PhysicalNode& node) const override {
    const auto found = nodes_.find(&node);
    return found == nodes_.end() ? nullptr : &found->second;
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [node, actuals] : nodes_) {
      visit(*node, actuals);
    }
  }
  // Stays where it is while others are added.
  NodeActuals& of(const PhysicalNode& node) { return nodes_[&node]; }

 private:
  std::unordered_map<const PhysicalNode*, NodeActuals> nodes_;
};

struct Runtime {
  explicit Runtime(ExecutionContext& execution);
  // Begins another run of the same operators; the context has been replaced in place.
  void renew();
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  ExecutionContext& context;
  // Parameters, then the values passed to correlated plans.
  std::vector<types::Value> slots;
  // Set with kWaitNeeded; nullptr when a kernel waits for SessionServices.
  PendingWork* pending = nullptr;
  // Those of the WITH operators that exist now.
  std::map<CteId, Cte*> ctes;
  ActualsMap actuals;
  uint64_t steps = 0;
  // Which run of the operators this is: results remembered in one are of no use in the next.
  uint64_t run = 0;
  // Of the statement's own writers, once they have noted something to check at the statement's end.
  std::vector<ForeignKeys*> finishing;
  // Of a member of a parallel plan (parallel.h): what it shares with the others, and what it reads instead of the
  // transaction. Null elsewhere.
  ScanParts* scan_parts = nullptr;
  const SharedJoins* shared_joins = nullptr;
  std::unique_ptr<txn::Snapshot> snapshot;
  // Writers of referential actions whose own checks are still to be made.
  std::vector<std::unique_ptr<TableWriter>> writers;
  // To be made after the actions that were called for with them: a row that refers to another may go by one of them.
  std::vector<DeferredCheck> checks;
  // Rows were read, and may have been written, for an action since the last begin_statement().
  bool has_acted = false;

  // Runs what made an evaluation return kWaitNeeded; any other error is returned as it is.
  Task<Status> settle(Status status);
  // Called once per vector of a long computation: fails when the statement is cancelled, and lets others run now and
  // then.
  bool should_yield() { return ++steps % kStepsPerYield == 0; }
  Status check_cancelled() const {
    return context.cancellation != nullptr && context.cancellation->requested() ? context.cancellation->status()
                                                                                : Status();
  }
  Task<Status> pause();
  // Makes the checks and takes the actions that the statement's writes call for.
  Task<Status> end_statement();
  Task<Status> make_noted_checks();
  // 53200 when an operator that cannot spill holds too much.
  Status check_unspillable(std::size_t bytes, std::string_view what) const;

 private:
  static constexpr uint64_t kStepsPerYield = 8;
};

}  // namespace pando::sql::exec
