#pragma once

// MVCC: versioned keys as bytes, and reads by timestamp on top of a Reader.
//
// An engine stores a version under key ++ inverted timestamp (12 bytes), so that the newest version of a key comes
// first. Compare such keys with compare_versioned_keys, never as plain bytes: a key may be a prefix of another. Layouts
// are in docs/formats/keys.md and docs/formats/mvcc.md. Pure; any thread.

#include <optional>

#include "base/bytes.h"
#include "base/hlc.h"
#include "storage/engine.h"

namespace pando::storage {

inline constexpr std::size_t kVersionSuffixBytes = 12;

// The suffix orders later timestamps first.
void append_version_suffix(Bytes& key, HlcTimestamp timestamp);
Bytes encode_versioned_key(ByteView key, HlcTimestamp timestamp);
// False when `encoded` is too short to be a versioned key.
bool decode_versioned_key(ByteView encoded, ByteView& key, HlcTimestamp& timestamp);
// Orders by key, then the newest timestamp first. REQUIRES: both have a suffix.
int compare_versioned_keys(ByteView a, ByteView b);

// A stored version starts with one of these. Never renumber: on disk.
inline constexpr char kTombstoneTag = '\x00';
inline constexpr char kValueTag = '\x01';

// --- reads ---

// The value of `key` at `at`; none when there is no version or a tombstone.
Result<std::optional<Bytes>> get_at(const Reader& reader, ByteView key, HlcTimestamp at);
// The newest version of `key`, which may be a tombstone; none when there is no version at all.
Result<std::optional<Version>> newest_version(const Reader& reader, ByteView key);
// Whether any key of `span` has a version in (after, until].
Result<bool> changed_between(const Reader& reader, KeySpan span, HlcTimestamp after, HlcTimestamp until);

// A scan over any VersionIterator: engines without a faster way of their own use it, and tests compare with it.
std::unique_ptr<VersionScan> make_iterator_scan(std::unique_ptr<VersionIterator> iterator, VersionScanOptions options);

}  // namespace pando::storage
