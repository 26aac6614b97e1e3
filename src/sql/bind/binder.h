#pragma once

// Binder: the parts of one bind_* call, which call each other as the syntax nests. Internal to sql/bind.
//
// Expressions: expression.cc (dispatch, names, literals), operator.cc, call.cc (functions, aggregates, windows).
// Queries: select.cc, from.cc, grouping.cc, sort.cc, set_operation.cc, with.cc. Changes: insert.cc, update.cc.
// Thread-safety: none. Lifetime: one statement.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sql/ast/statement.h"
#include "sql/bind/coercion.h"
#include "sql/bind/context.h"
#include "sql/bind/grouping_sets.h"
#include "sql/bind/resolve.h"
#include "sql/bind/scope.h"
#include "sql/bind/trace.h"

namespace pando::sql {

// A query's plan and what of its outputs the query shows.
struct BoundQuery {
  LogicalPtr plan;
  std::vector<OutputColumn> columns;
  // The select list's expressions behind the columns, where known: literals among them may still get a type.
  std::vector<ExprPtr> exprs;
};

// How a select is used.
struct SelectUse {
  // Leave unknown literals of the select list to the user of the query (INSERT ... SELECT, set operations).
  bool keep_unknown = false;
  // EXISTS ignores the select list.
  bool is_exists = false;
  // A cursor's query: the keys of its tables' rows come as hidden columns, where its rows are made of such.
  bool keep_row_keys = false;
};

enum class ChangeKind : uint8_t { kInsert, kUpdate, kDelete, kMerge };

// An expression with computed columns' expressions in the place of their ids.
ExprPtr replace_computed(const ExprPtr& expr, const std::vector<ProjectedColumn>& computed);
void replace_computed(std::vector<ProjectedColumn>& columns, const std::vector<ProjectedColumn>& computed);

class Binder {
 public:
  explicit Binder(const BindOptions& options) : context_(options) {}

  BindContext& context() { return context_; }
  // Give scans the system columns: set for the second try, when the first met a reference to one.
  void use_system_columns() { system_columns_ = true; }
  struct RowKey {
    types::Oid table = 0;
    ColumnId column;
  };
  // Those that SelectUse::keep_row_keys asked for.
  const std::vector<RowKey>& row_keys() const { return row_keys_; }
  // Why a query makes a view that is not updatable, as PostgreSQL's details say it; empty when it is.
  Result<std::string> why_not_updatable(const ast::Statement& query);
  // The relations that were named, for bind_dependencies; the tables that are read, by views as well.
  const std::vector<types::Oid>& used_relations() const { return used_relations_; }
  const std::vector<types::Oid>& read_tables() const { return read_tables_; }

  // --- queries ---
  Result<BoundQuery> statement(const ast::Statement& statement, Scope* parent, SelectUse use);
  Result<BoundQuery> select(const ast::Select& select, Scope* parent, SelectUse use);
  Result<BoundQuery> insert(const ast::Insert& insert, Scope* parent);
  Result<BoundQuery> update(const ast::Update& update, Scope* parent);
  Result<BoundQuery> delete_from(const ast::Delete& statement, Scope* parent);
  Result<BoundQuery> merge(const ast::Merge& statement, Scope* parent);

  // --- expressions ---
  Result<ExprPtr> expr(const ast::Expr& node, Scope& scope);
  Result<ExprPtr> expr_in(const ast::Expr& node, Scope& scope, ExprPlace place);
  Result<ExprPtr> boolean_in(const ast::Expr& node, Scope& scope, ExprPlace place);

  // --- types and relations ---
  Result<types::Type> type(const ast::TypeName& name);
  // The domain that the name means; nullptr when it means another type.
  catalog::TypePtr domain(const ast::TypeName& name);
  Result<catalog::TablePtr> relation(const ast::RelationName& name);

