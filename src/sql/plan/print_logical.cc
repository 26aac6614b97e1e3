#include "sql/plan/print_logical.h"

#include <fmt/core.h>

#include "sql/plan/print_expr.h"

namespace pando::sql {

namespace {

std::string column_text(const OutputColumn& column) { return fmt::format("{}#{}", column.name, column.id.number()); }

template <typename Items, typename Print>
std::string list(const Items& items, Print print) {
  std::string text;
  for (const auto& item : items) {
    text += text.empty() ? "" : ", ";
    text += print(item);
  }
  return text;
}

std::string projected(const std::vector<ProjectedColumn>& columns) {
  return list(columns, [](const ProjectedColumn& column) {
    const auto* same = as<ColumnExpr>(column.expr);
    if (same != nullptr && same->column == column.column.id) {
      return column_text(column.column);
    }
    return fmt::format("{} := {}", column_text(column.column), print_with_ids(column.expr));
  });
}

std::string sort_keys(const std::vector<SortKey>& keys) {
  return list(keys, [](const SortKey& key) {
    std::string text = print_with_ids(key.expr);
    text += key.descending ? " DESC" : "";
    if (key.nulls_first != key.descending) {
      text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    }
    return text;
  });
}

std::string assignments(const std::vector<Assignment>& values) {
  return list(values, [](const Assignment& value) {
    return fmt::format("{} = {}", value.attribute, print_with_ids(value.value));
  });
}

const char* join_name(JoinKind kind) {
  switch (kind) {
    case JoinKind::kInner:
      return "inner";
    case JoinKind::kLeft:
      return "left";
    case JoinKind::kRight:
      return "right";
    case JoinKind::kFull:
      return "full";
    case JoinKind::kSemi:
      return "semi";
    case JoinKind::kAnti:
      return "anti";
  }
  return "";
}

class Printer {
 public:
  std::string take() { return std::move(text_); }

  void print(const LogicalPtr& plan) {
    ++depth_;
    std::visit([&](const auto& node) { print_node(node, *plan); }, plan->node);
    --depth_;
  }

 private:
  void line(const std::string& text) {
    text_ += std::string(static_cast<std::size_t>(depth_ - 1) * 2, ' ') + text + "\n";
  }

