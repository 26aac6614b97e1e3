// Insert: writes the rows of its input. ON CONFLICT looks for an existing row first, and skips or updates it.

#include <algorithm>
#include <unordered_set>

#include "sql/exec/operators.h"
#include "sql/exec/row_reader.h"
#include "sql/exec/row_store.h"
#include "sql/exec/sequence_calls.h"
#include "sql/exec/table_writer.h"
#include "sql/plan/system_attributes.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

std::vector<ExprPtr> exprs_of(const std::vector<ProjectedColumn>& columns) {
  std::vector<ExprPtr> exprs;
  for (const ProjectedColumn& column : columns) {
    exprs.push_back(column.expr);
  }
  return exprs;
}

class InsertOperator final : public Operator {
 public:
  InsertOperator(const InsertPlan& plan, OperatorPtr input, Runtime& runtime)
      : plan_(plan), statement_(plan.statement), input_(std::move(input)), runtime_(runtime) {}

  Status prepare() {
    PANDO_ASSIGN(writer_, TableWriter::make(statement_.table, statement_.row, statement_.checks, runtime_));
    std::vector<ExprPtr> values;
    for (const Assignment& assignment : statement_.values) {
      values.push_back(assignment.value);
    }
    PANDO_ASSIGN(values_, Projection::make(values, Scope(plan_.input->outputs), runtime_));
    row_by_row_ = call_sequences_together(values);
    PANDO_ASSIGN(returning_, Projection::make(exprs_of(statement_.returning), Scope(statement_.row), runtime_));
    return statement_.on_conflict ? prepare_conflict(*statement_.on_conflict) : Status();
  }

  Task<Status> open() override {
    ended_ = false;
    batch_.rows = next_row_ = 0;
    affected_ = 0;
    touched_.clear();
    has_inserted_ = false;
    co_return co_await input_->open();
  }

  Task<Result<bool>> next(Chunk& out) override {
    out.columns.clear();
    while (!ended_) {
      PANDO_CO_ASSIGN(const bool more, co_await next_input());
      if (!more) {
        ended_ = true;
        writer_->finish();
        if (updater_ != nullptr) {
          updater_->finish();
        }
        break;
      }
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      PANDO_CO_TRY(co_await values_.evaluate(input_rows_, rows_));
      PANDO_CO_TRY(co_await write_rows());
      if (!statement_.returning.empty() && stored_.rows > 0) {
        add_system_columns();
        PANDO_CO_TRY(co_await returning_.evaluate(stored_, out));
        co_return true;
      }
    }
    co_return false;
  }

  uint64_t rows_affected() const override { return affected_; }

 private:
  // The next rows to be written in input_rows_: those of the input, or one of them when the values ask for it.
  Task<Result<bool>> next_input() {
    if (!row_by_row_) {
      co_return co_await input_->next(input_rows_);
    }
    if (next_row_ >= batch_.rows) {
      next_row_ = 0;
      PANDO_CO_ASSIGN(const bool more, co_await input_->next(batch_));
      if (!more) {
        batch_.rows = 0;
        co_return false;
      }
    }
    take_row(batch_, next_row_++, input_rows_);
    co_return true;
  }

  // xmax is 0 in a new row, and in PostgreSQL the transaction that has locked the row to update it in one that was
  // there.
  void add_system_columns() {
    for (const OutputColumn& system : statement_.row) {
      if (system.attribute > 0) {
        continue;
      }
      types::Vector column(types::Physical::kUint32);
      column.reset(stored_.rows);
      for (std::size_t row = 0; row < stored_.rows; ++row) {
        const auto updater = replaced_[row] ? runtime_.context.transaction.id().number() : 0;
        column.data<uint32_t>()[row] = system.attribute == kTableOidAttribute ? statement_.table->oid
                                       : system.attribute == kXmaxAttribute   ? static_cast<uint32_t>(updater)
                                                                              : 0;
      }
      stored_.columns.push_back(std::move(column));
    }
  }

