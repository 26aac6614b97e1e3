// Runs testdata/*.txt. Each input line is the bytes of one packet, written as tokens:
//   'Q'       one byte            len       four bytes: the length of the rest of the line, itself included
//   i8:1      a number of 1, 2 or 4 bytes, big-endian (i8, i16, i32)
//   "abc"     bytes               z"abc"    bytes and a zero byte (\xHH escapes in both)
// Commands: startup, frontend, backend decode them; each message that decodes must encode to the same bytes.

#include <gtest/gtest.h>

#include "pgwire/codec/backend.h"
#include "pgwire/codec/frontend.h"
#include "pgwire/codec/message.h"
#include "pgwire/codec/print.h"
#include "pgwire/codec/testing_bytes.h"
#include "test/support/datadriven.h"

namespace pando::pgwire {
namespace {

template <typename Message>
std::string check_round_trip(const Message& message, ByteView bytes) {
  Bytes encoded;
  if constexpr (std::is_same_v<Message, StartupPacket>) {
    encode_startup(message, encoded);
  } else {
    encode(message, encoded);
  }
  return encoded == bytes ? "" : "  (encodes differently)";
}

std::string show_frames(ByteView bytes, Sender sender) {
  std::string out;
  while (!bytes.empty()) {
    const auto frame = find_frame(bytes, sender);
    if (!frame.ok()) {
      return out + "frame error " + frame.status().to_string() + "\n";
    }
    if (!*frame) {
      return out + "incomplete, " + std::to_string(frame_size(bytes)) + " bytes in all\n";
    }
    const ByteView whole = bytes.substr(0, (*frame)->size);
    bytes.remove_prefix((*frame)->size);
    if (sender == Sender::kFrontend) {
      const auto message = decode_frontend((*frame)->type, (*frame)->body);
      out += message.ok() ? print(*message) + check_round_trip(*message, whole) : message.status().to_string();
    } else {
      const auto message = decode_backend((*frame)->type, (*frame)->body);
      out += message.ok() ? print(*message) + check_round_trip(*message, whole) : message.status().to_string();
    }
    out += "\n";
  }
  return out;
}

std::string show_startup(ByteView bytes) {
  const auto frame = find_startup_frame(bytes);
  if (!frame.ok()) {
    return "frame error " + frame.status().to_string();
  }
  if (!*frame) {
    return "incomplete";
  }
  const auto packet = decode_startup((*frame)->body);
  return packet.ok() ? print(*packet) + check_round_trip(*packet, bytes.substr(0, (*frame)->size))
                     : packet.status().to_string();
}

TEST(Codec, Datadriven) {
  const auto files = test::testdata_files("src/pgwire/codec/testdata");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    test::run_datadriven(file, [](const test::Command& command) {
      const Bytes bytes = testing::assemble(command.input);
      if (command.name == "startup") {
        return show_startup(bytes);
      }
      return show_frames(bytes, command.name == "backend" ? Sender::kBackend : Sender::kFrontend);
    });
  }
}

TEST(Codec, EveryPrefixOfAMessageIsIncomplete) {
  Bytes bytes;
  encode(ParseMessage{"s1", "SELECT $1", {23}}, bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto frame = find_frame(ByteView(bytes).substr(0, size), Sender::kFrontend);
    ASSERT_TRUE(frame.ok()) << size;
    EXPECT_FALSE(frame->has_value()) << size;
  }
  EXPECT_TRUE(find_frame(bytes, Sender::kFrontend)->has_value());
}

TEST(Codec, LengthsAtAndAboveTheLimit) {
  for (const auto& [type, limit] : {std::pair{'Q', kLargeMessageBytesMax}, std::pair{'S', kSmallMessageBytesMax}}) {
    Bytes header(1, type);
    header.resize(kHeaderBytes);
    store_uint32(header.data() + 1, static_cast<uint32_t>(limit + kLengthBytes));
    EXPECT_TRUE(find_frame(header, Sender::kFrontend).ok());
    EXPECT_EQ(frame_size(header), limit + kHeaderBytes);
    store_uint32(header.data() + 1, static_cast<uint32_t>(limit + kLengthBytes + 1));
    EXPECT_EQ(find_frame(header, Sender::kFrontend).status().code(), sql_state::kProtocolViolation);
    store_uint32(header.data() + 1, UINT32_MAX);
    EXPECT_FALSE(find_frame(header, Sender::kFrontend).ok());
  }
}

TEST(Codec, ReportsCarryEveryField) {
  ErrorFields fields;
  fields.code = sql_state::kUniqueViolation;
  fields.message = "m";
  fields.detail = "d";
  fields.hint = "h";
  fields.position = 7;
  fields.where = "w";
  fields.schema_name = "s";
  fields.table_name = "t";
  fields.column_name = "c";
  fields.data_type_name = "y";
  fields.constraint_name = "n";
  Bytes bytes;
  encode_report(Severity::kError, fields, bytes);
  EXPECT_EQ(show_frames(bytes, Sender::kBackend),
            R"(ErrorResponse S="ERROR" V="ERROR" C="23505" M="m" D="d" H="h" P="7" W="w" s="s" t="t" c="c" d="y" n="n")"
            "\n");
  const auto decoded = decode_backend('E', ByteView(bytes).substr(kHeaderBytes));
  ASSERT_TRUE(decoded.ok());
  const ErrorFields back = to_error_fields(std::get<ReportMessage>(*decoded));
  EXPECT_EQ(back.code, fields.code);
  EXPECT_EQ(back.position, 7);
  EXPECT_EQ(back.constraint_name, "n");

  Bytes notice;
  encode_report(Severity::kNotice, ErrorFields{.message = std::string("a\0b", 3)}, notice);
  EXPECT_EQ(show_frames(notice, Sender::kBackend), "NoticeResponse S=\"NOTICE\" V=\"NOTICE\" C=\"XX000\" M=\"a\"\n");
}

TEST(Codec, RowWriterWritesWhatDataRowDecodes) {
  Bytes bytes;
  RowWriter row(bytes, 3);
  row.field("42");
  row.null();
  row.begin_field();
  bytes += "in place";
  row.end_field();
  row.end();
  EXPECT_EQ(show_frames(bytes, Sender::kBackend), "DataRow (\"42\", NULL, \"in place\")\n");
}

TEST(Codec, DecodingIntoAUsedMessageForgetsItsOldContents) {
  Bytes first;
  Bytes second;
  encode(BindMessage{"p", "s", {Format::kBinary}, {ByteView("a"), std::nullopt}, {Format::kBinary}}, first);
  encode(BindMessage{"", "", {}, {ByteView("b")}, {}}, second);
  BindMessage message;
  ASSERT_TRUE(decode(ByteView(first).substr(kHeaderBytes), message).ok());
  ASSERT_TRUE(decode(ByteView(second).substr(kHeaderBytes), message).ok());
  EXPECT_EQ(message, (BindMessage{"", "", {}, {ByteView("b")}, {}}));
}

}  // namespace
}  // namespace pando::pgwire
