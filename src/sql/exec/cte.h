#pragma once

// Cte: one WITH definition while its statement runs: computes its rows as far as readers ask for them, and keeps them
// for all readers. A recursive one runs its recursive term over the rows of the previous step until a step adds none.
// Thread-safety: one coroutine at a time.

#include "sql/exec/chunk_buffer.h"
#include "sql/exec/key_table.h"
#include "sql/exec/operator.h"
#include "sql/exec/row_keys.h"

namespace pando::sql::exec {

class Cte {
 public:
  Cte(const WithPlan::Definition& definition, Runtime& runtime);
  // Builds its operators; it is registered in Runtime::ctes by then.
  Status prepare();

  // Starts again.
  void reset();
  // Makes vector `index` of the rows; false when there are not so many.
  Task<Result<bool>> read(std::size_t index, types::Chunk& out);
  // Inside the recursive term: the rows of the previous step.
  Task<Result<bool>> read_work(std::size_t index, types::Chunk& out);
  Task<Status> run_to_end();
  // Rows that it has written, when it changes data.
  uint64_t rows_affected() const { return plan_->rows_affected(); }

 private:
  Task<Status> produce();
  Task<Result<bool>> next_rows(types::Chunk& out);
  Task<Status> add(const types::Chunk& rows, const std::vector<uint32_t>& slots);

  const WithPlan::Definition& definition_;
  Runtime& runtime_;
  OperatorPtr plan_;
  OperatorPtr recursive_;
  std::vector<uint32_t> plan_slots_;
  std::vector<uint32_t> recursive_slots_;
  std::unique_ptr<RowKeys> identity_;  // for UNION without ALL
  ChunkBuffer rows_;
  std::unique_ptr<ChunkBuffer> work_;
  std::unique_ptr<ChunkBuffer> step_;
  KeyTable seen_;
  bool started_ = false;
  bool in_recursion_ = false;
  bool ended_ = false;
};

}  // namespace pando::sql::exec
