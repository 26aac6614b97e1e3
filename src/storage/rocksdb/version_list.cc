#include "storage/rocksdb/version_list.h"

#include <cstring>
#include <new>

namespace pando::storage {
namespace {

// RocksDB's suffix of every key: its sequence number and type, little-endian.
constexpr std::size_t kWriteBytes = sizeof(uint64_t);
// In the lowest byte of that suffix.
constexpr uint8_t kPut = 1;

// An entry begins with its key's length, as a varint of 32 bits.
ByteView internal_key(const char* bytes) {
  uint32_t length = 0;
  int shift = 0;
  for (;;) {
    const auto byte = static_cast<unsigned char>(*bytes++);
    length |= static_cast<uint32_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      return {bytes, length};
    }
    shift += 7;
  }
}

// Of places with the same key.
bool is_before(const VersionList::Place& a, const VersionList::Place& b) {
  const int order = std::memcmp(a.version.data(), b.version.data(), kVersionSuffixBytes);
  return order < 0 || (order == 0 && a.write > b.write);
}

}  // namespace

struct VersionList::Node {
  std::atomic<Entry*> newest;
  // Null in the first one.
  std::atomic<Node*> previous;
  // As many as the node is high.
  std::atomic<Node*> next[1];

  ByteView key() const {
    const ByteView whole = internal_key(newest.load(std::memory_order_acquire)->bytes());
    return whole.substr(0, whole.size() - kVersionSuffixBytes - kWriteBytes);
  }
  Node* after(int level) const { return next[level].load(std::memory_order_acquire); }
};

VersionList::Place::Place(ByteView internal_key)
    : key(internal_key.substr(0, internal_key.size() - kVersionSuffixBytes - kWriteBytes)),
      version(internal_key.substr(key.size(), kVersionSuffixBytes)) {
  std::memcpy(&write, version.data() + kVersionSuffixBytes, sizeof(write));
}

VersionList::Place::Place(const Entry& entry) : Place(internal_key(entry.bytes())) {}

VersionList::VersionList(Allocate allocate) : allocate_(std::move(allocate)), head_(make_node(kHeightMax, nullptr)) {
  path_.fill(head_);
}

char* VersionList::allocate_aligned(std::size_t bytes) {
  bytes = (bytes + alignof(Entry) - 1) / alignof(Entry) * alignof(Entry);
  char* memory = allocate_(bytes);
  if (const auto excess = reinterpret_cast<uintptr_t>(memory) % alignof(Entry); excess != 0) {
    memory = allocate_(bytes + alignof(Entry));
    memory += (alignof(Entry) - reinterpret_cast<uintptr_t>(memory) % alignof(Entry)) % alignof(Entry);
  }
  return memory;
}

char* VersionList::allocate(std::size_t bytes) {
  char* const memory = allocate_aligned(sizeof(Entry) + bytes);
  new (memory) Entry();
  return memory + sizeof(Entry);
}

VersionList::Node* VersionList::make_node(int height, Entry* newest) {
  const auto levels_above = static_cast<std::size_t>(height - 1);
  auto* const node = new (allocate_aligned(sizeof(Node) + levels_above * sizeof(std::atomic<Node*>))) Node();
  node->newest.store(newest, std::memory_order_relaxed);
  for (int level = 1; level < height; ++level) {
    new (&node->next[level]) std::atomic<Node*>(nullptr);
  }
  return node;
}

int VersionList::random_height() {
  int height = 1;
  while (height < kHeightMax && prng_.below(kBranching) == 0) {
    ++height;
  }
  return height;
}

// The first node that is not before `key`.
const VersionList::Node* VersionList::find(ByteView key) const {
  const Node* node = head_;
  const Node* end = nullptr;
  for (int level = height_.load(std::memory_order_acquire) - 1; level >= 0; --level) {
    const Node* next = node->after(level);
    // What ended the level above is not before the key here either.
    while (next != end && next->key() < key) {
      node = next;
      next = node->after(level);
    }
    end = next;
  }
  return end;
}

const VersionList::Node* VersionList::last() const {
  const Node* node = head_;
  for (int level = height_.load(std::memory_order_acquire) - 1; level >= 0; --level) {
    while (const Node* next = node->after(level)) {
      node = next;
    }
  }
  return node == head_ ? nullptr : node;
}

bool VersionList::path_leads_to(ByteView key, int level) const {
  const Node* const node = path_[static_cast<std::size_t>(level)];
  if (node != head_ && node->key() >= key) {
    return false;
  }
  const Node* const next = node->after(level);
  return next == nullptr || next->key() >= key;
}

void VersionList::find_path(ByteView key) {
  const int height = height_.load(std::memory_order_relaxed);
  int level = 0;
  while (level < height && !path_leads_to(key, level)) {
    ++level;
  }
  // Above a level that leads there all do.
  Node* node = level < height ? path_[static_cast<std::size_t>(level)] : head_;
  for (--level; level >= 0; --level) {
    for (Node* next = node->after(level); next != nullptr && next->key() < key; next = node->after(level)) {
      node = next;
    }
    path_[static_cast<std::size_t>(level)] = node;
  }
}

