// Bank: transfers between accounts in every way that keeps the money, and totals in every way that must see it all.

#include <map>
#include <set>

#include <fmt/format.h>

#include "test/cluster_sim/workload.h"
#include "test/history/snapshots.h"

namespace pando::test {
namespace {

constexpr int64_t kOpeningBalance = 50;
constexpr uint64_t kThinkNs = 30'000'000;

class Bank final : public Workload {
 public:
  Bank(Scene& scene, Prng& prng)
      : scene_(scene), accounts_(2 + static_cast<int64_t>(prng.below(9))), indexed_(prng.chance(0.6)) {}

  std::vector<std::string> definitions(Prng& prng, uint32_t shards) override {
    std::vector<std::string> all = {
        "CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL CHECK (balance >= 0))",
        "CREATE TABLE transfers (number int PRIMARY KEY, amount int NOT NULL)",
        fmt::format("INSERT INTO accounts SELECT i, {} FROM generate_series(1, {}) AS i", kOpeningBalance, accounts_)};
    if (indexed_) {
      all.emplace_back("CREATE INDEX accounts_balance ON accounts (balance)");
    }
    for (uint32_t i = 1; i < shards; ++i) {
      all.push_back(random_split(prng));
    }
    return all;
  }
  std::string random_split(Prng& prng) override {
    return prng.chance(0.2) ? fmt::format("CALL pando.split('transfers', {})", prng.below(200))
                            : fmt::format("CALL pando.split('accounts', {})", 1 + prng.below(accounts()));
  }

  Task<void> run_client(Client* client) override {
    client->expect({sql_state::kCheckViolation});
    while (scene_.disturbed && !scene_.world.failed()) {
      if (client->prng().chance(0.35)) {
        co_await read_total(client);
      } else {
        co_await transfer(client);
      }
      co_await client->pause(client->prng().below(kThinkNs));
    }
  }

  Task<void> check(Client* client) override {
    note("at the end", co_await client->run_until_done("SELECT id, balance FROM accounts"));
    const SqlAnswer answer = co_await client->run_until_done("SELECT number FROM transfers");
    std::set<int64_t> there;
    for (const auto& row : answer.rows) {
      there.insert(std::stoll(row[0]));
    }
    for (const auto& [number, ending] : transfers_) {
      if (there.contains(number) ? ending == Ending::kAborted : ending == Ending::kCommitted) {
        scene_.world.fail(
            "bank", fmt::format("transfer {} was {}", number,
                                ending == Ending::kAborted ? "aborted, and is there" : "committed, and is not there"));
      }
    }
  }

 private:
  uint64_t accounts() const { return static_cast<uint64_t>(accounts_); }

  void note(const std::string& how, const SqlAnswer& answer) {
    std::map<int64_t, int64_t> balances;
    for (const auto& row : answer.rows) {
      balances[std::stoll(row[0])] = std::stoll(row[1]);
    }
    const std::string wrong = check_bank(balances, accounts(), accounts_ * kOpeningBalance);
    if (!wrong.empty()) {
      scene_.world.fail("bank", how + ": " + wrong);
    }
  }

  Task<void> read_total(Client* client) {
    const uint64_t way = client->prng().below(6);
    if (way == 0) {
      co_await read_one_by_one(client);
      co_return;
    }
    if (way == 4) {
      co_await read_sum(client);
      co_return;
    }
    const std::string sql = way == 1   ? "SELECT id, balance FROM accounts"
                            : way == 2 ? "SELECT id, balance FROM accounts WHERE balance >= 0 ORDER BY balance DESC"
                                       : "SELECT id, balance FROM accounts ORDER BY id DESC";
    if (way == 5) {
      co_await read_past(client, sql);
      co_return;
    }
    const SqlAnswer answer = co_await client->run(sql);
    if (answer.ok()) {
      note(sql, answer);
    }
  }

  Task<void> read_past(Client* client, std::string sql) {
    if (!co_await client->begin(Level::kReadCommitted, true)) {
      co_return;
    }
    const std::string age = fmt::format("{}ms", 1 + client->prng().below(1500));
    const std::string past = client->prng().chance(0.5) ? "SET LOCAL pando.as_of = '-" + age + "'"
                                                        : "SET LOCAL pando.read_staleness = '" + age + "'";
    const bool set = (co_await client->run(past)).ok();
    SqlAnswer answer;
    if (set) {
      answer = co_await client->run(sql);
    }
    co_await client->end(set && answer.ok());
    if (set && answer.ok()) {
      note(past + "; " + sql, answer);
    }
  }

