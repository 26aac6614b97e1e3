#pragma once

// PersistentMap: an ordered map whose copies are free and never change.
//
//   PersistentMap map(compare);
//   PersistentMap before = map;          // O(1); shares everything
//   map.put("k", "v");                   // before is untouched
//   for (auto walk = map.lower_bound("a"); walk.valid(); walk.next()) use(walk.key(), walk.value());
//
// A treap (Seidel and Aragon, 1996) whose priorities come from the keys' checksums, so equal contents have equal
// shapes; changed paths are copied. Thread-safety: as a value type whose copies share immutable data: one writer per
// copy, and any number of readers of other copies.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace pando::storage {

class PersistentMap {
 public:
  using Compare = int (*)(ByteView a, ByteView b);

  explicit PersistentMap(Compare compare) : compare_(compare) {}

  void put(ByteView key, ByteView value);
  void erase(ByteView key);
  // Erases [start, end); an empty end means all keys from start on.
  void erase_range(ByteView start, ByteView end);
  // The value of `key`, or null; valid while a map that holds it lives.
  const Bytes* find(ByteView key) const;
  std::size_t size() const { return size_of(root_); }

 private:
  struct Entry {
    Bytes key;
    Bytes value;
    uint32_t priority = 0;
  };
  struct Node;
  using Tree = std::shared_ptr<const Node>;
  struct Node {
    std::shared_ptr<const Entry> entry;
    std::size_t size = 1;
    Tree left;
    Tree right;
  };

 public:
  // A place in one copy of the map, which it keeps alive.
  class Walk {
   public:
    bool valid() const { return !path_.empty(); }
    ByteView key() const { return path_.back()->entry->key; }
    ByteView value() const { return path_.back()->entry->value; }
    void next();
    void previous();

   private:
    friend class PersistentMap;
    explicit Walk(Tree root) : root_(std::move(root)) {}
    Tree root_;
    // From the root to the place.
    std::vector<const Node*> path_;
  };

  // At the first key >= `key`.
  Walk lower_bound(ByteView key) const;
  // At the last key < `key`.
  Walk last_before(ByteView key) const;
  Walk last() const;

 private:
  static std::size_t size_of(const Tree& tree) { return tree ? tree->size : 0; }
  static Tree make(std::shared_ptr<const Entry> entry, Tree left, Tree right);
  static Tree join(const Tree& left, const Tree& right);
  // Splits into keys < `key` and the rest.
  void split(const Tree& tree, ByteView key, Tree& less, Tree& rest) const;
  Tree put_into(const Tree& tree, const std::shared_ptr<const Entry>& entry) const;
  Tree erase_from(const Tree& tree, ByteView key) const;

  Compare compare_;
  Tree root_;
};

}  // namespace pando::storage
