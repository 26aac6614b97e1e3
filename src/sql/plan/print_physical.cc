#include "sql/plan/print_physical.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/expr/walk.h"

namespace pando::sql {
namespace {

// A plan taken apart for printing in either format.
struct Entry {
  std::string type;    // "Seq Scan"
  std::string target;  // " on t", for the text form
  std::vector<std::pair<std::string, std::string>> details;
  std::vector<Entry> children;
  std::string label;  // what the child is to its parent: "CTE x", "SubPlan 1"
  const PhysicalNode* node = nullptr;
  // Runs elsewhere, where nobody measures it.
  bool moved = false;
};

std::string_view join_word(JoinKind kind) {
  switch (kind) {
    case JoinKind::kInner:
      return "";
    case JoinKind::kLeft:
      return " Left";
    case JoinKind::kRight:
      return " Right";
    case JoinKind::kFull:
      return " Full";
    case JoinKind::kSemi:
      return " Semi";
    case JoinKind::kAnti:
      return " Anti";
  }
  PANDO_UNREACHABLE("a join kind out of range");
}

class Reader {
 public:
  explicit Reader(const PrintPhysicalOptions& options) : options_(options) {}

  Entry read(const PhysicalPtr& plan) {
    Entry entry;
    entry.node = plan.get();
    std::visit([&](const auto& node) { describe(node, entry); }, plan->node);
    return entry;
  }

 private:
  std::string text(const ExprPtr& expr) const { return print_expr(expr, options_.expressions); }

  void add(Entry& entry, std::string name, const ExprPtr& expr) {
    if (expr != nullptr) {
      entry.details.emplace_back(std::move(name), "(" + text(expr) + ")");
      add_subplans(entry, expr);
    }
  }
  void add_list(Entry& entry, std::string name, const std::vector<ExprPtr>& exprs) {
    std::string list;
    for (const ExprPtr& expr : exprs) {
      list += (list.empty() ? "" : ", ") + text(expr);
      add_subplans(entry, expr);
    }
    if (!list.empty()) {
      entry.details.emplace_back(std::move(name), std::move(list));
    }
  }
  void add_keys(Entry& entry, const std::vector<SortKey>& keys) {
    std::string list;
    for (const SortKey& key : keys) {
      list += (list.empty() ? "" : ", ") + text(key.expr) + (key.descending ? " DESC" : "");
      if (key.nulls_first != key.descending) {
        list += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
      }
    }
    entry.details.emplace_back("Sort Key", std::move(list));
  }
  void add_subplans(Entry& entry, const ExprPtr& expr) {
    if (const auto* subplan = as<SubplanExpr>(expr)) {
      Entry child = read(subplan->plan->plan);
      const bool once = subplan->plan->correlation.empty() && subplan->plan->outer_parameters.empty();
      child.label = fmt::format("{} {}", once ? "InitPlan" : "SubPlan", ++subplans_);
      entry.children.push_back(std::move(child));
    }
    for_each_child(expr, [&](const ExprPtr& child) { add_subplans(entry, child); });
  }
  void add_child(Entry& entry, const PhysicalPtr& child) { entry.children.push_back(read(child)); }

