#pragma once

// SchemaChange: does one job that changes a table while others write to it: builds an index, or finds out whether all
// rows keep a constraint. See docs/decisions/050-schema-changes-as-jobs.md for why it is right.
//
// The statement that made the job has already put the index (not readable) or the constraint (not validated) into the
// table's descriptor, under the table's exclusive lock: since then every writer maintains the one and keeps the other.
// What is left is the rows from before: they are gone through in pieces, each in a transaction of its own that also
// notes how far it came, and at the end the descriptor is changed once more. When a row does not fit, or the job is
// cancelled, what the statement put there is taken out again.
//
// Thread-safety: one coroutine.

#include <functional>

#include "catalog/jobs.h"
#include "runtime/cancellation.h"
#include "session/environment.h"
#include "sql/exec/context.h"

namespace pando::session {

class Session;

class SchemaChange {
 public:
  // All outlive it. `job` is claimed by this node.
  SchemaChange(SessionEnvironment& environment, runtime::Executor& executor, catalog::Jobs& jobs, catalog::Job job,
               runtime::Cancellation& stopping)
      : environment_(environment), executor_(executor), jobs_(jobs), job_(std::move(job)), stopping_(stopping) {}

  // OK once the job has ended, well or not. An error says why it has to be gone on with another time.
  Task<Status> run();

 private:
  using Transaction = std::unique_ptr<txn::Transaction>;
  using Edit = std::function<void(catalog::TableDescriptor&)>;

  Transaction begin(txn::Isolation isolation);
  Task<Status> advance();
  Task<Status> build_index();
  Task<Status> find_end();
  // Of the rows that are still to be gone through.
  Bytes start() const;
  Task<Result<std::vector<Bytes>>> next_rows();
  Task<Status> fill(const std::vector<Bytes>* rows, bool locked);
  Task<Status> validate();
  Task<Status> check_rows(Session* session);
  Task<Status> look_at_rows(catalog::CatalogTransaction* view, sql::exec::ExecutionContext* context,
                            catalog::Job* held);
  Task<Status> publish();
  Task<Status> give_up(Status why);
  Task<Status> revert();
  Task<Status> change_table(Edit edit, catalog::JobState end);
  Task<Status> try_change_table(const Edit* edit, catalog::JobState end);
  Task<Result<catalog::Job>> hold(txn::Transaction& transaction);

  SessionEnvironment& environment_;
  runtime::Executor& executor_;
  catalog::Jobs& jobs_;
  catalog::Job job_;
  runtime::Cancellation& stopping_;
  // Rows from here on are newer than the index. Else a table that grows at its end would never be done.
  Bytes end_;
  // How many rows the next piece tries.
  std::size_t piece_rows_ = environment_.job_sizes.piece_max;
};

}  // namespace pando::session
