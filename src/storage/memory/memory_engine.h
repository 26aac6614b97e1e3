#pragma once

// The memory engine: an Engine in a persistent ordered map. For tests, the simulator and databases without a directory.
//
//   auto engine = open_memory_engine({});
//
// A flush keeps the state of that moment; after_crash() gives a new engine in that state, as a restart would.

#include <memory>

#include "storage/engine.h"

namespace pando::storage {

struct MemoryEngineOptions {
  FlushedCallback on_flushed;
  // A flush happens by itself when this much was written since the last.
  uint64_t flush_bytes = 64_MiB;
};

class MemoryEngine : public Engine {
 public:
  // A new engine that holds what the last flush() kept. Usable while this one still serves.
  virtual std::unique_ptr<MemoryEngine> after_crash() const = 0;
};

std::unique_ptr<MemoryEngine> open_memory_engine(MemoryEngineOptions options);

}  // namespace pando::storage
