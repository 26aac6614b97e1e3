#include "kv/record_cache.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <new>
#include <numeric>

namespace pando::kv {
namespace {

constexpr std::size_t kBucketsMin = 64;
constexpr int kStripeShift = 58;
// Neighbours come in uninvited only up to this part of the budget.
constexpr std::size_t kRoomNumerator = 3;
constexpr std::size_t kRoomDenominator = 4;

// How far ahead a walk over all the records of a stripe asks for their memory.
constexpr std::size_t kPrefetchDistance = 8;
// How many records such a walk looks at without letting others into the stripe.
constexpr std::size_t kRecordsPerLock = 256;

uint64_t hash_of(ByteView key) { return std::hash<ByteView>()(key); }

// Counts keys by how they begin, in their order: those of a table, or of an index, begin alike.
class PrefixCounts {
 public:
  void add(ByteView key) { ++count_of(prefix_of(key)); }
  // REQUIRES: the key was added.
  void remove(ByteView key) {
    const Prefix prefix = prefix_of(key);
    if (--count_of(prefix) == 0) {
      counts_.erase(prefix);
      recent_ = nullptr;
    }
  }
  // False when there are none from the first to the last, both included.
  bool may_hold(ByteView first, ByteView last) const {
    const auto place = counts_.lower_bound(prefix_of(first));
    return place != counts_.end() && place->first <= prefix_of(last);
  }

 private:
  // In the order of keys, but for those shorter than it.
  using Prefix = std::array<unsigned char, 8>;

  static Prefix prefix_of(ByteView key) {
    Prefix prefix{};
    std::ranges::copy(key.substr(0, prefix.size()), prefix.begin());
    return prefix;
  }
  uint32_t& count_of(const Prefix& prefix) {
    if (recent_ == nullptr || recent_->first != prefix) {
      recent_ = &*counts_.try_emplace(prefix, 0).first;
    }
    return recent_->second;
  }

  using Counts = std::map<Prefix, uint32_t>;
  Counts counts_;
  Counts::value_type* recent_ = nullptr;
};

}  // namespace

// The key's bytes and then the value's follow the struct in the same allocation: a hit reads one place of memory.
struct RecordCache::Record {
  Record* next_in_bucket;
  uint64_t hash;
  HlcTimestamp timestamp;
  uint32_t key_size;
  uint32_t value_size;
  uint32_t capacity;
  // Its place in the clock.
  uint32_t place;
  bool tombstone;
  bool used;
  // Came from apply(): somebody who looked at the engine before may hold an older version.
  bool applied;

  char* bytes() { return std::launder(reinterpret_cast<char*>(this + 1)); }
  ByteView key() { return {bytes(), key_size}; }
  ByteView value() { return {bytes() + key_size, value_size}; }
  std::size_t memory() const { return sizeof(Record) + capacity + sizeof(Record*); }
};

struct RecordCache::Hashed {
  const Incoming* record;
  uint64_t hash;
};

struct alignas(64) RecordCache::Stripe {
  Stripe() : buckets(kBucketsMin) {}

  Record* find(ByteView key, uint64_t hash) PANDO_REQUIRES(mutex) {
    Record* record = buckets[hash & (buckets.size() - 1)];
    while (record != nullptr && (record->hash != hash || record->key() != key)) {
      record = record->next_in_bucket;
    }
    return record;
  }
  // Has the memory on its way that find() will look at.
  void prefetch(std::span<const Hashed> records) const PANDO_REQUIRES(mutex) {
    for (const Hashed& record : records) {
      __builtin_prefetch(&buckets[record.hash & (buckets.size() - 1)]);
    }
    for (const Hashed& record : records) {
      __builtin_prefetch(buckets[record.hash & (buckets.size() - 1)]);
    }
  }
  void prefetch_record(std::size_t place) const PANDO_REQUIRES(mutex) {
    if (place < clock.size()) {
      __builtin_prefetch(clock[place].get());
    }
  }
  // What remove() needs of records that are looked at soon.
  void prefetch_before(std::size_t place) const PANDO_REQUIRES(mutex) {
    if (place >= 2 * kPrefetchDistance) {
      __builtin_prefetch(clock[place - 2 * kPrefetchDistance].get());
      __builtin_prefetch(&buckets[clock[place - kPrefetchDistance]->hash & (buckets.size() - 1)]);
    }
  }
  void insert(RecordPointer record) PANDO_REQUIRES(mutex);
  void update(Record& record, const Incoming& incoming) PANDO_REQUIRES(mutex);
  void remove(Record& record) PANDO_REQUIRES(mutex);
  void make_room() PANDO_REQUIRES(mutex);
  // Removes what lies between them, both included, of some of the records before `place`. Returns where those begin.
  std::size_t remove_some(ByteView first, ByteView last, std::size_t place) PANDO_REQUIRES(mutex);
  void grow() PANDO_REQUIRES(mutex);

