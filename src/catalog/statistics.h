#pragma once

// Statistics: what is known of tables beside their definitions: what ANALYZE found, kept in the store, and counters of
// what statements did to them since the process started.
//
//   Statistics statistics(store, database);
//   PANDO_CO_TRY(co_await statistics.open(executor));
//   statistics.activity(table->oid).count_scan(lane, /*by_index=*/false, rows);
//   PANDO_CO_TRY(co_await statistics.put(transaction, oid, found));     // published when the transaction commits
//   auto found = statistics.find(*table);                               // nullptr: never analyzed
//   PANDO_CO_ASSIGN(const bool changed, co_await statistics.refresh(executor, nullptr));  // what others have put
//
// Beside each table's statistics lies a stamp, which tells by little that they are new.
// Thread-safe.

#include <array>
#include <atomic>
#include <map>
#include <memory>

#include "base/mutex.h"
#include "base/status.h"
#include "catalog/descriptor.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "txn/transaction.h"

namespace pando::catalog {

using TableStatisticsPtr = std::shared_ptr<const TableStatistics>;

// The changes of one transaction to one table.
struct TableChanges {
  Oid table = 0;
  TableId id;
  uint64_t inserted = 0;
  uint64_t updated = 0;
  uint64_t deleted = 0;
};

// Counters of one table, as pg_stat_all_tables shows them. Reads are counted per lane, so that threads that read the
// same table do not wait for each other's cache lines.
class TableActivity {
 public:
  static constexpr std::size_t kLanes = 8;

  struct Reads {
    uint64_t sequential_scans = 0;
    uint64_t sequential_rows = 0;
    uint64_t index_scans = 0;
    uint64_t index_rows = 0;
  };
  struct Writes {
    uint64_t inserted = 0;
    uint64_t updated = 0;
    uint64_t deleted = 0;
    uint64_t changed_since_analyze = 0;
    uint64_t inserted_since_vacuum = 0;
    // Versions that nobody needs once old snapshots are gone.
    uint64_t dead = 0;
    // Rows beyond those that were there at the last ANALYZE, or at the start.
    int64_t live = 0;
  };
  struct Maintenance {
    // Microseconds since 2000-01-01 UTC; 0 for never.
    int64_t last_vacuum_us = 0;
    int64_t last_analyze_us = 0;
    int64_t last_auto_analyze_us = 0;
    uint64_t vacuums = 0;
    uint64_t analyzes = 0;
    uint64_t auto_analyzes = 0;
  };

  // `lane` spreads the counting threads: any number.
  void count_scan(std::size_t lane, bool by_index) {
    Lane& counters = lanes_[lane % kLanes];
    (by_index ? counters.index_scans : counters.sequential_scans).fetch_add(1, std::memory_order_relaxed);
  }
  void count_rows(std::size_t lane, bool by_index, uint64_t rows) {
    Lane& counters = lanes_[lane % kLanes];
    (by_index ? counters.index_rows : counters.sequential_rows).fetch_add(rows, std::memory_order_relaxed);
  }
  Reads reads() const;

  // A transaction with these changes ended. Rows of one that rolled back were written all the same.
  void count_changes(const TableChanges& changes, bool committed) PANDO_EXCLUDES(mutex_);
  Writes writes() const PANDO_EXCLUDES(mutex_);
  void vacuumed(int64_t now_us) PANDO_EXCLUDES(mutex_);
  // ANALYZE counted all rows.
  void analyzed(int64_t now_us, bool automatic) PANDO_EXCLUDES(mutex_);
  // The same, at another node.
  void analyzed_elsewhere() PANDO_EXCLUDES(mutex_);
  Maintenance maintenance() const PANDO_EXCLUDES(mutex_);
  // The table's rows lie elsewhere than counted so far: the live rows begin at none.
  void note_id(TableId id) PANDO_EXCLUDES(mutex_);

 private:
  struct alignas(64) Lane {
    std::atomic<uint64_t> sequential_scans{0};
    std::atomic<uint64_t> sequential_rows{0};
    std::atomic<uint64_t> index_scans{0};
    std::atomic<uint64_t> index_rows{0};
  };
  std::array<Lane, kLanes> lanes_;
  mutable Mutex mutex_;
  Writes writes_ PANDO_GUARDED_BY(mutex_);
  Maintenance maintenance_ PANDO_GUARDED_BY(mutex_);
  TableId id_ PANDO_GUARDED_BY(mutex_);
};

class Statistics {
 public:
  // REQUIRES: `store` outlives the statistics.
  Statistics(txn::Store& store, Oid database) : store_(store), database_(database) {}

  // Loads what ANALYZE has stored.
  Task<Status> open(runtime::Executor& executor);
  // Takes what ANALYZE has stored since, on any node; whether there was anything. `cancellation` may be null.
  Task<Result<bool>> refresh(runtime::Executor& executor, runtime::Cancellation* cancellation);
  // So that only one node analyzes a table on its own account. Whether nobody else does: then nobody else will until
  // the transaction ends. Waits for nobody.
  Task<Result<bool>> claim(txn::Transaction& transaction, Oid table);

  // nullptr: never analyzed, or not since its rows lie where they are.
  TableStatisticsPtr find(const TableDescriptor& table) const PANDO_EXCLUDES(mutex_);
  // The rows that `table` has now, as far as counters tell; -1 when nothing is known.
  double live_rows(const TableDescriptor& table) PANDO_EXCLUDES(mutex_);
  // Stays where it is. Of any table, existing or not.
  TableActivity& activity(Oid table) PANDO_EXCLUDES(mutex_);

  // Buffers the statistics in `transaction`; they are published, and the counters begin anew, when it commits.
  // REQUIRES: *this outlives the transaction.
  Task<Status> put(txn::Transaction& transaction, Oid table, TableStatistics statistics, int64_t now_us,
                   bool automatic);
  // About how many bytes the table's rows take.
  uint64_t row_bytes(const TableDescriptor& table);

 private:
  struct Entry {
    TableStatisticsPtr analyzed;
    // When that was, as it is stored; 0 when it is not.
    uint64_t stamp = 0;
    TableActivity activity;
  };
  using Stamps = std::map<Oid, uint64_t>;
  Entry& entry(Oid table) PANDO_REQUIRES(mutex_);
  // Those that say something else than is known here.
  Task<Result<Stamps>> read_stamps(txn::Transaction& transaction) PANDO_EXCLUDES(mutex_);
  void take(Oid table, TableStatistics statistics, uint64_t stamp) PANDO_EXCLUDES(mutex_);

  txn::Store& store_;
  const Oid database_;
  mutable Mutex mutex_;
  std::map<Oid, std::unique_ptr<Entry>> entries_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::catalog
