#pragma once

// AggregateCall: one aggregate of an AggregatePlan: evaluates its arguments, applies FILTER, DISTINCT and ORDER BY, and
// feeds the kernel. An aggregate whose order matters keeps its rows until finish().
//
// The kernel of an ordered-set aggregate gets its direct arguments followed by the WITHIN GROUP values, in order.
// Thread-safety: one coroutine at a time.

#include "sql/exec/key_table.h"
#include "sql/exec/row_keys.h"
#include "sql/exec/row_store.h"
#include "sql/function/portable_state.h"

namespace pando::sql::exec {

// Where the states of groups lie.
class GroupStates {
 public:
  explicit GroupStates(std::size_t stride) : stride_(stride) {}
  void* at(uint32_t group) { return blocks_[group / kGroupsPerBlock].get() + (group % kGroupsPerBlock) * stride_; }
  // Makes room for the states of `groups` groups.
  void resize(std::size_t groups);
  std::size_t memory_bytes() const { return blocks_.size() * kGroupsPerBlock * stride_; }
  void clear() { blocks_.clear(); }

  static constexpr auto kAlignment = std::align_val_t(16);
  struct Free {
    void operator()(char* block) const { ::operator delete[](block, kAlignment); }
  };

 private:
  static constexpr std::size_t kGroupsPerBlock = 256;
  std::size_t stride_;
  std::vector<std::unique_ptr<char, Free>> blocks_;
};

class AggregateCall {
 public:
  // `states` is the column that it combines, in the final step of two; null: it is computed from its arguments.
  static Result<AggregateCall> make(const AggregateExpr& expr, types::Type result, const ExprPtr& states,
                                    const Scope& scope, Runtime& runtime);

  const AggregateKernels& kernels() const { return *function_->aggregate; }
  std::size_t offset() const { return offset_; }
  void set_offset(std::size_t offset) { offset_ = offset; }

  // Adds the rows of a chunk to the states of their groups; a null `groups` means that all belong to group 0.
  // `row_states` has the start of each row's group's states, when there are groups.
  Task<Status> update(const types::Chunk& rows, const uint32_t* groups, char* const* row_states, GroupStates& states);
  // Feeds what was kept for ORDER BY. Once, after the last update.
  Task<Status> finish(GroupStates& states);
  Status finalize(GroupStates& states, uint32_t first_group, std::size_t count, types::Vector& out);
  // The states themselves instead of their results, as bytea.
  void save(GroupStates& states, uint32_t first_group, std::size_t count, types::Vector& out);
  // Whether states of several inputs can be combined into one.
  bool is_mergeable() const;
  Status combine(void* into, const void* from);
  void clear();
  // What the states hold outside themselves is in it.
  std::size_t memory_bytes() const {
    return seen_.memory_bytes() + kept_.memory_bytes() + kept_keys_bytes_ + state_bytes_;
  }

 private:
  explicit AggregateCall(Runtime& runtime) : runtime_(&runtime) {}
  Task<Status> add(const types::Chunk& rows, std::vector<uint32_t> groups, GroupStates& states);
  Task<Status> keep(const types::Chunk& rows, const std::vector<uint32_t>& groups, const types::Chunk& arguments);
  Task<Status> update_plain(const types::Chunk& rows, char* const* row_states, GroupStates& states);
  // Of a final step: its argument are states.
  Task<Status> combine_rows(const types::Chunk& rows, char* const* row_states, GroupStates& states);
  Task<Status> update_some(const types::Chunk& rows, const uint32_t* groups, GroupStates& states);
  Status run_kernel(std::size_t rows, void* only_state);
  void drop_seen(const std::vector<uint32_t>& groups, std::vector<uint32_t>& selected);
  Status feed(const types::Chunk& arguments, std::size_t rows, const std::vector<uint32_t>& groups,
              GroupStates& states);
  CallTypes call_types() const { return {argument_types_, result_, false, field_names_}; }

  struct Kept {
    uint32_t group;
    ByteView key;
    RowRef arguments;
  };

  Runtime* runtime_;
  const Function* function_ = nullptr;
  std::vector<types::Type> argument_types_;
  std::vector<std::string> field_names_;
  types::Type result_;
  std::size_t offset_ = 0;
  // Null when its states stay on this node.
  const PortableState* portable_ = nullptr;
  bool combines_ = false;
  Projection arguments_;
  Condition filter_;
  bool distinct_ = false;
  bool ordered_ = false;
  RowKeys order_;     // the sort key of kept rows
  RowKeys identity_;  // the arguments, for DISTINCT

  KeyTable seen_;
  RowStore kept_;
  std::vector<Kept> kept_rows_;
  std::vector<std::unique_ptr<char[]>> kept_keys_;
  std::size_t kept_keys_bytes_ = 0;
  types::Chunk plain_arguments_;
  std::vector<void*> state_pointers_;
  std::vector<void*> touched_;
  std::size_t state_bytes_ = 0;
  std::vector<const types::Vector*> argument_pointers_;
};

}  // namespace pando::sql::exec
