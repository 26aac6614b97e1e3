// Random queries, each run as the optimizer likes it best and again with methods switched off: hash joins, nested
// loops, index scans, parallel scans, memory to work in. Every plan must give the same rows.
//
// PANDO_SEED=N runs other queries; a failure prints the query, the settings and the seed.

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <sstream>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "pando/database.h"
#include "test/support/temporary_directory.h"

namespace pando {
namespace {

constexpr int kQueries = 80;
constexpr int kLargeRows = 6000;
constexpr int kSmallRows = 400;

// In memory, where a table of any size is read in parallel; and in a directory, where operators can spill.
class Plans : public testing::TestWithParam<bool> {
 protected:
  static bool in_directory() { return GetParam(); }

  void SetUp() override {
    auto database = Database::open(in_directory() ? directory_.path() : "");
    ASSERT_TRUE(database) << database.error().message;
    database_.emplace(*std::move(database));
    auto connection = database_->connect();
    ASSERT_TRUE(connection) << connection.error().message;
    connection_.emplace(*std::move(connection));
    run("CREATE TABLE large (id int PRIMARY KEY, a int, b bigint, c text, d numeric, e double precision, f date)");
    run("CREATE TABLE small (id int PRIMARY KEY, a int, g text, h smallint, b bigint)");
    run("CREATE TABLE plain (a int, b bigint, c text)");
    run("CREATE INDEX large_a ON large (a)");
    run("CREATE INDEX large_c ON large (c, b DESC)");
    run("CREATE UNIQUE INDEX small_g ON small (g, id)");
    fill("large", kLargeRows,
         "i, nullif(i * 7 % 101, 3), (i * 13 % 1009)::bigint, CASE WHEN i % 11 = 0 THEN NULL ELSE 'k' || (i * 31 % 57) "
         "END, "
         "(i % 40) / 4.0, CASE WHEN i % 9 = 0 THEN '-0'::float8 WHEN i % 50 = 1 THEN 'NaN' ELSE (i % 17)::float8 END, "
         "date '2020-01-01' + i % 400");
    fill("small", kSmallRows, "i, nullif(i % 120, 7), 'k' || (i % 60), (i % 5)::smallint, (i * 5 % 1009)::bigint");
    fill("plain", kSmallRows,
         "nullif(i % 30, 4), (i * 3 % 1009)::bigint, CASE WHEN i % 6 = 0 THEN NULL ELSE 'k' || (i % 57) END");
    // A team of threads reads even these.
    run("SET min_parallel_table_scan_size = 0");
    run("ANALYZE");
  }

  void fill(const std::string& table, int rows, const std::string& columns) {
    run("INSERT INTO " + table + " SELECT " + columns + " FROM generate_series(1, " + std::to_string(rows) + ") AS i");
  }
  void run(const std::string& sql) {
    const Error error = connection_->execute(sql);
    ASSERT_TRUE(error.ok()) << sql << "\n" << error.message;
  }
  // The rows as text, sorted; or the SQLSTATE.
  std::vector<std::string> rows_of(const std::string& sql) {
    std::vector<std::string> rows;
    auto result = connection_->query(sql);
    if (!result) {
      return {"error " + result.error().sqlstate};
    }
    while (result->next()) {
      std::string row;
      for (std::size_t i = 0; i < result->column_count(); ++i) {
        // Which of equal values stands for its group is not said: 0 and -0 are equal.
        const std::string_view text = result->text(i) == "-0" ? "0" : result->text(i);
        row += result->is_null(i) ? "~|" : std::string(text) + "|";
      }
      rows.push_back(std::move(row));
    }
    if (!result->error().ok()) {
      return {"error " + result->error().sqlstate};
    }
    std::ranges::sort(rows);
    return rows;
  }

  test::TemporaryDirectory directory_;
  std::optional<Database> database_;
  std::optional<Connection> connection_;
};

// Makes queries.
class Grammar {
 public:
  explicit Grammar(uint64_t seed) : prng_(seed) {}

  std::string query() {
    switch (pick(7)) {
      case 0:
        return "SELECT " + aggregates("l.") + " FROM large l" + where("l.");
      case 1:
        return grouped();
      case 2:
        return joined();
      case 3:
        return "SELECT DISTINCT l.a, l.c FROM large l" + where("l.");
      case 4:
        return "SELECT id, a FROM large" + where("") + " ORDER BY a" + one_of({"", " DESC", " NULLS FIRST"}) +
               ", id LIMIT " + std::to_string(1 + pick(50)) + one_of({"", " OFFSET 5", " OFFSET 3000"});
      case 5:
        return subquery();
      default:
        return "SELECT min(l.a), max(l.a), min(l.id), max(l.c) FROM large l" + one_of({"", where("l.")});
    }
  }

 private:
  std::size_t pick(std::size_t count) { return prng_.next() % count; }
  std::string one_of(const std::vector<std::string>& choices) { return choices[pick(choices.size())]; }

