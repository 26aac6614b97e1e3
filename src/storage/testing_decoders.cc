#include "storage/testing_decoders.h"

#include "base/assert.h"
#include "storage/journal_format.h"
#include "storage/mvcc.h"
#include "storage/write_batch.h"

namespace pando::storage::testing {
namespace {

// Equal records have equal encodings; varints may be written longer than needed, so the input need not be equal.
void exercise_records(ByteView bytes) {
  JournalRecord record;
  while (!bytes.empty() && next_record(bytes, record)) {
    Bytes encoded;
    append_record(encoded, record);
    JournalRecord again;
    ByteView rest(encoded);
    PANDO_ASSERT(next_record(rest, again), "an encoded record decodes");
    PANDO_ASSERT(rest.empty(), "a record is read to its end");
    Bytes encoded_again;
    append_record(encoded_again, again);
    PANDO_ASSERT(encoded == encoded_again, "encoding is a function of the record");
  }
}

void exercise_groups(ByteView bytes) {
  constexpr uint64_t kSegment = 1;
  GroupView group;
  for (uint64_t offset = 0; offset < bytes.size(); offset += kGroupAlignment) {
    if (read_group(bytes, offset, kSegment, group)) {
      PANDO_ASSERT(group.payload.data() + group.payload.size() <= bytes.data() + bytes.size(), "inside the input");
      exercise_records(group.payload);
    }
  }
  const uint64_t found = find_group(bytes, 0, kSegment, 0);
  PANDO_ASSERT(found <= bytes.size(), "inside the input");
  PANDO_ASSERT(group_bytes(bytes) >= kGroupHeaderBytes, "at least a header");
}

void exercise_batch(ByteView bytes) {
  const auto batch = WriteBatch::decode(bytes);
  if (!batch.ok()) {
    PANDO_ASSERT(batch.status().is(sql_state::kDataCorrupted), "malformed bytes are damage");
    return;
  }
  std::size_t count = 0;
  ByteView rest(batch->bytes());
  for (WriteBatch::Change change; WriteBatch::next(rest, change);) {
    ++count;
  }
  PANDO_ASSERT(count == batch->count(), "a batch holds what it counted");
}

void exercise_keys(ByteView bytes) {
  ByteView key;
  HlcTimestamp timestamp;
  if (decode_versioned_key(bytes, key, timestamp)) {
    PANDO_ASSERT(encode_versioned_key(key, timestamp) == bytes, "a versioned key has one encoding");
    PANDO_ASSERT(compare_versioned_keys(bytes, bytes) == 0, "a key equals itself");
    const Bytes newer = encode_versioned_key(key, HlcTimestamp::max());
    PANDO_ASSERT(compare_versioned_keys(newer, bytes) <= 0, "newer versions come first");
  }
  decode_applied(bytes).status().ignore("only that it does not read outside its input");
}

}  // namespace

void exercise_decoders(ByteView bytes) {
  exercise_records(bytes);
  exercise_groups(bytes);
  exercise_batch(bytes);
  exercise_keys(bytes);
}

}  // namespace pando::storage::testing
