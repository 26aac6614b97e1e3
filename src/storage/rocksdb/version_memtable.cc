#include "storage/rocksdb/version_memtable.h"

#include <cstring>

#include "storage/mvcc.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace pando::storage {
namespace {

// RocksDB's suffix of every key: its sequence number and type, little-endian.
constexpr std::size_t kSequenceBytes = sizeof(uint64_t);

// A key of RocksDB's apart. Its writes come newest first.
struct InternalKey {
  explicit InternalKey(ByteView bytes) : key(bytes.substr(0, bytes.size() - kSequenceBytes)) {
    std::memcpy(&sequence, bytes.data() + key.size(), sizeof(sequence));
  }
  ByteView key;
  uint64_t sequence;
};

int compare(const InternalKey& a, const InternalKey& b) {
  const int order = compare_versioned_keys(a.key, b.key);
  if (order != 0 || a.sequence == b.sequence) {
    return order;
  }
  return a.sequence > b.sequence ? -1 : 1;
}

// An entry begins with its key's length, as a varint of 32 bits.
ByteView key_of(const char* entry) {
  uint32_t length = 0;
  int shift = 0;
  for (;;) {
    const auto byte = static_cast<unsigned char>(*entry++);
    length |= static_cast<uint32_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      return {entry, length};
    }
    shift += 7;
  }
}

class VersionOrder final : public rocksdb::MemTableRep::KeyComparator {
 public:
  int operator()(const char* a, const char* b) const override {
    return compare(InternalKey(key_of(a)), InternalKey(key_of(b)));
  }
  int operator()(const char* a, const rocksdb::Slice& b) const override {
    return compare(InternalKey(key_of(a)), InternalKey(view(b)));
  }
};

class VersionMemtables final : public rocksdb::MemTableRepFactory {
 public:
  const char* Name() const override { return "pando.VersionMemtables"; }
  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator&, rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform* prefix, rocksdb::Logger* logger) override {
    static const VersionOrder order;
    return lists_.CreateMemTableRep(order, allocator, prefix, logger);
  }
  bool IsInsertConcurrentlySupported() const override { return lists_.IsInsertConcurrentlySupported(); }
  bool CanHandleDuplicatedKey() const override { return lists_.CanHandleDuplicatedKey(); }

 private:
  rocksdb::SkipListFactory lists_;
};

}  // namespace

std::shared_ptr<rocksdb::MemTableRepFactory> make_version_memtables() { return std::make_shared<VersionMemtables>(); }

}  // namespace pando::storage
