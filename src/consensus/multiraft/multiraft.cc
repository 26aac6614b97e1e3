#include "consensus/multiraft/multiraft.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace pando::multiraft {

// One group, and the fabric as it sees it: nodes named by its replicas.
struct MultiRaft::Group final : public raft::SupportView {
  Group(MultiRaft& host, ShardId id, const raft::Options& options, raft::RestartState state)
      : host(host), id(id), raft(options, std::move(state), host.prng_, host.options_.fabric ? this : nullptr) {}

  uint64_t epoch_for(ReplicaId replica) const override { return host.fabric_.epoch_for(node(replica)); }
  bool supports(ReplicaId replica, uint64_t epoch) const override {
    return host.fabric_.supports(node(replica), epoch);
  }
  Support from(ReplicaId replica) const override {
    const liveness::Support support = host.fabric_.from(node(replica));
    return {support.epoch, support.until_ns};
  }
  NodeId node(ReplicaId replica) const { return host.directory_.node_of(id, replica); }

  MultiRaft& host;
  ShardId id;
  bool awake = false;
  bool dirty = false;
  raft::Raft raft;
};

MultiRaft::MultiRaft(const Options& options, const Directory& directory, const liveness::Identity& identity,
                     uint64_t seed, uint64_t now_ns)
    : options_(options),
      directory_(directory),
      prng_(seed),
      fabric_(options.liveness, identity, now_ns),
      now_ns_(now_ns),
      next_tick_ns_(now_ns + options.tick_ns) {
  PANDO_ASSERT(options_.tick_ns > 0, "ticks take time");
}

MultiRaft::~MultiRaft() = default;

MultiRaft::Group& MultiRaft::at(ShardId group) {
  const auto found = groups_.find(group);
  PANDO_ASSERT(found != groups_.end(), "a group that is on this node");
  return *found->second;
}

const raft::Raft* MultiRaft::find(ShardId group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second->raft;
}

std::vector<ShardId> MultiRaft::groups() const {
  std::vector<ShardId> ids;
  for (const auto& [id, group] : groups_) {
    ids.push_back(id);
  }
  return ids;
}

void MultiRaft::add(ShardId group, const raft::Options& options, raft::RestartState state) {
  auto& added = groups_[group];
  PANDO_ASSERT(added == nullptr, "a group is added once");
  added = std::make_unique<Group>(*this, group, options, std::move(state));
  touch(*added);
}

void MultiRaft::remove(ShardId group) {
  Group* const gone = &at(group);
  std::erase(awake_, gone);
  std::erase(dirty_, gone);
  groups_.erase(group);
}

void MultiRaft::touch(Group& group) {
  if (!group.dirty) {
    group.dirty = true;
    dirty_.push_back(&group);
  }
  if (!group.awake) {
    group.awake = true;
    awake_.push_back(&group);
  }
}

// The oldest write tells: writes complete in order. It waits for those before it, which may have been large.
bool MultiRaft::has_stalled() const {
  return !in_flight_.empty() && now_ns_ - in_flight_.front().since_ns > in_flight_.front().stall_ns;
}

uint64_t MultiRaft::slow_ns(const Write& write) const {
  std::size_t bytes = 0;
  for (const GroupWrite& group : write.groups) {
    for (const raft::Entry& entry : group.persist.entries) {
      bytes += entry.payload_bytes();
    }
  }
  return bytes / 1024 * options_.stall_ns_per_kib;
}

void MultiRaft::tick(uint64_t now_ns) {
  now_ns_ = now_ns;
  fabric_.set_stalled(has_stalled());
  fabric_.tick(now_ns);
  if (now_ns < next_tick_ns_) {
    return;
  }
  // A node that was held up does not make up for lost ticks: the time may not have been the others' either.
  next_tick_ns_ = now_ns + options_.tick_ns;
  std::vector<Group*> still_awake;
  for (Group* const group : std::exchange(awake_, {})) {
    group->raft.tick();
    group->awake = !group->raft.idle() || group->raft.has_ready();
    if (group->awake) {
      still_awake.push_back(group);
    }
    if (group->raft.has_ready() && !group->dirty) {
      group->dirty = true;
      dirty_.push_back(group);
    }
  }
  awake_ = std::move(still_awake);
}

std::vector<GroupMessage> MultiRaft::step(Envelope envelope, uint64_t now_ns) {
  now_ns_ = now_ns;
  for (const liveness::Message& message : envelope.liveness) {
    fabric_.step(message, now_ns);
  }
  std::vector<GroupMessage> strangers;
  for (GroupMessage& message : envelope.raft) {
    const auto found = groups_.find(message.group);
    if (found == groups_.end() || found->second->raft.self() != message.message.to) {
      release_stranger(message);
      strangers.push_back(std::move(message));
      continue;
    }
    found->second->raft.step(std::move(message.message));
    touch(*found->second);
  }
  return strangers;
}

// Whoever takes a replica that is not here for its leader must not hold to it: it cannot say so itself.
void MultiRaft::release_stranger(const GroupMessage& message) {
  const raft::Message& m = message.message;
  if (m.type == raft::MessageType::kReadIndex || m.type == raft::MessageType::kAppendResponse ||
      m.type == raft::MessageType::kHeartbeatResponse) {
    raft::Message release{
        .type = raft::MessageType::kRelease, .from = m.to, .to = m.from, .term = m.term, .reject = true};
    post(message.group, {&release, 1});
  }
}

void MultiRaft::wake_for(const std::vector<NodeId>& nodes) {
  if (nodes.empty() || !options_.fabric) {
    return;
  }
  for (const auto& [id, group] : groups_) {
    for (const ReplicaId replica : group->raft.config().members()) {
      if (std::binary_search(nodes.begin(), nodes.end(), directory_.node_of(id, replica))) {
        touch(*group);
        break;
      }
    }
  }
}

