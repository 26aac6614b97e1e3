#include "storage/rocksdb/rocksdb_import.h"

#include <array>

#include <fmt/format.h>

#include "base/mutex.h"
#include "storage/rocksdb/new_table.h"
#include "storage/rocksdb/rocksdb_error.h"
#include "storage/rocksdb/stored_key.h"
#include "storage/rocksdb/versioned_comparator.h"

namespace pando::storage {
namespace {

constexpr uint64_t kFileBytes = 64_MiB;

std::string import_directory(const rocksdb::DB& db) { return db.GetName() + "/import"; }

class RocksDbImport final : public SpanImport {
 public:
  RocksDbImport(rocksdb::DB& db, uint64_t number, std::function<void(ByteView)> on_plain)
      : db_(db), options_(db.GetOptions()), number_(number), on_plain_(std::move(on_plain)) {
    // Whether a file is bottommost is not known here; a compaction will see to it.
    options_.bottommost_compression = rocksdb::kDisableCompressionOption;
  }
  ~RocksDbImport() override {
    writer_.reset();
    for (const std::string& path : paths_) {
      // Gone already once the database has taken it.
      db_.GetEnv()->DeleteFile(path).PermitUncheckedError();
    }
  }
  RocksDbImport(const RocksDbImport&) = delete;
  RocksDbImport& operator=(const RocksDbImport&) = delete;

  Status put(ByteView key, ByteView value) override {
    PANDO_TRY(want_file(kPlainSpace));
    on_plain_(key);
    return status_of(writer_->Put(stored_plain_key(key), slice(value)));
  }

  Status put_version(ByteView key, HlcTimestamp timestamp, bool tombstone, ByteView value) override {
    PANDO_TRY(want_file(kVersionSpace));
    value_.assign(1, tombstone ? kTombstoneTag : kValueTag);
    value_.append(value);
    return status_of(writer_->Put(stored_key(kVersionSpace, key, timestamp), value_));
  }

  Status finish(const std::vector<KeySpan>& plain, const std::vector<KeySpan>& versions) override {
    PANDO_TRY(finish_file());
    const std::vector<std::string> contents = paths_;
    PANDO_TRY(open_file());
    for (const KeySpan& span : plain) {
      PANDO_TRY(status_of(writer_->DeleteRange(stored_plain_key(span.start), stored_end(kPlainSpace, span.end))));
    }
    for (const KeySpan& span : versions) {
      PANDO_TRY(status_of(
          writer_->DeleteRange(stored_bound(kVersionSpace, span.start), stored_end(kVersionSpace, span.end))));
    }
    PANDO_TRY(finish_file());
    // Files that overlap take effect in the order in which they are named.
    std::vector<std::string> files{paths_.back()};
    files.insert(files.end(), contents.begin(), contents.end());
    rocksdb::FlushOptions flush;
    flush.allow_write_stall = true;
    // Whatever was written before is part of the state that survives a crash, or this must not be.
    PANDO_TRY(status_of(db_.Flush(flush)));
    rocksdb::IngestExternalFileOptions ingest;
    ingest.move_files = true;
    return status_of(db_.IngestExternalFile(files, ingest));
  }

 private:
  Status open_file() {
    paths_.push_back(fmt::format("{}/{}-{}.sst", import_directory(db_), number_, paths_.size()));
    writer_ = new_table_writer(options_, db_.DefaultColumnFamily());
    return status_of(writer_->Open(paths_.back()));
  }

  // A file holds one key space, so that those with versions need not overlap with anything.
  Status want_file(char space) {
    if (writer_ != nullptr && (space != space_ || writer_->FileSize() >= kFileBytes)) {
      PANDO_TRY(finish_file());
    }
    space_ = space;
    return writer_ == nullptr ? open_file() : Status();
  }

  Status finish_file() {
    if (writer_ == nullptr) {
      return Status();
    }
    const rocksdb::Status finished = writer_->Finish();
    writer_.reset();
    return status_of(finished);
  }

  rocksdb::DB& db_;
  rocksdb::Options options_;
  const uint64_t number_;
  const std::function<void(ByteView)> on_plain_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;
  char space_ = kPlainSpace;
  std::vector<std::string> paths_;
  std::string value_;
};

}  // namespace

Result<std::unique_ptr<SpanImport>> open_import(rocksdb::DB& db, uint64_t number,
                                                std::function<void(ByteView)> on_plain) {
  PANDO_TRY(status_of(db.GetEnv()->CreateDirIfMissing(import_directory(db))));
  return std::unique_ptr<SpanImport>(std::make_unique<RocksDbImport>(db, number, std::move(on_plain)));
}

Status clean_imports(rocksdb::DB& db) {
  std::vector<std::string> names;
  if (!db.GetEnv()->GetChildren(import_directory(db), &names).ok()) {
    // There is no such directory before the first import.
    return Status();
  }
  for (const std::string& name : names) {
    if (name.ends_with(".sst")) {
      PANDO_TRY(status_of(db.GetEnv()->DeleteFile(import_directory(db) + "/" + name)));
    }
  }
  return Status();
}

}  // namespace pando::storage
