#include "cluster/membership.h"

#include <algorithm>

#include <fmt/format.h>

namespace pando::cluster {
namespace {

constexpr NodeId kFirstNode{1};

Status shutting_down() { return Status(sql_state::kAdminShutdown, "the node is shutting down"); }

Status not_ready() {
  return Status(sql_state::kCannotConnectNow, "the node does not belong to a cluster yet, or its store is not open")
      .with_hint("Run \"pando init\" once for a new cluster.");
}

}  // namespace

// How many calls have not ended.
struct Membership::Countdown {
  Countdown(std::size_t left, runtime::Executor& executor) : left(left), ended(executor) {}
  std::size_t left;
  runtime::Event ended;
};

Membership::Membership(MembershipOptions options, MembershipServices services)
    : options_(std::move(options)), services_(std::move(services)), clocks_(options_.clock_offset_max) {}

Membership::~Membership() = default;

// --- calls of others ---

runtime::Administration::Handler Membership::handler() {
  return [this](const std::string& method, Bytes request, Reply reply) {
    runtime::spawn(services_.executor, run(serve(method, std::move(request), std::move(reply))));
  };
}

Task<void> Membership::serve(std::string method, Bytes request, Reply reply) {
  reply(co_await answer(std::move(method), std::move(request)));
}

Task<Result<Bytes>> Membership::answer(std::string method, Bytes request) {
  if (stopping()) {
    co_return shutting_down();
  }
  if (method == method::kIdentify) {
    co_return encode(introduce());
  }
  if (method == method::kClock) {
    co_return encode_clock(services_.clock.wall_ns());
  }
  if (method == method::kInitialize) {
    co_return co_await initialize();
  }
  if (directory_ == nullptr) {
    co_return not_ready();
  }
  if (method == method::kJoin) {
    co_return co_await admit_new_node();
  }
  if (method == method::kNodes) {
    PANDO_CO_TRY(co_await refresh());
    co_return encode(nodes());
  }
  if (method == method::kSetState) {
    PANDO_CO_ASSIGN(const NodeCommand command, decode_node_command(request));
    co_return co_await set_state(command);
  }
  co_return Status(sql_state::kFeatureNotSupported, "this node does not know the call \"{}\"", method);
}

Introduction Membership::introduce() {
  Introduction introduction{.address = options_.peer_address};
  MutexLock lock(mutex_);
  if (self_) {
    introduction.cluster = self_->cluster;
    introduction.node = self_->node;
    introduction.peers.assign(self_->peers.begin(), self_->peers.end());
    introduction.peers.emplace_back(self_->node, options_.peer_address);
  }
  return introduction;
}

Task<Result<Bytes>> Membership::initialize() {
  const Introduction known = introduce();
  if (!known.cluster.none() || initializing_) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState, "the node belongs to cluster {} already",
                     known.cluster.to_string());
  }
  initializing_ = true;
  const Status status = co_await adopt(
      {.cluster = ClusterId::from_random(services_.random()), .node = kFirstNode, .incarnation = 1, .founding = true},
      true);
  initializing_ = false;
  PANDO_CO_TRY(status);
  services_.log(fmt::format("made cluster {}", introduce().cluster.to_string()));
  co_return encode(introduce());
}

Task<Result<Bytes>> Membership::admit_new_node() {
  PANDO_CO_ASSIGN(const NodeId node, co_await directory_->next_node_id());
  Introduction introduction = introduce();
  services_.log(fmt::format("node {} may join", node.number()));
  introduction.node = node;
  co_return encode(introduction);
}