  Status prepare_conflict(const ConflictClause& clause) {
    Scope scope;
    scope.add(clause.existing);
    scope.add(clause.excluded);
    PANDO_ASSIGN(conflict_where_, Condition::make(clause.where, scope, runtime_));
    // Columns that are not assigned keep what they have.
    std::vector<ExprPtr> values;
    const auto& live = writer_->layout().live();
    for (std::size_t i = 0; i < live.size(); ++i) {
      ExprPtr value = make_expr(clause.existing.empty() ? types::Type{} : clause.existing[i].type,
                                ColumnExpr{clause.existing.empty() ? ColumnId() : clause.existing[i].id, ""});
      for (const Assignment& assignment : clause.assignments) {
        if (assignment.attribute == live[i]) {
          value = assignment.value;
          changed_.push_back(live[i]);
        }
      }
      values.push_back(std::move(value));
    }
    if (!clause.update) {
      return {};
    }
    PANDO_ASSIGN(conflict_values_, Projection::make(values, scope, runtime_));
    PANDO_ASSIGN(RowReader reader, RowReader::make(writer_->layout(), live));
    reader_.emplace(std::move(reader));
    PANDO_ASSIGN(updater_, TableWriter::make(statement_.table, statement_.row, statement_.checks, runtime_));
    return {};
  }

  // Writes rows_ and leaves in stored_ those that RETURNING sees.
  Task<Status> write_rows() {
    std::size_t first_bad = 0;
    Status error;
    PANDO_CO_TRY(co_await writer_->prepare(rows_, first_bad, error));
    if (statement_.on_conflict) {
      co_return co_await write_or_resolve(first_bad, std::move(error));
    }
    co_return co_await insert_all(first_bad, std::move(error));
  }

  Task<Status> insert_all(std::size_t first_bad, Status error) {
    if (first_bad == 1) {
      PANDO_CO_TRY(co_await writer_->insert(0, false));
    } else {
      PANDO_CO_TRY(co_await writer_->insert_all(first_bad));
    }
    PANDO_CO_TRY(error);
    affected_ += rows_.rows;
    stored_ = rows_;
    replaced_.assign(rows_.rows, false);
    co_return Status();
  }

  Task<Status> write_or_resolve(std::size_t first_bad, Status error) {
    if (first_bad > 1) {
      PANDO_CO_TRY(co_await writer_->lock_conflicts(first_bad, statement_.on_conflict->indexes, taken_));
      if (std::ranges::find(taken_, uint8_t{1}) == taken_.end()) {
        has_inserted_ = true;
        co_return co_await insert_all(first_bad, std::move(error));
      }
    }
    RowStore stored;
    Chunk one;
    replaced_.clear();
    for (std::size_t row = 0; row < first_bad; ++row) {
      const std::vector<uint32_t> selected{static_cast<uint32_t>(row)};
      PANDO_CO_ASSIGN(const auto conflict, co_await writer_->find_conflict(row, statement_.on_conflict->indexes));
      if (!conflict) {
        PANDO_CO_TRY(co_await writer_->insert(row, false));
        has_inserted_ = true;
        select_row(rows_, selected, one);
        stored.append(one);
        replaced_.push_back(false);
        ++affected_;
      } else if (statement_.on_conflict->update) {
        select_row(rows_, selected, one);
        PANDO_CO_ASSIGN(const bool updated, co_await update_existing(conflict->row_key, one));
        if (updated) {
          stored.append(updated_row_);
          replaced_.push_back(true);
          ++affected_;
        }
      } else {
        PANDO_CO_TRY(co_await check_seen(conflict->row_key));
      }
    }
    PANDO_CO_TRY(error);
    stored_ = Chunk();
    if (!stored.chunks().empty()) {
      // At most as many rows as came in, so they fit one vector.
      std::vector<RowRef> refs;
      RowRef ref;
      for (std::size_t i = 0; i < stored.rows(); ++i, ref = stored.next(ref)) {
        refs.push_back(ref);
      }
      stored.gather(refs.data(), refs.size(), stored_);
    }
    co_return Status();
  }

