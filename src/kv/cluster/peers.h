#pragma once

// Peers: requests to other nodes and their answers, over a Transport's request channel.
//
//   Peers peers(transport, clock, timer, executors);
//   peers.serve([&](NodeId from, Method method, Bytes body, Executor& executor) -> Task<Bytes> { ... });
//   auto answer = co_await peers.call(NodeId(2), GetRequest{...}, executor);     // resumes on `executor`
//
// A call ends with an answer, or with Verdict::kUnreachable when the connection breaks, when `fail` gives up on the
// node, or when the call is older than kCallTimeout (calls that wait for locks have no such limit). Requests of one
// transaction to one node start in the order in which they were sent. Every message carries its sender's clock.
//
// Thread-safe. Lifetime: destroyed after the transport has stopped delivering; calls that have not ended never will.

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "base/mutex.h"
#include "kv/cluster/answer.h"
#include "kv/timestamp_oracle.h"
#include "runtime/clock.h"
#include "runtime/event.h"
#include "runtime/transport.h"

namespace pando::kv {

inline constexpr std::chrono::milliseconds kCallTimeout{5000};

class Peers {
 public:
  // Where requests go on that take long: an executor, which runs them in the order in which they came.
  class Line {
   public:
    explicit Line(runtime::Executor& executor) : executor(executor) {}
    runtime::Executor& executor;
    // Whether everything that has come here has begun: then a request that does not come here overtakes nothing.
    bool is_clear() const { return waiting_.load(std::memory_order_acquire) == 0; }
    Task<void> enter() {
      waiting_.fetch_add(1, std::memory_order_relaxed);
      co_await runtime::yield_to(executor);
      waiting_.fetch_sub(1, std::memory_order_release);
    }

   private:
    std::atomic<int> waiting_{0};
  };
  // Begins on the transport's thread, for requests that are soon answered. What takes long, or must not overtake
  // earlier requests of its transaction, first enters the transaction's line.
  using Handler = std::function<Task<Bytes>(NodeId from, Method method, Bytes body, Line& line)>;
  // Which node leads a shard, as far as this one knows; 0 for unknown.
  using LeaderOf = std::function<NodeId(ShardId)>;

  // A line for each of `servers`. Everything outlives it.
  Peers(runtime::Transport& transport, TimestampOracle& oracle, runtime::Clock& clock, runtime::Timer& timer,
        const std::vector<runtime::Executor*>& servers);
  ~Peers();

  // Both before the transport starts.
  void serve(Handler handler);
  void watch_leaders(LeaderOf leader_of) { leader_of_ = std::move(leader_of); }

  template <typename Request>
  Task<AnswerTo<Request>> call(NodeId node, Request request, runtime::Executor& executor) {
    Bytes body;
    encode(request, body);
    Bytes reply;
    const bool answered =
        co_await exchange({.node = node,
                           .shard = shard_of(request),
                           .waits = Request::kMethod == Method::kLock || Request::kMethod == Method::kExclude},
                          Request::kMethod, lane_of(request), std::move(body), &reply, executor);
    AnswerTo<Request> answer;
    if (!answered || !decode(reply, answer)) {
      co_return AnswerTo<Request>::unreachable();
    }
    co_return std::move(answer);
  }
  // Sends without an answer.
  template <typename Request>
  void tell(NodeId node, const Request& request) {
    Bytes body;
    encode(request, body);
    send(node, Kind::kOneWay, 0, Request::kMethod, transaction_of(request).number(), body);
  }

  // How often the connection to `node` has been lost.
  uint64_t breaks(NodeId node) PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return breaks_[node];
  }
  // Calls of this node that have not ended.
  std::size_t open_calls() PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return calls_.size();
  }
  // Ends all calls to `node`.
  void fail(NodeId node);

 private:
  enum class Kind : uint8_t { kCall = 1, kAnswer = 2, kOneWay = 3 };
  struct Target {
    NodeId node;
    ShardId shard;
    bool waits = false;
  };
  struct Call;

  Task<bool> exchange(Target target, Method method, uint64_t lane, Bytes body, Bytes* reply,
                      runtime::Executor& executor);
  void send(NodeId node, Kind kind, uint64_t id, Method method, uint64_t lane, ByteView body);
  void on_message(NodeId from, Bytes message);
  void on_answer(uint64_t id, ByteView body) PANDO_EXCLUDES(mutex_);
  Task<void> serve_one(NodeId from, uint64_t id, Method method, Bytes body, Line& line);
  void schedule_sweep() PANDO_REQUIRES(mutex_);
  void sweep() PANDO_EXCLUDES(mutex_);

  runtime::Transport& transport_;
  TimestampOracle& oracle_;
  runtime::Clock& clock_;
  runtime::Timer& timer_;
  std::deque<Line> lines_;
  Handler handler_;
  LeaderOf leader_of_;
  Mutex mutex_;
  uint64_t last_call_ PANDO_GUARDED_BY(mutex_) = 0;
  // A call that is in here may be ended; whoever ends it takes it out.
  std::map<uint64_t, Call*> calls_ PANDO_GUARDED_BY(mutex_);
  std::map<NodeId, uint64_t> breaks_ PANDO_GUARDED_BY(mutex_);
  bool sweeping_ PANDO_GUARDED_BY(mutex_) = false;
  bool closing_ PANDO_GUARDED_BY(mutex_) = false;
  runtime::TimerId sweep_timer_ PANDO_GUARDED_BY(mutex_) = 0;
};

}  // namespace pando::kv
