#include "catalog/catalog.h"

#include <algorithm>

#include "catalog/descriptor_codec.h"
#include "catalog/keys.h"
#include "catalog/relation_forms.h"
#include "txn/read_rows.h"

namespace pando::catalog {
namespace {

// OIDs are reserved in blocks, so that making one costs no write; a restart skips the rest of a block.
constexpr Oid kOidBlock = 1024;
constexpr std::string_view kOidCounter = "oid";

Bytes descriptor_prefix(Oid database) {
  Bytes key = index_prefix(kDescriptorTable, kRowIndexId);
  append_ordered_uint32(key, database);
  return key;
}

Bytes descriptor_key(Oid database, DescriptorKind kind, Oid object) {
  Bytes key = descriptor_prefix(database);
  key.push_back(static_cast<char>(kind));
  append_ordered_uint32(key, object);
  return key;
}

Bytes counter_key(std::string_view name) {
  Bytes key = index_prefix(kCounterTable, kRowIndexId);
  append_ordered_bytes(key, name);
  return key;
}

template <typename Descriptor>
Status put_decoded(Result<Descriptor> decoded, Snapshot& snapshot) {
  if (!decoded.ok()) {
    return std::move(decoded).status();
  }
  snapshot.put(std::make_shared<const Descriptor>(*std::move(decoded)));
  return {};
}

Status load_descriptor(Oid database, ByteView key, ByteView value, Snapshot& snapshot) {
  OrderedReader reader(key.substr(descriptor_prefix(database).size()));
  uint8_t kind = 0;
  if (!reader.byte(kind)) {
    return Status(sql_state::kDataCorrupted, "the key of a descriptor is too short");
  }
  switch (static_cast<DescriptorKind>(kind)) {
    case DescriptorKind::kSchema:
      return put_decoded(decode_schema(value), snapshot);
    case DescriptorKind::kTable:
      return put_decoded(decode_table(value), snapshot);
    case DescriptorKind::kSequence:
      return put_decoded(decode_sequence(value), snapshot);
    case DescriptorKind::kRole:
      return put_decoded(decode_role(value), snapshot);
    case DescriptorKind::kType:
      return put_decoded(decode_type(value), snapshot);
  }
  return Status(sql_state::kDataCorrupted, "a descriptor of unknown kind {}", kind);
}

void put_system_objects(const CatalogOptions& options, Snapshot& snapshot) {
  const auto schema = [&](Oid oid, std::string name, std::string comment) {
    snapshot.put(std::make_shared<const SchemaDescriptor>(
        SchemaDescriptor{.oid = oid, .name = std::move(name), .comment = std::move(comment)}));
  };
  schema(kPgCatalogSchema, "pg_catalog", "system catalog schema");
  schema(kInformationSchema, "information_schema", "");
  schema(kPandoSchema, "pando", "views and functions of Pando");
  for (const auto& relation : options.system_relations) {
    snapshot.put(relation);
  }
}

struct Apply {
  Snapshot& snapshot;
  bool removed;
  void operator()(const SchemaPtr& schema) const {
    removed ? snapshot.remove_schema(schema->oid) : snapshot.put(schema);
  }
  void operator()(const TablePtr& table) const { removed ? snapshot.remove_table(table->oid) : snapshot.put(table); }
  void operator()(const SequencePtr& sequence) const {
    removed ? snapshot.remove_sequence(sequence->oid) : snapshot.put(sequence);
  }
  void operator()(const RolePtr& role) const { snapshot.put(role); }
  void operator()(const TypePtr& type) const { removed ? snapshot.remove_type(type->oid) : snapshot.put(type); }
};

// What sessions left that could not clean up.
Task<Status> remove_temporary_objects(txn::Store* store, const CatalogOptions* options, runtime::Executor* executor,
                                      Snapshot* loaded) {
  Snapshot& snapshot = *loaded;
  const Oid database = options->database;
  // Sessions of other nodes may still use theirs.
  const std::string prefix = temporary_schema_prefix(options->node);
  const auto is_left_behind = [&](const SchemaDescriptor& schema) { return schema.name.starts_with(prefix); };
  std::vector<Bytes> keys;
  std::vector<txn::Span> spans;
  const auto is_temporary_schema = [&](Oid oid) {
    const SchemaPtr schema = snapshot.find_schema(oid);
    return schema != nullptr && is_left_behind(*schema);
  };
  const auto tables = snapshot.tables();
  for (const auto& [oid, table] : tables) {
    if (is_temporary_schema(table->schema)) {
      keys.push_back(descriptor_key(database, DescriptorKind::kTable, oid));
      if (has_rows(*table) && is_populated(*table)) {
        const Bytes prefix = table_prefix(table->id);
        spans.push_back({prefix, prefix_end(prefix)});
      }
      snapshot.remove_table(oid);
    }
  }
  const auto sequences = snapshot.sequences();
  for (const auto& [oid, sequence] : sequences) {
    if (is_temporary_schema(sequence->schema)) {
      keys.push_back(descriptor_key(database, DescriptorKind::kSequence, oid));
      snapshot.remove_sequence(oid);
    }
  }
  const auto schemas = snapshot.schemas();
  for (const auto& [oid, schema] : schemas) {
    if (is_left_behind(*schema)) {
      keys.push_back(descriptor_key(database, DescriptorKind::kSchema, oid));
      snapshot.remove_schema(oid);
    }
  }
  if (keys.empty()) {
    co_return Status();
  }
  auto transaction = store->begin({.executor = executor});
  transaction->begin_statement();
  for (const Bytes& key : keys) {
    PANDO_CO_TRY((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
    PANDO_CO_TRY(transaction->erase(key));
  }
  PANDO_CO_TRY(co_await transaction->commit());
  for (const txn::Span& span : spans) {
    store->discard(span);
  }
  co_return Status();
}

}  // namespace

Catalog::Catalog(txn::Store& store, CatalogOptions options)
    : store_(store), options_(std::move(options)), current_(std::make_shared<const Snapshot>()) {
  store_.watch(descriptor_prefix(options_.database));
  store_.guard(index_prefix(kTableLockTable, kRowIndexId));
}

SnapshotPtr Catalog::current() const {
  MutexLock lock(mutex_);
  return current_;
}

Task<Status> Catalog::open(runtime::Executor& executor) {
  auto snapshot = std::make_shared<Snapshot>();
  put_system_objects(options_, *snapshot);
  auto transaction = store_.begin({.read_only = true, .executor = &executor});
  transaction->begin_statement();
  PANDO_CO_TRY(co_await load(*transaction, *snapshot));
  const HlcTimestamp loaded_at = transaction->read_timestamp();
  co_await transaction->rollback();
  if (!snapshot->find_schema(kPublicSchema) && snapshot->roles().empty()) {
    PANDO_CO_TRY(co_await bootstrap(executor, *snapshot));
  }
  PANDO_CO_TRY(co_await remove_temporary_objects(&store_, &options_, &executor, snapshot.get()));
  snapshot->set_version(1);
  MutexLock lock(mutex_);
  current_ = std::move(snapshot);
  loaded_at_ = loaded_at;
  version_.store(1, std::memory_order_release);
  co_return Status();
}

Task<Status> Catalog::refresh(runtime::Executor& executor) {
  while (true) {
    const uint64_t before = publications();
    auto snapshot = std::make_shared<Snapshot>();
    put_system_objects(options_, *snapshot);
    auto transaction = store_.begin({.read_only = true, .executor = &executor});
    transaction->begin_statement();
    PANDO_CO_TRY(co_await load(*transaction, *snapshot));
    const HlcTimestamp loaded_at = transaction->read_timestamp();
    co_await transaction->rollback();
    if (replace(std::move(snapshot), loaded_at, before)) {
      co_return Status();
    }
  }
}

// False: what was published while `snapshot` was loaded may not be in it.
bool Catalog::replace(std::shared_ptr<Snapshot> snapshot, HlcTimestamp loaded_at, uint64_t publications) {
  MutexLock lock(mutex_);
  if (publications_ != publications) {
    return false;
  }
  if (loaded_at > loaded_at_) {
    const uint64_t version = current_->version() + 1;
    snapshot->set_version(version);
    current_ = std::move(snapshot);
    loaded_at_ = loaded_at;
    version_.store(version, std::memory_order_release);
  }
  return true;
}

Task<Status> Catalog::load(txn::Transaction& transaction, Snapshot& snapshot) {
  const Bytes prefix = descriptor_prefix(options_.database);
  co_return co_await txn::read_rows(transaction, {prefix, prefix_end(prefix)}, [&](ByteView key, ByteView value) {
    return load_descriptor(options_.database, key, value, snapshot);
  });
}

Task<Status> Catalog::bootstrap(runtime::Executor& executor, Snapshot& snapshot) {
  const SchemaDescriptor schema{.oid = kPublicSchema, .name = "public", .comment = "standard public schema"};
  const RoleDescriptor role{.oid = kSuperuserRole, .name = "postgres", .superuser = true};
  auto transaction = store_.begin({.executor = &executor});
  transaction->begin_statement();
  const Bytes schema_key = descriptor_key(options_.database, DescriptorKind::kSchema, schema.oid);
  const Bytes role_key = descriptor_key(options_.database, DescriptorKind::kRole, role.oid);
  PANDO_CO_TRY((co_await transaction->lock(schema_key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_TRY((co_await transaction->lock(role_key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_TRY(transaction->put(schema_key, encode(schema)));
  PANDO_CO_TRY(transaction->put(role_key, encode(role)));
  PANDO_CO_TRY(co_await transaction->commit());
  snapshot.put(std::make_shared<const SchemaDescriptor>(schema));
  snapshot.put(std::make_shared<const RoleDescriptor>(role));
  co_return Status();
}

Task<Result<Oid>> Catalog::allocate_oid(runtime::Executor& executor) {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (next_oid_ < reserved_oid_end_) {
        co_return next_oid_++;
      }
    }
    PANDO_CO_TRY(co_await reserve_oids(executor));
  }
}

// Moves the stored counter on by a block. Concurrent callers serialize on its key and may reserve a block each; the
// last one wins and the others' are skipped.
Task<Status> Catalog::reserve_oids(runtime::Executor& executor) {
  auto transaction = store_.begin({.executor = &executor});
  transaction->begin_statement();
  const Bytes key = counter_key(kOidCounter);
  PANDO_CO_TRY((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_ASSIGN(const std::optional<Bytes> stored, co_await transaction->get_latest(key));
  uint32_t first = types::oid::kFirstUser;
  if (stored && !ByteReader(*stored).fixed32(first)) {
    co_return Status(sql_state::kDataCorrupted, "the OID counter is malformed");
  }
  if (first > UINT32_MAX - kOidBlock) {
    co_return Status(sql_state::kProgramLimitExceeded, "out of object identifiers");
  }
  Bytes value;
  put_fixed32(value, first + kOidBlock);
  PANDO_CO_TRY(transaction->put(key, std::move(value)));
  PANDO_CO_TRY(co_await transaction->commit());
  MutexLock lock(mutex_);
  if (first >= reserved_oid_end_) {
    next_oid_ = first;
    reserved_oid_end_ = first + kOidBlock;
  }
  co_return Status();
}

Task<Result<std::vector<txn::Span>>> Catalog::erase_all(txn::Transaction& transaction) {
  std::vector<txn::Span> spans;
  for (const auto& [oid, table] : current()->tables()) {
    if (has_rows(*table) && is_populated(*table)) {
      const Bytes prefix = table_prefix(table->id);
      spans.push_back({prefix, prefix_end(prefix)});
    }
  }
  for (const Bytes& prefix : {descriptor_prefix(options_.database), statistics_prefix(kRowIndexId, options_.database),
                              statistics_prefix(kStatisticsStampIndexId, options_.database)}) {
    std::vector<Bytes> keys;
    PANDO_CO_TRY(co_await txn::read_rows(transaction, {prefix, prefix_end(prefix)}, [&keys](ByteView key, ByteView) {
      keys.emplace_back(key);
      return Status();
    }));
    for (Bytes& key : keys) {
      PANDO_CO_TRY((co_await transaction.lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
      PANDO_CO_TRY(transaction.erase(std::move(key)));
    }
  }
  co_return spans;
}

void Catalog::publish(const std::vector<Change>& changes) {
  MutexLock lock(mutex_);
  ++publications_;
  auto changed = std::make_shared<Snapshot>(*current_);
  for (const Change& change : changes) {
    std::visit(Apply{*changed, change.removed}, change.object);
  }
  const uint64_t version = current_->version() + 1;
  changed->set_version(version);
  current_ = std::move(changed);
  version_.store(version, std::memory_order_release);
}

void Catalog::renew() { publish({}); }

CatalogTransaction::CatalogTransaction(Catalog& catalog, txn::Transaction& transaction)
    : catalog_(catalog), transaction_(transaction) {}

SnapshotPtr CatalogTransaction::snapshot() {
  if (changes_.empty()) {
    return catalog_.current();
  }
  const SnapshotPtr base = catalog_.current();
  if (!view_ || view_base_version_ != base->version() || view_changes_ != changes_.size()) {
    auto view = std::make_shared<Snapshot>(*base);
    for (const auto& change : changes_) {
      std::visit(Apply{*view, change.removed}, change.object);
    }
    view_ = std::move(view);
    view_base_version_ = base->version();
    view_changes_ = changes_.size();
  }
  return view_;
}

Task<Result<std::optional<Bytes>>> CatalogTransaction::stored_table(Oid table) {
  return transaction_.get(descriptor_key(catalog_.options().database, DescriptorKind::kTable, table));
}

Task<Status> CatalogTransaction::lock_table(Oid table, txn::LockStrength strength, txn::WaitPolicy wait) {
  PANDO_CO_TRY((co_await transaction_.lock(table_lock_key(table), strength, wait)).status());
  co_return co_await catch_up();
}

// A lock keeps others from changing what it guards; what they have changed before must be seen.
Task<Status> CatalogTransaction::catch_up() {
  if (catalog_.is_stale()) {
    PANDO_CO_TRY(co_await catalog_.refresh(transaction_.executor()));
  }
  co_return Status();
}

Task<Status> CatalogTransaction::lock_name(Oid schema, std::string name) {
  const Bytes key = name_lock_key(schema, name);
  PANDO_CO_TRY((co_await transaction_.lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  co_return co_await catch_up();
}

Task<Status> CatalogTransaction::write(Bytes key, Bytes value) {
  PANDO_CO_TRY((co_await transaction_.lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  co_return transaction_.put(std::move(key), std::move(value));
}

Task<Status> CatalogTransaction::erase(Bytes key) {
  PANDO_CO_TRY((co_await transaction_.lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  co_return transaction_.erase(std::move(key));
}

void CatalogTransaction::record(Catalog::Change change) {
  changes_.push_back(std::move(change));
  if (!hooked_) {
    hooked_ = true;
    transaction_.on_commit([this] {
      if (!changes_.empty()) {
        catalog_.publish(changes_);
      }
    });
  }
}

Task<Status> CatalogTransaction::put(SchemaPtr schema) {
  PANDO_CO_TRY(co_await write(descriptor_key(catalog_.options().database, DescriptorKind::kSchema, schema->oid),
                              encode(*schema)));
  record({std::move(schema)});
  co_return Status();
}

Task<Status> CatalogTransaction::put(TablePtr table) {
  PANDO_CO_TRY(
      co_await write(descriptor_key(catalog_.options().database, DescriptorKind::kTable, table->oid), encode(*table)));
  record({std::move(table)});
  co_return Status();
}

Task<Status> CatalogTransaction::put(SequencePtr sequence) {
  PANDO_CO_TRY(co_await write(descriptor_key(catalog_.options().database, DescriptorKind::kSequence, sequence->oid),
                              encode(*sequence)));
  record({std::move(sequence)});
  co_return Status();
}

Task<Status> CatalogTransaction::put(RolePtr role) {
  PANDO_CO_TRY(
      co_await write(descriptor_key(catalog_.options().database, DescriptorKind::kRole, role->oid), encode(*role)));
  record({std::move(role)});
  co_return Status();
}

Task<Status> CatalogTransaction::put(TypePtr type) {
  PANDO_CO_TRY(
      co_await write(descriptor_key(catalog_.options().database, DescriptorKind::kType, type->oid), encode(*type)));
  record({std::move(type)});
  co_return Status();
}

Task<Status> CatalogTransaction::remove(TypePtr type) {
  PANDO_CO_TRY(co_await erase(descriptor_key(catalog_.options().database, DescriptorKind::kType, type->oid)));
  record({std::move(type), true});
  co_return Status();
}

Task<Status> CatalogTransaction::remove(SchemaPtr schema) {
  PANDO_CO_TRY(co_await erase(descriptor_key(catalog_.options().database, DescriptorKind::kSchema, schema->oid)));
  record({std::move(schema), true});
  co_return Status();
}

Task<Status> CatalogTransaction::remove(TablePtr table) {
  const Oid database = catalog_.options().database;
  PANDO_CO_TRY(co_await erase(descriptor_key(database, DescriptorKind::kTable, table->oid)));
  PANDO_CO_ASSIGN(const auto stamp,
                  co_await transaction_.get_latest(statistics_key(kStatisticsStampIndexId, database, table->oid)));
  if (stamp.has_value()) {
    PANDO_CO_TRY(co_await erase(statistics_key(kRowIndexId, database, table->oid)));
    PANDO_CO_TRY(co_await erase(statistics_key(kStatisticsStampIndexId, database, table->oid)));
  }
  record({std::move(table), true});
  co_return Status();
}

Task<Status> CatalogTransaction::remove(SequencePtr sequence) {
  PANDO_CO_TRY(co_await erase(descriptor_key(catalog_.options().database, DescriptorKind::kSequence, sequence->oid)));
  record({std::move(sequence), true});
  co_return Status();
}

void CatalogTransaction::rollback_to(std::size_t change_count) {
  changes_.resize(std::min(change_count, changes_.size()), Catalog::Change{SchemaPtr()});
  view_.reset();
}

}  // namespace pando::catalog
