#include "storage/rocksdb/bulk_load.h"

#include "storage/mvcc.h"
#include "storage/rocksdb/new_table.h"
#include "storage/rocksdb/stored_key.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace pando::storage {
namespace {

constexpr ByteView kFilePrefix = "bulk-";

rocksdb::Options for_files(rocksdb::Options options) {
  // The files are large: compress them at the speed of the load.
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kDisableCompressionOption;
  return options;
}

}  // namespace

BulkLoad::BulkLoad(rocksdb::DB& db, rocksdb::Options options, Bytes directory)
    : db_(db), options_(for_files(std::move(options))), directory_(std::move(directory)) {
  std::vector<std::string> names;
  if (!options_.env->GetChildren(directory_, &names).ok()) {
    return;
  }
  for (const std::string& name : names) {
    if (name.starts_with(kFilePrefix)) {
      options_.env->DeleteFile(directory_ + "/" + name).PermitUncheckedError();
    }
  }
}

bool BulkLoad::add(const WriteBatch& batch) {
  const Bytes path = fmt::format("{}/{}{}.sst", directory_, kFilePrefix, next_file_.fetch_add(1));
  rocksdb::IngestExternalFileOptions how;
  how.move_files = true;
  // A memtable that has such keys would have to be flushed first: then it takes these, too.
  how.allow_blocking_flush = false;
  const bool added = write_file(batch, path) && db_.IngestExternalFile({path}, how).ok();
  options_.env->DeleteFile(path).PermitUncheckedError();
  return added;
}

bool BulkLoad::write_file(const WriteBatch& batch, const Bytes& path) {
  const auto file = new_table_writer(options_);
  if (!file->Open(path).ok()) {
    return false;
  }
  ByteView rest = batch.bytes();
  Bytes key;
  Bytes value;
  Bytes previous;
  for (WriteBatch::Change change; WriteBatch::next(rest, change);) {
    const bool tombstone = change.operation == WriteBatch::Operation::kPutTombstone;
    if (change.operation == WriteBatch::Operation::kPut) {
      continue;
    }
    if (!tombstone && change.operation != WriteBatch::Operation::kPutVersion) {
      return false;
    }
    key.assign(1, kVersionSpace);
    key.append(change.key);
    append_version_suffix(key, change.timestamp);
    if (!previous.empty() && compare_versioned_keys(previous, key) >= 0) {
      return false;
    }
    value.assign(1, tombstone ? kTombstoneTag : kValueTag);
    value.append(change.value);
    if (!file->Put(slice(key), slice(value)).ok()) {
      return false;
    }
    previous.swap(key);
  }
  return !previous.empty() && file->Finish().ok();
}

}  // namespace pando::storage
