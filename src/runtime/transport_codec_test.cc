#include "runtime/transport_codec.h"

#include <gtest/gtest.h>

namespace pando::runtime {
namespace {

Hello sample_hello() {
  std::array<uint8_t, ClusterId::kBytes> bytes{1, 2, 3};
  return {.cluster = ClusterId::from_random(bytes),
          .from = NodeId(1),
          .to = NodeId(2),
          .incarnation = 77,
          .channel = Channel::kBulk,
          .advertised = "db1.example.com:6433"};
}

Bytes join(std::vector<Bytes> pieces) {
  Bytes joined;
  for (const Bytes& piece : pieces) {
    joined += piece;
  }
  return joined;
}

TEST(TransportCodecTest, GreetingsComeBackAndEveryByteIsChecked) {
  const Hello hello = sample_hello();
  const Bytes frame = encode(hello);
  EXPECT_EQ(decode_hello(frame).value_or({}), hello);
  for (std::size_t at = 0; at < frame.size(); ++at) {
    Bytes damaged = frame;
    damaged[at] ^= 1;
    EXPECT_FALSE(decode_hello(damaged).ok()) << at;
    EXPECT_FALSE(decode_hello(frame.substr(0, at)).ok()) << at;
  }
  const Welcome welcome{.node = NodeId(2), .incarnation = 5};
  EXPECT_EQ(decode_welcome(encode(welcome)).value_or({}), welcome);
  EXPECT_EQ(decode_welcome(encode(Welcome{.refusal = "no"}))->refusal, "no");
}

TEST(TransportCodecTest, AnotherMajorVersionIsNamed) {
  Hello hello = sample_hello();
  hello.version = {6, 7};
  EXPECT_EQ(decode_hello(encode(hello)).status().to_string(),
            "0A000: the connecting node speaks version 6.7 of the protocol between nodes, this one 5.0");
  hello.version = {5, 9};
  EXPECT_TRUE(decode_hello(encode(hello)).ok());
  // A refusal is understood whatever the version of who refuses.
  EXPECT_EQ(decode_welcome(encode(Welcome{.version = {1, 0}, .refusal = "too old"}))->refusal, "too old");
  EXPECT_TRUE(decode_welcome(encode(Welcome{.version = {1, 0}})).status().is(sql_state::kFeatureNotSupported));
}

TEST(TransportCodecTest, CallsAndRepliesComeBack) {
  const AdministrationCall call{.method = "join", .request = Bytes("a\0b", 3)};
  EXPECT_EQ(decode_call(encode(call)).value_or({}), call);
  EXPECT_EQ(decode_reply(encode(Result<Bytes>(Bytes("done")))).value_or("failed"), "done");
  const Result<Bytes> error = Status(sql_state::kUndefinedTable, "none").with_detail("d").with_hint("h");
  const Result<Bytes> back = decode_reply(encode(error));
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.status().to_string(), "42P01: none");
  EXPECT_EQ(back.status().fields().detail, "d");
  EXPECT_EQ(back.status().fields().hint, "h");
}

TEST(TransportCodecTest, FramesHoldMessagesOfEverySize) {
  std::vector<Bytes> messages;
  MessageFrame frame;
  EXPECT_TRUE(frame.empty());
  for (const std::size_t size : {0UL, 5UL, 20'000UL, 3UL, 16_KiB, 16_KiB - 1, 7UL, 40'000UL, 50'000UL}) {
    messages.emplace_back(size, static_cast<char>('a' + messages.size()));
    frame.add(messages.back());
  }
  Bytes joined = join(frame.take());
  EXPECT_TRUE(frame.empty());
  std::vector<Bytes> found;
  ASSERT_TRUE(decode_messages(joined, [&](ByteView message) { found.emplace_back(message); }).ok());
  EXPECT_EQ(found, messages);
  joined[joined.size() / 2] ^= 1;
  EXPECT_EQ(decode_messages(joined, [](ByteView) { FAIL(); }).to_string(),
            "08P01: wrong checksum of a frame from another node");
  EXPECT_FALSE(decode_messages("", [](ByteView) { FAIL(); }).ok());
}

TEST(ClusterIdTest, IsWrittenAsAUuid) {
  std::array<uint8_t, ClusterId::kBytes> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(i * 17);
  }
  const ClusterId id = ClusterId::from_random(bytes);
  EXPECT_EQ(id.to_string(), "00112233-4455-4677-8899-aabbccddeeff");
  EXPECT_EQ(ClusterId::parse(id.to_string()), id);
  EXPECT_EQ(ClusterId::from_bytes(id.bytes()), id);
  EXPECT_FALSE(ClusterId::parse("00112233-4455-4677-8899-aabbccddeefg").has_value());
  EXPECT_FALSE(ClusterId::parse("0011223344556677-8899-aabb-ccddeeff").has_value());
  EXPECT_FALSE(ClusterId::from_bytes("short").has_value());
  EXPECT_TRUE(ClusterId().none());
}

}  // namespace
}  // namespace pando::runtime
