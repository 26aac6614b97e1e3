#pragma once

// The head of an HTTP/1.1 request (RFC 9112), as much of it as a server of read-only documents needs. Pure; any thread.

#include <string>
#include <string_view>

#include "base/status.h"

namespace pando::http {

inline constexpr std::size_t kHeadBytesMax = 16'384;

struct Request {
  std::string method;
  // Without the query.
  std::string path;
  std::string query;
};

// Where the head in `bytes` ends, behind its empty line; npos when it is not complete.
std::size_t head_end(std::string_view bytes);
// Error 08P01: `head` is no request of HTTP/1.0 or 1.1.
Result<Request> parse_request(std::string_view head);

struct Response {
  int code = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};
// With the connection closed behind it.
std::string to_string(const Response& response, bool with_body);

}  // namespace pando::http
