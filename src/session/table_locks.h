#pragma once

// What LOCK TABLE takes, and how it keeps readers out.
//
// PostgreSQL's eight modes are made of three keys for each table, which the transaction locks. All that write to a
// table or lock its rows lock the first (catalog::table_lock_key) with kKeyShare, so that SHARE and what is above it
// wait for them with kUpdate. The second keeps SHARE UPDATE EXCLUSIVE apart from itself. The third is of ACCESS SHARE
// and ACCESS EXCLUSIVE. Readers lock nothing: a statement asks ExclusiveTables, and only where somebody at this node
// has, or waits for, ACCESS EXCLUSIVE it locks the third key as well, and waits.
//
//   if (registry.exclusive_tables().any()) { ... contains(table) ... }
//
// Thread-safe.

#include <atomic>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "txn/transaction.h"
#include "types/type.h"

namespace pando::session {

// PostgreSQL's numbers of the modes that are told apart here.
enum class TableLockMode : int32_t {
  kAccessShare = 1,
  kRowShare = 2,
  kRowExclusive = 3,
  kShareUpdateExclusive = 4,
  kShare = 5,
  kShareRowExclusive = 6,
  kExclusive = 7,
  kAccessExclusive = 8,
};

struct TableLockStep {
  Bytes key;
  txn::LockStrength strength;
};
// In the order in which everybody takes them.
std::vector<TableLockStep> table_lock_steps(types::Oid table, TableLockMode mode);

class ExclusiveTables {
 public:
  // Keeps the table among them while it lives.
  class Hold {
   public:
    Hold(ExclusiveTables& tables, types::Oid table) : tables_(&tables), table_(table) { tables.add(table); }
    Hold(Hold&& other) noexcept : tables_(std::exchange(other.tables_, nullptr)), table_(other.table_) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (tables_ != nullptr) {
        tables_->remove(table_);
      }
    }

   private:
    ExclusiveTables* tables_;
    types::Oid table_;
  };

  bool any() const { return count_.load(std::memory_order_acquire) != 0; }
  bool contains(types::Oid table) PANDO_EXCLUDES(mutex_);

 private:
  void add(types::Oid table) PANDO_EXCLUDES(mutex_);
  void remove(types::Oid table) PANDO_EXCLUDES(mutex_);

  std::atomic<std::size_t> count_{0};
  Mutex mutex_;
  // How many hold each.
  std::map<types::Oid, std::size_t> tables_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::session
