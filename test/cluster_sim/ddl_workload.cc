// DDL storm: tables come and go, get columns and indexes, and are written all the while. Beside them are tables that
// stay, on whose rows jobs build indexes and look at constraints while others write; some of what is written fits, and
// some does not.

#include <fmt/format.h>

#include "test/cluster_sim/workload.h"

namespace pando::test {
namespace {

constexpr uint64_t kTables = 3;
constexpr uint64_t kLastingTables = 2;
constexpr uint64_t kLastingRows = 150;
constexpr uint64_t kParents = 10;
constexpr uint64_t kThinkNs = 60'000'000;
constexpr uint64_t kJobPollNs = 200'000'000;

class Definitions final : public Workload {
 public:
  explicit Definitions(Scene& scene) : scene_(scene) {}

  std::vector<std::string> definitions(Prng&, uint32_t) override {
    std::vector<std::string> all;
    for (uint64_t i = 1; i <= kTables; ++i) {
      all.push_back(create(i));
    }
    all.push_back("CREATE TABLE parents (id int PRIMARY KEY)");
    all.push_back(fmt::format("INSERT INTO parents SELECT generate_series(0, {})", kParents - 1));
    for (uint64_t i = 1; i <= kLastingTables; ++i) {
      all.push_back(fmt::format("CREATE TABLE lasting{} (id int PRIMARY KEY, v int, w int, p int)", i));
      all.push_back(fmt::format("INSERT INTO lasting{} SELECT i, i % 7, i, i % {} FROM generate_series(1, {}) i", i,
                                kParents, kLastingRows));
    }
    return all;
  }
  std::string random_split(Prng& prng) override {
    return prng.chance(0.5) ? fmt::format("CALL pando.split('storm{}', {})", 1 + prng.below(kTables), prng.below(100))
                            : fmt::format("CALL pando.split('lasting{}', {})", 1 + prng.below(kLastingTables),
                                          prng.below(kLastingRows));
  }

