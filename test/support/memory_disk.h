#pragma once

// MemoryDisk: a Disk in memory for tests, which can crash, fill up, fail and be damaged.
//
//   MemoryDisk disk;
//   disk.set_fault([](MemoryDisk::Operation op, const Bytes& path) { return Status(); });   // an error fails the call
//   disk.crash(&prng);          // what was not synced is lost, or torn by sectors when a generator is given
//
// A sync that fails forgets what it was to write, as kernels do: a later one succeeds without it.
//
//   disk.contents("d/file")[7] ^= 1;
//
// Thread-safe, except contents().

#include <functional>
#include <map>
#include <vector>

#include "base/mutex.h"
#include "base/prng.h"
#include "runtime/disk.h"

namespace pando::test {

class MemoryDisk final : public runtime::Disk {
 public:
  enum class Operation { kOpen, kRead, kWrite, kAllocate, kTruncate, kSync, kSyncDirectory, kRemove, kRename };
  using Fault = std::function<Status(Operation, const Bytes& path)>;

  // Called before every operation; what it returns, if not OK, is the outcome.
  void set_fault(Fault fault);
  // Writes and allocations that need more than this in total fail with 53100.
  void set_capacity(uint64_t bytes);
  // Back to what is durable. With a generator each unsynced sector may survive or not, by chance.
  void crash(Prng* prng);
  // The current bytes of a file, to look at or to damage. REQUIRES: it exists.
  Bytes& contents(const Bytes& path);

  Task<Result<std::unique_ptr<runtime::File>>> open(Bytes path, runtime::OpenMode mode) override;
  Task<Status> create_directory(Bytes path) override;
  Task<Result<std::vector<Bytes>>> list(Bytes directory) override;
  Task<Status> remove(Bytes path) override;
  Task<Status> rename(Bytes from, Bytes to) override;
  Task<Status> sync_directory(Bytes directory) override;

 private:
  struct Range {
    uint64_t offset = 0;
    std::size_t size = 0;
  };
  struct Contents {
    Bytes current;
    Bytes durable;
    // Written and not synced.
    std::vector<Range> dirty;
  };
  class OpenFile;
  using Names = std::map<Bytes, std::shared_ptr<Contents>>;

  Status fault(Operation operation, const Bytes& path);
  Status grow(const Bytes& path, Contents& contents, uint64_t size) PANDO_REQUIRES(mutex_);

  Mutex mutex_;
  Names names_ PANDO_GUARDED_BY(mutex_);
  Names durable_names_ PANDO_GUARDED_BY(mutex_);
  Fault fault_ PANDO_GUARDED_BY(mutex_);
  uint64_t capacity_ PANDO_GUARDED_BY(mutex_) = UINT64_MAX;
};

}  // namespace pando::test
