#include "storage/rocksdb/versioned_comparator.h"

#include <algorithm>
#include <string>

#include "storage/mvcc.h"

namespace pando::storage {
namespace {

class VersionedComparator final : public rocksdb::Comparator {
 public:
  const char* Name() const override { return "pando.VersionedComparator.1"; }

  int Compare(const rocksdb::Slice& a, const rocksdb::Slice& b) const override {
    return compare_versioned_keys(view(a), view(b));
  }
  bool Equal(const rocksdb::Slice& a, const rocksdb::Slice& b) const override { return a == b; }
  bool CanKeysWithDifferentByteContentsBeEqual() const override { return false; }

  // Replaces `start` by a shorter key in [start, limit), where that is easy: the keys differ in a byte that can be
  // raised by one and still be below the limit's.
  void FindShortestSeparator(std::string* start, const rocksdb::Slice& limit) const override {
    const ByteView low = view(*start).substr(0, start->size() - kVersionSuffixBytes);
    const ByteView high = view(limit).substr(0, limit.size() - kVersionSuffixBytes);
    const std::size_t shared =
        static_cast<std::size_t>(std::mismatch(low.begin(), low.end(), high.begin(), high.end()).first - low.begin());
    if (shared + 1 >= low.size() || shared >= high.size()) {
      return;
    }
    const auto raised = static_cast<unsigned char>(low[shared] + 1);
    if (raised == 0 || raised >= static_cast<unsigned char>(high[shared])) {
      return;
    }
    start->resize(shared);
    start->push_back(static_cast<char>(raised));
    append_version_suffix(*start, HlcTimestamp::max());
  }
  void FindShortSuccessor(std::string* key) const override {}
};

class VersionPrefix final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "pando.VersionPrefix.1"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), key.size() - kVersionSuffixBytes};
  }
  bool InDomain(const rocksdb::Slice& key) const override { return key.size() >= kVersionSuffixBytes; }
};

}  // namespace

const rocksdb::Comparator* versioned_comparator() {
  static const VersionedComparator comparator;
  return &comparator;
}

std::shared_ptr<const rocksdb::SliceTransform> make_version_prefix() { return std::make_shared<VersionPrefix>(); }

}  // namespace pando::storage
