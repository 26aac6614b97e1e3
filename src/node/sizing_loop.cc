#include "node/sizing_loop.h"

#include "catalog/keys.h"
#include "runtime/sleep.h"

namespace pando::node {
namespace {

// How often shards are looked at, and how soon that ends.
constexpr std::chrono::milliseconds kInterval{5000};
constexpr std::chrono::milliseconds kPoll{100};

// Under which name, beside the counters, the boundaries are kept that it made.
Bytes marks() {
  Bytes prefix = catalog::index_prefix(catalog::kCounterTable, catalog::kRowIndexId);
  append_ordered_bytes(prefix, "boundary");
  return prefix;
}

}  // namespace

SizingLoop::SizingLoop(kv::ClusterNode& cluster, runtime::Timer& timer, runtime::Executor& executor, Log log)
    : timer_(timer),
      executor_(executor),
      log_(std::move(log)),
      control_(cluster),
      sizer_({.first_key = catalog::table_prefix(catalog::kFirstUserTable)},
             {.store = cluster.store(),
              .next_shard = [this](runtime::Executor& on) { return control_.next_shard_id(on); },
              .marks = marks()}) {}

void SizingLoop::start() {
  running_.store(true);
  runtime::spawn(executor_, run());
}

Task<void> SizingLoop::run() {
  while (!stopping_.load()) {
    for (auto waited = kPoll; waited < kInterval && !stopping_.load(); waited += kPoll) {
      co_await runtime::sleep(timer_, executor_, kPoll);
    }
    if (stopping_.load()) {
      break;
    }
    const auto step = co_await sizer_.look(executor_);
    if (!step.ok()) {
      log_(fmt::format("shards are not resized: {}", step.status().message()));
    } else if (*step != kv::ShardSizer::Step::kNone) {
      log_(*step == kv::ShardSizer::Step::kSplit ? "a shard was split" : "two shards were merged");
    }
  }
  running_.store(false);
}

}  // namespace pando::node
