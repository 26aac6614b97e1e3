#include "node/node.h"

#include <algorithm>
#include <random>

#include <unistd.h>

#include "catalog/catalog.h"
#include "catalog/sequences.h"
#include "catalog/system_relations.h"
#include "kv/cluster/cluster_node.h"
#include "kv/kv_store.h"
#include "node/store_cluster_control.h"
#include "node/temporary_files.h"
#include "node/time_zone_files.h"
#include "runtime/block_on.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/directory_lock.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/system_clock.h"
#include "runtime/os/system_timer.h"
#include "runtime/os/worker.h"
#include "session/auto_analyze.h"
#include "session/databases.h"
#include "session/job_runner.h"
#include "sql/exec/program_runner.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "txn/memory/memory_store.h"
#include "types/calendar.h"

namespace pando::node {
namespace {

// Below what the journal takes as one record; a larger transaction is refused with 54000.
constexpr std::size_t kJournalSegmentBytes = 64_MiB;
// How far back a node of its own can read (pando.as_of).
constexpr std::chrono::seconds kHistory{60};
constexpr ShardId kFirstShard{1};

// What a cache may take when nobody says.
constexpr std::size_t kMemoryShare = 8;
constexpr std::size_t kCacheBytesMin = 64_MiB;

std::size_t default_cache_bytes() {
  const auto pages = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const auto page_bytes = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
  return std::max(pages * page_bytes / kMemoryShare, kCacheBytesMin);
}

}  // namespace

// What only a member of a cluster needs threads for.
struct ClusterThreads {
  runtime::DedicatedExecutor actor{"raft"};
  runtime::DedicatedExecutor bulk{"snapshots"};
  runtime::DedicatedExecutor background{"background"};
};

// In the order they are made; destroyed in the reverse order.
struct Node::Parts {
  NodeOptions options;
  std::optional<runtime::DirectoryLock> lock;
  runtime::SystemClock clock;
  runtime::SystemTimer timer;
  runtime::PosixDisk disk;
  runtime::DedicatedExecutor journal_writer{"journal", runtime::Urgency::kPrompt};
  runtime::DedicatedExecutor journal_preparer{"journal-next"};
  // Spilling and applying of bulk transactions.
  runtime::DedicatedExecutor background{"background"};
  runtime::DedicatedExecutor upkeep{"upkeep", runtime::Urgency::kLeisurely};
  runtime::InlineExecutor opener;
  kv::FlushRelay flushes;
  std::unique_ptr<storage::Engine> engine;
  std::unique_ptr<txn::MemoryStore> memory_store;
  std::unique_ptr<kv::KvStore> kv_store;
  // In a cluster, instead of the store above.
  sql::exec::ProgramRunner programs;
  std::unique_ptr<ClusterThreads> cluster_threads;
  std::atomic<kv::ReplicaHost*> flush_listener{nullptr};
  std::unique_ptr<kv::ClusterNode> cluster;
  std::unique_ptr<StoreClusterControl> cluster_control;
  std::unique_ptr<catalog::Catalog> catalog;
  std::atomic<bool> catalog_open{false};
  std::unique_ptr<catalog::Sequences> sequences;
  std::unique_ptr<catalog::Statistics> statistics;
  TimeZoneFiles time_zone_files;
  types::CachingTimeZoneSource time_zones{time_zone_files};
  std::unique_ptr<TemporaryFiles> temporary;
  std::unique_ptr<session::SessionRegistry> registry;
  std::unique_ptr<session::SessionEnvironment> environment;
  std::unique_ptr<runtime::WorkerPool> workers;
  std::unique_ptr<session::AutoAnalyze> auto_analyze;
  std::unique_ptr<session::JobRunner> jobs;
  // Not in a cluster.
  std::unique_ptr<session::Databases> databases;
  bool closed = false;