bool VersionList::insert(Entry* entry) {
  const ByteView key = Place(*entry).key;
  find_path(key);
  Node* const found = path_[0]->after(0);
  if (found == nullptr || found->key() != key) {
    insert_node(entry);
    nodes_.fetch_add(1, std::memory_order_relaxed);
  } else if (!insert_version(*found, entry)) {
    return false;
  }
  entries_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void VersionList::insert_node(Entry* entry) {
  const int height = random_height();
  if (height > height_.load(std::memory_order_relaxed)) {
    // Above its height the path is the head.
    height_.store(height, std::memory_order_release);
  }
  Node* const node = make_node(height, entry);
  node->previous.store(path_[0] == head_ ? nullptr : path_[0], std::memory_order_relaxed);
  Node* const after = path_[0]->after(0);
  for (int level = 0; level < height; ++level) {
    Node*& before = path_[static_cast<std::size_t>(level)];
    node->next[level].store(before->after(level), std::memory_order_relaxed);
    before->next[level].store(node, std::memory_order_release);
    before = node;
  }
  if (after != nullptr) {
    after->previous.store(node, std::memory_order_release);
  }
}

bool VersionList::insert_version(Node& node, Entry* entry) {
  const Place place(*entry);
  Entry* const newer = last_before(node, place);
  Entry* const older = (newer == nullptr ? node.newest : newer->older_).load(std::memory_order_relaxed);
  entry->older_.store(older, std::memory_order_relaxed);
  entry->jump_ = older;
  if (older != nullptr) {
    if (!is_before(place, Place(*older))) {
      return false;
    }
    entry->depth_ = older->depth_ + 1;
    const Entry* const jump = older->jump_;
    if (jump != nullptr && jump->jump_ != nullptr &&
        older->depth_ - jump->depth_ == jump->depth_ - jump->jump_->depth_) {
      entry->jump_ = jump->jump_;
    }
  }
  (newer == nullptr ? node.newest : newer->older_).store(entry, std::memory_order_release);
  return true;
}

VersionList::Entry* VersionList::last_before(const Node& node, const Place& place) {
  Entry* entry = node.newest.load(std::memory_order_acquire);
  if (!is_before(Place(*entry), place)) {
    return nullptr;
  }
  for (;;) {
    Entry* next = entry->jump_;
    if (next == nullptr || !is_before(Place(*next), place)) {
      next = entry->older_.load(std::memory_order_acquire);
      if (next == nullptr || !is_before(Place(*next), place)) {
        return entry;
      }
    }
    entry = next;
  }
}

const VersionList::Entry* VersionList::oldest(const Node& node) {
  const Entry* entry = node.newest.load(std::memory_order_acquire);
  for (;;) {
    // A jump passes what came in behind it later, but ends before the end.
    const Entry* const next = entry->jump_ != nullptr ? entry->jump_ : entry->older_.load(std::memory_order_acquire);
    if (next == nullptr) {
      return entry;
    }
    entry = next;
  }
}

uint64_t VersionList::estimate_before(const Place& place) const {
  uint64_t count = 0;
  const Node* node = head_;
  for (int level = height_.load(std::memory_order_acquire) - 1; level >= 0; --level) {
    count *= kBranching;
    for (const Node* next = node->after(level); next != nullptr && next->key() < place.key; next = node->after(level)) {
      node = next;
      ++count;
    }
  }
  const uint64_t nodes = nodes_.load(std::memory_order_relaxed);
  return nodes == 0 ? 0 : count * entries_.load(std::memory_order_relaxed) / nodes;
}

void VersionList::Iterator::read_at(HlcTimestamp moment) {
  Bytes suffix;
  append_version_suffix(suffix, moment);
  std::memcpy(moment_.emplace().data(), suffix.data(), suffix.size());
  entry_ = nullptr;
}

void VersionList::Iterator::enter(const Node* node) {
  node_ = node;
  entry_ = node == nullptr ? nullptr : node->newest.load(std::memory_order_acquire);
  latest_write_ = true;
}

bool VersionList::Iterator::hides_older(const Entry& older) const {
  const Place place(*entry_);
  return latest_write_ && static_cast<uint8_t>(place.write) == kPut &&
         std::memcmp(place.version.data(), moment_->data(), moment_->size()) >= 0 &&
         place.version != Place(older).version;
}

void VersionList::Iterator::next() {
  const Entry* const older = entry_->older_.load(std::memory_order_acquire);
  if (older == nullptr || (moment_.has_value() && hides_older(*older))) {
    enter(node_->after(0));
    return;
  }
  latest_write_ = Place(*entry_).version != Place(*older).version;
  entry_ = older;
}

void VersionList::Iterator::previous() {
  // A walk backwards leaves nothing out, and a walk forwards from here does not begin with a version's latest write.
  latest_write_ = false;
  entry_ = last_before(*node_, Place(*entry_));
  if (entry_ == nullptr) {
    node_ = node_->previous.load(std::memory_order_acquire);
    entry_ = node_ == nullptr ? nullptr : oldest(*node_);
  }
}

void VersionList::Iterator::seek(const Place& place) {
  enter(list_.find(place.key));
  if (node_ == nullptr || node_->key() != place.key) {
    return;
  }
  const Entry* const before = last_before(*node_, place);
  if (before == nullptr) {
    return;
  }
  latest_write_ = Place(*before).version != place.version;
  entry_ = before->older_.load(std::memory_order_acquire);
  // What has come in just now.
  while (entry_ != nullptr && is_before(Place(*entry_), place)) {
    entry_ = entry_->older_.load(std::memory_order_acquire);
  }
  if (entry_ == nullptr) {
    enter(node_->after(0));
  }
}

void VersionList::Iterator::seek_to_first() { enter(list_.head_->after(0)); }

void VersionList::Iterator::seek_to_last() {
  node_ = list_.last();
  entry_ = node_ == nullptr ? nullptr : oldest(*node_);
  latest_write_ = false;
}

}  // namespace pando::storage
