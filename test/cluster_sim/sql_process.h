#pragma once

// SqlProcess: the SQL layer of one life of a simulated node: catalog and what sessions share. SqlConnection: a client's
// connection to it, as over a socket: when the process crashes, whoever waits for an answer hears that it is lost.
//
//   SqlConnection connection(process);
//   SqlAnswer answer = co_await connection.run("SELECT 1");
//   answer.rows[0][0] == "1"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/sequences.h"
#include "node/placer.h"
#include "node/store_cluster_control.h"
#include "runtime/event.h"
#include "session/environment.h"
#include "session/job_runner.h"
#include "session/session.h"
#include "sql/exec/program_runner.h"
#include "test/cluster_store/simulated_cluster.h"

namespace pando::test {

struct SqlAnswer {
  // 08006 when the connection is lost: whether the statement had an effect is not known.
  Status status;
  // Of the last statement: "UPDATE 1".
  std::string tag;
  // As text; NULL is "NULL".
  std::vector<std::vector<std::string>> rows;

  bool ok() const { return status.ok(); }
  bool lost() const { return status.is(sql_state::kConnectionFailure); }
};

class SqlProcess final : public NodeService {
 public:
  // REQUIRES: `process` keeps this object.
  SqlProcess(sim::World& world, SimulatedClusterNode& node, ClusterProcess& process);
  ~SqlProcess() override;

  void on_started() override;
  void on_crash() override;
  // Does jobs, from the next start on.
  void do_jobs(const catalog::JobSizes& sizes);
  // Keeps what it leads on the nodes that `nodes` tells of, from the next start on.
  void place(const cluster::PlacementOptions& options, std::function<std::vector<cluster::NodeStatus>()> nodes);

  // Whether clients can connect.
  bool open() const { return open_; }
  bool alive() const { return alive_; }
  NodeId node() const { return node_.id(); }
  sim::World& world() { return world_; }
  session::SessionEnvironment& environment() { return environment_; }
  catalog::Catalog& catalog() { return catalog_; }
  node::StoreClusterControl& control() { return control_; }

 private:
  friend class SqlConnection;
  Task<void> run_open();
  Task<Status> refresh_catalog(runtime::Executor& executor);

  sim::World& world_;
  SimulatedClusterNode& node_;
  kv::ClusterNode& store_;
  sim::SimTimer& timer_;
  sql::exec::ProgramRunner programs_;
  catalog::Catalog catalog_;
  catalog::Sequences sequences_;
  session::SessionRegistry registry_;
  node::StoreClusterControl control_;
  session::SessionEnvironment environment_;
  std::unique_ptr<node::Placer> placer_;
  std::unique_ptr<session::JobRunner> jobs_;
  bool catalog_open_ = false;
  bool open_ = false;
  bool alive_ = true;
  // Clients that wait for an answer, in the order in which they began.
  std::map<uint64_t, runtime::Event*> waiting_;
  uint64_t last_waiting_ = 0;
};

class SqlConnection {
 public:
  // REQUIRES: the process is open.
  explicit SqlConnection(SqlProcess& process);

  // All statements of a text, by the simple protocol.
  Task<SqlAnswer> run(std::string sql);
  // False: nothing more can be done with it.
  bool usable() const { return process_.alive() && !lost_; }
  // 'I', 'T' or 'E'.
  char transaction_status() const { return session_->transaction_status(); }
  NodeId node() const { return process_.node(); }
  // Rolls back what is open. The last call.
  Task<void> close();

 private:
  struct Statement;
  static Task<void> run_statement(std::shared_ptr<session::Session> session, std::shared_ptr<Statement> statement);

  SqlProcess& process_;
  // Shared with a statement that never ends, for its process has crashed.
  std::shared_ptr<session::Session> session_;
  bool lost_ = false;
};

}  // namespace pando::test