  // --- table definitions ---
  // A namespace of a table's live columns with fresh ids.
  NamespaceItem table_row(const catalog::TablePtr& table, std::string name);
  // An expression kept as SQL text, over `row`; assignment-cast to `target` unless its oid is 0.
  Result<ExprPtr> stored_expr(std::string_view sql, const NamespaceItem* row, ExprPlace place, types::Type target,
                              std::string_view column);
  Result<std::vector<BoundCheck>> checks(const catalog::TablePtr& table, const NamespaceItem& row);
  // What a domain and those below it ask of a value, inner ones first.
  Status add_domain_checks(types::Oid domain, const OutputColumn& value, std::vector<BoundCheck>& checks);
  // The value, if its domain allows it; an error otherwise.
  Result<ExprPtr> checked_by_domain(ExprPtr value, types::Oid domain);
  // The default of a column, cast to its type; a typed NULL when there is none.
  Result<ExprPtr> column_default(const catalog::TablePtr& table, const catalog::ColumnDescriptor& column);
  // The generated columns, over a row of the others.
  Result<std::vector<Assignment>> generated_values(const catalog::TablePtr& table, const NamespaceItem& row);
  // 42804 'column "a" is of type integer but expression is of type text'.
  Result<ExprPtr> assign(ExprPtr value, const catalog::ColumnDescriptor& column, int position);

 private:
  friend struct ExprVisitor;

  // --- expression.cc, names.cc ---
  Result<ExprPtr> constant(const ast::Constant& node, ast::Location location);
  Result<ExprPtr> column_ref(const ast::ColumnRef& node, Scope& scope, ast::Location location);
  Result<ExprPtr> unqualified_column(const std::string& name, Scope& scope, int position);
  Result<ExprPtr> qualified_column(const ast::QualifiedName& names, Scope& scope, int position);
  // The item that `names` before the column name; scope_out is the level it was found on.
  Result<NamespaceItem*> find_item(std::string_view schema, std::string_view name, Scope& scope, Scope** scope_out,
                                   int position);
  Result<ExprPtr> item_column(NamespaceItem& item, std::string_view name, Scope& found, Scope& scope, int position,
                              bool& exists);
  Result<ExprPtr> whole_row(NamespaceItem& item, Scope& found, Scope& scope, int position);
  ExprPtr reference(const OutputColumn& column, const std::string& item, Scope& found, Scope& scope, int position);
  bool item_usable(const NamespaceItem& item, const Scope& level) const;
  Status missing_item(std::string_view schema, std::string_view name, Scope& scope, int position);
  Status missing_column(std::string_view name, Scope& scope, int position);
  Result<ExprPtr> indirection(const ast::IndirectionExpr& node, Scope& scope, ast::Location location);
  Result<ExprPtr> subscript(ExprPtr container, const std::vector<ast::Indirection>& steps, std::size_t& at,
                            Scope& scope, int position);
  Result<ExprPtr> field(ExprPtr record, const std::string& name, int position);
  // The fields of a record value, for (row).* and (row).field.
  std::optional<std::vector<std::pair<std::string, types::Type>>> record_fields(const ExprPtr& record) const;
  Result<ExprPtr> cast(const ast::Cast& node, Scope& scope, ast::Location location);
  Result<ExprPtr> array(const ast::ArrayConstructor& node, Scope& scope, std::optional<types::Type> target,
                        int position);
  Result<ExprPtr> case_expr(const ast::CaseExpr& node, Scope& scope, ast::Location location);
  Result<ExprPtr> row(const ast::RowConstructor& node, Scope& scope, ast::Location location);
  Result<std::vector<ExprPtr>> row_fields(const ast::RowConstructor& node, Scope& scope);
  Result<ExprPtr> session_value(const ast::SqlValueFunction& node, ast::Location location);
  types::Oid row_type(const ast::QualifiedName& names);
  // A value for `type`: the fields of a row constructor keep no type, for the composite type to give them one.
  Result<ExprPtr> value_for(const ast::Expr& node, types::Type type, Scope& scope, ExprPlace place);
  Result<ExprPtr> collate(const ast::Collate& node, Scope& scope, ast::Location location);
  Result<ExprPtr> common_type_list(const ast::ExprList& list, Scope& scope, std::string_view construct,
                                   std::vector<ExprPtr>& out, types::Type& type);

