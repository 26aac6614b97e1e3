#pragma once

// The codec of the messages between nodes: a message lists its fields once, and both directions follow.
//
//   struct GetRequest {
//     Bytes key;
//     HlcTimestamp at;
//     template <typename Fields> void visit(Fields& fields) { fields(key, at); }
//   };
//   encode(message, bytes);
//   if (!decode(bytes, message)) ...          // foreign bytes: false when they are no such message
//
// Numbers are varints, byte strings are length-prefixed, lists are counted. Pure.

#include <concepts>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/hlc.h"
#include "base/key_value_batch.h"
#include "base/status.h"
#include "base/strong_id.h"
#include "txn/transaction.h"

namespace pando::kv {

class WireWriter {
 public:
  explicit WireWriter(Bytes& out) : out_(out) {}

  template <typename... Values>
  void operator()(const Values&... values) {
    (write(values), ...);
  }

 private:
  void write(const Bytes& bytes) { put_length_prefixed(out_, bytes); }
  void write(const std::string_view& bytes) { put_length_prefixed(out_, bytes); }
  void write(bool value) { out_.push_back(value ? '\1' : '\0'); }
  template <std::unsigned_integral T>
  void write(T value) {
    put_varint(out_, value);
  }
  template <typename T>
    requires std::is_enum_v<T>
  void write(T value) {
    put_varint(out_, static_cast<uint64_t>(value));
  }
  template <typename Tag, typename T>
  void write(StrongId<Tag, T> id) {
    put_varint(out_, id.number());
  }
  void write(const HlcTimestamp& time) {
    put_fixed64(out_, time.wall_ns);
    put_varint(out_, time.logical);
  }
  template <typename T>
  void write(const std::optional<T>& value) {
    write(value.has_value());
    if (value.has_value()) {
      write(*value);
    }
  }
  template <typename T>
  void write(const std::vector<T>& values) {
    put_varint(out_, values.size());
    for (const T& value : values) {
      write(value);
    }
  }
  void write(const txn::Span& span) {
    write(span.start);
    write(span.end);
  }
  void write(const KeyValueBatch& batch);
  void write(const Status& status);
  template <typename T>
    requires requires(T value, WireWriter& writer) { value.visit(writer); }
  void write(const T& value) {
    // The writer changes nothing: visit() is shared with the reader.
    const_cast<T&>(value).visit(*this);
  }

  Bytes& out_;
};

class WireReader {
 public:
  explicit WireReader(ByteView bytes) : reader_(bytes) {}

  template <typename... Values>
  void operator()(Values&... values) {
    (read(values), ...);
  }
  // Whether everything was there and nothing is left.
  bool complete() const { return ok_ && reader_.empty(); }

 private:
  uint64_t number(uint64_t max);
  // A count of things that take at least a byte each.
  std::size_t count() { return number(reader_.rest().size()); }

  void read(Bytes& bytes);
  void read(bool& value) { value = number(1) != 0; }
  template <std::unsigned_integral T>
  void read(T& value) {
    value = static_cast<T>(number(std::numeric_limits<T>::max()));
  }
  template <typename T>
    requires std::is_enum_v<T>
  void read(T& value) {
    value = static_cast<T>(number(static_cast<uint64_t>(T::kLast)));
  }
  void read(txn::LockStrength& value) { value = static_cast<txn::LockStrength>(number(3)); }
  void read(txn::WaitPolicy& value) { value = static_cast<txn::WaitPolicy>(number(2)); }
  template <typename Tag, typename T>
  void read(StrongId<Tag, T>& id) {
    id = StrongId<Tag, T>(static_cast<T>(number(std::numeric_limits<T>::max())));
  }
  void read(HlcTimestamp& time);
  template <typename T>
  void read(std::optional<T>& value) {
    value.reset();
    if (number(1) != 0) {
      read(value.emplace());
    }
  }
  template <typename T>
  void read(std::vector<T>& values) {
    const std::size_t size = count();
    values.clear();
    for (std::size_t i = 0; i < size && ok_; ++i) {
      read(values.emplace_back());
    }
  }
  void read(txn::Span& span) {
    read(span.start);
    read(span.end);
  }
  void read(KeyValueBatch& batch);
  void read(Status& status);
  template <typename T>
    requires requires(T value, WireReader& reader) { value.visit(reader); }
  void read(T& value) {
    value.visit(*this);
  }

  ByteReader reader_;
  bool ok_ = true;
};

template <typename Message>
void encode(const Message& message, Bytes& out) {
  WireWriter writer(out);
  writer(message);
}

template <typename Message>
bool decode(ByteView bytes, Message& message) {
  WireReader reader(bytes);
  reader(message);
  return reader.complete();
}

}  // namespace pando::kv
