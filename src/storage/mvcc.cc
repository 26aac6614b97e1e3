#include "storage/mvcc.h"

#include "base/codec.h"

namespace pando::storage {
namespace {

uint64_t load_big_endian64(const char* bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof(value));
  return __builtin_bswap64(value);
}

uint32_t load_big_endian32(const char* bytes) {
  uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof(value));
  return __builtin_bswap32(value);
}

// Keys ascending: each version that is newer than `at`, or older than the one taken, is stepped over; after a few the
// iterator seeks instead.
class IteratorScan final : public VersionScan {
 public:
  IteratorScan(std::unique_ptr<VersionIterator> iterator, VersionScanOptions options)
      : iterator_(std::move(iterator)), options_(std::move(options)) {
    if (options_.reverse) {
      iterator_->seek_before({});
    } else {
      iterator_->seek(options_.span.start, HlcTimestamp::max());
    }
  }

  Status next(KeyValueBatch& batch, std::size_t entries_max) override {
    ScannedRows rows(batch, options_.timestamps);
    while (rows.size() < entries_max && iterator_->valid()) {
      if (options_.reverse) {
        take_backward(rows);
      } else {
        take_forward(rows);
      }
    }
    return iterator_->status();
  }
  bool met_newer() const override { return met_newer_; }

 private:
  // Steps beyond which a seek is cheaper.
  static constexpr int kStepsMax = 8;

  void take_forward(ScannedRows& rows) {
    key_.assign(iterator_->key());
    if (!move_to_visible()) {
      return;
    }
    if (!iterator_->tombstone()) {
      rows.append(iterator_->key(), iterator_->timestamp(), iterator_->value());
    }
    leave_key();
  }

  // Leaves the iterator on the version of key_ that is visible; false when there is none, with the iterator past key_.
  bool move_to_visible() {
    for (int steps = 0; iterator_->valid() && iterator_->key() == key_; ++steps) {
      if (iterator_->timestamp() <= options_.at) {
        return true;
      }
      met_newer_ = true;
      if (steps == kStepsMax) {
        iterator_->seek(key_, options_.at);
      } else {
        iterator_->next();
      }
    }
    return false;
  }

  void leave_key() {
    for (int steps = 0; iterator_->valid() && iterator_->key() == key_; ++steps) {
      if (steps == kStepsMax) {
        iterator_->seek(key_, HlcTimestamp{});
      } else {
        iterator_->next();
      }
    }
  }

  void take_backward(ScannedRows& rows) {
    key_.assign(iterator_->key());
    if (move_to_visible() && !iterator_->tombstone()) {
      rows.append(iterator_->key(), iterator_->timestamp(), iterator_->value());
    }
    if (key_.empty()) {
      finished_backward();
    } else {
      iterator_->seek_before(key_);
    }
  }

  // Nothing sorts before the empty key, and seek_before("") means something else.
  void finished_backward() {
    while (iterator_->valid()) {
      iterator_->next();
    }
  }

  std::unique_ptr<VersionIterator> iterator_;
  VersionScanOptions options_;
  Bytes key_;
  bool met_newer_ = false;
};

}  // namespace

void append_version_suffix(Bytes& key, HlcTimestamp timestamp) {
  append_ordered_uint64(key, ~timestamp.wall_ns);
  append_ordered_uint32(key, ~timestamp.logical);
}

Bytes encode_versioned_key(ByteView key, HlcTimestamp timestamp) {
  Bytes encoded;
  encoded.reserve(key.size() + kVersionSuffixBytes);
  encoded.append(key);
  append_version_suffix(encoded, timestamp);
  return encoded;
}

bool decode_versioned_key(ByteView encoded, ByteView& key, HlcTimestamp& timestamp) {
  if (encoded.size() < kVersionSuffixBytes) {
    return false;
  }
  key = encoded.substr(0, encoded.size() - kVersionSuffixBytes);
  const char* suffix = encoded.data() + key.size();
  timestamp.wall_ns = ~load_big_endian64(suffix);
  timestamp.logical = ~load_big_endian32(suffix + sizeof(uint64_t));
  return true;
}

int compare_versioned_keys(ByteView a, ByteView b) {
  PANDO_DEBUG_ASSERT(a.size() >= kVersionSuffixBytes, "a versioned key ends with its timestamp");
  PANDO_DEBUG_ASSERT(b.size() >= kVersionSuffixBytes, "a versioned key ends with its timestamp");
  const std::size_t a_size = a.size() - kVersionSuffixBytes;
  const std::size_t b_size = b.size() - kVersionSuffixBytes;
  if (a_size == b_size) {
    return std::memcmp(a.data(), b.data(), a.size());
  }
  const int order = std::memcmp(a.data(), b.data(), std::min(a_size, b_size));
  if (order != 0) {
    return order;
  }
  return a_size < b_size ? -1 : 1;
}

Result<std::optional<Bytes>> get_at(const Reader& reader, ByteView key, HlcTimestamp at) {
  Version version;
  PANDO_ASSIGN(const bool found, reader.get_version(key, at, version));
  if (!found || version.tombstone) {
    return std::optional<Bytes>();
  }
  return std::optional<Bytes>(std::move(version.value));
}

Result<std::optional<Version>> newest_version(const Reader& reader, ByteView key) {
  Version version;
  PANDO_ASSIGN(const bool found, reader.get_version(key, HlcTimestamp::max(), version));
  if (!found) {
    return std::optional<Version>();
  }
  return std::optional<Version>(std::move(version));
}

Result<bool> changed_between(const Reader& reader, KeySpan span, HlcTimestamp after, HlcTimestamp until) {
  const auto iterator = reader.iterate_versions(span);
  for (iterator->seek(span.start, HlcTimestamp::max()); iterator->valid(); iterator->next()) {
    if (iterator->timestamp() > after && iterator->timestamp() <= until) {
      return true;
    }
  }
  PANDO_TRY(iterator->status());
  return false;
}

std::unique_ptr<VersionScan> make_iterator_scan(std::unique_ptr<VersionIterator> iterator, VersionScanOptions options) {
  return std::make_unique<IteratorScan>(std::move(iterator), std::move(options));
}

}  // namespace pando::storage