  static void select_row(const Chunk& rows, const std::vector<uint32_t>& selected, Chunk& out) {
    out.rows = 1;
    out.columns.resize(rows.columns.size());
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
      types::Vector one;
      one.gather(rows.columns[i], selected.data(), 1);
      out.columns[i] = std::move(one);
    }
  }

  // DO NOTHING for a row that the transaction's snapshot does not see would be an answer it cannot explain.
  Task<Status> check_seen(Bytes row_key) {
    auto& transaction = runtime_.context.transaction;
    if (transaction.isolation() == txn::Isolation::kReadCommitted) {
      co_return Status();
    }
    PANDO_CO_ASSIGN(const auto outcome,
                    co_await transaction.lock(row_key, txn::LockStrength::kKeyShare, txn::WaitPolicy::kBlock));
    co_return outcome.changed_since_snapshot ? changed_since_snapshot(transaction) : Status();
  }

  // DO UPDATE of the row stored under `row_key`; `excluded` is the row that was to be inserted.
  Task<Result<bool>> update_existing(Bytes row_key, const Chunk& excluded) {
    auto& transaction = runtime_.context.transaction;
    PANDO_CO_ASSIGN(const auto outcome,
                    co_await transaction.lock(row_key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock));
    if (outcome.changed_since_snapshot && transaction.isolation() != txn::Isolation::kReadCommitted) {
      co_return changed_since_snapshot(transaction);
    }
    PANDO_CO_ASSIGN(const auto value, co_await transaction.get_latest(row_key));
    if (!value) {
      co_return Status(sql_state::kIndexCorrupted, "an index entry without a row in table \"{}\"",
                       statement_.table->name);
    }
    // A row that this statement's reads do not see and nobody else has committed since is one it inserted itself.
    bool own = !touched_.insert(row_key).second;
    if (!own && has_inserted_ && !outcome.changed_since_snapshot) {
      PANDO_CO_ASSIGN(const auto seen, co_await transaction.get(row_key));
      own = !seen.has_value();
    }
    if (own) {
      co_return Status(sql_state::kCardinalityViolation,
                       "ON CONFLICT DO UPDATE command cannot affect row a second time")
          .with_hint(
              "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.");
    }
    const ByteView key_view = row_key;
    const ByteView value_view = *value;
    existing_.columns.resize(writer_->layout().live().size());
    existing_.rows = 1;
    PANDO_CO_TRY(reader_->read({&key_view, 1}, {&value_view, 1}, existing_));
    Chunk both = existing_;
    both.columns.insert(both.columns.end(), excluded.columns.begin(), excluded.columns.end());
    std::vector<uint32_t> selected;
    PANDO_CO_TRY(co_await conflict_where_.select(both, selected));
    if (selected.empty()) {
      co_return false;
    }
    PANDO_CO_TRY(co_await conflict_values_.evaluate(both, updated_row_));
    std::size_t first_bad = 0;
    Status error;
    PANDO_CO_TRY(co_await updater_->prepare(updated_row_, first_bad, error));
    PANDO_CO_TRY(error);
    PANDO_CO_TRY(co_await updater_->prepare_old(existing_));
    PANDO_CO_TRY(co_await updater_->update(row_key, 0, 0));
    co_return true;
  }

  const InsertPlan& plan_;
  const InsertNode& statement_;
  OperatorPtr input_;
  Runtime& runtime_;
  std::unique_ptr<TableWriter> writer_;
  Projection values_;
  Projection returning_;

  std::unique_ptr<TableWriter> updater_;
  std::optional<RowReader> reader_;
  Condition conflict_where_;
  Projection conflict_values_;
  std::vector<catalog::AttributeNumber> changed_;
  std::unordered_set<Bytes> touched_;
  // With ON CONFLICT: which of the rows may be there, and whether any was new.
  std::vector<uint8_t> taken_;
  bool has_inserted_ = false;
  Chunk existing_;
  Chunk updated_row_;
  // Of each row in stored_, whether it was there before.
  std::vector<bool> replaced_;

  Chunk input_rows_;
  // Row by row: the input's rows, and the next of them.
  Chunk batch_;
  uint32_t next_row_ = 0;
  bool row_by_row_ = false;
  Chunk rows_;
  Chunk stored_;
  bool ended_ = false;
  uint64_t affected_ = 0;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const InsertPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  auto insert = std::make_unique<InsertOperator>(plan, std::move(input), runtime);
  PANDO_TRY(insert->prepare());
  return OperatorPtr(std::move(insert));
}

}  // namespace pando::sql::exec
