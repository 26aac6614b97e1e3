#include "storage/rocksdb/version_memtable.h"

#include "storage/mvcc.h"
#include "storage/rocksdb/version_list.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace rocksdb {

// RocksDB asks memtables to make their iterators in its arenas, but does not install the header that declares them.
class Arena {
 public:
  char* AllocateAligned(std::size_t bytes, std::size_t huge_page_bytes, Logger* logger);
};

}  // namespace rocksdb

namespace pando::storage {
namespace {

class MemtableIterator final : public rocksdb::MemTableRep::Iterator {
 public:
  explicit MemtableIterator(const VersionList& list) : walk_(list) {}
  bool Valid() const override { return walk_.valid(); }
  const char* key() const override { return walk_.entry().bytes(); }
  void Next() override { walk_.next(); }
  void Prev() override { walk_.previous(); }
  void Seek(const rocksdb::Slice& key, const char*) override {
    const VersionList::Place place(view(key));
    if (place.key.front() == kMomentSpace) {
      ByteView none;
      HlcTimestamp moment;
      decode_versioned_key(place.version, none, moment);
      walk_.read_at(moment);
    } else {
      walk_.seek(place);
    }
  }
  void SeekForPrev(const rocksdb::Slice& key, const char*) override {
    const VersionList::Place place(view(key));
    walk_.seek(place);
    if (!walk_.valid()) {
      walk_.seek_to_last();
    } else if (!(VersionList::Place(walk_.entry()) == place)) {
      walk_.previous();
    }
  }
  void SeekToFirst() override { walk_.seek_to_first(); }
  void SeekToLast() override { walk_.seek_to_last(); }

 private:
  VersionList::Iterator walk_;
};

class VersionMemtable final : public rocksdb::MemTableRep {
 public:
  explicit VersionMemtable(rocksdb::Allocator* allocator)
      : MemTableRep(allocator), list_([this](std::size_t bytes) {
          char* memory = nullptr;
          MemTableRep::Allocate(bytes, &memory);
          return memory;
        }) {}

  rocksdb::KeyHandle Allocate(const std::size_t bytes, char** memory) override {
    *memory = list_.allocate(bytes);
    return *memory;
  }
  void Insert(rocksdb::KeyHandle handle) override { InsertKey(handle); }
  bool InsertKey(rocksdb::KeyHandle handle) override {
    return list_.insert(VersionList::Entry::of(static_cast<char*>(handle)));
  }
  bool InsertKeyWithHint(rocksdb::KeyHandle handle, void** hint) override { return InsertKey(handle); }

  bool Contains(const char* entry) const override {
    const VersionList::Place place(*VersionList::Entry::of(const_cast<char*>(entry)));
    VersionList::Iterator walk(list_);
    walk.seek(place);
    return walk.valid() && VersionList::Place(walk.entry()) == place;
  }
  uint64_t ApproximateNumEntries(const rocksdb::Slice& start, const rocksdb::Slice& end) override {
    const uint64_t before = list_.estimate_before(VersionList::Place(view(start)));
    const uint64_t until = list_.estimate_before(VersionList::Place(view(end)));
    return until > before ? until - before : 0;
  }
  // All of it is in the allocator's memory, which is counted there.
  std::size_t ApproximateMemoryUsage() override { return 0; }

  Iterator* GetIterator(rocksdb::Arena* arena) override {
    if (arena == nullptr) {
      return new MemtableIterator(list_);
    }
    return new (arena->AllocateAligned(sizeof(MemtableIterator), 0, nullptr)) MemtableIterator(list_);
  }

 private:
  VersionList list_;
};

class VersionMemtables final : public rocksdb::MemTableRepFactory {
 public:
  const char* Name() const override { return "pando.VersionMemtables"; }
  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator&, rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform* prefix, rocksdb::Logger* logger) override {
    return new VersionMemtable(allocator);
  }
  bool CanHandleDuplicatedKey() const override { return true; }
};

}  // namespace

std::shared_ptr<rocksdb::MemTableRepFactory> make_version_memtables() { return std::make_shared<VersionMemtables>(); }

}  // namespace pando::storage
