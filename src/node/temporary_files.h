#pragma once

// TemporaryFiles: where queries put what does not fit in memory: files in a directory of the node's, which is emptied
// when the node opens. Thread-safe.

#include <atomic>

#include "runtime/disk.h"
#include "sql/exec/context.h"

namespace pando::node {

class TemporaryFiles final : public sql::exec::TemporaryStorage {
 public:
  // REQUIRES: `disk` outlives this object and its files.
  TemporaryFiles(runtime::Disk& disk, Bytes directory) : disk_(disk), directory_(std::move(directory)) {}

  // Makes the directory, and removes what a crash left in it.
  Task<Status> open();
  Task<Result<std::unique_ptr<runtime::File>>> create() override;

 private:
  runtime::Disk& disk_;
  const Bytes directory_;
  std::atomic<uint64_t> next_{0};
};

}  // namespace pando::node
