#pragma once

// Descriptors to bytes and back. Format: docs/formats/descriptors.md. Pure.

#include "base/bytes.h"
#include "base/status.h"
#include "catalog/descriptor.h"
#include "catalog/jobs.h"

namespace pando::catalog {

// The kind byte in a descriptor's key. Never renumber.
enum class DescriptorKind : uint8_t { kSchema = 1, kTable = 2, kSequence = 3, kRole = 4, kType = 5 };

Bytes encode(const SchemaDescriptor& schema);
Bytes encode(const TableDescriptor& table);
Bytes encode(const SequenceDescriptor& sequence);
Bytes encode(const RoleDescriptor& role);
Bytes encode(const TypeDescriptor& type);
Bytes encode(const TableStatistics& statistics);
Bytes encode(const Job& job);

// XX001 for bytes that no encode() wrote, 0A000 for a format version from a newer Pando.
Result<SchemaDescriptor> decode_schema(ByteView bytes);
Result<TableDescriptor> decode_table(ByteView bytes);
Result<SequenceDescriptor> decode_sequence(ByteView bytes);
Result<RoleDescriptor> decode_role(ByteView bytes);
Result<TypeDescriptor> decode_type(ByteView bytes);
Result<TableStatistics> decode_statistics(ByteView bytes);
Result<Job> decode_job(ByteView bytes);

}  // namespace pando::catalog