  // --- operator.cc ---
  // An operand of a comparison: literals in a row keep no type, for the other side to give them one.
  Result<ExprPtr> compared(const ast::Expr& node, Scope& scope);
  Result<ExprPtr> operation(const ast::Operation& node, Scope& scope, ast::Location location);
  Result<ExprPtr> row_comparison(const std::string& op, std::vector<ExprPtr> left, std::vector<ExprPtr> right,
                                 int position);
  Result<ExprPtr> array_comparison(const ast::QualifiedName& name, ExprPtr left, ExprPtr right, bool all, int position);
  Result<ExprPtr> distinct_test(const ast::DistinctTest& node, Scope& scope, ast::Location location);
  Result<ExprPtr> in_list(const ast::InList& node, Scope& scope, ast::Location location);
  Result<ExprPtr> between(const ast::Between& node, Scope& scope, ast::Location location);
  Result<ExprPtr> null_test(const ast::NullTest& node, Scope& scope, ast::Location location);
  Result<ExprPtr> null_if(const ast::NullIf& node, Scope& scope, ast::Location location);
  Result<ExprPtr> logical(const ast::Logical& node, Scope& scope, ast::Location location);
  Result<ExprPtr> boolean_test(const ast::BooleanTest& node, Scope& scope, ast::Location location);
  Result<ExprPtr> subquery(const ast::Subquery& node, Scope& scope, ast::Location location);
  Result<BoundQuery> compared_rows(BoundQuery query, std::vector<ExprPtr> left, const std::string& op, int position);
  Result<ExprPtr> compare_subquery(const ast::Subquery& node, BoundQuery query, Scope& scope, ast::Location location);

  // --- call.cc ---
  Result<ExprPtr> call(const ast::FunctionCall& node, Scope& scope, ast::Location location);
  Result<ExprPtr> scalar_call(const ast::FunctionCall& node, const FunctionChoice& choice,
                              std::vector<ExprPtr> arguments, Scope& scope, int position);
  void trace_call(ColumnId column, const ExprPtr& call, const ast::FunctionCall* node);
  Result<ExprPtr> set_call(ExprPtr call, Scope& scope, int position);
  Result<ExprPtr> aggregate_call(const ast::FunctionCall& node, const FunctionChoice& choice,
                                 std::vector<ExprPtr> arguments, std::size_t log_start, Scope& scope, int position);
  Result<ExprPtr> register_aggregate(AggregateExpr aggregate, types::Type type, const std::string& name,
                                     std::size_t log_start, Scope& scope, int position);
  Result<ExprPtr> window_call(const ast::FunctionCall& node, const FunctionChoice& choice,
                              std::vector<ExprPtr> arguments, Scope& scope, int position);
  Status check_windows(const std::vector<ast::WindowDefinition>& windows) const;
  Status window_definition(const ast::WindowDefinition& definition, Scope& scope, WindowExpr& window);
  Status window_frame(const ast::WindowFrame& frame, Scope& scope, WindowExpr& window, int position);
  Result<std::vector<ExprPtr>> place_arguments(const FunctionChoice& choice, std::vector<ExprPtr> arguments);
  Result<AggregateExpr::Order> aggregate_order(const ast::SortBy& sort, Scope& scope);
  // --- hypothetical_set.cc ---
  struct HypotheticalKey;
  static bool is_hypothetical_set(const ast::FunctionCall& node);
  Result<ExprPtr> hypothetical_set(const ast::FunctionCall& node, Scope& scope, int position);
  Result<HypotheticalKey> hypothetical_key(const ast::Expr& given, const ast::SortBy& sort, Scope& scope);
  Result<ExprPtr> count_in_group(std::vector<ExprPtr> conditions, ExprPtr distinct, std::size_t log_start, Scope& scope,
                                 int position);
  Status check_aggregate_place(const Scope& level, std::string_view what, int position);
  // The innermost query level among the references logged since `log_start`; `scope` for none.
  Scope& level_of(std::size_t log_start, Scope& scope) const;

