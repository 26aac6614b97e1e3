#pragma once

// VersionList: what a memtable holds, ordered: a skip list (Pugh, 1990) of keys, each with the list of its versions,
// newest first. To pass a key is one step, however many versions it has; in one list of all versions a scan over rows
// that change often would walk over each version that it does not see.
//
// An old version is found in logarithmic time, by jump pointers (Myers, "An applicative random-access stack", 1983).
//
// Entries are never removed, and live as long as the list. One thread inserts at a time; any number read meanwhile,
// without locks. An entry that is inserted during a walk may be met or not.

#include <array>
#include <atomic>
#include <functional>
#include <optional>

#include "base/bytes.h"
#include "base/prng.h"
#include "storage/mvcc.h"

namespace pando::storage {

class VersionList {
 public:
  // Memory that lives as long as the list.
  using Allocate = std::function<char*(std::size_t bytes)>;
  struct Node;
  // One write of a version. Its bytes are a memtable's entry of RocksDB's: the key's length as a varint, the stored key
  // with RocksDB's suffix of eight bytes, and what the list does not look at.
  class Entry {
   public:
    const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
    static Entry* of(char* bytes) { return reinterpret_cast<Entry*>(bytes) - 1; }

   private:
    friend class VersionList;
    std::atomic<Entry*> older_{nullptr};
    // Some older entry, or null.
    Entry* jump_ = nullptr;
    uint64_t depth_ = 0;
  };
  // A place between entries: before it are those of smaller keys, newer versions and, of one version, later writes.
  struct Place {
    explicit Place(ByteView internal_key);
    explicit Place(const Entry& entry);
    friend bool operator==(const Place&, const Place&) = default;
    ByteView key;
    ByteView version;
    uint64_t write;
  };

  explicit VersionList(Allocate allocate);
  VersionList(const VersionList&) = delete;
  VersionList& operator=(const VersionList&) = delete;

  // Room for an entry's bytes, to be filled and inserted.
  char* allocate(std::size_t bytes);
  // False when the same write is there already.
  bool insert(Entry* entry);
  // About how many entries lie before `place`.
  uint64_t estimate_before(const Place& place) const;

  // Walks entries. With a moment it leaves out what nobody who reads then can see, because a newer version at or below
  // the moment is in the way; versions beyond the moment it does not leave out.
  class Iterator {
   public:
    explicit Iterator(const VersionList& list) : list_(list) {}
    // From here on it goes forwards only. REQUIRES: nobody inserts versions at or below the moment meanwhile.
    void read_at(HlcTimestamp moment);
    bool valid() const { return entry_ != nullptr; }
    // REQUIRES: valid(), for these three.
    const Entry& entry() const { return *entry_; }
    void next();
    void previous();
    // To the first entry that is not before `place`.
    void seek(const Place& place);
    void seek_to_first();
    void seek_to_last();

   private:
    void enter(const Node* node);
    bool hides_older(const Entry& older) const;

    const VersionList& list_;
    // A version's suffix.
    std::optional<std::array<char, kVersionSuffixBytes>> moment_;
    const Node* node_ = nullptr;
    const Entry* entry_ = nullptr;
    // Whether no later write of the same version was passed, which may have taken it away.
    bool latest_write_ = true;
  };

 private:
  static constexpr int kHeightMax = 12;
  // One node in so many is one level higher.
  static constexpr uint64_t kBranching = 4;

  char* allocate_aligned(std::size_t bytes);
  Node* make_node(int height, Entry* newest);
  int random_height();
  const Node* find(ByteView key) const;
  const Node* last() const;
  // Leaves in path_ the last node before `key` on each level.
  void find_path(ByteView key);
  bool path_leads_to(ByteView key, int level) const;
  void insert_node(Entry* entry);
  static bool insert_version(Node& node, Entry* entry);
  // The last of the node's entries that is before `place`; null when none is.
  static Entry* last_before(const Node& node, const Place& place);
  static const Entry* oldest(const Node& node);

  const Allocate allocate_;
  Node* const head_;
  std::atomic<int> height_{1};
  std::atomic<uint64_t> nodes_{0};
  std::atomic<uint64_t> entries_{0};
  // --- of whoever inserts ---
  Prng prng_{1};
  // Where it inserted last: what comes in is often sorted.
  std::array<Node*, kHeightMax> path_;
};

}  // namespace pando::storage
