#include "sql/exec/row_keys.h"

#include <algorithm>

#include "types/compare.h"

namespace pando::sql::exec {

using types::Physical;
using types::Vector;

namespace {

constexpr std::size_t kMaskBits = 8;
constexpr uint64_t kMaskMultiplier = 0x9e3779b97f4a7c15;

uint8_t mask_bit(std::size_t column) { return static_cast<uint8_t>(1U << std::min(column, kMaskBits - 1)); }

// Puts a column's values into the words from bit `shift` on.
template <typename T>
void add_to_words(const Vector& column, std::size_t rows, std::size_t shift, bool first, uint64_t* words) {
  const T* values = column.data<T>();
  const std::size_t step = column.is_constant() ? 0 : 1;
  for (std::size_t row = 0; row < rows; ++row) {
    const uint64_t bits = static_cast<uint64_t>(values[row * step]) << shift;
    words[row] = first ? bits : words[row] | bits;
  }
}

void add_to_words(const Vector& column, std::size_t width, std::size_t rows, std::size_t shift, bool first,
                  uint64_t* words) {
  switch (width) {
    case 1:
      return add_to_words<uint8_t>(column, rows, shift, first, words);
    case 2:
      return add_to_words<uint16_t>(column, rows, shift, first, words);
    case 4:
      return add_to_words<uint32_t>(column, rows, shift, first, words);
    default:
      return add_to_words<uint64_t>(column, rows, shift, first, words);
  }
}

// The raw bytes of a fixed-width column.
const char* bytes_of(const Vector& column) {
  return column.data<char>();  // data() only names a type
}

}  // namespace

Result<RowKeys> RowKeys::make(const std::vector<SortKey>& keys, const Scope& scope, Runtime& runtime) {
  RowKeys result;
  std::vector<ExprPtr> exprs;
  for (const SortKey& key : keys) {
    exprs.push_back(key.expr);
    if (!types::is_orderable(key.expr->type.oid) && !types::is_hashable(key.expr->type.oid)) {
      return Status(sql_state::kUndefinedFunction, "could not identify an ordering operator for type {}",
                    types::format_type(key.expr->type));
    }
    result.columns_.push_back({key.expr->type.oid, {.descending = key.descending, .nulls_first = key.nulls_first}});
  }
  PANDO_ASSIGN(result.projection_, Projection::make(exprs, scope, runtime));
  return result;
}

Result<RowKeys> RowKeys::make(const std::vector<ExprPtr>& exprs, const Scope& scope, Runtime& runtime) {
  std::vector<SortKey> keys;
  for (const ExprPtr& expr : exprs) {
    keys.push_back({expr, false, false});
  }
  return make(keys, scope, runtime);
}

Result<RowKeys> RowKeys::make_equality(const std::vector<ExprPtr>& exprs, const Scope& scope, Runtime& runtime) {
  PANDO_ASSIGN(RowKeys keys, make(exprs, scope, runtime));
  std::size_t width = 0;
  bool fits_word = !exprs.empty() && exprs.size() <= kMaskBits;
  for (Column& column : keys.columns_) {
    const Physical physical = types::physical_of(column.type);
    column.exact = types::is_key_exact(column.type);
    column.width = physical == Physical::kBytes ? 0 : types::physical_size(physical);
    width += column.width;
    fits_word = fits_word && column.exact && column.width > 0;
  }
  keys.form_ = fits_word && width <= sizeof(uint64_t) ? Form::kWord : Form::kEquality;
  return keys;
}

uint64_t RowKeys::hash_of_word(uint64_t word, uint8_t null_mask) {
  return types::mix_hash(word + null_mask * kMaskMultiplier);
}

uint64_t RowKeys::hash(std::size_t row) const {
  return is_word() ? hash_of_word(words_[row], null_mask(row)) : types::hash_of_bytes(key(row));
}

Task<Status> RowKeys::compute(const types::Chunk& chunk) {
  rows_ = chunk.rows;
  PANDO_CO_TRY(co_await projection_.evaluate(chunk, values_));
  note_nulls();
  switch (form_) {
    case Form::kOrdered:
      compute_ordered();
      break;
    case Form::kEquality:
      compute_equality();
      break;
    case Form::kWord:
      compute_words();
      break;
  }
  co_return Status();
}

void RowKeys::note_nulls() {
  any_nulls_ = false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Vector& column = values_.columns[i];
    for (std::size_t row = 0; column.has_nulls() && row < rows_; ++row) {
      if (!column.is_null(row)) {
        continue;
      }
      if (!any_nulls_) {
        nulls_.assign(rows_, 0);
        any_nulls_ = true;
      }
      nulls_[row] |= mask_bit(i);
    }
  }
}

