#include "txn/write_buffer.h"

#include <algorithm>
#include <bit>
#include <new>

#include "base/assert.h"

namespace pando::txn {
namespace {

constexpr std::size_t kFirstChunkBytes = 1_KiB;
constexpr std::size_t kLargestChunkBytes = 1_MiB;
// Only spreads the heights of the list's nodes.
constexpr uint64_t kSeed = 0x70616e646f;

}  // namespace

WriteBuffer::WriteBuffer(Mark first) : prng_(kSeed), sequence_(first), marked_(first) {}

char* WriteBuffer::allocate(std::size_t size, std::size_t alignment) {
  const std::size_t padding = (0 - reinterpret_cast<uintptr_t>(free_)) & (alignment - 1);
  if (padding < free_size_) {
    free_ += padding;
    free_size_ -= padding;
  }
  if (size > free_size_ || (reinterpret_cast<uintptr_t>(free_) & (alignment - 1)) != 0) {
    use_chunk(size);
  }
  char* const memory = free_;
  free_ += size;
  free_size_ -= size;
  return memory;
}

void WriteBuffer::use_chunk(std::size_t size) {
  if (chunks_used_ == chunks_.size() || chunks_[chunks_used_].size < size) {
    const std::size_t bytes = std::max(size, std::clamp(arena_bytes_, kFirstChunkBytes, kLargestChunkBytes));
    chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(chunks_used_),
                   {std::make_unique_for_overwrite<char[]>(bytes), bytes});
  }
  const Chunk& chunk = chunks_[chunks_used_++];
  arena_bytes_ += chunk.size;
  free_ = chunk.memory.get();
  free_size_ = chunk.size;
}

void WriteBuffer::reset(Mark first) {
  chunks_used_ = 0;
  free_size_ = 0;
  arena_bytes_ = 0;
  heads_ = {};
  tails_ = {};
  history_.clear();
  sequence_ = first;
  marked_ = first;
}

WriteBuffer::Node* WriteBuffer::seek(ByteView key, Path* path) const {
  Node* at = nullptr;
  for (int level = kLevelsMax - 1; level >= 0; --level) {
    for (Node* next = after(at, level); next != nullptr && next->key() < key; next = after(at, level)) {
      at = next;
    }
    if (path != nullptr) {
      (*path)[level] = at;
    }
  }
  return after(at, 0);
}

WriteBuffer::Node* WriteBuffer::add_node(ByteView key, const Path& path) {
  // Each level holds a quarter of the nodes of the one below.
  const int levels = std::min(kLevelsMax, 1 + std::countr_zero(prng_.next() | (uint64_t{1} << 62)) / 2);
  char* const key_copy = allocate(key.size());
  std::ranges::copy(key, key_copy);
  Node* const node = new (allocate(sizeof(Node) + static_cast<std::size_t>(levels - 1) * sizeof(Node*), alignof(Node)))
      Node{.key_data = key_copy, .key_size = static_cast<uint32_t>(key.size()), .newest = nullptr, .previous = path[0]};
  for (int level = 0; level < levels; ++level) {
    Node*& link = path[level] == nullptr ? heads_[level] : path[level]->next[level];
    node->next[level] = link;
    if (level == 0 && link != nullptr) {
      link->previous = node;
    }
    if (link == nullptr) {
      tails_[level] = node;
    }
    link = node;
  }
  return node;
}

void WriteBuffer::add(ByteView key, std::optional<ByteView> value) {
  Node* node = nullptr;
  if (tails_[0] == nullptr || tails_[0]->key() < key) {
    node = add_node(key, tails_);
  } else {
    Path path;
    node = seek(key, &path);
    if (node->key() != key) {
      node = add_node(key, path);
    }
  }
  // Nobody has marked the history since the newest version: it can be replaced unseen.
  const bool replaces = node->newest != nullptr && node->newest->sequence > marked_;
  Version* version = node->newest;
  if (!replaces) {
    version = new (allocate(sizeof(Version), alignof(Version))) Version{.older = node->newest, .sequence = ++sequence_};
    node->newest = version;
    history_.push_back(node);
  }
  version->size = kErased;
  version->value = nullptr;
  if (value.has_value()) {
    char* const copy = allocate(value->size());
    std::ranges::copy(*value, copy);
    version->value = copy;
    version->size = static_cast<uint32_t>(value->size());
  }
}

void WriteBuffer::rollback_to(Mark mark) {
  while (sequence_ > mark) {
    Node* const node = history_.back();
    PANDO_ASSERT(node->newest->sequence == sequence_, "the history and the versions of a key must agree");
    // The node stays in the list, without versions, so that walks keep their places.
    node->newest = node->newest->older;
    history_.pop_back();
    --sequence_;
  }
  marked_ = std::min(marked_, mark);
}

WriteBuffer::Write WriteBuffer::to_write(const Node& node, const Version& version) {
  Write write{.key = node.key(), .value = std::nullopt};
  if (version.size != kErased) {
    write.value.emplace(version.value, version.size);
  }
  return write;
}

std::optional<WriteBuffer::Write> WriteBuffer::find(ByteView key) const {
  const Node* const node = empty() || !may_have(key) ? nullptr : seek(key, nullptr);
  if (node == nullptr || node->newest == nullptr || node->key() != key) {
    return std::nullopt;
  }
  return to_write(*node, *node->newest);
}

std::optional<WriteBuffer::Write> WriteBuffer::find(ByteView key, Mark mark) const {
  const Node* const node = empty() || !may_have(key) ? nullptr : seek(key, nullptr);
  if (node == nullptr || node->key() != key) {
    return std::nullopt;
  }
  for (const Version* version = node->newest; version != nullptr; version = version->older) {
    if (version->sequence <= mark) {
      return to_write(*node, *version);
    }
  }
  return std::nullopt;
}

bool WriteBuffer::touches(Mark mark, ByteView start, ByteView end) const {
  return mark > 0 && !empty() && Walk(*this, mark, start, end, false).valid();
}

WriteBuffer::Walk::Walk(const WriteBuffer& buffer, Mark mark, ByteView start, ByteView end, bool reverse)
    : buffer_(&buffer), mark_(mark), start_(start), end_(end), reverse_(reverse) {
  if (!reverse) {
    node_ = buffer.seek(start_, nullptr);
  } else {
    const Node* const past = end_.empty() ? nullptr : buffer.seek(end_, nullptr);
    node_ = past == nullptr ? buffer.tails_[0] : past->previous;
  }
  settle();
}

WriteBuffer::Write WriteBuffer::Walk::write() const { return to_write(*node_, *version_); }

void WriteBuffer::Walk::step() {
  node_ = reverse_ ? node_->previous : node_->next[0];
  settle();
}

void WriteBuffer::Walk::seek(ByteView key) {
  if (!reverse_) {
    node_ = buffer_->seek(key, nullptr);
  } else {
    const Node* const at = buffer_->seek(key, nullptr);
    node_ = at == nullptr ? buffer_->tails_[0] : at->key() == key ? at : at->previous;
  }
  settle();
}

// Goes on to the next node with a version that the mark sees, or past the end.
void WriteBuffer::Walk::settle() {
  for (; node_ != nullptr; node_ = reverse_ ? node_->previous : node_->next[0]) {
    const bool inside = reverse_ ? node_->key() >= start_ : end_.empty() || node_->key() < end_;
    if (!inside) {
      node_ = nullptr;
      return;
    }
    version_ = node_->newest;
    while (version_ != nullptr && version_->sequence > mark_) {
      version_ = version_->older;
    }
    if (version_ != nullptr) {
      return;
    }
  }
}

}  // namespace pando::txn
