#include "catalog/statistics.h"

#include <algorithm>

#include "catalog/descriptor_codec.h"
#include "catalog/keys.h"
#include "txn/read_rows.h"

namespace pando::catalog {
namespace {

Status malformed(std::string_view what) {
  return {sql_state::kDataCorrupted, "{} of a table's statistics is malformed", what};
}

// Gives each table's row to `use`.
Task<Status> read_tables(txn::Transaction& transaction, Bytes prefix, std::function<Status(Oid, ByteView)> use) {
  co_return co_await txn::read_rows(transaction, {prefix, prefix_end(prefix)},
                                    [&](ByteView row_key, ByteView value) -> Status {
                                      Oid table = 0;
                                      OrderedReader key(row_key.substr(prefix.size()));
                                      return key.ordered_uint32(table) ? use(table, value) : malformed("the key");
                                    });
}

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

void TableActivity::analyzed_elsewhere() {
  MutexLock lock(mutex_);
  writes_.live = 0;
  writes_.changed_since_analyze = 0;
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

Task<Status> Statistics::open(runtime::Executor& executor) {
  auto transaction = store_.begin({.read_only = true, .executor = &executor});
  transaction->begin_statement();
  PANDO_CO_ASSIGN(const Stamps stamps, co_await read_stamps(*transaction));
  PANDO_CO_TRY(co_await read_tables(*transaction, statistics_prefix(kRowIndexId, database_),
                                    [&](Oid table, ByteView row) -> Status {
                                      PANDO_ASSIGN(TableStatistics statistics, decode_statistics(row));
                                      const auto stamp = stamps.find(table);
                                      take(table, std::move(statistics), stamp == stamps.end() ? 0 : stamp->second);
                                      return {};
                                    }));
  co_await transaction->rollback();
  co_return Status();
}

Task<Result<bool>> Statistics::refresh(runtime::Executor& executor, runtime::Cancellation* cancellation) {
  auto transaction = store_.begin({.read_only = true, .executor = &executor, .cancellation = cancellation});
  transaction->begin_statement();
  PANDO_CO_ASSIGN(const Stamps stamps, co_await read_stamps(*transaction));
  for (const auto& [table, stamp] : stamps) {
    PANDO_CO_ASSIGN(const auto stored, co_await transaction->get(statistics_key(kRowIndexId, database_, table)));
    if (stored.has_value()) {
      PANDO_CO_ASSIGN(TableStatistics statistics, decode_statistics(*stored));
      take(table, std::move(statistics), stamp);
      activity(table).analyzed_elsewhere();
    }
  }
  co_await transaction->rollback();
  co_return !stamps.empty();
}

auto Statistics::read_stamps(txn::Transaction& transaction) -> Task<Result<Stamps>> {
  Stamps stamps;
  PANDO_CO_TRY(co_await read_tables(transaction, statistics_prefix(kStatisticsStampIndexId, database_),
                                    [&](Oid table, ByteView row) -> Status {
                                      uint64_t stamp = 0;
                                      if (ByteReader reader(row); !reader.fixed64(stamp)) {
                                        return malformed("the stamp");
                                      }
                                      MutexLock lock(mutex_);
                                      if (entry(table).stamp != stamp) {
                                        stamps.emplace(table, stamp);
                                      }
                                      return {};
                                    }));
  co_return stamps;
}

void Statistics::take(Oid table, TableStatistics statistics, uint64_t stamp) {
  MutexLock lock(mutex_);
  Entry& found = entry(table);
  found.analyzed = std::make_shared<const TableStatistics>(std::move(statistics));
  found.stamp = stamp;
}

Task<Result<bool>> Statistics::claim(txn::Transaction& transaction, Oid table) {
  PANDO_CO_ASSIGN(const auto locked,
                  co_await transaction.lock(statistics_key(kStatisticsClaimIndexId, database_, table),
                                            txn::LockStrength::kUpdate, txn::WaitPolicy::kSkipLocked));
  co_return locked.granted;
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
  for (const IndexId index : {kRowIndexId, kStatisticsStampIndexId}) {
    PANDO_CO_TRY((co_await transaction.lock(statistics_key(index, database_, table), txn::LockStrength::kUpdate,
                                            txn::WaitPolicy::kBlock))
                     .status());
  }
  const auto stamp = static_cast<uint64_t>(now_us);
  Bytes stamp_bytes;
  put_fixed64(stamp_bytes, stamp);
  PANDO_CO_TRY(transaction.put(statistics_key(kRowIndexId, database_, table), encode(statistics)));
  PANDO_CO_TRY(transaction.put(statistics_key(kStatisticsStampIndexId, database_, table), std::move(stamp_bytes)));
  auto shared = std::make_shared<const TableStatistics>(std::move(statistics));
  transaction.on_commit([this, table, shared, stamp, now_us, automatic] {
    MutexLock lock(mutex_);
    Entry& found = entry(table);
    found.analyzed = shared;
    found.stamp = stamp;
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
