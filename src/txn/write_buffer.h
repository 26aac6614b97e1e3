#pragma once

// WriteBuffer: the writes of one transaction before it commits, as an ordered map with history.
//
//   WriteBuffer writes;
//   const auto before = writes.mark();          // a statement starts: its cursors see writes up to here
//   writes.put("k", "v");
//   writes.find("k", before);                   // nothing
//   writes.find("k", writes.mark());            // "v"
//   writes.rollback_to(before);                 // ROLLBACK TO SAVEPOINT
//
// A Walk stays valid, and keeps seeing what its mark saw, while more is written and while what came after its mark is
// rolled back. Views returned live as long as the buffer: memory is one arena, freed as a whole.
//
// A skip list (Pugh, "Skip Lists: A Probabilistic Alternative to Balanced Trees", 1990) whose nodes carry the key's
// versions, newest first. Appending in key order, as a bulk load does, takes constant time. Not thread-safe.

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/prng.h"
#include "base/status.h"

namespace pando::txn {

class WriteBuffer {
 private:
  struct Version;
  struct Node;

 public:
  // A point in the history of the buffer.
  using Mark = uint32_t;

  struct Write {
    ByteView key;
    // Nothing: the key was erased.
    std::optional<ByteView> value;
  };

  // Its history goes on after `first`: that of a buffer which holds the writes before.
  explicit WriteBuffer(Mark first = 0);
  ~WriteBuffer() = default;
  WriteBuffer(const WriteBuffer&) = delete;
  WriteBuffer& operator=(const WriteBuffer&) = delete;

  Mark mark() {
    marked_ = sequence_;
    return sequence_;
  }
  // The mark that mark() would give.
  Mark last() const { return sequence_; }
  void put(ByteView key, ByteView value) { add(key, value); }
  void erase(ByteView key) { add(key, std::nullopt); }
  // Forgets what was written after `mark`.
  void rollback_to(Mark mark);

  // The newest write of `key`, if it was written.
  std::optional<Write> find(ByteView key) const;
  // The newest that `mark` sees.
  std::optional<Write> find(ByteView key, Mark mark) const;
  // Whether `mark` sees a write in [start, end); an empty end means no bound.
  bool touches(Mark mark, ByteView start, ByteView end) const;
  bool empty() const { return history_.empty(); }
  // False when `key` is certainly not in the buffer, which is quickly told of a key behind all others.
  bool may_have(ByteView key) const { return tails_[0] != nullptr && key <= tails_[0]->key(); }
  // The number of put() and erase() calls that count; overwriting within one mark counts once.
  std::size_t size() const { return history_.size(); }
  std::size_t bytes() const { return arena_bytes_; }
  // Becomes an empty buffer whose history goes on after `first`, and keeps its memory. REQUIRES: no walk is left.
  void reset(Mark first);

  // The writes that `mark` sees in [start, end), in key order or its reverse.
  class Walk {
   public:
    Walk(const WriteBuffer& buffer, Mark mark, ByteView start, ByteView end, bool reverse);
    bool valid() const { return node_ != nullptr; }
    // REQUIRES: valid().
    Write write() const;
    void step();
    // Moves forward to the first write at or past `key` in the direction of the walk.
    void seek(ByteView key);

   private:
    void settle();
    const WriteBuffer* buffer_;
    Mark mark_;
    Bytes start_;
    Bytes end_;
    bool reverse_;
    const Node* node_ = nullptr;
    const Version* version_ = nullptr;
  };
  // All writes, each key's newest: what a commit makes durable.
  Walk walk() const { return Walk(*this, sequence_, {}, {}, false); }
  // Calls `visit(write, mark)` for everything in the history that counts, keys ascending and the newest of a key first,
  // with the first mark that sees it, until it fails.
  template <typename Visit>
  Status visit_history(Visit visit) const {
    for (const Node* node = heads_[0]; node != nullptr; node = node->next[0]) {
      for (const Version* version = node->newest; version != nullptr; version = version->older) {
        PANDO_TRY(visit(to_write(*node, *version), version->sequence));
      }
    }
    return {};
  }

 private:
  static constexpr int kLevelsMax = 12;
  struct Version {
    Version* older;
    const char* value;
    uint32_t size;
    Mark sequence;
  };
  struct Node {
    ByteView key() const { return {key_data, key_size}; }
    const char* key_data;
    uint32_t key_size;
    Version* newest;
    Node* previous;
    // One for each level the node is in; the memory behind the struct is part of it.
    Node* next[1];
  };

  // The last node before a place, in each level; null for the head.
  using Path = std::array<Node*, kLevelsMax>;

  static constexpr uint32_t kErased = UINT32_MAX;

  void add(ByteView key, std::optional<ByteView> value);
  Node* add_node(ByteView key, const Path& path);
  // The first node at or after `key`; fills `path` when given.
  Node* seek(ByteView key, Path* path) const;
  // The node that follows `node` (or the head, when null) in a level.
  Node* after(const Node* node, int level) const { return node == nullptr ? heads_[level] : node->next[level]; }
  // Byte strings need no alignment.
  char* allocate(std::size_t size, std::size_t alignment = 1);
  // Makes a chunk of at least `size` bytes the current one.
  void use_chunk(std::size_t size);
  static Write to_write(const Node& node, const Version& version);

  struct Chunk {
    std::unique_ptr<char[]> memory;
    std::size_t size;
  };

  std::vector<Chunk> chunks_;
  // The others are left from before reset().
  std::size_t chunks_used_ = 0;
  char* free_ = nullptr;
  std::size_t free_size_ = 0;
  std::size_t arena_bytes_ = 0;
  Prng prng_;
  Path heads_{};
  Path tails_{};
  // The node of each version, in the order of writing: what rollback_to pops.
  std::vector<Node*> history_;
  Mark sequence_;
  Mark marked_;
};

}  // namespace pando::txn
