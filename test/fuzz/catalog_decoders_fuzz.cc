// Foreign bytes into the decoders of the catalog: descriptors, statistics and jobs. The first byte chooses the decoder.
// What decodes encodes, and that decodes to the same bytes again.

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "catalog/descriptor_codec.h"

namespace {

using pando::Bytes;
using pando::ByteView;

template <typename Decode>
void fuzz(Decode decode, ByteView bytes) {
  const auto descriptor = decode(bytes);
  if (!descriptor.ok()) {
    return;
  }
  const Bytes written = encode(*descriptor);
  const auto again = decode(written);
  PANDO_ASSERT(again.ok(), "what was written can be read");
  PANDO_ASSERT(encode(*again) == written, "reading loses nothing");
}

void fuzz_job(ByteView bytes) {
  if (const auto job = pando::catalog::decode_job(bytes); job.ok()) {
    job->error().ignore("only that it returns");
  }
  fuzz(pando::catalog::decode_job, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace pando::catalog;
  if (size == 0) {
    return 0;
  }
  const ByteView bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      fuzz(decode_schema, bytes);
      break;
    case 1:
      fuzz(decode_table, bytes);
      break;
    case 2:
      fuzz(decode_sequence, bytes);
      break;
    case 3:
      fuzz(decode_role, bytes);
      break;
    case 4:
      fuzz(decode_type, bytes);
      break;
    case 5:
      fuzz(decode_statistics, bytes);
      break;
    default:
      fuzz_job(bytes);
  }
  return 0;
}