Task<Result<Bytes>> Membership::set_state(NodeCommand command) {
  const NodeId node = command.node == NodeId() ? services_.network.self() : command.node;
  PANDO_CO_ASSIGN(std::vector<NodeRecord> records, co_await directory_->list());
  const auto found =
      std::find_if(records.begin(), records.end(), [&](const NodeRecord& record) { return record.id == node; });
  if (found == records.end()) {
    co_return Status(sql_state::kUndefinedObject, "there is no node {}", node.number());
  }
  if (found->state == NodeState::kDecommissioned && command.state != NodeState::kDecommissioned) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState, "node {} was decommissioned", node.number());
  }
  found->state = command.state;
  PANDO_CO_TRY(co_await directory_->put(*found));
  PANDO_CO_TRY(co_await refresh());
  co_return Bytes();
}

Status Membership::admit(NodeId node) {
  MutexLock lock(mutex_);
  for (const NodeRecord& record : records_) {
    if (record.id == node && record.state == NodeState::kDecommissioned) {
      return Status(sql_state::kInvalidAuthorizationSpecification, "node {} was decommissioned", node.number());
    }
  }
  return {};
}

// --- coming into a cluster ---

Task<Result<Established>> Membership::establish() {
  PANDO_CO_ASSIGN(Established self, co_await become_member());
  co_await compare_clocks();
  PANDO_CO_TRY(clocks_.verdict());
  runtime::spawn(services_.executor, run(compare_again_and_again()));
  co_return std::move(self);
}

Task<Result<Established>> Membership::become_member() {
  PANDO_CO_ASSIGN(std::optional<StoredIdentity> stored, co_await read_identity(services_.disk, options_.directory));
  if (stored) {
    ++stored->incarnation;
    PANDO_CO_TRY(co_await adopt(*std::move(stored), false));
    runtime::spawn(services_.executor, run(find_peers()));
  }
  bool told = false;
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (stopping_) {
        co_return shutting_down();
      }
      if (self_) {
        co_return *self_;
      }
    }
    PANDO_CO_ASSIGN(std::optional<StoredIdentity> joined, co_await ask_to_join());
    if (joined && introduce().cluster.none() && !initializing_) {
      PANDO_CO_TRY(co_await adopt(*std::move(joined), true));
      continue;
    }
    if (!told && !joined) {
      told = true;
      services_.log("waiting for a cluster to join, or for \"pando init\"");
    }
    co_await wait(options_.retry_interval);
  }
}

// Durable before anyone is told.
Task<Status> Membership::adopt(StoredIdentity identity, bool fresh) {
  identity.peers.erase(identity.node);
  PANDO_CO_TRY(co_await write_identity(services_.disk, options_.directory, identity));
  services_.log(fmt::format("node {} of cluster {}", identity.node.number(), identity.cluster.to_string()));
  services_.network.join({.cluster = identity.cluster, .node = identity.node, .incarnation = identity.incarnation});
  for (const auto& [node, address] : identity.peers) {
    services_.network.set_peer(node, address);
  }
  MutexLock lock(mutex_);
  self_ = Established{.cluster = identity.cluster,
                      .node = identity.node,
                      .incarnation = identity.incarnation,
                      .founding = identity.founding,
                      .fresh = fresh,
                      .peers = std::move(identity.peers)};
  for (const auto& waiting : waits_) {
    waiting->set(kRetry);
  }
  co_return Status();
}

Task<Result<std::optional<StoredIdentity>>> Membership::ask_to_join() {
  for (const std::string& address : options_.join) {
    if (address == options_.peer_address) {
      continue;
    }
    const Result<Bytes> met = co_await call(services_.administration, services_.executor, address, method::kIdentify,
                                            {}, options_.call_timeout);
    const Result<Introduction> known = met.ok() ? decode_introduction(*met) : Result<Introduction>(met.status());
    if (!known.ok() || known->cluster.none() || stopping()) {
      continue;
    }
    const Result<Bytes> reply =
        co_await call(services_.administration, services_.executor, address, method::kJoin, {}, options_.call_timeout);
    if (!reply.ok()) {
      services_.log(fmt::format("{} does not let this node in yet: {}", address, reply.status().message()));
      continue;
    }
    PANDO_CO_ASSIGN(const Introduction introduction, decode_introduction(*reply));
    co_return StoredIdentity{.cluster = introduction.cluster,
                             .node = introduction.node,
                             .incarnation = 1,
                             .peers = {introduction.peers.begin(), introduction.peers.end()}};
  }
  co_return std::optional<StoredIdentity>();
}

