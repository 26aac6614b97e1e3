#pragma once

// IngestedWalk: what the engine takes in of a bulk commit, in the order of keys. On the way it sees to the record
// cache. Of keys that begin as none in the engine does - a new index, a table that was empty - nobody can know older
// versions: those rows come in while they pass. Of other keys it only remembers where they are.
//
//   IngestedWalk walk(contents.walk(span), engine, at, &upkeep);
//   PANDO_TRY(engine.ingest({&walk}, at));
//   PANDO_TRY(walk.status());
//   for (KeyRange& range : walk.take_replaced()) cache.forget(...);       // then they may be warmed
//   upkeep.warm(walk.take_left());                                        // once they are visible
//
// One thread at a time. What it is given outlives it.

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/key_value_batch.h"
#include "kv/cache_upkeep.h"
#include "kv/record_cache.h"
#include "storage/engine.h"
#include "txn/overlay_cursor.h"

namespace pando::kv {

class IngestedWalk final : public storage::IngestSource {
 public:
  // The engine gets versions at `at`. Without a cache nothing is remembered.
  IngestedWalk(std::unique_ptr<txn::OverlayWalk> walk, const storage::Reader& engine, RecordCache* cache,
               HlcTimestamp at, std::span<const txn::Span> expected_reads);

  bool valid() const override { return walk_->valid(); }
  ByteView key() const override { return walk_->write().key; }
  std::optional<ByteView> value() const override { return walk_->write().value; }
  Status next() override;

  Status status() const { return walk_->status(); }
  // Once it is at its end: ranges of keys whose older versions the cache may have.
  std::vector<KeyRange> take_replaced() { return std::move(replaced_); }
  // Likewise: ranges of new keys that have not come in.
  std::vector<KeyRange> take_left() { return std::move(left_); }

 private:
  void note();
  void begin_prefix();
  bool is_expected(ByteView key) const;
  // Those that are together.
  void bring_in();

  const std::unique_ptr<txn::OverlayWalk> walk_;
  const storage::Reader& engine_;
  RecordCache* const cache_;
  const HlcTimestamp at_;
  const std::span<const txn::Span> expected_reads_;
  Bytes prefix_;
  // Whether nothing in the engine begins with prefix_.
  bool is_new_ = false;
  // Whether rows with prefix_ come in.
  bool bringing_in_ = false;
  KeyValueBatch rows_;
  std::vector<KeyRange> replaced_;
  std::vector<KeyRange> left_;
};

}  // namespace pando::kv
