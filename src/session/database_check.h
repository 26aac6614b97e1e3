#pragma once

// DatabaseCheck: verifies all tables of a database against its catalog: descriptors, rows, indexes, constraints.
//
//   DatabaseCheck check(environment, executor, observer);
//   PANDO_CO_TRY(co_await check.run());             // fails only when the check itself cannot go on
//   check.counts().problems
//
// Sees one snapshot. Thread-safety: one coroutine, on `executor`; nobody changes definitions meanwhile.

#include <string>

#include "runtime/executor.h"
#include "session/environment.h"

namespace pando::session {

class DatabaseCheckObserver {
 public:
  virtual ~DatabaseCheckObserver() = default;
  // What is looked at from here on, "table public.t", as the how manieth stage of how many.
  virtual void stage(const std::string& what, std::size_t number, std::size_t count) = 0;
  virtual void progress(uint64_t entries) = 0;
  virtual void problem(const std::string& where, const std::string& what) = 0;
};

struct DatabaseCheckCounts {
  uint64_t tables = 0;
  uint64_t rows = 0;
  uint64_t entries = 0;
  uint64_t constraints = 0;
  uint64_t problems = 0;
};

class DatabaseCheck {
 public:
  DatabaseCheck(SessionEnvironment& environment, runtime::Executor& executor, DatabaseCheckObserver& observer)
      : environment_(environment), executor_(executor), observer_(observer) {}

  Task<Status> run();
  const DatabaseCheckCounts& counts() const { return counts_; }

 private:
  void problem(const std::string& where, const std::string& what);
  void next_stage(const std::string& what);
  void check_definitions(const catalog::Snapshot& snapshot);
  void check_definition(const catalog::Snapshot& snapshot, const catalog::TableDescriptor& table);
  Task<Status> check_rows(catalog::TablePtr table);
  Task<Status> check_constraints(catalog::TablePtr table);
  std::string name_of(const catalog::TableDescriptor& table) const;

  SessionEnvironment& environment_;
  runtime::Executor& executor_;
  DatabaseCheckObserver& observer_;
  DatabaseCheckCounts counts_;
  catalog::SnapshotPtr snapshot_;
  std::size_t stage_ = 0;
  std::size_t stages_ = 1;
};

}  // namespace pando::session
