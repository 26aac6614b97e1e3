#pragma once

// PosixDisk: runtime::Disk on the machine's file system. Its operations block the calling thread, so only dedicated
// executors (runtime/os/dedicated_executor.h) use it. Messages are worded as PostgreSQL's. Thread-safe.

#include "runtime/disk.h"

namespace pando::runtime {

class PosixDisk final : public Disk {
 public:
  Task<Result<std::unique_ptr<File>>> open(Bytes path, OpenMode mode) override;
  Task<Status> create_directory(Bytes path) override;
  Task<Result<std::vector<Bytes>>> list(Bytes directory) override;
  Task<Status> remove(Bytes path) override;
  Task<Status> rename(Bytes from, Bytes to) override;
  Task<Status> sync_directory(Bytes directory) override;
};

// The Status of a failed system call: `what` is PostgreSQL's wording, such as `could not open file "x"`. 53100 when the
// disk is full, 58P01 when there is no such file, else 58030.
Status status_of_errno(int error, Bytes what);

}  // namespace pando::runtime
