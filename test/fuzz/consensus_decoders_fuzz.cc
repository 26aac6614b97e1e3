// libFuzzer target for the decoders of Raft messages, envelopes, liveness messages and journal values, and for replicas
// that get what decodes.
//   cmake --preset fuzz && cmake --build build/fuzz --target consensus_decoders_fuzz &&
//   build/fuzz/test/fuzz/consensus_decoders_fuzz

#include "consensus/multiraft/testing_decoders.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pando::multiraft::testing::exercise_decoders({reinterpret_cast<const char*>(data), size});
  return 0;
}
