#pragma once

// Value: one scalar, or NULL. For constants, parameters, keys and edges of the engine; rows in flight are Vectors.
// A Value does not know its SQL type, only its physical form; whoever holds it knows the type.

#include <string>
#include <variant>

#include "base/assert.h"
#include "base/bytes.h"
#include "types/type.h"

namespace pando::types {

class Value {
 public:
  // NULL.
  Value() = default;
  static Value null() { return {}; }
  static Value of_bool(bool v) { return Value(Data(v)); }
  static Value of_int16(int16_t v) { return Value(Data(v)); }
  static Value of_int32(int32_t v) { return Value(Data(v)); }
  static Value of_uint32(uint32_t v) { return Value(Data(v)); }
  static Value of_int64(int64_t v) { return Value(Data(v)); }
  static Value of_float32(float v) { return Value(Data(v)); }
  static Value of_float64(double v) { return Value(Data(v)); }
  static Value of_interval(Interval v) { return Value(Data(v)); }
  static Value of_uuid(Uuid v) { return Value(Data(v)); }
  static Value of_bytes(Bytes v) { return Value(Data(std::move(v))); }

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }

  // T is bool, int16_t, int32_t, uint32_t, int64_t, float, double, Interval, Uuid or Bytes.
  // REQUIRES: the value is of that physical form.
  template <typename T>
  const T& as() const {
    const T* value = std::get_if<T>(&data_);
    PANDO_ASSERT(value != nullptr, "a value of another physical form");
    return *value;
  }
  template <typename T>
  bool holds() const {
    return std::holds_alternative<T>(data_);
  }
  ByteView bytes() const { return as<Bytes>(); }

  // Representation equality, NULL equal to NULL: for tests and plan comparison, never SQL's =.
  friend bool operator==(const Value&, const Value&) = default;

 private:
  using Data =
      std::variant<std::monostate, bool, int16_t, int32_t, uint32_t, int64_t, float, double, Interval, Uuid, Bytes>;
  explicit Value(Data data) : data_(std::move(data)) {}
  Data data_;
};

}  // namespace pando::types
