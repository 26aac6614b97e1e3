#include "sql/exec/table_check.h"

#include "sql/exec/index_entries.h"
#include "sql/exec/row_reader.h"

namespace pando::sql::exec {
namespace {

// A key as bytea shows it, cut where it gets long.
std::string show_key(ByteView key) {
  constexpr std::size_t kShownBytesMax = 48;
  std::string shown = "\\x";
  for (const char byte : key.substr(0, kShownBytesMax)) {
    shown += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return key.size() > kShownBytesMax ? shown + "..." : shown;
}

txn::Span span_of(const Bytes& prefix) { return {prefix, prefix_end(prefix)}; }

}  // namespace

class TableCheck::Work {
 public:
  Work(catalog::TablePtr table, ExecutionContext context, Report report, Progress progress, Counts& counts)
      : context_(std::move(context)),
        runtime_(context_),
        layout_(std::move(table)),
        report_(std::move(report)),
        progress_(std::move(progress)),
        counts_(counts) {}

  Task<Status> run() {
    PANDO_CO_ASSIGN(RowReader reader, RowReader::make(layout_, layout_.live()));
    reader_.emplace(std::move(reader));
    PANDO_CO_ASSIGN(entries_, IndexEntries::make(layout_, runtime_));
    PANDO_CO_TRY(co_await check_rows());
    for (std::size_t index = 0; index < entries_.indexes().size(); ++index) {
      if (is_complete(index)) {
        PANDO_CO_TRY(co_await check_index(index));
      }
    }
    co_return Status();
  }

 private:
  void problem(const std::string& what) {
    ++counts_.problems;
    report_(what);
  }

  // One that a job still builds lacks entries.
  bool is_complete(std::size_t index) const { return entries_.indexes()[index].layout->index->readable; }
  const std::string& index_name(std::size_t index) const { return entries_.indexes()[index].layout->index->name; }

  // From the rows to the indexes.
  Task<Status> check_rows() {
    const auto cursor = context_.transaction.scan(span_of(layout_.row_prefix()), {});
    KeyValueBatch batch;
    while (true) {
      PANDO_CO_TRY(co_await cursor->next(batch, types::kVectorRows));
      if (batch.size() == 0) {
        co_return Status();
      }
      counts_.rows += batch.size();
      keys_.clear();
      values_.clear();
      for (std::size_t i = 0; i < batch.size(); ++i) {
        keys_.push_back(batch.key(i));
        values_.push_back(batch.value(i));
      }
      const bool readable = read_rows();
      if (readable) {
        check_nulls();
        PANDO_CO_TRY(co_await entries_.compute(rows_));
        PANDO_CO_TRY(co_await check_entries_of_rows());
      }
      progress_(batch.size());
      PANDO_CO_TRY(co_await runtime_.pause());
    }
  }

  // Decodes keys_ and values_ into rows_. When one of them cannot be, finds out which; false then.
  bool read_rows() {
    if (try_read(keys_, values_).ok()) {
      return true;
    }
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (const Status status = try_read({&keys_[i], 1}, {&values_[i], 1}); !status.ok()) {
        problem(fmt::format("the row with key {} cannot be read: {}", show_key(keys_[i]), status.message()));
      }
    }
    return false;
  }

  Status try_read(std::span<const ByteView> keys, std::span<const ByteView> values) {
    rows_ = {};
    rows_.columns.resize(layout_.live().size());
    rows_.rows = keys.size();
    return reader_->read(keys, values, rows_);
  }

  void check_nulls() {
    for (std::size_t i = 0; i < layout_.live().size(); ++i) {
      const catalog::ColumnDescriptor& column = layout_.table().column(layout_.live()[i]);
      for (std::size_t row = 0; column.not_null && row < rows_.rows; ++row) {
        if (rows_.columns[i].is_null(row)) {
          problem(fmt::format("column \"{}\" is null in the row with key {}", column.name, show_key(keys_[row])));
        }
      }
    }
  }

