#include "kv/shard.h"

#include <algorithm>

namespace pando::kv {
Router::Router(std::vector<ShardDescriptor> descriptors) {
  for (ShardDescriptor& descriptor : descriptors) {
    shards_.push_back(std::make_unique<Shard>(Shard{.descriptor = std::move(descriptor)}));
  }
  PANDO_ASSERT(!shards_.empty(), "the key space has at least one shard");
}

Shard& Router::find(ByteView key) {
  const auto after = std::ranges::upper_bound(
      shards_, key, {}, [](const std::unique_ptr<Shard>& shard) { return ByteView(shard->descriptor.start); });
  return **std::prev(after);
}

Result<std::vector<ShardDescriptor>> load_descriptors(const storage::Reader& reader) {
  std::vector<ShardDescriptor> descriptors;
  const auto iterator = reader.iterate({Bytes(kDescriptorKeyPrefix), prefix_end(kDescriptorKeyPrefix)});
  for (iterator->seek(kDescriptorKeyPrefix); iterator->valid(); iterator->next()) {
    PANDO_ASSIGN(auto descriptor, decode_descriptor(iterator->value()));
    descriptors.push_back(std::move(descriptor));
  }
  PANDO_TRY(iterator->status());
  std::ranges::sort(descriptors, {}, &ShardDescriptor::start);
  Bytes covered;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    const bool is_last = i + 1 == descriptors.size();
    if (descriptors[i].start != covered || descriptors[i].end.empty() != is_last) {
      return Status(sql_state::kDataCorrupted, "shard {} does not follow on the shard before it",
                    descriptors[i].id.number());
    }
    covered = descriptors[i].end;
  }
  return descriptors;
}

std::vector<ShardDescriptor> initial_descriptors(const std::vector<Bytes>& keys) {
  std::vector<ShardDescriptor> descriptors{{.id = ShardId(1)}};
  for (const Bytes& key : keys) {
    PANDO_ASSERT(key > descriptors.back().start, "split keys must rise");
    descriptors.back().end = key;
    descriptors.push_back({.id = ShardId(descriptors.size() + 1), .start = key});
  }
  return descriptors;
}

}  // namespace pando::kv