  Mutex mutex;
  std::vector<Record*> buckets PANDO_GUARDED_BY(mutex);
  // Owns the records; the clock's hand goes around it.
  std::vector<RecordPointer> clock PANDO_GUARDED_BY(mutex);
  std::size_t hand PANDO_GUARDED_BY(mutex) = 0;
  std::size_t bytes PANDO_GUARDED_BY(mutex) = 0;
  std::size_t bytes_max PANDO_GUARDED_BY(mutex) = 0;
  PrefixCounts prefixes PANDO_GUARDED_BY(mutex);
  // How often a committed version may have gone, or not have come, that a reader of the engine had not seen. Written
  // under the mutex.
  std::atomic<uint64_t> losses{0};
  uint64_t hits PANDO_GUARDED_BY(mutex) = 0;
  uint64_t misses PANDO_GUARDED_BY(mutex) = 0;
  uint64_t evictions PANDO_GUARDED_BY(mutex) = 0;
};

void RecordCache::RecordDeleter::operator()(Record* record) const {
  record->~Record();
  ::operator delete(record);
}

RecordCache::RecordPointer RecordCache::make_record(const Incoming& incoming, uint64_t hash) {
  const std::size_t capacity = incoming.key.size() + incoming.value.size();
  auto* const record = new (::operator new(sizeof(Record) + capacity)) Record{
      .next_in_bucket = nullptr,
      .hash = hash,
      .timestamp = incoming.timestamp,
      .key_size = static_cast<uint32_t>(incoming.key.size()),
      .value_size = static_cast<uint32_t>(incoming.value.size()),
      .capacity = static_cast<uint32_t>(capacity),
      .place = 0,
      .tombstone = incoming.tombstone,
      .used = false,
      .applied = false,
  };
  std::ranges::copy(incoming.key, record->bytes());
  std::ranges::copy(incoming.value, record->bytes() + incoming.key.size());
  return RecordPointer(record);
}

void RecordCache::Stripe::insert(RecordPointer record) {
  if (clock.size() >= buckets.size()) {
    grow();
  }
  Record*& bucket = buckets[record->hash & (buckets.size() - 1)];
  record->next_in_bucket = bucket;
  bucket = record.get();
  bytes += record->memory();
  prefixes.add(record->key());
  record->place = static_cast<uint32_t>(clock.size());
  clock.push_back(std::move(record));
  make_room();
}

void RecordCache::Stripe::update(Record& record, const Incoming& incoming) {
  if (record.key_size + incoming.value.size() > record.capacity) {
    RecordPointer larger = make_record(incoming, record.hash);
    larger->used = true;
    larger->applied = true;
    remove(record);
    insert(std::move(larger));
    return;
  }
  record.timestamp = incoming.timestamp;
  record.tombstone = incoming.tombstone;
  record.value_size = static_cast<uint32_t>(incoming.value.size());
  record.used = true;
  record.applied = true;
  std::ranges::copy(incoming.value, record.bytes() + record.key_size);
}

void RecordCache::Stripe::remove(Record& record) {
  Record** link = &buckets[record.hash & (buckets.size() - 1)];
  while (*link != &record) {
    link = &(*link)->next_in_bucket;
  }
  *link = record.next_in_bucket;
  bytes -= record.memory();
  prefixes.remove(record.key());
  const std::size_t place = record.place;
  clock.back()->place = static_cast<uint32_t>(place);
  std::swap(clock[place], clock.back());
  clock.pop_back();
}

void RecordCache::Stripe::make_room() {
  while (bytes > bytes_max && !clock.empty()) {
    hand = hand < clock.size() ? hand : 0;
    Record& candidate = *clock[hand];
    if (candidate.used) {
      candidate.used = false;
      ++hand;
    } else {
      losses += candidate.applied ? 1 : 0;
      // The last record takes its place, and is looked at next.
      remove(candidate);
      ++evictions;
    }
  }
}

void RecordCache::Stripe::grow() {
  buckets.assign(buckets.size() * 2, nullptr);
  for (std::size_t place = 0; place < clock.size(); ++place) {
    prefetch_record(place + kPrefetchDistance);
    Record* const record = clock[place].get();
    Record*& bucket = buckets[record->hash & (buckets.size() - 1)];
    record->next_in_bucket = bucket;
    bucket = record;
  }
}

// From the last record to the first: the one that takes a removed one's place has been looked at.
std::size_t RecordCache::Stripe::remove_some(ByteView first, ByteView last, std::size_t place) {
  place = std::min(place, clock.size());
  for (std::size_t i = 0; i < kRecordsPerLock && place > 0; ++i) {
    --place;
    prefetch_before(place);
    Record& record = *clock[place];
    if (record.key() >= first && record.key() <= last) {
      // It may have come after the walk began.
      losses += record.applied ? 1 : 0;
      remove(record);
    }
  }
  return place;
}

RecordCache::RecordCache(std::size_t bytes_max)
    : enabled_(bytes_max > 0), stripes_(std::make_unique<Stripe[]>(kStripes)) {
  for (std::size_t i = 0; i < kStripes; ++i) {
    MutexLock lock(stripes_[i].mutex);
    stripes_[i].bytes_max = bytes_max / kStripes;
  }
}

RecordCache::~RecordCache() = default;

RecordCache::Stripe& RecordCache::stripe_of(uint64_t hash) { return stripes_[hash >> kStripeShift]; }

bool RecordCache::get(ByteView key, CachedRecord& found) {
  const uint64_t hash = hash_of(key);
  Stripe& stripe = stripe_of(hash);
  MutexLock lock(stripe.mutex);
  Record* const record = stripe.find(key, hash);
  if (record == nullptr) {
    ++stripe.misses;
    return false;
  }
  ++stripe.hits;
  record->used = true;
  found.timestamp = record->timestamp;
  found.tombstone = record->tombstone;
  found.value.assign(record->value());
  return true;
}

bool RecordCache::get_timestamp(ByteView key, HlcTimestamp& timestamp, bool& tombstone) {
  const uint64_t hash = hash_of(key);
  Stripe& stripe = stripe_of(hash);
  MutexLock lock(stripe.mutex);
  Record* const record = stripe.find(key, hash);
  if (record == nullptr) {
    ++stripe.misses;
    return false;
  }
  ++stripe.hits;
  record->used = true;
  timestamp = record->timestamp;
  tombstone = record->tombstone;
  return true;
}

RecordCache::FillTicket RecordCache::start_fill(ByteView key) {
  return {stripe_of(hash_of(key)).losses.load(std::memory_order_acquire)};
}

bool RecordCache::has_room(ByteView key) {
  Stripe& stripe = stripe_of(hash_of(key));
  MutexLock lock(stripe.mutex);
  return stripe.bytes < stripe.bytes_max / kRoomDenominator * kRoomNumerator;
}

RecordCache::FillTickets RecordCache::start_fills() const {
  FillTickets tickets{};
  for (std::size_t i = 0; i < kStripes; ++i) {
    tickets.losses[i] = stripes_[i].losses.load(std::memory_order_acquire);
  }
  return tickets;
}

void RecordCache::fill(ByteView key, HlcTimestamp timestamp, bool tombstone, ByteView value, FillTicket ticket) {
  const Incoming incoming{key, timestamp, tombstone, value};
  const Hashed record{&incoming, hash_of(key)};
  fill_stripe(stripe_of(record.hash), {&record, 1}, ticket.losses);
}

std::size_t RecordCache::fill(std::span<const Incoming> records, const FillTickets& tickets) {
  // Sorted by stripe, by counting.
  std::array<std::size_t, kStripes + 1> starts{};
  std::vector<uint64_t> hashes;
  hashes.reserve(records.size());
  for (const Incoming& record : records) {
    hashes.push_back(hash_of(record.key));
    ++starts[(hashes.back() >> kStripeShift) + 1];
  }
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::array<std::size_t, kStripes + 1> ends = starts;
  std::vector<Hashed> sorted(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    sorted[ends[hashes[i] >> kStripeShift]++] = {&records[i], hashes[i]};
  }
  std::size_t count = 0;
  for (std::size_t stripe = 0; stripe < kStripes; ++stripe) {
    if (starts[stripe] < starts[stripe + 1]) {
      count +=
          fill_stripe(stripes_[stripe], std::span(sorted).subspan(starts[stripe], starts[stripe + 1] - starts[stripe]),
                      tickets.losses[stripe]);
    }
  }
  return count;
}

std::size_t RecordCache::fill(const KeyValueBatch& rows, std::span<const HlcTimestamp> timestamps,
                              const FillTickets& tickets) {
  std::vector<Incoming> records;
  records.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    records.push_back({rows.key(i), timestamps[i], false, rows.value(i)});
  }
  return fill(records, tickets);
}