  std::string aggregates(const std::string& t) {
    return "count(*), sum(" + t + "a), " +
           one_of({"min(" + t + "c)", "avg(" + t + "b)", "sum(" + t + "d)", "count(DISTINCT " + t + "c)",
                   "max(" + t + "e)", "count(" + t + "a) FILTER (WHERE " + t + "id > 100)"});
  }
  std::string grouped() {
    const std::string keys =
        one_of({"l.a", "l.c", "l.a, l.c", "l.e", "l.d", "l.f", "l.b", "l.id % 10", "l.c, l.e, l.d"});
    return "SELECT " + keys + ", " + aggregates("l.") + " FROM large l" + where("l.") + " GROUP BY " + keys +
           one_of({"", " HAVING count(*) > 3"});
  }
  std::string joined() {
    const std::string kind = one_of({" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN "});
    const std::string on = one_of({"l.a = s.a", "l.c = s.g", "l.b = s.b", "l.id = s.id", "l.a = s.a AND l.b < s.b",
                                   "l.a = s.h", "l.c = s.g AND l.a = s.a"});
    const std::string third = one_of({"", " JOIN plain p ON p.a = s.a", " LEFT JOIN plain p ON p.b = l.b"});
    const std::string select = one_of({"count(*), sum(l.b), min(s.g)", "l.a, count(*)"});
    const std::string group = select.starts_with("l.a") ? " GROUP BY l.a" : "";
    return "SELECT " + select + " FROM large l" + kind + "small s ON " + on + third + where("l.") + group;
  }
  std::string subquery() {
    return "SELECT count(*), sum(l.id) FROM large l WHERE " +
           one_of({"l.a IN (SELECT s.a FROM small s WHERE s.h = 2)",
                   "NOT EXISTS (SELECT 1 FROM small s WHERE s.g = l.c)",
                   "l.a NOT IN (SELECT p.a FROM plain p WHERE p.a IS NOT NULL)",
                   "l.b > (SELECT avg(s.b) FROM small s WHERE s.a = l.a)",
                   "l.id = ANY (SELECT s.id FROM small s) AND l.c LIKE 'k1%'"});
  }
  std::string condition(const std::string& t) {
    return one_of({t + "a = " + std::to_string(pick(110)), t + "a > " + std::to_string(pick(110)),
                   t + "id BETWEEN " + std::to_string(pick(3000)) + " AND " + std::to_string(pick(6000)),
                   t + "c LIKE 'k" + std::to_string(pick(6)) + "%'", t + "c = 'k" + std::to_string(pick(60)) + "'",
                   t + "a IN (1, 5, 9, NULL)", t + "c IS NULL", t + "a IS NOT NULL", t + "d < 5.5", t + "e >= 3",
                   t + "f < date '2020-06-01'", t + "b % 3 = 1", t + "c LIKE 'k_1%'",
                   t + "id IN (1, 17, 5999, 70000)"});
  }
  std::string where(const std::string& t) {
    std::string all;
    for (std::size_t i = pick(3); i > 0; --i) {
      all += (all.empty() ? " WHERE " : one_of({" AND ", " AND ", " OR "})) + condition(t);
    }
    return all;
  }

  Prng prng_;
};

INSTANTIATE_TEST_SUITE_P(Stores, Plans, testing::Bool(),
                         [](const auto& info) { return info.param ? "directory" : "memory"; });

TEST_P(Plans, EveryPlanGivesTheSameRows) {
  const char* given = std::getenv("PANDO_SEED");
  const uint64_t seed = given == nullptr ? 20 : std::strtoull(given, nullptr, 10);
  std::vector<std::vector<std::string>> variants = {
      {"max_parallel_workers_per_gather = 0"},
      {"enable_hashjoin = off", "max_parallel_workers_per_gather = 0"},
      {"enable_nestloop = off"},
      {"enable_indexscan = off", "enable_indexonlyscan = off"},
      {"enable_seqscan = off"},
      {"enable_indexonlyscan = off"},
  };
  if (in_directory()) {
    variants.push_back({"work_mem = '64kB'", "hash_mem_multiplier = 1"});
  }
  Grammar grammar(seed);
  int answers = 0;
  for (int i = 0; i < kQueries; ++i) {
    const std::string query = grammar.query();
    const std::vector<std::string> expected = rows_of(query);
    ASSERT_FALSE(expected.size() == 1 && expected[0].starts_with("error")) << query << "\n" << expected[0];
    answers += expected.empty() ? 0 : 1;
    for (const auto& variant : variants) {
      std::string settings;
      for (const std::string& setting : variant) {
        run("SET " + setting);
        settings += setting + "; ";
      }
      EXPECT_EQ(rows_of(query), expected) << query << "\nwith " << settings << "seed " << seed;
      for (const std::string& setting : variant) {
        run("RESET " + setting.substr(0, setting.find(' ')));
      }
    }
    if (HasFailure()) {
      return;
    }
  }
  EXPECT_GT(answers, kQueries / 2) << "most queries should find something";
}

// The variants really run other plans.
TEST_P(Plans, SettingsChangePlans) {
  const auto plan = [&](const std::string& query) {
    std::string text;
    auto rows = connection_->query("EXPLAIN (COSTS OFF) " + query);
    while (rows && rows->next()) {
      text += std::string(rows->text(0)) + "\n";
    }
    return text;
  };
  const std::string join = "SELECT count(*) FROM large l JOIN plain p ON l.b = p.b";
  EXPECT_NE(plan(join).find("Hash Join"), std::string::npos) << plan(join);
  run("SET enable_hashjoin = off");
  EXPECT_EQ(plan(join).find("Hash Join"), std::string::npos) << plan(join);
  run("RESET enable_hashjoin");
  const std::string point = "SELECT b FROM large WHERE a = 5";
  EXPECT_NE(plan(point).find("Index Scan using large_a"), std::string::npos) << plan(point);
  run("SET enable_indexscan = off");
  EXPECT_NE(plan(point).find("Seq Scan"), std::string::npos) << plan(point);
  run("RESET enable_indexscan");
  EXPECT_NE(plan("SELECT a FROM large WHERE a = 5").find("Index Only Scan using large_a"), std::string::npos);
  EXPECT_NE(plan("SELECT id FROM large WHERE c LIKE 'k12%'").find("large_c"), std::string::npos);
}

}  // namespace
}  // namespace pando
