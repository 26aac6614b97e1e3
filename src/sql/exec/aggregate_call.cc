#include "sql/exec/aggregate_call.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/codec.h"
#include "sql/exec/compile_node.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Vector;

namespace {

// Aggregates whose result shows the order of their input. PostgreSQL computes DISTINCT by sorting, so theirs is sorted.
constexpr std::array<std::string_view, 10> kOrderShowing = {
    "array_agg",        "string_agg", "json_agg",        "jsonb_agg",        "json_object_agg",
    "jsonb_object_agg", "xmlagg",     "json_agg_strict", "jsonb_agg_strict", "array_agg_array"};

bool shows_order(const Function& function) {
  return std::ranges::find(kOrderShowing, function.name) != kOrderShowing.end();
}

}  // namespace

void GroupStates::resize(std::size_t groups) {
  while (blocks_.size() * kGroupsPerBlock < groups) {
    const std::size_t bytes = std::max<std::size_t>(kGroupsPerBlock * stride_, 1);
    blocks_.emplace_back(static_cast<char*>(::operator new[](bytes, kAlignment)));
  }
}

Result<AggregateCall> AggregateCall::make(const AggregateExpr& expr, types::Type result, const ExprPtr& states,
                                          const Scope& scope, Runtime& runtime) {
  AggregateCall call(runtime);
  call.function_ = expr.function;
  call.result_ = result;
  call.portable_ = portable_state_of(*expr.function);
  if (expr.function->aggregate == nullptr) {
    return Status(sql_state::kFeatureNotSupported, "aggregate function {} is not supported", expr.function->name);
  }
  std::vector<ExprPtr> arguments = expr.arguments;
  std::vector<SortKey> order;
  for (const AggregateExpr::Order& key : expr.order) {
    order.push_back({key.expr, key.descending, key.nulls_first});
  }
  if (expr.function->ordered_set) {
    for (std::size_t i = 0; i < expr.order.size(); ++i) {
      arguments.push_back(expr.order[i].expr);
    }
  }
  for (const ExprPtr& argument : arguments) {
    call.argument_types_.push_back(argument->type);
  }
  call.field_names_ = field_names_of(arguments);
  call.distinct_ = expr.distinct && !expr.function->distinct_insensitive;
  call.ordered_ = !expr.order.empty() || (call.distinct_ && shows_order(*expr.function));
  if (call.ordered_ && call.distinct_) {
    // Equal arguments come together: the rest of the arguments breaks ties.
    for (const ExprPtr& argument : arguments) {
      order.push_back({argument, false, false});
    }
  }
  if (states != nullptr) {
    PANDO_ASSERT(call.portable_ != nullptr, "states that were sent can be read");
    call.combines_ = true;
    PANDO_ASSIGN(call.arguments_, Projection::make({states}, scope, runtime));
    return call;
  }
  PANDO_ASSIGN(call.arguments_, Projection::make(arguments, scope, runtime));
  PANDO_ASSIGN(call.filter_, Condition::make(expr.filter, scope, runtime));
  if (call.ordered_) {
    PANDO_ASSIGN(call.order_, RowKeys::make(order, scope, runtime));
  }
  if (call.distinct_) {
    PANDO_ASSIGN(call.identity_, RowKeys::make_equality(arguments, scope, runtime));
  }
  return call;
}

bool AggregateCall::is_mergeable() const {
  return kernels().combine != nullptr && !distinct_ && !ordered_ && !shows_order(*function_);
}

Task<Status> AggregateCall::update(const Chunk& rows, const uint32_t* groups, char* const* row_states,
                                   GroupStates& states) {
  if (combines_) {
    return combine_rows(rows, row_states, states);
  }
  if (filter_.always() && !distinct_ && !ordered_) {
    return update_plain(rows, row_states, states);
  }
  return update_some(rows, groups, states);
}

// Without FILTER, DISTINCT and ORDER BY: every row goes straight to the kernel.
Task<Status> AggregateCall::update_plain(const Chunk& rows, char* const* row_states, GroupStates& states) {
  if (rows.rows == 0) {
    co_return Status();
  }
  PANDO_CO_TRY(co_await arguments_.evaluate(rows, plain_arguments_));
  argument_pointers_.clear();
  for (const Vector& argument : plain_arguments_.columns) {
    argument_pointers_.push_back(&argument);
  }
  if (row_states == nullptr && kernels().update_one != nullptr) {
    co_return run_kernel(rows.rows, static_cast<char*>(states.at(0)) + offset_);
  }
  state_pointers_.resize(rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    state_pointers_[row] = (row_states == nullptr ? static_cast<char*>(states.at(0)) : row_states[row]) + offset_;
  }
  co_return run_kernel(rows.rows, nullptr);
}

