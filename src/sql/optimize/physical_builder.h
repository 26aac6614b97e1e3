#pragma once

// PhysicalBuilder: turns a normalized logical plan into a physical one: picks access paths and join algorithms, gives
// correlated columns their parameter slots, and turns the subqueries left in expressions into subplans.
//
// Used once per statement. Not thread-safe.

#include <map>
#include <set>

#include "sql/optimize/cardinality.h"
#include "sql/optimize/optimize.h"
#include "sql/plan/columns.h"

namespace pando::sql {

class PhysicalBuilder {
 public:
  PhysicalBuilder(const OptimizeOptions& options, Cardinality& cardinality, uint32_t first_free_parameter)
      : options_(options), cardinality_(cardinality), next_parameter_(first_free_parameter) {}

  Result<PhysicalPtr> build(const LogicalPtr& plan);
  uint32_t parameter_slots() const { return next_parameter_; }
  bool modifies() const { return modifies_; }

 private:
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const ScanNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const ValuesNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const ProjectNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const ProjectSetNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const FilterNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const JoinNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const AggregateNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const WindowNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const SortNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const LimitNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const DistinctNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const SetOperationNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const FunctionScanNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const WithNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const CteScanNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const LockRowsNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const InsertNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const UpdateNode& node);
  Result<PhysicalPtr> build_node(const LogicalPtr& plan, const DeleteNode& node);

  // A scan with the condition above it: the best of its access paths.
  Result<PhysicalPtr> build_scan(const LogicalPtr& plan, const ScanNode& node, const ExprPtr& predicate);
  // A nested loop whose right side is a scan restricted by the left row's columns; nullptr when no index fits.
  Result<PhysicalPtr> build_lookup_join(const LogicalPtr& plan, const JoinNode& node, const PhysicalPtr& left);
  Result<PhysicalPtr> build_lateral_join(const LogicalPtr& plan, const JoinNode& node);
  Result<PhysicalPtr> build_hash_or_loop_join(const LogicalPtr& plan, const JoinNode& node, PhysicalPtr left);

  // Rewrites an expression for execution over an input that outputs `input`: outer columns become parameters,
  // subqueries become subplans.
  Result<ExprPtr> lower(const ExprPtr& expr, const ColumnSet& input);
  Result<ExprPtr> lower_subquery(const ExprPtr& expr, const SubqueryExpr& node, const ColumnSet& input);
  Status lower_all(std::vector<ProjectedColumn>& columns, const ColumnSet& input);
  Status lower_keys(std::vector<SortKey>& keys, const ColumnSet& input);
  Status lower_assignments(std::vector<Assignment>& assignments, const ColumnSet& input);
  Status lower_checks(std::vector<BoundCheck>& checks, const ColumnSet& input);
  // Gives the columns parameter slots while the inner plan is built.
  std::vector<CorrelatedParameter> bind_outer(const ColumnSet& columns);
  void unbind_outer(const std::vector<CorrelatedParameter>& correlation);
  Result<std::set<uint32_t>> build_definition(const WithNode::Definition& definition, WithPlan::Definition& built);
  PhysicalPtr finish(const LogicalPtr& plan, decltype(PhysicalNode::node) node, double input_cost = 0);
  // The same for an operator that outputs these columns in this order.
  PhysicalPtr finish(const LogicalPtr& plan, std::vector<OutputColumn> outputs, decltype(PhysicalNode::node) node,
                     double input_cost);

  const OptimizeOptions& options_;
  Cardinality& cardinality_;
  uint32_t next_parameter_;
  // Columns of enclosing plans that are parameters here.
  std::map<ColumnId, uint32_t> outer_;
  std::map<CteId, std::vector<ColumnId>> cte_columns_;
  // The parameters that a CTE's rows depend on, and those of the CTEs read by what is being built.
  std::map<CteId, std::set<uint32_t>> cte_parameters_;
  std::set<uint32_t> parameters_read_;
  bool modifies_ = false;

  // What the node above asks of the one being built; build() hands it over and clears it.
  struct Wish {
    const LimitNode* limit = nullptr;
    std::vector<SortKey> order;
  };
  Wish wish_;
  Wish granted_;          // of the node being built
  bool ordered_ = false;  // whether the plan just built has the wanted order
};

}  // namespace pando::sql
