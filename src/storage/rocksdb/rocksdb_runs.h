#pragma once

// Sorted runs as RocksDB table files, in a directory of their own; and how their contents become part of a database.
// Part of RocksDbEngine.
//
// A write is stored as a version whose timestamp is the write's number, so runs and state share keys, comparator and
// bloom filters (docs/formats/runs.md).

#include <span>

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include "storage/sorted_run.h"

namespace pando::storage {

class RocksDbRuns final : public RunStore {
 public:
  // `directory` is created when missing. `options` are those of the database: environment, comparator, table format.
  // Errors: 58030 when the directory cannot be made.
  static Result<std::unique_ptr<RocksDbRuns>> open_directory(Bytes directory, rocksdb::Options options);

  Result<std::unique_ptr<SortedRunWriter>> create(RunId id) override;
  Result<std::unique_ptr<SortedRun>> open(RunId id) override;
  Status remove(RunId id) override;
  Result<std::vector<RunId>> list() override;

  // See Engine::ingest.
  Status ingest(rocksdb::DB& db, std::span<IngestSource* const> sources, HlcTimestamp at);

 private:
  RocksDbRuns(Bytes directory, rocksdb::Options options)
      : directory_(std::move(directory)), options_(std::move(options)) {}

  Bytes path(RunId id) const;
  // The tables of one source.
  struct Tables {
    std::string name;
    std::vector<std::string> paths;
    Status status;
  };
  std::vector<Tables> write_all(std::span<IngestSource* const> sources, HlcTimestamp at);
  Status write_tables(IngestSource& source, HlcTimestamp at, Tables& tables);
  Status write_table(IngestSource& source, HlcTimestamp at, const std::string& path);

  const Bytes directory_;
  const rocksdb::Options options_;
};

}  // namespace pando::storage
