#include "storage/rocksdb/garbage_filter.h"

#include <algorithm>

#include "storage/mvcc.h"
#include "storage/rocksdb/stored_key.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace pando::storage {
namespace {

// One for each compaction thread; sees its keys in order.
class GarbageFilter final : public rocksdb::CompactionFilter {
 public:
  explicit GarbageFilter(std::shared_ptr<GarbageThreshold> shared)
      : shared_(std::move(shared)), threshold_(shared_->get()) {}
  ~GarbageFilter() override { shared_->note_tombstones(std::move(tombstones_)); }
  GarbageFilter(const GarbageFilter&) = delete;
  GarbageFilter& operator=(const GarbageFilter&) = delete;

  const char* Name() const override { return "pando.GarbageFilter.1"; }

  // Everyone reads at or above the threshold, and the newest version there stays: old snapshots are served, too.
  bool IgnoreSnapshots() const override { return true; }

  Decision FilterV2(int level, const rocksdb::Slice& encoded, ValueType type, const rocksdb::Slice& value,
                    std::string* new_value, std::string* skip_until) const override {
    ByteView key;
    HlcTimestamp timestamp;
    if (type != ValueType::kValue || !split_version_key(view(encoded), key, timestamp) || timestamp > threshold_) {
      return Decision::kKeep;
    }
    if (covered_ && key == key_) {
      return Decision::kRemove;
    }
    key_.assign(key);
    covered_ = true;
    if (!value.empty() && value[0] == kTombstoneTag) {
      tombstones_.push_back(key_);
    }
    return Decision::kKeep;
  }

 private:
  const std::shared_ptr<GarbageThreshold> shared_;
  const HlcTimestamp threshold_;
  // RocksDB declares FilterV2 const but calls it on one thread, in order.
  mutable Bytes key_;
  mutable bool covered_ = false;
  mutable std::vector<Bytes> tombstones_;
};

class GarbageFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  explicit GarbageFilterFactory(std::shared_ptr<GarbageThreshold> threshold) : threshold_(std::move(threshold)) {}
  const char* Name() const override { return "pando.GarbageFilterFactory.1"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& context) override {
    return std::make_unique<GarbageFilter>(threshold_);
  }

 private:
  const std::shared_ptr<GarbageThreshold> threshold_;
};

}  // namespace

void GarbageThreshold::raise(HlcTimestamp threshold) {
  MutexLock lock(mutex_);
  threshold_ = std::max(threshold_, threshold);
}

HlcTimestamp GarbageThreshold::get() const {
  MutexLock lock(mutex_);
  return threshold_;
}

void GarbageThreshold::note_tombstones(std::vector<Bytes> keys) {
  MutexLock lock(mutex_);
  const std::size_t room = kTombstonesMax - std::min(kTombstonesMax, tombstones_.size());
  keys.resize(std::min(keys.size(), room));
  std::ranges::move(keys, std::back_inserter(tombstones_));
}

std::vector<Bytes> GarbageThreshold::take_tombstones() {
  MutexLock lock(mutex_);
  return std::exchange(tombstones_, {});
}

std::shared_ptr<rocksdb::CompactionFilterFactory> make_garbage_filter_factory(
    std::shared_ptr<GarbageThreshold> threshold) {
  return std::make_shared<GarbageFilterFactory>(std::move(threshold));
}

}  // namespace pando::storage