  Task<Status> check_entries_of_rows() {
    IndexEntries::Entry entry;
    for (std::size_t index = 0; index < entries_.indexes().size(); ++index) {
      for (std::size_t row = 0; row < keys_.size(); ++row) {
        if (!entries_.includes(index, row) || !is_complete(index)) {
          continue;
        }
        entries_.entry(index, row, layout_.suffix_of(keys_[row]), entry);
        PANDO_CO_ASSIGN(const auto stored, co_await context_.transaction.get(entry.key));
        if (!stored) {
          problem(fmt::format("index \"{}\" has no entry for the row with key {}", index_name(index),
                              show_key(keys_[row])));
        } else if (*stored != entry.value) {
          problem(fmt::format("index \"{}\" has another row in the place of the one with key {}", index_name(index),
                              show_key(keys_[row])));
        }
      }
    }
    co_return Status();
  }

  // From an index to the rows.
  Task<Status> check_index(std::size_t index) {
    const auto cursor = context_.transaction.scan(span_of(entries_.indexes()[index].layout->prefix), {});
    KeyValueBatch batch;
    while (true) {
      PANDO_CO_TRY(co_await cursor->next(batch, types::kVectorRows));
      if (batch.size() == 0) {
        co_return Status();
      }
      counts_.entries += batch.size();
      PANDO_CO_TRY(co_await check_rows_of_entries(index, batch));
      progress_(batch.size());
      PANDO_CO_TRY(co_await runtime_.pause());
    }
  }

  Task<Status> check_rows_of_entries(std::size_t index, const KeyValueBatch& batch) {
    std::vector<Bytes> keys;
    std::vector<Bytes> values;
    // Which entry of the batch each belongs to.
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto suffix = row_suffix_of_entry(batch.key(i), batch.value(i));
      if (!suffix) {
        problem(fmt::format("index \"{}\" has a malformed entry {}", index_name(index), show_key(batch.key(i))));
        continue;
      }
      Bytes key = layout_.row_key_of_suffix(*suffix);
      PANDO_CO_ASSIGN(auto row, co_await context_.transaction.get(key));
      if (!row) {
        problem(fmt::format("index \"{}\" has an entry {} for a row that is not there", index_name(index),
                            show_key(batch.key(i))));
        continue;
      }
      keys.push_back(std::move(key));
      values.push_back(*std::move(row));
      places.push_back(i);
    }
    keys_.assign(keys.begin(), keys.end());
    values_.assign(values.begin(), values.end());
    // Rows that cannot be read were reported with the rows.
    if (keys.empty() || !try_read(keys_, values_).ok()) {
      co_return Status();
    }
    PANDO_CO_TRY(co_await entries_.compute(rows_));
    IndexEntries::Entry entry;
    for (std::size_t row = 0; row < keys.size(); ++row) {
      if (entries_.includes(index, row)) {
        entries_.entry(index, row, layout_.suffix_of(keys_[row]), entry);
      }
      const bool fits = entries_.includes(index, row) && entry.key == batch.key(places[row]) &&
                        entry.value == batch.value(places[row]);
      if (!fits) {
        problem(fmt::format("index \"{}\" has an entry {} that its row does not have", index_name(index),
                            show_key(batch.key(places[row]))));
      }
    }
    co_return Status();
  }

  ExecutionContext context_;
  Runtime runtime_;
  const TableLayout layout_;
  const Report report_;
  const Progress progress_;
  Counts& counts_;
  std::optional<RowReader> reader_;
  IndexEntries entries_;
  std::vector<ByteView> keys_;
  std::vector<ByteView> values_;
  types::Chunk rows_;
};

TableCheck::TableCheck(catalog::TablePtr table, ExecutionContext context, Report report, Progress progress)
    : work_(std::make_unique<Work>(std::move(table), std::move(context), std::move(report), std::move(progress),
                                   counts_)) {}

TableCheck::~TableCheck() = default;

Task<Status> TableCheck::run() { return work_->run(); }

}  // namespace pando::sql::exec
