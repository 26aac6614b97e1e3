// Scan: walks a table or one of its indexes, decodes what the plan names, and filters. Columns that the filter needs
// are decoded first, the others only for the rows that pass.

#include <algorithm>

#include "catalog/relation_forms.h"
#include "sql/exec/entry_reader.h"
#include "sql/exec/evaluator.h"
#include "sql/exec/key_ranges.h"
#include "sql/exec/operators.h"
#include "sql/exec/parallel.h"
#include "sql/exec/row_reader.h"
#include "sql/plan/columns.h"
#include "txn/span_access.h"
#include "types/compare.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

// The first step of a scan reads few rows, as it may be under a LIMIT; each next one more.
constexpr std::size_t kFirstStepRows = 128;

class ScanOperator final : public Operator {
 public:
  ScanOperator(const ScanPlan& plan, Runtime& runtime) : plan_(plan), runtime_(runtime), layout_(plan.table) {}

  Status prepare(const PhysicalNode& node) {
    index_ = plan_.index == 0 ? nullptr : layout_.find_secondary(plan_.index);
    PANDO_ASSERT(plan_.index == 0 || index_ != nullptr, "a scan of an index the table does not have");
    column_count_ = plan_.attributes.size();
    if (runtime_.context.statistics != nullptr) {
      activity_ = &runtime_.context.statistics->activity(plan_.table->oid);
    }
    // Executors count apart.
    lane_ = types::mix_hash(reinterpret_cast<uintptr_t>(&runtime_.context.executor));
    by_index_ = plan_.index != 0 || !plan_.conditions.empty();
    PANDO_ASSIGN(condition_, Condition::make(plan_.filter, Scope(node.outputs), runtime_));
    const ColumnSet used = columns_of(plan_.filter);
    std::vector<catalog::AttributeNumber> first;
    std::vector<catalog::AttributeNumber> rest;
    std::vector<uint32_t> rest_slots;
    for (uint32_t i = 0; i < column_count_; ++i) {
      const bool filters = used.contains(node.outputs[i].id);
      (filters ? first : rest).push_back(plan_.attributes[i]);
      (filters ? filter_slots_ : rest_slots).push_back(i);
    }
    if (plan_.index_only) {
      filter_entries_.emplace(EntryReader::make(layout_, *index_, first, filter_slots_));
      rest_entries_.emplace(EntryReader::make(layout_, *index_, rest, rest_slots));
      return {};
    }
    PANDO_ASSIGN(auto filter_reader, RowReader::make(layout_, std::move(first)));
    filter_reader_.emplace(std::move(filter_reader));
    filter_reader_->set_slots(filter_slots_);
    PANDO_ASSIGN(auto rest_reader, RowReader::make(layout_, std::move(rest)));
    rest_reader_.emplace(std::move(rest_reader));
    rest_reader_->set_slots(std::move(rest_slots));
    return {};
  }

  Task<Status> open() override {
    cursor_ = nullptr;
    next_span_ = 0;
    by_key_ = false;
    if (activity_ != nullptr) {
      activity_->count_scan(lane_, by_index_);
    }
    step_rows_ = plan_.limit_hint == 0 ? kFirstStepRows : std::min(plan_.limit_hint, types::kVectorRows);
    if (runtime_.scan_parts != nullptr && &runtime_.scan_parts->plan() == &plan_) {
      spans_.clear();
      co_return Status();
    }
    PANDO_CO_ASSIGN(spans_,
                    co_await key_ranges(plan_.conditions, index_ == nullptr ? layout_.row_prefix() : index_->prefix,
                                        index_ == nullptr ? layout_.primary_key() : index_->columns, runtime_));
    by_key_ = selects_rows();
    if (plan_.reverse) {
      std::ranges::reverse(spans_);
    }
    co_return Status();
  }

