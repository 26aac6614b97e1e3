// libFuzzer target for the decoders of replica hosts: entries, journal records, descriptors, messages.
//   cmake --preset fuzz && cmake --build build/fuzz --target replica_decoders_fuzz &&
//   build/fuzz/test/fuzz/replica_decoders_fuzz

#include "kv/replica/testing_decoders.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pando::kv::testing::exercise_decoders({reinterpret_cast<const char*>(data), size});
  return 0;
}
