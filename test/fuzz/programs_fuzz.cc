// Whatever bytes another node sends, programs and their output decode or are refused; a program that decodes encodes
// again.

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "sql/exec/program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace pando::sql::exec;
  const pando::ByteView bytes(reinterpret_cast<const char*>(data), size);
  if (const auto program = decode_program(bytes); program.ok()) {
    PANDO_ASSERT(encode_program(*program).ok(), "what was read can be written");
  }
  pando::ByteView output = bytes;
  pando::types::Chunk rows;
  while (take_rows(output, rows).value_or(false)) {
  }
  return 0;
}
