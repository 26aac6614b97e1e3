// Sort: orders all rows by keys. Over the memory budget, sorted runs go to temporary storage and are merged. With a
// limit, rows that cannot be among the first are dropped as they come.

#include <algorithm>
#include <queue>

#include "sql/exec/limit_count.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_keys.h"
#include "sql/exec/row_store.h"
#include "sql/exec/spill_file.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Vector;

namespace {

// Up to this many rows a limit makes it worth dropping rows early.
constexpr uint64_t kTopRowsMax = 65536;

class KeyArena {
 public:
  ByteView store(ByteView key) {
    if (blocks_.empty() || size_ - used_ < key.size()) {
      size_ = std::max(kBlockBytes, key.size());
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(size_));
      used_ = 0;
      bytes_ += size_;
    }
    char* place = blocks_.back().get() + used_;
    std::memcpy(place, key.data(), key.size());
    used_ += key.size();
    return {place, key.size()};
  }
  void clear() { blocks_.clear(), bytes_ = 0, size_ = 0, used_ = 0; }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kBlockBytes = 64_KiB;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t used_ = 0;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

struct Entry {
  uint64_t prefix;  // the key's first bytes, big-endian: decides most comparisons
  ByteView key;
  RowRef ref;
};

uint64_t prefix_of(ByteView key) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, key.data(), std::min(key.size(), sizeof(prefix)));
  return __builtin_bswap64(prefix);
}

// Ties keep the order of arrival.
bool before(const Entry& a, const Entry& b) {
  if (a.prefix != b.prefix) {
    return a.prefix < b.prefix;
  }
  if (const int order = a.key.compare(b.key); order != 0) {
    return order < 0;
  }
  return a.ref.chunk != b.ref.chunk ? a.ref.chunk < b.ref.chunk : a.ref.row < b.ref.row;
}

// A sorted run on temporary storage: the rows, with the key as one more column.
struct Run {
  std::unique_ptr<SpillFile> file;
  Chunk rows;
  std::size_t row = 0;
  std::size_t number = 0;

  ByteView key() const { return rows.columns.back().bytes_at(row); }
};

class SortOperator final : public Operator {
 public:
  SortOperator(const SortPlan& plan, OperatorPtr input, RowKeys keys, Runtime& runtime)
      : plan_(plan), input_(std::move(input)), keys_(std::move(keys)), runtime_(runtime) {}

  Task<Status> open() override {
    clear();
    runs_.clear();
    cutoff_.reset();
    PANDO_CO_ASSIGN(const RowLimit limit, co_await evaluate_limit(plan_.limit, plan_.offset, runtime_));
    rows_wanted_ = limit.count > UINT64_MAX - limit.skip ? UINT64_MAX : limit.count + limit.skip;
    PANDO_CO_TRY(co_await input_->open());
    PANDO_CO_TRY(co_await read_input());
    if (!runs_.empty()) {
      PANDO_CO_TRY(co_await write_run());
      co_return co_await start_merge();
    }
    sort_entries();
    co_return Status();
  }

  Task<Result<bool>> next(Chunk& out) override {
    if (!runs_.empty()) {
      co_return co_await next_merged(out);
    }
    const std::size_t count = std::min(entries_.size() - next_entry_, types::kVectorRows);
    if (count == 0) {
      co_return false;
    }
    output(next_entry_, count, out);
    next_entry_ += count;
    co_return true;
  }

 private:
  void clear() {
    store_.clear();
    arena_.clear();
    entries_.clear();
    next_entry_ = 0;
  }