  Status open_store();
  Status open_local_store();
  Status open_cluster_store();
  storage::JournalOptions journal_options();
  void found_cluster();
  Task<Status> refresh_catalog(runtime::Executor& executor);
  Status close_store();
  Status open_catalog();
  Status make_environment();
  std::function<std::vector<std::pair<uint64_t, uint64_t>>()> lock_waits();
  txn::Store& store() {
    if (cluster) {
      return cluster->store();
    }
    return kv_store ? static_cast<txn::Store&>(*kv_store) : *memory_store;
  }
};

Status Node::Parts::open_store() {
  if (options.directory.empty()) {
    memory_store = std::make_unique<txn::MemoryStore>(&timer);
    return {};
  }
  PANDO_TRY(runtime::block_on(opener, disk.create_directory(options.directory)));
  PANDO_ASSIGN(lock, runtime::DirectoryLock::acquire(options.directory));
  temporary = std::make_unique<TemporaryFiles>(disk, options.directory + "/tmp");
  PANDO_TRY(runtime::block_on(opener, temporary->open()));
  return options.cluster.has_value() ? open_cluster_store() : open_local_store();
}

Status Node::Parts::open_local_store() {
  PANDO_ASSIGN(engine, storage::open_rocksdb_engine({.directory = options.directory + "/state",
                                                     .on_flushed = flushes.callback(),
                                                     .block_cache_bytes = options.block_cache_bytes}));
  kv::KvOptions kv_options;
  kv_options.journal = journal_options();
  kv_options.record_cache_bytes = options.record_cache_bytes;
  kv_options.history = kHistory;
  kv_options.transaction_bytes_max = options.transaction_bytes_max;
  PANDO_ASSIGN(kv_store, runtime::block_on(opener, kv::KvStore::open(kv_options,
                                                                     {.engine = *engine,
                                                                      .disk = disk,
                                                                      .journal_writer = journal_writer,
                                                                      .clock = clock,
                                                                      .timer = timer,
                                                                      .flushes = flushes,
                                                                      .background = &background,
                                                                      .upkeep = &upkeep},
                                                                     opener)));
  return {};
}

storage::JournalOptions Node::Parts::journal_options() {
  storage::JournalOptions journal;
  journal.directory = options.directory + "/journal";
  journal.segment_bytes = kJournalSegmentBytes;
  journal.preparer = &journal_preparer;
  return journal;
}

Status Node::Parts::open_cluster_store() {
  const auto on_flushed = [this](const std::vector<storage::AppliedIndex>& flushed) {
    if (kv::ReplicaHost* const host = flush_listener.load()) {
      host->on_flushed(flushed);
    }
  };
  PANDO_ASSIGN(engine, storage::open_rocksdb_engine({.directory = options.directory + "/state",
                                                     .on_flushed = on_flushed,
                                                     .block_cache_bytes = options.block_cache_bytes}));
  const ClusterMembership& member = *options.cluster;
  cluster_threads = std::make_unique<ClusterThreads>();
  kv::ClusterNodeOptions cluster_options;
  cluster_options.replicas.journal = journal_options();
  cluster_options.replicas.seed = std::random_device()();
  cluster_options.record_cache_bytes = options.record_cache_bytes;
  std::vector<runtime::Executor*> servers;
  for (std::size_t i = 0; i < workers->size(); ++i) {
    servers.push_back(&workers->worker(i));
  }
  cluster = std::make_unique<kv::ClusterNode>(cluster_options,
                                              kv::ClusterNodeEnvironment{.self = member.self,
                                                                         .engine = *engine,
                                                                         .disk = disk,
                                                                         .clock = *member.clock,
                                                                         .timer = timer,
                                                                         .transport = *member.transport,
                                                                         .actor = cluster_threads->actor,
                                                                         .journal_writer = journal_writer,
                                                                         .bulk = cluster_threads->bulk,
                                                                         .servers = std::move(servers),
                                                                         .background = cluster_threads->background},
                                              member.peers);
  cluster->store().use_programs(&programs);
  cluster->store().on_watched_change(
      [this](runtime::Executor& executor) -> Task<Status> { return refresh_catalog(executor); });
  cluster->store().channels().on_messages([this](std::vector<kv::ChannelMessage> messages) {
    deliver_channel_messages(std::move(messages), registry->notifications());
  });
  PANDO_TRY(runtime::block_on(opener, cluster->start(opener)));
  flush_listener.store(&cluster->host());
  if (member.founds) {
    found_cluster();
  }
  return member.start_transport();
}

// Founding again, after a crash between the two, finds the shard there.
void Node::Parts::found_cluster() {
  const kv::ShardDescriptor everything{
      .id = kFirstShard,
      .replicas = {{.node = options.cluster->self, .id = ReplicaId(1)}},
      .next_replica_id = ReplicaId(2),
  };
  cluster->host().bootstrap({everything},
                            [](Status founded) { founded.ignore("a shard that is there already was founded before"); });
}

Task<Status> Node::Parts::refresh_catalog(runtime::Executor& executor) {
  if (!catalog_open.load()) {
    // It will read what is newest when it opens.
    co_return Status();
  }
  co_return co_await catalog->refresh(executor);
}

Status Node::Parts::close_store() {
  if (kv_store) {
    kv_store->stop_upkeep();
  }
  background.stop();
  upkeep.stop();
  if (cluster) {
    flush_listener.store(nullptr);
    return runtime::block_on(opener, cluster->stop(opener));
  }
  return kv_store ? runtime::block_on(opener, kv_store->close(opener)) : Status();
}

Status Node::Parts::open_catalog() {
  catalog = std::make_unique<catalog::Catalog>(
      store(), catalog::CatalogOptions{.node = cluster ? options.cluster->self.number() : 0,
                                       .system_relations = catalog::system_relations()});
  sequences = std::make_unique<catalog::Sequences>(
      store(), cluster ? catalog::SequenceSharing{.clock = &clock, .timer = &timer} : catalog::SequenceSharing{});
  PANDO_TRY(runtime::block_on(opener, catalog->open(opener)));
  catalog_open.store(true);
  statistics = std::make_unique<catalog::Statistics>(store(), catalog->options().database);
  return runtime::block_on(opener, statistics->open(opener));
}

std::function<std::vector<std::pair<uint64_t, uint64_t>>()> Node::Parts::lock_waits() {
  if (kv_store == nullptr) {
    return nullptr;
  }
  return [this] {
    std::vector<std::pair<uint64_t, uint64_t>> waits;
    for (const auto& wait : kv_store->lock_waits()) {
      waits.emplace_back(wait.waiter.number(), wait.blocker.number());
    }
    return waits;
  };
}

Status Node::Parts::make_environment() {
  if (cluster) {
    cluster_control = std::make_unique<StoreClusterControl>(*cluster);
    cluster_control->set_nodes(options.cluster->nodes);
  }
  environment = std::make_unique<session::SessionEnvironment>(session::SessionEnvironment{
      .store = store(),
      .catalog = *catalog,
      .sequences = *sequences,
      .clock = clock,
      .timer = timer,
      .registry = *registry,
      .time_zones = &time_zones,
      .temporary = temporary.get(),
      .files = &disk,
      .statistics = statistics.get(),
      .cluster = cluster_control.get(),
      .lock_waits = lock_waits(),
      .random = [] { return (uint64_t{std::random_device()()} << 32) | std::random_device()(); },
      .start_time_us = types::timestamp_of_unix_ns(clock.wall_ns()),
  });
  for (std::size_t i = 0; i < workers->size(); ++i) {
    environment->helpers.push_back(&workers->worker(i));
  }
  auto_analyze = std::make_unique<session::AutoAnalyze>(*environment, workers->worker(0));
  auto_analyze->start();
  jobs = std::make_unique<session::JobRunner>(*environment, workers->worker(0));
  environment->jobs = jobs.get();
  jobs->start();
  if (cluster) {
    return {};
  }
  databases = std::make_unique<session::Databases>(*environment, workers->worker(0));
  environment->databases = databases.get();
  return runtime::block_on(opener, databases->open(opener));
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() { PANDO_ASSERT(parts_->closed, "a node is closed before it is destroyed"); }

Result<std::unique_ptr<Node>> Node::open(NodeOptions options) {
  auto parts = std::make_unique<Parts>();
  parts->options = std::move(options);
  parts->workers = std::make_unique<runtime::WorkerPool>(
      parts->options.workers != 0 ? parts->options.workers : runtime::WorkerPool::default_size());
  for (std::size_t* const bytes : {&parts->options.block_cache_bytes, &parts->options.record_cache_bytes}) {
    *bytes = *bytes == 0 ? default_cache_bytes() : *bytes;
  }
  // Before the store: other nodes may soon send it notifications.
  parts->registry = std::make_unique<session::SessionRegistry>(
      parts->options.sessions_max, parts->options.cluster ? parts->options.cluster->self.number() : 0);
  Status status = parts->open_store();
  if (status.ok()) {
    status = parts->open_catalog();
  }
  if (status.ok()) {
    status = parts->make_environment();
  }
  if (!status.ok()) {
    if (parts->auto_analyze) {
      parts->auto_analyze->stop();
    }
    if (parts->jobs) {
      parts->jobs->stop();
    }
    parts->workers->stop();
    parts->close_store().ignore("the first error tells more");
    return status;
  }
  return std::unique_ptr<Node>(new Node(std::move(parts)));
}

Result<session::DatabaseCheckCounts> Node::check(session::DatabaseCheckObserver& observer) {
  // Jobs change definitions. They go on when the node next opens.
  parts_->jobs->stop();
  if (parts_->engine) {
    observer.stage("files", 0, 1);
    uint64_t before = 0;
    PANDO_TRY(parts_->engine->verify_checksums(
        [&](uint64_t done, uint64_t) { observer.progress(done - std::exchange(before, done)); }));
  }
  session::DatabaseCheck check(*parts_->environment, parts_->opener, observer);
  PANDO_TRY(runtime::block_on(parts_->opener, check.run()));
  return check.counts();
}

session::SessionEnvironment& Node::environment() { return *parts_->environment; }
runtime::WorkerPool& Node::workers() { return *parts_->workers; }
kv::KvStore* Node::store_of_its_own() { return parts_->kv_store.get(); }
kv::ClusterNode* Node::cluster() { return parts_->cluster.get(); }

Status Node::close() {
  PANDO_ASSERT(!parts_->closed, "a node is closed once");
  parts_->closed = true;
  parts_->jobs->stop();
  parts_->auto_analyze->stop();
  if (parts_->databases) {
    parts_->databases->stop();
  }
  parts_->workers->stop();
  return parts_->close_store();
}

}  // namespace pando::node
