#include "sql/exec/join_pairs.h"

#include "sql/plan/columns.h"

namespace pando::sql::exec {

using types::Chunk;
using types::Value;
using types::Vector;

Result<JoinPairs> JoinPairs::make(JoinKind kind, const std::vector<OutputColumn>& left,
                                  const std::vector<OutputColumn>& right, const std::vector<OutputColumn>& outputs,
                                  const ExprPtr& condition, Runtime& runtime) {
  JoinPairs pairs;
  pairs.kind_ = kind;
  pairs.only_first_match_ = kind == JoinKind::kSemi || kind == JoinKind::kAnti;
  const Scope left_scope(left);
  const Scope right_scope(right);
  const auto find = [&](ColumnId id) -> std::optional<Source> {
    if (const uint32_t* slot = left_scope.find(id)) {
      return Source{true, *slot};
    }
    if (const uint32_t* slot = right_scope.find(id)) {
      return Source{false, *slot};
    }
    return std::nullopt;
  };
  for (const OutputColumn& column : outputs) {
    const auto source = find(column.id);
    if (!source) {
      return Status(sql_state::kInternalError, "a join outputs column \"{}\" that no input has", column.name);
    }
    pairs.outputs_.push_back(*source);
  }
  for (const OutputColumn& column : left) {
    pairs.left_physicals_.push_back(types::physical_of(column.type.oid));
  }
  for (const OutputColumn& column : right) {
    pairs.right_physicals_.push_back(types::physical_of(column.type.oid));
  }
  Scope condition_scope;
  for (const ColumnId id : columns_of(condition)) {
    if (const auto source = find(id)) {
      condition_scope.add(id);
      pairs.condition_sources_.push_back(*source);
    }
  }
  PANDO_ASSIGN(pairs.condition_, Condition::make(condition, condition_scope, runtime));
  return pairs;
}

void JoinPairs::start(const Chunk& left) {
  left_ = &left;
  matched_.assign(left.rows, 0);
  lefts_.clear();
  rights_.clear();
}

Task<Status> JoinPairs::keep_true(const RowStore& right) {
  candidates_.rows = lefts_.size();
  candidates_.columns.resize(condition_sources_.size());
  for (std::size_t i = 0; i < condition_sources_.size(); ++i) {
    const Source source = condition_sources_[i];
    if (source.from_left) {
      candidates_.columns[i].gather(left_->columns[source.slot], lefts_.data(), lefts_.size());
    } else {
      right.gather(source.slot, rights_.data(), rights_.size(), candidates_.columns[i]);
    }
  }
  PANDO_CO_TRY(co_await condition_.select(candidates_, selected_));
  for (std::size_t i = 0; i < selected_.size(); ++i) {
    lefts_[i] = lefts_[selected_[i]];
    rights_[i] = rights_[selected_[i]];
  }
  lefts_.resize(selected_.size());
  rights_.resize(selected_.size());
  co_return Status();
}

Task<Status> JoinPairs::flush(const RowStore& right, std::vector<std::vector<uint8_t>>* right_matched, Chunk& out) {
  PANDO_ASSERT(lefts_.size() <= types::kVectorRows, "too many pairs for one vector");
  out.columns.clear();
  out.rows = 0;
  if (!condition_.always() && !lefts_.empty()) {
    PANDO_CO_TRY(co_await keep_true(right));
  }
  for (const uint32_t row : lefts_) {
    matched_[row] = 1;
  }
  if (right_matched != nullptr) {
    for (const RowRef ref : rights_) {
      (*right_matched)[ref.chunk][ref.row] = 1;
    }
  }
  if (!only_first_match_ && !lefts_.empty()) {
    output_pairs(right, out);
  }
  lefts_.clear();
  rights_.clear();
  co_return Status();
}

void JoinPairs::output_pairs(const RowStore& right, Chunk& out) {
  out.rows = lefts_.size();
  out.columns.resize(outputs_.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (outputs_[i].from_left) {
      out.columns[i].gather(left_->columns[outputs_[i].slot], lefts_.data(), lefts_.size());
    } else {
      right.gather(outputs_[i].slot, rights_.data(), rights_.size(), out.columns[i]);
    }
  }
}

void JoinPairs::finish_left(Chunk& out) {
  out.columns.clear();
  out.rows = 0;
  if (kind_ == JoinKind::kInner || kind_ == JoinKind::kRight) {
    return;
  }
  const uint8_t wanted = kind_ == JoinKind::kSemi ? 1 : 0;
  selected_.clear();
  for (std::size_t row = 0; row < matched_.size(); ++row) {
    if (matched_[row] == wanted) {
      selected_.push_back(static_cast<uint32_t>(row));
    }
  }
  if (selected_.empty()) {
    return;
  }
  out.rows = selected_.size();
  out.columns.resize(outputs_.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (outputs_[i].from_left) {
      out.columns[i].gather(left_->columns[outputs_[i].slot], selected_.data(), selected_.size());
    } else {
      out.columns[i].reset_physical(right_physicals_[outputs_[i].slot]);
      out.columns[i].reset_constant(Value::null(), out.rows);
    }
  }
}

void JoinPairs::extend_right(const RowStore& right, const std::vector<RowRef>& unmatched, Chunk& out) {
  out.rows = unmatched.size();
  out.columns.resize(outputs_.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (outputs_[i].from_left) {
      out.columns[i].reset_physical(left_physicals_[outputs_[i].slot]);
      out.columns[i].reset_constant(Value::null(), out.rows);
    } else {
      right.gather(outputs_[i].slot, unmatched.data(), unmatched.size(), out.columns[i]);
    }
  }
}

}  // namespace pando::sql::exec
