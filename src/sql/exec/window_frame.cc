#include "sql/exec/window_frame.h"

#include <algorithm>

#include "sql/exec/aggregate_call.h"
#include "sql/exec/compile_node.h"
#include "types/compare.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Value;
using types::Vector;
using BoundKind = WindowExpr::BoundKind;
using FrameMode = WindowExpr::FrameMode;

namespace {

bool is_plain_range(const WindowExpr& expr) { return expr.start.offset == nullptr && expr.end.offset == nullptr; }

}  // namespace

std::vector<ExprPtr> window_inputs(const WindowExpr& expr) {
  std::vector<ExprPtr> inputs = expr.arguments;
  for (const ExprPtr& extra : {expr.filter, expr.start.offset, expr.end.offset}) {
    if (extra != nullptr) {
      inputs.push_back(extra);
    }
  }
  if (expr.mode == FrameMode::kRange && !is_plain_range(expr)) {
    inputs.push_back(expr.order.at(0).expr);
  }
  return inputs;
}

FramedPartition::FramedPartition(const WindowExpr& expr, const std::vector<Chunk>& inputs,
                                 const std::vector<uint32_t>& starts, const std::vector<Bytes>& order_keys,
                                 std::span<const uint32_t> sorted, Runtime& runtime)
    : expr_(expr), inputs_(inputs), starts_(starts), sorted_(sorted), runtime_(runtime) {
  std::size_t slot = expr.arguments.size();
  filter_slot_ = slot;
  slot += expr.filter == nullptr ? 0 : 1;
  start_slot_ = slot;
  slot += expr.start.offset == nullptr ? 0 : 1;
  end_slot_ = slot;
  slot += expr.end.offset == nullptr ? 0 : 1;
  key_slot_ = slot;
  for (std::size_t begin = 0; begin < sorted.size();) {
    std::size_t end = begin + 1;
    while (end < sorted.size() && order_keys[sorted[end]] == order_keys[sorted[begin]]) {
      ++end;
    }
    group_begin_.push_back(static_cast<uint32_t>(begin));
    for (std::size_t row = begin; row < end; ++row) {
      peers_begin_.push_back(static_cast<uint32_t>(begin));
      peers_end_.push_back(static_cast<uint32_t>(end));
      groups_.push_back(static_cast<uint32_t>(group_begin_.size() - 1));
    }
    begin = end;
  }
}

std::pair<uint32_t, uint32_t> FramedPartition::locate(uint32_t position) const {
  const auto next = std::ranges::upper_bound(starts_, position);
  const auto chunk = static_cast<uint32_t>(next - starts_.begin() - 1);
  return {chunk, position - starts_[chunk]};
}

Value FramedPartition::input(std::size_t index, std::size_t row) const {
  const auto [chunk, at] = locate(sorted_[row]);
  return inputs_[chunk].columns[index].get(at);
}

void FramedPartition::copy_argument(std::size_t index, std::size_t row, Vector& out, std::size_t to) const {
  const auto [chunk, at] = locate(sorted_[row]);
  out.set_from(to, inputs_[chunk].columns[index], at);
}

bool FramedPartition::passes_filter(std::size_t row) const {
  if (expr_.filter == nullptr) {
    return true;
  }
  const Value value = input(filter_slot_, row);
  return !value.is_null() && value.as<bool>();
}

Result<std::pair<std::size_t, std::size_t>> FramedPartition::frame(std::size_t row) {
  PANDO_ASSIGN(const std::size_t begin, bound(expr_.start, start_slot_, row, false));
  PANDO_ASSIGN(const std::size_t end, bound(expr_.end, end_slot_, row, true));
  return std::pair{begin, std::max(begin, end)};
}

bool FramedPartition::excludes(std::size_t row, std::size_t other) {
  switch (expr_.exclusion) {
    case WindowExpr::Exclusion::kNone:
      return false;
    case WindowExpr::Exclusion::kCurrentRow:
      return row == other;
    case WindowExpr::Exclusion::kGroup:
      return groups_[row] == groups_[other];
    case WindowExpr::Exclusion::kTies:
      return row != other && groups_[row] == groups_[other];
  }
  PANDO_UNREACHABLE("a frame exclusion out of range");
}

