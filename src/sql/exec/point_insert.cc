// PointInsert: INSERT of one row of values into a table that has at most a primary key. With ON CONFLICT DO UPDATE,
// where the row that results is the one given, whether there was one before or not.

#include <algorithm>

#include "sql/exec/point_write.h"
#include "sql/exec/row_id.h"
#include "sql/exec/table_layout.h"

namespace pando::sql::exec {
namespace {

class PointInsert final : public PointWrite {
 public:
  PointInsert(const PhysicalQuery& query, const InsertPlan& plan, const ValuesPlan& input)
      : PointWrite(query.parameter_slots),
        root_(query.root),
        plan_(plan),
        input_(input),
        layout_(plan.statement.table),
        encoder_(layout_.stored(), layout_.table().version),
        replaces_(plan.statement.on_conflict.has_value()) {}

  bool replaces() const override { return replaces_; }

 protected:
  Status prepare() override {
    PANDO_ASSIGN(given_, compile_all(input_.rows.front(), Scope(), runtime()));
    std::vector<ExprPtr> values;
    for (const Assignment& assignment : plan_.statement.values) {
      values.push_back(assignment.value);
    }
    PANDO_ASSIGN(values_, compile_all(values, Scope(plan_.input->outputs), runtime()));
    for (const types::RowColumn& column : layout_.stored()) {
      stored_slots_.push_back(layout_.live_position(column.attribute));
    }
    for (const KeyColumn& column : layout_.primary_key()) {
      key_slots_.push_back(layout_.live_position(column.attribute));
    }
    nothing_.rows = 1;
    return {};
  }

  Result<Outcome> write() override {
    if (!evaluate(given_, nothing_, input_row_) || !evaluate(values_, input_row_, row_) || breaks_not_null()) {
      return Outcome::kGeneral;
    }
    make_key();
    if (replaces_) {
      return replace();
    }
    // A key made of the transaction's own number is nobody else's.
    if (!key_slots_.empty()) {
      PANDO_ASSIGN(const auto locked, access().try_lock(key_, txn::LockStrength::kUpdate));
      if (!locked.has_value()) {
        return Outcome::kMustLock;
      }
      PANDO_ASSIGN(const txn::ReadOutcome found, access().try_get_latest(key_, existing_));
      if (found != txn::ReadOutcome::kAbsent) {
        return Outcome::kGeneral;
      }
    }
    PANDO_TRY(transaction().put(key_, encoded_row()));
    rows_affected_ = 1;
    return Outcome::kDone;
  }

 private:
  // A snapshot of an earlier statement may forbid to replace what is newer.
  Result<Outcome> replace() {
    if (transaction().isolation() != txn::Isolation::kReadCommitted) {
      return Outcome::kGeneral;
    }
    PANDO_ASSIGN(const bool replaced, access().try_replace(key_, encoded_row()));
    rows_affected_ = replaced ? 1 : 0;
    return replaced ? Outcome::kDone : Outcome::kGeneral;
  }

  Bytes encoded_row() {
    columns_.clear();
    for (const std::size_t slot : stored_slots_) {
      columns_.push_back(&row_.columns[slot]);
    }
    Bytes value;
    encoder_.encode(columns_, 0, value);
    return value;
  }

  bool breaks_not_null() const {
    for (std::size_t i = 0; i < layout_.live().size(); ++i) {
      if (layout_.table().column(layout_.live()[i]).not_null && row_.columns[i].is_null(0)) {
        return true;
      }
    }
    return false;
  }

  void make_key() {
    key_ = layout_.row_prefix();
    if (key_slots_.empty()) {
      append_row_id(key_, runtime().context);
      return;
    }
    for (std::size_t i = 0; i < key_slots_.size(); ++i) {
      const KeyColumn& column = layout_.primary_key()[i];
      types::append_key(key_, column.type.oid, row_.columns[key_slots_[i]], 0, column.order);
    }
  }

  // Keeps the plan's nodes.
  const PhysicalPtr root_;
  const InsertPlan& plan_;
  const ValuesPlan& input_;
  const TableLayout layout_;
  types::RowEncoder encoder_;
  const bool replaces_;
  // The row as the statement gives it, and as it is stored: one column per live attribute.
  std::vector<EvaluatorPtr> given_;
  std::vector<EvaluatorPtr> values_;
  std::vector<std::size_t> stored_slots_;
  std::vector<std::size_t> key_slots_;
  types::Chunk nothing_;
  types::Chunk input_row_;
  types::Chunk row_;
  Bytes existing_;
  std::vector<const types::Vector*> columns_;
};

bool has_only_primary_key(const catalog::TableDescriptor& table) {
  return std::ranges::all_of(table.indexes, &catalog::IndexDescriptor::primary) &&
         std::ranges::none_of(table.constraints, [](const catalog::ConstraintDescriptor& constraint) {
           return constraint.kind == catalog::ConstraintKind::kForeign;
         });
}

// Whether DO UPDATE leaves just the row that was to be inserted: every column that the key does not give back becomes
// that of EXCLUDED.
bool replaces_whole_row(const InsertNode& statement) {
  const ConflictClause& clause = *statement.on_conflict;
  const TableLayout layout(statement.table);
  const auto takes_proposed = [&](const Assignment& assignment) {
    const auto* const column = std::get_if<ColumnExpr>(&assignment.value->node);
    return column != nullptr && layout.find_stored(assignment.attribute) != nullptr &&
           column->column == clause.excluded[layout.live_position(assignment.attribute)].id;
  };
  return clause.update && clause.where == nullptr && !layout.primary_key().empty() &&
         clause.assignments.size() == layout.stored().size() &&
         std::ranges::all_of(layout.primary_key(),
                             [&](const KeyColumn& key) { return layout.find_stored(key.attribute) == nullptr; }) &&
         std::ranges::all_of(clause.assignments, takes_proposed);
}

}  // namespace

std::unique_ptr<PointWrite> make_point_insert(const InsertPlan& plan, const PhysicalQuery& query) {
  const auto* const input = std::get_if<ValuesPlan>(&plan.input->node);
  const InsertNode& statement = plan.statement;
  if (input == nullptr || input->rows.size() != 1 || plan.buffered || !statement.checks.empty() ||
      !statement.returning.empty() || !has_only_primary_key(*statement.table)) {
    return nullptr;
  }
  if (statement.on_conflict && !replaces_whole_row(statement)) {
    return nullptr;
  }
  return std::make_unique<PointInsert>(query, plan, *input);
}

}  // namespace pando::sql::exec
