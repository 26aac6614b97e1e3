#pragma once

// Jobs: work that outlives the statement which asked for it, kept in the store so that any node can go on with it:
// what is to be done, how far it has come, and who does it. Whoever wants to do it claims it for a while, under a term
// of its own; what it writes, it writes in a transaction that holds the job under that term, so that one who was taken
// for dead and goes on writes nothing.
//
//   PANDO_CO_TRY(co_await jobs.put(transaction, job));                  // appears when the transaction commits
//   PANDO_CO_ASSIGN(Job held, co_await jobs.hold(transaction, claimed));
//   held.progress = ...; PANDO_CO_TRY(co_await jobs.put(transaction, held));
//
// Format: docs/formats/keys.md, descriptor_codec.cc. Thread-safe.

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "catalog/descriptor.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "txn/transaction.h"

namespace pando::catalog {

// Stored. Never renumber.
enum class JobKind : uint8_t {
  kBuildIndex = 1,          // the entries of an index that writers maintain already
  kValidateConstraint = 2,  // whether old rows keep what new ones have to
};
enum class JobState : uint8_t {
  kRunning = 1,
  kReverting = 2,  // it failed or was cancelled, and what it began is being undone
  kSucceeded = 3,
  kFailed = 4,
  kCancelled = 5,
};

struct Job {
  uint32_t id = 0;
  JobKind kind = JobKind::kBuildIndex;
  JobState state = JobState::kRunning;
  // The statement's text.
  std::string statement;
  Oid table = 0;
  // Where the table's rows lay when it began.
  TableId place;
  // What becomes valid at the end; 0 for none.
  Oid index = 0;
  Oid constraint = 0;
  // The constraint stays, not valid, when some row breaks it.
  bool keeps_constraint = false;
  // The column that becomes NOT NULL at the end, in the place of the constraint that says so until then; 0 for none.
  AttributeNumber not_null = 0;

  // The key after that of the last row that is done. Empty: none is.
  Bytes checkpoint;
  uint64_t rows_done = 0;
  // An estimate; 0 when nothing is known.
  uint64_t rows_total = 0;

  // Who does it, until when, and the how manieth that is. Term 0: nobody has begun.
  uint32_t node = 0;
  uint64_t term = 0;
  uint64_t claimed_until_ns = 0;  // on the wall clock
  bool cancel_requested = false;

  // Why it failed: the fields of an error; an empty code for none.
  std::string error_code;
  std::string error_message;
  std::string error_detail;
  std::string error_hint;
  std::string error_schema;
  std::string error_table;
  std::string error_column;
  std::string error_constraint;

  // Microseconds since 2000-01-01 UTC; 0 for not yet.
  int64_t created_us = 0;
  int64_t started_us = 0;
  int64_t finished_us = 0;

  bool is_finished() const { return state != JobState::kRunning && state != JobState::kReverting; }
  // OK while there is no error.
  Status error() const;
  void set_error(const Status& status);
};

// In rows.
struct JobSizes {
  // Fewer a statement goes through itself sooner than a job would begin.
  std::size_t table_min = 1000;
  // Of one piece whose index entries are made: what is done again after a crash, and how long a writer may wait for
  // one. It shrinks when writers get between, which they do the more often the longer a piece takes, and grows again.
  // The rows of the smallest are locked when they get between all the same.
  std::size_t piece_min = 64;
  std::size_t piece_max = 1024;
  // That are looked at before it is noted how far the job came: they wait for nobody, and nobody waits for them.
  std::size_t checked_max = 8192;
};

class Jobs {
 public:
  // REQUIRES: `store` outlives it.
  Jobs(txn::Store& store, Oid database) : store_(store), database_(database) {}

  // Stores the job in the transaction.
  Task<Status> put(txn::Transaction& transaction, Job job);
  Task<Status> erase(txn::Transaction& transaction, uint32_t id);
  // Locks the job, and gives it as it is now. 42704 when there is none.
  Task<Result<Job>> lock(txn::Transaction& transaction, uint32_t id);
  // lock(), for who has claimed it: 55000 when somebody else has since.
  Task<Result<Job>> hold(txn::Transaction& transaction, const Job& claimed);

  // As of now, by id. `cancellation` may be null.
  Task<Result<std::vector<Job>>> all(runtime::Executor& executor, runtime::Cancellation* cancellation);
  Task<Result<std::optional<Job>>> find(uint32_t id, runtime::Executor& executor);

 private:
  Bytes key(uint32_t id) const;
  Bytes prefix() const;

  txn::Store& store_;
  const Oid database_;
};

}  // namespace pando::catalog
