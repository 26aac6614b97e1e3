#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "http/server.h"

namespace pando::http {
namespace {

TEST(HttpRequestTest, ParsesRequestLines) {
  const auto request = parse_request("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->path, "/metrics");
  EXPECT_EQ(request->query, "x=1");
  for (const char* bad : {"", "GET", "GET /", "GET  HTTP/1.1", "GET / HTTP/2", "get / HTTP/1.1", "GET a HTTP/1.1",
                          "GET /a b HTTP/1.1", "GET /\x01 HTTP/1.1", "\r\n\r\n"}) {
    EXPECT_FALSE(parse_request(bad).ok()) << bad;
  }
  EXPECT_EQ(head_end("a\r\n\r\nb"), 5);
  EXPECT_EQ(head_end("a\r\n\r"), std::string::npos);
}

std::string fetch(uint16_t port, const std::string& request) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  boost::asio::write(socket, boost::asio::buffer(request));
  std::string answer;
  boost::system::error_code error;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
  return answer;
}

TEST(HttpServerTest, Answers) {
  Server server({{"/health", [] { return Response{.body = "ok\n"}; }},
                 {"/ready", [] { return Response{.code = 503, .body = "no\n"}; }}});
  ASSERT_TRUE(server.open("127.0.0.1", 0).ok());
  const auto port = server.port();
  EXPECT_TRUE(fetch(port, "GET /health HTTP/1.1\r\n\r\n").ends_with("\r\n\r\nok\n"));
  EXPECT_TRUE(fetch(port, "HEAD /health HTTP/1.1\r\n\r\n").ends_with("Connection: close\r\n\r\n"));
  EXPECT_TRUE(fetch(port, "GET /ready HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(fetch(port, "GET /other HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(fetch(port, "POST /health HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
  EXPECT_TRUE(fetch(port, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(fetch(port, std::string(kHeadBytesMax + 8192, 'x')).starts_with("HTTP/1.1 400 "));
}

TEST(HttpServerTest, ListensOnLoopbackOnly) {
  Server server({});
  EXPECT_TRUE(server.open("0.0.0.0", 0).is(sql_state::kFeatureNotSupported));
  Server first({});
  ASSERT_TRUE(first.open("127.0.0.1", 0).ok());
  Server second({});
  EXPECT_TRUE(second.open("127.0.0.1", first.port()).is(sql_state::kSystemError));
}

}  // namespace
}  // namespace pando::http