  // --- from.cc ---
  struct FromResult {
    LogicalPtr plan;
    // What the item makes visible; the last one is the whole item.
    std::vector<NamespaceItem> items;
  };
  Result<LogicalPtr> from_list(const std::vector<ast::FromItemPtr>& items, Scope& scope);
  Result<FromResult> from_item(const ast::FromItem& item, Scope& scope);
  Result<FromResult> from_node(const ast::FromItem& item, Scope& scope);
  Result<FromResult> from_table(const ast::FromTable& table, Scope& scope, ast::Location location);
  // table_sample.cc
  Result<FromResult> sampled(const catalog::TablePtr& table, const ast::FromTable& from, Scope& scope,
                             ast::Location location);
  Status sample_of_no_table(ast::Location location) const;
  Result<ExprPtr> sample_argument(const ast::Expr& node, types::Oid type, Scope& scope);
  Result<FromResult> from_subquery(const ast::FromSubquery& subquery, Scope& scope);
  Result<FromResult> from_function(const ast::FromFunction& function, Scope& scope, ast::Location location);
  Result<FunctionScanNode::Call> function_call(const ast::Expr& call,
                                               const std::vector<ast::ColumnDefinitionItem>& columns,
                                               const std::string& alias, Scope& scope);
  LogicalPtr expand_composites(FunctionScanNode scan, NamespaceItem& item);
  Status add_out_columns(const CallExpr& function, FunctionScanNode::Call& call);
  Result<FunctionScanNode::Call> unnest_one(const ast::FunctionCall& call, const ast::Expr& argument, Scope& scope,
                                            ast::Location location);
  Result<FromResult> from_join(const ast::FromJoin& join, Scope& scope);
  Result<ExprPtr> join_condition(const ast::FromJoin& join, const FromResult& left, const FromResult& right,
                                 Scope& scope);
  Result<FromResult> finish_join(const ast::FromJoin& join, FromResult left, FromResult right, NamespaceItem merged,
                                 FromResult result);
  void make_nullable(FromResult& side);
  LogicalPtr append_columns(LogicalPtr input, const std::vector<ProjectedColumn>& columns);
  Status join_using(const ast::FromJoin& join, const std::vector<std::string>& names, FromResult& left,
                    FromResult& right, JoinNode& node, NamespaceItem& merged, std::vector<ProjectedColumn>& computed);
  Result<FromResult> scan(const catalog::TablePtr& table, const std::optional<ast::Alias>& alias, bool row_key);
  Result<FromResult> view(const catalog::TablePtr& table, const std::optional<ast::Alias>& alias);
  Status explain_later_cte(Status status, const std::string& name, const Scope& scope);
  Result<FromResult> cte_scan(CteEntry& cte, const std::optional<ast::Alias>& alias, ast::Location location);
  Status rename_columns(NamespaceItem& item, const std::optional<ast::Alias>& alias);
  Status add_items(std::vector<NamespaceItem> items, Scope& scope);

