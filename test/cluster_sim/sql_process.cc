#include "test/cluster_sim/sql_process.h"

#include "catalog/system_relations.h"
#include "runtime/sleep.h"
#include "test/cluster_sim/row_sink.h"

namespace pando::test {
namespace {

constexpr std::size_t kSessionsMax = 1000;
// How long a server that could not open takes to start anew.
constexpr std::chrono::milliseconds kRestart{10};
constexpr int kAnswered = 0;
constexpr int kLost = 1;

}  // namespace

SqlProcess::SqlProcess(sim::World& world, SimulatedClusterNode& node, ClusterProcess& process)
    : world_(world),
      node_(node),
      store_(*process.node),
      timer_(*process.timer),
      catalog_(store_.store(), {.node = node.id().number(), .system_relations = catalog::system_relations()}),
      sequences_(store_.store()),
      registry_(kSessionsMax),
      control_(store_),
      environment_{.store = store_.store(),
                   .catalog = catalog_,
                   .sequences = sequences_,
                   .clock = node.clock(),
                   .timer = timer_,
                   .registry = registry_,
                   .cluster = &control_,
                   .random = [&world] { return world.prng().next(); }} {
  store_.store().use_programs(&programs_);
  store_.store().on_watched_change([this](runtime::Executor& executor) { return refresh_catalog(executor); });
}

SqlProcess::~SqlProcess() = default;

Task<Status> SqlProcess::refresh_catalog(runtime::Executor& executor) {
  if (!catalog_open_) {
    co_return Status();
  }
  co_return co_await catalog_.refresh(executor);
}

void SqlProcess::place(const cluster::PlacementOptions& options,
                       std::function<std::vector<cluster::NodeStatus>()> nodes) {
  placer_ = std::make_unique<node::Placer>(
      options, store_.host(), node(), timer_, node_.clock(),
      node::Placer::Callbacks{
          .nodes = std::move(nodes),
          .rate = [this](ShardId shard) { return store_.store().request_rate(shard); },
          .is_held = [this](ShardId shard) { return store_.store().has_lasting_locks(shard); },
          .log =
              [this](const std::string& line) {
                world_.trace(world_.verbose() ? fmt::format("node {} places {}", node().number(), line) : "places", {});
              }});
}

void SqlProcess::do_jobs(const catalog::JobSizes& sizes) {
  jobs_ = std::make_unique<session::JobRunner>(environment_, world_);
  environment_.jobs = jobs_.get();
  environment_.job_sizes = sizes;
}

void SqlProcess::on_started() {
  runtime::spawn(world_, run_open());
  if (placer_ != nullptr) {
    placer_->start();
  }
}

// A server would end and be started anew when it cannot open.
Task<void> SqlProcess::run_open() {
  while (alive_) {
    const Status status = co_await catalog_.open(world_);
    world_.trace("sql opens", {node_.id().number(), status.ok() ? 1U : 0U});
    if (status.ok()) {
      catalog_open_ = true;
      open_ = alive_;
      if (jobs_ != nullptr && alive_) {
        jobs_->start();
      }
      co_return;
    }
    if (world_.verbose()) {
      world_.trace(status.to_string(), {});
    }
    co_await runtime::sleep(timer_, world_, kRestart);
  }
}

void SqlProcess::on_crash() {
  alive_ = false;
  open_ = false;
  if (placer_ != nullptr) {
    placer_->stop();
  }
  for (const auto& [number, waiting] : std::exchange(waiting_, {})) {
    waiting->set(kLost);
  }
}

// Lives as long as its coroutine, which may never end.
struct SqlConnection::Statement {
  Statement(std::string sql, runtime::Executor& executor) : sql(std::move(sql)), ended(executor) {}
  std::string sql;
  RowSink sink;
  Status status;
  runtime::Event ended;
};

SqlConnection::SqlConnection(SqlProcess& process) : process_(process) {
  PANDO_ASSERT(process.open(), "a client connects to a node that is up");
  session_ = std::make_shared<session::Session>(process.environment(), process.world(), session::SessionIdentity{});
}

Task<void> SqlConnection::run_statement(std::shared_ptr<session::Session> session,
                                        std::shared_ptr<Statement> statement) {
  Status status;
  if (!session->try_run(statement->sql, &statement->sink, status)) {
    status = co_await session->run(statement->sql, &statement->sink);
  }
  statement->status = std::move(status);
  statement->ended.set(kAnswered);
}

Task<SqlAnswer> SqlConnection::run(std::string sql) {
  SqlAnswer answer;
  if (usable()) {
    const auto statement = std::make_shared<Statement>(std::move(sql), process_.world());
    const uint64_t number = ++process_.last_waiting_;
    process_.waiting_.emplace(number, &statement->ended);
    runtime::spawn(process_.world(), run_statement(session_, statement));
    lost_ = co_await statement->ended.wait() == kLost || !process_.alive();
    process_.waiting_.erase(number);
    answer.status = statement->status;
    answer.tag = statement->sink.tag;
    answer.rows = std::move(statement->sink.rows);
  }
  if (!usable()) {
    answer = {.status = Status(sql_state::kConnectionFailure, "the server closed the connection unexpectedly")};
  }
  co_return answer;
}

Task<void> SqlConnection::close() {
  if (usable()) {
    co_await session_->close();
  }
}

}  // namespace pando::test