  Task<Status> read_input() {
    Chunk rows;
    while (rows_wanted_ > 0) {
      PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows));
      if (!more) {
        break;
      }
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      PANDO_CO_TRY(co_await keys_.compute(rows));
      if (cutoff_) {
        add_below_cutoff(rows);
      } else {
        add(rows);
      }
      if (rows_wanted_ <= kTopRowsMax && entries_.size() >= 2 * rows_wanted_ + types::kVectorRows) {
        keep_first();
      }
      if (store_.memory_bytes() + arena_.bytes() + entries_.size() * sizeof(Entry) >
          runtime_.context.memory_bytes_max) {
        PANDO_CO_TRY(co_await write_run());
      }
    }
    co_return Status();
  }

  void add(const Chunk& rows) {
    RowRef ref = store_.append(rows);
    for (std::size_t row = 0; row < rows.rows; ++row, ref = store_.next(ref)) {
      const ByteView key = arena_.store(keys_.key(row));
      entries_.push_back({prefix_of(key), key, ref});
    }
  }

  // Rows that come after all that are wanted so far are not looked at again; equal ones come after, too.
  void add_below_cutoff(const Chunk& rows) {
    below_.clear();
    for (uint32_t row = 0; row < rows.rows; ++row) {
      if (keys_.key(row) < *cutoff_) {
        below_.push_back(row);
      }
    }
    if (below_.size() == rows.rows) {
      return add(rows);
    }
    if (below_.empty()) {
      return;
    }
    Chunk kept;
    gather(rows, below_, kept);
    RowRef ref = store_.append(kept);
    for (std::size_t i = 0; i < below_.size(); ++i, ref = store_.next(ref)) {
      const ByteView key = arena_.store(keys_.key(below_[i]));
      entries_.push_back({prefix_of(key), key, ref});
    }
  }

  void sort_entries() { std::ranges::sort(entries_, before); }

  // Drops all but the first rows_wanted_ rows, with the memory they held.
  void keep_first() {
    std::ranges::sort(entries_, before);
    entries_.resize(static_cast<std::size_t>(rows_wanted_));
    RowStore kept;
    KeyArena kept_keys;
    std::vector<Entry> kept_entries;
    Chunk rows;
    for (std::size_t first = 0; first < entries_.size(); first += types::kVectorRows) {
      const std::size_t count = std::min(entries_.size() - first, types::kVectorRows);
      output(first, count, rows);
      RowRef ref = kept.append(rows);
      for (std::size_t i = 0; i < count; ++i, ref = kept.next(ref)) {
        kept_entries.push_back({entries_[first + i].prefix, kept_keys.store(entries_[first + i].key), ref});
      }
    }
    store_ = std::move(kept);
    arena_ = std::move(kept_keys);
    entries_ = std::move(kept_entries);
    cutoff_ = Bytes(entries_.back().key);
  }

  void output(std::size_t first, std::size_t count, Chunk& out) {
    refs_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      refs_[i] = entries_[first + i].ref;
    }
    store_.gather(refs_.data(), count, out);
  }

  Task<Status> write_run() {
    if (entries_.empty()) {
      co_return Status();
    }
    sort_entries();
    Run run;
    run.number = runs_.size();
    PANDO_CO_ASSIGN(run.file, co_await SpillFile::create(runtime_));
    Chunk rows;
    for (std::size_t first = 0; first < entries_.size(); first += types::kVectorRows) {
      const std::size_t count = std::min(entries_.size() - first, types::kVectorRows);
      output(first, count, rows);
      Vector& keys = rows.columns.emplace_back(types::Physical::kBytes);
      keys.reset(count);
      for (std::size_t i = 0; i < count; ++i) {
        keys.set_bytes(i, entries_[first + i].key);
      }
      PANDO_CO_TRY(co_await run.file->append(rows));
    }
    runs_.push_back(std::move(run));
    clear();
    co_return Status();
  }

  Task<Status> start_merge() {
    queue_.clear();
    for (Run& run : runs_) {
      PANDO_CO_TRY(co_await run.file->start_reading());
      PANDO_CO_ASSIGN(const bool more, co_await run.file->read(run.rows));
      run.row = 0;
      if (more) {
        queue_.push_back(&run);
      }
    }
    std::ranges::make_heap(queue_, later);
    co_return Status();
  }

  static bool later(const Run* a, const Run* b) {
    const int order = a->key().compare(b->key());
    return order != 0 ? order > 0 : a->number > b->number;
  }

  Task<Result<bool>> next_merged(Chunk& out) {
    if (queue_.empty()) {
      co_return false;
    }
    out.columns.clear();
    const Chunk& shape = queue_.front()->rows;
    for (std::size_t column = 0; column + 1 < shape.columns.size(); ++column) {
      out.columns.emplace_back(shape.columns[column].physical()).reset(types::kVectorRows);
    }
    out.rows = 0;
    while (out.rows < types::kVectorRows && !queue_.empty()) {
      std::ranges::pop_heap(queue_, later);
      Run& run = *queue_.back();
      for (std::size_t column = 0; column < out.columns.size(); ++column) {
        out.columns[column].set_from(out.rows, run.rows.columns[column], run.row);
      }
      ++out.rows;
      bool more = ++run.row < run.rows.rows;
      if (!more) {
        PANDO_CO_ASSIGN(more, co_await run.file->read(run.rows));
        run.row = 0;
      }
      if (more) {
        std::ranges::push_heap(queue_, later);
      } else {
        queue_.pop_back();
      }
    }
    for (Vector& column : out.columns) {
      column.resize(out.rows);
    }
    co_return true;
  }

  const SortPlan& plan_;
  OperatorPtr input_;
  RowKeys keys_;
  Runtime& runtime_;
  uint64_t rows_wanted_ = UINT64_MAX;
  RowStore store_;
  KeyArena arena_;
  std::vector<Entry> entries_;
  std::size_t next_entry_ = 0;
  std::vector<RowRef> refs_;
  // The key of the last row wanted, once more than enough have come.
  std::optional<Bytes> cutoff_;
  std::vector<uint32_t> below_;
  std::vector<Run> runs_;
  std::vector<Run*> queue_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const SortPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  PANDO_ASSIGN(RowKeys keys, RowKeys::make(plan.keys, Scope(plan.input->outputs), runtime));
  return OperatorPtr(std::make_unique<SortOperator>(plan, std::move(input), std::move(keys), runtime));
}

}  // namespace pando::sql::exec
