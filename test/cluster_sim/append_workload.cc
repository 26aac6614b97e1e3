// List-append: transactions at every level that append unique numbers to lists and read them, for the cycle checker.

#include <algorithm>

#include <fmt/format.h>

#include "test/cluster_sim/workload.h"

namespace pando::test {
namespace {

constexpr uint64_t kThinkNs = 30'000'000;
constexpr std::size_t kOperationsMax = 4;

// The numbers of "1,2", ",1,2" or "{1,2}"; NULL is an empty list.
List parse_list(const std::string& text) {
  List list;
  std::string digits;
  for (const char c : text + ",") {
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (!digits.empty()) {
      list.push_back(std::stoll(digits));
      digits.clear();
    }
  }
  return list;
}

class Append final : public Workload {
 public:
  Append(Scene& scene, Prng& prng)
      : scene_(scene), keys_(2 + prng.below(8)), arrays_(prng.chance(0.4)), prefilled_(prng.chance(0.5)) {}

  std::vector<std::string> definitions(Prng& prng, uint32_t shards) override {
    std::vector<std::string> all = {
        fmt::format("CREATE TABLE lists (k int PRIMARY KEY, v {} NOT NULL)", arrays_ ? "int[]" : "text")};
    if (prefilled_) {
      all.push_back(fmt::format("INSERT INTO lists SELECT i, {} FROM generate_series(1, {}) AS i",
                                arrays_ ? "'{}'::int[]" : "''", keys_));
    }
    for (uint32_t i = 1; i < shards; ++i) {
      all.push_back(random_split(prng));
    }
    return all;
  }
  std::string random_split(Prng& prng) override {
    return fmt::format("CALL pando.split('lists', {})", 1 + prng.below(keys_));
  }

  Task<void> run_client(Client* client) override {
    // Two transactions may insert the same list at once.
    client->expect({sql_state::kUniqueViolation});
    while (scene_.disturbed && !scene_.world.failed()) {
      if (client->prng().chance(0.2)) {
        co_await read_alone(client);
      } else {
        co_await transact(client);
      }
      co_await client->pause(client->prng().below(kThinkNs));
    }
  }

  Task<void> check(Client* client) override {
    for (ListKey key = 1; key <= keys_; ++key) {
      history_.final_lists[key];
    }
    const SqlAnswer answer = co_await client->run_until_done("SELECT k, v FROM lists");
    for (const auto& row : answer.rows) {
      history_.final_lists[std::stoull(row[0])] = parse_list(row[1]);
    }
    for (const Anomaly& anomaly : find_anomalies(history_)) {
      if (anomaly.violates) {
        scene_.world.fail("list-append " + anomaly.name, anomaly.description);
      } else {
        scene_.world.probe(("permitted " + anomaly.name).c_str());
      }
    }
  }

 private:
  ListTransaction start(Level level) {
    return {.number = ++last_transaction_, .level = level, .begin_ns = scene_.world.now_ns()};
  }
  void finish(ListTransaction transaction, Ending ending) {
    transaction.ending = ending;
    transaction.end_ns = scene_.world.now_ns();
    history_.transactions.push_back(std::move(transaction));
  }
  ListKey draw_key(Prng& prng) const { return 1 + prng.below(keys_); }

  // A statement by itself sees one snapshot whatever its level.
  Task<void> read_alone(Client* client) {
    ListTransaction transaction = start(Level::kRepeatableRead);
    if (co_await read_several(client, &transaction, "")) {
      finish(std::move(transaction), Ending::kCommitted);
    }
  }

  Task<void> transact(Client* client) {
    const Level level = draw_level(client->prng());
    const std::size_t count = 1 + client->prng().below(kOperationsMax);
    ListTransaction transaction = start(level);
    if (!co_await client->begin(level)) {
      co_return;
    }
    bool ok = true;
    for (std::size_t i = 0; i < count && ok; ++i) {
      ok = co_await operate(client, &transaction);
      if (ok && client->prng().chance(0.2)) {
        co_await client->pause(client->prng().below(kThinkNs));
      }
    }
    const Ending ending = co_await client->end(ok);
    finish(std::move(transaction), ending);
  }

