// Sequence: each writer inserts 1, 2, 3, ... one after the other, spread over shards; whoever sees one sees all before.

#include <map>

#include <fmt/format.h>

#include "test/cluster_sim/workload.h"
#include "test/history/snapshots.h"

namespace pando::test {
namespace {

constexpr uint64_t kThinkNs = 30'000'000;
constexpr int64_t kSlots = 1000;
// Spreads numbers over the slots.
constexpr int64_t kStride = 619;

class Sequence final : public Workload {
 public:
  explicit Sequence(Scene& scene) : scene_(scene) {}

  std::vector<std::string> definitions(Prng& prng, uint32_t shards) override {
    std::vector<std::string> all = {
        "CREATE TABLE sequence (slot int, writer int, n int NOT NULL, PRIMARY KEY (slot, writer, n))"};
    for (uint32_t i = 0; i < shards; ++i) {
      all.push_back(random_split(prng));
    }
    return all;
  }
  std::string random_split(Prng& prng) override {
    return fmt::format("CALL pando.split('sequence', {})", prng.below(static_cast<uint64_t>(kSlots)));
  }

  Task<void> run_client(Client* client) override {
    const bool writes = writers_ == 0 || client->prng().chance(0.5);
    const int64_t writer = writes ? ++writers_ : 0;
    while (scene_.disturbed && !scene_.world.failed()) {
      co_await (writes ? write(client, writer) : read(client));
      co_await client->pause(client->prng().below(kThinkNs));
    }
  }

  Task<void> check(Client* client) override {
    for (int64_t writer = 1; writer <= writers_; ++writer) {
      co_await read_one(client, writer, true);
    }
  }

 private:
  Task<void> write(Client* client, int64_t writer) {
    const int64_t n = acknowledged_[writer] + 1;
    const std::string sql =
        fmt::format("INSERT INTO sequence VALUES ({}, {}, {}) ON CONFLICT DO NOTHING", n * kStride % kSlots, writer, n);
    const NodeId before = client->node();
    const SqlAnswer answer = co_await client->run(sql);
    if (answer.ok()) {
      acknowledged_[writer] = n;
    }
    if (client->node() != before || !answer.ok()) {
      // Another gateway's clock may be behind the moment of the last one.
      co_await client->pause(2 * scene_.cluster.options().clock_offset_max_ns);
    }
  }

  Task<void> read(Client* client) {
    if (writers_ > 0) {
      co_await read_one(client, 1 + static_cast<int64_t>(client->prng().below(static_cast<uint64_t>(writers_))), false);
    }
  }

  Task<void> read_one(Client* client, int64_t writer, bool until_done) {
    const int64_t acknowledged = acknowledged_[writer];
    const std::string sql = fmt::format("SELECT n FROM sequence WHERE writer = {}", writer);
    const SqlAnswer answer = until_done ? co_await client->run_until_done(sql) : co_await client->run(sql);
    if (!answer.ok()) {
      co_return;
    }
    std::vector<int64_t> seen;
    for (const auto& row : answer.rows) {
      seen.push_back(std::stoll(row[0]));
    }
    const std::string wrong = check_sequence(seen, acknowledged);
    if (!wrong.empty()) {
      scene_.world.fail("sequence", fmt::format("writer {}: {}", writer, wrong));
    }
  }

  Scene& scene_;
  int64_t writers_ = 0;
  std::map<int64_t, int64_t> acknowledged_;
};

}  // namespace

std::unique_ptr<Workload> make_sequence(Scene& scene) { return std::make_unique<Sequence>(scene); }

}  // namespace pando::test