  // --- select.cc ---
  // One expression of a select list, as bound.
  struct Target {
    ExprPtr expr;
    std::string name;
    // Only for sorting or grouping.
    bool hidden = false;
    // False when only the grouping below needs it.
    bool projected = true;
    ast::Location location = ast::kNoLocation;
  };
  struct CoreState;
  Result<BoundQuery> select_core(const ast::Select& select, const ast::SelectCore& core, Scope& scope, SelectUse use);
  Result<BoundQuery> finish_core(const ast::Select& select, const ast::SelectCore& core, CoreState state, Scope& scope);
  Result<BoundQuery> select_values(const ast::Select& select, const ast::ValuesLists& lists, Scope& scope,
                                   SelectUse use);
  Result<BoundQuery> finish_values(std::vector<std::vector<ExprPtr>> rows);
  Result<std::vector<Target>> targets(const std::vector<ast::SelectItem>& items, Scope& scope, ExprPlace place);
  Status star(const ast::ColumnRef& ref, Scope& scope, ast::Location location, std::vector<Target>& out);
  Status expand_row(const ExprPtr& record, ast::Location location, std::vector<Target>& out);
  Result<LogicalPtr> limit(const ast::Select& select, LogicalPtr input, const std::vector<SortKey>& keys, Scope& scope);
  void add_row_keys(const ast::Select& select, const Scope& scope, std::vector<Target>& targets);
  static const char* lock_obstacle(const ast::SelectCore& core, bool aggregated, const Scope& scope);
  Status check_locking(const ast::Select& select, const ast::SelectCore& core, const CoreState& state,
                       const Scope& scope);
  Result<std::vector<LockRowsNode::Target>> lock_targets(const ast::Select& select, const Scope& scope);
  Status sort_clause(const std::vector<ast::SortBy>& order_by, CoreState& state, Scope& scope);
  Result<std::size_t> sort_target(const ast::Expr& node, std::vector<Target>& targets, Scope& scope, ExprPlace place);
  Result<SortKey> sort_key(const ast::SortBy& sort, ExprPtr expr);
  Result<uint32_t> group_item(const ast::Expr& item, CoreState& state, Scope& scope);
  Status check_group(const ExprPtr& group, const Scope& scope, int position);
  Status distinct(const ast::SelectCore& core, CoreState& state, Scope& scope);
  Result<LogicalPtr> project(LogicalPtr input, std::vector<Target>& targets, Scope& scope,
                             std::vector<OutputColumn>& visible, std::vector<ExprPtr>& outputs);
  OutputColumn output_of(const Target& target, const Scope& scope);
  LogicalPtr add_set_functions(LogicalPtr input, Scope& scope);
  // The name PostgreSQL gives an expression without AS; "?column?" when nothing better is known.
  std::string column_name(const ast::Expr& node);
  int name_strength(const ast::Expr& node, std::string& name);

  // --- grouping.cc ---
  Result<LogicalPtr> aggregate(CoreState& state, Scope& scope);

  // --- group_clause.cc ---
  Status group_clause(const ast::SelectCore& core, CoreState& state, Scope& scope);
  // The sets of groups that an item of GROUP BY, or of GROUPING SETS, stands for.
  Result<GroupingSets> sets_of_item(const ast::Expr& item, CoreState& state, Scope& scope);
  Result<std::vector<uint32_t>> groups_of_element(const ast::Expr& item, CoreState& state, Scope& scope);
  Result<ExprPtr> grouping_call(const ast::GroupingCall& node, Scope& scope, ast::Location location);

  // --- set_operation.cc, with.cc ---
  Result<BoundQuery> set_operation(const ast::Select& select, const ast::SetOperation& operation, Scope& scope,
                                   SelectUse use);
  Result<BoundQuery> set_operands(const ast::SetOperation& operation, BoundQuery left, BoundQuery right);
  Result<BoundQuery> convert_columns(BoundQuery query, const std::vector<types::Type>& types,
                                     std::string_view construct);
  Result<BoundQuery> order_set(const ast::Select& select, BoundQuery query, Scope& scope);
  Status with_clause(const ast::WithClause& with, Scope& scope, std::vector<WithNode::Definition>& definitions);
  Result<std::optional<WithNode::Definition>> recursive_table(const ast::CommonTable& table, Scope& scope,
                                                              std::vector<WithNode::Definition>& definitions);
  Result<BoundQuery> match_recursive_term(const ast::CommonTable& table, const BoundQuery& first, BoundQuery second);
  CteEntry* find_cte(std::string_view name, Scope& scope, Scope** found);
  BoundQuery wrap_with(std::vector<WithNode::Definition> definitions, BoundQuery query);

