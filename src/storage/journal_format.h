#pragma once

// The journal's bytes: records inside groups inside segment files. docs/formats/journal.md is the specification.
//
//   group := header (32 bytes) payload padding to kGroupAlignment
//   header := magic u32, checksum u32, payload size u32, zero u32, segment u64, sequence u64      (little-endian)
//   payload := record*
//
// The checksum covers the header behind it and the payload. A recycled file still holds groups of its former life; they
// name another segment, so they are not taken for groups of this one. Pure; any thread.

#include <cstdint>

#include "base/bytes.h"
#include "base/ids.h"
#include "storage/journal.h"

namespace pando::storage {

inline constexpr std::size_t kGroupHeaderBytes = 32;
// Groups start on sector boundaries, so writing one never touches a sector of another.
inline constexpr std::size_t kGroupAlignment = 512;
inline constexpr uint32_t kGroupMagic = 0x31474a50;  // "PJG1"
inline constexpr uint64_t kGroupPayloadBytesMax = 1_GiB;

// Never renumber: on disk.
enum class RecordKind : uint8_t {
  kEntry = 1,
  kHardState = 2,
  kPromise = 3,
  kTruncate = 4,
  kRemove = 5,
  // The state of one shard when a segment begins; every segment begins with one for each shard.
  kCheckpoint = 6,
  // The journal was closed in order: nothing before this record can be a torn tail.
  kClosed = 7,
};

// A position in a shard's log.
struct LogPosition {
  uint64_t index = 0;
  uint64_t term = 0;
  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

struct JournalRecord {
  RecordKind kind = RecordKind::kClosed;
  ShardId shard;
  JournalEntry entry;       // kEntry
  HardState hard_state;     // kHardState, kCheckpoint
  LivenessPromise promise;  // kPromise
  LogPosition start;        // kTruncate, kCheckpoint: the log begins after this
  LogPosition last;         // kCheckpoint
};

void append_record(Bytes& out, const JournalRecord& record);
// Takes the record at the front of `rest` off; false when there is none or it is malformed (then `rest` is not empty).
bool next_record(ByteView& rest, JournalRecord& record);

// Makes a group of what follows kGroupHeaderBytes reserved bytes in `group`: fills the header in and pads.
void seal_group(Bytes& group, uint64_t segment, uint64_t sequence);

struct GroupView {
  uint64_t sequence = 0;
  ByteView payload;
  // With header and padding.
  uint64_t size = 0;
};

// The size of the group that begins with `header`; kGroupHeaderBytes when that is not a header.
uint64_t group_bytes(ByteView header);

// Reads the group at `offset` of a segment's contents; false when there is no whole, undamaged group of this segment.
bool read_group(ByteView contents, uint64_t offset, uint64_t segment, GroupView& group);
// The first offset at or after `offset` where a group with at least this sequence number begins; none: the contents'
// size.
uint64_t find_group(ByteView contents, uint64_t offset, uint64_t segment, uint64_t sequence_min);

}  // namespace pando::storage
