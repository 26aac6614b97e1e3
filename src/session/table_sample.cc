#include "session/table_sample.h"

#include <algorithm>
#include <numeric>

#include "sql/exec/row_reader.h"

namespace pando::session {
namespace {

// A table in at least this many parts is large.
constexpr std::size_t kParts = 256;
// Of these, so many are read.
constexpr std::size_t kPartsRead = 32;

}  // namespace

TableSample::TableSample(catalog::TablePtr table) : table_(std::move(table)) {
  for (const catalog::ColumnDescriptor& column : table_->columns) {
    if (!column.dropped) {
      attributes_.push_back(column.number);
      columns_.push_back({column.type, {}});
    }
  }
}

Task<Result<catalog::TableStatistics>> TableSample::statistics(const SampleOptions& options) const {
  catalog::TableStatistics statistics{.id = table_->id, .rows = total_rows_, .columns = {}};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    statistics.columns.push_back(make_column_statistics(attributes_[i], columns_[i], total_rows_, options.target));
    PANDO_CO_TRY(co_await options.pause());
  }
  co_return statistics;
}

// Fills a sample from spans of rows.
class TableSampler {
 public:
  TableSampler(TableSample& sample, sql::exec::RowReader reader, const SampleOptions& options)
      : sample_(sample), reader_(std::move(reader)), options_(options), prng_(options.seed) {}

  // A reservoir of up to `rows_max` rows of the span, added to the sample in their order. Returns the span's row count.
  Task<Result<uint64_t>> add(std::unique_ptr<txn::Cursor> cursor, std::size_t rows_max) {
    std::vector<Kept> kept;
    uint64_t seen = 0;
    txn::KeyValueBatch batch;
    while (true) {
      PANDO_CO_TRY(co_await cursor->next(batch, types::kVectorRows));
      if (batch.size() == 0) {
        break;
      }
      for (std::size_t i = 0; i < batch.size(); ++i, ++seen) {
        if (kept.size() < rows_max) {
          kept.push_back({seen, Bytes(batch.key(i)), Bytes(batch.value(i))});
        } else if (const uint64_t place = prng_.next() % (seen + 1); place < rows_max) {
          kept[place] = {seen, Bytes(batch.key(i)), Bytes(batch.value(i))};
        }
      }
      PANDO_CO_TRY(co_await options_.pause());
    }
    std::ranges::sort(kept, {}, &Kept::number);
    PANDO_CO_TRY(decode(kept));
    co_return seen;
  }

 private:
  struct Kept {
    uint64_t number;
    Bytes key;
    Bytes value;
  };

  Status decode(const std::vector<Kept>& kept) {
    types::Chunk rows;
    rows.columns.resize(sample_.columns_.size());
    std::vector<ByteView> keys;
    std::vector<ByteView> values;
    for (std::size_t first = 0; first < kept.size(); first += types::kVectorRows) {
      const std::size_t count = std::min(kept.size() - first, types::kVectorRows);
      keys.clear();
      values.clear();
      for (std::size_t i = 0; i < count; ++i) {
        keys.push_back(kept[first + i].key);
        values.push_back(kept[first + i].value);
      }
      rows.rows = count;
      PANDO_TRY(reader_.read(keys, values, rows));
      for (std::size_t column = 0; column < rows.columns.size(); ++column) {
        for (std::size_t row = 0; row < count; ++row) {
          sample_.columns_[column].values.push_back(rows.columns[column].get(row));
        }
      }
    }
    return {};
  }

  TableSample& sample_;
  sql::exec::RowReader reader_;
  const SampleOptions& options_;
  Prng prng_;

 public:
  void set_total(double rows) { sample_.total_rows_ = rows; }
  const std::vector<catalog::AttributeNumber>& attributes() const { return sample_.attributes_; }
  static const std::vector<catalog::AttributeNumber>& attributes_of(const TableSample& sample) {
    return sample.attributes_;
  }
};

Task<Result<TableSample>> sample_table(catalog::TablePtr table, txn::Transaction* transaction, SampleOptions options) {
  TableSample sample(table);
  const sql::exec::TableLayout layout(table);
  PANDO_CO_ASSIGN(auto reader, sql::exec::RowReader::make(layout, TableSampler::attributes_of(sample)));
  TableSampler sampler(sample, std::move(reader), options);
  const std::size_t rows_wanted = options.target * kSampleRowsPerTarget;
  const txn::Span span{layout.row_prefix(), prefix_end(layout.row_prefix())};
  const auto snapshot = transaction->snapshot_for(span);
  const std::vector<txn::Span> parts =
      snapshot == nullptr ? std::vector<txn::Span>{span} : snapshot->split(span, kParts);
  if (parts.size() < kParts) {
    PANDO_CO_ASSIGN(const uint64_t rows, co_await sampler.add(transaction->scan(span, {}), rows_wanted));
    sampler.set_total(static_cast<double>(rows));
    co_return sample;
  }
  // One part of each stretch, at random.
  Prng prng(options.seed);
  const std::size_t stretch = parts.size() / kPartsRead;
  uint64_t rows = 0;
  for (std::size_t i = 0; i < kPartsRead; ++i) {
    const txn::Span& part = parts[i * stretch + prng.next() % stretch];
    PANDO_CO_ASSIGN(const uint64_t read, co_await sampler.add(snapshot->scan(part, {}), rows_wanted / kPartsRead));
    rows += read;
  }
  sampler.set_total(static_cast<double>(rows) * static_cast<double>(parts.size()) / kPartsRead);
  co_return sample;
}

}  // namespace pando::session
