#include <algorithm>
#include <map>

#include "sql/expr/walk.h"
#include "sql/function/function.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/rewrite.h"

namespace pando::sql {
namespace {

ExprPtr push_into_subqueries(const ExprPtr& expr) {
  if (expr == nullptr || !has_subquery(expr)) {
    return expr;
  }
  const ExprPtr entered = rewrite_children(expr, push_into_subqueries);
  const auto* subquery = as<SubqueryExpr>(entered);
  if (subquery == nullptr) {
    return entered;
  }
  SubqueryExpr copy = *subquery;
  copy.plan = push_down(subquery->plan);
  return make_expr(entered->type, std::move(copy), entered->position);
}

// Whether the condition is not true when all of `columns` are NULL: a comparison or a strict call on one of them.
bool rejects_null(const ExprPtr& expr, const ColumnSet& columns);

bool null_gives_null(const ExprPtr& expr, const ColumnSet& columns) {
  if (const auto* column = as<ColumnExpr>(expr)) {
    return columns.contains(column->column);
  }
  if (const auto* call = as<CallExpr>(expr)) {
    return call->function->strict &&
           std::ranges::any_of(call->arguments, [&](const ExprPtr& a) { return null_gives_null(a, columns); });
  }
  if (const auto* cast = as<CastExpr>(expr)) {
    return null_gives_null(cast->argument, columns);
  }
  if (const auto* list = as<ArrayComparisonExpr>(expr)) {
    const auto* elements = as<ArrayExpr>(list->array);
    return elements != nullptr && !elements->elements.empty() && null_gives_null(list->left, columns);
  }
  return false;
}

bool rejects_null(const ExprPtr& expr, const ColumnSet& columns) {
  if (const auto* test = as<NullTestExpr>(expr)) {
    return test->is_not && as<RowExpr>(test->argument) == nullptr && null_gives_null(test->argument, columns);
  }
  if (const auto* test = as<BooleanTestExpr>(expr)) {
    return !test->is_not && test->kind != BooleanTestExpr::Kind::kUnknown && null_gives_null(test->argument, columns);
  }
  if (const auto* logic = as<LogicExpr>(expr)) {
    const auto rejects = [&](const ExprPtr& a) { return rejects_null(a, columns); };
    switch (logic->kind) {
      case LogicExpr::Kind::kAnd:
        return std::ranges::any_of(logic->arguments, rejects);
      case LogicExpr::Kind::kOr:
        return std::ranges::all_of(logic->arguments, rejects);
      case LogicExpr::Kind::kNot:
        return null_gives_null(logic->arguments[0], columns);
    }
  }
  return null_gives_null(expr, columns);
}

// `expr` with the columns of a Project or set operation replaced by what defines them below.
ExprPtr substitute(const ExprPtr& expr, const std::map<ColumnId, ExprPtr>& definitions) {
  if (const auto* column = as<ColumnExpr>(expr)) {
    const auto found = definitions.find(column->column);
    return found == definitions.end() ? expr : found->second;
  }
  return rewrite_children(expr, [&](const ExprPtr& child) { return substitute(child, definitions); });
}

bool is_cheap(const ExprPtr& expr) { return as<ColumnExpr>(expr) != nullptr || as<ConstantExpr>(expr) != nullptr; }

class Pusher {
 public:
  // The plan with `conjuncts` applied as low as they go.
  LogicalPtr push(const LogicalPtr& plan, std::vector<ExprPtr> conjuncts) {
    return std::visit([&](const auto& node) { return push_node(plan, node, std::move(conjuncts)); }, plan->node);
  }

