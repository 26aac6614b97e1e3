#include "node/store_node_directory.h"

#include "catalog/keys.h"
#include "txn/read_rows.h"

namespace pando::node {
namespace {

constexpr std::string_view kNodeCounter = "node";

Bytes node_prefix() { return catalog::index_prefix(catalog::kNodeTable, catalog::kRowIndexId); }

Bytes node_key(NodeId node) {
  Bytes key = node_prefix();
  append_ordered_uint32(key, node.number());
  return key;
}

Bytes counter_key() {
  Bytes key = catalog::index_prefix(catalog::kCounterTable, catalog::kRowIndexId);
  append_ordered_bytes(key, kNodeCounter);
  return key;
}

Task<Status> lock(txn::Transaction& transaction, Bytes key) {
  co_return (co_await transaction.lock(std::move(key), txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status();
}

}  // namespace

Task<Result<NodeId>> StoreNodeDirectory::next_node_id() {
  auto transaction = store_.begin({.executor = &executor_});
  transaction->begin_statement();
  PANDO_CO_TRY(co_await lock(*transaction, counter_key()));
  PANDO_CO_ASSIGN(const std::optional<Bytes> stored, co_await transaction->get_latest(counter_key()));
  // The node that made the cluster.
  uint32_t last = 1;
  if (stored.has_value() && !ByteReader(*stored).fixed32(last)) {
    co_return Status(sql_state::kDataCorrupted, "the counter of nodes is malformed");
  }
  Bytes value;
  put_fixed32(value, last + 1);
  PANDO_CO_TRY(transaction->put(counter_key(), std::move(value)));
  PANDO_CO_TRY(co_await transaction->commit());
  co_return NodeId(last + 1);
}

Task<Status> StoreNodeDirectory::put(cluster::NodeRecord record) {
  auto transaction = store_.begin({.executor = &executor_});
  transaction->begin_statement();
  const Bytes key = node_key(record.id);
  PANDO_CO_TRY(co_await lock(*transaction, key));
  PANDO_CO_TRY(transaction->put(key, encode(record)));
  co_return co_await transaction->commit();
}

Task<Result<std::vector<cluster::NodeRecord>>> StoreNodeDirectory::list() {
  std::vector<cluster::NodeRecord> records;
  auto transaction = store_.begin({.read_only = true, .executor = &executor_});
  transaction->begin_statement();
  const auto add = [&records](ByteView, ByteView row) -> Status {
    PANDO_ASSIGN(cluster::NodeRecord record, cluster::decode_node_record(row));
    records.push_back(std::move(record));
    return {};
  };
  PANDO_CO_TRY(co_await txn::read_rows(*transaction, {node_prefix(), prefix_end(node_prefix())}, add));
  co_return records;
}

}  // namespace pando::node
