#include "sql/optimize/rewrite.h"

namespace pando::sql {
namespace {

using RewriteInput = std::function<LogicalPtr(const LogicalPtr&)>;
using RewriteExpr = std::function<ExprPtr(const ExprPtr&)>;

class Rebuilder {
 public:
  Rebuilder(const RewriteInput& input, const RewriteExpr& expr) : input_(input), expr_(expr) {}

  template <typename Node>
  void operator()(Node& node) {
    if constexpr (requires { node.input; }) {
      rewrite(node.input);
    }
    if constexpr (requires { node.left_columns; } || requires { node.condition; }) {
      rewrite(node.left);
      rewrite(node.right);
    }
    exprs(node);
  }
  bool changed() const { return changed_; }

 private:
  void rewrite(LogicalPtr& input) {
    LogicalPtr rewritten = input_(input);
    changed_ = changed_ || rewritten != input;
    input = std::move(rewritten);
  }
  void rewrite(ExprPtr& expr) {
    if (expr == nullptr) {
      return;
    }
    ExprPtr rewritten = expr_(expr);
    changed_ = changed_ || rewritten != expr;
    expr = std::move(rewritten);
  }
  void all(std::vector<ProjectedColumn>& columns) {
    for (ProjectedColumn& column : columns) {
      rewrite(column.expr);
    }
  }
  void all(std::vector<SortKey>& keys) {
    for (SortKey& key : keys) {
      rewrite(key.expr);
    }
  }
  void all(std::vector<Assignment>& assignments) {
    for (Assignment& assignment : assignments) {
      rewrite(assignment.value);
    }
  }
  void all(std::vector<BoundCheck>& checks) {
    for (BoundCheck& check : checks) {
      rewrite(check.condition);
    }
  }

  void exprs(ScanNode&) {}
  void exprs(ValuesNode& node) {
    for (auto& row : node.rows) {
      for (ExprPtr& value : row) {
        rewrite(value);
      }
    }
  }
  void exprs(ProjectNode& node) { all(node.columns); }
  void exprs(ProjectSetNode& node) { all(node.functions); }
  void exprs(FilterNode& node) { rewrite(node.predicate); }
  void exprs(JoinNode& node) { rewrite(node.condition); }
  void exprs(AggregateNode& node) {
    all(node.groups);
    all(node.aggregates);
  }
  void exprs(WindowNode& node) { all(node.windows); }
  void exprs(SortNode& node) { all(node.keys); }
  void exprs(LimitNode& node) {
    rewrite(node.limit);
    rewrite(node.offset);
    all(node.ties);
  }
  void exprs(DistinctNode& node) {
    for (ExprPtr& key : node.on) {
      rewrite(key);
    }
  }
  void exprs(SetOperationNode&) {}
  void exprs(FunctionScanNode& node) {
    for (FunctionScanNode::Call& call : node.calls) {
      rewrite(call.call);
    }
  }
  void exprs(WithNode& node) {
    for (WithNode::Definition& definition : node.definitions) {
      rewrite(definition.plan);
      if (definition.recursive != nullptr) {
        rewrite(definition.recursive);
      }
    }
    rewrite(node.body);
  }
  void exprs(CteScanNode&) {}
  void exprs(LockRowsNode&) {}
  void exprs(InsertNode& node) {
    all(node.values);
    if (node.on_conflict) {
      all(node.on_conflict->assignments);
      rewrite(node.on_conflict->where);
    }
    all(node.checks);
    all(node.returning);
  }
  void exprs(UpdateNode& node) {
    all(node.assignments);
    all(node.checks);
    all(node.returning);
  }
  void exprs(DeleteNode& node) { all(node.returning); }

  const RewriteInput& input_;
  const RewriteExpr& expr_;
  bool changed_ = false;
};

}  // namespace

LogicalPtr rebuild(const LogicalPtr& plan, const RewriteInput& input, const RewriteExpr& expr) {
  auto copy = std::make_shared<LogicalNode>(*plan);
  Rebuilder rebuilder(input, expr);
  std::visit(rebuilder, copy->node);
  return rebuilder.changed() ? LogicalPtr(std::move(copy)) : plan;
}

}  // namespace pando::sql
