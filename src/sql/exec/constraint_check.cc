#include "sql/exec/constraint_check.h"

#include <algorithm>
#include <map>

#include "sql/exec/constraint_errors.h"
#include "sql/exec/evaluator.h"
#include "sql/exec/key_lookup.h"
#include "sql/exec/row_reader.h"

namespace pando::sql::exec {
namespace {

using catalog::ConstraintDescriptor;
using types::Value;

const ConstraintDescriptor& constraint_of(const catalog::TableDescriptor& table, types::Oid oid) {
  const auto found = std::ranges::find(table.constraints, oid, &ConstraintDescriptor::oid);
  PANDO_ASSERT(found != table.constraints.end(), "a constraint that the table does not have");
  return *found;
}

}  // namespace

class ConstraintCheck::Work {
 public:
  Work(catalog::TablePtr table, types::Oid constraint, ExecutionContext context)
      : context_(std::move(context)),
        runtime_(context_),
        layout_(std::move(table)),
        constraint_(constraint_of(layout_.table(), constraint)) {}

  Task<Result<Piece>> check(txn::Span rows, std::size_t rows_max) {
    PANDO_CO_TRY(prepare());
    const auto cursor = context_.transaction.scan(std::move(rows), {.limit_hint = rows_max});
    Piece piece;
    KeyValueBatch batch;
    while (piece.rows < rows_max) {
      PANDO_CO_TRY(co_await cursor->next(batch, std::min(types::kVectorRows, rows_max - piece.rows)));
      if (batch.size() == 0) {
        piece.next.clear();
        break;
      }
      PANDO_CO_TRY(read(batch));
      PANDO_CO_TRY(is_foreign() ? co_await check_referenced() : co_await check_condition());
      piece.rows += batch.size();
      piece.next = Bytes(batch.key(batch.size() - 1)) + '\0';
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
    }
    co_return piece;
  }

 private:
  bool is_foreign() const { return constraint_.kind == catalog::ConstraintKind::kForeign; }

  // A foreign key needs its own columns; a condition is over all of them.
  Status prepare() {
    PANDO_ASSIGN(RowReader reader, RowReader::make(layout_, is_foreign() ? constraint_.columns : layout_.live()));
    reader_.emplace(std::move(reader));
    if (is_foreign()) {
      const auto referenced = context_.catalog->find_table(constraint_.referenced_table);
      PANDO_ASSERT(referenced != nullptr, "a table that a foreign key refers to is not dropped without it");
      referenced_.emplace(referenced);
      return {};
    }
    PANDO_ASSIGN(const auto expressions, context_.table_expressions->expressions(layout_.table_ptr()));
    const auto check = std::ranges::find_if(expressions->checks, [&](const BoundCheck& each) {
      return each.kind == BoundCheck::Kind::kConstraint && each.name == constraint_.name;
    });
    PANDO_ASSERT(check != expressions->checks.end(), "a table's checks are among its expressions");
    PANDO_ASSIGN(condition_, Projection::make({check->condition}, Scope(expressions->row), runtime_));
    return {};
  }

  Status read(const KeyValueBatch& batch) {
    keys_.clear();
    values_.clear();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      keys_.push_back(batch.key(i));
      values_.push_back(batch.value(i));
    }
    rows_ = {};
    rows_.columns.resize(is_foreign() ? constraint_.columns.size() : layout_.live().size());
    rows_.rows = batch.size();
    return reader_->read(keys_, values_, rows_);
  }

  Task<Status> check_condition() {
    types::Chunk holds;
    PANDO_CO_TRY(co_await condition_.evaluate(rows_, holds));
    const types::Vector& column = holds.columns.front();
    for (std::size_t row = 0; row < rows_.rows; ++row) {
      if (!column.is_null(row) && column.at<uint8_t>(row) == 0) {
        co_return violated_by_some_row(layout_.table(), constraint_, runtime_);
      }
    }
    co_return Status();
  }

  // Each key that the rows name is looked up once.
  Task<Status> check_referenced() {
    std::map<Bytes, std::size_t> named;
    for (std::size_t row = 0; row < rows_.rows; ++row) {
      const auto nulls = std::ranges::count_if(rows_.columns, [&](const auto& column) { return column.is_null(row); });
      if (nulls == 0) {
        PANDO_CO_ASSIGN(Bytes key, referenced_key(row));
        named.emplace(std::move(key), row);
      } else if (constraint_.match_full && static_cast<std::size_t>(nulls) < rows_.columns.size()) {
        co_return mixes_nulls(layout_.table(), constraint_, runtime_);
      }
    }
    std::vector<Bytes> keys;
    for (const auto& [key, row] : named) {
      keys.push_back(key);
    }
    std::vector<uint32_t> positions;
    PANDO_CO_TRY(co_await context_.transaction.get_many(keys, found_, positions));
    for (uint32_t i = 0; i < keys.size(); ++i) {
      if (i >= positions.size() || positions[i] != i) {
        co_return lacks_referenced_row(layout_.table(), referenced_->table(), constraint_, values_of(named.at(keys[i])),
                                       runtime_);
      }
    }
    co_return Status();
  }

  std::vector<Value> values_of(std::size_t row) const {
    std::vector<Value> values;
    for (const types::Vector& column : rows_.columns) {
      values.push_back(column.get(row));
    }
    return values;
  }

  Result<Bytes> referenced_key(std::size_t row) {
    const auto key = convert_key(values_of(row), {layout_.table(), constraint_.columns},
                                 {referenced_->table(), constraint_.referenced_columns}, runtime_);
    if (!key.has_value()) {
      return lacks_referenced_row(layout_.table(), referenced_->table(), constraint_, values_of(row), runtime_);
    }
    return key_in_index(*referenced_, constraint_.index, constraint_.referenced_columns, *key);
  }

  ExecutionContext context_;
  Runtime runtime_;
  const TableLayout layout_;
  const ConstraintDescriptor& constraint_;
  std::optional<TableLayout> referenced_;
  std::optional<RowReader> reader_;
  Projection condition_;
  std::vector<ByteView> keys_;
  std::vector<ByteView> values_;
  types::Chunk rows_;
  KeyValueBatch found_;
};

ConstraintCheck::ConstraintCheck(catalog::TablePtr table, types::Oid constraint, ExecutionContext context)
    : work_(std::make_unique<Work>(std::move(table), constraint, std::move(context))) {}

ConstraintCheck::~ConstraintCheck() = default;

Task<Result<ConstraintCheck::Piece>> ConstraintCheck::check(txn::Span rows, std::size_t rows_max) {
  return work_->check(std::move(rows), rows_max);
}

}  // namespace pando::sql::exec
