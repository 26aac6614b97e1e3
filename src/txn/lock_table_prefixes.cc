// LockTable: locks on all keys with one prefix, in the place of very many locks.

#include <algorithm>

#include "txn/lock_stripe.h"
#include "txn/lock_table.h"

namespace pando::txn {

using internal::kLockNotHeld;
using internal::LockedKey;
using internal::LockHolder;
using internal::LockStripe;

ByteView LockOwner::locked_prefix(ByteView key) const {
  const ByteView prefix = key.substr(0, LockTable::kPrefixBytes);
  const auto held = std::ranges::find(prefixes_, prefix, &HeldPrefix::prefix);
  return held == prefixes_.end() ? ByteView() : ByteView(held->prefix);
}

bool LockOwner::holds_prefix(ByteView key, LockStrength strength) const {
  const ByteView prefix = key.substr(0, LockTable::kPrefixBytes);
  const auto held = std::ranges::find(prefixes_, prefix, &HeldPrefix::prefix);
  return held != prefixes_.end() && held->strength >= strength;
}

const LockTable::LockedPrefix* LockTable::find_prefix(ByteView key) const {
  const auto found = std::ranges::find(prefixes_, key.substr(0, kPrefixBytes), &LockedPrefix::prefix);
  return found == prefixes_.end() ? nullptr : &*found;
}

void LockTable::stand_in(LockStripe& stripe, LockedKey& key) {
  const LockedPrefix* const prefix = find_prefix(key.bytes);
  if (prefix != nullptr && key.holders.find(prefix->owner) == nullptr) {
    key.holders.add({prefix->owner, prefix->strength});
    stripe.stand_ins.push_back({&key, prefix->owner});
  }
}

// Nothing conflicts, nobody waits, and nobody else has the prefix.
bool LockTable::may_lock_prefix(const LockOwner& owner, ByteView prefix, LockStrength strength) const {
  if (find_prefix(prefix) != nullptr) {
    return false;
  }
  for (std::size_t i = 0; i < kStripes; ++i) {
    for (const auto& bucket : stripes_[i].buckets) {
      for (const LockedKey* key = bucket.get(); key != nullptr; key = key->next_in_bucket.get()) {
        const bool alike = ByteView(key->bytes).starts_with(prefix);
        if (alike && (!key->queue.empty() || !key->holders_allow(&owner, strength))) {
          return false;
        }
      }
    }
  }
  return true;
}

void LockTable::escalate(LockOwner& owner, ByteView key) {
  owner.escalate_at_ = owner.held_.size() + escalation_locks_;
  if (key.size() < kPrefixBytes) {
    return;
  }
  const Bytes prefix(key.substr(0, kPrefixBytes));
  lock_all_stripes();
  auto strength = LockStrength::kKeyShare;
  for (const LockOwner::Held& held : owner.held_) {
    if (held.key != nullptr && ByteView(held.key->bytes).starts_with(prefix)) {
      strength = std::max(strength, held.key->holders.find(&owner)->strength);
    }
  }
  // A prefix has one owner, and share locks may have several.
  const bool exclusive = strength >= LockStrength::kNoKeyUpdate;
  if (exclusive && may_lock_prefix(owner, prefix, strength)) {
    for (LockOwner::Held& held : owner.held_) {
      LockedKey* const locked = held.key;
      if (locked == nullptr || !ByteView(locked->bytes).starts_with(prefix)) {
        continue;
      }
      held.key = nullptr;
      if (held.before == kLockNotHeld) {
        locked->holders.remove(&owner);
      }
    }
    for (std::size_t i = 0; i < kStripes; ++i) {
      stripes_[i].remove_all_unused();
    }
    prefixes_.push_back({prefix, &owner, strength});
    owner.prefixes_.push_back({prefix, strength});
  }
  unlock_all_stripes();
}

void LockTable::release_prefixes(LockOwner& owner) {
  lock_all_stripes();
  std::erase_if(prefixes_, [&](const LockedPrefix& prefix) { return prefix.owner == &owner; });
  owner.prefixes_.clear();
  owner.escalate_at_ = escalation_locks_;
  for (std::size_t i = 0; i < kStripes; ++i) {
    LockStripe& stripe = stripes_[i];
    std::vector<LockStripe::StandIn> mine;
    std::erase_if(stripe.stand_ins, [&](const LockStripe::StandIn& stand_in) {
      if (stand_in.owner == &owner) {
        mine.push_back(stand_in);
      }
      return stand_in.owner == &owner;
    });
    for (const LockStripe::StandIn& stand_in : mine) {
      stand_in.key->holders.remove(&owner);
      stand_in.key->grant_waiters();
      stripe.remove_if_unused(stand_in.key);
    }
  }
  unlock_all_stripes();
}

}  // namespace pando::txn
