#include "txn/memory/memory_store.h"

#include <algorithm>

#include "txn/conflict_errors.h"
#include "txn/memory/memory_transaction.h"

namespace pando::txn {

MemoryStore::MemoryStore(runtime::Timer* timer, MemoryStoreOptions options)
    : options_(options), locks_(timer), recent_(options.recent_writes_bytes_max) {}

void MemoryStore::discard(Span span) {
  MutexLock lock(mutex_);
  const auto end = span.end.empty() ? keys_.end() : keys_.lower_bound(span.end);
  keys_.erase(keys_.lower_bound(span.start), end);
}

std::unique_ptr<Transaction> MemoryStore::begin(TransactionOptions options) {
  PANDO_ASSERT(options.executor != nullptr, "a transaction needs an executor to continue on after a wait");
  MutexLock lock(mutex_);
  return std::make_unique<MemoryTransaction>(*this, options, TransactionId(++newest_transaction_));
}

std::size_t MemoryStore::versions() {
  MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const auto& [key, versions] : keys_) {
    count += versions.size();
  }
  return count;
}

HlcTimestamp MemoryStore::take_snapshot() {
  MutexLock lock(mutex_);
  snapshots_.insert(newest_commit_);
  return newest_commit_;
}

HlcTimestamp MemoryStore::take_validated_snapshot() {
  MutexLock lock(mutex_);
  snapshots_.insert(newest_commit_);
  recent_.enter(newest_commit_);
  return newest_commit_;
}

void MemoryStore::release_snapshot(HlcTimestamp snapshot, bool validated) {
  MutexLock lock(mutex_);
  snapshots_.erase(snapshots_.find(snapshot));
  if (validated) {
    recent_.leave(snapshot);
  }
}

const MemoryStore::Version* MemoryStore::visible(const Versions& versions, HlcTimestamp snapshot) {
  for (std::size_t i = versions.size(); i > 0; --i) {
    if (versions[i - 1].committed <= snapshot) {
      return &versions[i - 1];
    }
  }
  return nullptr;
}

std::optional<MemoryStore::Version> MemoryStore::read(ByteView key, HlcTimestamp snapshot) {
  MutexLock lock(mutex_);
  const auto place = keys_.find(key);
  const Version* const version = place == keys_.end() ? nullptr : visible(place->second, snapshot);
  return version == nullptr ? std::nullopt : std::optional(*version);
}

void MemoryStore::read_span(ByteView start, ByteView end, bool reverse, HlcTimestamp snapshot, std::size_t entries_max,
                            KeyValueBatch& batch) {
  MutexLock lock(mutex_);
  const auto first = keys_.lower_bound(start);
  const auto past = end.empty() ? keys_.end() : keys_.lower_bound(end);
  const auto take = [&](const auto& entry) {
    const Version* const version = visible(entry.second, snapshot);
    if (version != nullptr && version->value.has_value()) {
      batch.append(entry.first, *version->value);
    }
    return batch.size() < entries_max;
  };
  if (!end.empty() && end <= start) {
    return;
  }
  if (reverse) {
    for (auto at = past; at != first && take(*std::prev(at)); --at) {
    }
  } else {
    for (auto at = first; at != past && take(*at); ++at) {
    }
  }
}

std::vector<Bytes> MemoryStore::split_keys(ByteView start, ByteView end, std::size_t pieces) {
  MutexLock lock(mutex_);
  const auto first = keys_.lower_bound(start);
  const auto past = end.empty() ? keys_.end() : keys_.lower_bound(end);
  const auto count = static_cast<std::size_t>(std::distance(first, past));
  std::vector<Bytes> keys;
  auto at = first;
  std::size_t position = 0;
  for (std::size_t piece = 1; piece < pieces && count > pieces; ++piece) {
    for (; position < piece * count / pieces; ++position) {
      ++at;
    }
    keys.push_back(at->first);
  }
  return keys;
}

Status MemoryStore::collect_garbage(Span span) {
  MutexLock lock(mutex_);
  const auto past = span.end.empty() ? keys_.end() : keys_.lower_bound(span.end);
  for (auto at = keys_.lower_bound(span.start); at != past; ++at) {
    drop_invisible(at->second);
  }
  return {};
}

uint64_t MemoryStore::approximate_bytes(Span span) {
  MutexLock lock(mutex_);
  uint64_t bytes = 0;
  const auto past = span.end.empty() ? keys_.end() : keys_.lower_bound(span.end);
  for (auto at = keys_.lower_bound(span.start); at != past; ++at) {
    for (const Version& version : at->second) {
      bytes += at->first.size() + (version.value.has_value() ? version.value->size() : 0);
    }
  }
  return bytes;
}

Status MemoryStore::check_write(ByteView key, bool erases, Isolation isolation, HlcTimestamp snapshot) {
  MutexLock lock(mutex_);
  return check_write_locked(key, erases, isolation, snapshot);
}

Status MemoryStore::check_write_locked(ByteView key, bool erases, Isolation isolation, HlcTimestamp snapshot) {
  const auto place = keys_.find(key);
  if (isolation == Isolation::kReadCommitted || place == keys_.end()) {
    return {};
  }
  const Version& newest = place->second.back();
  if (newest.committed <= snapshot) {
    return {};
  }
  if (newest.value.has_value()) {
    return concurrent_update();
  }
  // An insert may follow a deletion that the snapshot does not see.
  return erases ? concurrent_delete() : Status();
}

bool MemoryStore::unchanged_since(const ReadSet& reads, HlcTimestamp snapshot) {
  MutexLock lock(mutex_);
  return recent_.unchanged_since(reads, snapshot);
}

Status MemoryStore::commit(const WriteBuffer& writes, const ReadSet& reads, Isolation isolation,
                           HlcTimestamp snapshot) {
  MutexLock lock(mutex_);
  if (isolation == Isolation::kSerializable && !recent_.unchanged_since(reads, snapshot)) {
    return read_write_conflict();
  }
  for (auto walk = writes.walk(); walk.valid(); walk.step()) {
    const auto write = walk.write();
    PANDO_TRY(check_write_locked(write.key, !write.value.has_value(), isolation, snapshot));
  }
  const HlcTimestamp committed{newest_commit_.wall_ns + 1, 0};
  for (auto walk = writes.walk(); walk.valid(); walk.step()) {
    const auto write = walk.write();
    Versions& versions = keys_.try_emplace(Bytes(write.key)).first->second;
    versions.push_back({committed, write.value.has_value() ? std::optional<Bytes>(*write.value) : std::nullopt});
    recent_.record(write.key, committed);
    drop_invisible(versions);
  }
  newest_commit_ = committed;
  return {};
}

void MemoryStore::drop_invisible(Versions& versions) {
  const HlcTimestamp oldest = snapshots_.empty() ? newest_commit_ : *snapshots_.begin();
  // The newest version at or before the oldest snapshot is the first that anyone can still see.
  std::size_t first = 0;
  for (std::size_t i = 0; i < versions.size() && versions[i].committed <= oldest; ++i) {
    first = i;
  }
  versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(first));
}

}  // namespace pando::txn