  void describe(const ScanPlan& node, Entry& entry) {
    const catalog::IndexDescriptor* index =
        node.index == 0 ? node.table->primary_index() : node.table->find_index(node.index);
    const bool by_index = node.index != 0 || !node.conditions.empty() || node.reverse;
    const std::string_view kind = node.index_only ? "Index Only Scan" : "Index Scan";
    entry.type = by_index ? fmt::format("{}{}", kind, node.reverse ? " Backward" : "") : "Seq Scan";
    if (by_index && index != nullptr) {
      entry.target += " using " + quote_identifier(index->name);
    }
    entry.target += " on " + quote_identifier(node.table->name);
    if (!node.alias.empty() && node.alias != node.table->name) {
      entry.target += " " + quote_identifier(node.alias);
    }
    if (!node.conditions.empty() && index != nullptr) {
      entry.details.emplace_back("Index Cond", conditions_text(node, *index));
    }
    add(entry, "Filter", node.filter);
  }
  std::string conditions_text(const ScanPlan& node, const catalog::IndexDescriptor& index) const {
    constexpr std::size_t kShownMax = 10;
    std::string all;
    for (std::size_t i = 0; i < node.conditions.size() && i < kShownMax; ++i) {
      const KeyCondition& condition = node.conditions[i];
      std::string one;
      const auto part = [&](std::size_t column, std::string_view op, const std::string& value) {
        one += fmt::format("{}({} {}{}{})", one.empty() ? "" : " AND ", column_name(node, index, column), op,
                           value.empty() ? "" : " ", value);
      };
      for (std::size_t column = 0; column < condition.equal.size(); ++column) {
        const bool is_null = condition.equal[column] == nullptr;
        part(column, is_null ? "IS NULL" : "=", is_null ? "" : text(condition.equal[column]));
      }
      const std::size_t next = condition.equal.size();
      if (condition.lower) {
        part(next, condition.lower->inclusive ? ">=" : ">", text(condition.lower->value));
      }
      if (condition.upper) {
        part(next, condition.upper->inclusive ? "<=" : "<", text(condition.upper->value));
      }
      if (condition.not_null && !condition.lower && !condition.upper) {
        part(next, "IS NOT NULL", "");
      }
      all += (all.empty() ? "" : " OR ") + one;
    }
    if (node.conditions.size() > kShownMax) {
      all += fmt::format(" OR {} more", node.conditions.size() - kShownMax);
    }
    return "(" + all + ")";
  }
  static std::string column_name(const ScanPlan& node, const catalog::IndexDescriptor& index, std::size_t column) {
    const catalog::IndexColumn& indexed = index.columns[column];
    return indexed.attribute == 0 ? indexed.expression_sql : node.table->column(indexed.attribute).name;
  }

