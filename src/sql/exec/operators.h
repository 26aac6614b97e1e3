#pragma once

// The factories of all operators, one per kind of plan node, each in the file of its name. Private to exec.

#include "sql/exec/operator.h"

namespace pando::sql::exec {

// `plan` is the alternative that `node` holds; both outlive the operator.
Result<OperatorPtr> make_operator(const PhysicalNode& node, const ScanPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_virtual_scan(const PhysicalNode& node, const ScanPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const ValuesPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const ProjectPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const ProjectSetPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const FilterPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const HashJoinPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const NestedLoopJoinPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const AggregatePlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const GatherPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const WindowPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const SortPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const LimitPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const DistinctPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const SetOperationPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const FunctionScanPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const WithPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const CteScanPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const LockRowsPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const InsertPlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const UpdatePlan& plan, Runtime& runtime);
Result<OperatorPtr> make_operator(const PhysicalNode& node, const DeletePlan& plan, Runtime& runtime);

}  // namespace pando::sql::exec
