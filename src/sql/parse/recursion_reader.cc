// SEARCH and CYCLE of a recursive WITH query: columns that both terms of its UNION carry along, as the standard defines
// them and PostgreSQL computes them.
//
//   SEARCH DEPTH FIRST BY a SET s       s = ARRAY[ROW(a)], then s || ROW(a)
//   SEARCH BREADTH FIRST BY a SET s     s = ROW(0, a), then ROW(depth of s + 1, a)
//   CYCLE a SET c USING p               p = ARRAY[ROW(a)], c = false; then p || ROW(a), c = ROW(a) = ANY (p), where not
//   c

#include <utility>

#include "sql/parse/tree_reader.h"

namespace pando::parse {

using namespace ast;

namespace {

template <typename Node>
ExprPtr make(Node node) {
  return std::make_unique<Expr>(Expr::Node(std::move(node)), kNoLocation);
}

ExprPtr field_of(std::string table, std::string name) {
  return make(ColumnRef{{std::move(table), std::move(name)}, false});
}

ExprPtr call(const char* name, ExprPtr first, ExprPtr second) {
  FunctionCall function;
  function.name = {"pg_catalog", name};
  function.arguments.push_back(std::move(first));
  function.arguments.push_back(std::move(second));
  return make(std::move(function));
}

// By what name a term's FROM refers to the query itself; empty when it does not.
std::string self_name(const FromItem& item, const std::string& name) {
  if (const auto* table = std::get_if<FromTable>(&item.node)) {
    const bool is_self = table->name.schema.empty() && table->name.name == name;
    return !is_self ? "" : table->alias.has_value() ? table->alias->name : name;
  }
  if (const auto* join = std::get_if<FromJoin>(&item.node)) {
    std::string found = self_name(*join->left, name);
    return found.empty() ? self_name(*join->right, name) : found;
  }
  return "";
}

bool has_star(const SelectCore& core) {
  for (const SelectItem& item : core.items) {
    const auto* reference = std::get_if<ColumnRef>(&item.expr->node);
    const auto* access = std::get_if<IndirectionExpr>(&item.expr->node);
    if ((reference != nullptr && reference->star) ||
        (access != nullptr && access->steps.back().kind == Indirection::Kind::kStar)) {
      return true;
    }
  }
  return false;
}

// What a term that is read as a subquery is called.
constexpr const char* kWrapped = "term";

// The two terms of a recursive query.
struct Terms {
  SelectCore* first = nullptr;
  SelectCore* second = nullptr;
  const PgQuery__SelectStmt* first_node = nullptr;
  const PgQuery__SelectStmt* second_node = nullptr;
  // How the second term names the query.
  std::string self;
};

std::string term_column(const CommonTable& table, const Terms& terms, std::size_t at) {
  if (at < table.columns.size()) {
    return table.columns[at];
  }
  const SelectItem& item = terms.first->items[at];
  const auto* reference = std::get_if<ColumnRef>(&item.expr->node);
  return !item.name.empty() ? item.name : reference != nullptr && !reference->star ? reference->names.back() : "";
}

}  // namespace

class RecursionReader {
 public:
  RecursionReader(TreeReader& reader, const PgQuery__CommonTableExpr& node, CommonTable& table)
      : reader_(reader), table_(table) {
    auto* query = std::get_if<Select>(&table.query->node);
    auto* both = query == nullptr ? nullptr : std::get_if<SetOperation>(&query->body);
    if (both == nullptr || both->kind != SetOperation::Kind::kUnion) {
      return;
    }
    terms_.first = std::get_if<SelectCore>(&both->left->body);
    terms_.second = std::get_if<SelectCore>(&both->right->body);
    terms_.first_node = node.ctequery->select_stmt->larg;
    terms_.second_node = node.ctequery->select_stmt->rarg;
    for (std::size_t i = 0; terms_.second != nullptr && i < terms_.second->from.size() && terms_.self.empty(); ++i) {
      terms_.self = self_name(*terms_.second->from[i], table.name);
    }
  }

