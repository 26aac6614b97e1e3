#pragma once

// MessageSink: session answers as protocol messages in a stream's write buffer.
//
// Thread-safety: the connection's coroutine only.

#include "pgwire/byte_stream.h"
#include "pgwire/codec/backend.h"
#include "pgwire/row_encoder.h"
#include "session/result_sink.h"

namespace pando::pgwire {

class MessageSink final : public session::ResultSink {
 public:
  // Replies are sent when this much is waiting.
  static constexpr std::size_t kDrainBytes = 64_KiB;

  explicit MessageSink(ByteStream& stream) : stream_(stream) {}

  // Adds the RowDescription of `shape`.
  void add_description(const session::RowShapePtr& shape);
  void begin_rows(const session::RowShapePtr& shape, const types::Settings& settings, bool describe) override;
  Status add_rows(const types::Chunk& chunk, std::size_t first, std::size_t count) override;
  void complete(std::string_view tag) override;
  void empty_query() override;
  void notice(session::NoticeSeverity severity, const ErrorFields& fields) override;
  bool wants_drain() const override { return stream_.output().size() >= kDrainBytes; }
  Task<Status> drain() override { return stream_.flush(); }
  uint64_t mark() const override { return stream_.sent() + stream_.output().size(); }
  bool rewind(uint64_t mark) override;
  void begin_copy_out(session::ValueFormat format, std::size_t columns) override;
  void add_copy_data(ByteView data) override;
  void end_copy_out() override;
  void begin_copy_in(session::ValueFormat format, std::size_t columns) override;
  Task<Result<bool>> read_copy_data(Bytes& data) override;

 private:
  void begin_copy(BackendType type, session::ValueFormat format, std::size_t columns);
  // Takes the copy messages that are there; whether there were any.
  Result<bool> take_copy_messages(Bytes& data);

  ByteStream& stream_;
  RowEncoder encoder_;
  // The RowDescription added last: a client asks for the same again and again.
  session::RowShapePtr described_;
  Bytes description_;
  // The client has not said yet that its COPY data ends.
  bool copying_in_ = false;
};
}  // namespace pando::pgwire
