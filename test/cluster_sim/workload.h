#pragma once

// Workload: what clients do, and what must be true of what they see. Each has its own tables.
//
//   for (const std::string& sql : workload->definitions(shards)) ...
//   spawn(workload->run_client(&client)) ...           // until the scene is no longer disturbed
//   co_await workload->check(&client);                 // when everything has come to rest
//
// A violation goes to World::fail.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "test/cluster_sim/client.h"

namespace pando::test {

class Workload {
 public:
  virtual ~Workload() = default;
  // Statements that make its tables, cut into about so many shards.
  virtual std::vector<std::string> definitions(Prng& prng, uint32_t shards) = 0;
  // CALL pando.split(...) at some place of its tables.
  virtual std::string random_split(Prng& prng) = 0;
  virtual Task<void> run_client(Client* client) = 0;
  virtual Task<void> check(Client* client) = 0;
};

// REQUIRES: `name` is one of kWorkloads.
std::unique_ptr<Workload> make_workload(std::string_view name, Scene& scene, Prng& prng);

std::unique_ptr<Workload> make_bank(Scene& scene, Prng& prng);
std::unique_ptr<Workload> make_append(Scene& scene, Prng& prng);
std::unique_ptr<Workload> make_register(Scene& scene);
std::unique_ptr<Workload> make_ring(Scene& scene, Prng& prng);
std::unique_ptr<Workload> make_sequence(Scene& scene);
std::unique_ptr<Workload> make_ddl(Scene& scene);
std::unique_ptr<Workload> make_past(Scene& scene, Prng& prng);

// Weighted as clients use them.
Level draw_level(Prng& prng);

}  // namespace pando::test
