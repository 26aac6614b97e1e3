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

namespace {

// Through the text form when it must be.
std::optional<Value> convert_value(const Value& value, types::Type from, types::Type to, Runtime& runtime) {
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
  auto converted = types::parse_text({to.oid}, text, runtime.context.evaluation.settings);
  return converted.ok() ? std::optional(*std::move(converted)) : std::nullopt;
}

}  // namespace

std::optional<std::vector<Value>> convert_key(const std::vector<Value>& key, KeyColumns from, KeyColumns to,
                                              Runtime& runtime) {
  std::vector<Value> converted;
  for (std::size_t i = 0; i < key.size(); ++i) {
    auto value =
        convert_value(key[i], from.table.column(from.columns[i]).type, to.table.column(to.columns[i]).type, runtime);
    if (!value.has_value()) {
      return std::nullopt;
    }
    converted.push_back(*std::move(value));
  }
  return converted;
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
                                                         const std::vector<Key>& keys, Runtime& runtime) {
  PANDO_ASSIGN(RowReader reader, RowReader::make(layout, layout.live()));
  std::unique_ptr<MatchingRows> rows(new MatchingRows(layout, std::move(columns), std::move(reader), runtime));
  for (uint32_t i = 0; i < keys.size(); ++i) {
    Bytes key;
    for (std::size_t column = 0; column < rows->columns_.size(); ++column) {
      types::append_key(key, layout.table().column(rows->columns_[column]).type.oid, keys[i][column]);
    }
    rows->positions_.emplace(std::move(key), i);
  }
  rows->choose_spans(keys);
  return rows;
}

MatchingRows::MatchingRows(const TableLayout& layout, std::vector<catalog::AttributeNumber> columns, RowReader reader,
                           Runtime& runtime)
    : layout_(layout), columns_(std::move(columns)), reader_(std::move(reader)), runtime_(runtime) {}

void MatchingRows::choose_spans(const std::vector<Key>& keys) {
  if (keys.empty()) {
    return;
  }
  Bytes prefix;
  std::size_t most = append_columns(layout_.primary_key(), columns_, keys.front(), prefix);
  for (const IndexLayout& index : layout_.secondary()) {
    if (!index.index->readable || !index.index->predicate_sql.empty()) {
      continue;
    }
    const std::size_t appended = append_columns(index.columns, columns_, keys.front(), prefix);
    if (appended > most) {
      most = appended;
      index_ = &index;
    }
  }
  by_key_ = most > 0;
  if (!by_key_) {
    spans_.push_back({layout_.row_prefix(), prefix_end(layout_.row_prefix())});
    return;
  }
  for (const Key& key : keys) {
    Bytes start = index_ == nullptr ? layout_.row_prefix() : index_->prefix;
    append_columns(index_ == nullptr ? layout_.primary_key() : index_->columns, columns_, key, start);
    Bytes end = prefix_end(start);
    spans_.push_back({std::move(start), std::move(end)});
  }
}

bool MatchingRows::open_next_span() {
  if (next_span_ == spans_.size()) {
    return false;
  }
  cursor_ = runtime_.context.transaction.scan(spans_[next_span_++], {});
  return true;
}

Task<Result<bool>> MatchingRows::next(Rows& found) {
  std::vector<ByteView> key_views;
  std::vector<ByteView> value_views;
  while (cursor_ != nullptr || open_next_span()) {
    PANDO_CO_TRY(co_await cursor_->next(batch_, types::kVectorRows));
    if (runtime_.should_yield()) {
      PANDO_CO_TRY(co_await runtime_.pause());
    }
    if (batch_.size() == 0) {
      cursor_ = nullptr;
      continue;
    }
    const txn::KeyValueBatch* source = &batch_;
    if (index_ != nullptr) {
      PANDO_CO_TRY(co_await fetch());
      source = &fetched_;
    }
    key_views.clear();
    value_views.clear();
    found.row_keys.clear();
    for (std::size_t i = 0; i < source->size(); ++i) {
      key_views.push_back(source->key(i));
      value_views.push_back(source->value(i));
      found.row_keys.emplace_back(source->key(i));
    }
    found.rows.columns.resize(layout_.live().size());
    found.rows.rows = found.row_keys.size();
    PANDO_CO_TRY(reader_.read(key_views, value_views, found.rows));
    keep_matching(found);
    if (found.rows.rows > 0) {
      co_return true;
    }
  }
  co_return false;
}

Task<Status> MatchingRows::fetch() {
  std::vector<Bytes> keys;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const auto suffix = row_suffix_of_entry(batch_.key(i), batch_.value(i));
    if (!suffix) {
      co_return Status(sql_state::kIndexCorrupted, "index \"{}\" has a malformed entry", index_->index->name);
    }
    keys.push_back(layout_.row_key_of_suffix(*suffix));
  }
  std::vector<uint32_t> positions;
  co_return co_await runtime_.context.transaction.get_many(keys, fetched_, positions);
}

void MatchingRows::keep_matching(Rows& found) {
  std::vector<uint32_t> kept;
  found.matched.clear();
  Bytes key;
  for (uint32_t row = 0; row < found.rows.rows; ++row) {
    key.clear();
    bool null = false;
    for (const catalog::AttributeNumber attribute : columns_) {
      const types::Vector& column = found.rows.columns[layout_.live_position(attribute)];
      null = null || column.is_null(row);
      types::append_key(key, layout_.table().column(attribute).type.oid, column.get(row));
    }
    const auto position = null ? positions_.end() : positions_.find(key);
    // An index on some of the columns may lead to rows of another key.
    if (position != positions_.end() && (!by_key_ || position->second + 1 == next_span_)) {
      kept.push_back(row);
      found.matched.push_back(position->second);
    }
  }
  if (kept.size() == found.rows.rows) {
    return;
  }
  types::Chunk rows;
  gather(found.rows, kept, rows);
  found.rows = std::move(rows);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] != i) {
      found.row_keys[i] = std::move(found.row_keys[kept[i]]);
    }
  }
  found.row_keys.resize(kept.size());
}

}  // namespace pando::sql::exec