  Task<bool> operate(Client* client, ListTransaction* transaction) {
    switch (client->prng().below(8)) {
      case 0:
        co_return co_await read_several(client, transaction, "");
      case 1:
        co_return co_await read_one(client, transaction, draw_key(client->prng()), " FOR UPDATE");
      case 2:
      case 3:
        co_return co_await read_one(client, transaction, draw_key(client->prng()), "");
      case 4:
        co_return co_await append_by_reading(client, transaction);
      default:
        co_return co_await append(client, transaction, draw_key(client->prng()));
    }
  }

  Task<bool> read_one(Client* client, ListTransaction* transaction, ListKey key, std::string_view locking) {
    const uint64_t begin_ns = scene_.world.now_ns();
    const SqlAnswer answer = co_await client->run(fmt::format("SELECT v FROM lists WHERE k = {}{}", key, locking));
    if (answer.ok()) {
      transaction->operations.push_back(
          {.key = key, .list = answer.rows.empty() ? List() : parse_list(answer.rows[0][0]), .begin_ns = begin_ns});
    }
    co_return answer.ok();
  }

  Task<bool> read_several(Client* client, ListTransaction* transaction, std::string_view locking) {
    const ListKey first = draw_key(client->prng());
    const ListKey last = std::min<ListKey>(keys_, first + client->prng().below(keys_));
    const uint64_t begin_ns = scene_.world.now_ns();
    const bool backwards = client->prng().chance(0.3);
    const SqlAnswer answer =
        co_await client->run(fmt::format("SELECT k, v FROM lists WHERE k BETWEEN {} AND {}{}{}", first, last,
                                         backwards ? " ORDER BY k DESC" : "", locking));
    if (!answer.ok()) {
      co_return false;
    }
    for (ListKey key = first; key <= last; ++key) {
      const auto row = std::ranges::find(answer.rows, std::to_string(key), [](const auto& each) { return each[0]; });
      transaction->operations.push_back(
          {.key = key, .list = row == answer.rows.end() ? List() : parse_list((*row)[1]), .begin_ns = begin_ns});
    }
    co_return true;
  }

  Task<bool> append(Client* client, ListTransaction* transaction, ListKey key) {
    const int64_t element = ++last_element_;
    transaction->operations.push_back({.key = key, .appends = true, .element = element});
    const std::string set = arrays_ ? fmt::format("lists.v || {}", element) : fmt::format("lists.v || ',{}'", element);
    const std::string value = arrays_ ? fmt::format("'{{{}}}'", element) : fmt::format("',{}'", element);
    const bool inserts = !prefilled_ || client->prng().chance(0.2);
    const SqlAnswer answer = co_await client->run(
        inserts ? fmt::format("INSERT INTO lists VALUES ({}, {}) ON CONFLICT (k) DO UPDATE SET v = {}", key, value, set)
                : fmt::format("UPDATE lists SET v = {} WHERE k = {}", set, key));
    co_return answer.ok();
  }

  // What the client read is what it writes, with one more. Where the level does not protect that, it is locked.
  Task<bool> append_by_reading(Client* client, ListTransaction* transaction) {
    const ListKey key = draw_key(client->prng());
    const bool locks = transaction->level == Level::kReadCommitted || client->prng().chance(0.3);
    if (!co_await read_one(client, transaction, key, locks ? " FOR UPDATE" : "")) {
      co_return false;
    }
    List list = transaction->operations.back().list;
    if (list.empty() && !prefilled_) {
      // Nothing that could be locked: somebody may insert it meanwhile.
      co_return co_await append(client, transaction, key);
    }
    list.push_back(++last_element_);
    transaction->operations.push_back({.key = key, .appends = true, .element = list.back()});
    const std::string value =
        arrays_ ? fmt::format("'{{{}}}'", fmt::join(list, ",")) : fmt::format("',{}'", fmt::join(list, ","));
    co_return (co_await client->run(fmt::format("UPDATE lists SET v = {} WHERE k = {}", value, key))).ok();
  }

  Scene& scene_;
  const uint64_t keys_;
  const bool arrays_;
  // Else lists are inserted by whoever appends first.
  const bool prefilled_;
  uint64_t last_transaction_ = 0;
  int64_t last_element_ = 0;
  ListHistory history_;
};

}  // namespace

std::unique_ptr<Workload> make_append(Scene& scene, Prng& prng) { return std::make_unique<Append>(scene, prng); }

}  // namespace pando::test
