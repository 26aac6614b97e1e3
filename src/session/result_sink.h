#pragma once

// ResultSink: where a session's answers go. pgwire implements it by encoding messages; the embedded API by handing rows
// to its caller.
//
// Flow control: the methods that add output never wait. When wants_drain() is true the session awaits drain() before it
// adds more. Thread-safety: the session's coroutine only. A sink outlives the call it was passed to.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "runtime/task.h"
#include "types/settings.h"
#include "types/type.h"
#include "types/vector.h"

namespace pando::session {

enum class ValueFormat : uint16_t { kText = 0, kBinary = 1 };

struct ResultColumn {
  std::string name;
  types::Type type;
  // The column's table and attribute number; 0 when it is computed.
  types::Oid table = 0;
  int16_t attribute = 0;
  ValueFormat format = ValueFormat::kText;
  // Of a reg* type, in text format: the values come as the objects' names, byte strings, not as OIDs.
  bool named = false;
};
// The columns of a result. Shared and immutable, so that a sink may keep what it prepared for one.
using RowShape = std::vector<ResultColumn>;
using RowShapePtr = std::shared_ptr<const RowShape>;

enum class NoticeSeverity : uint8_t { kDebug, kLog, kInfo, kNotice, kWarning };

class ResultSink {
 public:
  virtual ~ResultSink() = default;

  // --- rows ---
  // Rows of this shape follow. `describe`: the client is to be told the shape now (simple protocol).
  virtual void begin_rows(const RowShapePtr& shape, const types::Settings& settings, bool describe) = 0;
  // Rows [first, first + count) of `chunk`. An error is about a value without a form in the format asked for.
  virtual Status add_rows(const types::Chunk& chunk, std::size_t first, std::size_t count) = 0;
  // A statement ended: "SELECT 1".
  virtual void complete(std::string_view tag) = 0;
  virtual void empty_query() = 0;

  // --- beside the rows ---
  virtual void notice(NoticeSeverity severity, const ErrorFields& fields) = 0;

  // --- flow ---
  virtual bool wants_drain() const = 0;
  // Sends what is buffered. An error means that the client is gone.
  virtual Task<Status> drain() = 0;
  // A place to rewind() to.
  virtual uint64_t mark() const = 0;
  // Forgets what was added since `mark`; false when some of it has left already.
  virtual bool rewind(uint64_t mark) = 0;

  // --- COPY ---
  virtual void begin_copy_out(ValueFormat format, std::size_t columns) = 0;
  virtual void add_copy_data(ByteView data) = 0;
  virtual void end_copy_out() = 0;
  virtual void begin_copy_in(ValueFormat format, std::size_t columns) = 0;
  // Replaces `data` with the next piece of what the client sends; false at its end. Errors: 57014 when the client gives
  // up ("COPY from stdin failed: ..."), 08P01.
  virtual Task<Result<bool>> read_copy_data(Bytes& data) = 0;
};

}  // namespace pando::session