  void describe(const ValuesPlan& node, Entry& entry) {
    const bool is_result = node.rows.size() == 1 && node.rows[0].empty();
    entry.type = is_result ? "Result" : "Values Scan";
    entry.target = is_result ? "" : " on \"*VALUES*\"";
  }
  void describe(const ProjectPlan& node, Entry& entry) {
    // A projection is no node of its own in PostgreSQL's plans: it shows as its input.
    entry = read(node.input);
    for (const ProjectedColumn& column : node.columns) {
      add_subplans(entry, column.expr);
    }
  }
  void describe(const ProjectSetPlan& node, Entry& entry) {
    entry.type = "ProjectSet";
    add_child(entry, node.input);
  }
  void describe(const FilterPlan& node, Entry& entry) {
    entry.type = "Filter";
    add(entry, "Filter", node.predicate);
    add_child(entry, node.input);
  }
  void describe(const HashJoinPlan& node, Entry& entry) {
    entry.type = fmt::format("Hash{}{}", join_word(node.kind), " Join");
    std::string keys;
    for (std::size_t i = 0; i < node.left_keys.size(); ++i) {
      keys += fmt::format("{}({} = {})", i == 0 ? "" : " AND ", text(node.left_keys[i]), text(node.right_keys[i]));
    }
    entry.details.emplace_back("Hash Cond", node.left_keys.size() == 1 ? keys : "(" + keys + ")");
    if (node.null_aware) {
      entry.details.emplace_back("Null Aware", "true");
    }
    add(entry, "Join Filter", node.condition);
    add_child(entry, node.left);
    add_child(entry, node.right);
  }
  void describe(const NestedLoopJoinPlan& node, Entry& entry) {
    entry.type = fmt::format("Nested Loop{}{}", join_word(node.kind), node.kind == JoinKind::kInner ? "" : " Join");
    add(entry, "Join Filter", node.condition);
    add_child(entry, node.left);
    add_child(entry, node.right);
  }
  void describe(const AggregatePlan& node, Entry& entry) {
    const std::string prefix = node.parallel          ? "Parallel "
                               : node.partial         ? "Partial "
                               : !node.states.empty() ? "Finalize "
                                                      : "";
    entry.type = prefix + (node.groups.empty() ? "Aggregate" : "HashAggregate");
    std::vector<ExprPtr> groups;
    for (const ProjectedColumn& group : node.groups) {
      groups.push_back(group.expr);
    }
    add_list(entry, "Group Key", groups);
    add_child(entry, node.input);
  }
  void describe(const GatherPlan& node, Entry& entry) {
    entry.type = "Gather from Leaseholders";
    add_child(entry, node.input);
    move_away(entry.children.back());
  }
  static void move_away(Entry& entry) {
    entry.moved = true;
    std::ranges::for_each(entry.children, move_away);
  }
  void describe(const WindowPlan& node, Entry& entry) {
    entry.type = "WindowAgg";
    add_child(entry, node.input);
  }
  void describe(const SortPlan& node, Entry& entry) {
    entry.type = "Sort";
    add_keys(entry, node.keys);
    add_child(entry, node.input);
  }
  void describe(const LimitPlan& node, Entry& entry) {
    entry.type = "Limit";
    add_child(entry, node.input);
  }
  void describe(const DistinctPlan& node, Entry& entry) {
    entry.type = node.on.empty() ? "HashAggregate" : "Unique";
    add_list(entry, "Key", node.on);
    add_child(entry, node.input);
  }
  void describe(const SetOperationPlan& node, Entry& entry) {
    if (node.kind == SetOperationKind::kUnion) {
      entry.type = "Append";
    } else {
      entry.type = fmt::format("HashSetOp {}{}", node.kind == SetOperationKind::kIntersect ? "Intersect" : "Except",
                               node.all ? " All" : "");
    }
    add_child(entry, node.left);
    add_child(entry, node.right);
  }
  void describe(const FunctionScanPlan& node, Entry& entry) {
    entry.type = "Function Scan";
    std::vector<ExprPtr> calls;
    for (const FunctionScanNode::Call& call : node.calls) {
      calls.push_back(call.call);
    }
    add_list(entry, "Function Call", calls);
  }
  void describe(const WithPlan& node, Entry& entry) {
    entry = read(node.body);
    std::vector<Entry> definitions;
    for (const WithPlan::Definition& definition : node.definitions) {
      Entry child;
      if (definition.recursive != nullptr) {
        child.type = "Recursive Union";
        child.node = definition.plan.get();
        add_child(child, definition.plan);
        add_child(child, definition.recursive);
      } else {
        child = read(definition.plan);
      }
      child.label = "CTE " + quote_identifier(definition.name);
      definitions.push_back(std::move(child));
    }
    entry.children.insert(entry.children.begin(), std::make_move_iterator(definitions.begin()),
                          std::make_move_iterator(definitions.end()));
  }
  void describe(const CteScanPlan& node, Entry& entry) {
    entry.type = node.work_table ? "WorkTable Scan" : "CTE Scan";
    entry.target = " on " + quote_identifier(node.alias);
  }
  void describe(const LockRowsPlan& node, Entry& entry) {
    entry.type = "LockRows";
    add_child(entry, node.input);
  }
  void describe(const InsertPlan& node, Entry& entry) { modify(entry, "Insert", node.statement, node.input); }
  void describe(const UpdatePlan& node, Entry& entry) { modify(entry, "Update", node.statement, node.input); }
  void describe(const DeletePlan& node, Entry& entry) { modify(entry, "Delete", node.statement, node.input); }
  template <typename Statement>
  void modify(Entry& entry, std::string word, const Statement& statement, const PhysicalPtr& input) {
    entry.type = std::move(word);
    entry.target = " on " + quote_identifier(statement.table->name);
    add_child(entry, input);
  }

