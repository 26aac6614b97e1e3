// Window: window functions and aggregates over windows. Reads all rows, sorts them for each different PARTITION BY and
// ORDER BY, and outputs them in the order of the last one.

#include <algorithm>
#include <numeric>

#include "sql/exec/operators.h"
#include "sql/exec/row_keys.h"
#include "sql/exec/window_frame.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Vector;

namespace {

// One window function with what it needs of the input.
struct Call {
  const WindowExpr* expr = nullptr;
  types::Type result;
  std::size_t order = 0;  // which sort order
  Projection inputs;      // arguments, then the filter, then the frame's start and end offsets, then a RANGE key
  std::vector<Chunk> input_chunks;
  std::vector<Vector> results;  // by kVectorRows rows of the input
};

// Rows sorted by partition and order.
struct Order {
  RowKeys partition;
  RowKeys keys;
  std::vector<Bytes> partition_keys;  // per row
  std::vector<Bytes> order_keys;
  std::vector<uint32_t> sorted;
};

class WindowOperator final : public Operator {
 public:
  WindowOperator(const WindowPlan& plan, OperatorPtr input, Runtime& runtime)
      : plan_(plan), input_(std::move(input)), runtime_(runtime) {}

  Status prepare() {
    const Scope scope(plan_.input->outputs);
    for (const ProjectedColumn& column : plan_.windows) {
      Call call;
      call.expr = as<WindowExpr>(column.expr);
      call.result = column.column.type;
      PANDO_ASSIGN(call.order, find_order(*call.expr, scope));
      PANDO_ASSIGN(call.inputs, Projection::make(window_inputs(*call.expr), scope, runtime_));
      calls_.push_back(std::move(call));
    }
    return {};
  }

  Task<Status> open() override {
    rows_.clear();
    places_.clear();
    next_ = 0;
    for (Order& order : orders_) {
      order.partition_keys.clear();
      order.order_keys.clear();
    }
    for (Call& call : calls_) {
      call.input_chunks.clear();
      call.results.clear();
    }
    PANDO_CO_TRY(co_await input_->open());
    PANDO_CO_TRY(co_await read_input());
    for (Order& order : orders_) {
      sort(order);
    }
    for (Call& call : calls_) {
      PANDO_CO_TRY(co_await compute(call));
    }
    co_return Status();
  }

  Task<Result<bool>> next(Chunk& out) override {
    const std::size_t count = std::min(places_.size() - next_, types::kVectorRows);
    if (count == 0) {
      co_return false;
    }
    const std::vector<uint32_t>& sorted = orders_.back().sorted;
    std::vector<RowRef> refs(count);
    for (std::size_t i = 0; i < count; ++i) {
      refs[i] = places_[sorted[next_ + i]];
    }
    rows_.gather(refs.data(), count, out);
    out.rows = count;
    for (const Call& call : calls_) {
      Vector& values = out.columns.emplace_back(types::physical_of(call.result.oid));
      values.reset(count);
      for (std::size_t i = 0; i < count; ++i) {
        const uint32_t row = sorted[next_ + i];
        values.set_from(i, call.results[row / types::kVectorRows], row % types::kVectorRows);
      }
    }
    next_ += count;
    co_return true;
  }

 private:
  Result<std::size_t> find_order(const WindowExpr& expr, const Scope& scope) {
    for (std::size_t i = 0; i < order_exprs_.size(); ++i) {
      if (is_same_order(*order_exprs_[i], expr)) {
        return i;
      }
    }
    Order order;
    std::vector<SortKey> keys;
    for (const AggregateExpr::Order& key : expr.order) {
      keys.push_back({key.expr, key.descending, key.nulls_first});
    }
    PANDO_ASSIGN(order.partition, RowKeys::make(expr.partition, scope, runtime_));
    PANDO_ASSIGN(order.keys, RowKeys::make(keys, scope, runtime_));
    orders_.push_back(std::move(order));
    order_exprs_.push_back(&expr);
    return orders_.size() - 1;
  }