 private:
  static LogicalPtr filtered(const LogicalPtr& plan, std::vector<ExprPtr> conjuncts) {
    std::erase_if(conjuncts, is_true_constant);
    if (conjuncts.empty()) {
      return plan;
    }
    return make_logical(plan->outputs, FilterNode{plan, combine_conjuncts(std::move(conjuncts))});
  }
  LogicalPtr inputs_pushed(const LogicalPtr& plan) {
    return rebuild(plan, [&](const LogicalPtr& input) { return push(input, {}); }, push_into_subqueries);
  }
  // Splits off those that name only `columns` (and outer ones) and can be moved.
  static std::vector<ExprPtr> take(std::vector<ExprPtr>& conjuncts, const ColumnSet& excluded) {
    std::vector<ExprPtr> taken;
    std::vector<ExprPtr> rest;
    for (ExprPtr& conjunct : conjuncts) {
      const bool movable = !overlaps(columns_of(conjunct), excluded) && !is_volatile(conjunct);
      (movable ? taken : rest).push_back(std::move(conjunct));
    }
    conjuncts = std::move(rest);
    return taken;
  }

  // By default conditions stay above the node.
  template <typename Node>
  LogicalPtr push_node(const LogicalPtr& plan, const Node&, std::vector<ExprPtr> conjuncts) {
    return filtered(inputs_pushed(plan), std::move(conjuncts));
  }

  LogicalPtr push_node(const LogicalPtr&, const FilterNode& node, std::vector<ExprPtr> conjuncts) {
    split_conjuncts(push_into_subqueries(node.predicate), conjuncts);
    return push(node.input, factored(std::move(conjuncts)));
  }

  // (a AND b) OR (a AND c) gives a AND ((a AND b) OR (a AND c)); equalities of one column become a list.
  static std::vector<ExprPtr> factored(std::vector<ExprPtr> conjuncts) {
    std::vector<ExprPtr> result;
    for (ExprPtr& conjunct : conjuncts) {
      const auto* logic = as<LogicExpr>(conjunct);
      if (logic != nullptr && logic->kind == LogicExpr::Kind::kOr) {
        std::vector<ExprPtr> common = conjuncts_of(logic->arguments[0]);
        for (const ExprPtr& argument : logic->arguments) {
          const std::vector<ExprPtr> parts = conjuncts_of(argument);
          std::erase_if(common, [&](const ExprPtr& part) {
            return std::ranges::none_of(parts, [&](const ExprPtr& other) { return is_same(part, other); });
          });
        }
        result.insert(result.end(), common.begin(), common.end());
      }
      result.push_back(std::move(conjunct));
    }
    return result;
  }
  // The same comparison of columns and constants.
  static bool is_same(const ExprPtr& a, const ExprPtr& b) {
    if (a == b) {
      return true;
    }
    const auto* left_column = as<ColumnExpr>(a);
    const auto* right_column = as<ColumnExpr>(b);
    if (left_column != nullptr && right_column != nullptr) {
      return left_column->column == right_column->column;
    }
    const auto* left_constant = as<ConstantExpr>(a);
    const auto* right_constant = as<ConstantExpr>(b);
    if (left_constant != nullptr && right_constant != nullptr) {
      return a->type == b->type && left_constant->value == right_constant->value;
    }
    const auto left = as_comparison(a);
    const auto right = as_comparison(b);
    return left && right && left->function == right->function && is_same(left->left, right->left) &&
           is_same(left->right, right->right);
  }

  LogicalPtr push_node(const LogicalPtr& plan, const ProjectNode& node, std::vector<ExprPtr> conjuncts) {
    std::map<ColumnId, ExprPtr> definitions;
    ColumnSet fixed;
    for (const ProjectedColumn& column : node.columns) {
      if (has_subquery(column.expr) || is_volatile(column.expr)) {
        fixed.insert(column.column.id);
      } else {
        definitions[column.column.id] = column.expr;
      }
    }
    std::vector<ExprPtr> below;
    std::vector<ExprPtr> above;
    for (ExprPtr& conjunct : conjuncts) {
      if (overlaps(columns_of(conjunct), fixed) || is_volatile(conjunct) || has_subquery(conjunct)) {
        above.push_back(std::move(conjunct));
      } else {
        below.push_back(substitute(conjunct, definitions));
      }
    }
    ProjectNode project = node;
    for (ProjectedColumn& column : project.columns) {
      column.expr = push_into_subqueries(column.expr);
    }
    project.input = push(node.input, std::move(below));
    return filtered(make_logical(plan->outputs, std::move(project)), std::move(above));
  }

