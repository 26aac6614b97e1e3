#include "pgwire/codec/testing_bytes.h"

#include <cstdlib>
#include <sstream>

#include "base/assert.h"
#include "pgwire/codec/backend.h"
#include "pgwire/codec/frontend.h"
#include "pgwire/codec/message.h"
#include "pgwire/codec/print.h"
#include "pgwire/codec/writer.h"

namespace pando::pgwire::testing {
namespace {

Bytes unescape(const std::string& text) {
  Bytes out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "\\x") == 0 && i + 3 < text.size()) {
      out.push_back(static_cast<char>(std::strtol(text.substr(i + 2, 2).c_str(), nullptr, 16)));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

void append_number(Bytes& out, std::size_t bytes, long value) {
  for (std::size_t i = bytes; i-- > 0;) {
    out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
  }
}

std::vector<std::string> split_tokens(const std::string& line) {
  std::vector<std::string> tokens(1);
  bool quoted = false;
  for (const char c : line) {
    quoted ^= c == '"';
    if (c == ' ' && !quoted) {
      tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  std::erase(tokens, "");
  return tokens;
}

void append_token(Bytes& out, const std::string& token, std::size_t& length_at) {
  const bool has_zero = token.starts_with("z\"");
  if (token == "len") {
    length_at = out.size();
    out.append(4, '\0');
  } else if (token.size() == 3 && token.front() == '\'') {
    out.push_back(token[1]);
  } else if (has_zero || token.front() == '"') {
    const std::size_t start = has_zero ? 2 : 1;
    out += unescape(token.substr(start, token.size() - start - 1));
    out.append(has_zero ? 1 : 0, '\0');
  } else {
    const auto colon = token.find(':');
    PANDO_ASSERT(token.front() == 'i' && colon != std::string::npos, "an unknown token in a test's packet");
    append_number(out, std::stoul(token.substr(1, colon - 1)) / 8, std::stol(token.substr(colon + 1)));
  }
}

template <typename Message, typename Decode>
void check_stable(const Message& message, Sender sender, Decode decode_again) {
  Bytes encoded;
  encode(message, encoded);
  const auto frame = find_frame(encoded, sender);
  PANDO_ASSERT(frame.ok() && frame->has_value(), "an encoded message must frame");
  const auto again = decode_again((*frame)->type, (*frame)->body);
  PANDO_ASSERT(again.ok(), "an encoded message must decode");
  PANDO_ASSERT(*again == message, "a message must survive encoding");
  PANDO_ASSERT(!print(message).empty(), "every message prints");
}

template <typename Decode>
void exercise_stream(ByteView bytes, Sender sender, Decode decode_one) {
  while (true) {
    const auto frame = find_frame(bytes, sender);
    if (!frame.ok() || !frame->has_value()) {
      return;
    }
    if (const auto message = decode_one((*frame)->type, (*frame)->body); message.ok()) {
      check_stable(*message, sender, decode_one);
    }
    bytes.remove_prefix((*frame)->size);
  }
}

template <typename Message>
std::vector<Bytes> encode_all(const std::vector<Message>& messages) {
  std::vector<Bytes> out;
  for (const auto& message : messages) {
    encode(message, out.emplace_back());
  }
  return out;
}

}  // namespace

Bytes assemble(const std::string& lines) {
  Bytes out;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    std::size_t length_at = std::string::npos;
    for (const std::string& token : split_tokens(line)) {
      append_token(out, token, length_at);
    }
    if (length_at != std::string::npos) {
      store_uint32(out.data() + length_at, static_cast<uint32_t>(out.size() - length_at));
    }
  }
  return out;
}

std::vector<Bytes> frontend_corpus() {
  return encode_all<FrontendMessage>({
      QueryMessage{"SELECT 1"},
      ParseMessage{"s", "SELECT $1, $2", {23, 25}},
      BindMessage{"p", "s", {Format::kText, Format::kBinary}, {ByteView("1"), std::nullopt}, {Format::kBinary}},
      DescribeMessage{Target::kPortal, "p"},
      ExecuteMessage{"p", 100},
      CloseMessage{Target::kStatement, "s"},
      SyncMessage{},
      FlushMessage{},
      TerminateMessage{},
      CopyDataMessage{"1\t2\n"},
      CopyDoneMessage{},
      CopyFailMessage{"stop"},
      FunctionCallMessage{1, {Format::kText}, {ByteView("x"), std::nullopt}, Format::kText},
      PasswordMessage{ByteView("secret\0", 7)},
  });
}

std::vector<Bytes> backend_corpus() {
  return encode_all<BackendMessage>({
      AuthenticationMessage{AuthenticationCode::kMd5Password, "salt"},
      BackendKeyData{1, 2},
      BareMessage{BackendType::kPortalSuspended},
      CommandComplete{"SELECT 1"},
      CopyDataReply{"a\n"},
      CopyResponse{BackendType::kCopyOutResponse, Format::kBinary, {Format::kBinary, Format::kBinary}},
      DataRow{{ByteView("1"), std::nullopt}},
      ReportMessage{BackendType::kErrorResponse, {{'S', "ERROR"}, {'C', "42601"}, {'M', "syntax error"}}},
      FunctionCallResponse{ByteView("1")},
      NegotiateProtocolVersion{0, {"_pq_.x"}},
      NotificationResponse{1, "channel", "payload"},
      ParameterDescription{{23, 25}},
      ParameterStatus{"TimeZone", "UTC"},
      ReadyForQuery{'T'},
      RowDescription{{{"a", 1, 2, 23, 4, -1, Format::kText}, {"b", 0, 0, 25, -1, -1, Format::kBinary}}},
  });
}

std::vector<Bytes> startup_corpus() {
  std::vector<Bytes> out;
  for (const StartupPacket& packet :
       {StartupPacket(StartupMessage{kProtocolVersion3, {{"user", "u"}, {"database", "d"}}}),
        StartupPacket(SslRequest()), StartupPacket(GssEncRequest()), StartupPacket(CancelRequest{1, 2})}) {
    encode_startup(packet, out.emplace_back());
  }
  return out;
}

void exercise_decoders(ByteView bytes) {
  exercise_stream(bytes, Sender::kFrontend, decode_frontend);
  exercise_stream(bytes, Sender::kBackend, decode_backend);
  const auto frame = find_startup_frame(bytes);
  if (!frame.ok() || !frame->has_value()) {
    return;
  }
  if (const auto packet = decode_startup((*frame)->body); packet.ok()) {
    Bytes encoded;
    encode_startup(*packet, encoded);
    const auto again = decode_startup(ByteView(encoded).substr(kLengthBytes));
    PANDO_ASSERT(again.ok() && *again == *packet, "a startup packet must survive encoding");
  }
}

}  // namespace pando::pgwire::testing