  void print_node(const ScanNode& node, const LogicalNode& plan) {
    line(fmt::format("scan {}{} ({})", node.table->name, node.alias == node.table->name ? "" : " as " + node.alias,
                     list(plan.outputs, column_text)));
  }
  void print_node(const ValuesNode& node, const LogicalNode& plan) {
    line(fmt::format("values ({})", list(plan.outputs, column_text)));
    ++depth_;
    for (const auto& row : node.rows) {
      line(fmt::format("({})", list(row, print_with_ids)));
    }
    --depth_;
  }
  void print_node(const ProjectNode& node, const LogicalNode& /*plan*/) {
    line("project " + projected(node.columns));
    print(node.input);
  }
  void print_node(const ProjectSetNode& node, const LogicalNode& /*plan*/) {
    line("project set " + projected(node.functions));
    print(node.input);
  }
  void print_node(const FilterNode& node, const LogicalNode& /*plan*/) {
    line("filter " + print_with_ids(node.predicate));
    print(node.input);
  }
  void print_node(const JoinNode& node, const LogicalNode& /*plan*/) {
    line(fmt::format("{} join{}{}", join_name(node.kind), node.lateral ? " lateral" : "",
                     node.condition == nullptr ? "" : " on " + print_with_ids(node.condition)));
    print(node.left);
    print(node.right);
  }
  void print_node(const AggregateNode& node, const LogicalNode& /*plan*/) {
    line(fmt::format("aggregate ({}) {}", projected(node.groups), projected(node.aggregates)));
    print(node.input);
  }
  void print_node(const WindowNode& node, const LogicalNode& /*plan*/) {
    line("window " + projected(node.windows));
    print(node.input);
  }
  void print_node(const SortNode& node, const LogicalNode& /*plan*/) {
    line("sort " + sort_keys(node.keys));
    print(node.input);
  }
  void print_node(const LimitNode& node, const LogicalNode& /*plan*/) {
    line(fmt::format("limit{}{}{}", node.limit == nullptr ? "" : " " + print_with_ids(node.limit),
                     node.offset == nullptr ? "" : " offset " + print_with_ids(node.offset),
                     node.with_ties ? " with ties" : ""));
    print(node.input);
  }
  void print_node(const DistinctNode& node, const LogicalNode& /*plan*/) {
    line(node.on.empty() ? "distinct" : "distinct on " + list(node.on, print_with_ids));
    print(node.input);
  }
  void print_node(const SetOperationNode& node, const LogicalNode& plan) {
    const char* kind = node.kind == SetOperationKind::kUnion       ? "union"
                       : node.kind == SetOperationKind::kIntersect ? "intersect"
                                                                   : "except";
    const auto id = [](ColumnId column) { return fmt::format("#{}", column.number()); };
    line(fmt::format("{}{} ({}) from ({}) and ({})", kind, node.all ? " all" : "", list(plan.outputs, column_text),
                     list(node.left_columns, id), list(node.right_columns, id)));
    print(node.left);
    print(node.right);
  }
  void print_node(const FunctionScanNode& node, const LogicalNode& plan) {
    line(fmt::format("function {}{} ({})",
                     list(node.calls, [](const FunctionScanNode::Call& call) { return print_with_ids(call.call); }),
                     node.ordinality ? " with ordinality" : "", list(plan.outputs, column_text)));
  }
  void print_node(const WithNode& node, const LogicalNode& /*plan*/) {
    line("with");
    for (const WithNode::Definition& definition : node.definitions) {
      line(fmt::format("- {}@{}{}", definition.name, definition.id.number(),
                       definition.materialized ? " materialized" : ""));
      print(definition.plan);
      if (definition.recursive != nullptr) {
        line(definition.recursive_all ? "- union all" : "- union");
        print(definition.recursive);
      }
    }
    line("- body");
    print(node.body);
  }
  void print_node(const CteScanNode& node, const LogicalNode& plan) {
    line(fmt::format("{} @{} ({})", node.work_table ? "work table" : "cte scan", node.cte.number(),
                     list(plan.outputs, column_text)));
  }
  void print_node(const LockRowsNode& node, const LogicalNode& /*plan*/) {
    line("lock " + list(node.targets, [](const LockRowsNode::Target& target) {
           return fmt::format("{} strength={} wait={}", target.table->name, target.strength, target.wait_policy);
         }));
    print(node.input);
  }
  void print_returning(const std::vector<BoundCheck>& checks, const std::vector<ProjectedColumn>& returning) {
    for (const BoundCheck& check : checks) {
      line(fmt::format("  check {} {}", check.name, print_with_ids(check.condition)));
    }
    if (!returning.empty()) {
      line("  returning " + projected(returning));
    }
  }
  void print_node(const InsertNode& node, const LogicalNode& /*plan*/) {
    line(fmt::format("insert {}: {}", node.table->name, assignments(node.values)));
    if (node.on_conflict.has_value()) {
      const ConflictClause& conflict = *node.on_conflict;
      line(fmt::format("  on conflict ({}) {}{}{}",
                       list(conflict.indexes, [](types::Oid index) { return fmt::format("{}", index); }),
                       conflict.update ? "update " : "nothing", assignments(conflict.assignments),
                       conflict.where == nullptr ? "" : " where " + print_with_ids(conflict.where)));
    }
    print_returning(node.checks, node.returning);
    print(node.input);
  }
  void print_node(const UpdateNode& node, const LogicalNode& /*plan*/) {
    line(fmt::format("update {}: {}", node.table->name, assignments(node.assignments)));
    print_returning(node.checks, node.returning);
    print(node.input);
  }
  void print_node(const DeleteNode& node, const LogicalNode& /*plan*/) {
    line(fmt::format("delete {}", node.table->name));
    print_returning({}, node.returning);
    print(node.input);
  }

  std::string text_;
  int depth_ = 0;
};

}  // namespace

std::string print_with_ids(const ExprPtr& expr) {
  PrintOptions options;
  options.column = [](const ColumnExpr& column) {
    const std::size_t dot = column.name.rfind('.');
    return fmt::format("{}#{}", dot == std::string::npos ? column.name : column.name.substr(dot + 1),
                       column.column.number());
  };
  options.show_outer_implicit_cast = true;
  return expr == nullptr ? "" : print_expr(expr, options);
}

std::string print_logical(const LogicalPtr& plan) {
  Printer printer;
  printer.print(plan);
  return printer.take();
}

}  // namespace pando::sql