  Task<void> run_client(Client* client) override {
    // What others have changed meanwhile, and what does not fit.
    client->expect({sql_state::kUndefinedTable, sql_state::kDuplicateTable, sql_state::kUndefinedColumn,
                    sql_state::kDuplicateColumn, sql_state::kUndefinedObject, sql_state::kUniqueViolation,
                    sql_state::kDuplicateObject, sql_state::kCheckViolation, sql_state::kForeignKeyViolation,
                    sql_state::kNotNullViolation, sql_state::kQueryCanceled, sql_state::kObjectNotInPrerequisiteState});
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
    co_await check_jobs(client);
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
    if (prng.chance(0.5)) {
      return prng.chance(0.4) ? draw_job(prng) : draw_change(prng);
    }
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

  // What a job does, and what takes back what one has done, so that it is done again.
  static std::string draw_job(Prng& prng) {
    const std::string table = fmt::format("lasting{}", 1 + prng.below(kLastingTables));
    const uint64_t number = 1 + prng.below(2);
    switch (prng.below(14)) {
      case 0:
        return fmt::format("CREATE INDEX {}_v{} ON {} (v, w)", table, number, table);
      case 1:
        return fmt::format("CREATE UNIQUE INDEX {}_w{} ON {} (w)", table, number, table);
      case 2:
        return fmt::format("CREATE INDEX {}_x{} ON {} ((v + w)) WHERE p > 3", table, number, table);
      case 3:
        return fmt::format("ALTER TABLE {} ADD CONSTRAINT {}_u UNIQUE (w)", table, table);
      case 4:
        return fmt::format("ALTER TABLE {} ADD CONSTRAINT {}_c CHECK (v >= 0)", table, table);
      case 5:
        return fmt::format("ALTER TABLE {} ADD CONSTRAINT {}_f FOREIGN KEY (p) REFERENCES parents", table, table);
      case 6:
        return fmt::format("ALTER TABLE {} ALTER COLUMN p SET NOT NULL", table);
      case 7:
        return fmt::format("DROP INDEX {}_{}{}", table, prng.chance(0.5) ? 'v' : 'w', number);
      case 8:
        return fmt::format("DROP INDEX {}_x{}", table, number);
      case 9:
        return fmt::format("ALTER TABLE {} DROP CONSTRAINT {}_{}", table, table, "ucf"[prng.below(3)]);
      case 10:
        return fmt::format("ALTER TABLE {} ALTER COLUMN p DROP NOT NULL", table);
      case 11:
        return "CALL pando.cancel_job((SELECT coalesce(max(job_id), 0) FROM pando.jobs))";
      case 12:
        return fmt::format("ALTER TABLE {} ALTER COLUMN v TYPE {}", table, prng.chance(0.5) ? "bigint" : "int");
      default:
        return "SELECT kind, state, rows_done FROM pando.jobs ORDER BY job_id DESC LIMIT 1";
    }
  }

  static std::string draw_change(Prng& prng) {
    const std::string table = fmt::format("lasting{}", 1 + prng.below(kLastingTables));
    const uint64_t id = prng.below(2 * kLastingRows);
    const uint64_t other = prng.below(2 * kLastingRows);
    // Rarely something that breaks a constraint: most of what a job looks for must be there to be found, now and then.
    const bool fits = prng.chance(0.95);
    const auto parent = fits ? std::to_string(prng.below(kParents)) : prng.chance(0.5) ? "NULL" : "99";
    switch (prng.below(8)) {
      case 0:
        return fmt::format("INSERT INTO {} VALUES ({}, {}, {}, {})", table, id, fits ? 1 : -1, id, parent);
      case 1:
        return fmt::format("DELETE FROM {} WHERE id = {}", table, id);
      case 2:
        return fmt::format("UPDATE {} SET v = {} WHERE id = {}", table, fits ? static_cast<int64_t>(id % 7) : -1, id);
      case 3:
        // A key changes hands.
        return fmt::format("UPDATE {} SET w = -w WHERE id IN ({}, {})", table, id, other);
      case 4:
        return fmt::format("UPDATE {} SET w = {} WHERE id = {}", table, fits ? id : other, id);
      case 5:
        return fmt::format("UPDATE {} SET p = {} WHERE id BETWEEN {} AND {}", table, parent, id, id + 5);
      case 6:
        return fmt::format("UPDATE {} SET v = abs(v), p = coalesce(p, 0) WHERE v < 0 OR p IS NULL OR p > {}", table,
                           kParents);
      default:
        return fmt::format("SELECT count(*), sum(w) FROM {} WHERE v = {}", table, id % 7);
    }
  }

  // Every job comes to its end, and leaves nothing half done.
  Task<void> check_jobs(Client* client) {
    while (!scene_.world.failed()) {
      const SqlAnswer open =
          co_await client->run_until_done("SELECT count(*) FROM pando.jobs WHERE state IN ('running', 'reverting')");
      if (scene_.world.failed() || open.rows == std::vector<std::vector<std::string>>{{"0"}}) {
        break;
      }
      co_await client->pause(kJobPollNs);
    }
    const SqlAnswer ended = co_await client->run_until_done("SELECT DISTINCT kind || ' ' || state FROM pando.jobs");
    for (const auto& row : ended.rows) {
      scene_.world.probe(("job: " + row.front()).c_str());
    }
    const SqlAnswer half_done = co_await client->run_until_done(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid UNION ALL "
        "SELECT conname::text FROM pg_constraint WHERE NOT convalidated");
    if (!half_done.rows.empty()) {
      scene_.world.fail("jobs", fmt::format("{} is left half done, and no job is", half_done.rows.front().front()));
    }
  }

  Scene& scene_;
};

}  // namespace

std::unique_ptr<Workload> make_ddl(Scene& scene) { return std::make_unique<Definitions>(scene); }

}  // namespace pando::test
