#include "session/databases.h"

#include <algorithm>

#include "base/codec.h"
#include "catalog/keys.h"
#include "txn/read_rows.h"

namespace pando::session {
namespace {

Bytes entry_key(std::string_view name) {
  Bytes key = catalog::index_prefix(catalog::kDatabaseTable, catalog::kRowIndexId);
  append_ordered_bytes(key, name);
  return key;
}

Status missing(std::string_view name) {
  return {sql_state::kInvalidCatalogName, "database \"{}\" does not exist", name};
}

}  // namespace

Databases::Databases(SessionEnvironment& first, runtime::Executor& background)
    : first_(first), background_(background) {}

Databases::~Databases() { stop(); }

Task<Status> Databases::open(runtime::Executor& executor) {
  const Bytes prefix = catalog::index_prefix(catalog::kDatabaseTable, catalog::kRowIndexId);
  auto transaction = first_.store.begin({.read_only = true, .executor = &executor});
  transaction->begin_statement();
  std::vector<Entry> found;
  const auto add = [&](ByteView key, ByteView value) -> Status {
    Entry entry;
    OrderedReader name(key.substr(prefix.size()));
    ByteReader oid(value);
    if (!name.ordered_bytes(entry.name) || !oid.fixed32(entry.oid)) {
      return {sql_state::kDataCorrupted, "the entry of a database is malformed"};
    }
    found.push_back(std::move(entry));
    return {};
  };
  PANDO_CO_TRY(co_await txn::read_rows(*transaction, {prefix, prefix_end(prefix)}, add));
  co_await transaction->rollback();
  MutexLock lock(mutex_);
  entries_ = std::move(found);
  co_return Status();
}

void Databases::stop() {
  std::vector<AutoAnalyze*> running;
  {
    MutexLock lock(mutex_);
    if (stopped_) {
      return;
    }
    stopped_ = true;
    for (const auto& database : opened_) {
      running.push_back(database->auto_analyze.get());
    }
  }
  for (AutoAnalyze* automatic : running) {
    automatic->stop();
  }
}

std::vector<Databases::Entry> Databases::entries() const {
  MutexLock lock(mutex_);
  return entries_;
}

Task<Result<SessionEnvironment*>> Databases::find(std::string name, runtime::Executor& executor) {
  if (name == first_.catalog.options().database_name) {
    co_return &first_;
  }
  Entry entry;
  {
    MutexLock lock(mutex_);
    const auto known = std::ranges::find(entries_, name, &Entry::name);
    if (known == entries_.end()) {
      co_return missing(name);
    }
    entry = *known;
    for (const auto& database : opened_) {
      if (database->entry.oid == entry.oid) {
        co_return database->environment.get();
      }
    }
  }
  PANDO_CO_ASSIGN(Opened * opened, co_await open_one(std::move(entry), executor));
  co_return opened->environment.get();
}

// Two may open it at the same time: the one that comes first stays.
Task<Result<Databases::Opened*>> Databases::open_one(Entry entry, runtime::Executor& executor) {
  auto database = std::make_unique<Opened>();
  database->entry = entry;
  database->catalog = std::make_unique<catalog::Catalog>(
      first_.store, catalog::CatalogOptions{.database = entry.oid,
                                            .database_name = entry.name,
                                            .system_relations = first_.catalog.options().system_relations});
  PANDO_CO_TRY(co_await database->catalog->open(executor));
  database->statistics = std::make_unique<catalog::Statistics>(first_.store, entry.oid);
  PANDO_CO_TRY(co_await database->statistics->open(executor));
  database->environment = std::make_unique<SessionEnvironment>(SessionEnvironment{
      .store = first_.store,
      .catalog = *database->catalog,
      .sequences = first_.sequences,
      .clock = first_.clock,
      .timer = first_.timer,
      .registry = first_.registry,
      .time_zones = first_.time_zones,
      .temporary = first_.temporary,
      .files = first_.files,
      .statistics = database->statistics.get(),
      .cluster = first_.cluster,
      .databases = this,
      .lock_waits = first_.lock_waits,
      .random = first_.random,
      .helpers = first_.helpers,
      .start_time_us = first_.start_time_us,
  });
  database->auto_analyze = std::make_unique<AutoAnalyze>(*database->environment, background_);
  MutexLock lock(mutex_);
  for (const auto& other : opened_) {
    if (other->entry.oid == entry.oid) {
      co_return other.get();
    }
  }
  if (!stopped_) {
    database->auto_analyze->start();
  }
  co_return opened_.emplace_back(std::move(database)).get();
}

Task<Status> Databases::create(std::string name, runtime::Executor& executor) {
  PANDO_CO_ASSIGN(const types::Oid oid, co_await first_.catalog.allocate_oid(executor));
  auto transaction = first_.store.begin({.executor = &executor});
  transaction->begin_statement();
  const Bytes key = entry_key(name);
  PANDO_CO_TRY((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_ASSIGN(const std::optional<Bytes> stored, co_await transaction->get_latest(key));
  if (stored.has_value() || name == first_.catalog.options().database_name) {
    co_await transaction->rollback();
    co_return Status(sql_state::kDuplicateDatabase, "database \"{}\" already exists", name);
  }
  Bytes value;
  put_fixed32(value, oid);
  PANDO_CO_TRY(transaction->put(key, std::move(value)));
  transaction->on_commit([this, entry = Entry{oid, name}] {
    MutexLock lock(mutex_);
    const auto after = std::ranges::upper_bound(entries_, entry.name, {}, &Entry::name);
    entries_.insert(after, entry);
  });
  co_return co_await transaction->commit();
}

Status Databases::check_unused(const std::string& name) {
  const std::vector<SessionActivity> all = first_.registry.activities();
  const auto users = std::ranges::count(all, name, &SessionActivity::database);
  if (users == 0) {
    return {};
  }
  return Status(sql_state::kObjectInUse, "database \"{}\" is being accessed by other users", name)
      .with_detail(users == 1 ? std::string("There is 1 other session using the database.")
                              : fmt::format("There are {} other sessions using the database.", users));
}

Task<Status> Databases::drop(std::string name, runtime::Executor& executor) {
  Entry entry;
  {
    MutexLock lock(mutex_);
    const auto known = std::ranges::find(entries_, name, &Entry::name);
    if (known == entries_.end()) {
      co_return missing(name);
    }
    entry = *known;
  }
  PANDO_CO_TRY(check_unused(name));
  PANDO_CO_ASSIGN(Opened * opened, co_await open_one(entry, executor));
  auto transaction = first_.store.begin({.executor = &executor});
  transaction->begin_statement();
  const Bytes key = entry_key(name);
  PANDO_CO_TRY((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_TRY(transaction->erase(key));
  PANDO_CO_ASSIGN(const std::vector<txn::Span> spans, co_await opened->catalog->erase_all(*transaction));
  transaction->on_commit([this, oid = entry.oid] {
    MutexLock lock(mutex_);
    std::erase_if(entries_, [oid](const Entry& other) { return other.oid == oid; });
  });
  PANDO_CO_TRY(co_await transaction->commit());
  opened->auto_analyze->stop();
  for (const txn::Span& span : spans) {
    first_.store.discard(span);
  }
  co_return Status();
}

}  // namespace pando::session