  const PrintPhysicalOptions& options_;
  int subplans_ = 0;
};

double milliseconds_per_loop(const MeasuredNode& measured) {
  constexpr double kNsPerMs = 1e6;
  return static_cast<double>(measured.elapsed_ns) / kNsPerMs /
         static_cast<double>(std::max<uint64_t>(measured.loops, 1));
}

std::string numbers(const Entry& entry, const PrintPhysicalOptions& options) {
  std::string text;
  if (options.costs) {
    text += fmt::format("  (cost={:.2f}..{:.2f} rows={:.0f} width=0)", entry.node->startup_cost, entry.node->cost,
                        entry.node->rows);
  }
  if (options.measured) {
    const auto measured = options.measured(*entry.node);
    if (entry.moved && (!measured || measured->loops == 0)) {
      return text;
    }
    if (!measured || measured->loops == 0) {
      return text + (text.empty() ? " " : "") + " (never executed)";
    }
    const uint64_t rows = measured->rows / measured->loops;
    text += text.empty() ? "  " : " ";
    text += options.timing ? fmt::format("(actual time=0.000..{:.3f} rows={} loops={})",
                                         milliseconds_per_loop(*measured), rows, measured->loops)
                           : fmt::format("(actual rows={} loops={})", rows, measured->loops);
  }
  return text;
}

void print_text(const Entry& entry, std::size_t indent, bool root, const PrintPhysicalOptions& options,
                std::string& out) {
  std::size_t inner = indent;
  if (!entry.label.empty()) {
    out += std::string(indent, ' ') + entry.label + "\n";
    indent += 2;
    inner = indent;
  }
  out += std::string(indent, ' ') + (root ? "" : "->  ") + entry.type + entry.target + numbers(entry, options) + "\n";
  inner += root ? 2 : 6;
  for (const auto& [name, text] : entry.details) {
    out += std::string(inner, ' ') + name + ": " + text + "\n";
  }
  for (const Entry& child : entry.children) {
    print_text(child, inner, false, options, out);
  }
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void print_json(const Entry& entry, std::size_t indent, const PrintPhysicalOptions& options, std::string& out) {
  const std::string pad(indent + 2, ' ');
  out += "{\n" + pad + "\"Node Type\": " + json_string(entry.type);
  if (!entry.target.empty()) {
    out += ",\n" + pad + "\"Target\": " + json_string(entry.target.substr(1));
  }
  if (!entry.label.empty()) {
    out += ",\n" + pad + "\"Subplan Name\": " + json_string(entry.label);
  }
  if (options.costs) {
    out += fmt::format(",\n{0}\"Startup Cost\": {1:.2f},\n{0}\"Total Cost\": {2:.2f},\n{0}\"Plan Rows\": {3:.0f}", pad,
                       entry.node->startup_cost, entry.node->cost, entry.node->rows);
  }
  if (options.measured) {
    const MeasuredNode measured = options.measured(*entry.node).value_or(MeasuredNode{});
    if (options.timing) {
      out += fmt::format(",\n{}\"Actual Total Time\": {:.3f}", pad, milliseconds_per_loop(measured));
    }
    out += fmt::format(",\n{0}\"Actual Rows\": {1},\n{0}\"Actual Loops\": {2}", pad,
                       measured.rows / std::max<uint64_t>(measured.loops, 1), measured.loops);
  }
  for (const auto& [name, text] : entry.details) {
    out += ",\n" + pad + json_string(name) + ": " + json_string(text);
  }
  if (!entry.children.empty()) {
    out += ",\n" + pad + "\"Plans\": [\n";
    for (std::size_t i = 0; i < entry.children.size(); ++i) {
      out += (i == 0 ? "" : ",\n") + pad + "  ";
      print_json(entry.children[i], indent + 4, options, out);
    }
    out += "\n" + pad + "]";
  }
  out += "\n" + std::string(indent, ' ') + "}";
}

}  // namespace

std::string print_physical(const PhysicalPtr& plan, const PrintPhysicalOptions& options) {
  std::string out;
  print_text(Reader(options).read(plan), 0, true, options, out);
  return out;
}

std::string print_physical_json(const PhysicalPtr& plan, const PrintPhysicalOptions& options) {
  std::string out = "[\n  {\n    \"Plan\": ";
  print_json(Reader(options).read(plan), 4, options, out);
  return out + "\n  }\n]";
}

}  // namespace pando::sql