  static bool is_same_column(const ExprPtr& a, const ExprPtr& b) {
    const auto* left = as<ColumnExpr>(a);
    const auto* right = as<ColumnExpr>(b);
    return a == b || (left != nullptr && right != nullptr && left->column == right->column);
  }
  static bool is_same_order(const WindowExpr& a, const WindowExpr& b) {
    if (a.partition.size() != b.partition.size() || a.order.size() != b.order.size()) {
      return false;
    }
    for (std::size_t i = 0; i < a.partition.size(); ++i) {
      if (!is_same_column(a.partition[i], b.partition[i])) {
        return false;
      }
    }
    for (std::size_t i = 0; i < a.order.size(); ++i) {
      if (!is_same_column(a.order[i].expr, b.order[i].expr) || a.order[i].descending != b.order[i].descending ||
          a.order[i].nulls_first != b.order[i].nulls_first) {
        return false;
      }
    }
    return true;
  }

  Task<Status> read_input() {
    Chunk rows;
    std::size_t held = 0;
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows));
      if (!more) {
        co_return Status();
      }
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      RowRef ref = rows_.append(rows);
      for (std::size_t row = 0; row < rows.rows; ++row, ref = rows_.next(ref)) {
        places_.push_back(ref);
      }
      for (Order& order : orders_) {
        PANDO_CO_TRY(co_await order.partition.compute(rows));
        PANDO_CO_TRY(co_await order.keys.compute(rows));
        for (std::size_t row = 0; row < rows.rows; ++row) {
          order.partition_keys.emplace_back(order.partition.key(row));
          order.order_keys.emplace_back(order.keys.key(row));
          held += 2 * sizeof(Bytes) + order.partition_keys.back().size() + order.order_keys.back().size();
        }
      }
      for (Call& call : calls_) {
        PANDO_CO_TRY(co_await call.inputs.evaluate(rows, call.input_chunks.emplace_back()));
      }
      PANDO_CO_TRY(runtime_.check_unspillable(held + rows_.memory_bytes() * (1 + calls_.size()), "window function"));
    }
  }

  void sort(Order& order) {
    order.sorted.resize(places_.size());
    std::iota(order.sorted.begin(), order.sorted.end(), 0U);
    std::ranges::sort(order.sorted, [&](uint32_t a, uint32_t b) {
      if (const int by_partition = order.partition_keys[a].compare(order.partition_keys[b]); by_partition != 0) {
        return by_partition < 0;
      }
      const int by_order = order.order_keys[a].compare(order.order_keys[b]);
      return by_order != 0 ? by_order < 0 : a < b;
    });
  }

  Task<Status> compute(Call& call) {
    for (std::size_t first = 0; first < places_.size(); first += types::kVectorRows) {
      call.results.emplace_back(types::physical_of(call.result.oid))
          .reset(std::min(places_.size() - first, types::kVectorRows));
    }
    const Order& order = orders_[call.order];
    const std::vector<uint32_t> starts = chunk_starts(call.input_chunks);
    std::size_t begin = 0;
    while (begin < order.sorted.size()) {
      std::size_t end = begin + 1;
      while (end < order.sorted.size() &&
             order.partition_keys[order.sorted[end]] == order.partition_keys[order.sorted[begin]]) {
        ++end;
      }
      FramedPartition partition(*call.expr, call.input_chunks, starts, order.order_keys,
                                std::span(order.sorted).subspan(begin, end - begin), runtime_);
      PANDO_CO_TRY(compute_window(*call.expr, call.result, partition, runtime_, call.results));
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      begin = end;
    }
    co_return Status();
  }

  static std::vector<uint32_t> chunk_starts(const std::vector<Chunk>& chunks) {
    std::vector<uint32_t> starts;
    uint32_t start = 0;
    for (const Chunk& chunk : chunks) {
      starts.push_back(start);
      start += static_cast<uint32_t>(chunk.rows);
    }
    return starts;
  }

  const WindowPlan& plan_;
  OperatorPtr input_;
  Runtime& runtime_;
  std::vector<Call> calls_;
  std::vector<Order> orders_;
  std::vector<const WindowExpr*> order_exprs_;
  RowStore rows_;
  std::vector<RowRef> places_;  // of each input row
  std::size_t next_ = 0;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const WindowPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  auto window = std::make_unique<WindowOperator>(plan, std::move(input), runtime);
  PANDO_TRY(window->prepare());
  return OperatorPtr(std::move(window));
}

}  // namespace pando::sql::exec
