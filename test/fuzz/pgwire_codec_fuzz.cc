// libFuzzer target for the protocol decoders: any bytes, all three streams.
//   cmake --preset fuzz && cmake --build build/fuzz --target pgwire_codec_fuzz &&
//   build/fuzz/test/fuzz/pgwire_codec_fuzz

#include "pgwire/codec/testing_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pando::pgwire::testing::exercise_decoders({reinterpret_cast<const char*>(data), size});
  return 0;
}
