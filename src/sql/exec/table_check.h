#pragma once

// TableCheck: whether what is stored of one table fits together: every row can be read and keeps its NOT NULLs, every
// row has its entry in every index, and every entry stands for a row as it is. Uniqueness follows: a unique entry's key
// has no room for a second row.
//
//   TableCheck check(table, context, report);
//   PANDO_CO_TRY(co_await check.run());             // fails only when the check itself cannot go on
//   check.counts()
//
// Reads the transaction's snapshot. Thread-safety: one coroutine at a time.

#include <functional>
#include <string>

#include "sql/exec/context.h"

namespace pando::sql::exec {

class TableCheck {
 public:
  // One line that says what is wrong, without the table's name.
  using Report = std::function<void(const std::string& problem)>;
  // Called now and then with what has been looked at since the last time.
  using Progress = std::function<void(uint64_t entries)>;
  struct Counts {
    uint64_t rows = 0;
    uint64_t entries = 0;
    uint64_t problems = 0;
  };

  TableCheck(catalog::TablePtr table, ExecutionContext context, Report report, Progress progress);
  ~TableCheck();
  TableCheck(const TableCheck&) = delete;
  TableCheck& operator=(const TableCheck&) = delete;

  Task<Status> run();
  const Counts& counts() const { return counts_; }

 private:
  class Work;

  Counts counts_;
  std::unique_ptr<Work> work_;
};

}  // namespace pando::sql::exec
