#include "sql/exec/index_backfill.h"

#include "sql/exec/constraint_errors.h"
#include "sql/exec/index_entries.h"
#include "sql/exec/row_reader.h"

namespace pando::sql::exec {
namespace {

Status changed_meanwhile() {
  return Status(sql_state::kSerializationFailure, "rows changed while their index entries were made");
}

}  // namespace

class IndexBackfill::Work {
 public:
  Work(catalog::TablePtr table, types::Oid index, ExecutionContext context)
      : context_(std::move(context)), runtime_(context_), layout_(std::move(table)), index_(index) {}

  Task<Status> fill(txn::Span rows) {
    PANDO_CO_TRY(prepare());
    const auto cursor = context_.transaction.scan(std::move(rows), {});
    KeyValueBatch batch;
    while (true) {
      PANDO_CO_TRY(co_await cursor->next(batch, types::kVectorRows));
      if (batch.size() == 0) {
        co_return Status();
      }
      keys_.clear();
      values_.clear();
      for (std::size_t i = 0; i < batch.size(); ++i) {
        keys_.push_back(batch.key(i));
        values_.push_back(batch.value(i));
      }
      PANDO_CO_TRY(co_await write_entries(/*locked=*/false));
    }
  }

  Task<Status> fill_locked(std::vector<Bytes> row_keys) {
    PANDO_CO_TRY(prepare());
    std::vector<Bytes> values;
    values.reserve(row_keys.size());
    keys_.clear();
    for (const Bytes& key : row_keys) {
      PANDO_CO_TRY(
          (co_await context_.transaction.lock(key, txn::LockStrength::kShare, txn::WaitPolicy::kBlock)).status());
      PANDO_CO_ASSIGN(auto value, co_await context_.transaction.get_latest(key));
      if (value.has_value()) {
        keys_.push_back(key);
        values.push_back(*std::move(value));
      }
    }
    values_.assign(values.begin(), values.end());
    co_return keys_.empty() ? Status() : co_await write_entries(/*locked=*/true);
  }

 private:
  Status prepare() {
    PANDO_ASSIGN(RowReader reader, RowReader::make(layout_, layout_.live()));
    reader_.emplace(std::move(reader));
    PANDO_ASSIGN(entries_, IndexEntries::make(layout_, runtime_, index_));
    PANDO_ASSERT(entries_.indexes().size() == 1, "an index that the table does not have");
    return {};
  }

  // Of the rows with keys_ and values_.
  Task<Status> write_entries(bool locked) {
    rows_ = {};
    rows_.columns.resize(layout_.live().size());
    rows_.rows = keys_.size();
    PANDO_CO_TRY(reader_->read(keys_, values_, rows_));
    PANDO_CO_TRY(co_await entries_.compute(rows_));
    PANDO_CO_TRY(co_await lock_unique());
    IndexEntries::Entry entry;
    for (std::size_t row = 0; row < rows_.rows; ++row) {
      if (!entries_.includes(0, row)) {
        continue;
      }
      entries_.entry(0, row, layout_.suffix_of(keys_[row]), entry);
      if (entry.unique) {
        PANDO_CO_ASSIGN(const bool is_there, co_await find_unique(entry, row, locked));
        if (is_there) {
          continue;
        }
      }
      PANDO_CO_TRY(context_.transaction.put(std::move(entry.key), std::move(entry.value)));
    }
    co_return Status();
  }

  // All at once: a request for each would take longer than writers leave the rows alone.
  Task<Status> lock_unique() {
    std::vector<Bytes> keys;
    IndexEntries::Entry entry;
    for (std::size_t row = 0; row < rows_.rows; ++row) {
      if (entries_.includes(0, row)) {
        entries_.entry(0, row, layout_.suffix_of(keys_[row]), entry);
        if (entry.unique) {
          keys.push_back(entry.key);
        }
      }
    }
    std::vector<uint8_t> taken;
    co_return co_await context_.transaction.lock_for_insert(keys, taken);
  }

  // Whether the entry, whose key is locked, is there already. An error when another row has its key.
  Task<Result<bool>> find_unique(const IndexEntries::Entry& entry, std::size_t row, bool locked) {
    const Bytes value = entry.value;
    PANDO_CO_ASSIGN(const auto existing, co_await context_.transaction.get_latest(entry.key));
    if (existing.has_value() && *existing != value) {
      co_return locked ? duplicate(row) : changed_meanwhile();
    }
    co_return existing.has_value();
  }

  Status duplicate(std::size_t row) {
    const IndexEntries::Index& index = entries_.indexes().front();
    std::vector<types::Type> types;
    std::vector<types::Value> values;
    for (std::size_t i = 0; i < index.types.size(); ++i) {
      types.push_back({index.types[i]});
      values.push_back(entries_.column(0, i).get(row));
    }
    const catalog::IndexDescriptor& descriptor = *index.layout->index;
    return Status(sql_state::kUniqueViolation, "could not create unique index \"{}\"", descriptor.name)
        .with_detail(fmt::format("Key {} is duplicated.", describe_key(index_column_names(layout_.table(), descriptor),
                                                                       types, values, runtime_)))
        .with_constraint(schema_name(layout_.table(), runtime_), layout_.table().name, descriptor.name);
  }

  ExecutionContext context_;
  Runtime runtime_;
  const TableLayout layout_;
  const types::Oid index_;
  std::optional<RowReader> reader_;
  IndexEntries entries_;
  std::vector<ByteView> keys_;
  std::vector<ByteView> values_;
  types::Chunk rows_;
};

IndexBackfill::IndexBackfill(catalog::TablePtr table, types::Oid index, ExecutionContext context)
    : work_(std::make_unique<Work>(std::move(table), index, std::move(context))) {}

IndexBackfill::~IndexBackfill() = default;

Task<Status> IndexBackfill::fill(txn::Span rows) { return work_->fill(std::move(rows)); }
Task<Status> IndexBackfill::fill_locked(std::vector<Bytes> row_keys) { return work_->fill_locked(std::move(row_keys)); }

}  // namespace pando::sql::exec
