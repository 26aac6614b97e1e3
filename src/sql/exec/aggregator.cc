#include "sql/exec/aggregator.h"

#include <algorithm>

namespace pando::sql::exec {

using types::Chunk;
using types::Vector;

namespace {

constexpr std::size_t kStateAlignment = 16;

std::size_t aligned(std::size_t size) { return (size + kStateAlignment - 1) / kStateAlignment * kStateAlignment; }

}  // namespace

Result<std::unique_ptr<Aggregator>> Aggregator::make(const AggregatePlan& plan, Runtime& runtime) {
  std::unique_ptr<Aggregator> aggregator(new Aggregator(plan, runtime));
  const Scope scope(plan.input->outputs);
  std::vector<ExprPtr> exprs;
  for (const ProjectedColumn& group : plan.groups) {
    exprs.push_back(group.expr);
  }
  PANDO_ASSIGN(aggregator->keys_, plan.grouping_sets.empty() ? RowKeys::make_equality(exprs, scope, runtime)
                                                             : RowKeys::make(exprs, scope, runtime));
  for (const auto& set : plan.grouping_sets) {
    std::vector<ExprPtr> set_exprs;
    for (const uint32_t index : set) {
      set_exprs.push_back(exprs[index]);
    }
    PANDO_ASSIGN(RowKeys keys, RowKeys::make(set_exprs, scope, runtime));
    aggregator->set_keys_.push_back(std::move(keys));
  }
  std::size_t offset = 0;
  for (std::size_t i = 0; i < plan.aggregates.size(); ++i) {
    const ProjectedColumn& column = plan.aggregates[i];
    const auto* expr = as<AggregateExpr>(column.expr);
    PANDO_ASSERT(expr != nullptr, "an aggregate column without an aggregate");
    const ExprPtr states = plan.states.empty() ? nullptr : plan.states[i];
    PANDO_ASSIGN(AggregateCall call, AggregateCall::make(*expr, column.column.type, states, scope, runtime));
    call.set_offset(offset);
    offset += aligned(call.kernels().state_size);
    aggregator->calls_.push_back(std::move(call));
  }
  aggregator->states_ = std::make_unique<GroupStates>(offset);
  return aggregator;
}

void Aggregator::clear() {
  for (AggregateCall& call : calls_) {
    for (uint32_t group = 0; call.kernels().destroy != nullptr && group < group_refs_.size(); ++group) {
      call.kernels().destroy(static_cast<char*>(states_->at(group)) + call.offset());
    }
    call.clear();
  }
  if (states_ != nullptr) {
    states_->clear();
  }
  table_.clear();
  group_values_.clear();
  std::vector<RowRef>().swap(group_refs_);
  next_group_ = 0;
}

uint32_t Aggregator::add_group(ByteView key, bool& added) {
  const uint32_t group = table_.find_or_add(key, added);
  if (added) {
    create_group(group);
  }
  return group;
}

void Aggregator::create_group(uint32_t group) {
  states_->resize(group + 1);
  for (AggregateCall& call : calls_) {
    call.kernels().create(static_cast<char*>(states_->at(group)) + call.offset());
  }
  group_refs_.push_back({});
}

Task<Status> Aggregator::add(const Chunk& rows, std::unique_ptr<Partitions>& overflow, uint32_t level) {
  if (is_single_group()) {
    bool added = false;
    add_group({}, added);
    for (AggregateCall& call : calls_) {
      PANDO_CO_TRY(co_await call.update(rows, nullptr, nullptr, *states_));
    }
    co_return Status();
  }
  const std::size_t sets = std::max<std::size_t>(plan_.grouping_sets.size(), 1);
  for (std::size_t set = 0; set < sets; ++set) {
    PANDO_CO_TRY(co_await assign_groups(rows, set, overflow, level));
    if (std::ranges::find(groups_, KeyTable::kNone) == groups_.end()) {
      PANDO_CO_TRY(co_await update(rows));
      continue;
    }
    std::vector<uint32_t> here;
    for (uint32_t row = 0; row < rows.rows; ++row) {
      if (groups_[row] != KeyTable::kNone) {
        here.push_back(row);
      }
    }
    std::erase(groups_, KeyTable::kNone);
    Chunk part;
    gather(rows, here, part);
    PANDO_CO_TRY(co_await update(part));
  }
  co_return Status();
}

// Adds rows to the groups groups_ says.
Task<Status> Aggregator::update(const Chunk& rows) {
  row_states_.resize(rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    row_states_[row] = static_cast<char*>(states_->at(groups_[row]));
  }
  for (AggregateCall& call : calls_) {
    PANDO_CO_TRY(co_await call.update(rows, groups_.data(), row_states_.data(), *states_));
  }
  co_return Status();
}

Task<Status> Aggregator::assign_groups(const Chunk& rows, std::size_t set, std::unique_ptr<Partitions>& overflow,
                                       uint32_t level) {
  PANDO_CO_TRY(co_await keys_.compute(rows));
  const std::size_t held = memory_bytes();
  PANDO_CO_TRY(runtime_.check_unspillable(held, "grouping"));
  groups_.resize(rows.rows);
  fresh_.clear();
  const auto first_group = static_cast<uint32_t>(group_refs_.size());
  if (!plan_.grouping_sets.empty()) {
    // Grouping sets group the same row several times, so they cannot be split by one key.
    PANDO_CO_TRY(co_await set_keys_[set].compute(rows));
    assign_set(rows.rows, set);
    store_values(fresh_, first_group, set);
    co_return Status();
  }
  if (held <= runtime_.context.hash_bytes_max) {
    table_.find_or_add_all(keys_, groups_.data(), fresh_);
    for (std::size_t i = 0; i < fresh_.size(); ++i) {
      create_group(first_group + static_cast<uint32_t>(i));
    }
    store_values(fresh_, first_group, std::nullopt);
    co_return Status();
  }
  table_.find_all(keys_, groups_.data());
  std::vector<uint32_t> over;
  for (uint32_t row = 0; row < rows.rows; ++row) {
    if (groups_[row] == KeyTable::kNone) {
      over.push_back(row);
    }
  }
  if (!over.empty()) {
    if (overflow == nullptr) {
      overflow = std::make_unique<Partitions>(runtime_, level);
    }
    PANDO_CO_TRY(co_await overflow->append(rows, keys_, over));
  }
  co_return Status();
}

void Aggregator::assign_set(std::size_t rows, std::size_t set) {
  for (uint32_t row = 0; row < rows; ++row) {
    set_key_.assign(1, static_cast<char>(set));
    set_key_.append(set_keys_[set].key(row));
    bool added = false;
    groups_[row] = add_group(set_key_, added);
    if (added) {
      fresh_.push_back(row);
    }
  }
}

void Aggregator::store_values(const std::vector<uint32_t>& fresh, uint32_t first_group,
                              std::optional<std::size_t> set) {
  if (fresh.empty()) {
    return;
  }
  Chunk values;
  gather(keys_.values(), fresh, values);
  for (uint32_t column = 0; set && column < values.columns.size(); ++column) {
    if (std::ranges::find(plan_.grouping_sets[*set], column) == plan_.grouping_sets[*set].end()) {
      values.columns[column].reset_constant(types::Value::null(), fresh.size());
    }
  }
  RowRef ref = group_values_.append(values);
  for (std::size_t i = 0; i < fresh.size(); ++i, ref = group_values_.next(ref)) {
    group_refs_[first_group + i] = ref;
  }
}

bool Aggregator::is_mergeable() const {
  return plan_.grouping_sets.empty() && std::ranges::all_of(calls_, &AggregateCall::is_mergeable);
}

Status Aggregator::merge(Aggregator& other) {
  Chunk value;
  for (uint32_t group = 0; group < other.group_refs_.size(); ++group) {
    bool added = false;
    const uint32_t mine = table_.find_or_add_from(other.table_, group, added);
    if (added) {
      create_group(mine);
    }
    if (added && !is_single_group()) {
      other.group_values_.gather(&other.group_refs_[group], 1, value);
      group_refs_[mine] = group_values_.append(value);
    }
    for (AggregateCall& call : calls_) {
      PANDO_TRY(call.combine(states_->at(mine), other.states_->at(group)));
    }
  }
  return {};
}

Task<Status> Aggregator::finish(bool whole_input) {
  bool added = false;
  if (whole_input && is_single_group()) {
    add_group({}, added);
  }
  for (std::size_t set = 0; whole_input && set < plan_.grouping_sets.size(); ++set) {
    if (!plan_.grouping_sets[set].empty()) {
      continue;
    }
    add_group(Bytes(1, static_cast<char>(set)), added);
    if (added) {
      Chunk nulls;
      nulls.rows = 1;
      for (const ProjectedColumn& group : plan_.groups) {
        nulls.columns.emplace_back(types::physical_of(group.column.type.oid)).reset_constant(types::Value::null(), 1);
      }
      group_refs_.back() = group_values_.append(nulls);
    }
  }
  for (AggregateCall& call : calls_) {
    PANDO_CO_TRY(co_await call.finish(*states_));
  }
  next_group_ = 0;
  co_return Status();
}

Result<bool> Aggregator::next(Chunk& out) {
  const std::size_t count = std::min<std::size_t>(group_refs_.size() - next_group_, types::kVectorRows);
  if (count == 0) {
    return false;
  }
  out.columns.clear();
  if (!plan_.groups.empty()) {
    group_values_.gather(group_refs_.data() + next_group_, count, out);
  }
  out.rows = count;
  for (AggregateCall& call : calls_) {
    Vector& values = out.columns.emplace_back();
    if (plan_.partial) {
      call.save(*states_, next_group_, count, values);
    } else {
      PANDO_TRY(call.finalize(*states_, next_group_, count, values));
    }
  }
  next_group_ += static_cast<uint32_t>(count);
  return true;
}

std::size_t Aggregator::memory_bytes() const {
  std::size_t bytes = table_.memory_bytes() + group_values_.memory_bytes() + states_->memory_bytes() +
                      group_refs_.capacity() * sizeof(RowRef);
  for (const AggregateCall& call : calls_) {
    bytes += call.memory_bytes();
  }
  return bytes;
}

}  // namespace pando::sql::exec
