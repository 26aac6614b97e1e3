// libFuzzer target for the heads of HTTP requests.
//   cmake --preset fuzz && cmake --build build/fuzz --target http_request_fuzz && build/fuzz/test/fuzz/http_request_fuzz

#include "http/request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = pando::http::head_end(bytes);
  PANDO_ASSERT(end == std::string_view::npos || end <= size, "a head that ends behind the bytes");
  if (const auto request = pando::http::parse_request(bytes); request.ok()) {
    PANDO_ASSERT(request->path.starts_with('/'), "a path without its slash");
  }
  return 0;
}
