#pragma once

// The stores that every test of txn::Store runs on: the reference store, and kv's with one shard, several, without its
// record cache, and with transactions that outgrow memory at once.

#include <functional>

#include "test/txn/kv_node.h"
#include "txn/memory/memory_store.h"

namespace pando::test {

// A store under test with the locks and the timer it uses.
class StoreSubject {
 public:
  virtual ~StoreSubject() = default;
  virtual txn::Store& store() = 0;
  virtual txn::LockTable& locks() = 0;
  virtual ManualTimer& timer() = 0;
};

class MemorySubject final : public StoreSubject {
 public:
  txn::Store& store() override { return store_; }
  txn::LockTable& locks() override { return store_.locks(); }
  ManualTimer& timer() override { return timer_; }

 private:
  ManualTimer timer_;
  txn::MemoryStore store_{&timer_, {.transaction_bytes_max = 1_MiB}};
};

class KvSubject final : public StoreSubject {
 public:
  explicit KvSubject(std::size_t cache_bytes, std::vector<Bytes> splits, std::size_t spill_bytes = 64_MiB)
      : node_({.record_cache_bytes = cache_bytes,
               .spill_bytes = spill_bytes,
               .transaction_bytes_max = 1_MiB,
               .initial_splits = std::move(splits)}) {
    EXPECT_EQ(node_.open().to_string(), "OK");
  }
  txn::Store& store() override { return node_.store(); }
  txn::LockTable& locks() override { return node_.store().locks(); }
  ManualTimer& timer() override { return node_.timer(); }

 private:
  KvNode node_;
};

struct StoreVariant {
  const char* name;
  std::function<std::unique_ptr<StoreSubject>()> make;
};
inline void PrintTo(const StoreVariant& variant, std::ostream* out) { *out << variant.name; }

inline std::vector<StoreVariant> store_variants() {
  return {
      {"memory", [] { return std::make_unique<MemorySubject>(); }},
      {"kv", [] { return std::make_unique<KvSubject>(1_MiB, std::vector<Bytes>{}); }},
      {"kv_without_cache", [] { return std::make_unique<KvSubject>(0, std::vector<Bytes>{}); }},
      {"kv_three_shards", [] { return std::make_unique<KvSubject>(1_MiB, std::vector<Bytes>{"b", "c"}); }},
      // Every lock moves what was written before into a sorted run.
      {"kv_spilling", [] { return std::make_unique<KvSubject>(1_MiB, std::vector<Bytes>{}, 1); }},
      {"kv_spilling_three_shards", [] { return std::make_unique<KvSubject>(1_MiB, std::vector<Bytes>{"b", "c"}, 1); }},
  };
}

}  // namespace pando::test