  bool usable() const { return terms_.first != nullptr && terms_.second != nullptr && !terms_.self.empty(); }
  const Terms& terms() const { return terms_; }

  // A select list with a star does not say what its columns are; the query's column list does. Then each term becomes
  //   SELECT term.a, term.b FROM (the term, with `carried` of the step before) AS term (a, b, carried)
  void wrap_stars(const std::vector<std::string>& carried) {
    if (!usable() || table_.columns.empty() || (!has_star(*terms_.first) && !has_star(*terms_.second))) {
      return;
    }
    inner_second_ = terms_.second;
    for (const std::string& name : carried) {
      terms_.second->items.push_back({field_of(terms_.self, name), name, kNoLocation});
    }
    auto& both = std::get<SetOperation>(std::get<Select>(table_.query->node).body);
    wrap(both.left, {}, terms_.first);
    wrap(both.right, carried, terms_.second);
    inner_second_ = &std::get<SelectCore>(std::get<FromSubquery>(terms_.second->from[0]->node).query->body);
    wrapped_ = true;
  }

  // A column of the step before, for the second term.
  ExprPtr before(const std::string& name) const { return field_of(wrapped_ ? kWrapped : terms_.self, name); }
  // Where rows of the step before are to be left out.
  SelectCore& joined() { return inner_second_ != nullptr ? *inner_second_ : *terms_.second; }

  // ROW(the columns' values) of a term; null when there is no such column.
  ExprPtr row(const std::vector<std::string>& columns, bool second, ExprPtr leading = nullptr) {
    if (wrapped_) {
      return wrapped_row(columns, std::move(leading));
    }
    const PgQuery__SelectStmt& node = second ? *terms_.second_node : *terms_.first_node;
    RowConstructor row;
    row.explicit_row = true;
    if (leading != nullptr) {
      row.fields.push_back(std::move(leading));
    }
    for (const std::string& wanted : columns) {
      std::size_t at = 0;
      while (at < node.n_target_list && at < terms_.first->items.size() && term_column(table_, terms_, at) != wanted) {
        ++at;
      }
      if (at == node.n_target_list || at == terms_.first->items.size()) {
        return nullptr;
      }
      // The term's own expression once more.
      row.fields.push_back(reader_.expr(node.target_list[at]->res_target->val));
    }
    return make(std::move(row));
  }

  void add(bool second, ExprPtr expr, const std::string& name) {
    (second ? terms_.second : terms_.first)->items.push_back({std::move(expr), name, kNoLocation});
  }
  // With a list of columns the new one is another of them.
  void name_column(const std::string& name) {
    if (!table_.columns.empty()) {
      added_.push_back(name);
    }
  }
  void finish() {
    table_.columns.insert(table_.columns.end(), added_.begin(), added_.end());
    added_.clear();
  }

 private:
  void wrap(std::unique_ptr<Select>& term, const std::vector<std::string>& carried, SelectCore*& core) {
    FromSubquery inner;
    inner.query = std::move(term);
    inner.alias = Alias{kWrapped, table_.columns};
    inner.alias->columns.insert(inner.alias->columns.end(), carried.begin(), carried.end());
    SelectCore outer;
    for (const std::string& name : table_.columns) {
      outer.items.push_back({field_of(kWrapped, name), name, kNoLocation});
    }
    auto item = std::make_unique<FromItem>();
    item->node = std::move(inner);
    outer.from.push_back(std::move(item));
    term = std::make_unique<Select>();
    term->body = std::move(outer);
    core = &std::get<SelectCore>(term->body);
  }

  ExprPtr wrapped_row(const std::vector<std::string>& columns, ExprPtr leading) {
    RowConstructor row;
    row.explicit_row = true;
    if (leading != nullptr) {
      row.fields.push_back(std::move(leading));
    }
    for (const std::string& name : columns) {
      row.fields.push_back(field_of(kWrapped, name));
    }
    return make(std::move(row));
  }

