// libFuzzer target for the entries of a shard's log and shard descriptors.
//   cmake --preset fuzz && cmake --build build/fuzz --target kv_decoders_fuzz && build/fuzz/test/fuzz/kv_decoders_fuzz

#include "base/assert.h"
#include "kv/commit_record.h"
#include "kv/shard.h"

namespace pando::kv {
namespace {

void exercise_record(ByteView bytes) {
  auto record = CommitRecord::decode(bytes);
  if (!record.ok()) {
    PANDO_ASSERT(record.status().is(sql_state::kDataCorrupted), "malformed bytes are damage");
    return;
  }
  Bytes encoded;
  if (record->is_bulk()) {
    PANDO_ASSERT(!record->parts().empty(), "a bulk record names runs");
    encoded = encode_bulk_record(record->transaction(), record->shard_generation(), record->parts());
  } else {
    CommitRecordBuilder builder(record->transaction(), record->shard_generation(), bytes.size());
    CommitRecord rest = *record;
    for (CommitRecord::Change change; rest.next(change);) {
      change.value.has_value() ? builder.put(change.key, *change.value) : builder.erase(change.key);
    }
    encoded = std::move(builder).finish();
  }
  set_commit_timestamp(encoded, record->timestamp());
  // Varints may be written longer than needed, so only what is encoded again need be equal.
  const auto again = CommitRecord::decode(encoded);
  PANDO_ASSERT(again.ok(), "an encoded record decodes");
  PANDO_ASSERT(again->timestamp() == record->timestamp(), "to the same timestamp");
  PANDO_ASSERT(again->transaction() == record->transaction(), "to the same transaction");
  PANDO_ASSERT(again->parts() == record->parts(), "to the same runs");
}

void exercise_descriptor(ByteView bytes) {
  const auto descriptor = decode_descriptor(bytes);
  if (descriptor.ok()) {
    const auto again = decode_descriptor(encode_descriptor(*descriptor));
    PANDO_ASSERT(again.ok() && *again == *descriptor, "encoding is a function of the descriptor");
  }
}

}  // namespace
}  // namespace pando::kv

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pando::ByteView bytes(reinterpret_cast<const char*>(data), size);
  pando::kv::exercise_record(bytes);
  pando::kv::exercise_descriptor(bytes);
  return 0;
}
