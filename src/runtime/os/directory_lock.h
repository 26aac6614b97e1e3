#pragma once

// DirectoryLock: one process (and one opener within it) at a time has a database directory open.
//
//   PANDO_ASSIGN(auto lock, DirectoryLock::acquire(directory));
//
// The operating system frees the lock when the process ends, however it ends. Held until destroyed.

#include "base/bytes.h"
#include "base/status.h"

namespace pando::runtime {

class DirectoryLock {
 public:
  // Creates the lock file when missing. Errors: F0001 when another holds it, 58030/58P01 when the directory cannot be
  // used.
  static Result<DirectoryLock> acquire(const Bytes& directory);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace pando::runtime
