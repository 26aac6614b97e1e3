#pragma once

// TestingTextSink: what a session answers, as text that a test can compare.
//
//   TestingTextSink sink;
//   runtime::block_on(executor, session.run(text, &sink));
//   EXPECT_EQ(sink.take(), "a|b\n1|2\nSELECT 1\n");
//
// Thread-safety: none.

#include <string>
#include <utility>

#include <fmt/format.h>

#include "session/result_sink.h"
#include "types/text_io.h"

namespace pando::session {

class TestingTextSink final : public ResultSink {
 public:
  std::string take() { return std::exchange(out_, ""); }
  void give_copy_data(std::string data) { copy_data_ = std::move(data); }

  void begin_rows(const RowShapePtr& shape, const types::Settings& settings, bool describe) override {
    shape_ = shape;
    settings_ = settings;
    for (const ResultColumn& column : *shape) {
      out_ += describe ? column.name + "|" : "";
    }
    if (describe) {
      out_.empty() || out_.back() != '|' ? void() : out_.pop_back();
      out_ += "\n";
    }
  }
  Status add_rows(const types::Chunk& chunk, std::size_t first, std::size_t count) override {
    for (std::size_t row = first; row < first + count; ++row) {
      for (std::size_t i = 0; i < shape_->size(); ++i) {
        out_ += i > 0 ? "|" : "";
        if (chunk.columns[i].is_null(row)) {
          out_ += "NULL";
        } else if ((*shape_)[i].named) {
          out_ += chunk.columns[i].bytes_at(row);
        } else {
          types::print_text((*shape_)[i].type, chunk.columns[i], row, settings_, out_);
        }
      }
      out_ += "\n";
    }
    return {};
  }
  void complete(std::string_view tag) override { out_ += std::string(tag) + "\n"; }
  void empty_query() override { out_ += "(empty)\n"; }
  void notice(NoticeSeverity severity, const ErrorFields& fields) override {
    out_ += (severity == NoticeSeverity::kWarning ? "WARNING: " : "NOTICE: ") + fields.message + "\n";
  }
  bool wants_drain() const override { return false; }
  Task<Status> drain() override { co_return Status(); }
  uint64_t mark() const override { return out_.size(); }
  bool rewind(uint64_t mark) override { return out_.resize(mark), true; }
  void begin_copy_out(ValueFormat, std::size_t columns) override { out_ += fmt::format("copy out {}\n", columns); }
  void add_copy_data(ByteView data) override { out_ += data; }
  void end_copy_out() override {}
  void begin_copy_in(ValueFormat, std::size_t columns) override { out_ += fmt::format("copy in {}\n", columns); }
  Task<Result<bool>> read_copy_data(Bytes& data) override {
    data = std::exchange(copy_data_, "");
    co_return !data.empty();
  }

 private:
  std::string out_;
  std::string copy_data_;
  RowShapePtr shape_;
  types::Settings settings_;
};

}  // namespace pando::session
