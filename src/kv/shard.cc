#include "kv/shard.h"

#include <algorithm>

#include "base/codec.h"

namespace pando::kv {
namespace {

// On disk: never renumber.
constexpr uint8_t kDescriptorVersion = 1;

Status damaged_descriptor() { return Status(sql_state::kDataCorrupted, "damaged shard descriptor"); }

}  // namespace

Bytes encode_descriptor(const ShardDescriptor& descriptor) {
  Bytes bytes;
  bytes.push_back(static_cast<char>(kDescriptorVersion));
  put_varint(bytes, descriptor.id.number());
  put_varint(bytes, descriptor.generation);
  put_length_prefixed(bytes, descriptor.start);
  put_length_prefixed(bytes, descriptor.end);
  return bytes;
}

Result<ShardDescriptor> decode_descriptor(ByteView bytes) {
  ByteReader reader(bytes);
  uint8_t version = 0;
  uint64_t id = 0;
  ByteView start;
  ByteView end;
  ShardDescriptor descriptor;
  if (!reader.fixed8(version) || version != kDescriptorVersion || !reader.varint(id) ||
      !reader.varint(descriptor.generation) || !reader.length_prefixed(start) || !reader.length_prefixed(end) ||
      !reader.empty()) {
    return damaged_descriptor();
  }
  descriptor.id = ShardId(id);
  descriptor.start = start;
  descriptor.end = end;
  return descriptor;
}

Bytes descriptor_key(ShardId shard) {
  Bytes key(kDescriptorKeyPrefix);
  append_ordered_uint64(key, shard.number());
  return key;
}

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
