#pragma once

// Disk: files, as an interface, so that the simulator can lose, tear, stall and corrupt what is written.
//
// What a write returns is only in the cache of the machine; sync() makes it durable. After an error from sync() the
// file's unsynced contents are unknown and a second sync() proves nothing (the fsyncgate lesson): treat them as lost.
// ENOSPC is 53100, any other I/O error 58030. Thread-safety: one coroutine at a time per File; a Disk is thread-safe.
// In production these run on the caller's thread and may block it, so only dedicated executors call them.

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "runtime/task.h"

namespace pando::runtime {

class File {
 public:
  virtual ~File() = default;
  // Reads up to `size` bytes at `offset`; fewer at the end of the file.
  virtual Task<Result<Bytes>> read(uint64_t offset, std::size_t size) = 0;
  // Writes all of `bytes` at `offset`, extending the file where needed.
  virtual Task<Status> write(uint64_t offset, Bytes bytes) = 0;
  // Reserves and zeroes the file up to `size`, so that later writes need no metadata change to become durable.
  virtual Task<Status> allocate(uint64_t size) = 0;
  virtual Task<Status> truncate(uint64_t size) = 0;
  // Makes the file's contents durable (fdatasync).
  virtual Task<Status> sync() = 0;
  virtual Task<Result<uint64_t>> size() = 0;
};

enum class OpenMode {
  // Asks for no right to write. REQUIRES: nothing is written.
  kReadOnly,
  kExisting,
  kCreate,
  kCreateOrOpen,
};
inline bool must_exist(OpenMode mode) { return mode == OpenMode::kReadOnly || mode == OpenMode::kExisting; }

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Task<Result<std::unique_ptr<File>>> open(Bytes path, OpenMode mode) = 0;
  virtual Task<Status> create_directory(Bytes path) = 0;
  // Names, without the directory, in byte order.
  virtual Task<Result<std::vector<Bytes>>> list(Bytes directory) = 0;
  virtual Task<Status> remove(Bytes path) = 0;
  virtual Task<Status> rename(Bytes from, Bytes to) = 0;
  // Makes creations, removals and renames in `directory` durable.
  virtual Task<Status> sync_directory(Bytes directory) = 0;
};

}  // namespace pando::runtime
