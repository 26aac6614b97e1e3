#pragma once

// ExecutionContext: what a running query may use. The session fills it per statement; exec's operators borrow it.
//
// Lifetime: everything it refers to outlives the Query. Thread-safety: one coroutine at a time.

#include <memory>
#include <optional>
#include <vector>

#include "catalog/snapshot.h"
#include "catalog/statistics.h"
#include "runtime/cancellation.h"
#include "runtime/disk.h"
#include "runtime/executor.h"
#include "sql/function/evaluation_context.h"
#include "sql/plan/physical.h"
#include "txn/conflict_errors.h"
#include "txn/transaction.h"
#include "types/vector.h"

namespace pando::sql::exec {

// The internal code of a statement that read a row which another transaction has changed since: READ COMMITTED. The
// session rolls back to the statement's savepoint, calls begin_statement() and runs the statement again. Never reaches
// a client.
inline constexpr SqlState kRestartStatement = txn::kRestartStatement;

// The rows of pg_catalog's, information_schema's and pando's tables.
class VirtualTables {
 public:
  virtual ~VirtualTables() = default;
  // All rows; column i of each chunk is attributes[i].
  virtual Task<Result<std::vector<types::Chunk>>> rows(catalog::TablePtr table,
                                                       std::vector<catalog::AttributeNumber> attributes) = 0;
};

// The expressions of tables' definitions. A pointer stays valid as long as someone holds it.
class TableExpressionSource {
 public:
  virtual ~TableExpressionSource() = default;
  virtual Result<TableExpressionsPtr> expressions(catalog::TablePtr table) = 0;
};

// Where operators put what does not fit in memory. Thread-safe.
class TemporaryStorage {
 public:
  virtual ~TemporaryStorage() = default;
  // An empty file that is removed when it is destroyed.
  virtual Task<Result<std::unique_ptr<runtime::File>>> create() = 0;
};

// A constraint check that waits for the end of the transaction: the foreign key or unique constraint, and the row that
// may break it.
struct DeferredCheck {
  types::Oid table = 0;
  types::Oid constraint = 0;
  // The values of the constraint's columns (of the referenced columns when `of_referenced`), in its order.
  std::vector<types::Value> key;
  // The row whose write queued the check.
  Bytes row_key;
  // The row was of the referenced table: no row of `table` may still refer to `key`.
  bool of_referenced = false;
};

// What outlives the statements of one transaction. Session makes one with each transaction, cuts `deferred` back with
// rollback_to, and calls exec::check_deferred before commit.
struct TransactionState {
  // Numbers the rows this transaction gives hidden row ids to.
  uint64_t next_row_number = 0;
  std::vector<DeferredCheck> deferred;
  // SET CONSTRAINTS: by constraint OID, and for all not named.
  std::vector<std::pair<types::Oid, bool>> constraint_deferred;
  std::optional<bool> all_deferred;
  // What statements wrote to tables, for their statistics.
  std::vector<catalog::TableChanges> changes;
};

inline constexpr std::size_t kDefaultWorkMemory = 64_MiB;
inline constexpr std::size_t kDefaultUnspillableMemory = 1_GiB;

struct ExecutionContext {
  txn::Transaction& transaction;
  EvaluationContext& evaluation;
  runtime::Executor& executor;
  TransactionState& state;
  // May be null.
  runtime::Cancellation* cancellation = nullptr;
  catalog::SnapshotPtr catalog;
  // $1, $2, ...
  std::vector<types::Value> parameters;
  // work_mem: what one operator may hold before it spills.
  std::size_t memory_bytes_max = kDefaultWorkMemory;
  // The same for hash tables: work_mem times hash_mem_multiplier.
  std::size_t hash_bytes_max = kDefaultWorkMemory;
  // What an operator that cannot spill may hold before it fails with 53200.
  std::size_t unspillable_bytes_max = kDefaultUnspillableMemory;
  // May be null: then what would spill fails with 53200.
  TemporaryStorage* temporary = nullptr;
  // May be null when no plan reads one.
  VirtualTables* virtual_tables = nullptr;
  // May be null when no table in use has expressions.
  TableExpressionSource* table_expressions = nullptr;
  // Where reads of tables are counted; may be null.
  catalog::Statistics* statistics = nullptr;
  // Awaits what made a kernel return kWaitNeeded. May be null when no kernel does.
  Task<Status> (*wait_for_service)(void* state) = nullptr;
  void* wait_state = nullptr;
  // Executors of other threads that parallel scans may use; empty for none.
  std::vector<runtime::Executor*> helpers;
  // Measure rows and time per node, for EXPLAIN ANALYZE. `clock_ns` must be set.
  bool instrument = false;
  uint64_t (*clock_ns)(void* state) = nullptr;
  void* clock_state = nullptr;
};

}  // namespace pando::sql::exec
