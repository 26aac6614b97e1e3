#include "kv/replica/snapshot_receiver.h"

#include <algorithm>
#include <deque>

#include "kv/descriptor/keys.h"
#include "runtime/event.h"

namespace pando::kv {
namespace {

// A stream that brings nothing for so long is given up.
constexpr uint64_t kStallNs = 10'000'000'000;

Status broken(ByteView what) { return Status(sql_state::kDataCorrupted, "a snapshot that is broken: {}", what); }

}  // namespace

struct SnapshotReceiver::Stream {
  std::weak_ptr<ReplicaCore> core;
  runtime::Executor& bulk;
  runtime::Transport& transport;
  const NodeId from;
  SnapshotMessage begin;
  std::vector<ReplicaCore::Subsumed> subsumed{};

  // The actor's.
  uint64_t expected = 0;
  uint64_t moved_ns = 0;
  bool installing = false;

  Mutex mutex{};
  std::deque<SnapshotMessage> queue PANDO_GUARDED_BY(mutex){};
  bool working PANDO_GUARDED_BY(mutex) = false;
  bool ended PANDO_GUARDED_BY(mutex) = false;
  runtime::Event* stopper PANDO_GUARDED_BY(mutex) = nullptr;

  // The worker's, then the installation's.
  std::unique_ptr<storage::SpanImport> import{};
};

SnapshotReceiver::~SnapshotReceiver() = default;

void SnapshotReceiver::answer(NodeId to, SnapshotMessage message) const {
  core_.environment().transport.send(to, runtime::Channel::kBulk, encode(message));
}

void SnapshotReceiver::on_message(NodeId from, SnapshotMessage message) {
  if (message.kind == SnapshotMessage::Kind::kBegin) {
    begin(from, std::move(message));
    return;
  }
  const auto found = streams_.find({from, message.stream});
  if (found == streams_.end()) {
    return;
  }
  const std::shared_ptr<Stream> stream = found->second;
  stream->moved_ns = core_.now_ns();
  if (message.sequence != stream->expected) {
    // Something was lost on the way: the sender begins anew.
    end(stream, false);
    return;
  }
  stream->expected += message.kind == SnapshotMessage::Kind::kChunk ? 1 : 0;
  {
    MutexLock lock(stream->mutex);
    stream->queue.push_back(std::move(message));
  }
  start_worker(stream);
}

void SnapshotReceiver::begin(NodeId from, SnapshotMessage message) {
  if (core_.needs_no_snapshot(from, message)) {
    answer(from, {.kind = SnapshotMessage::Kind::kDone, .stream = message.stream, .installed = true});
    return;
  }
  const Status status = core_.may_install(from, message);
  const bool twice =
      std::ranges::any_of(streams_, [&](const auto& known) { return known.second->begin.shard == message.shard; });
  auto import = core_.environment().engine.start_import();
  if (!status.ok() || twice || streams_.size() >= core_.options().snapshots_max || !import.ok()) {
    answer(from, {.kind = SnapshotMessage::Kind::kDone, .stream = message.stream, .installed = false});
    return;
  }
  const ReplicaEnvironment& environment = core_.environment();
  std::vector<ReplicaCore::Subsumed> subsumed = core_.subsumed_by(message);
  const std::shared_ptr<Stream> stream(new Stream{.core = core_.weak_from_this(),
                                                  .bulk = environment.bulk,
                                                  .transport = environment.transport,
                                                  .from = from,
                                                  .begin = std::move(message),
                                                  .subsumed = std::move(subsumed),
                                                  .moved_ns = core_.now_ns(),
                                                  .import = *std::move(import)});
  streams_[{from, stream->begin.stream}] = stream;
  {
    // The worker's first piece of work: what is not in the stream.
    MutexLock lock(stream->mutex);
    stream->queue.push_back(stream->begin);
  }
  start_worker(stream);
}

void SnapshotReceiver::start_worker(const std::shared_ptr<Stream>& stream) {
  MutexLock lock(stream->mutex);
  if (!stream->ended && !std::exchange(stream->working, true)) {
    runtime::spawn(stream->bulk, run(stream));
  }
}

Task<void> SnapshotReceiver::run(std::shared_ptr<Stream> stream) {
  Status status;
  bool complete = false;
  for (;;) {
    SnapshotMessage message;
    {
      MutexLock lock(stream->mutex);
      if (stream->ended || stream->queue.empty() || !status.ok() || complete) {
        stream->working = false;
        if (stream->ended) {
          stream->import.reset();
        }
        if (stream->stopper != nullptr) {
          stream->stopper->set();
        }
        break;
      }
      message = std::move(stream->queue.front());
      stream->queue.pop_front();
    }
    status = take(*stream, message);
    complete = message.kind == SnapshotMessage::Kind::kEnd;
    if (status.ok() && !complete) {
      const uint64_t taken = message.kind == SnapshotMessage::Kind::kBegin ? 0 : message.sequence + 1;
      stream->transport.send(
          stream->from, runtime::Channel::kBulk,
          encode(
              SnapshotMessage{.kind = SnapshotMessage::Kind::kAck, .stream = stream->begin.stream, .sequence = taken}));
    }
    co_await runtime::yield_to(stream->bulk);
  }
  if (const auto core = stream->core.lock(); core != nullptr && (complete || !status.ok())) {
    core->post([core = core.get(), stream, status] { core->receiver_->on_complete(stream, status); });
  }
}

Status SnapshotReceiver::take(Stream& stream, const SnapshotMessage& message) {
  storage::SpanImport& import = *stream.import;
  if (message.kind == SnapshotMessage::Kind::kBegin) {
    const ShardId shard = message.shard;
    const raft::Snapshot& snapshot = *message.raft.snapshot;
    PANDO_TRY(import.put(storage::applied_key(shard), storage::encode_applied(snapshot.position.index)));
    PANDO_TRY(import.put(descriptor_key(shard), encode_descriptor(message.descriptor)));
    PANDO_TRY(import.put(shard_state_key(shard), encode(ShardState{snapshot.position.term, snapshot.config})));
    return put_local_replicas(stream, shard, message.raft.to);
  }
  ByteView rest = message.records;
  for (SnapshotRecord record; !rest.empty();) {
    if (!next_record(rest, record)) {
      return broken("a record that cannot be read");
    }
    if (record.kind == SnapshotRecord::Kind::kPlain) {
      const bool ours = std::ranges::any_of(plain_spans(stream.begin.descriptor), [&](const auto& span) {
        return record.key >= span.start && record.key < span.end;
      });
      PANDO_TRY(ours ? import.put(record.key, record.value) : broken("a plain key of another shard"));
      continue;
    }
    if (!stream.begin.descriptor.contains(record.key)) {
      return broken("a key of another shard");
    }
    PANDO_TRY(import.put_version(record.key, record.timestamp, record.kind == SnapshotRecord::Kind::kTombstone,
                                 record.value));
  }
  return Status();
}

// In the order of their keys: that of the shards' ids.
Status SnapshotReceiver::put_local_replicas(Stream& stream, ShardId shard, ReplicaId self) {
  std::map<ShardId, LocalReplica> locals;
  locals[shard] = {.replica = self};
  for (const ReplicaCore::Subsumed& part : stream.subsumed) {
    locals[part.shard] = {.tombstone = true, .replica = part.next_replica_id};
  }
  for (const auto& [id, local] : locals) {
    PANDO_TRY(stream.import->put(local_replica_key(id), encode(local)));
  }
  return {};
}

void SnapshotReceiver::on_complete(const std::shared_ptr<Stream>& stream, const Status& status) {
  if (!streams_.contains({stream->from, stream->begin.stream})) {
    return;
  }
  if (!status.ok() || core_.needs_no_snapshot(stream->from, stream->begin) ||
      !core_.begin_install(stream->from, stream->begin, stream->subsumed).ok()) {
    end(stream, false);
    return;
  }
  stream->installing = true;
  std::vector<storage::KeySpan> plain;
  std::vector<storage::KeySpan> versions;
  core_.replaced_spans(stream->begin, stream->subsumed, plain, versions);
  MutexLock lock(stream->mutex);
  stream->working = true;
  runtime::spawn(stream->bulk, install(stream, std::move(plain), std::move(versions)));
}

Task<void> SnapshotReceiver::install(std::shared_ptr<Stream> stream, std::vector<storage::KeySpan> plain,
                                     std::vector<storage::KeySpan> versions) {
  const Status status = stream->import->finish(plain, versions);
  stream->import.reset();
  {
    MutexLock lock(stream->mutex);
    stream->working = false;
    if (stream->stopper != nullptr) {
      stream->stopper->set();
    }
  }
  if (const auto core = stream->core.lock()) {
    core->post([core = core.get(), stream, status] { core->receiver_->on_installed(stream, status); });
  }
  co_return;
}

void SnapshotReceiver::on_installed(const std::shared_ptr<Stream>& stream, const Status& status) {
  core_.snapshot_installed(stream->from, stream->begin, stream->subsumed, status);
  end(stream, status.ok());
}

void SnapshotReceiver::end(const std::shared_ptr<Stream>& stream, bool installed) {
  streams_.erase({stream->from, stream->begin.stream});
  answer(stream->from, {.kind = SnapshotMessage::Kind::kDone, .stream = stream->begin.stream, .installed = installed});
  MutexLock lock(stream->mutex);
  stream->ended = true;
  if (!stream->working) {
    stream->import.reset();
  }
}

void SnapshotReceiver::watch(uint64_t now_ns) {
  for (const auto& [name, stream] : std::map<Name, std::shared_ptr<Stream>>(streams_)) {
    if (!stream->installing && now_ns > stream->moved_ns + kStallNs) {
      end(stream, false);
    }
  }
}

Task<void> SnapshotReceiver::stop() {
  for (const auto& [name, stream] : streams_) {
    runtime::Event idle(stream->bulk);
    {
      MutexLock lock(stream->mutex);
      stream->ended = true;
      if (!stream->working) {
        stream->import.reset();
        continue;
      }
      stream->stopper = &idle;
    }
    co_await idle.wait();
    MutexLock lock(stream->mutex);
    stream->stopper = nullptr;
    stream->import.reset();
  }
}

}  // namespace pando::kv
