// libFuzzer target for what nodes send each other: greetings, frames, calls of administration, and the records in them.
// What is accepted is encoded again and must be accepted again with the same content.
//   cmake --preset fuzz && cmake --build build/fuzz --target transport_codec_fuzz &&
//   build/fuzz/test/fuzz/transport_codec_fuzz

#include "base/crc32c.h"
#include "cluster/administration.h"
#include "cluster/identity_file.h"
#include "runtime/transport_codec.h"

namespace pando {
namespace {

template <typename Decoded, typename Decode>
void check(const Result<Decoded>& decoded, Decode decode) {
  if (decoded.ok()) {
    const Result<Decoded> again = decode(encode(*decoded));
    PANDO_ASSERT(again.ok() && *again == *decoded, "what was decoded does not come back");
  }
}

void exercise(ByteView bytes) {
  check(runtime::decode_hello(bytes), runtime::decode_hello);
  check(runtime::decode_call(bytes), runtime::decode_call);
  if (const auto welcome = runtime::decode_welcome(bytes); welcome.ok()) {
    PANDO_ASSERT(runtime::decode_welcome(encode(*welcome)).ok(), "a welcome does not come back");
  }
  runtime::decode_reply(bytes).status().ignore("an error is as good");
  std::size_t count = 0;
  runtime::MessageFrame frame;
  if (runtime::decode_messages(bytes, [&](ByteView message) { ++count, frame.add(Bytes(message)); }).ok()) {
    Bytes again;
    for (const Bytes& piece : frame.take()) {
      again += piece;
    }
    std::size_t found = 0;
    const Status status = runtime::decode_messages(again, [&](ByteView) { ++found; });
    PANDO_ASSERT(status.ok() && found == count, "a frame does not come back");
  }
  check(cluster::decode_introduction(bytes), cluster::decode_introduction);
  check(cluster::decode_node_list(bytes), cluster::decode_node_list);
  check(cluster::decode_node_command(bytes), cluster::decode_node_command);
  cluster::decode_clock(bytes).status().ignore("an error is as good");
  check(cluster::decode_node_record(bytes), cluster::decode_node_record);
  check(cluster::decode_identity(bytes), cluster::decode_identity);
}

// The same with right checksums, which a fuzzer does not find by itself.
void exercise_with_checksums(Bytes bytes) {
  constexpr std::size_t kFrameHeadBytes = 5;
  const auto seal = [&](std::size_t at, ByteView covered) {
    const uint32_t checksum = crc32c(covered);
    std::memcpy(bytes.data() + at, &checksum, sizeof(checksum));
    exercise(bytes);
  };
  if (bytes.size() >= kFrameHeadBytes) {
    seal(1, ByteView(bytes).substr(kFrameHeadBytes));
    seal(bytes.size() - sizeof(uint32_t), ByteView(bytes).substr(0, bytes.size() - sizeof(uint32_t)));
  }
}

}  // namespace
}  // namespace pando

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pando::ByteView bytes(reinterpret_cast<const char*>(data), size);
  pando::exercise(bytes);
  pando::exercise_with_checksums(pando::Bytes(bytes));
  return 0;
}