std::size_t RecordCache::fill_stripe(Stripe& stripe, std::span<const Hashed> records, uint64_t losses) {
  MutexLock lock(stripe.mutex);
  if (!enabled_ || stripe.losses.load(std::memory_order_relaxed) != losses) {
    return 0;
  }
  stripe.prefetch(records);
  std::size_t count = 0;
  for (const auto& [incoming, hash] : records) {
    if (takes(incoming->key, incoming->value) && stripe.find(incoming->key, hash) == nullptr) {
      stripe.insert(make_record(*incoming, hash));
      ++count;
    }
  }
  return count;
}

void RecordCache::apply(ByteView key, HlcTimestamp timestamp, bool tombstone, ByteView value, bool insert) {
  if (!enabled_) {
    return;
  }
  const uint64_t hash = hash_of(key);
  const Incoming incoming{key, timestamp, tombstone, value};
  const bool fits = takes(key, value);
  Stripe& stripe = stripe_of(hash);
  MutexLock lock(stripe.mutex);
  Record* const record = stripe.find(key, hash);
  if (record != nullptr && fits) {
    stripe.update(*record, incoming);
    return;
  }
  if (record != nullptr) {
    stripe.remove(*record);
  }
  if (insert && fits) {
    RecordPointer applied = make_record(incoming, hash);
    applied->applied = true;
    stripe.insert(std::move(applied));
  } else {
    stripe.losses.fetch_add(1, std::memory_order_release);
  }
}

