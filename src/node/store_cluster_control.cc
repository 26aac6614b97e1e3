#include "node/store_cluster_control.h"

#include <algorithm>

#include "catalog/keys.h"
#include "types/calendar.h"

namespace pando::node {
namespace {

constexpr std::string_view kShardCounter = "shard";
// The one that a cluster begins with.
constexpr uint64_t kFirstShard = 1;

template <typename Answer>
Status status_of(const Answer& answer) {
  if (answer.ok()) {
    return {};
  }
  return answer.status.ok() ? Status(sql_state::kObjectNotInPrerequisiteState, "the shard is changing; try again")
                            : answer.status;
}

}  // namespace

std::vector<session::ClusterNodeRow> StoreClusterControl::nodes() {
  std::vector<session::ClusterNodeRow> rows;
  for (const cluster::NodeStatus& node : nodes_ ? nodes_() : std::vector<cluster::NodeStatus>()) {
    const cluster::NodeRecord& record = node.record;
    rows.push_back({.id = record.id.number(),
                    .sql_address = record.sql_address,
                    .peer_address = record.peer_address,
                    .locality = cluster::to_string(record.locality),
                    .state = std::string(cluster::to_string(record.state)),
                    .is_live = node.connected,
                    .started_us = types::timestamp_of_unix_ns(record.started_ns),
                    .version = record.version});
  }
  return rows;
}

std::vector<session::ClusterShardRow> StoreClusterControl::shards() {
  std::vector<session::ClusterShardRow> rows;
  for (const auto& shard : cluster_.store().known_shards()) {
    session::ClusterShardRow row{.id = shard.descriptor.id.number(),
                                 .generation = shard.descriptor.generation,
                                 .start = shard.descriptor.start,
                                 .end = shard.descriptor.end,
                                 .leaseholder = shard.leaseholder.number()};
    for (const kv::ReplicaDescriptor& replica : shard.descriptor.replicas) {
      row.replicas.push_back(replica.node.number());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Task<Result<ShardId>> StoreClusterControl::next_shard_id(runtime::Executor& executor) {
  Bytes key = catalog::index_prefix(catalog::kCounterTable, catalog::kRowIndexId);
  append_ordered_bytes(key, kShardCounter);
  auto transaction = cluster_.store().begin({.executor = &executor});
  transaction->begin_statement();
  PANDO_CO_TRY((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_ASSIGN(const std::optional<Bytes> stored, co_await transaction->get_latest(key));
  uint64_t last = kFirstShard;
  if (stored.has_value() && !ByteReader(*stored).fixed64(last)) {
    co_return Status(sql_state::kDataCorrupted, "the counter of shards is malformed");
  }
  Bytes value;
  put_fixed64(value, last + 1);
  PANDO_CO_TRY(transaction->put(key, std::move(value)));
  PANDO_CO_TRY(co_await transaction->commit());
  co_return ShardId(last + 1);
}

Task<Status> StoreClusterControl::split(Bytes key, runtime::Executor& executor) {
  PANDO_CO_ASSIGN(const ShardId right, co_await next_shard_id(executor));
  NodeId node;
  const auto answer =
      co_await cluster_.store().send(key, kv::SplitRequest{.key = key, .right = right}, {.executor = &executor}, &node);
  co_return status_of(answer);
}

Task<Status> StoreClusterControl::merge(Bytes key, runtime::Executor& executor) {
  NodeId node;
  const auto answer = co_await cluster_.store().send(key, kv::MergeRequest{.boundary = key},
                                                     {.executor = &executor, .before = true}, &node);
  co_return status_of(answer);
}

Task<Status> StoreClusterControl::transfer_lease(uint64_t shard, uint32_t node, runtime::Executor& executor) {
  const auto known = co_await cluster_.store().all_shards(executor);
  const auto found = std::ranges::find(known, ShardId(shard), [](const auto& each) { return each.descriptor.id; });
  if (found == known.end()) {
    co_return Status(sql_state::kUndefinedObject, "shard {} does not exist", shard);
  }
  NodeId asked;
  const auto answer = co_await cluster_.store().send(
      found->descriptor.start, kv::TransferRequest{.target = NodeId(node)}, {.executor = &executor}, &asked);
  co_return status_of(answer);
}

void StoreClusterControl::notify(const std::vector<session::Notification>& notifications) {
  std::vector<kv::ChannelMessage> messages;
  messages.reserve(notifications.size());
  for (const session::Notification& notification : notifications) {
    messages.push_back({notification.process_id, notification.channel, notification.payload});
  }
  cluster_.store().channels().say(std::move(messages));
}

void deliver_channel_messages(std::vector<kv::ChannelMessage> messages, session::NotificationHub& hub) {
  std::vector<session::Notification> notifications;
  notifications.reserve(messages.size());
  for (kv::ChannelMessage& message : messages) {
    notifications.push_back({message.process_id, std::move(message.channel), std::move(message.payload)});
  }
  hub.notify(notifications);
}

}  // namespace pando::node