// After a restart others may be elsewhere than they were: whoever is at the addresses that were given is asked once
// more until all of them have answered.
Task<void> Membership::find_peers() {
  std::vector<std::string> addresses = options_.join;
  std::erase(addresses, options_.peer_address);
  while (!addresses.empty() && !stopping()) {
    for (const std::string& address : std::vector(addresses)) {
      const Result<Bytes> met = co_await call(services_.administration, services_.executor, address, method::kIdentify,
                                              {}, options_.call_timeout);
      const Result<Introduction> known = met.ok() ? decode_introduction(*met) : Result<Introduction>(met.status());
      if (!known.ok() || known->cluster.none() || stopping()) {
        continue;
      }
      std::erase(addresses, address);
      if (known->cluster != introduce().cluster) {
        services_.log(
            fmt::format("the node at {} belongs to another cluster, {}", address, known->cluster.to_string()));
      } else if (known->node != services_.network.self()) {
        services_.network.set_peer(known->node, known->address);
      }
    }
    if (!addresses.empty()) {
      co_await wait(options_.retry_interval);
    }
  }
}

// --- clocks ---

Task<void> Membership::compare_again_and_again() {
  while (!stopping()) {
    co_await wait(options_.clock_interval);
    co_await compare_clocks();
    if (const Status verdict = clocks_.verdict(); !verdict.ok() && !stopping()) {
      services_.on_wrong_clock(verdict);
      co_return;
    }
  }
}

Task<void> Membership::compare_clocks() {
  std::map<NodeId, std::string> peers;
  {
    MutexLock lock(mutex_);
    peers = self_->peers;
  }
  if (peers.empty() || stopping()) {
    co_return;
  }
  const auto left = std::make_shared<Countdown>(peers.size(), services_.executor);
  for (const auto& [node, address] : peers) {
    runtime::spawn(services_.executor, run(compare_clock(node, address, left)));
  }
  co_await left->ended.wait();
}

Task<void> Membership::compare_clock(NodeId peer, std::string address, std::shared_ptr<Countdown> left) {
  const uint64_t sent_ns = services_.clock.wall_ns();
  const Result<Bytes> reply = co_await call(services_.administration, services_.executor, std::move(address),
                                            method::kClock, {}, options_.clock_interval);
  const uint64_t received_ns = services_.clock.wall_ns();
  const Result<uint64_t> theirs = reply.ok() ? decode_clock(*reply) : Result<uint64_t>(reply.status());
  if (theirs.ok()) {
    clocks_.note(peer, {.sent_ns = sent_ns, .received_ns = received_ns, .theirs_ns = *theirs});
  } else {
    clocks_.forget(peer);
  }
  if (--left->left == 0) {
    left->ended.set(kRetry);
  }
}

// --- as a member ---

Task<Status> Membership::attach(NodeDirectory& directory) {
  directory_ = &directory;
  for (;;) {
    const Status status = co_await register_self();
    if (status.ok() || !(status.is(sql_state::kConnectionFailure) || status.is(sql_state::kCannotConnectNow))) {
      PANDO_CO_TRY(status);
      break;
    }
    services_.log(fmt::format("waiting for the cluster: {}", status.message()));
    co_await wait(options_.retry_interval);
    if (stopping()) {
      co_return shutting_down();
    }
  }
  runtime::spawn(services_.executor, run(refresh_again_and_again()));
  co_return Status();
}

