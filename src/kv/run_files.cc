#include "kv/run_files.h"

#include <algorithm>

namespace pando::kv {
namespace {

void append(std::vector<RunPart>& to, const std::vector<RunPart>& parts) {
  to.insert(to.end(), parts.begin(), parts.end());
}

}  // namespace

Status RunFiles::open(storage::Engine& engine) {
  if (store_ == nullptr) {
    return {};
  }
  PANDO_ASSIGN(const auto ids, store_->list());
  if (ids.empty()) {
    return {};
  }
  next_ = ids.back().number() + 1;
  const Status flushed = engine.flush();
  if (!flushed.ok()) {
    flushed.ignore("the journal can be replayed once more");
    return {};
  }
  for (const storage::RunId id : ids) {
    remove(id);
  }
  return {};
}

void RunFiles::remove(storage::RunId id) {
  store_->remove(id).ignore("a run that stays is removed when the store opens next");
}

void RunFiles::keep_doubtful(const std::vector<RunPart>& parts) {
  MutexLock lock(mutex_);
  append(doubtful_, parts);
  any_doubtful_ = true;
}

void RunFiles::note_durable() {
  if (!any_doubtful_.load(std::memory_order_relaxed)) {
    return;
  }
  MutexLock lock(mutex_);
  append(unneeded_, std::exchange(doubtful_, {}));
  any_doubtful_ = false;
}

void RunFiles::keep_until_flushed(const std::vector<RunPart>& parts, std::vector<storage::AppliedIndex> entries) {
  MutexLock lock(mutex_);
  applied_.push_back({parts, std::move(entries)});
}

void RunFiles::note_flushed(const std::vector<storage::AppliedIndex>& flushed) {
  const auto is_flushed = [&](const storage::AppliedIndex& entry) {
    return std::ranges::any_of(flushed, [&](const storage::AppliedIndex& known) {
      return known.shard == entry.shard && known.index >= entry.index;
    });
  };
  MutexLock lock(mutex_);
  for (std::size_t i = 0; i < applied_.size();) {
    std::erase_if(applied_[i].waiting, is_flushed);
    if (applied_[i].waiting.empty()) {
      append(unneeded_, applied_[i].parts);
      applied_.erase(applied_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

void RunFiles::remove_unneeded() {
  std::vector<RunPart> parts;
  {
    MutexLock lock(mutex_);
    parts.swap(unneeded_);
  }
  for (const RunPart& part : parts) {
    remove(part.run);
  }
}

}  // namespace pando::kv
