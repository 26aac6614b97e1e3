#pragma once

// json: text that is kept as it was written. Validation with PostgreSQL's errors (22P02 'invalid input syntax for type
// json', DETAIL, CONTEXT), and access that returns pieces of the text. jsonb is in jsonb.h. Pure; any thread.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace pando::types {

// Nesting deeper than this is 54001 'stack depth limit exceeded'.
inline constexpr int kJsonDepthMax = 6000;

Status validate_json(ByteView text);

enum class JsonKind : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

// Receives what parse_json() meets, in order. Views live during the call. Return an error to stop.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual Status begin_object() { return {}; }
  virtual Status end_object() { return {}; }
  virtual Status begin_array() { return {}; }
  virtual Status end_array() { return {}; }
  // Unescaped.
  virtual Status key(ByteView name) { return {}; }
  // A string unescaped; a number, true, false, null as written.
  virtual Status scalar(JsonKind kind, ByteView text) { return {}; }
};
Status parse_json(ByteView text, JsonEvents& events);

// REQUIRES below: `json` is valid JSON text.
JsonKind json_kind(ByteView json);
// The member of an object (the last of that name, as PostgreSQL) or the element of an array (negative from the end), as
// text of the document; nullopt when there is none or it is no object/array.
std::optional<ByteView> json_member(ByteView json, ByteView name);
std::optional<ByteView> json_element(ByteView json, int64_t index);
std::optional<ByteView> json_path(ByteView json, std::span<const ByteView> path);
std::size_t json_array_length(ByteView json);  // REQUIRES: an array
struct JsonMember {
  Bytes name;
  ByteView value;
};
std::vector<JsonMember> json_members(ByteView json);  // REQUIRES: an object
std::vector<ByteView> json_elements(ByteView json);   // REQUIRES: an array
// What ->> gives: a string unescaped, null as nullopt, anything else as written.
std::optional<Bytes> json_as_text(ByteView json);
// json_strip_nulls().
Bytes json_strip_nulls(ByteView json);

// Appends `text` as a JSON string with its quotes. REQUIRES: valid UTF-8.
void append_json_string(Bytes& out, ByteView text);

}  // namespace pando::types
