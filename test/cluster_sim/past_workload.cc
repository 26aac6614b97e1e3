// Past: one writer sets all rows to 1, 2, 3, ...; readers see all rows alike as of any moment, the same whenever and
// wherever they look, and what they are told may be stale is not staler than that.

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "test/cluster_sim/workload.h"

namespace pando::test {
namespace {

constexpr uint64_t kThinkNs = 40'000'000;
constexpr uint64_t kNsPerMs = 1'000'000;
constexpr double kNewMoment = 0.4;

class Past final : public Workload {
 public:
  Past(Scene& scene, Prng& prng) : scene_(scene), rows_(2 + prng.below(5)) {}

  std::vector<std::string> definitions(Prng& prng, uint32_t shards) override {
    std::vector<std::string> all = {
        "CREATE TABLE past (id int PRIMARY KEY, n int NOT NULL)",
        fmt::format("INSERT INTO past SELECT i, 0 FROM generate_series(1, {}) AS i", rows_)};
    for (uint32_t i = 1; i < shards; ++i) {
      all.push_back(random_split(prng));
    }
    return all;
  }
  std::string random_split(Prng& prng) override {
    return fmt::format("CALL pando.split('past', {})", 1 + prng.below(rows_));
  }

  Task<void> run_client(Client* client) override {
    // A gateway whose clock is behind that of the moment refuses it.
    client->expect({sql_state::kInvalidParameterValue});
    const bool writes = !std::exchange(has_writer_, true);
    while (scene_.disturbed && !scene_.world.failed()) {
      if (writes && client->prng().chance(0.7)) {
        co_await write(client);
      } else if (client->prng().chance(0.5)) {
        co_await read_at_some_moment(client);
      } else {
        co_await read_stale(client);
      }
      co_await client->pause(client->prng().below(kThinkNs));
    }
  }

  Task<void> check(Client* client) override {
    client->expect({sql_state::kInvalidParameterValue});
    for (const auto& [moment, seen] : moments_) {
      while (!scene_.world.failed() && !co_await read_at(client, moment)) {
        co_await client->pause(kThinkNs);
      }
    }
    const SqlAnswer now = co_await client->run_until_done("SELECT n FROM past");
    check_between("at the end", now, acknowledged_before(scene_.world.now_ns()), last_);
  }

 private:
  struct Moment {
    // On the true clock: it was read in between.
    uint64_t from_ns = 0;
    uint64_t to_ns = 0;
    // Nothing until somebody has read there.
    std::optional<int64_t> seen;
  };

  // How far a clock, and so the moment of a commit, can be from the true time, for the reader's and the writer's.
  uint64_t slack_ns() const {
    return static_cast<uint64_t>(scene_.cluster.options().node.store.clock_offset_max.count());
  }
  int64_t acknowledged_before(uint64_t time_ns) const {
    const auto after = acknowledged_.upper_bound(time_ns);
    return after == acknowledged_.begin() ? 0 : std::prev(after)->second;
  }
  int64_t begun_before(uint64_t time_ns) const {
    const auto after = begun_.upper_bound(time_ns);
    return after == begun_.begin() ? 0 : std::prev(after)->second;
  }

  Task<void> write(Client* client) {
    const int64_t n = ++last_;
    begun_[scene_.world.now_ns()] = n;
    // One that comes late, after its client has given it up, changes nothing.
    const Ending ending = co_await client->run_alone(fmt::format("UPDATE past SET n = {} WHERE n < {}", n, n));
    if (ending == Ending::kCommitted) {
      acknowledged_[scene_.world.now_ns()] = n;
    }
  }

  Task<void> read_at_some_moment(Client* client) {
    Prng& prng = client->prng();
    if (moments_.empty() || prng.chance(kNewMoment)) {
      Moment moment{.from_ns = scene_.world.now_ns()};
      const SqlAnswer answer = co_await client->run("SELECT clock_timestamp()");
      if (!answer.ok()) {
        co_return;
      }
      moment.to_ns = scene_.world.now_ns();
      moments_.emplace(answer.rows[0][0], moment);
      co_await read_at(client, answer.rows[0][0]);
      co_return;
    }
    const auto chosen = std::next(moments_.begin(), static_cast<std::ptrdiff_t>(prng.below(moments_.size())));
    co_await read_at(client, chosen->first);
  }

  // Whether it could be read.
  Task<bool> read_at(Client* client, std::string text) {
    const auto answer = co_await read_with(client, fmt::format("SET LOCAL pando.as_of = '{}'", text));
    if (!answer.has_value()) {
      co_return false;
    }
    Moment& moment = moments_.at(text);
    const auto seen = check_between("as of " + text, *answer,
                                    acknowledged_before(moment.from_ns - std::min(moment.from_ns, slack_ns())),
                                    begun_before(moment.to_ns + slack_ns()));
    if (moment.seen.has_value() && seen.has_value() && *seen != *moment.seen) {
      scene_.world.fail("past", fmt::format("as of {}: {} was read, and then {}", text, *moment.seen, *seen));
    }
    moment.seen = seen;
    co_return true;
  }

  Task<void> read_stale(Client* client) {
    const uint64_t staleness_ms = 100 + client->prng().below(3000);
    const uint64_t oldest_ns = staleness_ms * kNsPerMs + slack_ns();
    const uint64_t now_ns = scene_.world.now_ns();
    const int64_t least = acknowledged_before(now_ns - std::min(now_ns, oldest_ns));
    const std::string set = fmt::format("SET LOCAL pando.read_staleness = '{}ms'", staleness_ms);
    if (const auto answer = co_await read_with(client, set)) {
      check_between(set, *answer, least, last_);
    }
  }

  Task<std::optional<SqlAnswer>> read_with(Client* client, std::string setting) {
    if (!co_await client->begin(Level::kReadCommitted, true)) {
      co_return std::nullopt;
    }
    const SqlAnswer set = co_await client->run(setting);
    SqlAnswer answer;
    if (set.ok()) {
      answer = co_await client->run(client->prng().chance(0.5) ? "SELECT n FROM past"
                                                               : "SELECT n FROM past ORDER BY id DESC");
    }
    const bool ok = set.ok() && answer.ok();
    co_await client->end(ok);
    co_return ok ? std::optional(std::move(answer)) : std::nullopt;
  }

  // What all rows show.
  std::optional<int64_t> check_between(const std::string& how, const SqlAnswer& answer, int64_t least, int64_t most) {
    if (answer.rows.size() != rows_ ||
        std::ranges::any_of(answer.rows, [&](const auto& row) { return row[0] != answer.rows[0][0]; })) {
      scene_.world.fail("past", fmt::format("{}: the rows differ, or there are not {}", how, rows_));
      return std::nullopt;
    }
    const int64_t n = std::stoll(answer.rows[0][0]);
    if (n < least || n > most) {
      scene_.world.fail("past", fmt::format("{}: {} is not between {} and {}", how, n, least, most));
    }
    return n;
  }

  Scene& scene_;
  const uint64_t rows_;
  bool has_writer_ = false;
  int64_t last_ = 0;
  // By the true time.
  std::map<uint64_t, int64_t> begun_;
  std::map<uint64_t, int64_t> acknowledged_;
  std::map<std::string, Moment> moments_;
};

}  // namespace

std::unique_ptr<Workload> make_past(Scene& scene, Prng& prng) { return std::make_unique<Past>(scene, prng); }

}  // namespace pando::test
