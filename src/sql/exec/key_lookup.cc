#include "sql/exec/key_lookup.h"

#include <algorithm>
#include <numeric>

#include "sql/exec/evaluator.h"
#include "types/compare.h"
#include "types/text_io.h"

namespace pando::sql::exec {

using types::Value;

namespace {

std::optional<int64_t> integer_of(const Value& value) {
  if (value.holds<int16_t>()) {
    return value.as<int16_t>();
  }
  if (value.holds<int32_t>()) {
    return value.as<int32_t>();
  }
  return value.holds<int64_t>() ? std::optional(value.as<int64_t>()) : std::nullopt;
}

// Appends the values in the order of the index's columns, as far as they are given; how many were.
std::size_t append_columns(const std::vector<KeyColumn>& index, const std::vector<catalog::AttributeNumber>& columns,
                           const std::vector<Value>& values, Bytes& key) {
  std::size_t appended = 0;
  for (const KeyColumn& column : index) {
    const auto found = std::ranges::find(columns, column.attribute);
    if (column.attribute == 0 || found == columns.end()) {
      break;
    }
    types::append_key(key, column.type.oid, values[static_cast<std::size_t>(found - columns.begin())], column.order);
    ++appended;
  }
  return appended;
}

}  // namespace

Result<Value> convert_key(const Value& value, types::Type from, types::Type to, Runtime& runtime) {
  if (value.is_null() || from.oid == to.oid) {
    return value;
  }
  if (const auto number = integer_of(value)) {
    if (to.oid == types::oid::kInt2 && *number == static_cast<int16_t>(*number)) {
      return Value::of_int16(static_cast<int16_t>(*number));
    }
    if (to.oid == types::oid::kInt4 && *number == static_cast<int32_t>(*number)) {
      return Value::of_int32(static_cast<int32_t>(*number));
    }
    if (to.oid == types::oid::kInt8) {
      return Value::of_int64(*number);
    }
  }
  Bytes text;
  types::print_text(from, value, runtime.context.evaluation.settings, text);
  return types::parse_text({to.oid}, text, runtime.context.evaluation.settings);
}

Bytes key_in_index(const TableLayout& layout, types::Oid index, const std::vector<catalog::AttributeNumber>& columns,
                   const std::vector<Value>& values) {
  const IndexLayout* secondary = layout.find_secondary(index);
  Bytes key = secondary == nullptr ? layout.row_prefix() : secondary->prefix;
  append_columns(secondary == nullptr ? layout.primary_key() : secondary->columns, columns, values, key);
  return key;
}

Task<Result<bool>> lock_referenced_row(const TableLayout& layout, types::Oid index,
                                       std::vector<catalog::AttributeNumber> columns, std::vector<Value> values,
                                       Runtime& runtime) {
  auto& transaction = runtime.context.transaction;
  const IndexLayout* secondary = layout.find_secondary(index);
  const Bytes key = key_in_index(layout, index, columns, values);
  if (secondary == nullptr) {
    PANDO_CO_TRY((co_await transaction.lock(key, txn::LockStrength::kKeyShare, txn::WaitPolicy::kBlock)).status());
    PANDO_CO_ASSIGN(const auto row, co_await transaction.get_latest(key));
    co_return row.has_value();
  }
  PANDO_CO_ASSIGN(const auto entry, co_await transaction.get_latest(key));
  if (!entry) {
    co_return false;
  }
  const auto suffix = row_suffix_of_entry(key, *entry);
  if (!suffix) {
    co_return Status(sql_state::kIndexCorrupted, "index \"{}\" has a malformed entry", secondary->index->name);
  }
  PANDO_CO_TRY((co_await transaction.lock(layout.row_key_of_suffix(*suffix), txn::LockStrength::kKeyShare,
                                          txn::WaitPolicy::kBlock))
                   .status());
  PANDO_CO_ASSIGN(const auto still, co_await transaction.get_latest(key));
  co_return still == entry;
}

Result<std::unique_ptr<MatchingRows>> MatchingRows::make(const TableLayout& layout,
                                                         std::vector<catalog::AttributeNumber> columns,
                                                         std::vector<Value> values, Runtime& runtime) {
  PANDO_ASSIGN(RowReader reader, RowReader::make(layout, layout.live()));
  std::unique_ptr<MatchingRows> rows(
      new MatchingRows(layout, std::move(columns), std::move(values), std::move(reader), runtime));
  rows->choose_index();
  rows->cursor_ = runtime.context.transaction.scan(rows->span_, {});
  return rows;
}

MatchingRows::MatchingRows(const TableLayout& layout, std::vector<catalog::AttributeNumber> columns,
                           std::vector<Value> values, RowReader reader, Runtime& runtime)
    : layout_(layout),
      columns_(std::move(columns)),
      values_(std::move(values)),
      reader_(std::move(reader)),
      runtime_(runtime) {}

void MatchingRows::choose_index() {
  Bytes best = layout_.row_prefix();
  std::size_t most = append_columns(layout_.primary_key(), columns_, values_, best);
  for (const IndexLayout& index : layout_.secondary()) {
    if (!index.index->readable || !index.index->predicate_sql.empty()) {
      continue;
    }
    Bytes key = index.prefix;
    const std::size_t appended = append_columns(index.columns, columns_, values_, key);
    if (appended > most) {
      most = appended;
      best = std::move(key);
      index_ = &index;
    }
  }
  span_ = {best, prefix_end(best)};
}

Task<Result<bool>> MatchingRows::next(types::Chunk& rows, std::vector<Bytes>& keys) {
  std::vector<ByteView> key_views;
  std::vector<ByteView> value_views;
  while (true) {
    PANDO_CO_TRY(co_await cursor_->next(batch_, types::kVectorRows));
    if (batch_.size() == 0) {
      co_return false;
    }
    if (runtime_.should_yield()) {
      PANDO_CO_TRY(co_await runtime_.pause());
    }
    const txn::KeyValueBatch* source = &batch_;
    if (index_ != nullptr) {
      PANDO_CO_TRY(co_await fetch());
      source = &fetched_;
    }
    key_views.clear();
    value_views.clear();
    keys.clear();
    for (std::size_t i = 0; i < source->size(); ++i) {
      key_views.push_back(source->key(i));
      value_views.push_back(source->value(i));
      keys.emplace_back(source->key(i));
    }
    rows.columns.resize(layout_.live().size());
    rows.rows = keys.size();
    PANDO_CO_TRY(reader_.read(key_views, value_views, rows));
    keep_equal(rows, keys);
    if (rows.rows > 0) {
      co_return true;
    }
  }
}

Task<Status> MatchingRows::fetch() {
  fetched_.clear();
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const auto suffix = row_suffix_of_entry(batch_.key(i), batch_.value(i));
    if (!suffix) {
      co_return Status(sql_state::kIndexCorrupted, "index \"{}\" has a malformed entry", index_->index->name);
    }
    Bytes key = layout_.row_key_of_suffix(*suffix);
    PANDO_CO_ASSIGN(const auto row, co_await runtime_.context.transaction.get(key));
    if (row) {
      fetched_.append(key, *row);
    }
  }
  co_return Status();
}

void MatchingRows::keep_equal(types::Chunk& rows, std::vector<Bytes>& keys) {
  std::vector<uint32_t> equal;
  for (uint32_t row = 0; row < rows.rows; ++row) {
    bool same = true;
    for (std::size_t i = 0; same && i < columns_.size(); ++i) {
      const types::Vector& column = rows.columns[layout_.live_position(columns_[i])];
      same = !column.is_null(row) &&
             types::equal_values(layout_.table().column(columns_[i]).type.oid, column.get(row), values_[i]);
    }
    if (same) {
      equal.push_back(row);
    }
  }
  if (equal.size() == rows.rows) {
    return;
  }
  types::Chunk kept;
  gather(rows, equal, kept);
  rows = std::move(kept);
  for (std::size_t i = 0; i < equal.size(); ++i) {
    if (equal[i] != i) {
      keys[i] = std::move(keys[equal[i]]);
    }
  }
  keys.resize(equal.size());
}

}  // namespace pando::sql::exec
