#pragma once

// Where things lie in the ordered key space: [table id][index id][ordered columns...], ids as big-endian 32-bit
// numbers. Table ids below kFirstUserTable belong to the system. Format: docs/formats/keys.md.

#include "base/bytes.h"
#include "base/codec.h"
#include "catalog/descriptor.h"

namespace pando::catalog {

inline constexpr TableId kDescriptorTable{1};      // [database oid][kind][oid] -> descriptor
inline constexpr TableId kCounterTable{2};         // [name] -> number
inline constexpr TableId kSequenceTable{3};        // [sequence oid] -> state
inline constexpr TableId kTableLockTable{4};       // [table oid]: never written, only locked
inline constexpr TableId kNameLockTable{5};        // [schema oid][name]: never written, only locked
inline constexpr TableId kStatisticsTable{6};      // [database oid][table oid] -> TableStatistics; see statistics_key()
inline constexpr TableId kNodeTable{7};            // [node id] -> what is known of a member of the cluster
inline constexpr TableId kDatabaseTable{8};        // [name] -> database oid, of all databases but the first
inline constexpr TableId kJobTable{9};             // [database oid][job id] -> Job
inline constexpr TableId kAdvisoryLockTable{10};   // [database oid][class][object][kind] -> nodes that hold it
inline constexpr TableId kAdvisoryLeaseTable{11};  // [node id] -> until when it holds what it holds
inline constexpr TableId kFirstUserTable{100};

inline constexpr std::size_t kIndexPrefixBytes = 8;

inline void append_index_prefix(Bytes& key, TableId table, IndexId index) {
  append_ordered_uint32(key, table.number());
  append_ordered_uint32(key, index.number());
}
inline Bytes index_prefix(TableId table, IndexId index) {
  Bytes key;
  append_index_prefix(key, table, index);
  return key;
}
// Every key of a table: all its indexes.
inline Bytes table_prefix(TableId table) {
  Bytes key;
  append_ordered_uint32(key, table.number());
  return key;
}

// What table 6 has for each analyzed table: what ANALYZE found; when that was put there, as a fixed64; and a key that
// is never written, only locked.
inline constexpr IndexId kStatisticsStampIndexId{2};
inline constexpr IndexId kStatisticsClaimIndexId{3};
inline Bytes statistics_prefix(IndexId index, Oid database) {
  Bytes key = index_prefix(kStatisticsTable, index);
  append_ordered_uint32(key, database);
  return key;
}
inline Bytes statistics_key(IndexId index, Oid database, Oid table) {
  Bytes key = statistics_prefix(index, database);
  append_ordered_uint32(key, table);
  return key;
}

// Statements lock this key of each table they use with kKeyShare; statements that change the table take kUpdate.
inline Bytes table_lock_key(Oid table) {
  Bytes key = index_prefix(kTableLockTable, kRowIndexId);
  append_ordered_uint32(key, table);
  return key;
}
// Whoever creates or renames an object locks its name, so that two transactions cannot make the same one.
inline Bytes name_lock_key(Oid schema, std::string_view name) {
  Bytes key = index_prefix(kNameLockTable, kRowIndexId);
  append_ordered_uint32(key, schema);
  append_ordered_bytes(key, name);
  return key;
}

}  // namespace pando::catalog