Task<Status> AggregateCall::combine_rows(const Chunk& rows, char* const* row_states, GroupStates& states) {
  PANDO_CO_TRY(co_await arguments_.evaluate(rows, plain_arguments_));
  const Vector& saved = plain_arguments_.columns[0];
  const std::unique_ptr<char, GroupStates::Free> scratch(
      static_cast<char*>(::operator new[](kernels().state_size, GroupStates::kAlignment)));
  for (std::size_t row = 0; row < rows.rows; ++row) {
    char* const into = (row_states == nullptr ? static_cast<char*>(states.at(0)) : row_states[row]) + offset_;
    const std::size_t before = kernels().memory_bytes == nullptr ? 0 : kernels().memory_bytes(into);
    kernels().create(scratch.get());
    Status status(sql_state::kDataCorrupted, "the state of a partial aggregate cannot be read");
    if (portable_->load(scratch.get(), saved.bytes_at(row))) {
      status = kernels().combine(runtime_->context.evaluation, call_types(), into, scratch.get());
    }
    if (kernels().destroy != nullptr) {
      kernels().destroy(scratch.get());
    }
    PANDO_CO_TRY(std::move(status));
    state_bytes_ += (kernels().memory_bytes == nullptr ? 0 : kernels().memory_bytes(into)) - before;
  }
  co_return runtime_->check_unspillable(memory_bytes(), "aggregate");
}

// Over argument_pointers_: all rows to one state, or each to its own of state_pointers_. What states hold outside
// themselves is counted, by how much those that were touched have grown.
Status AggregateCall::run_kernel(std::size_t rows, void* only_state) {
  const auto measure = kernels().memory_bytes;
  if (measure != nullptr) {
    touched_.assign(1, only_state);
    if (only_state == nullptr) {
      touched_.assign(state_pointers_.begin(), state_pointers_.begin() + static_cast<std::ptrdiff_t>(rows));
      std::ranges::sort(touched_);
      const auto repeated = std::ranges::unique(touched_);
      touched_.erase(repeated.begin(), repeated.end());
    }
    for (const void* state : touched_) {
      state_bytes_ -= measure(state);
    }
  }
  EvaluationContext& evaluation = runtime_->context.evaluation;
  Status status = only_state != nullptr
                      ? kernels().update_one(evaluation, call_types(), only_state, argument_pointers_, rows)
                      : kernels().update(evaluation, call_types(), state_pointers_.data(), argument_pointers_, rows);
  if (measure == nullptr) {
    return status;
  }
  for (const void* state : touched_) {
    state_bytes_ += measure(state);
  }
  return status.ok() ? runtime_->check_unspillable(memory_bytes(), "aggregate") : std::move(status);
}

Task<Status> AggregateCall::update_some(const Chunk& rows, const uint32_t* groups, GroupStates& states) {
  std::vector<uint32_t> row_groups;
  if (groups != nullptr) {
    row_groups.assign(groups, groups + rows.rows);
  }
  if (filter_.always() && !distinct_) {
    co_return co_await add(rows, std::move(row_groups), states);
  }
  std::vector<uint32_t> selected;
  PANDO_CO_TRY(co_await filter_.select(rows, selected));
  if (distinct_) {
    Chunk passed;
    gather(rows, selected, passed);
    PANDO_CO_TRY(co_await identity_.compute(passed));
    if (row_groups.empty()) {
      row_groups.assign(rows.rows, 0);
    }
    drop_seen(row_groups, selected);
  }
  Chunk passed;
  gather(rows, selected, passed);
  for (std::size_t i = 0; !row_groups.empty() && i < selected.size(); ++i) {
    row_groups[i] = row_groups[selected[i]];
  }
  row_groups.resize(row_groups.empty() ? 0 : selected.size());
  co_return co_await add(passed, std::move(row_groups), states);
}

void AggregateCall::drop_seen(const std::vector<uint32_t>& groups, std::vector<uint32_t>& selected) {
  std::size_t kept = 0;
  Bytes key;
  for (std::size_t i = 0; i < selected.size(); ++i) {
    key.clear();
    put_fixed32(key, groups[selected[i]]);
    if (identity_.is_word()) {
      put_fixed64(key, identity_.word(i));
      key.push_back(static_cast<char>(identity_.null_mask(i)));
    } else {
      key.append(identity_.key(i));
    }
    bool added = false;
    seen_.find_or_add(key, added);
    if (added) {
      selected[kept++] = selected[i];
    }
  }
  selected.resize(kept);
}

