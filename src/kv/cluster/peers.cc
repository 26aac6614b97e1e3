#include "kv/cluster/peers.h"

namespace pando::kv {
namespace {

constexpr std::chrono::milliseconds kSweepInterval{50};
// A younger call is not given up because another node seems to lead.
constexpr uint64_t kLeaderCheckAgeNs = 100'000'000;
constexpr int kAnswered = 1;
constexpr int kGivenUp = 2;

uint64_t to_ns(std::chrono::nanoseconds duration) { return static_cast<uint64_t>(duration.count()); }

// Starts what is spawned on it on the caller's stack.
class Immediately final : public runtime::Executor {
 public:
  void post(std::coroutine_handle<> handle) override { handle.resume(); }
};

}  // namespace

// Lives in the frame of exchange().
struct Peers::Call {
  Call(Target target, uint64_t since_ns, Bytes* reply, runtime::Executor& executor)
      : target(target), since_ns(since_ns), reply(reply), ended(executor) {}
  const Target target;
  const uint64_t since_ns;
  Bytes* const reply;
  runtime::Event ended;
};

Peers::Peers(runtime::Transport& transport, TimestampOracle& oracle, runtime::Clock& clock, runtime::Timer& timer,
             const std::vector<runtime::Executor*>& servers)
    : transport_(transport), oracle_(oracle), clock_(clock), timer_(timer) {
  for (runtime::Executor* const server : servers) {
    lines_.emplace_back(*server);
  }
}

Peers::~Peers() {
  runtime::TimerId timer = 0;
  {
    MutexLock lock(mutex_);
    closing_ = true;
    timer = sweep_timer_;
  }
  if (timer != 0) {
    timer_.cancel(timer);
  }
}

void Peers::serve(Handler handler) {
  handler_ = std::move(handler);
  transport_.receive(runtime::Channel::kRequests,
                     [this](NodeId from, Bytes message) { on_message(from, std::move(message)); });
  transport_.observe([this](NodeId peer, bool connected) {
    if (!connected) {
      fail(peer);
    }
  });
}

Task<bool> Peers::exchange(Target target, Method method, uint64_t lane, Bytes body, Bytes* reply,
                           runtime::Executor& executor) {
  if (target.node != transport_.self() && !transport_.connected(target.node)) {
    co_return false;
  }
  Call call(target, clock_.monotonic_ns(), reply, executor);
  uint64_t id = 0;
  {
    MutexLock lock(mutex_);
    id = ++last_call_;
    calls_.emplace(id, &call);
    schedule_sweep();
  }
  send(target.node, Kind::kCall, id, method, lane, body);
  co_return co_await call.ended.wait() == kAnswered;
}

void Peers::send(NodeId node, Kind kind, uint64_t id, Method method, uint64_t lane, ByteView body) {
  Bytes message;
  message.reserve(body.size() + 40);
  message.push_back(static_cast<char>(kind));
  put_varint(message, id);
  put_fixed64(message, oracle_.last().wall_ns);
  message.push_back(static_cast<char>(method));
  put_varint(message, lane);
  message.append(body);
  transport_.send(node, runtime::Channel::kRequests, std::move(message));
}

void Peers::on_message(NodeId from, Bytes message) {
  ByteReader reader(message);
  uint8_t kind = 0;
  uint64_t id = 0;
  uint64_t clock = 0;
  uint8_t method = 0;
  uint64_t lane = 0;
  if (!reader.fixed8(kind) || !reader.varint(id) || !reader.fixed64(clock) || !reader.fixed8(method) ||
      !reader.varint(lane) || method > static_cast<uint8_t>(Method::kLast)) {
    return;
  }
  oracle_.observe({clock, 0});
  if (kind == static_cast<uint8_t>(Kind::kAnswer)) {
    on_answer(id, reader.rest());
  } else {
    Immediately here;
    runtime::spawn(here, serve_one(from, kind == static_cast<uint8_t>(Kind::kCall) ? id : 0,
                                   static_cast<Method>(method), Bytes(reader.rest()), lines_[lane % lines_.size()]));
  }
}

void Peers::on_answer(uint64_t id, ByteView body) {
  Call* call = nullptr;
  {
    MutexLock lock(mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) {
      return;
    }
    call = found->second;
    calls_.erase(found);
  }
  call->reply->assign(body);
  call->ended.set(kAnswered);
}

Task<void> Peers::serve_one(NodeId from, uint64_t id, Method method, Bytes body, Line& line) {
  const Bytes answer = co_await handler_(from, method, std::move(body), line);
  if (id != 0) {
    send(from, Kind::kAnswer, id, method, 0, answer);
  }
}

void Peers::fail(NodeId node) {
  MutexLock lock(mutex_);
  ++breaks_[node];
  for (auto it = calls_.begin(); it != calls_.end();) {
    Call* call = it->second;
    if (call->target.node != node) {
      ++it;
      continue;
    }
    it = calls_.erase(it);
    call->ended.set(kGivenUp);
  }
}

void Peers::schedule_sweep() {
  if (!sweeping_ && !closing_) {
    sweeping_ = true;
    sweep_timer_ = timer_.schedule(kSweepInterval, [this] { sweep(); });
  }
}

// Gives up what is too old, and what another node answers for by now.
void Peers::sweep() {
  const uint64_t now_ns = clock_.monotonic_ns();
  MutexLock lock(mutex_);
  sweeping_ = false;
  for (auto it = calls_.begin(); it != calls_.end();) {
    Call* call = it->second;
    const uint64_t age_ns = now_ns - call->since_ns;
    bool give_up = !call->target.waits && age_ns > to_ns(kCallTimeout);
    if (!give_up && leader_of_ && call->target.shard.number() != 0 && age_ns > kLeaderCheckAgeNs) {
      const NodeId leader = leader_of_(call->target.shard);
      give_up = leader.number() != 0 && leader != call->target.node;
    }
    if (!give_up) {
      ++it;
      continue;
    }
    it = calls_.erase(it);
    call->ended.set(kGivenUp);
  }
  if (!calls_.empty()) {
    schedule_sweep();
  }
}

}  // namespace pando::kv