  // --- view_target.cc ---
  // What a statement changes: a table, named itself or through views.
  struct ChangeTarget {
    struct Level {
      catalog::TablePtr view;
      ast::StatementPtr definition;
    };
    struct Column {
      std::string name;
      catalog::AttributeNumber attribute = 0;  // of `table`; 0 when it is computed
    };
    ChangeKind kind = ChangeKind::kInsert;
    catalog::TablePtr table;
    // The views on the way, the one that the statement names first, and that one's columns.
    std::vector<Level> views;
    std::vector<Column> columns;

    const catalog::TableDescriptor& named() const { return views.empty() ? *table : *views[0].view; }
  };
  // A row of the table as the statement names it.
  struct SeenRow {
    NamespaceItem item;
    // Columns of views that are not columns of the table, over the table's row.
    std::vector<ProjectedColumn> computed;
    // What each view's WHERE asks of the row, the innermost view first; null for none.
    std::vector<ExprPtr> conditions;
  };
  Result<ChangeTarget> change_target(const ast::RelationName& name, ChangeKind kind);
  Status check_changeable(const catalog::TableDescriptor& table) const;
  Status find_view_columns(ChangeTarget& target);
  Status look_through(const ChangeTarget& target, const ChangeTarget::Level& level, SeenRow& seen);
  Result<SeenRow> seen_row(const ChangeTarget& target, NamespaceItem row);
  void add_view_checks(const ChangeTarget& target, const SeenRow& seen, std::vector<BoundCheck>& checks);
  Result<const catalog::ColumnDescriptor*> find_target_column(const ChangeTarget& target,
                                                              const ast::TargetColumn& item);
  static Status computed_column(const ChangeTarget& target, std::string_view column);
  // The rows to change. The items are the table's own row and, last, the row as the statement names it.
  Result<FromResult> target_scan(const ChangeTarget& target, const std::string& alias);

  // --- insert.cc, update.cc ---
  struct InsertTarget;
  Status bind_returning(const std::vector<ast::SelectItem>& items, Scope& scope,
                        std::vector<ProjectedColumn>& returning, std::vector<OutputColumn>& columns);
  Status insert_columns(const ast::Insert& insert, InsertTarget& target);
  Status insert_values(const ast::ValuesLists& values, InsertTarget& target, Scope& scope);
  Result<ExprPtr> inserted(const catalog::ColumnDescriptor& column, const InsertTarget& target, Scope& scope,
                           std::size_t count, const std::function<Result<ExprPtr>(std::size_t)>& given);
  Status insert_query(const ast::Insert& insert, InsertTarget& target, Scope& scope);
  Result<ExprPtr> insert_value(const ast::Expr& node, const catalog::ColumnDescriptor& column,
                               const InsertTarget& target, Scope& scope);
  static Status check_written(const InsertTarget& target, std::size_t count);
  static Status check_given(const catalog::ColumnDescriptor& column, ast::Insert::Overriding overriding);
  Result<ConflictClause> conflict(const ast::OnConflict& clause, const InsertTarget& target, const std::string& name,
                                  Scope& parent);
  Result<std::vector<types::Oid>> arbiters(const ast::OnConflict& clause, const ChangeTarget& target,
                                           const NamespaceItem& row);
  Result<bool> arbiter_fits(const catalog::IndexDescriptor& index,
                            const std::vector<catalog::AttributeNumber>& attributes, const std::vector<ExprPtr>& exprs,
                            const ast::OnConflict& clause, const NamespaceItem& row);
  Result<std::vector<Assignment>> assignments(const std::vector<ast::Assignment>& list, const ChangeTarget& target,
                                              Scope& scope);
  Result<ExprPtr> assigned_value(const ast::Expr& node, const ChangeTarget& target,
                                 const catalog::ColumnDescriptor& column, Scope& scope);
  Status assign_one(const ast::TargetColumn& item, const ast::Expr& node, const ChangeTarget& target, Scope& scope,
                    std::vector<Assignment>& out);
  Status assign_row(const ast::Assignment& assignment, const ChangeTarget& target, Scope& scope,
                    std::vector<Assignment>& out);
  Status add_assignment(const ast::TargetColumn& item, const catalog::ColumnDescriptor& column, ExprPtr value,
                        Scope& scope, std::vector<Assignment>& out);
  Result<ExprPtr> assign_element(ExprPtr container, const ast::TargetColumn& target,
                                 const catalog::ColumnDescriptor& column, ExprPtr value, Scope& scope);
  Status add_generated(const catalog::TablePtr& table, const NamespaceItem& old_row,
                       std::vector<Assignment>& assignments);
  Result<ExprPtr> current_of(const ast::CurrentOf& node, const NamespaceItem& target);
  Result<LogicalPtr> changed_rows(FromResult target, const std::vector<ast::FromItemPtr>& from, const ast::Expr* where,
                                  Scope& scope);

