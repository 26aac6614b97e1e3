#pragma once

// SessionEnvironment: what all sessions of a database share. The node makes it; it outlives every session.
// SessionRegistry: who is connected, so that one session can cancel, end or list others, and what they share beside the
// data: advisory locks and notifications.
//
// Thread-safety: the registry is thread-safe; the environment is immutable once sessions exist.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/jobs.h"
#include "catalog/sequences.h"
#include "catalog/statistics.h"
#include "runtime/clock.h"
#include "runtime/executor.h"
#include "session/advisory_locks.h"
#include "session/notifications.h"
#include "session/table_locks.h"
#include "sql/exec/context.h"
#include "sql/optimize/optimize.h"
#include "txn/transaction.h"
#include "types/time_zone.h"

namespace pando::runtime {
class Disk;
}

namespace pando::session {

class ClusterControl;
class Databases;
class JobRunner;
class Session;

// A row of pg_stat_activity.
struct SessionActivity {
  uint32_t process_id = 0;
  std::string user;
  std::string database;
  std::string application_name;
  std::string client_address;
  // "active", "idle", "idle in transaction", "idle in transaction (aborted)".
  std::string state;
  std::string query;
  // Microseconds since 2000-01-01 UTC; 0 for none.
  int64_t session_start_us = 0;
  int64_t transaction_start_us = 0;
  int64_t query_start_us = 0;
  int64_t state_change_us = 0;
  // The number of its newest transaction; 0 before the first.
  uint64_t transaction = 0;
};

class SessionRegistry {
 public:
  // At most `sessions_max` at a time. The sessions of one node of a cluster have other process ids than those of the
  // others: clients tell their own notifications by them.
  explicit SessionRegistry(std::size_t sessions_max, uint32_t node = 0);

  // A process id that no connected session has. 53300 "sorry, too many clients already".
  Result<uint32_t> reserve() PANDO_EXCLUDES(mutex_);
  void add(uint32_t process_id, Session* session) PANDO_EXCLUDES(mutex_);
  // After it returns no other thread uses the session, which is about to close but still counts.
  void hide(uint32_t process_id) PANDO_EXCLUDES(mutex_);
  void remove(uint32_t process_id) PANDO_EXCLUDES(mutex_);

  // Each returns whether there is such a session.
  bool cancel(uint32_t process_id, Status reason) PANDO_EXCLUDES(mutex_);
  bool cancel_with_secret(uint32_t process_id, uint32_t secret, Status reason) PANDO_EXCLUDES(mutex_);
  bool terminate(uint32_t process_id, Status reason) PANDO_EXCLUDES(mutex_);
  void terminate_all(const Status& reason) PANDO_EXCLUDES(mutex_);
  // Terminates those that neither run a statement nor are inside a transaction.
  void terminate_idle(const Status& reason) PANDO_EXCLUDES(mutex_);

  // Terminates those that hold advisory locks, which the node has lost.
  void terminate_lock_holders() PANDO_EXCLUDES(mutex_);

  std::vector<SessionActivity> activities() PANDO_EXCLUDES(mutex_);
  std::size_t count() PANDO_EXCLUDES(mutex_);

  AdvisoryLocks& advisory_locks() { return advisory_locks_; }
  NotificationHub& notifications() { return notifications_; }
  ExclusiveTables& exclusive_tables() { return exclusive_tables_; }

 private:
  const std::size_t sessions_max_;
  const uint32_t process_id_base_;
  AdvisoryLocks advisory_locks_;
  NotificationHub notifications_;
  ExclusiveTables exclusive_tables_;
  Mutex mutex_;
  // nullptr for one that is still opening or closing.
  std::map<uint32_t, Session*> sessions_ PANDO_GUARDED_BY(mutex_);
  uint32_t last_process_id_ PANDO_GUARDED_BY(mutex_) = 0;
};

struct SessionEnvironment {
  txn::Store& store;
  catalog::Catalog& catalog;
  catalog::Sequences& sequences;
  runtime::Clock& clock;
  runtime::Timer& timer;
  SessionRegistry& registry;
  // May be null: then only UTC and fixed offsets are known.
  types::TimeZoneSource* time_zones = nullptr;
  // May be null: then nothing spills.
  sql::exec::TemporaryStorage* temporary = nullptr;
  // May be null: then COPY knows no files.
  runtime::Disk* files = nullptr;
  // May be null: then every table counts as never analyzed, and nothing is counted.
  catalog::Statistics* statistics = nullptr;
  // Null for a node of its own.
  ClusterControl* cluster = nullptr;
  // Null in a cluster, and for an environment without a node: then there is one database.
  Databases* databases = nullptr;
  // Null for a database beside the first, and for an environment without a node: then every statement does its work
  // itself.
  JobRunner* jobs = nullptr;
  catalog::JobSizes job_sizes = {};
  // Who waits for whom for a lock, by the numbers of their transactions. Null where that is not known: in a cluster.
  std::function<std::vector<std::pair<uint64_t, uint64_t>>()> lock_waits;
  // Unpredictable numbers, for cancel secrets and seeds.
  std::function<uint64_t()> random;
  // Executors that parallel scans may use.
  std::vector<runtime::Executor*> helpers;
  // Microseconds since 2000-01-01 UTC.
  int64_t start_time_us = 0;
};

}  // namespace pando::session
