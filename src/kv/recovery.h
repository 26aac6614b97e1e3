#pragma once

// Recovery: applies to the engine what the journal holds beyond each shard's applied index.

#include <unordered_map>

#include "kv/applier.h"
#include "kv/shard.h"
#include "storage/journal.h"

namespace pando::kv {

class Recovery final : public storage::JournalVisitor {
 public:
  // Learns where each shard stands. Errors: the engine's.
  static Result<Recovery> start(storage::Engine& engine, Router& router);

  Status on_entry(ShardId shard, const storage::JournalEntry& entry) override;
  // Writes what is left. To be called once the journal is open.
  Status finish();

  const HighWaterMarks& marks() const { return applier_.marks(); }
  uint64_t replayed_entries() const { return replayed_entries_; }

 private:
  Recovery(storage::Engine& engine, Router& router, HighWaterMarks marks)
      : engine_(engine), router_(router), applier_(engine, nullptr, marks) {}

  Status apply_bulk(ShardId shard, uint64_t index, const CommitRecord& record);

  storage::Engine& engine_;
  Router& router_;
  Applier applier_;
  // The applied index of each shard.
  std::unordered_map<ShardId, uint64_t> applied_;
  uint64_t replayed_entries_ = 0;
};

}  // namespace pando::kv