  // --- merge.cc ---
  struct MergeState;
  Status merge_rows(const ast::Merge& statement, Scope& scope, MergeState& state);
  Result<LogicalPtr> merge_action(const ast::Merge::When& when, int32_t number, MergeState& state, Scope& scope);
  Result<ExprPtr> merge_value(const ast::Expr& node, const catalog::ColumnDescriptor& column,
                              ast::Insert::Overriding overriding, const ChangeTarget& target, Scope& scope);
  Result<LogicalPtr> merge_insert(const ast::Merge::When& when, LogicalPtr rows, MergeState& state, Scope& scope);

  // --- json_record.cc ---
  // FROM json_to_record(...) AS t(a int, b text), json_populate_record(NULL::table, ...) and their kin; nullopt for
  // other functions.
  Result<std::optional<FromResult>> json_record(const ast::FromFunction& function, Scope& scope);
  struct JsonRecord;
  Result<JsonRecord> json_record_call(const ast::FunctionCall& call, Scope& scope);
  Status define_fields(const std::vector<ast::ColumnDefinitionItem>& columns, JsonRecord& record, int position);
  Result<ExprPtr> json_member(const JsonRecord& record, std::size_t index, const ExprPtr& object);
  Result<ExprPtr> json_elements(const JsonRecord& record);
  Result<std::optional<FromResult>> finish_json_record(const ast::FromFunction& function, const JsonRecord& record,
                                                       LogicalPtr plan, const std::vector<OutputColumn>& inputs);
  // json_populate_record(...) as a value; nullopt for other functions.
  Result<std::optional<ExprPtr>> json_record_value(const ast::FunctionCall& call, Scope& scope, int position);
  Result<ExprPtr> assign_field(const ExprPtr& container, const ast::TargetColumn& target,
                               const catalog::ColumnDescriptor& column, ExprPtr value);
  Result<ExprPtr> assign_json_element(ExprPtr container, const ast::TargetColumn& target, ExprPtr value, Scope& scope);

  BindContext context_;
  bool system_columns_ = false;
  // Tables of the query level being bound are locked: their scans give row keys.
  bool scan_row_keys_ = false;
  std::vector<RowKey> row_keys_;
  std::vector<types::Oid> used_relations_, read_tables_;
  // Names of the columns of scalar subqueries, which name the select item they are in.
  std::map<const ast::Subquery*, std::string> subquery_names_;
  // References made so far, innermost level first: which level an aggregate belongs to follows from them.
  std::vector<LoggedReference> log_;
  // The fields of columns that hold records.
  std::map<uint32_t, std::vector<std::pair<std::string, types::Type>>> record_columns_;
  int view_depth_ = 0;
};

}  // namespace pando::sql
