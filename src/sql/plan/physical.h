#pragma once

// The physical plan: how a query runs, as immutable plain data. optimize makes it from a logical plan; exec builds one
// operator per node; EXPLAIN prints it.
//
// As in logical.h, every node lists the ColumnIds it outputs and expressions name columns by id. No expression is
// correlated any more: what an inner plan needs of an outer row it reads from parameter slots past the statement's own
// parameters, which the outer operator sets (CorrelatedParameter) before it opens the inner plan.
//
// Sharing: nodes are shared and never change. Thread-safety: immutable.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "sql/plan/logical.h"

namespace pando::sql {

struct PhysicalNode;
using PhysicalPtr = std::shared_ptr<const PhysicalNode>;

// The value of the outer column goes to the parameter slot before the inner plan is opened.
struct CorrelatedParameter {
  uint32_t parameter = 0;
  ColumnId column;
};

// What a SubplanExpr runs.
struct Subplan {
  PhysicalPtr plan;
  std::vector<ColumnId> columns;
  std::vector<CorrelatedParameter> correlation;
  // Slots the plan reads that operators further out set.
  std::vector<uint32_t> outer_parameters;
};

// One contiguous part of an index: its leading columns are equal to `equal` and the next one lies between the bounds.
// Bound expressions name no columns; they have the index column's type, or both are integers. A NULL value makes the
// condition match nothing, except where `equal` holds a null pointer, which stands for IS NULL.
struct KeyCondition {
  struct Bound {
    ExprPtr value;
    bool inclusive = true;
  };
  std::vector<ExprPtr> equal;
  std::optional<Bound> lower;
  std::optional<Bound> upper;
  // IS NOT NULL on the next column; implied by either bound.
  bool not_null = false;
};

struct ScanPlan {
  catalog::TablePtr table;
  std::string alias;
  std::vector<catalog::AttributeNumber> attributes;
  // The secondary index to walk; 0 walks the rows themselves, in the order of the primary key.
  types::Oid index = 0;
  // The union of these is read, each once, in index order; empty reads everything.
  std::vector<KeyCondition> conditions;
  // Over the outputs; null for none.
  ExprPtr filter;
  bool reverse = false;
  // All attributes come from the index entry itself.
  bool index_only = false;
  // No more rows than this will be asked for; 0 means all.
  std::size_t limit_hint = 0;
  // Estimate: rows read before the filter.
  double rows_read = 0;
};

struct ValuesPlan {
  std::vector<std::vector<ExprPtr>> rows;
};

struct ProjectPlan {
  PhysicalPtr input;
  std::vector<ProjectedColumn> columns;
};

struct ProjectSetPlan {
  PhysicalPtr input;
  std::vector<ProjectedColumn> functions;
};

struct FilterPlan {
  PhysicalPtr input;
  ExprPtr predicate;
};

// Builds a hash table of the right side, probes it with the left. A NULL key matches nothing.
struct HashJoinPlan {
  JoinKind kind = JoinKind::kInner;
  PhysicalPtr left;
  PhysicalPtr right;
  std::vector<ExprPtr> left_keys;
  std::vector<ExprPtr> right_keys;
  ExprPtr condition;  // over both sides' columns; null for none
  // kAnti only, for NOT IN: a NULL key on either side makes the comparison unknown, so the row does not pass.
  bool null_aware = false;
};

// Keeps the right side in memory, or, when `correlation` is not empty, opens it again for each left row.
struct NestedLoopJoinPlan {
  JoinKind kind = JoinKind::kInner;
  PhysicalPtr left;
  PhysicalPtr right;
  ExprPtr condition;
  std::vector<CorrelatedParameter> correlation;
};

struct AggregatePlan {
  PhysicalPtr input;
  std::vector<ProjectedColumn> groups;
  std::vector<ProjectedColumn> aggregates;
  std::vector<std::vector<uint32_t>> grouping_sets;
  // The input may be read by several threads (sql/optimize/parallel.h), each with aggregates of its own.
  bool parallel = false;
  // Outputs the states of its aggregates (bytea) instead of their results, for another to combine.
  bool partial = false;
  // Of that other: the columns with the states, one for each of `aggregates`, which are not computed from their
  // arguments then.
  std::vector<ExprPtr> states;
};

// Runs its input where the rows lie, on the nodes that lead the shards, and gathers what comes out of it. A scan with
// what is above it, see sql/optimize/distribute.h. Where the store cannot, the input runs here.
struct GatherPlan {
  PhysicalPtr input;
  // Rows come in the order of the scan.
  bool in_order = true;
  // Only the first limit + offset rows are needed; null for all.
  ExprPtr limit;
  ExprPtr offset;
};

struct WindowPlan {
  PhysicalPtr input;
  std::vector<ProjectedColumn> windows;
};

struct SortPlan {
  PhysicalPtr input;
  std::vector<SortKey> keys;
  // Only the first limit + offset rows are needed; null for all.
  ExprPtr limit;
  ExprPtr offset;
};

struct LimitPlan {
  PhysicalPtr input;
  ExprPtr limit;
  ExprPtr offset;
  bool with_ties = false;
  std::vector<SortKey> ties;
};

struct DistinctPlan {
  PhysicalPtr input;
  // DISTINCT ON; empty means all columns.
  std::vector<ExprPtr> on;
};

struct SetOperationPlan {
  SetOperationKind kind = SetOperationKind::kUnion;
  bool all = false;
  PhysicalPtr left;
  PhysicalPtr right;
  std::vector<ColumnId> left_columns;
  std::vector<ColumnId> right_columns;
};

struct FunctionScanPlan {
  std::vector<FunctionScanNode::Call> calls;
  bool ordinality = false;
};

struct WithPlan {
  struct Definition {
    CteId id;
    std::string name;
    PhysicalPtr plan;
    PhysicalPtr recursive;  // null unless recursive
    bool recursive_all = true;
    std::vector<ColumnId> plan_columns;
    std::vector<ColumnId> recursive_columns;
    // Inserts, updates or deletes: runs to its end whether it is read or not.
    bool modifies = false;
  };
  std::vector<Definition> definitions;
  PhysicalPtr body;
  bool counts_definitions = false;  // as in WithNode
};

struct CteScanPlan {
  CteId cte;
  std::string alias;
  // Positions in the definition's rows (all outputs of its plan, or its plan_columns when it is recursive).
  std::vector<uint32_t> sources;
  bool work_table = false;
};

struct LockRowsPlan {
  PhysicalPtr input;
  std::vector<LockRowsNode::Target> targets;
  // Under a LIMIT: locks no row before it is asked for.
  bool one_by_one = false;
};

struct InsertPlan {
  PhysicalPtr input;
  InsertNode statement;
  // The input reads the target, so it is read to its end before the first row is written.
  bool buffered = false;
};

struct UpdatePlan {
  PhysicalPtr input;
  UpdateNode statement;
};

struct DeletePlan {
  PhysicalPtr input;
  DeleteNode statement;
};

struct PhysicalNode {
  std::vector<OutputColumn> outputs;
  // Estimates.
  double rows = 0;
  double startup_cost = 0;
  double cost = 0;
  std::variant<ScanPlan, ValuesPlan, ProjectPlan, ProjectSetPlan, FilterPlan, HashJoinPlan, NestedLoopJoinPlan,
               AggregatePlan, GatherPlan, WindowPlan, SortPlan, LimitPlan, DistinctPlan, SetOperationPlan,
               FunctionScanPlan, WithPlan, CteScanPlan, LockRowsPlan, InsertPlan, UpdatePlan, DeletePlan>
      node;
};

template <typename Node>
PhysicalPtr make_physical(std::vector<OutputColumn> outputs, Node node, double rows = 0, double cost = 0) {
  return std::make_shared<const PhysicalNode>(PhysicalNode{std::move(outputs), rows, 0, cost, std::move(node)});
}

// Runs of a plan that are over, kept by exec for the next run: building operators costs more than a point statement.
// Thread-safe.
class IdleExecutions {
 public:
  class Execution {
   public:
    virtual ~Execution() = default;
  };
  // nullptr when there is none.
  std::unique_ptr<Execution> take() PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (idle_.empty()) {
      return nullptr;
    }
    auto execution = std::move(idle_.back());
    idle_.pop_back();
    return execution;
  }
  void put(std::unique_ptr<Execution> execution) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (idle_.size() < kIdleMax) {
      idle_.push_back(std::move(execution));
    }
  }

 private:
  static constexpr std::size_t kIdleMax = 4;
  Mutex mutex_;
  std::vector<std::unique_ptr<Execution>> idle_ PANDO_GUARDED_BY(mutex_);
};

// A plan ready to run any number of times.
struct PhysicalQuery {
  PhysicalPtr root;
  std::vector<OutputColumn> result;
  std::vector<types::Type> parameters;
  // Slots for parameters and correlated values together.
  uint32_t parameter_slots = 0;
  // Inserts, updates or deletes somewhere.
  bool modifies = false;
  std::shared_ptr<IdleExecutions> idle = std::make_shared<IdleExecutions>();
};

}  // namespace pando::sql