void RecordCache::clear() {
  for (std::size_t i = 0; i < kStripes; ++i) {
    Stripe& stripe = stripes_[i];
    MutexLock lock(stripe.mutex);
    ++stripe.losses;
    while (!stripe.clock.empty()) {
      stripe.remove(*stripe.clock.back());
    }
  }
}

void RecordCache::forget(ByteView first, ByteView last) {
  for (std::size_t i = 0; enabled_ && i < kStripes; ++i) {
    forget_in(i, first, last);
  }
}

void RecordCache::forget_in(std::size_t number, ByteView first, ByteView last) {
  Stripe& stripe = stripes_[number];
  std::size_t place = 0;
  {
    MutexLock lock(stripe.mutex);
    ++stripe.losses;
    if (stripe.prefixes.may_hold(first, last)) {
      place = stripe.clock.size();
    }
  }
  // Whoever reads must not wait for all of it. What comes in meanwhile is not outdated.
  while (place > 0) {
    MutexLock lock(stripe.mutex);
    place = stripe.remove_some(first, last, place);
  }
}

RecordCacheStatistics RecordCache::statistics() {
  RecordCacheStatistics sum;
  for (std::size_t i = 0; i < kStripes; ++i) {
    MutexLock lock(stripes_[i].mutex);
    sum.hits += stripes_[i].hits;
    sum.misses += stripes_[i].misses;
    sum.evictions += stripes_[i].evictions;
    sum.records += stripes_[i].clock.size();
    sum.bytes += stripes_[i].bytes;
  }
  return sum;
}

}  // namespace pando::kv
