#pragma once

// SetRows for functions whose rows are made one at a time, or all at once.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "sql/function/function.h"

namespace pando::sql {

// Rows from a generator: `next_row(columns, row)` stores the next one and gives true, or false at the end; it may give
// Result<bool>.
template <typename Generator>
class GeneratedRows final : public SetRows {
 public:
  explicit GeneratedRows(Generator generator) : generator_(std::move(generator)) {}
  Status next(types::Chunk& out) override {
    for (types::Vector& column : out.columns) {
      column.reset(types::kVectorRows);
    }
    out.rows = 0;
    while (out.rows < types::kVectorRows && !done_) {
      Result<bool> more = generator_(out.columns, out.rows);
      if (!more.ok()) {
        return std::move(more).status();
      }
      done_ = !*more;
      out.rows += done_ ? 0 : 1;
    }
    for (types::Vector& column : out.columns) {
      column.resize(out.rows);
    }
    return {};
  }

 private:
  Generator generator_;
  bool done_ = false;
};
template <typename Generator>
std::unique_ptr<SetRows> generate_rows(Generator generator) {
  return std::make_unique<GeneratedRows<Generator>>(std::move(generator));
}

// Rows that are values already, as many in each row as there are columns.
inline std::unique_ptr<SetRows> rows_of_values(std::vector<std::vector<types::Value>> rows) {
  return generate_rows(
      [rows = std::move(rows), at = std::size_t{0}](std::vector<types::Vector>& columns, std::size_t row) mutable {
        if (at == rows.size()) {
          return false;
        }
        for (std::size_t i = 0; i < columns.size(); ++i) {
          if (rows[at][i].is_null()) {
            columns[i].set_null(row);
          } else {
            columns[i].set(row, rows[at][i]);
          }
        }
        ++at;
        return true;
      });
}

}  // namespace pando::sql
