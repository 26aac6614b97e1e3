#include "kv/cluster/channels.h"

#include "kv/cluster/cluster_store.h"
#include "runtime/sleep.h"

namespace pando::kv {
namespace {

// Of one request, so that it delays nothing else on the connection.
constexpr std::size_t kRequestBytesMax = 256_KiB;
constexpr std::chrono::milliseconds kRetryDelay{50};

}  // namespace

Channels::Channels(ClusterStore& store) : store_(store), process_(store.parts().clock.wall_ns()) {}

void Channels::say(std::vector<ChannelMessage> messages) {
  std::vector<ChannelMessage> part;
  std::size_t bytes = 0;
  MutexLock lock(mutex_);
  for (ChannelMessage& message : messages) {
    bytes += message.channel.size() + message.payload.size();
    part.push_back(std::move(message));
    if (bytes >= kRequestBytesMax) {
      put(std::exchange(part, {}), std::exchange(bytes, 0));
    }
  }
  if (!part.empty()) {
    put(std::move(part), bytes);
  }
}

void Channels::put(std::vector<ChannelMessage> messages, std::size_t bytes) {
  const auto request = std::make_shared<const NotifyRequest>(
      NotifyRequest{.process = process_, .number = ++last_number_, .messages = std::move(messages)});
  for (const NodeId node : store_.nodes()) {
    if (node == store_.self()) {
      continue;
    }
    Outbox& outbox = outboxes_[node];
    outbox.parts.push_back({request, bytes, store_.parts().clock.monotonic_ns()});
    outbox.bytes += bytes;
    if (!std::exchange(outbox.is_sending, true)) {
      store_.spawn_background(send_all(node));
    }
  }
}

void Channels::drop_first(Outbox& outbox) {
  outbox.bytes -= outbox.parts.front().bytes;
  outbox.parts.pop_front();
}

std::shared_ptr<const NotifyRequest> Channels::next(NodeId node) {
  const uint64_t now_ns = store_.parts().clock.monotonic_ns();
  MutexLock lock(mutex_);
  Outbox& outbox = outboxes_[node];
  while (!outbox.parts.empty() && (outbox.bytes > kChannelBytesMax ||
                                   now_ns - outbox.parts.front().said_ns >
                                       static_cast<uint64_t>(std::chrono::nanoseconds(kChannelPatience).count()))) {
    drop_first(outbox);
  }
  outbox.is_sending = !outbox.parts.empty() && !store_.stopping();
  return outbox.is_sending ? outbox.parts.front().request : nullptr;
}

void Channels::sent(NodeId node, uint64_t number) {
  MutexLock lock(mutex_);
  Outbox& outbox = outboxes_[node];
  if (!outbox.parts.empty() && outbox.parts.front().request->number == number) {
    drop_first(outbox);
  }
}

Task<void> Channels::send_all(NodeId node) {
  runtime::Executor& executor = store_.parts().background;
  while (const auto request = next(node)) {
    const auto answer = co_await store_.parts().peers.call(node, *request, executor);
    if (answer.ok()) {
      sent(node, request->number);
    } else {
      co_await runtime::sleep(store_.parts().timer, executor, kRetryDelay);
    }
  }
}

void Channels::hear(NodeId from, NotifyRequest request) {
  {
    MutexLock lock(mutex_);
    Heard& heard = heard_[from];
    // Sent again, for its answer was lost.
    if (heard.process == request.process && heard.number >= request.number) {
      return;
    }
    heard = {request.process, request.number};
  }
  if (hook_) {
    hook_(std::move(request.messages));
  }
}

}  // namespace pando::kv
