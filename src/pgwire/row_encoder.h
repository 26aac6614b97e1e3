#pragma once

// RowEncoder: rows of a chunk to DataRow messages, straight from the vectors. What each column needs is looked up once
// per result shape.
//
//   RowEncoder encoder(shape, settings);
//   PANDO_TRY(encoder.encode(chunk, 0, chunk.rows, out));
//
// Thread-safety: none; one coroutine at a time.

#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "session/result_sink.h"
#include "types/settings.h"
#include "types/vector.h"

namespace pando::pgwire {

class RowEncoder {
 public:
  // REQUIRES: `shape` and `settings` outlive the encoder's use.
  void prepare(const session::RowShapePtr& shape, const types::Settings& settings);

  // Appends rows [first, first + count). The columns of `chunk` are those of the shape. An error (0A000, no binary
  // form) leaves `out` as it was.
  Status encode(const types::Chunk& chunk, std::size_t first, std::size_t count, Bytes& out);

 private:
  enum class Kind : uint8_t {
    kBoolText,
    kInt16Text,
    kInt32Text,
    kInt64Text,
    kInt16Binary,
    kInt32Binary,
    kInt64Binary,
    kBytes,  // the stored bytes are the form
    kText,
    kBinary,
  };
  struct Column {
    Kind kind;
    types::Type type;
  };

  static Kind kind_of(const session::ResultColumn& column);
  Status encode_field(const Column& column, const types::Vector& vector, std::size_t row, Bytes& out);

  session::RowShapePtr shape_;
  const types::Settings* settings_ = nullptr;
  std::vector<Column> columns_;
};

}  // namespace pando::pgwire
