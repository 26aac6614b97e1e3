#pragma once

// Aggregator: groups and their aggregates in memory: the working part of the aggregate operator, and of each thread of
// a parallel one.
//
//   PANDO_CO_TRY(co_await aggregator.add(rows, overflow));
//   PANDO_CO_TRY(co_await aggregator.finish());
//   while (aggregator.next(out)) ...                    // group columns, then aggregates
//
// Thread-safety: one coroutine at a time.

#include "sql/exec/aggregate_call.h"
#include "sql/exec/partitions.h"

namespace pando::sql::exec {

class Aggregator {
 public:
  static Result<std::unique_ptr<Aggregator>> make(const AggregatePlan& plan, Runtime& runtime);
  ~Aggregator() { clear(); }
  Aggregator(const Aggregator&) = delete;
  Aggregator& operator=(const Aggregator&) = delete;

  void clear();
  // Adds rows. Over the memory budget, rows of groups that are not there yet go to `overflow`, which is made when
  // needed with `level`.
  Task<Status> add(const types::Chunk& rows, std::unique_ptr<Partitions>& overflow, uint32_t level);
  // Adds the groups of another aggregator of the same plan. REQUIRES: is_mergeable().
  Status merge(Aggregator& other);
  bool is_mergeable() const;
  // No more rows. Makes the groups that exist without rows when `whole_input` (an aggregate without GROUP BY).
  Task<Status> finish(bool whole_input);
  // The next groups; false when there are none left.
  Result<bool> next(types::Chunk& out);
  std::size_t memory_bytes() const;

 private:
  Aggregator(const AggregatePlan& plan, Runtime& runtime) : plan_(plan), runtime_(runtime) {}
  // Numbers the group of each row for one grouping set; kNone for rows that went to overflow.
  Task<Status> assign_groups(const types::Chunk& rows, std::size_t set, std::unique_ptr<Partitions>& overflow,
                             uint32_t level);
  void assign_set(std::size_t rows, std::size_t set);
  Task<Status> update(const types::Chunk& rows);
  uint32_t add_group(ByteView key, bool& added);
  // Makes room for group `group`, the last of them.
  void create_group(uint32_t group);
  // Stores the values of the groups that `fresh` rows brought, the first of which is `first_group`.
  void store_values(const std::vector<uint32_t>& fresh, uint32_t first_group, std::optional<std::size_t> set);
  bool is_single_group() const { return plan_.groups.empty() && plan_.grouping_sets.empty(); }

  const AggregatePlan& plan_;
  Runtime& runtime_;
  RowKeys keys_;
  std::vector<RowKeys> set_keys_;  // per grouping set
  std::vector<AggregateCall> calls_;
  std::unique_ptr<GroupStates> states_;
  KeyTable table_;
  RowStore group_values_;
  std::vector<RowRef> group_refs_;
  uint32_t next_group_ = 0;
  std::vector<uint32_t> groups_;
  std::vector<uint32_t> fresh_;
  // The states of each row's group.
  std::vector<char*> row_states_;
  Bytes set_key_;
};

}  // namespace pando::sql::exec
