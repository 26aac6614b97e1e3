#pragma once

// jsonb: decomposed JSON with unique keys, ordered by length and then bytes. Packed form (kBytes values),
// little-endian:
//   value  := u32 (size << 3 | kind) body
//   number := packed numeric of `size` bytes;  string := `size` bytes of UTF-8
//   array  := `size` elements: u32 end offset each, then the element values
//   object := `size` members: u32 key end each, u32 value end each, then the keys, then the member values
// Every part is reachable in place: JsonbView borrows. Pure; any thread. Sections of PostgreSQL's manual: 8.14, 9.16.

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "types/json.h"

namespace pando::types {

inline constexpr std::size_t kJsonbElementsMax = (1U << 28) - 1;

class JsonbView {
 public:
  // REQUIRES: made by this module or passed check().
  explicit JsonbView(ByteView packed) : packed_(packed) {}
  static bool check(ByteView packed);

  JsonKind kind() const;
  ByteView packed() const { return packed_; }
  bool is_scalar() const { return kind() < JsonKind::kArray; }
  ByteView string() const;   // REQUIRES: kString
  ByteView numeric() const;  // REQUIRES: kNumber; a packed numeric
  // Elements of an array or members of an object.
  std::size_t size() const;
  JsonbView element(std::size_t i) const;
  ByteView key(std::size_t i) const;
  JsonbView value(std::size_t i) const;
  std::optional<JsonbView> find(ByteView key) const;  // of an object, else nullopt
  std::optional<JsonbView> at(int64_t index) const;   // of an array, negative from the end, else nullopt
  std::optional<JsonbView> path(std::span<const ByteView> path) const;

 private:
  uint32_t header() const;
  uint32_t word(std::size_t i) const;
  ByteView packed_;
};

// Builds a value bottom-up: begin/end nest; within an object alternate key() and a value.
class JsonbBuilder {
 public:
  void null();
  void boolean(bool value);
  void number(ByteView packed_numeric);
  void string(ByteView text);
  void copy(JsonbView value);
  void begin_array();
  void end_array();
  void begin_object();
  void key(ByteView name);
  void end_object();
  // 54000 when too large. REQUIRES: one complete value.
  Result<Bytes> finish();

 private:
  struct Item {
    uint32_t key_offset = 0;
    uint32_t key_size = 0;
    uint32_t value_offset = 0;
    uint32_t value_size = 0;
  };
  struct Level {
    bool object = false;
    std::size_t first_item = 0;
    std::size_t values_offset = 0;
    // The key this container is the value of.
    uint32_t key_offset = 0;
    uint32_t key_size = 0;
  };
  void add(std::size_t offset);
  void end_container();
  std::vector<Level> levels_;
  std::vector<Item> items_;
  Bytes keys_;
  Bytes values_;
  uint32_t pending_key_offset_ = 0;
  uint32_t pending_key_size_ = 0;
  bool too_large_ = false;
};

Result<Bytes> parse_jsonb(ByteView text);
void print_jsonb(JsonbView value, Bytes& out);
void print_jsonb_pretty(JsonbView value, Bytes& out);
// What ->> gives; nullopt for null.
std::optional<Bytes> jsonb_as_text(JsonbView value);

// btree order and hash of PostgreSQL.
std::strong_ordering compare_jsonb(JsonbView a, JsonbView b);
uint64_t hash_jsonb(JsonbView value);
// An ordered key, not decodable.
void append_jsonb_key(Bytes& key, JsonbView value);

bool jsonb_contains(JsonbView container, JsonbView contained);  // @>
bool jsonb_exists(JsonbView value, ByteView key);               // ?
Result<Bytes> jsonb_concat(JsonbView a, JsonbView b);           // ||
Result<Bytes> jsonb_delete_key(JsonbView value, ByteView key);  // - text, 22023 for scalars
Result<Bytes> jsonb_delete_keys(JsonbView value, std::span<const ByteView> keys);
Result<Bytes> jsonb_delete_index(JsonbView value, int64_t index);
Result<Bytes> jsonb_delete_path(JsonbView value, std::span<const ByteView> path);  // #-
Result<Bytes> jsonb_set(JsonbView value, std::span<const ByteView> path, JsonbView replacement, bool create_missing);
Result<Bytes> jsonb_insert(JsonbView value, std::span<const ByteView> path, JsonbView inserted, bool after);
// SET container[step]... = value: makes the arrays and objects on the way that are missing, and fills arrays with nulls
// up to an index beyond their end. No container is one that is missing. 22023 for a step into a scalar.
Result<Bytes> jsonb_assign(std::optional<JsonbView> container, std::span<const ByteView> path, JsonbView value);
Result<Bytes> jsonb_strip_nulls(JsonbView value);
// Casts: 22023 'cannot cast jsonb string to type numeric'.
Result<bool> jsonb_to_bool(JsonbView value);
Result<Bytes> jsonb_to_numeric(JsonbView value, std::string_view type_name);

}  // namespace pando::types
