#pragma once

// CallAhead: a request under way to one leaseholder, whose answer somebody may wait for later, or never: then it is
// thrown away when it comes.
//
//   auto call = CallAhead<ScanRequest>::start(store, route, request, executor);
//   ...
//   PANDO_CO_ASSIGN(auto answer, co_await call->take(cancellation));
//
// Thread-safety: one coroutine of `executor`. The store waits for it when it stops.

#include <memory>

#include "kv/cluster/cluster_store.h"
#include "runtime/event.h"

namespace pando::kv {

template <typename Request>
class CallAhead {
 public:
  static std::shared_ptr<CallAhead> start(ClusterStore& store, const RouteReply& route, Request request,
                                          runtime::Executor& executor) {
    auto call = std::make_shared<CallAhead>(route.leaseholder, executor);
    store.spawn_background(run(call, &store, route, std::move(request), &executor), executor);
    return call;
  }
  CallAhead(NodeId node, runtime::Executor& executor) : node_(node), ended_(executor) {}

  NodeId node() const { return node_; }
  bool has_answer() const { return ended_.is_set(); }
  // Waits for the answer. Once. Errors: the cancellation's, which may be null.
  Task<Result<AnswerTo<Request>>> take(runtime::Cancellation* cancellation) {
    std::optional<runtime::Cancellation::Registration> registration;
    if (cancellation != nullptr) {
      registration.emplace(*cancellation, [this](const Status&) { ended_.set(kCancelled); });
    }
    if (co_await ended_.wait() == kCancelled) {
      co_return cancellation->status();
    }
    co_return std::move(answer_);
  }

 private:
  static constexpr int kAnswered = 0;
  static constexpr int kCancelled = 1;

  static Task<void> run(std::shared_ptr<CallAhead> call, ClusterStore* store, RouteReply route, Request request,
                        runtime::Executor* executor) {
    call->answer_ = co_await store->ask(std::move(route), std::move(request), *executor);
    call->ended_.set(kAnswered);
  }

  const NodeId node_;
  AnswerTo<Request> answer_;
  runtime::Event ended_;
};

}  // namespace pando::kv
