#pragma once

// RecordCache: the newest committed version of hot keys, so that reads of them never touch the engine.
//
//   CachedRecord record;
//   if (cache.get(key, record) && record.timestamp <= read_timestamp) return record.value;
//   const auto ticket = cache.start_fill(key);
//   Version version = newest version from the engine;
//   cache.fill(key, version..., ticket);
//
// The applier calls apply() for every committed write, after the engine has it and before it becomes visible. A slow
// reader never puts an old version back: a fill leaves alone what is here, and it is dropped when since its ticket a
// committed version in the same stripe has gone, or was never here.
//
// A striped hash table with chaining; each stripe keeps to its part of the byte budget by the clock algorithm (Corbato,
// 1968). Thread-safe.

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/hlc.h"
#include "base/key_value_batch.h"
#include "base/mutex.h"

namespace pando::kv {

struct CachedRecord {
  HlcTimestamp timestamp;
  bool tombstone = false;
  Bytes value;
};

struct RecordCacheStatistics {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t evictions = 0;
  std::size_t records = 0;
  std::size_t bytes = 0;
};

class RecordCache {
 public:
  static constexpr std::size_t kStripes = 64;
  // Keys and values larger than this together are not worth the room.
  static constexpr std::size_t kRecordBytesMax = 16_KiB;
  static bool takes(ByteView key, ByteView value) { return key.size() + value.size() <= kRecordBytesMax; }

  // A budget of zero turns the cache off.
  explicit RecordCache(std::size_t bytes_max);
  ~RecordCache();
  RecordCache(const RecordCache&) = delete;
  RecordCache& operator=(const RecordCache&) = delete;

  // Whether the newest committed version of `key` is here; fills `record` if so.
  bool get(ByteView key, CachedRecord& record);
  // The same without the value.
  bool get_timestamp(ByteView key, HlcTimestamp& timestamp, bool& tombstone);

  struct FillTicket {
    uint64_t losses = 0;
  };
  FillTicket start_fill(ByteView key);
  void fill(ByteView key, HlcTimestamp timestamp, bool tombstone, ByteView value, FillTicket ticket);

  // The same for many keys that one look at the engine finds: while there is room, what lies beside a key that is read
  // may as well come in.
  bool has_room(ByteView key);
  struct FillTickets {
    std::array<uint64_t, kStripes> losses;
  };
  FillTickets start_fills() const;
  struct Incoming {
    ByteView key;
    HlcTimestamp timestamp;
    bool tombstone;
    ByteView value;
  };
  // Takes each part of the table once, and asks for its memory ahead: for a thousand records a third of the time.
  // Returns how many came in.
  std::size_t fill(std::span<const Incoming> records, const FillTickets& tickets);
  // With the timestamp of each; none is a tombstone.
  std::size_t fill(const KeyValueBatch& rows, std::span<const HlcTimestamp> timestamps, const FillTickets& tickets);

  // A newer version was committed. With `insert`, a key that was not here comes in.
  void apply(ByteView key, HlcTimestamp timestamp, bool tombstone, ByteView value, bool insert);

  // Forgets everything, and drops the fills under way: the engine's contents were replaced.
  void clear();

  // Versions of keys in [first, last] were committed; what is here of them may be outdated.
  void forget(ByteView first, ByteView last);
  // The part of that work that concerns one stripe: it looks at all the records there, if any can be in the range.
  void forget_in(std::size_t stripe, ByteView first, ByteView last);

  RecordCacheStatistics statistics();

 private:
  struct Record;
  struct RecordDeleter {
    void operator()(Record* record) const;
  };
  using RecordPointer = std::unique_ptr<Record, RecordDeleter>;
  struct Stripe;
  // An incoming record, borrowed, with its hash.
  struct Hashed;

  std::size_t fill_stripe(Stripe& stripe, std::span<const Hashed> records, uint64_t losses);
  static RecordPointer make_record(const Incoming& incoming, uint64_t hash);
  Stripe& stripe_of(uint64_t hash);

  const bool enabled_;
  std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace pando::kv
