// PointUpdate: UPDATE ... WHERE primary key = ..., of columns that no index, check or foreign key knows.

#include <algorithm>

#include "sql/exec/point_read.h"
#include "sql/exec/point_write.h"
#include "sql/exec/table_writer.h"

namespace pando::sql::exec {
namespace {

bool is_assigned(const UpdateNode& statement, catalog::AttributeNumber attribute) {
  return std::ranges::find(statement.assignments, attribute, &Assignment::attribute) != statement.assignments.end();
}

// Whether nothing but the row itself changes with the assigned columns.
bool changes_rows_alone(const UpdateNode& statement) {
  const auto assigned = [&](catalog::AttributeNumber attribute) { return is_assigned(statement, attribute); };
  return std::ranges::none_of(statement.table->indexes,
                              [&](const catalog::IndexDescriptor& index) {
                                return !index.predicate_sql.empty() ||
                                       std::ranges::any_of(index.columns, [&](const catalog::IndexColumn& column) {
                                         return column.attribute == 0 || assigned(column.attribute);
                                       });
                              }) &&
         std::ranges::none_of(statement.table->constraints, [&](const catalog::ConstraintDescriptor& constraint) {
           return constraint.kind == catalog::ConstraintKind::kForeign &&
                  std::ranges::any_of(constraint.columns, assigned);
         });
}

class PointUpdate final : public PointWrite {
 public:
  PointUpdate(const PhysicalQuery& query, const UpdatePlan& plan, const ScanPlan& scan)
      : PointWrite(query.parameter_slots),
        root_(query.root),
        statement_(plan.statement),
        scan_(scan),
        outputs_(plan.input->outputs),
        layout_(scan.table),
        key_of_row_(layout_, scan),
        encoder_(layout_.stored(), layout_.table().version) {
    strength_ = txn::LockStrength::kNoKeyUpdate;
  }

 protected:
  Status prepare() override {
    PANDO_ASSIGN(RowReader reader, RowReader::make(layout_, scan_.attributes));
    reader_.emplace(std::move(reader));
    old_row_.rows = 1;
    old_row_.columns.resize(scan_.attributes.size());
    const Scope scope(outputs_);
    std::vector<ExprPtr> values;
    for (const types::RowColumn& column : layout_.stored()) {
      const OutputColumn& old_column = statement_.old_row[layout_.live_position(column.attribute)];
      const auto assignment = std::ranges::find(statement_.assignments, column.attribute, &Assignment::attribute);
      not_null_.push_back(layout_.table().column(column.attribute).not_null);
      values.push_back(assignment != statement_.assignments.end()
                           ? assignment->value
                           : make_expr(old_column.type, ColumnExpr{old_column.id, old_column.name}));
    }
    PANDO_ASSIGN(values_, compile_all(values, scope, runtime()));
    return {};
  }

  Result<Outcome> write() override {
    if (!key_of_row_.make(runtime().slots, key_)) {
      return Outcome::kDone;
    }
    PANDO_ASSIGN(txn::ReadOutcome found, access().try_get(key_, row_));
    if (found != txn::ReadOutcome::kFound) {
      // What is not at hand comes along with its lock.
      return found == txn::ReadOutcome::kAbsent ? Outcome::kDone : Outcome::kMustLock;
    }
    PANDO_ASSIGN(const auto locked, access().try_lock(key_, strength_));
    if (!locked.has_value()) {
      return Outcome::kMustLock;
    }
    if (locked->changed_since_snapshot) {
      if (transaction().isolation() != txn::Isolation::kReadCommitted) {
        return changed_since_snapshot(transaction());
      }
      // What the operators would do by running again: the key is all that chose the row.
      transaction().begin_statement();
      PANDO_ASSIGN(found, access().try_get(key_, row_));
      if (found != txn::ReadOutcome::kFound) {
        return found == txn::ReadOutcome::kAbsent ? Outcome::kDone : Outcome::kGeneral;
      }
    }
    return replace_row();
  }

 private:
  Result<Outcome> replace_row() {
    const ByteView key = key_;
    const ByteView row = row_;
    PANDO_TRY(reader_->read({&key, 1}, {&row, 1}, old_row_));
    if (!evaluate(values_, old_row_, new_row_)) {
      return Outcome::kGeneral;
    }
    columns_.clear();
    for (std::size_t i = 0; i < new_row_.columns.size(); ++i) {
      if (not_null_[i] && new_row_.columns[i].is_null(0)) {
        return Outcome::kGeneral;
      }
      columns_.push_back(&new_row_.columns[i]);
    }
    Bytes value;
    encoder_.encode(columns_, 0, value);
    PANDO_TRY(transaction().put(key_, std::move(value)));
    rows_affected_ = 1;
    return Outcome::kDone;
  }

  // Keeps the plan's nodes.
  const PhysicalPtr root_;
  const UpdateNode& statement_;
  const ScanPlan& scan_;
  const std::vector<OutputColumn>& outputs_;
  const TableLayout layout_;
  PointKey key_of_row_;
  types::RowEncoder encoder_;
  std::optional<RowReader> reader_;
  // One per stored column.
  std::vector<EvaluatorPtr> values_;
  std::vector<bool> not_null_;
  Bytes row_;
  types::Chunk old_row_;
  types::Chunk new_row_;
  std::vector<const types::Vector*> columns_;
};

}  // namespace

std::unique_ptr<PointWrite> make_point_update(const UpdatePlan& plan, const PhysicalQuery& query) {
  const auto* const scan = std::get_if<ScanPlan>(&plan.input->node);
  const UpdateNode& statement = plan.statement;
  if (scan == nullptr || scan->table->oid != statement.table->oid || !is_point_scan(*scan) ||
      !statement.checks.empty() || !statement.returning.empty() || !changes_rows_alone(statement)) {
    return nullptr;
  }
  return std::make_unique<PointUpdate>(query, plan, *scan);
}

}  // namespace pando::sql::exec
