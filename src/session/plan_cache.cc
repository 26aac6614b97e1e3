#include "session/plan_cache.h"

namespace pando::session {

StatementPlanPtr PlanCache::find(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    return nullptr;
  }
  if (found->second != entries_.begin()) {
    entries_.splice(entries_.begin(), entries_, found->second);
  }
  return found->second->plan;
}

void PlanCache::put(std::string_view key, StatementPlanPtr plan) {
  if (key.size() > kKeyBytesMax) {
    return;
  }
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    found->second->plan = std::move(plan);
    return;
  }
  if (entries_.size() == kPlansMax) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({std::string(key), std::move(plan)});
  by_key_[entries_.front().key] = entries_.begin();
}

void PlanCache::refuse(std::string_view key) {
  if (key.size() > kKeyBytesMax) {
    return;
  }
  if (refused_.size() == kPlansMax) {
    refused_.clear();
  }
  refused_.emplace(key, true);
}

void PlanCache::clear() {
  by_key_.clear();
  entries_.clear();
  refused_.clear();
}

}  // namespace pando::session