void RowKeys::compute_ordered() {
  arena_.clear();
  ends_.resize(rows_);
  for (std::size_t row = 0; row < rows_; ++row) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      types::append_key(arena_, columns_[i].type, values_.columns[i], row, columns_[i].order);
    }
    ends_[row] = static_cast<uint32_t>(arena_.size());
  }
}

void RowKeys::compute_words() {
  words_.resize(rows_);
  std::size_t shift = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Vector& column = values_.columns[i];
    add_to_words(column, columns_[i].width, rows_, shift, i == 0, words_.data());
    // What lies under a NULL is unspecified.
    const uint64_t bits =
        columns_[i].width == sizeof(uint64_t) ? ~uint64_t{0} : ((uint64_t{1} << (8 * columns_[i].width)) - 1);
    for (std::size_t row = 0; column.has_nulls() && row < rows_; ++row) {
      words_[row] &= column.is_null(row) ? ~(bits << shift) : ~uint64_t{0};
    }
    shift += 8 * columns_[i].width;
  }
}

// A row's key is, column after column: whether it is NULL, and if not, its bytes, after their number where that varies.
// A column of which equal values can differ in bytes is its ordered key, which knows its own end and NULL.
void RowKeys::compute_equality() {
  ends_.assign(rows_, 0);
  encoded_.resize(columns_.size());
  encoded_ends_.resize(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].exact ? add_sizes(i) : encode(i);
  }
  uint32_t end = 0;
  for (uint32_t& size : ends_) {
    end += size;
    size = end;
  }
  arena_.resize(end);
  char* at = arena_.data();
  for (std::size_t row = 0; row < rows_; ++row) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      at = write(i, row, at);
    }
  }
}

void RowKeys::add_sizes(std::size_t i) {
  const Vector& column = values_.columns[i];
  const std::size_t width = columns_[i].width;
  for (std::size_t row = 0; row < rows_; ++row) {
    const bool null = column.is_null(row);
    const std::size_t size = null ? 0 : width != 0 ? width : sizeof(uint32_t) + column.bytes_at(row).size();
    ends_[row] += static_cast<uint32_t>(1 + size);
  }
}

void RowKeys::encode(std::size_t i) {
  encoded_[i].clear();
  encoded_ends_[i].resize(rows_);
  uint32_t start = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    types::append_key(encoded_[i], columns_[i].type, values_.columns[i], row);
    const auto end = static_cast<uint32_t>(encoded_[i].size());
    encoded_ends_[i][row] = end;
    ends_[row] += end - start;
    start = end;
  }
}

char* RowKeys::write(std::size_t i, std::size_t row, char* at) const {
  const Vector& column = values_.columns[i];
  if (!columns_[i].exact) {
    const uint32_t start = row == 0 ? 0 : encoded_ends_[i][row - 1];
    const std::size_t size = encoded_ends_[i][row] - start;
    std::memcpy(at, encoded_[i].data() + start, size);
    return at + size;
  }
  const bool null = column.is_null(row);
  *at++ = null ? 1 : 0;
  if (null) {
    return at;
  }
  if (const std::size_t width = columns_[i].width; width != 0) {
    std::memcpy(at, bytes_of(column) + column.slot(row) * width, width);
    return at + width;
  }
  const ByteView bytes = column.bytes_at(row);
  const auto size = static_cast<uint32_t>(bytes.size());
  std::memcpy(at, &size, sizeof(size));
  std::copy(bytes.begin(), bytes.end(), at + sizeof(size));
  return at + sizeof(size) + size;
}

}  // namespace pando::sql::exec
