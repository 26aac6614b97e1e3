#include "sql/exec/row_system_columns.h"

#include "base/codec.h"
#include "sql/plan/logical.h"
#include "types/compare.h"

namespace pando::sql::exec {
namespace {

constexpr int kTidBits = 48;
// Below are the special transaction ids of PostgreSQL.
constexpr uint32_t kFirstNormalTransaction = 3;

bool is_one_integer(const std::vector<KeyColumn>& key) {
  namespace oid = types::oid;
  return key.size() == 1 &&
         (key[0].type.oid == oid::kInt2 || key[0].type.oid == oid::kInt4 || key[0].type.oid == oid::kInt8);
}

// A row id in 48 bits: two tell how many the row's number within its transaction has, which is as few as will do. So
// ids of one transaction are in the order in which it made the rows.
std::optional<int64_t> tid_of_row_id(ByteView suffix) {
  OrderedReader reader(suffix);
  uint64_t transaction = 0;
  uint64_t row = 0;
  if (!reader.ordered_uint64(transaction) || !reader.ordered_uint64(row)) {
    return std::nullopt;
  }
  for (uint64_t width = 0; width < 4; ++width) {
    const uint64_t row_bits = 8 * (width + 1);
    const uint64_t transaction_bits = kTidBits - 2 - row_bits;
    if (row >> row_bits == 0 && transaction >> transaction_bits == 0) {
      return static_cast<int64_t>(width << (kTidBits - 2) | transaction << row_bits | row);
    }
  }
  return std::nullopt;
}

Result<std::optional<int64_t>> tid_of_key(const KeyColumn& key, ByteView suffix) {
  types::Vector column(types::physical_of(key.type.oid));
  column.reset(1);
  PANDO_TRY(types::take_key(suffix, key.type.oid, key.order, column, 0));
  const int64_t value = key.type.oid == types::oid::kInt2   ? column.at<int16_t>(0)
                        : key.type.oid == types::oid::kInt4 ? column.at<int32_t>(0)
                                                            : column.at<int64_t>(0);
  return value >= 0 && value >> kTidBits == 0 ? std::optional(value) : std::nullopt;
}

Status read_ctids(const TableLayout& layout, std::span<const ByteView> keys, types::Vector& out) {
  out.reset_physical(types::Physical::kInt64);
  out.reset(keys.size());
  for (std::size_t row = 0; row < keys.size(); ++row) {
    const ByteView suffix = layout.suffix_of(keys[row]);
    std::optional<int64_t> tid;
    if (layout.primary_key().empty()) {
      tid = tid_of_row_id(suffix);
    } else {
      PANDO_ASSIGN(tid, tid_of_key(layout.primary_key()[0], suffix));
    }
    if (!tid.has_value()) {
      return Status(sql_state::kFeatureNotSupported, "a row of table \"{}\" has an identity too large for ctid",
                    layout.table().name);
    }
    out.data<int64_t>()[row] = *tid;
  }
  return {};
}

}  // namespace

Status check_system_column(const TableLayout& layout, catalog::AttributeNumber attribute) {
  if (attribute == kCtidAttribute && !layout.primary_key().empty() && !is_one_integer(layout.primary_key())) {
    return Status(sql_state::kFeatureNotSupported,
                  "ctid is not supported for table \"{}\", whose primary key is not one integer", layout.table().name);
  }
  return {};
}

Status read_system_column(const TableLayout& layout, catalog::AttributeNumber attribute, std::span<const ByteView> keys,
                          std::span<const ByteView> values, types::Vector& out) {
  if (attribute == kCtidAttribute) {
    return read_ctids(layout, keys, out);
  }
  out.reset_physical(types::Physical::kUint32);
  if (attribute != kXminAttribute) {
    out.reset_constant(types::Value::of_uint32(attribute == kTableOidAttribute ? layout.table().oid : 0), keys.size());
    return {};
  }
  out.reset(keys.size());
  for (std::size_t row = 0; row < keys.size(); ++row) {
    const uint64_t hash = types::hash_of_bytes(keys[row]) * 31 + types::hash_of_bytes(values[row]);
    out.data<uint32_t>()[row] = std::max(static_cast<uint32_t>(hash >> 32), kFirstNormalTransaction);
  }
  return {};
}

}  // namespace pando::sql::exec