Task<Status> Membership::register_self() {
  PANDO_CO_ASSIGN(const std::vector<NodeRecord> records, co_await directory_->list());
  NodeRecord own{.id = services_.network.self(),
                 .peer_address = options_.peer_address,
                 .sql_address = options_.sql_address,
                 .locality = options_.locality,
                 .started_ns = services_.clock.wall_ns(),
                 .version = options_.version};
  for (const NodeRecord& record : records) {
    if (record.id != own.id) {
      continue;
    }
    if (record.state == NodeState::kDecommissioned) {
      co_return Status(sql_state::kObjectNotInPrerequisiteState, "node {} was decommissioned", own.id.number())
          .with_hint("Start it with an empty directory: it joins as a new node.");
    }
    // A restart ends draining; leaving the cluster goes on.
    own.state = record.state == NodeState::kDecommissioning ? record.state : NodeState::kActive;
  }
  PANDO_CO_TRY(co_await directory_->put(std::move(own)));
  co_return co_await refresh();
}

Task<void> Membership::refresh_again_and_again() {
  while (!stopping()) {
    co_await wait(options_.refresh_interval);
    if (!stopping()) {
      (co_await refresh()).ignore("without a quorum the list stays as it was");
    }
  }
}

Task<Status> Membership::refresh() {
  PANDO_CO_ASSIGN(std::vector<NodeRecord> records, co_await directory_->list());
  const NodeId self = services_.network.self();
  std::map<NodeId, std::string> peers;
  std::optional<NodeState> own_state;
  for (const NodeRecord& record : records) {
    if (record.id == self) {
      own_state = record.state;
    } else if (record.state == NodeState::kDecommissioned) {
      services_.network.remove_peer(record.id);
    } else {
      services_.network.set_peer(record.id, record.peer_address);
      peers[record.id] = record.peer_address;
    }
  }
  std::optional<StoredIdentity> changed;
  {
    MutexLock lock(mutex_);
    records_ = std::move(records);
    // Whoever can read the list has a store.
    if (self_->peers != peers || self_->founding) {
      self_->peers = peers;
      self_->founding = false;
      changed = StoredIdentity{
          .cluster = self_->cluster, .node = self_->node, .incarnation = self_->incarnation, .peers = peers};
    }
  }
  if (own_state && own_state != own_state_) {
    own_state_ = own_state;
    services_.on_state(*own_state);
  }
  if (changed) {
    co_return co_await write_identity(services_.disk, options_.directory, *std::move(changed));
  }
  co_return Status();
}

std::vector<NodeStatus> Membership::nodes() const {
  MutexLock lock(mutex_);
  std::vector<NodeStatus> nodes;
  for (const NodeRecord& record : records_) {
    nodes.push_back({.record = record,
                     .connected = record.id == services_.network.self() || services_.network.connected(record.id)});
  }
  return nodes;
}

std::vector<NodeId> Membership::peers() const {
  MutexLock lock(mutex_);
  std::vector<NodeId> peers;
  if (self_) {
    for (const auto& [node, address] : self_->peers) {
      peers.push_back(node);
    }
  }
  return peers;
}

// --- waiting and ending ---

Task<int> Membership::wait(std::chrono::nanoseconds delay) {
  auto event = std::make_shared<runtime::Event>(services_.executor);
  {
    MutexLock lock(mutex_);
    if (stopping_) {
      co_return kInterrupted;
    }
    waits_.push_back(event);
  }
  services_.timer.schedule(delay, [event] { event->set(kRetry); });
  const int outcome = co_await event->wait();
  MutexLock lock(mutex_);
  std::erase(waits_, event);
  co_return outcome;
}

void Membership::interrupt() {
  MutexLock lock(mutex_);
  stopping_ = true;
  for (const auto& waiting : waits_) {
    waiting->set(kInterrupted);
  }
}

Task<void> Membership::run(Task<void> task) {
  ++running_;
  co_await std::move(task);
  --running_;
}

Task<void> Membership::stop() {
  interrupt();
  while (running_ > 0) {
    co_await runtime::yield_to(services_.executor);
  }
}

bool Membership::stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

}  // namespace pando::cluster
