// Linearizable registers: single statements that read, write and compare-and-swap one row each.

#include <map>

#include <fmt/format.h>

#include "test/cluster_sim/workload.h"
#include "test/history/register.h"

namespace pando::test {
namespace {

constexpr uint64_t kRegisters = 6;
// The search for an order grows with what happened at the same time.
constexpr std::size_t kOperationsMax = 120;
constexpr uint64_t kThinkNs = 40'000'000;

class Registers final : public Workload {
 public:
  explicit Registers(Scene& scene) : scene_(scene) {}

  std::vector<std::string> definitions(Prng& prng, uint32_t shards) override {
    std::vector<std::string> all = {
        "CREATE TABLE registers (k int PRIMARY KEY, v int)",
        fmt::format("INSERT INTO registers SELECT i, 0 FROM generate_series(1, {}) AS i", kRegisters)};
    for (uint32_t i = 1; i < shards; ++i) {
      all.push_back(random_split(prng));
    }
    return all;
  }
  std::string random_split(Prng& prng) override {
    return fmt::format("CALL pando.split('registers', {})", 1 + prng.below(kRegisters));
  }

  Task<void> run_client(Client* client) override {
    while (scene_.disturbed && !scene_.world.failed()) {
      const uint64_t key = 1 + client->prng().below(kRegisters);
      if (histories_[key].size() < kOperationsMax) {
        co_await operate(client, key);
      }
      co_await client->pause(client->prng().below(kThinkNs));
    }
  }

  Task<void> check(Client* client) override {
    for (uint64_t key = 1; key <= kRegisters; ++key) {
      RegisterOperation last{.begin_ns = scene_.world.now_ns()};
      const SqlAnswer answer =
          co_await client->run_until_done(fmt::format("SELECT v FROM registers WHERE k = {}", key));
      last.value = value_of(answer);
      last.end_ns = scene_.world.now_ns();
      histories_[key].push_back(last);
      const std::string wrong = check_register(0, histories_[key]);
      if (!wrong.empty()) {
        scene_.world.fail("linearizability", fmt::format("register {}: {}", key, wrong));
      }
    }
  }

 private:
  // A row that is missing was never written.
  static int64_t value_of(const SqlAnswer& answer) { return answer.rows.empty() ? -1 : std::stoll(answer.rows[0][0]); }

  Task<void> operate(Client* client, uint64_t key) {
    using Kind = RegisterOperation::Kind;
    const uint64_t way = client->prng().below(4);
    RegisterOperation operation{.kind = way < 2    ? Kind::kRead
                                        : way == 2 ? Kind::kWrite
                                                   : Kind::kCompareAndSwap,
                                .value = ++last_value_,
                                .expected = last_seen_[key],
                                .begin_ns = scene_.world.now_ns()};
    const std::string sql = operation.kind == Kind::kRead ? fmt::format("SELECT v FROM registers WHERE k = {}", key)
                            : operation.kind == Kind::kWrite
                                ? fmt::format("UPDATE registers SET v = {} WHERE k = {}", operation.value, key)
                                : fmt::format("UPDATE registers SET v = {} WHERE k = {} AND v = {}", operation.value,
                                              key, operation.expected);
    SqlAnswer answer;
    const Ending ending = co_await client->run_alone(sql, &answer);
    if (ending == Ending::kAborted || (ending == Ending::kUnknown && operation.kind == Kind::kRead)) {
      co_return;
    }
    if (ending == Ending::kCommitted) {
      operation.end_ns = scene_.world.now_ns();
      operation.swapped = answer.tag == "UPDATE 1";
      operation.value = operation.kind == Kind::kRead ? value_of(answer) : operation.value;
      if (operation.kind == Kind::kWrite && !operation.swapped) {
        scene_.world.fail("linearizability", fmt::format("register {} is gone: {}", key, answer.tag));
      }
      last_seen_[key] =
          operation.kind == Kind::kCompareAndSwap && !operation.swapped ? last_seen_[key] : operation.value;
    }
    histories_[key].push_back(operation);
  }

  Scene& scene_;
  int64_t last_value_ = 0;
  std::map<uint64_t, int64_t> last_seen_;
  std::map<uint64_t, std::vector<RegisterOperation>> histories_;
};

}  // namespace

std::unique_ptr<Workload> make_register(Scene& scene) { return std::make_unique<Registers>(scene); }

}  // namespace pando::test