bool MultiRaft::has_ready() const { return !dirty_.empty() || !outbox_.empty(); }

void MultiRaft::post(ShardId group, std::span<raft::Message> messages) {
  for (raft::Message& message : messages) {
    const NodeId node = directory_.node_of(group, message.to);
    outbox_[node].raft.push_back({group, std::move(message)});
  }
}

void MultiRaft::collect(Group& group, Ready& ready, Write& write) {
  raft::Ready& part = part_;
  group.raft.take_ready(part);
  post(group.id, part.send_now);
  if (part.persist.needed()) {
    write.groups.push_back({group.id, group.raft.self(), std::move(part.persist)});
  }
  if (!part.apply.empty()) {
    ready.apply.push_back({group.id, std::move(part.apply)});
  }
  if (!part.reads.empty()) {
    ready.reads.push_back({group.id, std::move(part.reads)});
  }
}

Ready MultiRaft::take_ready() {
  Ready ready;
  Write write;
  liveness::Fabric::Ready fabric = fabric_.take_ready();
  wake_for(fabric.changed);
  for (const liveness::Message& message : fabric.send) {
    outbox_[message.to].liveness.push_back(message);
  }
  write.identity = fabric.persist;
  for (Group* const group : std::exchange(dirty_, {})) {
    group->dirty = false;
    ready.touched.push_back(group->id);
    if (group->raft.has_ready()) {
      collect(*group, ready, write);
    }
    if (group->raft.has_ready()) {
      touch(*group);
    }
  }
  if (write.identity.has_value() || !write.groups.empty()) {
    write.sequence = ++sequence_;
    InFlight in_flight{.sequence = write.sequence,
                       .since_ns = now_ns_,
                       .slow_ns = slow_ns(write),
                       .identity = write.identity.has_value()};
    in_flight.stall_ns = options_.stall_ns + in_flight.slow_ns;
    for (const InFlight& before : in_flight_) {
      in_flight.stall_ns += before.slow_ns;
    }
    for (GroupWrite& part : write.groups) {
      in_flight.parts.push_back(
          {part.group, part.replica, part.persist.sequence, std::exchange(part.persist.then_send, {})});
    }
    in_flight_.push_back(std::move(in_flight));
    ready.write = std::move(write);
  }
  for (auto& [node, envelope] : outbox_) {
    envelope.from = options_.liveness.self;
    envelope.to = node;
    ready.send.push_back(std::move(envelope));
  }
  outbox_.clear();
  return ready;
}

void MultiRaft::persisted(uint64_t sequence) {
  PANDO_ASSERT(sequence <= sequence_, "only what was handed out is persisted");
  std::size_t done = 0;
  for (; done < in_flight_.size() && in_flight_[done].sequence <= sequence; ++done) {
    InFlight& write = in_flight_[done];
    if (write.identity) {
      fabric_.persisted();
    }
    for (InFlight::Part& part : write.parts) {
      // Another replica of the group may have taken its place.
      if (const auto found = groups_.find(part.group);
          found != groups_.end() && found->second->raft.self() == part.replica) {
        found->second->raft.persisted(part.persist);
        post(part.group, part.then_send);
        touch(*found->second);
      }
    }
  }
  in_flight_.erase(in_flight_.begin(), in_flight_.begin() + static_cast<std::ptrdiff_t>(done));
}

void MultiRaft::applied(ShardId group, raft::LogIndex index) {
  if (const auto found = groups_.find(group); found != groups_.end()) {
    found->second->raft.applied(index);
    touch(*found->second);
  }
}

raft::Accepted<raft::LogIndex> MultiRaft::propose(ShardId group, ByteView payload) {
  touch(at(group));
  return at(group).raft.propose(payload);
}
raft::Accepted<raft::LogIndex> MultiRaft::propose(ShardId group, std::vector<raft::Payload> payloads) {
  touch(at(group));
  return at(group).raft.propose(std::move(payloads));
}
raft::Accepted<raft::LogIndex> MultiRaft::propose_change(ShardId group, const raft::ConfigChange& change) {
  touch(at(group));
  return at(group).raft.propose_change(change);
}
raft::Accepted<void> MultiRaft::read_index(ShardId group, uint64_t context) {
  touch(at(group));
  return at(group).raft.read_index(context);
}
raft::Accepted<void> MultiRaft::transfer(ShardId group, ReplicaId to) {
  touch(at(group));
  return at(group).raft.transfer(to);
}
void MultiRaft::campaign(ShardId group) {
  touch(at(group));
  at(group).raft.campaign();
}
void MultiRaft::forget_leader(ShardId group) {
  touch(at(group));
  at(group).raft.forget_leader();
}
void MultiRaft::report_unreachable(ShardId group, ReplicaId replica) {
  touch(at(group));
  at(group).raft.report_unreachable(replica);
}
void MultiRaft::report_snapshot(ShardId group, ReplicaId replica, bool delivered) {
  touch(at(group));
  at(group).raft.report_snapshot(replica, delivered);
}
void MultiRaft::compact(ShardId group, raft::LogIndex index) { at(group).raft.compact(index); }
void MultiRaft::install(ShardId group, const raft::Snapshot& snapshot) {
  touch(at(group));
  at(group).raft.install(snapshot);
}

bool MultiRaft::holds_lease(ShardId group, uint64_t now_ns) const {
  const raft::Raft* const raft = find(group);
  return raft != nullptr && now_ns < raft->lease_until_ns();
}

}  // namespace pando::multiraft
