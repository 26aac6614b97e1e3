#pragma once

// RowSink: a ResultSink that keeps rows as text.

#include <string>
#include <vector>

#include "session/result_sink.h"
#include "types/text_io.h"

namespace pando::test {

class RowSink final : public session::ResultSink {
 public:
  std::vector<std::vector<std::string>> rows;
  std::string tag;

  void begin_rows(const session::RowShapePtr& shape, const types::Settings& settings, bool) override {
    shape_ = shape;
    settings_ = settings;
  }
  Status add_rows(const types::Chunk& chunk, std::size_t first, std::size_t count) override {
    for (std::size_t row = first; row < first + count; ++row) {
      std::vector<std::string>& texts = rows.emplace_back();
      for (std::size_t i = 0; i < shape_->size(); ++i) {
        Bytes text = "NULL";
        if (!chunk.columns[i].is_null(row)) {
          text.clear();
          types::print_text((*shape_)[i].type, chunk.columns[i], row, settings_, text);
        }
        texts.push_back(std::move(text));
      }
    }
    return {};
  }
  void complete(std::string_view text) override { tag = text; }
  void empty_query() override {}
  void notice(session::NoticeSeverity, const ErrorFields&) override {}
  bool wants_drain() const override { return false; }
  Task<Status> drain() override { co_return Status(); }
  uint64_t mark() const override { return rows.size(); }
  bool rewind(uint64_t mark) override { return rows.resize(mark), true; }
  void begin_copy_out(session::ValueFormat, std::size_t) override {}
  void add_copy_data(ByteView) override {}
  void end_copy_out() override {}
  void begin_copy_in(session::ValueFormat, std::size_t) override {}
  Task<Result<bool>> read_copy_data(Bytes&) override { co_return false; }

 private:
  session::RowShapePtr shape_;
  types::Settings settings_;
};

}  // namespace pando::test
