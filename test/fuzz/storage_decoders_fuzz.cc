// libFuzzer target for the decoders of the journal, write batches and versioned keys.
//   cmake --preset fuzz && cmake --build build/fuzz --target storage_decoders_fuzz &&
//   build/fuzz/test/fuzz/storage_decoders_fuzz

#include "storage/testing_decoders.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pando::storage::testing::exercise_decoders({reinterpret_cast<const char*>(data), size});
  return 0;
}
