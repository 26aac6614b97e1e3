#include "http/request.h"

#include <algorithm>

#include <fmt/format.h>

namespace pando::http {
namespace {

Status malformed(std::string_view why) {
  return Status(sql_state::kProtocolViolation, "malformed HTTP request: {}", why);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

const char* reason_of(int code) {
  switch (code) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

}  // namespace

std::size_t head_end(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  return end == std::string_view::npos ? end : end + 4;
}

Result<Request> parse_request(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return malformed("no request line");
  }
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return malformed("not HTTP/1");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(method) || !target.starts_with('/') || !is_visible(target)) {
    return malformed("the target is not a path");
  }
  const std::size_t question = target.find('?');
  Request request{.method = std::string(method), .path = std::string(target.substr(0, question))};
  if (question != std::string_view::npos) {
    request.query = target.substr(question + 1);
  }
  return request;
}

std::string to_string(const Response& response, bool with_body) {
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: "
      "close\r\n\r\n",
      response.code, reason_of(response.code), response.content_type, response.body.size());
  if (with_body) {
    text += response.body;
  }
  return text;
}

}  // namespace pando::http
