#include "kv/record_cache.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <new>

namespace pando::kv {
namespace {

constexpr std::size_t kBucketsMin = 64;
constexpr int kStripeShift = 58;
// Neighbours come in uninvited only up to this part of the budget.
constexpr std::size_t kRoomNumerator = 3;
constexpr std::size_t kRoomDenominator = 4;

uint64_t hash_of(ByteView key) { return std::hash<ByteView>()(key); }

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

  char* bytes() { return std::launder(reinterpret_cast<char*>(this + 1)); }
  ByteView key() { return {bytes(), key_size}; }
  ByteView value() { return {bytes() + key_size, value_size}; }
  std::size_t memory() const { return sizeof(Record) + capacity + sizeof(Record*); }
};

struct RecordCache::Hashed {
  Incoming record;
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
  void insert(RecordPointer record) PANDO_REQUIRES(mutex);
  void update(Record& record, const Incoming& incoming) PANDO_REQUIRES(mutex);
  void remove(Record& record) PANDO_REQUIRES(mutex);
  void make_room() PANDO_REQUIRES(mutex);
  void grow() PANDO_REQUIRES(mutex);

  Mutex mutex;
  std::vector<Record*> buckets PANDO_GUARDED_BY(mutex);
  // Owns the records; the clock's hand goes around it.
  std::vector<RecordPointer> clock PANDO_GUARDED_BY(mutex);
  std::size_t hand PANDO_GUARDED_BY(mutex) = 0;
  std::size_t bytes PANDO_GUARDED_BY(mutex) = 0;
  std::size_t bytes_max PANDO_GUARDED_BY(mutex) = 0;
  // Written under the mutex.
  std::atomic<uint64_t> applies{0};
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
  record->place = static_cast<uint32_t>(clock.size());
  clock.push_back(std::move(record));
  make_room();
}

void RecordCache::Stripe::update(Record& record, const Incoming& incoming) {
  if (record.key_size + incoming.value.size() > record.capacity) {
    RecordPointer larger = make_record(incoming, record.hash);
    larger->used = true;
    remove(record);
    insert(std::move(larger));
    return;
  }
  record.timestamp = incoming.timestamp;
  record.tombstone = incoming.tombstone;
  record.value_size = static_cast<uint32_t>(incoming.value.size());
  record.used = true;
  std::ranges::copy(incoming.value, record.bytes() + record.key_size);
}

void RecordCache::Stripe::remove(Record& record) {
  Record** link = &buckets[record.hash & (buckets.size() - 1)];
  while (*link != &record) {
    link = &(*link)->next_in_bucket;
  }
  *link = record.next_in_bucket;
  bytes -= record.memory();
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
      // The last record takes its place, and is looked at next.
      remove(candidate);
      ++evictions;
    }
  }
}

void RecordCache::Stripe::grow() {
  buckets.assign(buckets.size() * 2, nullptr);
  for (const RecordPointer& record : clock) {
    Record*& bucket = buckets[record->hash & (buckets.size() - 1)];
    record->next_in_bucket = bucket;
    bucket = record.get();
  }
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
  return {stripe_of(hash_of(key)).applies.load(std::memory_order_acquire)};
}

bool RecordCache::has_room(ByteView key) {
  Stripe& stripe = stripe_of(hash_of(key));
  MutexLock lock(stripe.mutex);
  return stripe.bytes < stripe.bytes_max / kRoomDenominator * kRoomNumerator;
}

RecordCache::FillTickets RecordCache::start_fills() const {
  FillTickets tickets{};
  for (std::size_t i = 0; i < kStripes; ++i) {
    tickets.applies[i] = stripes_[i].applies.load(std::memory_order_acquire);
  }
  return tickets;
}

void RecordCache::fill(ByteView key, HlcTimestamp timestamp, bool tombstone, ByteView value, FillTicket ticket) {
  const Hashed record{{key, timestamp, tombstone, value}, hash_of(key)};
  fill_stripe(stripe_of(record.hash), {&record, 1}, ticket.applies);
}

void RecordCache::fill(std::span<const Incoming> records, const FillTickets& tickets) {
  std::vector<Hashed> hashed;
  hashed.reserve(records.size());
  for (const Incoming& record : records) {
    hashed.push_back({record, hash_of(record.key)});
  }
  std::ranges::sort(hashed, {}, [](const Hashed& record) { return record.hash >> kStripeShift; });
  for (auto first = hashed.begin(); first != hashed.end();) {
    const uint64_t stripe = first->hash >> kStripeShift;
    const auto last =
        std::find_if(first, hashed.end(), [&](const Hashed& record) { return record.hash >> kStripeShift != stripe; });
    fill_stripe(stripes_[stripe], {first, last}, tickets.applies[stripe]);
    first = last;
  }
}

void RecordCache::fill_stripe(Stripe& stripe, std::span<const Hashed> records, uint64_t applies) {
  MutexLock lock(stripe.mutex);
  if (!enabled_ || stripe.applies.load(std::memory_order_relaxed) != applies) {
    return;
  }
  stripe.prefetch(records);
  for (const auto& [incoming, hash] : records) {
    if (incoming.key.size() + incoming.value.size() <= kRecordBytesMax && stripe.find(incoming.key, hash) == nullptr) {
      stripe.insert(make_record(incoming, hash));
    }
  }
}

void RecordCache::apply(ByteView key, HlcTimestamp timestamp, bool tombstone, ByteView value, bool insert) {
  if (!enabled_) {
    return;
  }
  const uint64_t hash = hash_of(key);
  const Incoming incoming{key, timestamp, tombstone, value};
  const bool fits = key.size() + value.size() <= kRecordBytesMax;
  Stripe& stripe = stripe_of(hash);
  MutexLock lock(stripe.mutex);
  stripe.applies.fetch_add(1, std::memory_order_release);
  Record* const record = stripe.find(key, hash);
  if (record != nullptr && fits) {
    stripe.update(*record, incoming);
  } else if (record != nullptr) {
    stripe.remove(*record);
  } else if (insert && fits) {
    stripe.insert(make_record(incoming, hash));
  }
}

void RecordCache::clear() {
  for (std::size_t i = 0; i < kStripes; ++i) {
    Stripe& stripe = stripes_[i];
    MutexLock lock(stripe.mutex);
    ++stripe.applies;
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
  MutexLock lock(stripe.mutex);
  ++stripe.applies;
  for (std::size_t place = 0; place < stripe.clock.size();) {
    Record& record = *stripe.clock[place];
    if (record.key() >= first && record.key() <= last) {
      // The last record takes its place.
      stripe.remove(record);
    } else {
      ++place;
    }
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