Result<std::size_t> FramedPartition::bound(const WindowExpr::Bound& bound, std::size_t offset_slot, std::size_t row,
                                           bool is_end) {
  switch (bound.kind) {
    case BoundKind::kUnboundedPreceding:
      return std::size_t{0};
    case BoundKind::kUnboundedFollowing:
      return rows();
    case BoundKind::kCurrentRow:
      if (expr_.mode == FrameMode::kRows) {
        return is_end ? row + 1 : row;
      }
      return static_cast<std::size_t>(is_end ? peers_end_[row] : peers_begin_[row]);
    case BoundKind::kPreceding:
    case BoundKind::kFollowing:
      break;
  }
  const Value offset = input(offset_slot, row);
  if (offset.is_null()) {
    return Status(sql_state::kNullValueNotAllowed, "frame {} offset must not be null", is_end ? "ending" : "starting");
  }
  if (expr_.mode == FrameMode::kRange) {
    return range_bound(offset, bound, row, is_end);
  }
  const int64_t count = offset.as<int64_t>();
  if (count < 0) {
    return Status(SqlState("22013"), "frame {} offset must not be negative", is_end ? "ending" : "starting");
  }
  const bool preceding = bound.kind == BoundKind::kPreceding;
  if (expr_.mode == FrameMode::kGroups) {
    return group_bound(count, preceding, row, is_end);
  }
  return row_bound(count, preceding, row, is_end);
}

Result<std::size_t> FramedPartition::row_bound(int64_t offset, bool preceding, std::size_t row, bool is_end) const {
  const auto at = static_cast<int64_t>(row) + (is_end ? 1 : 0);
  const auto last = static_cast<int64_t>(rows());
  if (preceding) {
    return static_cast<std::size_t>(offset > at ? 0 : at - offset);
  }
  return static_cast<std::size_t>(offset > last - at ? last : at + offset);
}

std::size_t FramedPartition::group_bound(int64_t offset, bool preceding, std::size_t row, bool is_end) const {
  const auto group = static_cast<int64_t>(groups_[row]) + (is_end ? 1 : 0);
  const auto groups = static_cast<int64_t>(group_begin_.size());
  int64_t target = 0;
  if (preceding) {
    target = offset > group ? 0 : group - offset;
  } else {
    target = offset > groups - group ? groups : group + offset;
  }
  return target >= groups ? rows() : group_begin_[static_cast<std::size_t>(target)];
}