  LogicalPtr push_node(const LogicalPtr& plan, const AggregateNode& node, std::vector<ExprPtr> conjuncts) {
    AggregateNode aggregate = node;
    std::vector<ExprPtr> below;
    if (node.grouping_sets.empty() && !node.groups.empty()) {
      std::map<ColumnId, ExprPtr> definitions;
      ColumnSet results;
      for (const ProjectedColumn& group : node.groups) {
        definitions[group.column.id] = group.expr;
      }
      for (const ProjectedColumn& column : node.aggregates) {
        results.insert(column.column.id);
      }
      for (ExprPtr& conjunct : take(conjuncts, results)) {
        if (has_subquery(conjunct)) {
          conjuncts.push_back(std::move(conjunct));
        } else {
          below.push_back(substitute(conjunct, definitions));
        }
      }
    }
    aggregate.input = push(node.input, std::move(below));
    return filtered(make_logical(plan->outputs, std::move(aggregate)), std::move(conjuncts));
  }

  LogicalPtr push_node(const LogicalPtr& plan, const SortNode& node, std::vector<ExprPtr> conjuncts) {
    SortNode sort = node;
    sort.input = push(node.input, std::move(conjuncts));
    return make_logical(plan->outputs, std::move(sort));
  }

  LogicalPtr push_node(const LogicalPtr& plan, const DistinctNode& node, std::vector<ExprPtr> conjuncts) {
    DistinctNode distinct = node;
    std::vector<ExprPtr> below;
    if (node.on.empty()) {
      below = take(conjuncts, {});
    }
    distinct.input = push(node.input, std::move(below));
    return filtered(make_logical(plan->outputs, std::move(distinct)), std::move(conjuncts));
  }

  LogicalPtr push_node(const LogicalPtr& plan, const SetOperationNode& node, std::vector<ExprPtr> conjuncts) {
    SetOperationNode operation = node;
    std::vector<ExprPtr> above;
    std::vector<ExprPtr> left;
    std::vector<ExprPtr> right;
    for (ExprPtr& conjunct : conjuncts) {
      if (is_volatile(conjunct) || has_subquery(conjunct)) {
        above.push_back(std::move(conjunct));
        continue;
      }
      left.push_back(substitute(conjunct, sources(plan, node.left_columns)));
      right.push_back(substitute(conjunct, sources(plan, node.right_columns)));
    }
    operation.left = push(node.left, std::move(left));
    operation.right = push(node.right, std::move(right));
    return filtered(make_logical(plan->outputs, std::move(operation)), std::move(above));
  }
  static std::map<ColumnId, ExprPtr> sources(const LogicalPtr& plan, const std::vector<ColumnId>& columns) {
    std::map<ColumnId, ExprPtr> definitions;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const OutputColumn& column = plan->outputs[i];
      definitions[column.id] = make_expr(column.type, ColumnExpr{columns[i], column.name});
    }
    return definitions;
  }

  LogicalPtr push_node(const LogicalPtr& plan, const WithNode& node, std::vector<ExprPtr> conjuncts) {
    WithNode with = node;
    for (WithNode::Definition& definition : with.definitions) {
      definition.plan = push(definition.plan, {});
      if (definition.recursive != nullptr) {
        definition.recursive = push(definition.recursive, {});
      }
    }
    with.body = push(node.body, std::move(conjuncts));
    return make_logical(plan->outputs, std::move(with));
  }

