#include "server/cluster_member.h"

#include <random>

#include <fmt/format.h>

#include "base/version.h"
#include "kv/cluster/cluster_node.h"
#include "pgwire/listener.h"
#include "runtime/block_on.h"
#include "runtime/sleep.h"
#include "server/certificate_files.h"

namespace pando::server {
namespace {

// A node that cannot hand over in this time ends all the same.
constexpr std::chrono::milliseconds kLeaveTimeout{1000};
// How often it is looked whether nodes that leave the cluster have left.
constexpr std::chrono::milliseconds kFarewellInterval{1000};

std::array<uint8_t, ClusterId::kBytes> random_bytes() {
  std::random_device device;
  std::array<uint8_t, ClusterId::kBytes> bytes{};
  for (uint8_t& byte : bytes) {
    byte = static_cast<uint8_t>(device());
  }
  return bytes;
}

std::string address_of(const std::string& host, uint16_t port) {
  const bool numeric6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return numeric6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

// Fills in what was not given.
Result<runtime::GrpcTransportOptions> transport_options(const ClusterOptions& options, const Report& report) {
  std::string host = options.sql_host;
  uint16_t port = static_cast<uint16_t>(options.sql_port + kPeerPortOffset);
  PANDO_TRY(pgwire::parse_address(options.listen_peer, host, port));
  runtime::GrpcTransportOptions transport;
  transport.listen = address_of(host, port);
  if (!options.advertise.empty()) {
    PANDO_TRY(pgwire::parse_address(options.advertise, host, port));
    transport.advertise = address_of(host, port);
  }
  transport.insecure = options.insecure;
  transport.log = report;
  if (!options.certificates_directory.empty()) {
    PANDO_ASSIGN(transport.tls, load_tls_identity(options.certificates_directory, kNodeName));
  }
  return transport;
}

}  // namespace

Result<std::unique_ptr<ClusterMember>> ClusterMember::open(const ClusterOptions& options, const Report& report) {
  if (options.sql_port == 0) {
    return Status(sql_state::kInvalidParameterValue, "a node of a cluster needs a port for clients that others know");
  }
  std::unique_ptr<ClusterMember> member(new ClusterMember(report));
  cluster::MembershipOptions membership{.directory = options.directory, .version = std::string(kVersion)};
  PANDO_ASSIGN(membership.locality, cluster::parse_locality(options.locality));
  for (const std::string& address : options.join) {
    std::string host = options.sql_host;
    uint16_t port = static_cast<uint16_t>(options.sql_port + kPeerPortOffset);
    PANDO_TRY(pgwire::parse_address(address, host, port));
    membership.join.push_back(address_of(host, port));
  }
  PANDO_ASSIGN(runtime::GrpcTransportOptions transport, transport_options(options, report));
  runtime::InlineExecutor opener;
  PANDO_TRY(runtime::block_on(opener, member->disk_.create_directory(options.directory)));
  PANDO_ASSIGN(member->lock_, runtime::DirectoryLock::acquire(options.directory));
  membership.peer_address = transport.advertise.empty() ? transport.listen : transport.advertise;
  const std::string host = membership.peer_address.substr(0, membership.peer_address.rfind(':'));
  membership.sql_address = fmt::format("{}:{}", host, options.sql_port);
  PANDO_ASSIGN(member->transport_, runtime::GrpcTransport::open(std::move(transport)));
  member->membership_ = std::make_unique<cluster::Membership>(
      std::move(membership),
      cluster::MembershipServices{.network = *member->transport_,
                                  .administration = *member->transport_,
                                  .disk = member->disk_,
                                  .clock = member->clock_,
                                  .timer = member->timer_,
                                  .executor = member->executor_,
                                  .random = random_bytes,
                                  .log = report,
                                  .on_state =
                                      [raw = member.get()](cluster::NodeState state) {
                                        raw->own_state_.store(state, std::memory_order_relaxed);
                                        raw->report_(fmt::format("this node is {}", cluster::to_string(state)));
                                      },
                                  .on_wrong_clock =
                                      [raw = member.get()](Status status) {
                                        MutexLock lock(raw->mutex_);
                                        raw->refused_ = std::move(status);
                                      }});
  member->transport_->serve(member->membership_->handler());
  member->transport_->set_admission(
      [raw = member.get()](NodeId node, const std::string&) { return raw->membership_->admit(node); });
  PANDO_TRY(member->transport_->listen());
  return member;
}

ClusterMember::~ClusterMember() { stop(); }

void ClusterMember::establish() {
  ++running_;
  runtime::spawn(executor_, run_establish());
}

Task<void> ClusterMember::run_establish() {
  Result<cluster::Established> result = co_await membership_->establish();
  {
    MutexLock lock(mutex_);
    established_.emplace(std::move(result));
  }
  --running_;
}

std::optional<Result<cluster::Established>> ClusterMember::established() {
  MutexLock lock(mutex_);
  return established_;
}

node::ClusterMembership ClusterMember::node_membership() {
  lock_.reset();
  const cluster::Established self = **established();
  return {.self = self.node,
          .transport = transport_.get(),
          .clock = &clock_,
          .start_transport =
              [this] {
                transport_->start();
                return Status();
              },
          .peers = [this] { return membership_->peers(); },
          .nodes = [this] { return membership_->nodes(); },
          .founds = self.founding};
}

void ClusterMember::share_advisory_locks(node::Node& node) {
  session::SessionRegistry& registry = node.environment().registry;
  advisory_locks_ = &registry.advisory_locks();
  advisory_authority_ = std::make_unique<node::StoreAdvisoryAuthority>(
      node::StoreAdvisoryAuthority::Parts{.store = node.environment().store,
                                          .clock = clock_,
                                          .timer = timer_,
                                          .executor = executor_,
                                          .locks = *advisory_locks_},
      transport_->self(), [&registry] { registry.terminate_lock_holders(); });
  advisory_locks_->set_authority(advisory_authority_.get());
}

void ClusterMember::attach(node::Node& node) {
  table_ = std::make_unique<node::StoreNodeDirectory>(node.environment().store, executor_);
  kv::ClusterStore& store = node.cluster()->store();
  placer_ = std::make_unique<node::Placer>(
      cluster::PlacementOptions{}, node.cluster()->host(), transport_->self(), timer_, clock_,
      node::Placer::Callbacks{.nodes = [this] { return membership_->nodes(); },
                              .rate = [&store](ShardId shard) { return store.request_rate(shard); },
                              .is_held = [&store](ShardId shard) { return store.has_lasting_locks(shard); },
                              .log = report_});
  placer_->start();
  sizing_ = std::make_unique<node::SizingLoop>(*node.cluster(), timer_, executor_, report_);
  sizing_->start();
  running_ += 2;
  runtime::spawn(executor_, run_attach());
  runtime::spawn(executor_, run_farewells(&node.cluster()->store()));
}

Task<void> ClusterMember::run_farewells(kv::ClusterStore* store) {
  while (!stopping_.load()) {
    co_await runtime::sleep(timer_, executor_, kFarewellInterval);
    for (const cluster::NodeStatus& node : membership_->nodes()) {
      if (node.record.state != cluster::NodeState::kDecommissioning || stopping_.load() ||
          !co_await has_no_replicas(store, node.record.id)) {
        continue;
      }
      const auto marked =
          co_await membership_->set_state({.node = node.record.id, .state = cluster::NodeState::kDecommissioned});
      report_(
          marked.ok()
              ? fmt::format("node {} has no replicas any more: it is decommissioned", node.record.id.number())
              : fmt::format("node {} is not decommissioned: {}", node.record.id.number(), marked.status().message()));
    }
  }
  --running_;
}

// Only what is known of all keys counts: a shard that nobody tells of may have a replica there.
Task<bool> ClusterMember::has_no_replicas(kv::ClusterStore* store, NodeId node) {
  Bytes covered;
  bool ends = false;
  for (const auto& shard : co_await store->all_shards(executor_)) {
    if (ends || shard.descriptor.start != covered || shard.descriptor.on_node(node) != nullptr) {
      co_return false;
    }
    covered = shard.descriptor.end;
    ends = covered.empty();
  }
  co_return ends;
}

Task<void> ClusterMember::run_attach() {
  const Status status = co_await membership_->attach(*table_);
  if (!status.ok()) {
    MutexLock lock(mutex_);
    refused_ = status;
  }
  --running_;
}

std::optional<Status> ClusterMember::refused() {
  MutexLock lock(mutex_);
  return refused_;
}

void ClusterMember::leave() {
  if (placer_ != nullptr) {
    placer_->leave(kLeaveTimeout);
  }
}

Task<void> ClusterMember::run_stop(std::promise<void>* stopped) {
  if (advisory_authority_ != nullptr) {
    advisory_locks_->set_authority(nullptr);
    co_await advisory_authority_->stop();
  }
  co_await membership_->stop();
  while (running_ > 0 || (sizing_ != nullptr && sizing_->running())) {
    co_await runtime::yield_to(executor_);
  }
  stopped->set_value();
}

void ClusterMember::stop() {
  if (std::exchange(stopped_, true) || membership_ == nullptr) {
    return;
  }
  stopping_.store(true);
  if (placer_ != nullptr) {
    placer_->stop();
    sizing_->stop();
  }
  std::promise<void> stopped;
  runtime::spawn(executor_, run_stop(&stopped));
  stopped.get_future().wait();
  transport_->stop();
  executor_.stop();
}

}  // namespace pando::server
