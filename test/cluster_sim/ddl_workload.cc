// DDL storm: tables come and go, get columns and indexes, and are written all the while.

#include <fmt/format.h>

#include "test/cluster_sim/workload.h"

namespace pando::test {
namespace {

constexpr uint64_t kTables = 3;
constexpr uint64_t kThinkNs = 60'000'000;

class Definitions final : public Workload {
 public:
  explicit Definitions(Scene& scene) : scene_(scene) {}

  std::vector<std::string> definitions(Prng&, uint32_t) override {
    std::vector<std::string> all;
    for (uint64_t i = 1; i <= kTables; ++i) {
      all.push_back(create(i));
    }
    return all;
  }
  std::string random_split(Prng& prng) override {
    return fmt::format("CALL pando.split('storm{}', {})", 1 + prng.below(kTables), prng.below(100));
  }

  Task<void> run_client(Client* client) override {
    // What others have changed meanwhile.
    client->expect({sql_state::kUndefinedTable, sql_state::kDuplicateTable, sql_state::kUndefinedColumn,
                    sql_state::kDuplicateColumn, sql_state::kUndefinedObject, sql_state::kUniqueViolation,
                    sql_state::kDuplicateObject});
    while (scene_.disturbed && !scene_.world.failed()) {
      const std::string sql = draw(client->prng());
      const bool in_block = client->prng().chance(0.2);
      if (in_block && co_await client->begin(Level::kReadCommitted)) {
        const bool ok = (co_await client->run(sql)).ok() && (co_await client->run(draw(client->prng()))).ok();
        co_await client->end(ok && client->prng().chance(0.8));
      } else {
        co_await client->run(sql);
      }
      co_await client->pause(client->prng().below(kThinkNs));
    }
  }

  Task<void> check(Client* client) override {
    for (uint64_t i = 1; i <= kTables; ++i) {
      co_await client->run_until_done(fmt::format("DROP TABLE IF EXISTS storm{}", i));
      co_await client->run_until_done(create(i));
      co_await client->run_until_done(fmt::format("INSERT INTO storm{} VALUES (1, 'one')", i));
    }
  }

 private:
  static std::string create(uint64_t table) {
    return fmt::format("CREATE TABLE storm{} (id int PRIMARY KEY, name text)", table);
  }

  static std::string draw(Prng& prng) {
    const std::string table = fmt::format("storm{}", 1 + prng.below(kTables));
    const uint64_t number = 1 + prng.below(3);
    switch (prng.below(12)) {
      case 0:
        return fmt::format("DROP TABLE {}", table);
      case 1:
        return fmt::format("CREATE TABLE {} (id int PRIMARY KEY, name text)", table);
      case 2:
        return fmt::format("CREATE INDEX {}_i{} ON {} (name)", table, number, table);
      case 3:
        return fmt::format("DROP INDEX {}_i{}", table, number);
      case 4:
        return fmt::format("ALTER TABLE {} ADD COLUMN c{} int DEFAULT {}", table, number, number);
      case 5:
        return fmt::format("ALTER TABLE {} DROP COLUMN c{}", table, number);
      case 6:
        return fmt::format("TRUNCATE {}", table);
      case 7:
        return fmt::format("SELECT count(*), max(name) FROM {}", table);
      case 8:
        return fmt::format("DELETE FROM {} WHERE id < {}", table, prng.below(100));
      case 9:
        return fmt::format("UPDATE {} SET name = name || '+' WHERE id BETWEEN {} AND {}", table, number, number + 20);
      default:
        return fmt::format("INSERT INTO {} (id, name) VALUES ({}, 'n{}')", table, prng.below(100), prng.below(1000));
    }
  }

  Scene& scene_;
};

}  // namespace

std::unique_ptr<Workload> make_ddl(Scene& scene) { return std::make_unique<Definitions>(scene); }

}  // namespace pando::test