// RANGE with an offset: the ordering column's type decides what is in range, through its in_range function. NULLs are
// peers of each other and in range of nothing else.
Result<std::size_t> FramedPartition::range_bound(const Value& offset, const WindowExpr::Bound& bound, std::size_t row,
                                                 bool is_end) {
  if (input(key_slot_, row).is_null()) {
    return static_cast<std::size_t>(is_end ? peers_end_[row] : peers_begin_[row]);
  }
  const bool preceding = bound.kind == BoundKind::kPreceding;
  const bool descending = expr_.order[0].descending;
  const bool subtract = preceding != descending;
  // The rows before the bound come first.
  std::size_t low = 0;
  std::size_t high = rows();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    bool is_before = false;
    if (input(key_slot_, middle).is_null()) {
      is_before = expr_.order[0].nulls_first;
    } else {
      // in_range(value, base, offset, subtract, less): value <= base ± offset, or >= when not less.
      PANDO_ASSIGN(const bool within, in_range(middle, row, offset, subtract, is_end != descending));
      is_before = is_end ? within : !within;
    }
    if (is_before) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Result<bool> FramedPartition::in_range(std::size_t other, std::size_t row, const Value& offset, bool subtract,
                                       bool less) {
  const ExprPtr& key = expr_.order[0].expr;
  const ExprPtr& offset_expr = expr_.start.offset != nullptr ? expr_.start.offset : expr_.end.offset;
  const Function* found = nullptr;
  for (const Function* candidate : functions_named("in_range")) {
    if (candidate->arguments.size() == 5 && candidate->arguments[0] == key->type.oid &&
        candidate->arguments[2] == offset_expr->type.oid) {
      found = candidate;
    }
  }
  if (found == nullptr || found->scalar == nullptr) {
    return Status(sql_state::kFeatureNotSupported,
                  "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {} and offset type {}",
                  types::format_type(key->type), types::format_type(offset_expr->type));
  }
  const Value values[] = {input(key_slot_, other), input(key_slot_, row), offset, Value::of_bool(subtract),
                          Value::of_bool(less)};
  std::vector<Vector> vectors;
  std::vector<const Vector*> arguments;
  std::vector<types::Type> argument_types;
  for (std::size_t i = 0; i < 5; ++i) {
    argument_types.push_back({found->arguments[i]});
    vectors.emplace_back(types::physical_of(found->arguments[i])).reset_constant(values[i], 1);
  }
  for (const Vector& vector : vectors) {
    arguments.push_back(&vector);
  }
  FunctionCall call(*found, std::move(argument_types), {types::oid::kBool}, runtime_);
  Vector result(types::Physical::kBool);
  PANDO_TRY(call.call(arguments, 1, result));
  return is_true(result, 0);
}

namespace {

void store(const Vector& values, std::size_t i, FramedPartition& partition, std::size_t row,
           std::vector<Vector>& results) {
  const uint32_t position = partition.position(row);
  results[position / types::kVectorRows].set_from(position % types::kVectorRows, values, i);
}

// An aggregate over frames. Frames that only grow at their end keep one state; others start again for each frame that
// differs from the one before.
class WindowAggregate {
 public:
  WindowAggregate(const WindowExpr& expr, types::Type result, FramedPartition& partition, Runtime& runtime)
      : expr_(expr),
        kernels_(*expr.function->aggregate),
        result_(result),
        partition_(partition),
        runtime_(runtime),
        states_(kernels_.state_size),
        value_(types::physical_of(result.oid)) {
    for (const ExprPtr& argument : expr.arguments) {
      argument_types_.push_back(argument->type);
      arguments_.emplace_back(types::physical_of(argument->type.oid));
    }
    states_.resize(1);
    kernels_.create(states_.at(0));
  }
  ~WindowAggregate() { destroy(); }
  WindowAggregate(const WindowAggregate&) = delete;
  WindowAggregate& operator=(const WindowAggregate&) = delete;

  Status compute(std::vector<Vector>& results) {
    std::size_t added_from = 0;
    std::size_t added_to = 0;
    bool fresh = true;
    bool have_value = false;
    for (std::size_t row = 0; row < partition_.rows(); ++row) {
      PANDO_ASSIGN(const auto frame, partition_.frame(row));
      const bool excludes = expr_.exclusion != WindowExpr::Exclusion::kNone;
      const bool same = have_value && !excludes && frame.first == added_from && frame.second == added_to;
      if (!same) {
        const bool grows = !excludes && !fresh && frame.first == added_from && frame.second >= added_to;
        if (!grows) {
          restart();
          added_from = frame.first;
          added_to = frame.first;
        }
        PANDO_TRY(add(row, added_to, frame.second));
        added_to = frame.second;
        fresh = false;
        PANDO_TRY(finalize());
        have_value = true;
      }
      store(value_, 0, partition_, row, results);
    }
    return {};
  }

 private:
  CallTypes types() const { return {argument_types_, result_}; }
  void destroy() {
    if (kernels_.destroy != nullptr) {
      kernels_.destroy(states_.at(0));
    }
  }
  void restart() {
    destroy();
    kernels_.create(states_.at(0));
  }

  Status add(std::size_t row, std::size_t begin, std::size_t end) {
    while (begin < end) {
      const std::size_t batch_end = std::min(end, begin + types::kVectorRows);
      for (Vector& argument : arguments_) {
        argument.reset(batch_end - begin);
      }
      std::size_t count = 0;
      for (; begin < batch_end; ++begin) {
        if (partition_.excludes(row, begin) || !partition_.passes_filter(begin)) {
          continue;
        }
        for (std::size_t i = 0; i < arguments_.size(); ++i) {
          partition_.copy_argument(i, begin, arguments_[i], count);
        }
        ++count;
      }
      PANDO_TRY(update(count));
    }
    return {};
  }

  Status update(std::size_t count) {
    if (count == 0) {
      return {};
    }
    std::vector<const Vector*> pointers;
    for (Vector& argument : arguments_) {
      argument.resize(count);
      pointers.push_back(&argument);
    }
    const std::vector<void*> states(count, states_.at(0));
    return kernels_.update(runtime_.context.evaluation, types(), states.data(), pointers, count);
  }

  Status finalize() {
    value_.reset(1);
    void* state = states_.at(0);
    return kernels_.finalize(runtime_.context.evaluation, types(), &state, 1, value_);
  }

  const WindowExpr& expr_;
  const AggregateKernels& kernels_;
  types::Type result_;
  FramedPartition& partition_;
  Runtime& runtime_;
  GroupStates states_;
  std::vector<types::Type> argument_types_;
  std::vector<Vector> arguments_;
  Vector value_;
};

}  // namespace

Status compute_window(const WindowExpr& expr, types::Type result, FramedPartition& partition, Runtime& runtime,
                      std::vector<Vector>& results) {
  if (expr.function->aggregate != nullptr) {
    return WindowAggregate(expr, result, partition, runtime).compute(results);
  }
  if (expr.function->window == nullptr) {
    return {sql_state::kFeatureNotSupported, "window function {} is not supported", expr.function->name};
  }
  std::vector<types::Type> argument_types;
  for (const ExprPtr& argument : expr.arguments) {
    argument_types.push_back(argument->type);
  }
  Vector values(types::physical_of(result.oid));
  for (std::size_t first = 0; first < partition.rows(); first += types::kVectorRows) {
    const std::size_t count = std::min(partition.rows() - first, types::kVectorRows);
    values.reset(count);
    PANDO_TRY(
        expr.function->window(runtime.context.evaluation, {argument_types, result}, partition, first, count, values));
    for (std::size_t i = 0; i < count; ++i) {
      store(values, i, partition, first + i, results);
    }
  }
  return {};
}

}  // namespace pando::sql::exec