Task<Status> AggregateCall::add(const Chunk& rows, std::vector<uint32_t> groups, GroupStates& states) {
  if (rows.rows == 0) {
    co_return Status();
  }
  Chunk arguments;
  PANDO_CO_TRY(co_await arguments_.evaluate(rows, arguments));
  if (ordered_) {
    co_return co_await keep(rows, groups, arguments);
  }
  co_return feed(arguments, rows.rows, groups, states);
}

Task<Status> AggregateCall::keep(const Chunk& rows, const std::vector<uint32_t>& groups, const Chunk& arguments) {
  PANDO_CO_TRY(co_await order_.compute(rows));
  RowRef ref = kept_.append(arguments);
  std::size_t bytes = 0;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    bytes += order_.key(row).size();
  }
  char* place = kept_keys_.emplace_back(std::make_unique_for_overwrite<char[]>(std::max<std::size_t>(bytes, 1))).get();
  kept_keys_bytes_ += bytes + rows.rows * sizeof(Kept);
  for (std::size_t row = 0; row < rows.rows; ++row, ref = kept_.next(ref)) {
    const ByteView key = order_.key(row);
    std::memcpy(place, key.data(), key.size());
    kept_rows_.push_back({groups.empty() ? 0 : groups[row], {place, key.size()}, ref});
    place += key.size();
  }
  co_return runtime_->check_unspillable(memory_bytes(), "sorted aggregate");
}

Task<Status> AggregateCall::finish(GroupStates& states) {
  // Ties keep the order of arrival.
  std::ranges::sort(kept_rows_, [](const Kept& a, const Kept& b) {
    return std::tie(a.group, a.key, a.arguments.chunk, a.arguments.row) <
           std::tie(b.group, b.key, b.arguments.chunk, b.arguments.row);
  });
  std::vector<RowRef> refs;
  std::vector<uint32_t> groups;
  Chunk arguments;
  for (std::size_t first = 0; first < kept_rows_.size(); first += types::kVectorRows) {
    const std::size_t count = std::min(kept_rows_.size() - first, types::kVectorRows);
    refs.clear();
    groups.clear();
    for (std::size_t i = 0; i < count; ++i) {
      refs.push_back(kept_rows_[first + i].arguments);
      groups.push_back(kept_rows_[first + i].group);
    }
    kept_.gather(refs.data(), count, arguments);
    if (runtime_->should_yield()) {
      PANDO_CO_TRY(co_await runtime_->pause());
    }
    PANDO_CO_TRY(feed(arguments, count, groups, states));
  }
  co_return Status();
}

Status AggregateCall::feed(const Chunk& arguments, std::size_t rows, const std::vector<uint32_t>& groups,
                           GroupStates& states) {
  argument_pointers_.clear();
  for (const Vector& argument : arguments.columns) {
    argument_pointers_.push_back(&argument);
  }
  if (groups.empty() && kernels().update_one != nullptr) {
    return run_kernel(rows, static_cast<char*>(states.at(0)) + offset_);
  }
  state_pointers_.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    state_pointers_[row] = static_cast<char*>(states.at(groups.empty() ? 0 : groups[row])) + offset_;
  }
  return run_kernel(rows, nullptr);
}

Status AggregateCall::finalize(GroupStates& states, uint32_t first_group, std::size_t count, Vector& out) {
  state_pointers_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    state_pointers_[i] = static_cast<char*>(states.at(first_group + static_cast<uint32_t>(i))) + offset_;
  }
  out.reset_physical(types::physical_of(result_.oid));
  out.reset(count);
  return kernels().finalize(runtime_->context.evaluation, call_types(), state_pointers_.data(), count, out);
}

void AggregateCall::save(GroupStates& states, uint32_t first_group, std::size_t count, Vector& out) {
  out.reset_physical(types::Physical::kBytes);
  out.reset(count);
  Bytes saved;
  for (std::size_t i = 0; i < count; ++i) {
    saved.clear();
    portable_->save(static_cast<char*>(states.at(first_group + static_cast<uint32_t>(i))) + offset_, saved);
    out.set_bytes(i, saved);
  }
}

Status AggregateCall::combine(void* into, const void* from) {
  return kernels().combine(runtime_->context.evaluation, call_types(), static_cast<char*>(into) + offset_,
                           static_cast<const char*>(from) + offset_);
}

void AggregateCall::clear() {
  seen_.clear();
  kept_.clear();
  kept_rows_.clear();
  kept_keys_.clear();
  kept_keys_bytes_ = 0;
  state_bytes_ = 0;
}

}  // namespace pando::sql::exec
