#include "txn/lock_stripe.h"

#include <algorithm>

namespace pando::txn::internal {
namespace {

constexpr std::size_t kBucketsMin = 64;
constexpr std::size_t kSpareMax = 256;
// A long key makes its node not worth keeping.
constexpr std::size_t kSpareKeyBytesMax = 256;

}  // namespace

void LockHolders::add(LockHolder holder) {
  if (size_ == 0) {
    first_ = holder;
  } else {
    more_.push_back(holder);
  }
  ++size_;
}

void LockHolders::remove(const LockOwner* owner) {
  LockHolder* const found = find(owner);
  PANDO_ASSERT(found != nullptr, "a lock can only be freed by who holds it");
  if (found != &first_) {
    more_.erase(more_.begin() + (found - more_.data()));
  } else if (!more_.empty()) {
    first_ = more_.front();
    more_.erase(more_.begin());
  }
  --size_;
}

LockHolder* LockHolders::find(const LockOwner* owner) {
  for (std::size_t i = 0; i < size_; ++i) {
    if ((*this)[i].owner == owner) {
      return &(*this)[i];
    }
  }
  return nullptr;
}

bool LockedKey::holders_allow(const LockOwner* owner, LockStrength strength) const {
  for (std::size_t i = 0; i < holders.size(); ++i) {
    if (holders[i].owner != owner && conflicts(holders[i].strength, strength)) {
      return false;
    }
  }
  return true;
}

bool LockedKey::queue_forbids(std::size_t end, const LockOwner* owner, LockStrength strength) const {
  return std::any_of(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(end), [&](const LockWaiter* other) {
    return other->owner != owner && conflicts(other->strength, strength);
  });
}

bool LockedKey::grantable_now(const LockOwner* owner, LockStrength strength) {
  if (!holders_allow(owner, strength)) {
    return false;
  }
  // A raise does not queue behind those who wait for the very lock it holds.
  return queue.empty() || holders.find(owner) != nullptr || !queue_forbids(queue.size(), owner, strength);
}

int8_t LockedKey::grant(LockOwner* owner, LockStrength strength) {
  if (LockHolder* const held = holders.find(owner)) {
    const auto before = static_cast<int8_t>(held->strength);
    held->strength = std::max(held->strength, strength);
    return before;
  }
  holders.add({owner, strength});
  return kLockNotHeld;
}

void LockedKey::enqueue(LockWaiter* waiter) {
  const LockHolder* const held = holders.find(waiter->owner);
  waiter->key = this;
  waiter->before = held == nullptr ? kLockNotHeld : static_cast<int8_t>(held->strength);
  auto place = queue.end();
  if (held != nullptr) {
    place = std::ranges::find(queue, kLockNotHeld, &LockWaiter::before);
  }
  queue.insert(place, waiter);
  waiter->owner->waiting_ = waiter;
}

void LockedKey::dequeue(LockWaiter* waiter) {
  queue.erase(std::ranges::find(queue, waiter));
  waiter->owner->waiting_ = nullptr;
}

void LockedKey::grant_waiters() {
  for (std::size_t i = 0; i < queue.size();) {
    LockWaiter* const waiter = queue[i];
    LockOwner* const owner = waiter->owner;
    const LockStrength strength = waiter->strength;
    const bool raises = waiter->before != kLockNotHeld;
    const bool allowed = holders_allow(owner, strength) && (raises || !queue_forbids(i, owner, strength));
    if (!allowed) {
      ++i;
      continue;
    }
    // Once the event is set the waiter may be gone, and its owner may already wait for something else. One that has
    // just given up waits for nobody either, and stays until it takes itself out.
    owner->waiting_ = nullptr;
    if (!waiter->event.set(kLockGranted)) {
      ++i;
      continue;
    }
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
    grant(owner, strength);
  }
}

LockStripe::LockStripe() : buckets(kBucketsMin) {}

LockedKey* LockStripe::find(ByteView key, uint64_t hash) {
  LockedKey* entry = buckets[hash & (buckets.size() - 1)].get();
  while (entry != nullptr && (entry->hash != hash || entry->bytes != key)) {
    entry = entry->next_in_bucket.get();
  }
  return entry;
}

LockedKey* LockStripe::find_or_add(ByteView key, uint64_t hash) {
  if (LockedKey* const found = find(key, hash)) {
    return found;
  }
  if (size >= buckets.size()) {
    grow();
  }
  std::unique_ptr<LockedKey> node;
  if (spare.empty()) {
    node = std::make_unique<LockedKey>();
  } else {
    node = std::move(spare.back());
    spare.pop_back();
  }
  node->bytes.assign(key);
  node->hash = hash;
  auto& bucket = buckets[hash & (buckets.size() - 1)];
  node->next_in_bucket = std::move(bucket);
  bucket = std::move(node);
  ++size;
  return bucket.get();
}

void LockStripe::remove_if_unused(LockedKey* key) {
  if (!key->holders.empty() || !key->queue.empty()) {
    return;
  }
  std::unique_ptr<LockedKey>* link = &buckets[key->hash & (buckets.size() - 1)];
  while (link->get() != key) {
    link = &(*link)->next_in_bucket;
  }
  std::unique_ptr<LockedKey> removed = std::move(*link);
  *link = std::move(removed->next_in_bucket);
  --size;
  if (spare.size() < kSpareMax && removed->bytes.capacity() <= kSpareKeyBytesMax) {
    spare.push_back(std::move(removed));
  }
}

void LockStripe::remove_all_unused() {
  for (std::unique_ptr<LockedKey>& bucket : buckets) {
    for (std::unique_ptr<LockedKey>* link = &bucket; *link != nullptr;) {
      if ((*link)->holders.empty() && (*link)->queue.empty()) {
        *link = std::move((*link)->next_in_bucket);
        --size;
      } else {
        link = &(*link)->next_in_bucket;
      }
    }
  }
}

void LockStripe::grow() {
  std::vector<std::unique_ptr<LockedKey>> before(buckets.size() * 2);
  before.swap(buckets);
  for (auto& bucket : before) {
    while (bucket != nullptr) {
      std::unique_ptr<LockedKey> node = std::move(bucket);
      bucket = std::move(node->next_in_bucket);
      auto& target = buckets[node->hash & (buckets.size() - 1)];
      node->next_in_bucket = std::move(target);
      target = std::move(node);
    }
  }
}

}  // namespace pando::txn::internal
