// SetOperation: UNION ALL passes both inputs on (UNION is a Distinct above it); INTERSECT and EXCEPT count the right
// side's rows by key and decide each left row by its count.

#include "sql/exec/key_table.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_keys.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

std::vector<uint32_t> slots_of(const PhysicalPtr& plan, const std::vector<ColumnId>& columns) {
  const Scope scope(plan->outputs);
  std::vector<uint32_t> slots;
  for (const ColumnId column : columns) {
    slots.push_back(*scope.find(column));
  }
  return slots;
}

class SetOperationOperator final : public Operator {
 public:
  SetOperationOperator(const SetOperationPlan& plan, OperatorPtr left, OperatorPtr right, RowKeys keys,
                       Runtime& runtime)
      : plan_(plan),
        left_(std::move(left)),
        right_(std::move(right)),
        keys_(std::move(keys)),
        runtime_(runtime),
        left_slots_(slots_of(plan.left, plan.left_columns)),
        right_slots_(slots_of(plan.right, plan.right_columns)) {}

  Task<Status> open() override {
    table_.clear();
    counts_.clear();
    in_right_ = false;
    if (plan_.kind != SetOperationKind::kUnion) {
      PANDO_CO_TRY(co_await count_right());
    }
    co_return co_await left_->open();
  }

  Task<Result<bool>> next(Chunk& out) override {
    if (plan_.kind == SetOperationKind::kUnion) {
      co_return co_await next_of_union(out);
    }
    Chunk rows;
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await read(*left_, left_slots_, rows));
      if (!more) {
        co_return false;
      }
      PANDO_CO_TRY(co_await keys_.compute(rows));
      selected_.clear();
      for (uint32_t row = 0; row < rows.rows; ++row) {
        if (passes(row)) {
          selected_.push_back(row);
        }
      }
      if (!selected_.empty()) {
        gather(rows, selected_, out);
        co_return true;
      }
    }
  }

 private:
  struct Count {
    uint64_t right = 0;
    bool output = false;
  };

  Task<Result<bool>> read(Operator& input, const std::vector<uint32_t>& slots, Chunk& out) {
    PANDO_CO_ASSIGN(const bool more, co_await input.next(input_rows_));
    if (!more) {
      co_return false;
    }
    if (runtime_.should_yield()) {
      PANDO_CO_TRY(co_await runtime_.pause());
    }
    out.rows = input_rows_.rows;
    out.columns.clear();
    for (const uint32_t slot : slots) {
      out.columns.push_back(input_rows_.columns[slot]);
    }
    co_return true;
  }

  Task<Result<bool>> next_of_union(Chunk& out) {
    if (!in_right_) {
      PANDO_CO_ASSIGN(const bool more, co_await read(*left_, left_slots_, out));
      if (more) {
        co_return true;
      }
      in_right_ = true;
      PANDO_CO_TRY(co_await right_->open());
    }
    co_return co_await read(*right_, right_slots_, out);
  }

  Task<Status> count_right() {
    PANDO_CO_TRY(co_await right_->open());
    Chunk rows;
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await read(*right_, right_slots_, rows));
      if (!more) {
        co_return Status();
      }
      PANDO_CO_TRY(co_await keys_.compute(rows));
      for (std::size_t row = 0; row < rows.rows; ++row) {
        ++count_of(row).right;
      }
      PANDO_CO_TRY(runtime_.check_unspillable(table_.memory_bytes(), "set operation"));
    }
  }

  Count& count_of(std::size_t row) {
    bool added = false;
    const uint32_t number = table_.find_or_add(keys_, row, added);
    if (added) {
      counts_.emplace_back();
    }
    return counts_[number];
  }

  bool passes(std::size_t row) {
    Count& count = count_of(row);
    const bool wanted = plan_.kind == SetOperationKind::kIntersect;
    if (!plan_.all) {
      const bool first = !std::exchange(count.output, true);
      return first && (count.right > 0) == wanted;
    }
    const bool matched = count.right > 0;
    count.right -= matched ? 1 : 0;
    return matched == wanted;
  }

  const SetOperationPlan& plan_;
  OperatorPtr left_;
  OperatorPtr right_;
  RowKeys keys_;
  Runtime& runtime_;
  std::vector<uint32_t> left_slots_;
  std::vector<uint32_t> right_slots_;
  KeyTable table_;
  std::vector<Count> counts_;
  Chunk input_rows_;
  std::vector<uint32_t> selected_;
  bool in_right_ = false;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode& node, const SetOperationPlan& plan, Runtime& runtime) {
  PANDO_ASSERT(plan.kind != SetOperationKind::kUnion || plan.all, "UNION is planned as a Distinct over UNION ALL");
  PANDO_ASSIGN(OperatorPtr left, build(plan.left, runtime));
  PANDO_ASSIGN(OperatorPtr right, build(plan.right, runtime));
  std::vector<ExprPtr> keys;
  for (const OutputColumn& column : node.outputs) {
    keys.push_back(make_expr(column.type, ColumnExpr{column.id, column.name}));
  }
  RowKeys row_keys;
  if (plan.kind != SetOperationKind::kUnion) {
    PANDO_ASSIGN(row_keys, RowKeys::make_equality(keys, Scope(node.outputs), runtime));
  }
  return OperatorPtr(
      std::make_unique<SetOperationOperator>(plan, std::move(left), std::move(right), std::move(row_keys), runtime));
}

}  // namespace pando::sql::exec
