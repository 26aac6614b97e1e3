// Cycle ring, after FoundationDB's Cycle workload: each row names its successor, transactions take a row out of its
// place and put it in the next.

#include <map>

#include <fmt/format.h>

#include "test/cluster_sim/workload.h"
#include "test/history/snapshots.h"

namespace pando::test {
namespace {

constexpr uint64_t kThinkNs = 30'000'000;

class Ring final : public Workload {
 public:
  Ring(Scene& scene, Prng& prng) : scene_(scene), nodes_(4 + prng.below(12)) {}

  std::vector<std::string> definitions(Prng& prng, uint32_t shards) override {
    std::vector<std::string> all = {
        "CREATE TABLE ring (id int PRIMARY KEY, next int NOT NULL)",
        fmt::format("INSERT INTO ring SELECT i, (i + 1) % {} FROM generate_series(0, {}) AS i", nodes_, nodes_ - 1)};
    for (uint32_t i = 1; i < shards; ++i) {
      all.push_back(random_split(prng));
    }
    return all;
  }
  std::string random_split(Prng& prng) override {
    return fmt::format("CALL pando.split('ring', {})", 1 + prng.below(nodes_ - 1));
  }

  Task<void> run_client(Client* client) override {
    while (scene_.disturbed && !scene_.world.failed()) {
      if (client->prng().chance(0.3)) {
        const SqlAnswer answer = co_await client->run("SELECT id, next FROM ring");
        if (answer.ok()) {
          note("while others change it", answer);
        }
      } else {
        co_await rearrange(client);
      }
      co_await client->pause(client->prng().below(kThinkNs));
    }
  }

  Task<void> check(Client* client) override {
    note("at the end", co_await client->run_until_done("SELECT id, next FROM ring"));
  }

 private:
  void note(const std::string& when, const SqlAnswer& answer) {
    std::map<int64_t, int64_t> successors;
    for (const auto& row : answer.rows) {
      successors[std::stoll(row[0])] = std::stoll(row[1]);
    }
    const std::string wrong = check_ring(successors, nodes_);
    if (!wrong.empty()) {
      scene_.world.fail("ring", when + ": " + wrong);
    }
  }

  // From r -> a -> b -> c to r -> b -> a -> c.
  Task<void> rearrange(Client* client) {
    const Level level = draw_level(client->prng());
    if (!co_await client->begin(level)) {
      co_return;
    }
    const std::string_view locking = level == Level::kReadCommitted ? " FOR UPDATE" : "";
    std::vector<int64_t> path{static_cast<int64_t>(client->prng().below(nodes_))};
    bool ok = true;
    while (ok && path.size() < 4) {
      const SqlAnswer answer =
          co_await client->run(fmt::format("SELECT next FROM ring WHERE id = {}{}", path.back(), locking));
      ok = answer.ok() && answer.rows.size() == 1;
      path.push_back(ok ? std::stoll(answer.rows[0][0]) : 0);
    }
    if (ok) {
      ok = co_await set_next(client, path[0], path[2]) && co_await set_next(client, path[2], path[1]) &&
           co_await set_next(client, path[1], path[3]);
    }
    co_await client->end(ok);
  }
  static Task<bool> set_next(Client* client, int64_t id, int64_t next) {
    co_return (co_await client->run(fmt::format("UPDATE ring SET next = {} WHERE id = {}", next, id))).ok();
  }

  Scene& scene_;
  const uint64_t nodes_;
};

}  // namespace

std::unique_ptr<Workload> make_ring(Scene& scene, Prng& prng) { return std::make_unique<Ring>(scene, prng); }

}  // namespace pando::test
