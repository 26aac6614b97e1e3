#pragma once

// Counts the nesting of TreeReader and turns too much of it into 54001. Internal to sql/parse.

#include "sql/parse/parse.h"
#include "sql/parse/tree_reader.h"

namespace pando::parse {

inline Status nesting_error() {
  return Status(sql_state::kStatementTooComplex, "stack depth limit exceeded")
      .with_hint(fmt::format("Statements may nest at most {} levels deep.", kNestingMax));
}

class TreeReader::Nested {
 public:
  explicit Nested(TreeReader& reader) : reader_(reader) {
    if (++reader_.depth_ > kNestingMax && reader_.status_.ok()) {
      reader_.status_ = nesting_error();
    }
  }
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;
  ~Nested() { --reader_.depth_; }
  // False once anything has failed: stop descending.
  bool ok() const { return reader_.status_.ok(); }

 private:
  TreeReader& reader_;
};

}  // namespace pando::parse
