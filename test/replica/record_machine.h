#pragma once

// RecordMachine: a small StateMachine for tests. A command is (operation id, key, value) and becomes the version of the
// key at the operation's id; beside it a digest per shard is chained over everything applied, so that an entry that is
// lost, repeated or out of order shows at the end.

#include <functional>
#include <map>
#include <optional>

#include "kv/replica/state_machine.h"
#include "storage/engine.h"

namespace pando::test {

struct RecordCommand {
  uint64_t operation = 0;
  Bytes key;
  Bytes value;
};
Bytes encode(const RecordCommand& command);

class RecordMachine final : public kv::StateMachine {
 public:
  explicit RecordMachine(storage::Engine& engine) : engine_(engine) {}

  Status apply(std::span<const kv::CommittedEntry> entries, const storage::WriteBatch& changes) override;
  void on_lease(ShardId shard, const kv::LeaseEvent& event) override;
  void on_shard(const kv::ShardEvent& event) override;
  Bytes handover(ShardId shard) override;

  // Asked before every apply; true makes it fail.
  std::function<bool()> fails;
  std::function<void(const kv::CommittedEntry&)> on_apply;

  const std::map<ShardId, kv::ShardDescriptor>& shards() const { return shards_; }
  // The term in which it serves, if it does.
  std::optional<uint64_t> serving(ShardId shard) const;
  bool last_lease_was_cooperative(ShardId shard) const {
    return cooperative_.contains(shard) && cooperative_.at(shard);
  }
  uint64_t handovers_applied() const { return handovers_applied_; }

 private:
  storage::Engine& engine_;
  std::map<ShardId, kv::ShardDescriptor> shards_;
  std::map<ShardId, uint64_t> serving_;
  std::map<ShardId, bool> cooperative_;
  uint64_t handovers_applied_ = 0;
};

// All that replicas of a shard must agree on, as text.
std::string contents(const storage::Reader& reader, const kv::ShardDescriptor& descriptor);

}  // namespace pando::test
