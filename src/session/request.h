#pragma once

// What a session is asked: who it is for, and what Bind gives to a statement. Plain data.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "session/result_sink.h"
#include "types/value.h"

namespace pando::session {

struct SessionIdentity {
  std::string user = "postgres";
  std::string database = "postgres";
  // Shown as pg_backend_pid(); 0 for the embedded API.
  uint32_t process_id = 0;
  // "127.0.0.1:40000"; empty for the embedded API.
  std::string client_address;
};

// A parameter as the client sent it, or a value (the embedded API).
struct BoundParameter {
  bool is_null = false;
  ValueFormat format = ValueFormat::kText;
  // Borrowed until bind() returns.
  ByteView bytes;
  const types::Value* value = nullptr;
};

struct BindRequest {
  std::string_view portal;
  std::string_view statement;
  std::span<const BoundParameter> parameters;
  // None: text. One: for all columns. Else one for each.
  std::span<const ValueFormat> result_formats;
};

enum class ExecuteOutcome : uint8_t { kCompleted, kSuspended, kEmpty };

}  // namespace pando::session