  // Computed by the leaseholders, each of its own accounts.
  Task<void> read_sum(Client* client) {
    const SqlAnswer answer = co_await client->run("SELECT count(*), sum(balance) FROM accounts");
    const std::vector<std::string> expected = {std::to_string(accounts_), std::to_string(accounts_ * kOpeningBalance)};
    if (answer.ok() && answer.rows[0] != expected) {
      scene_.world.fail("bank", fmt::format("{} accounts have {} together", answer.rows[0][0], answer.rows[0][1]));
    }
  }

  // In one transaction whose statements all see the same.
  Task<void> read_one_by_one(Client* client) {
    const Level level = client->prng().chance(0.5) ? Level::kRepeatableRead : Level::kSerializable;
    if (!co_await client->begin(level, client->prng().chance(0.5))) {
      co_return;
    }
    SqlAnswer all;
    bool ok = true;
    for (int64_t id = 1; id <= accounts_ && ok; ++id) {
      SqlAnswer answer = co_await client->run(fmt::format("SELECT id, balance FROM accounts WHERE id = {}", id));
      ok = answer.ok();
      all.rows.insert(all.rows.end(), answer.rows.begin(), answer.rows.end());
    }
    const bool committed = co_await client->end(ok) == Ending::kCommitted;
    if (ok && committed) {
      note(fmt::format("one by one, {}", to_string(level)), all);
    }
  }

  Task<void> transfer(Client* client) {
    Prng& prng = client->prng();
    const auto from = static_cast<int64_t>(1 + prng.below(accounts()));
    const int64_t to = 1 + (from - 1 + static_cast<int64_t>(1 + prng.below(accounts() - 1))) % accounts_;
    const auto amount = static_cast<int64_t>(1 + prng.below(20));
    const int64_t number = ++last_transfer_;
    transfers_[number] = Ending::kAborted;
    if (prng.chance(0.25)) {
      // Both rows in one statement; it leaves no trace of its own.
      co_await client->run_alone(fmt::format(
          "UPDATE accounts SET balance = balance + CASE id WHEN {} THEN -{} ELSE {} END WHERE id IN ({}, {})", from,
          amount, amount, from, to));
      co_return;
    }
    const Level level = draw_level(prng);
    if (!co_await client->begin(level)) {
      co_return;
    }
    const bool reads_first = prng.chance(0.5);
    bool ok = reads_first ? co_await move_by_reading(client, level, from, to, amount)
                          : co_await move_by_adding(client, from, to, amount);
    if (ok) {
      ok = (co_await client->run(fmt::format("INSERT INTO transfers VALUES ({}, {})", number, amount))).ok();
    }
    transfers_[number] = co_await client->end(ok);
  }

  Task<bool> move_by_adding(Client* client, int64_t from, int64_t to, int64_t amount) {
    const std::string sql = "UPDATE accounts SET balance = balance + {} WHERE id = {}";
    const SqlAnswer taken = co_await client->run(fmt::format(fmt::runtime(sql), -amount, from));
    if (!taken.ok()) {
      co_return false;
    }
    co_return (co_await client->run(fmt::format(fmt::runtime(sql), amount, to))).ok();
  }

  // Where the level does not protect what was read, it is locked.
  Task<bool> move_by_reading(Client* client, Level level, int64_t from, int64_t to, int64_t amount) {
    const bool locks = level == Level::kReadCommitted || client->prng().chance(0.2);
    const SqlAnswer read = co_await client->run(fmt::format(
        "SELECT id, balance FROM accounts WHERE id IN ({}, {}) ORDER BY id{}", from, to, locks ? " FOR UPDATE" : ""));
    if (!read.ok()) {
      co_return false;
    }
    if (read.rows.size() != 2) {
      scene_.world.fail("bank", fmt::format("{} of the accounts {} and {}", read.rows.size(), from, to));
      co_return false;
    }
    for (const auto& row : read.rows) {
      const int64_t id = std::stoll(row[0]);
      const int64_t balance = std::stoll(row[1]) + (id == from ? -amount : amount);
      const SqlAnswer written =
          co_await client->run(fmt::format("UPDATE accounts SET balance = {} WHERE id = {}", balance, id));
      if (!written.ok()) {
        co_return false;
      }
    }
    co_return true;
  }

  Scene& scene_;
  const int64_t accounts_;
  const bool indexed_;
  int64_t last_transfer_ = 0;
  std::map<int64_t, Ending> transfers_;
};

}  // namespace

std::unique_ptr<Workload> make_bank(Scene& scene, Prng& prng) { return std::make_unique<Bank>(scene, prng); }

}  // namespace pando::test
