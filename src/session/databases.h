#pragma once

// Databases: all databases of a node beside its first. Each has a catalog, statistics and an environment of its own;
// the store, the clock, the registry of sessions and so on are those of the first. Objects of one cannot be named in
// another.
//
//   Databases databases(environment, executor);
//   PANDO_CO_TRY(co_await databases.open(executor));
//   PANDO_CO_ASSIGN(SessionEnvironment* other, co_await databases.find("shop", executor));   // 3D000
//
// An environment that find() gave stays until the end, even of a database that was dropped since.
// Thread-safe. Not in a cluster: another node would not learn of a new database.

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "session/auto_analyze.h"
#include "session/environment.h"

namespace pando::session {

class Databases {
 public:
  struct Entry {
    types::Oid oid = 0;
    std::string name;
  };

  // REQUIRES: both outlive it; `background` runs what keeps statistics fresh.
  Databases(SessionEnvironment& first, runtime::Executor& background);
  ~Databases();
  Databases(const Databases&) = delete;
  Databases& operator=(const Databases&) = delete;

  // Reads which there are.
  Task<Status> open(runtime::Executor& executor);
  // Ends what runs in the background. Before the executor ends.
  void stop() PANDO_EXCLUDES(mutex_);

  // All but the first, by name.
  std::vector<Entry> entries() const PANDO_EXCLUDES(mutex_);
  // The first by its own name too. 3D000 'database "x" does not exist'.
  Task<Result<SessionEnvironment*>> find(std::string name, runtime::Executor& executor);
  // 42P04 when there is one of that name.
  Task<Status> create(std::string name, runtime::Executor& executor);
  // 3D000; 55006 while it has sessions.
  Task<Status> drop(std::string name, runtime::Executor& executor);

 private:
  // What one database needs beside the node.
  struct Opened {
    Entry entry;
    std::unique_ptr<catalog::Catalog> catalog;
    std::unique_ptr<catalog::Statistics> statistics;
    std::unique_ptr<SessionEnvironment> environment;
    std::unique_ptr<AutoAnalyze> auto_analyze;
  };

  Task<Result<Opened*>> open_one(Entry entry, runtime::Executor& executor);
  Status check_unused(const std::string& name);

  SessionEnvironment& first_;
  runtime::Executor& background_;
  mutable Mutex mutex_;
  std::vector<Entry> entries_ PANDO_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Opened>> opened_ PANDO_GUARDED_BY(mutex_);
  bool stopped_ PANDO_GUARDED_BY(mutex_) = false;
};

}  // namespace pando::session