  Task<Result<bool>> next(Chunk& out) override {
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await read_batch());
      if (!more) {
        co_return false;
      }
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      PANDO_CO_TRY(co_await decode(out));
      if (out.rows > 0) {
        co_return true;
      }
    }
  }

 private:
  // Whether each of the spans is a row's whole key: to get a row costs less than to begin a walk.
  bool selects_rows() const {
    return index_ == nullptr && !plan_.conditions.empty() && !layout_.primary_key().empty() &&
           std::ranges::all_of(plan_.conditions,
                               [this](const KeyCondition& condition) {
                                 return condition.equal.size() == layout_.primary_key().size();
                               }) &&
           // Neighbours are one span.
           std::ranges::all_of(spans_, [](const txn::Span& span) { return span.end == prefix_end(span.start); });
  }

  // Points keys_ and values_ at the next rows.
  Task<Result<bool>> read_batch() { return by_key_ ? read_rows() : read_entries(); }

  Task<Result<bool>> read_rows() {
    while (next_span_ < spans_.size()) {
      row_keys_.clear();
      for (; next_span_ < spans_.size() && row_keys_.size() < step_rows_; ++next_span_) {
        row_keys_.push_back(spans_[next_span_].start);
      }
      step_rows_ = std::min(step_rows_ * 2, types::kVectorRows);
      PANDO_CO_TRY(co_await runtime_.context.transaction.get_many(row_keys_, fetched_, found_));
      if (fetched_.size() > 0) {
        count_rows(fetched_.size());
        take_entries(fetched_);
        co_return true;
      }
    }
    co_return false;
  }

  void take_entries(const txn::KeyValueBatch& batch) {
    keys_.clear();
    values_.clear();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      keys_.push_back(batch.key(i));
      values_.push_back(batch.value(i));
    }
  }

  void count_rows(std::size_t rows) {
    if (activity_ != nullptr) {
      activity_->count_rows(lane_, by_index_, rows);
    }
  }

  Task<Result<bool>> read_entries() {
    while (true) {
      if (cursor_ == nullptr && !open_next_span()) {
        co_return false;
      }
      PANDO_CO_TRY(co_await cursor_->next(batch_, step_rows_));
      if (batch_.size() == 0) {
        cursor_ = nullptr;
        continue;
      }
      count_rows(batch_.size());
      step_rows_ = std::min(step_rows_ * 2, types::kVectorRows);
      if (index_ != nullptr && !plan_.index_only) {
        PANDO_CO_TRY(co_await fetch_rows());
      } else {
        take_entries(batch_);
      }
      co_return true;
    }
  }

  bool open_next_span() {
    if (runtime_.snapshot != nullptr) {
      PANDO_ASSERT((index_ == nullptr || plan_.index_only) && runtime_.scan_parts != nullptr,
                   "a parallel scan that fetches rows");
      const txn::Span* part = runtime_.scan_parts->take();
      cursor_ = part == nullptr ? nullptr : runtime_.snapshot->scan(*part, {});
      return part != nullptr;
    }
    if (next_span_ == spans_.size()) {
      return false;
    }
    txn::Transaction& transaction = runtime_.context.transaction;
    const txn::ScanOptions options{.reverse = plan_.reverse, .limit_hint = plan_.limit_hint};
    if (auto* const access = txn::SpanAccess::of(&transaction);
        access != nullptr && next_span_ == 0 && spans_.size() > 1) {
      cursor_ = access->scan_spans(spans_, options);
      next_span_ = cursor_ == nullptr ? 0 : spans_.size();
    }
    if (cursor_ == nullptr) {
      cursor_ = transaction.scan(spans_[next_span_++], options);
    }
    return true;
  }

  // Reads the rows that the index entries of the batch point to.
  Task<Status> fetch_rows() {
    row_keys_.clear();
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      const auto suffix = row_suffix_of_entry(batch_.key(i), batch_.value(i));
      if (!suffix) {
        co_return Status(sql_state::kIndexCorrupted, "index \"{}\" has a malformed entry", index_->index->name);
      }
      row_keys_.push_back(layout_.row_key_of_suffix(*suffix));
    }
    PANDO_CO_TRY(co_await runtime_.context.transaction.get_many(row_keys_, fetched_, found_));
    if (found_.size() != row_keys_.size()) {
      co_return Status(sql_state::kIndexCorrupted, "index \"{}\" has an entry without a row", index_->index->name);
    }
    take_entries(fetched_);
    co_return Status();
  }

  Task<Status> decode(Chunk& out) {
    out.columns.resize(column_count_);
    out.rows = keys_.size();
    PANDO_CO_TRY(plan_.index_only ? filter_entries_->read(keys_, values_, out)
                                  : filter_reader_->read(keys_, values_, out));
    if (!condition_.always()) {
      PANDO_CO_TRY(co_await condition_.select(out, selected_));
      if (selected_.size() < keys_.size()) {
        keep_selected(out);
      }
    }
    co_return plan_.index_only ? rest_entries_->read(keys_, values_, out) : rest_reader_->read(keys_, values_, out);
  }

  void keep_selected(Chunk& out) {
    for (std::size_t i = 0; i < selected_.size(); ++i) {
      keys_[i] = keys_[selected_[i]];
      values_[i] = values_[selected_[i]];
    }
    keys_.resize(selected_.size());
    values_.resize(selected_.size());
    for (const uint32_t slot : filter_slots_) {
      types::Vector kept;
      kept.gather(out.columns[slot], selected_.data(), selected_.size());
      out.columns[slot] = std::move(kept);
    }
    out.rows = selected_.size();
  }

  const ScanPlan& plan_;
  Runtime& runtime_;
  TableLayout layout_;
  const IndexLayout* index_ = nullptr;
  // Null when nobody counts.
  catalog::TableActivity* activity_ = nullptr;
  std::size_t lane_ = 0;
  bool by_index_ = false;
  std::size_t column_count_ = 0;
  Condition condition_;
  std::vector<uint32_t> filter_slots_;
  std::optional<RowReader> filter_reader_;
  std::optional<RowReader> rest_reader_;
  // Of an index-only scan.
  std::optional<EntryReader> filter_entries_;
  std::optional<EntryReader> rest_entries_;

  std::vector<txn::Span> spans_;
  std::size_t next_span_ = 0;
  bool by_key_ = false;
  std::unique_ptr<txn::Cursor> cursor_;
  std::size_t step_rows_ = kFirstStepRows;
  txn::KeyValueBatch batch_;
  txn::KeyValueBatch fetched_;
  std::vector<Bytes> row_keys_;
  std::vector<uint32_t> found_;
  std::vector<ByteView> keys_;
  std::vector<ByteView> values_;
  std::vector<uint32_t> selected_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode& node, const ScanPlan& plan, Runtime& runtime) {
  if (plan.table->kind == catalog::RelationKind::kVirtual) {
    return make_virtual_scan(node, plan, runtime);
  }
  if (!catalog::is_populated(*plan.table)) {
    return Status(sql_state::kObjectNotInPrerequisiteState, "materialized view \"{}\" has not been populated",
                  plan.table->name)
        .with_hint("Use the REFRESH MATERIALIZED VIEW command.");
  }
  auto scan = std::make_unique<ScanOperator>(plan, runtime);
  PANDO_TRY(scan->prepare(node));
  return OperatorPtr(std::move(scan));
}

}  // namespace pando::sql::exec
