#include "kv/replica/snapshot_sender.h"

#include <algorithm>

#include "kv/descriptor/keys.h"
#include "runtime/event.h"

namespace pando::kv {
namespace {

// A stream that makes no step for so long is given up.
constexpr uint64_t kStallNs = 10'000'000'000;
constexpr unsigned kIncarnationShift = 32;

// Cuts the data of a shard into chunks.
class ChunkReader {
 public:
  ChunkReader(const storage::Snapshot& snapshot, const ShardDescriptor& descriptor)
      : snapshot_(snapshot),
        spans_(plain_spans(descriptor)),
        versions_(snapshot.iterate_versions(version_span(descriptor))) {
    next_span();
  }

  // Fills `out` with about `bytes` of records; nothing at the end.
  Status next(Bytes& out, std::size_t bytes) {
    out.clear();
    while (out.size() < bytes && plain_ != nullptr) {
      if (plain_->valid()) {
        append_record(out, {.kind = SnapshotRecord::Kind::kPlain, .key = plain_->key(), .value = plain_->value()});
        plain_->next();
      } else {
        PANDO_TRY(plain_->status());
        next_span();
      }
    }
    while (out.size() < bytes && versions_->valid()) {
      const bool tombstone = versions_->tombstone();
      append_record(out, {.kind = tombstone ? SnapshotRecord::Kind::kTombstone : SnapshotRecord::Kind::kVersion,
                          .key = versions_->key(),
                          .timestamp = versions_->timestamp(),
                          .value = tombstone ? ByteView() : versions_->value()});
      versions_->next();
    }
    return versions_->status();
  }

 private:
  void next_span() {
    plain_.reset();
    if (span_ < spans_.size()) {
      plain_ = snapshot_.iterate(spans_[span_]);
      plain_->seek(spans_[span_].start);
      ++span_;
    }
  }

  const storage::Snapshot& snapshot_;
  const std::vector<storage::KeySpan> spans_;
  std::size_t span_ = 0;
  std::unique_ptr<storage::Iterator> plain_;
  std::unique_ptr<storage::VersionIterator> versions_;
};

}  // namespace

struct SnapshotSender::Stream {
  // What the receiver has said.
  enum class State : uint8_t { kWaiting, kAccepted, kOver };

  // Waits until the receiver has taken `taken` chunks and the time has come, or the stream, `self`, is over.
  Task<bool> wait(std::shared_ptr<Stream> self, uint64_t taken, uint64_t not_before_ns) PANDO_EXCLUDES(mutex) {
    for (;;) {
      runtime::Event news(bulk);
      bool early = false;
      {
        MutexLock lock(mutex);
        if (state == State::kOver) {
          co_return false;
        }
        early = now_ns() < not_before_ns;
        if (state == State::kAccepted && acknowledged >= taken && !early) {
          co_return true;
        }
        waiter = &news;
      }
      if (early) {
        // Each time anew: a timer may be a little ahead of the clock.
        wake_at(not_before_ns, self);
      }
      co_await news.wait();
      MutexLock lock(mutex);
      waiter = nullptr;
    }
  }
  void signal() PANDO_REQUIRES(mutex) {
    if (waiter != nullptr) {
      waiter->set();
    }
  }
  void wake_at(uint64_t time_ns, const std::shared_ptr<Stream>& self) {
    const uint64_t now = now_ns();
    timer.schedule(std::chrono::nanoseconds(time_ns > now ? time_ns - now : 0), [self] {
      MutexLock lock(self->mutex);
      self->signal();
    });
  }
  void end() PANDO_EXCLUDES(mutex) {
    MutexLock lock(mutex);
    state = State::kOver;
    signal();
  }
  void send(SnapshotMessage message) {
    message.stream = id;
    transport.send(to, runtime::Channel::kBulk, encode(message));
  }
  uint64_t now_ns() const { return clock.monotonic_ns(); }

  std::weak_ptr<ReplicaCore> core;
  runtime::Executor& bulk;
  runtime::Clock& clock;
  runtime::Timer& timer;
  runtime::Transport& transport;
  const std::size_t chunk_bytes;
  const uint64_t bytes_per_second;
  const uint64_t id;
  const NodeId to;
  SnapshotMessage begin;
  std::unique_ptr<storage::Snapshot> snapshot;

