#include "session/table_locks.h"

#include "catalog/keys.h"

namespace pando::session {
namespace {

// Beside that of table_lock_key, which is index 1's.
constexpr catalog::IndexId kMaintenanceKey{2};
constexpr catalog::IndexId kAccessKey{3};

Bytes mode_key(catalog::IndexId kind, types::Oid table) {
  Bytes key = catalog::index_prefix(catalog::kTableLockTable, kind);
  append_ordered_uint32(key, table);
  return key;
}

}  // namespace

std::vector<TableLockStep> table_lock_steps(types::Oid table, TableLockMode mode) {
  using txn::LockStrength;
  const TableLockStep beside_writers{catalog::table_lock_key(table), LockStrength::kKeyShare};
  const TableLockStep no_writers{catalog::table_lock_key(table), LockStrength::kUpdate};
  switch (mode) {
    case TableLockMode::kAccessShare:
      return {{mode_key(kAccessKey, table), LockStrength::kKeyShare}};
    case TableLockMode::kRowShare:
    case TableLockMode::kRowExclusive:
      return {beside_writers};
    case TableLockMode::kShareUpdateExclusive:
      return {beside_writers, {mode_key(kMaintenanceKey, table), LockStrength::kUpdate}};
    case TableLockMode::kShare:
    case TableLockMode::kShareRowExclusive:
    case TableLockMode::kExclusive:
      return {no_writers};
    case TableLockMode::kAccessExclusive:
      return {no_writers, {mode_key(kAccessKey, table), LockStrength::kUpdate}};
  }
  PANDO_UNREACHABLE("a mode of LOCK TABLE without a case");
}

bool ExclusiveTables::contains(types::Oid table) {
  MutexLock lock(mutex_);
  return tables_.contains(table);
}

void ExclusiveTables::add(types::Oid table) {
  MutexLock lock(mutex_);
  ++tables_[table];
  count_.fetch_add(1, std::memory_order_release);
}

void ExclusiveTables::remove(types::Oid table) {
  MutexLock lock(mutex_);
  if (--tables_[table] == 0) {
    tables_.erase(table);
  }
  count_.fetch_sub(1, std::memory_order_release);
}

}  // namespace pando::session
