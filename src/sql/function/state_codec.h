#pragma once

// How states of aggregates become bytes (portable_state.h): a state lists all that it holds in its visit(), and both
// directions follow. Private to function.

#include <bit>
#include <cstring>
#include <optional>
#include <type_traits>

#include "base/codec.h"
#include "sql/function/aggregate.h"
#include "sql/function/portable_state.h"
#include "types/numeric.h"

namespace pando::sql::aggregating {

// States as bytes: numbers as they lie in memory, which all nodes agree on.
static_assert(std::endian::native == std::endian::little);

class StateWriter {
 public:
  explicit StateWriter(Bytes& out) : out_(out) {}
  template <typename... Values>
  void operator()(const Values&... values) {
    (write(values), ...);
  }

 private:
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void write(const T& value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void write(const Bytes& bytes) { put_length_prefixed(out_, bytes); }
  void write(const std::optional<Bytes>& bytes) {
    write(bytes.has_value());
    if (bytes.has_value()) {
      write(*bytes);
    }
  }
  void write(const types::numeric::Sum& sum) { sum.save(out_); }

  Bytes& out_;
};

class StateReader {
 public:
  explicit StateReader(ByteView bytes) : reader_(bytes) {}
  template <typename... Values>
  void operator()(Values&... values) {
    (read(values), ...);
  }
  // Whether everything was there and nothing is left.
  bool complete() const { return ok_ && reader_.empty(); }

 private:
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void read(T& value) {
    ByteView bytes;
    ok_ = ok_ && reader_.raw(sizeof(T), bytes);
    if (ok_) {
      std::memcpy(static_cast<void*>(&value), bytes.data(), sizeof(T));
    }
  }
  void read(bool& value) {
    uint8_t byte = 0;
    ok_ = ok_ && reader_.fixed8(byte) && byte <= 1;
    value = byte == 1;
  }
  void read(Bytes& bytes) {
    ByteView found;
    ok_ = ok_ && reader_.length_prefixed(found);
    bytes.assign(found);
  }
  void read(std::optional<Bytes>& bytes) {
    bool any = false;
    read(any);
    bytes.reset();
    if (ok_ && any) {
      read(bytes.emplace());
    }
  }
  void read(types::numeric::Sum& sum) { ok_ = ok_ && sum.restore(reader_); }

  ByteReader reader_;
  bool ok_ = true;
};

template <typename State>
void save(const void* state, Bytes& out) {
  StateWriter writer(out);
  // The writer changes nothing: visit() is shared with the reader.
  const_cast<State*>(static_cast<const State*>(state))->visit(writer);
}

template <typename State>
bool load(void* state, ByteView bytes) {
  StateReader reader(bytes);
  static_cast<State*>(state)->visit(reader);
  return reader.complete();
}

struct PortableEntry {
  const AggregateKernels* kernels;
  PortableState state;
};

template <typename State>
constexpr PortableEntry portable(const AggregateKernels* kernels = aggregate_of<State>()) {
  return {kernels, {save<State>, load<State>}};
}

}  // namespace pando::sql::aggregating