  TreeReader& reader_;
  CommonTable& table_;
  Terms terms_;
  std::vector<std::string> added_;
  bool wrapped_ = false;
  SelectCore* inner_second_ = nullptr;
};

void TreeReader::fail_recursion(const char* clause) {
  if (status_.ok()) {
    status_ = Status(sql_state::kSyntaxError, "a {} column is not in the column list of a recursive WITH query", clause)
                  .with_hint("Both sides of the UNION must be a SELECT that names the columns.");
  }
}

void TreeReader::add_search(const PgQuery__CommonTableExpr& node, CommonTable& table) {
  if (node.search_clause == nullptr) {
    return;
  }
  const PgQuery__CTESearchClause& clause = *node.search_clause;
  RecursionReader terms(*this, node, table);
  const std::vector<std::string> columns = string_list(clause.n_search_col_list, clause.search_col_list);
  const std::string name = clause.search_seq_column;
  terms.wrap_stars({name});
  ExprPtr first = terms.usable() ? terms.row(columns, false, nullptr) : nullptr;
  if (first == nullptr) {
    fail_recursion("search");
    return;
  }
  ExprPtr before = terms.before(name);
  if (!clause.search_breadth_first) {
    ArrayConstructor array;
    array.elements.push_back(std::move(first));
    terms.add(false, make(std::move(array)), name);
    terms.add(true, call("array_append", std::move(before), terms.row(columns, true)), name);
  } else {
    terms.add(false, terms.row(columns, false, make(Constant{IntegerLiteral{0}})), name);
    IndirectionExpr depth;
    depth.operand = std::move(before);
    Indirection& field = depth.steps.emplace_back();
    field.kind = Indirection::Kind::kField;
    field.field = "f1";
    Operation next;
    next.name = {"+"};
    next.left = make(std::move(depth));
    next.right = make(Constant{IntegerLiteral{1}});
    terms.add(true, terms.row(columns, true, make(std::move(next))), name);
  }
  terms.name_column(name);
  terms.finish();
}

void TreeReader::add_cycle(const PgQuery__CommonTableExpr& node, CommonTable& table) {
  if (node.cycle_clause == nullptr) {
    return;
  }
  const PgQuery__CTECycleClause& clause = *node.cycle_clause;
  RecursionReader terms(*this, node, table);
  const std::vector<std::string> columns = string_list(clause.n_cycle_col_list, clause.cycle_col_list);
  const std::string mark = clause.cycle_mark_column;
  const std::string path = clause.cycle_path_column;
  terms.wrap_stars({mark, path});
  ExprPtr first = terms.usable() ? terms.row(columns, false) : nullptr;
  if (first == nullptr) {
    fail_recursion("cycle");
    return;
  }
  const auto is_value = [&] { return expr(clause.cycle_mark_value); };
  const auto not_value = [&] { return expr(clause.cycle_mark_default); };
  ArrayConstructor array;
  array.elements.push_back(std::move(first));
  terms.add(false, not_value(), mark);
  terms.add(false, make(std::move(array)), path);
  ArrayComparison seen;
  seen.name = {"="};
  seen.left = terms.row(columns, true);
  seen.right = terms.before(path);
  CaseExpr choice;
  choice.whens.push_back({make(std::move(seen)), is_value(), kNoLocation});
  choice.otherwise = not_value();
  terms.add(true, make(std::move(choice)), mark);
  terms.add(true, call("array_append", terms.before(path), terms.row(columns, true)), path);
  // Rows that close a cycle are the last of their path.
  Operation open;
  open.name = {"<>"};
  open.left = field_of(terms.terms().self, mark);
  open.right = is_value();
  SelectCore& second = terms.joined();
  if (second.where == nullptr) {
    second.where = make(std::move(open));
  } else {
    Logical both;
    both.operands.push_back(std::move(second.where));
    both.operands.push_back(make(std::move(open)));
    second.where = make(std::move(both));
  }
  terms.name_column(mark);
  terms.name_column(path);
  terms.finish();
}

}  // namespace pando::parse
