#pragma once

// Catalog: the descriptors of one database, loaded from the store when it opens and kept as an immutable Snapshot that
// DDL replaces. CatalogTransaction: what one SQL transaction sees of it, its own uncommitted DDL included.
//
//   PANDO_CO_TRY(co_await catalog.open(executor));
//   CatalogTransaction view(catalog, transaction);
//   auto table = view.snapshot()->resolve_table(path, "", "t");
//   PANDO_CO_TRY(co_await view.lock_table(table->oid, LockStrength::kUpdate, WaitPolicy::kBlock));
//   PANDO_CO_TRY(co_await view.put(changed_table));     // buffered in the transaction, visible through view.snapshot()
//   co_await transaction.commit();                      // durable, then published to everyone
//
// How DDL and statements exclude each other: every statement locks table_lock_key of the tables it uses with kKeyShare,
// DDL with kUpdate, and the new snapshot is published before those locks are freed. After waiting for a table lock,
// resolve again if Catalog::version() changed. Thread-safety: Catalog is thread-safe; a CatalogTransaction belongs to
// its transaction's coroutine.

#include <atomic>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "catalog/snapshot.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "txn/transaction.h"

namespace pando::catalog {

struct CatalogOptions {
  Oid database = kPostgresDatabase;
  std::string database_name = "postgres";
  // Of a cluster, whose nodes share the store; 0: the store is this node's own.
  uint32_t node = 0;
  // Virtual tables and system views to show in every snapshot, beside what is stored.
  std::vector<TablePtr> system_relations;
};

class Catalog {
 public:
  // REQUIRES: `store` outlives the catalog.
  Catalog(txn::Store& store, CatalogOptions options);

  // Loads all descriptors; in an empty store makes the schemas public, pg_catalog, information_schema and pando, and
  // the role postgres.
  Task<Status> open(runtime::Executor& executor);

  const CatalogOptions& options() const { return options_; }
  txn::Store& store() { return store_; }

  SnapshotPtr current() const PANDO_EXCLUDES(mutex_);
  // Whether another node has changed descriptors since they were loaded here; then await refresh(), which loads them
  // again, all of them.
  bool is_stale() const { return store_.watched_change() > loaded_at(); }
  Task<Status> refresh(runtime::Executor& executor) PANDO_EXCLUDES(mutex_);
  // current()->version(), without a lock.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Removes all descriptors and statistics in the transaction: the end of a database. Returns where rows lie that
  // nobody can name once it has committed.
  Task<Result<std::vector<txn::Span>>> erase_all(txn::Transaction& transaction) PANDO_EXCLUDES(mutex_);

  // Raises the version without a change, so that plans are made again: their statistics are new.
  void renew() PANDO_EXCLUDES(mutex_);

  // A new OID, also a new TableId's number: never given twice in this store. Reserves blocks durably as it goes.
  Task<Result<Oid>> allocate_oid(runtime::Executor& executor) PANDO_EXCLUDES(mutex_);

 private:
  friend class CatalogTransaction;
  struct Change;

  HlcTimestamp loaded_at() const PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return loaded_at_;
  }
  uint64_t publications() const PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return publications_;
  }
  bool replace(std::shared_ptr<Snapshot> snapshot, HlcTimestamp loaded_at, uint64_t publications)
      PANDO_EXCLUDES(mutex_);
  Task<Status> load(txn::Transaction& transaction, Snapshot& snapshot);
  Task<Status> bootstrap(runtime::Executor& executor, Snapshot& snapshot);
  Task<Status> reserve_oids(runtime::Executor& executor);
  void publish(const std::vector<Change>& changes) PANDO_EXCLUDES(mutex_);

  txn::Store& store_;
  const CatalogOptions options_;
  std::atomic<uint64_t> version_{0};
  mutable Mutex mutex_;
  SnapshotPtr current_ PANDO_GUARDED_BY(mutex_);
  // The moment at which current_ was read from the store, changes published since aside.
  HlcTimestamp loaded_at_ PANDO_GUARDED_BY(mutex_);
  // How often something was published.
  uint64_t publications_ PANDO_GUARDED_BY(mutex_) = 0;
  Oid next_oid_ PANDO_GUARDED_BY(mutex_) = 0;
  Oid reserved_oid_end_ PANDO_GUARDED_BY(mutex_) = 0;
};

// One object put or removed by a transaction.
struct Catalog::Change {
  std::variant<SchemaPtr, TablePtr, SequencePtr, RolePtr, TypePtr> object;
  bool removed = false;
};

class CatalogTransaction {
 public:
  // REQUIRES: both outlive this object, and `transaction` has not ended.
  CatalogTransaction(Catalog& catalog, txn::Transaction& transaction);

  // The newest published snapshot with this transaction's own changes on top.
  SnapshotPtr snapshot();
  bool has_changes() const { return !changes_.empty(); }
  Catalog& catalog() { return catalog_; }
  txn::Transaction& transaction() { return transaction_; }

  // Locks a table against others' statements (kKeyShare against DDL only, kUpdate against all).
  Task<Status> lock_table(Oid table, txn::LockStrength strength, txn::WaitPolicy wait);
  // Locks a name in a schema: whoever creates it next waits for this transaction's end.
  Task<Status> lock_name(Oid schema, std::string name);

  // The encoded descriptor of a table in the transaction's snapshot of the store, which may be one of the past.
  Task<Result<std::optional<Bytes>>> stored_table(Oid table);

  // Store or replace, and remove. The object's key is locked; REQUIRES: the caller has locked the table.
  Task<Status> put(SchemaPtr schema);
  Task<Status> put(TablePtr table);
  Task<Status> put(SequencePtr sequence);
  Task<Status> put(RolePtr role);
  Task<Status> put(TypePtr type);
  Task<Status> remove(SchemaPtr schema);
  Task<Status> remove(TablePtr table);
  Task<Status> remove(SequencePtr sequence);
  Task<Status> remove(TypePtr type);

  // How many changes there are now; rollback_to(n) forgets those made since. The transaction's own rollback_to undoes
  // their writes.
  std::size_t change_count() const { return changes_.size(); }
  void rollback_to(std::size_t change_count);

 private:
  Task<Status> catch_up();
  Task<Status> write(Bytes key, Bytes value);
  Task<Status> erase(Bytes key);
  void record(Catalog::Change change);

  Catalog& catalog_;
  txn::Transaction& transaction_;
  std::vector<Catalog::Change> changes_;
  // Cache of snapshot(): valid for this base version and number of changes.
  SnapshotPtr view_;
  uint64_t view_base_version_ = 0;
  std::size_t view_changes_ = 0;
  bool hooked_ = false;
};

}  // namespace pando::catalog
