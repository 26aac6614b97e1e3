#include "storage/memory/memory_runs.h"

#include <algorithm>

#include "base/assert.h"

namespace pando::storage {
namespace {

using Writes = MemoryRuns::Writes;
using WritesPtr = std::shared_ptr<const Writes>;

// The first write of a key at or after `key`.
std::size_t lower_bound(const Writes& writes, ByteView key) {
  const auto found = std::ranges::lower_bound(writes, key, {}, [](const auto& write) { return ByteView(write.key); });
  return static_cast<std::size_t>(found - writes.begin());
}

class Iterator final : public RunIterator {
 public:
  explicit Iterator(WritesPtr writes) : writes_(std::move(writes)) {}
  void seek(ByteView key) override { at_ = lower_bound(*writes_, key); }
  void seek_before(ByteView key) override {
    const std::size_t end = key.empty() ? writes_->size() : lower_bound(*writes_, key);
    at_ = end == 0 ? writes_->size() : lower_bound(*writes_, (*writes_)[end - 1].key);
  }
  void next() override { ++at_; }
  bool valid() const override { return at_ < writes_->size(); }
  ByteView key() const override { return (*writes_)[at_].key; }
  RunWrite write() const override {
    const auto& write = (*writes_)[at_];
    return {write.number, write.value.has_value() ? std::optional<ByteView>(*write.value) : std::nullopt};
  }
  Status status() const override { return {}; }

 private:
  const WritesPtr writes_;
  std::size_t at_ = 0;
};

class Run final : public SortedRun {
 public:
  Run(RunId id, WritesPtr writes) : id_(id), writes_(std::move(writes)) {}
  RunId id() const override { return id_; }
  Result<bool> get(ByteView key, uint64_t number_max, std::optional<Bytes>& value) override {
    for (std::size_t at = lower_bound(*writes_, key); at < writes_->size() && (*writes_)[at].key == key; ++at) {
      if ((*writes_)[at].number <= number_max) {
        value = (*writes_)[at].value;
        return true;
      }
    }
    return false;
  }
  std::unique_ptr<RunIterator> iterate() override { return std::make_unique<Iterator>(writes_); }
  uint64_t bytes() const override {
    uint64_t bytes = 0;
    for (const auto& write : *writes_) {
      bytes += write.key.size() + (write.value.has_value() ? write.value->size() : 0);
    }
    return bytes;
  }
  std::vector<Bytes> split_keys(std::size_t pieces) const override {
    std::vector<Bytes> keys;
    for (std::size_t piece = 1; piece < pieces; ++piece) {
      const Bytes& key = (*writes_)[piece * writes_->size() / pieces].key;
      if (key > (keys.empty() ? writes_->front().key : keys.back())) {
        keys.push_back(key);
      }
    }
    return keys;
  }

 private:
  const RunId id_;
  const WritesPtr writes_;
};

class Writer final : public SortedRunWriter {
 public:
  Writer(RunId id, MemoryRuns& runs) : id_(id), runs_(runs) {}
  Status add(ByteView key, uint64_t number, std::optional<ByteView> value) override {
    if (!writes_.empty()) {
      const auto& last = writes_.back();
      PANDO_ASSERT(last.key < key || (last.key == key && last.number > number), "a run is written in order");
    }
    writes_.push_back({Bytes(key), number, value.has_value() ? std::optional<Bytes>(*value) : std::nullopt});
    return {};
  }
  Result<std::unique_ptr<SortedRun>> finish() override {
    auto writes = std::make_shared<const Writes>(std::move(writes_));
    runs_.add(id_, writes);
    return std::unique_ptr<SortedRun>(std::make_unique<Run>(id_, std::move(writes)));
  }

 private:
  const RunId id_;
  MemoryRuns& runs_;
  Writes writes_;
};

}  // namespace

Result<std::unique_ptr<SortedRunWriter>> MemoryRuns::create(RunId id) {
  return std::unique_ptr<SortedRunWriter>(std::make_unique<Writer>(id, *this));
}

Result<std::unique_ptr<SortedRun>> MemoryRuns::open(RunId id) {
  MutexLock lock(mutex_);
  const auto found = runs_.find(id);
  if (found == runs_.end()) {
    return Status(sql_state::kUndefinedFile, "there is no sorted run {}", id.number());
  }
  return std::unique_ptr<SortedRun>(std::make_unique<Run>(id, found->second));
}

Status MemoryRuns::remove(RunId id) {
  MutexLock lock(mutex_);
  runs_.erase(id);
  return {};
}

Result<std::vector<RunId>> MemoryRuns::list() {
  MutexLock lock(mutex_);
  std::vector<RunId> ids;
  for (const auto& [id, writes] : runs_) {
    ids.push_back(id);
  }
  return ids;
}

void MemoryRuns::add(RunId id, std::shared_ptr<const Writes> writes) {
  MutexLock lock(mutex_);
  runs_[id] = std::move(writes);
}

}  // namespace pando::storage
