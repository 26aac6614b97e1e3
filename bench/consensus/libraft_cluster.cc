#include "bench/consensus/libraft_cluster.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" {
#include <raft.h>
}

#include "base/assert.h"

namespace pando::bench {

namespace {

constexpr unsigned kServers = 3;
constexpr unsigned kTickMs = 100;
constexpr std::array<const char*, kServers> kAddresses = {"1", "2", "3"};

}  // namespace

struct LibraftCluster::Server {
  struct Done {
    raft_io_append* append = nullptr;
    raft_io_send* send = nullptr;
    raft_io_snapshot_put* snapshot = nullptr;
  };
  raft_io io{};
  raft_fsm fsm{};
  raft server{};
  raft_io_tick_cb tick = nullptr;
  raft_io_recv_cb receive = nullptr;
  std::vector<raft_message> inbox;
  std::vector<Done> done;
  LibraftCluster::Cluster* cluster = nullptr;
  uint64_t applied = 0;
};

struct LibraftCluster::Cluster {
  std::array<Server, kServers> servers;
  raft_time now = 0;
  std::vector<Server::Done> completed;
  std::vector<raft_message> received;
  std::vector<raft_buffer> buffers;

  bool step(Server& server);
  void run();
};

namespace {

template <typename Server>
Server& server_of(raft_io* io) {
  return *static_cast<Server*>(io->impl);
}

// The receiver owns what it gets: one block for all payloads, as libraft's own transport makes it.
raft_message copy_of(const raft_message& message, raft_id from) {
  raft_message copy = message;
  copy.server_id = from;
  copy.server_address = kAddresses[from - 1];
  if (message.type != RAFT_IO_APPEND_ENTRIES || message.append_entries.n_entries == 0) {
    return copy;
  }
  const raft_append_entries& sent = message.append_entries;
  auto* const entries = static_cast<raft_entry*>(raft_malloc(sent.n_entries * sizeof(raft_entry)));
  std::size_t bytes = 0;
  for (unsigned i = 0; i < sent.n_entries; ++i) {
    bytes += sent.entries[i].buf.len;
  }
  auto* at = static_cast<char*>(raft_malloc(bytes));
  void* const batch = at;
  for (unsigned i = 0; i < sent.n_entries; ++i) {
    entries[i] = sent.entries[i];
    entries[i].batch = batch;
    entries[i].buf.base = at;
    std::memcpy(at, sent.entries[i].buf.base, sent.entries[i].buf.len);
    at += sent.entries[i].buf.len;
  }
  copy.append_entries.entries = entries;
  return copy;
}

void fill_io(raft_io& io) {
  io.version = 2;
  io.init = [](raft_io*, raft_id, const char*) { return 0; };
  io.close = [](raft_io* io, raft_io_close_cb done) { done(io); };
  io.load = [](raft_io*, raft_term* term, raft_id* vote, raft_snapshot** snapshot, raft_index* start,
               raft_entry** entries, size_t* count) {
    *term = 1;
    *vote = 0;
    *snapshot = nullptr;
    *start = 1;
    // Entry 1 is the configuration, as raft_bootstrap would have stored it.
    raft_configuration configuration;
    raft_configuration_init(&configuration);
    for (unsigned i = 0; i < kServers; ++i) {
      raft_configuration_add(&configuration, i + 1, kAddresses[i], RAFT_VOTER);
    }
    *entries = static_cast<raft_entry*>(raft_calloc(1, sizeof(raft_entry)));
    (*entries)->term = 1;
    (*entries)->type = RAFT_CHANGE;
    raft_configuration_encode(&configuration, &(*entries)->buf);
    (*entries)->batch = (*entries)->buf.base;
    raft_configuration_close(&configuration);
    *count = 1;
    return 0;
  };
  io.bootstrap = [](raft_io*, const raft_configuration*) { return 0; };
  io.recover = [](raft_io*, const raft_configuration*) { return 0; };
  io.set_term = [](raft_io*, raft_term) { return 0; };
  io.set_vote = [](raft_io*, raft_id) { return 0; };
  io.truncate = [](raft_io*, raft_index) { return 0; };
  io.snapshot_get = [](raft_io*, raft_io_snapshot_get*, raft_io_snapshot_get_cb) {
    return static_cast<int>(RAFT_IOERR);
  };
  io.random = [](raft_io*, int min, int max) { return min + std::rand() % (max - min + 1); };
  io.async_work = [](raft_io*, raft_io_async_work*, raft_io_async_work_cb) { return static_cast<int>(RAFT_IOERR); };
}

}  // namespace

bool LibraftCluster::Cluster::step(Server& server) {
  bool any = false;
  completed.swap(server.done);
  for (const Server::Done& one : completed) {
    any = true;
    if (one.append != nullptr) {
      one.append->cb(one.append, 0);
    } else if (one.snapshot != nullptr) {
      one.snapshot->cb(one.snapshot, 0);
    } else {
      one.send->cb(one.send, 0);
    }
  }
  completed.clear();
  received.swap(server.inbox);
  for (raft_message& message : received) {
    any = true;
    server.receive(&server.io, &message);
  }
  received.clear();
  return any;
}

void LibraftCluster::Cluster::run() {
  for (bool again = true; again;) {
    again = false;
    for (Server& server : servers) {
      again = step(server) || again;
    }
  }
}

LibraftCluster::LibraftCluster() : cluster_(std::make_unique<Cluster>()) {
  for (unsigned i = 0; i < kServers; ++i) {
    Server& s = cluster_->servers[i];
    s.cluster = cluster_.get();
    fill_io(s.io);
    s.io.impl = &s;
    s.io.start = [](raft_io* io, unsigned, raft_io_tick_cb tick, raft_io_recv_cb receive) {
      server_of<Server>(io).tick = tick;
      server_of<Server>(io).receive = receive;
      return 0;
    };
    s.io.send = [](raft_io* io, raft_io_send* request, const raft_message* message, raft_io_send_cb done) {
      Server& from = server_of<Server>(io);
      request->cb = done;
      from.done.push_back({.send = request});
      from.cluster->servers[message->server_id - 1].inbox.push_back(copy_of(*message, from.server.id));
      return 0;
    };
    s.io.append = [](raft_io* io, raft_io_append* request, const raft_entry*, unsigned, raft_io_append_cb done) {
      request->cb = done;
      server_of<Server>(io).done.push_back({.append = request});
      return 0;
    };
    s.io.snapshot_put = [](raft_io* io, unsigned, raft_io_snapshot_put* request, const raft_snapshot*,
                           raft_io_snapshot_put_cb done) {
      request->cb = done;
      server_of<Server>(io).done.push_back({.snapshot = request});
      return 0;
    };
    s.io.time = [](raft_io* io) { return server_of<Server>(io).cluster->now; };
    s.fsm.version = 1;
    s.fsm.data = &s;
    s.fsm.apply = [](raft_fsm* fsm, const raft_buffer*, void** result) {
      *result = nullptr;
      ++static_cast<Server*>(fsm->data)->applied;
      return 0;
    };
    s.fsm.snapshot = [](raft_fsm*, raft_buffer** buffers, unsigned* count) {
      *buffers = static_cast<raft_buffer*>(raft_malloc(sizeof(raft_buffer)));
      (*buffers)->len = sizeof(uint64_t);
      (*buffers)->base = raft_calloc(1, sizeof(uint64_t));
      *count = 1;
      return 0;
    };
    s.fsm.restore = [](raft_fsm*, raft_buffer*) { return 0; };
    PANDO_ASSERT(raft_init(&s.server, &s.io, &s.fsm, i + 1, kAddresses[i]) == 0, "libraft initializes");
    raft_set_snapshot_threshold(&s.server, kSnapshotThreshold);
    raft_set_snapshot_trailing(&s.server, kSnapshotTrailing);
    PANDO_ASSERT(raft_start(&s.server) == 0, "libraft starts");
  }
  Server& first = cluster_->servers[0];
  while (raft_state(&first.server) != RAFT_LEADER) {
    cluster_->now += kTickMs;
    first.tick(&first.io);
    cluster_->run();
  }
}

LibraftCluster::~LibraftCluster() {
  for (Server& server : cluster_->servers) {
    raft_close(&server.server, nullptr);
  }
}

uint64_t LibraftCluster::applied() const { return cluster_->servers[0].applied; }

void LibraftCluster::commit(std::size_t calls, std::size_t entries_per_call, std::size_t bytes) {
  Server& leader = cluster_->servers[0];
  std::vector<raft_buffer>& buffers = cluster_->buffers;
  buffers.resize(entries_per_call);
  const uint64_t target = leader.applied + calls * entries_per_call;
  for (std::size_t call = 0; call < calls; ++call) {
    for (raft_buffer& buffer : buffers) {
      buffer.base = raft_malloc(bytes);
      std::memset(buffer.base, 'x', bytes);
      buffer.len = bytes;
    }
    auto* const request = static_cast<struct raft_apply*>(raft_malloc(sizeof(struct raft_apply)));
    const int status = raft_apply(&leader.server, request, buffers.data(), static_cast<unsigned>(entries_per_call),
                                  [](struct raft_apply* done, int, void*) { raft_free(done); });
    PANDO_ASSERT(status == 0, "libraft accepts a proposal of its leader");
  }
  cluster_->run();
  PANDO_ASSERT(leader.applied == target, "libraft has applied what was proposed");
}

}  // namespace pando::bench
