#pragma once

// HashJoinBuild: the build side of a hash join: the right input's rows in a table by key, or, over the memory budget,
// split onto temporary storage.
//
//   PANDO_CO_ASSIGN(auto build, HashJoinBuild::make(plan, runtime));
//   PANDO_CO_TRY(co_await build->run());
//
// Thread-safety: one coroutine at a time; once run() has ended without spilling, const members from any number of
// threads.

#include "sql/exec/join_table.h"
#include "sql/exec/operator.h"
#include "sql/exec/partitions.h"

namespace pando::sql::exec {

class HashJoinBuild {
 public:
  static Result<std::shared_ptr<HashJoinBuild>> make(const HashJoinPlan& plan, Runtime& runtime);

  // Reads the right input to its end; again after another run.
  Task<Status> run();
  // The rows are in partitions: table() has those of the one loaded last.
  bool spilled() const { return partitions_ != nullptr; }
  // Fills the table with one partition. A partition over the budget is one that hashing cannot split: too many equal
  // keys, which fails with 53200.
  Task<Status> load_partition(std::size_t partition);

  const JoinTable& table() const { return table_; }
  bool has_rows() const { return has_rows_; }
  bool has_null_key() const { return has_null_key_; }

 private:
  HashJoinBuild(OperatorPtr input, RowKeys keys, Runtime& runtime)
      : input_(std::move(input)), keys_(std::move(keys)), runtime_(runtime) {}
  Task<Status> spill();

  OperatorPtr input_;
  RowKeys keys_;
  Runtime& runtime_;
  JoinTable table_;
  std::unique_ptr<Partitions> partitions_;
  bool has_rows_ = false;
  bool has_null_key_ = false;
};

}  // namespace pando::sql::exec