  LogicalPtr push_node(const LogicalPtr& plan, const JoinNode& node, std::vector<ExprPtr> conjuncts) {
    JoinNode join = node;
    const ColumnSet left = outputs_of(*node.left);
    const ColumnSet right = outputs_of(*node.right);
    join.kind = strengthened(node.kind, conjuncts, left, right);
    std::vector<ExprPtr> on = factored(conjuncts_of(push_into_subqueries(node.condition)));
    std::vector<ExprPtr> to_left;
    std::vector<ExprPtr> to_right;
    const bool keeps_left = join.kind != JoinKind::kRight && join.kind != JoinKind::kFull;
    const bool keeps_right = join.kind == JoinKind::kInner || join.kind == JoinKind::kRight;
    if (join.kind == JoinKind::kInner) {
      on.insert(on.end(), std::make_move_iterator(conjuncts.begin()), std::make_move_iterator(conjuncts.end()));
      conjuncts.clear();
      add_implied(on);
    }
    if (keeps_left) {
      to_left = take(join.kind == JoinKind::kInner ? on : conjuncts, right);
    }
    if (keeps_right) {
      to_right = take(join.kind == JoinKind::kInner ? on : conjuncts, left);
    }
    if (join.kind != JoinKind::kInner) {
      push_on(join.kind, on, left, right, to_left, to_right);
    }
    join.left = push(node.left, std::move(to_left));
    join.right = push(node.right, std::move(to_right));
    join.condition = combine_conjuncts(std::move(on));
    return filtered(make_logical(plan->outputs, std::move(join)), std::move(conjuncts));
  }

  // ON conditions of an outer, semi or anti join restrict the side whose rows it does not keep.
  static void push_on(JoinKind kind, std::vector<ExprPtr>& on, const ColumnSet& left, const ColumnSet& right,
                      std::vector<ExprPtr>& to_left, std::vector<ExprPtr>& to_right) {
    if (kind == JoinKind::kLeft || kind == JoinKind::kSemi || kind == JoinKind::kAnti) {
      std::ranges::move(take(on, left), std::back_inserter(to_right));
    }
    if (kind == JoinKind::kRight || kind == JoinKind::kSemi) {
      std::ranges::move(take(on, right), std::back_inserter(to_left));
    }
  }

  // An outer join whose NULL-extended rows the conditions above drop is a stronger join.
  static JoinKind strengthened(JoinKind kind, const std::vector<ExprPtr>& conjuncts, const ColumnSet& left,
                               const ColumnSet& right) {
    const auto rejects = [&](const ColumnSet& side) {
      return std::ranges::any_of(conjuncts, [&](const ExprPtr& conjunct) { return rejects_null(conjunct, side); });
    };
    if (kind == JoinKind::kFull) {
      const bool keeps_no_right = rejects(left);
      const bool keeps_no_left = rejects(right);
      return keeps_no_right && keeps_no_left ? JoinKind::kInner
             : keeps_no_right                ? JoinKind::kLeft
             : keeps_no_left                 ? JoinKind::kRight
                                             : kind;
    }
    if ((kind == JoinKind::kLeft && rejects(right)) || (kind == JoinKind::kRight && rejects(left))) {
      return JoinKind::kInner;
    }
    return kind;
  }

  // a = b AND a = 5 implies b = 5.
  static void add_implied(std::vector<ExprPtr>& conjuncts) {
    std::vector<ExprPtr> implied;
    for (const ExprPtr& conjunct : conjuncts) {
      const auto equality = as_comparison(conjunct);
      if (!equality || equality->op != "=" || as<ColumnExpr>(equality->left) == nullptr ||
          as<ColumnExpr>(equality->right) == nullptr || equality->left->type.oid != equality->right->type.oid) {
        continue;
      }
      for (const ExprPtr& other : conjuncts) {
        const auto known = as_comparison(other);
        if (!known || !is_cheap(known->left) || as<ConstantExpr>(known->right) == nullptr || known->op == "<>") {
          continue;
        }
        for (const auto& [from, to] :
             {std::pair(equality->left, equality->right), std::pair(equality->right, equality->left)}) {
          if (is_same(known->left, from)) {
            implied.push_back(
                make_expr(other->type, CallExpr{known->function, {to, known->right}, std::string(known->op), false}));
          }
        }
      }
    }
    for (ExprPtr& conjunct : implied) {
      const bool known = std::ranges::any_of(conjuncts, [&](const ExprPtr& other) { return is_same(other, conjunct); });
      if (!known) {
        conjuncts.push_back(std::move(conjunct));
      }
    }
  }
};

}  // namespace

LogicalPtr push_down(const LogicalPtr& plan) { return Pusher().push(plan, {}); }

}  // namespace pando::sql
