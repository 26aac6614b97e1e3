#pragma once

// Three servers of Debian's libraft over an I/O layer that keeps nothing and delivers at once, for raft_bench.

#include <cstddef>
#include <cstdint>
#include <memory>

namespace pando::bench {

// It takes a snapshot after this many entries and keeps this many behind it.
inline constexpr unsigned kSnapshotThreshold = 8192;
inline constexpr unsigned kSnapshotTrailing = 1024;

class LibraftCluster {
 public:
  LibraftCluster();
  ~LibraftCluster();
  LibraftCluster(const LibraftCluster&) = delete;
  LibraftCluster& operator=(const LibraftCluster&) = delete;

  // Proposes entries of `bytes` by `calls` calls, then runs until the leader has applied them.
  void commit(std::size_t calls, std::size_t entries_per_call, std::size_t bytes);
  uint64_t applied() const;

 private:
  struct Server;
  struct Cluster;
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace pando::bench
