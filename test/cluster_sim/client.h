#pragma once

// Client: one user of the database. It is connected to some node; when that one crashes it goes to another. What it
// gets is recorded as a user would see it: committed, aborted, or unknown.
//
//   Ending ending = co_await client.run_alone("UPDATE ...", &answer);
//   if (co_await client.begin(Level::kSerializable)) {
//     SqlAnswer answer = co_await client.run("SELECT ...");
//     ending = co_await client.end(answer.ok());
//   }

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "test/cluster_sim/sql_process.h"
#include "test/history/list_append.h"

namespace pando::test {

// What all clients of a run share.
struct Scene {
  sim::World& world;
  SimulatedCluster& cluster;
  // Nodes that their operator takes away: the placers move what they have to others.
  std::set<NodeId> leaving;
  // Faults still happen, and clients still begin something new.
  bool disturbed = true;
  uint32_t clients_running = 0;
  // Statements that were answered, and transactions that were acknowledged.
  uint64_t statements = 0;
  uint64_t commits = 0;
};

class Client {
 public:
  Client(Scene& scene, uint32_t number) : scene_(scene), number_(number) {}

  // --- single statements ---
  // Connects first when needed. An answer with `lost()` is given once; then it connects anew.
  Task<SqlAnswer> run(std::string sql);
  // A statement in a transaction of its own. REQUIRES: `answer` outlives the call; it may be null.
  Task<Ending> run_alone(std::string sql, SqlAnswer* answer = nullptr);
  // Until it is certain that it has happened. For set-up, and for what may happen twice.
  Task<SqlAnswer> run_until_done(std::string sql);

  // --- transactions ---
  // False: there is none.
  Task<bool> begin(Level level, bool read_only = false);
  // COMMIT, or ROLLBACK when something failed.
  Task<Ending> end(bool commit);

  // Codes that are as good as an abort for the workload, besides those that any client must expect.
  void expect(std::vector<SqlState> codes) { expected_ = std::move(codes); }

  Task<void> pause(uint64_t duration_ns);
  Task<void> close();
  Scene& scene() { return scene_; }
  sim::World& world() { return scene_.world; }
  Prng& prng() { return scene_.world.prng(); }
  uint32_t number() const { return number_; }
  // The node that answered last.
  NodeId node() const { return node_; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[prng().below(from.size())];
  }

 private:
  Task<void> connect();
  void check_expected(const std::string& sql, const Status& status);
  Ending ending_of(const SqlAnswer& answer);

  Scene& scene_;
  const uint32_t number_;
  std::vector<SqlState> expected_;
  std::unique_ptr<SqlConnection> connection_;
  NodeId node_;
  // Whoever loses the connection now has lost the transaction.
  bool in_transaction_ = false;
};

SqlProcess* process_of(SimulatedClusterNode& node);

}  // namespace pando::test
