#include "catalog/statistics.h"

#include <algorithm>

#include "catalog/descriptor_codec.h"
#include "catalog/keys.h"

namespace pando::catalog {
namespace {

constexpr std::size_t kLoadBatch = 64;

}  // namespace

TableActivity::Reads TableActivity::reads() const {
  Reads sum;
  for (const Lane& lane : lanes_) {
    sum.sequential_scans += lane.sequential_scans.load(std::memory_order_relaxed);
    sum.sequential_rows += lane.sequential_rows.load(std::memory_order_relaxed);
    sum.index_scans += lane.index_scans.load(std::memory_order_relaxed);
    sum.index_rows += lane.index_rows.load(std::memory_order_relaxed);
  }
  return sum;
}

void TableActivity::count_changes(const TableChanges& changes, bool committed) {
  note_id(changes.id);
  MutexLock lock(mutex_);
  writes_.inserted += changes.inserted;
  writes_.updated += changes.updated;
  writes_.deleted += changes.deleted;
  if (!committed) {
    return;
  }
  writes_.dead += changes.updated + changes.deleted;
  writes_.live += static_cast<int64_t>(changes.inserted) - static_cast<int64_t>(changes.deleted);
  writes_.inserted_since_vacuum += changes.inserted;
  writes_.changed_since_analyze += changes.inserted + changes.updated + changes.deleted;
}

TableActivity::Writes TableActivity::writes() const {
  MutexLock lock(mutex_);
  return writes_;
}

void TableActivity::vacuumed(int64_t now_us) {
  MutexLock lock(mutex_);
  writes_.dead = 0;
  writes_.inserted_since_vacuum = 0;
  maintenance_.last_vacuum_us = now_us;
  ++maintenance_.vacuums;
}

void TableActivity::analyzed(int64_t now_us, bool automatic) {
  MutexLock lock(mutex_);
  writes_.live = 0;
  writes_.changed_since_analyze = 0;
  (automatic ? maintenance_.last_auto_analyze_us : maintenance_.last_analyze_us) = now_us;
  ++(automatic ? maintenance_.auto_analyzes : maintenance_.analyzes);
}

TableActivity::Maintenance TableActivity::maintenance() const {
  MutexLock lock(mutex_);
  return maintenance_;
}

void TableActivity::note_id(TableId id) {
  MutexLock lock(mutex_);
  if (id_ != id) {
    const bool moved = id_ != TableId();
    id_ = id;
    writes_.live = moved ? 0 : writes_.live;
    writes_.dead = moved ? 0 : writes_.dead;
  }
}

Bytes Statistics::prefix() const {
  Bytes key = index_prefix(kStatisticsTable, kRowIndexId);
  append_ordered_uint32(key, database_);
  return key;
}

Task<Status> Statistics::open(runtime::Executor& executor) {
  auto transaction = store_.begin({.read_only = true, .executor = &executor});
  transaction->begin_statement();
  const Bytes start = prefix();
  auto cursor = transaction->scan({start, prefix_end(start)}, {});
  txn::KeyValueBatch batch;
  while (true) {
    PANDO_CO_TRY(co_await cursor->next(batch, kLoadBatch));
    if (batch.size() == 0) {
      break;
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Oid table = 0;
      OrderedReader key(batch.key(i).substr(start.size()));
      if (!key.ordered_uint32(table)) {
        co_return Status(sql_state::kDataCorrupted, "the key of a table's statistics is malformed");
      }
      PANDO_CO_ASSIGN(TableStatistics statistics, decode_statistics(batch.value(i)));
      MutexLock lock(mutex_);
      entry(table).analyzed = std::make_shared<const TableStatistics>(std::move(statistics));
    }
  }
  cursor.reset();
  co_await transaction->rollback();
  co_return Status();
}

Statistics::Entry& Statistics::entry(Oid table) {
  auto& found = entries_[table];
  if (found == nullptr) {
    found = std::make_unique<Entry>();
  }
  return *found;
}

TableStatisticsPtr Statistics::find(const TableDescriptor& table) const {
  MutexLock lock(mutex_);
  const auto found = entries_.find(table.oid);
  if (found == entries_.end() || found->second->analyzed == nullptr || found->second->analyzed->id != table.id) {
    return nullptr;
  }
  return found->second->analyzed;
}

double Statistics::live_rows(const TableDescriptor& table) {
  const TableStatisticsPtr analyzed = find(table);
  TableActivity& counted = activity(table.oid);
  counted.note_id(table.id);
  const int64_t live = counted.writes().live;
  if (analyzed == nullptr) {
    return live > 0 ? static_cast<double>(live) : -1;
  }
  return std::max(0.0, analyzed->rows + static_cast<double>(live));
}

TableActivity& Statistics::activity(Oid table) {
  MutexLock lock(mutex_);
  return entry(table).activity;
}

Task<Status> Statistics::put(txn::Transaction& transaction, Oid table, TableStatistics statistics, int64_t now_us,
                             bool automatic) {
  Bytes key = prefix();
  append_ordered_uint32(key, table);
  PANDO_CO_TRY((co_await transaction.lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_TRY(transaction.put(std::move(key), encode(statistics)));
  auto shared = std::make_shared<const TableStatistics>(std::move(statistics));
  transaction.on_commit([this, table, shared, now_us, automatic] {
    MutexLock lock(mutex_);
    Entry& found = entry(table);
    found.analyzed = shared;
    found.activity.note_id(shared->id);
    found.activity.analyzed(now_us, automatic);
  });
  co_return Status();
}

uint64_t Statistics::row_bytes(const TableDescriptor& table) {
  const Bytes start = index_prefix(table.id, kRowIndexId);
  return store_.approximate_bytes({start, prefix_end(start)});
}

}  // namespace pando::catalog
