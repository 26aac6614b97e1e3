#pragma once

// QueryPrinter: the parts of one deparse_query() call, which call each other as queries nest. Internal to sql/deparse.
//
// Text is put together from pieces; a line break within it is kBreak until the end, because what was written before a
// break loses its trailing spaces then.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/deparse/deparse.h"
#include "sql/deparse/range_names.h"

namespace pando::sql {

class QueryPrinter {
 public:
  QueryPrinter(const QueryTrace& trace, const DeparseOptions& options);

  // How a query's columns are named in its text.
  struct Columns {
    // Overrides the query's own.
    const std::vector<std::string>* names = nullptr;
    // Whether somebody sees the names: then even "?column?" is written.
    bool visible = true;
    // The view's own query: `old` and `new` are names of its level.
    bool outermost = false;
  };
  std::string query(const ast::Select& select, Columns columns);

  // Whether something was met that the trace does not explain.
  bool failed() const { return failed_; }

 private:
  // --- query_printer.cc ---
  std::string with(const ast::WithClause& clause);
  std::string common_table(const ast::CommonTable& table);
  std::string body(const ast::Select& select, const Columns& columns);
  std::string core(const ast::Select& select, const ast::SelectCore& core, const Columns& columns);
  std::string targets(const ast::Select& select, const ast::SelectCore& core, const Columns& columns);
  std::vector<ExprPtr> target_values(const ast::SelectCore& core);
  std::string target(const ExprPtr& value, const std::string& name, bool visible);
  std::string whole_row(const std::string& item) const;
  std::string values(const ast::ValuesLists& lists);
  std::string named_values(const ast::Select& select, const ast::ValuesLists& lists, const Columns& columns);
  std::string group_by(const ast::SelectCore& core);
  std::string grouping_set(const ast::Expr& item, bool omit_parentheses);
  std::string tail(const ast::Select& select);
  std::string set_operation(const ast::SetOperation& operation, const Columns& columns);
  std::string set_operand(const ast::Select& operand, const Columns& columns);

  // --- from_printer.cc ---
  std::string from(const std::vector<ast::FromItemPtr>& items);
  std::string item(const ast::FromItem& item);
  std::string join(const ast::FromItem& item, const ast::FromJoin& join);
  std::string function(const ast::FromFunction& function);
  std::string alias(const ast::FromItem& item);
  std::string sample(const ast::FromItem& item);
  std::string column_aliases(const ast::FromItem& item);
  bool is_renamed_in(const ast::FromItem& item, const std::string& column) const;

  // --- expression_printer.cc ---
  std::string expr(const ast::Expr& node, bool show_implicit_cast);
  std::string sort_list(const std::vector<ast::SortBy>& keys, bool by_number, const ast::Select* select);
  std::string sort_suffix(const ast::SortBy& key) const;
  std::string sort_item(const ast::Expr& node);
  // `bound` has the offsets with their types, where a call has them.
  std::string window(const ast::WindowDefinition& definition, const WindowExpr* bound);
  std::string frame(const ast::WindowFrame& frame, const WindowExpr* bound);
  std::string column(const ColumnExpr& column);
  std::optional<std::pair<const RangeNames::Named*, std::string>> split(const ColumnExpr& column) const;
  std::string own_name(const ColumnExpr& column) const;
  std::string call(const QueryTrace::Call& call);
  std::optional<std::string> special(const ExprPtr& expr);
  ExprPtr bound(const ast::Expr& node);

  // A keyword at the start of a line.
  std::string line(std::string_view keyword, int before, int after, int extra = 0);
  std::string fail();

  const QueryTrace& trace_;
  const DeparseOptions& options_;
  PrintOptions print_;
  RangeNames names_;
  int indent_ = 0;
  bool failed_ = false;
};

// PostgreSQL's PRETTYINDENT_STD, _JOIN, _VAR and _LIMIT.
inline constexpr int kIndent = 8;
inline constexpr int kIndentJoin = 4;
inline constexpr int kIndentList = 4;
inline constexpr int kIndentMax = 40;
inline constexpr char kBreak = '\x01';

// The column that the text's last line ends at.
int last_line_length(std::string_view text);
std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ");

}  // namespace pando::sql
