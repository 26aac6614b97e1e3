#pragma once

// StoreScript: text-driven tests of a txn::Store by several sessions at once.
//
//   isolation repeatable-read        what `begin` means when it does not say
//   run                              each input line is a session and what it does:
//     1: begin [read-committed|repeatable-read|serializable] [read-only] [lock-timeout=50]
//     1: get KEY | latest KEY | all [from KEY] [to KEY] [reverse] | where VALUE
//     1: set KEY VALUE               UPDATE by key: does nothing to a missing row
//     1: insert KEY VALUE            fails with 23505 when there is a row
//     1: delete KEY | delete-all | delete-where VALUE | add-to-all N
//     1: lock KEY STRENGTH [nowait|skip-locked]
//     1: savepoint NAME | rollback-to NAME | release NAME
//     1: commit | rollback | cancel
//     advance MS                     lets time pass
//     locks                          shows the lock table
//   dump                             what a new transaction sees
//   reset                            ends all sessions and erases every key
//
// A statement that must wait prints "waits"; its outcome is printed when it comes. The statements behave as SQL's do on
// top of a store: a new snapshot, lock before write, restart in READ COMMITTED when a row has changed, else 40001.

#include <map>
#include <memory>
#include <string>

#include "test/support/datadriven.h"
#include "test/txn/manual_timer.h"
#include "test/txn/step_executor.h"
#include "txn/lock_table.h"
#include "txn/transaction.h"

namespace pando::test {

class StoreScript {
 public:
  StoreScript(txn::Store& store, txn::LockTable& locks, ManualTimer& timer);
  ~StoreScript();

  std::string handle(const Command& command);

 private:
  struct Session;
  using Words = std::vector<std::string>;

  std::string run_line(const std::string& line);
  std::string name_owners(std::string line) const;
  Session& session(const std::string& name);
  void start(Session& session, Words words);
  void begin(Session& session, const Words& words);
  // Runs until every session is done or waits for a lock.
  void settle();
  std::string take_output();
  std::string dump();
  void reset();

  txn::Store& store_;
  txn::LockTable& locks_;
  ManualTimer& timer_;
  StepExecutor executor_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
  txn::Isolation isolation_ = txn::Isolation::kReadCommitted;
  std::string output_;
};

}  // namespace pando::test