  Mutex mutex{};
  State state PANDO_GUARDED_BY(mutex) = State::kWaiting;
  bool installed PANDO_GUARDED_BY(mutex) = false;
  bool finished PANDO_GUARDED_BY(mutex) = false;
  uint64_t acknowledged PANDO_GUARDED_BY(mutex) = 0;
  runtime::Event* waiter PANDO_GUARDED_BY(mutex) = nullptr;
  // Set once the engine's snapshot is gone, for stop().
  runtime::Event* stopper PANDO_GUARDED_BY(mutex) = nullptr;
  // The actor's.
  uint64_t moved_ns = 0;
};

SnapshotSender::SnapshotSender(ReplicaCore& core)
    : core_(core),
      last_stream_(core.multiraft_->fabric().incarnation() << kIncarnationShift),
      turns_(core.options().snapshots_max) {}

SnapshotSender::~SnapshotSender() {
  for (const auto& [id, stream] : streams_) {
    stream->end();
  }
}

void SnapshotSender::start(NodeId to, ShardId shard, raft::Message message) {
  const ReplicaId replica = message.to;
  if (!turns_.begin({shard, replica}, core_.now_ns())) {
    core_.snapshot_sent(shard, replica, false);
    return;
  }
  const Replica& here = *core_.find(shard);
  const ReplicaEnvironment& environment = core_.environment();
  PANDO_ASSERT(here.applied >= message.snapshot->position.index, "a state machine never goes back");
  message.snapshot =
      std::make_shared<const raft::Snapshot>(raft::Snapshot{{here.applied, here.applied_term}, here.config});
  const std::shared_ptr<Stream> stream(new Stream{
      .core = core_.weak_from_this(),
      .bulk = environment.bulk,
      .clock = environment.clock,
      .timer = environment.timer,
      .transport = environment.transport,
      .chunk_bytes = core_.options().snapshot_chunk_bytes,
      .bytes_per_second = core_.options().snapshot_bytes_per_second,
      .id = ++last_stream_,
      .to = to,
      .begin = {.kind = SnapshotMessage::Kind::kBegin,
                .shard = shard,
                .raft = std::move(message),
                .descriptor = here.descriptor},
      .snapshot = environment.engine.snapshot(),
      .moved_ns = environment.clock.monotonic_ns(),
  });
  streams_[stream->id] = stream;
  ++core_.statistics_.snapshots_sent;
  runtime::spawn(environment.bulk, run(stream));
}

Task<void> SnapshotSender::run(std::shared_ptr<Stream> stream) {
  stream->send(stream->begin);
  uint64_t sent = 0;
  uint64_t next_ns = 0;
  bool going = co_await stream->wait(stream, 0, 0);
  {
    ChunkReader reader(*stream->snapshot, stream->begin.descriptor);
    for (Bytes records; going;) {
      going = reader.next(records, stream->chunk_bytes).ok();
      if (!going || records.empty()) {
        break;
      }
      const uint64_t cost_ns = records.size() * 1'000'000'000 / stream->bytes_per_second;
      next_ns = std::max(next_ns, stream->now_ns()) + cost_ns;
      stream->send({.kind = SnapshotMessage::Kind::kChunk, .sequence = sent, .records = std::move(records)});
      ++sent;
      going = co_await stream->wait(stream, sent < kSnapshotWindow ? 0 : sent - kSnapshotWindow, next_ns);
      co_await runtime::yield_to(stream->bulk);
    }
  }
  if (going) {
    stream->send({.kind = SnapshotMessage::Kind::kEnd, .sequence = sent});
    // Until kDone.
    co_await stream->wait(stream, UINT64_MAX, 0);
  }
  stream->snapshot.reset();
  bool installed = false;
  {
    MutexLock lock(stream->mutex);
    installed = stream->installed;
    stream->finished = true;
    if (stream->stopper != nullptr) {
      stream->stopper->set();
    }
  }
  if (const auto core = stream->core.lock()) {
    core->post([core = core.get(), stream, installed] { core->sender_->finish(stream, installed); });
  }
}

void SnapshotSender::finish(const std::shared_ptr<Stream>& stream, bool installed) {
  if (streams_.erase(stream->id) != 0) {
    turns_.end({stream->begin.shard, stream->begin.raft.to});
    core_.snapshot_sent(stream->begin.shard, stream->begin.raft.to, installed);
  }
}

void SnapshotSender::on_message(NodeId from, const SnapshotMessage& message) {
  const auto found = streams_.find(message.stream);
  if (found == streams_.end() || found->second->to != from) {
    return;
  }
  Stream& stream = *found->second;
  stream.moved_ns = stream.now_ns();
  MutexLock lock(stream.mutex);
  if (message.kind == SnapshotMessage::Kind::kDone) {
    stream.installed = message.installed;
    stream.state = Stream::State::kOver;
  } else if (stream.state == Stream::State::kWaiting) {
    stream.state = Stream::State::kAccepted;
  }
  stream.acknowledged = std::max(stream.acknowledged, message.sequence);
  stream.signal();
}

void SnapshotSender::watch(uint64_t now_ns) {
  for (const auto& [id, stream] : streams_) {
    if (now_ns > stream->moved_ns + kStallNs) {
      stream->end();
    }
  }
}

Task<void> SnapshotSender::stop() {
  for (const auto& [id, stream] : streams_) {
    stream->end();
  }
  for (const auto& [id, stream] : streams_) {
    runtime::Event over(stream->bulk);
    {
      MutexLock lock(stream->mutex);
      if (stream->finished) {
        continue;
      }
      stream->stopper = &over;
    }
    co_await over.wait();
    MutexLock lock(stream->mutex);
    stream->stopper = nullptr;
  }
}

}  // namespace pando::kv
