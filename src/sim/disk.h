#pragma once

// Disk: the files of one machine. They outlive its processes; what a process wrote and did not sync may not.
//
//   MachineDisk machine(world, options);
//   auto disk = machine.attach();            // a runtime::Disk for one life of the process
//   machine.crash();                         // its pending operations fail, unsynced writes are lost, torn, or kept
//
// Time passes for every operation. A stall holds all of them until it is over; while `error` or `full` is set, writes
// and syncs fail with 58030 or 53100. A sync that fails may have forgotten what it was to write, as in kernels: a later
// one succeeds without it. flip_bit changes what is on the platter: the reader's checksums must notice.

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "runtime/disk.h"
#include "sim/world.h"

namespace pando::sim {

struct DiskOptions {
  uint64_t read_ns = 20'000;
  uint64_t write_ns = 10'000;
  uint64_t sync_ns = 100'000;
  // An operation takes up to this many times as long.
  uint64_t variation = 4;
  // Whether an error is one of reads as well.
  bool reads_fail = false;
};

class MachineDisk {
 public:
  MachineDisk(World& world, const DiskOptions& options);
  ~MachineDisk();
  MachineDisk(const MachineDisk&) = delete;
  MachineDisk& operator=(const MachineDisk&) = delete;

  // REQUIRES: no process is attached, or it has crashed. The Disk lives as long as the MachineDisk.
  runtime::Disk& attach();
  void crash();

  void stall_until(uint64_t time_ns) { stalled_until_ns_ = std::max(stalled_until_ns_, time_ns); }
  void set_error(bool error) { error_ = error; }
  void set_full(bool full) { full_ = full; }
  void heal();
  // Flips a bit in the first half of some file that has been synced. Returns whether there was one.
  bool flip_bit();
  void erase_everything();

 private:
  class Process;
  class OpenFile;
  struct PendingWrite {
    uint64_t offset = 0;
    Bytes bytes;
    // Instead of writing, sets the size to `offset`.
    bool resize = false;
  };
  struct Inode {
    Bytes cached;
    Bytes durable;
    std::vector<PendingWrite> pending;
  };
  using Names = std::map<Bytes, std::shared_ptr<Inode>>;

  static void apply(const PendingWrite& write, Bytes& content);
  // Whether a sync that fails now forgets what it was to write.
  bool forgets();
  void lose_unsynced(Inode& inode);

  World& world_;
  DiskOptions options_;
  uint64_t stalled_until_ns_ = 0;
  bool error_ = false;
  bool full_ = false;
  Names names_;
  Names durable_names_;
  std::vector<std::unique_ptr<Process>> processes_;
};

}  // namespace pando::sim
