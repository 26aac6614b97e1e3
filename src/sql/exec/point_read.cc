#include "sql/exec/point_read.h"

#include <algorithm>

#include "sql/exec/key_ranges.h"

namespace pando::sql::exec {
namespace {

bool is_given(const ExprPtr& expr) {
  return expr != nullptr && (as<ParameterExpr>(expr) != nullptr || as<ConstantExpr>(expr) != nullptr);
}

const types::Value& value_of(const Expr& expr, std::span<const types::Value> parameters) {
  if (const auto* const parameter = std::get_if<ParameterExpr>(&expr.node)) {
    PANDO_ASSERT(parameter->index < parameters.size(), "a statement has all its parameters");
    return parameters[parameter->index];
  }
  return std::get<ConstantExpr>(expr.node).value;
}

// The column that a plan's output only passes on, if it does; `id` becomes what the plan's input calls it.
bool follow(const ProjectPlan& project, ColumnId& id) {
  const auto found =
      std::ranges::find(project.columns, id, [](const ProjectedColumn& column) { return column.column.id; });
  const ColumnExpr* const passed = found == project.columns.end() ? nullptr : as<ColumnExpr>(found->expr);
  if (passed == nullptr) {
    return false;
  }
  id = passed->column;
  return true;
}

}  // namespace

bool is_point_scan(const ScanPlan& scan) {
  if (scan.table->kind != catalog::RelationKind::kTable || scan.index != 0 || scan.filter != nullptr ||
      scan.conditions.size() != 1) {
    return false;
  }
  const KeyCondition& condition = scan.conditions.front();
  const catalog::IndexDescriptor* const primary = scan.table->primary_index();
  return primary != nullptr && condition.equal.size() == primary->columns.size() && !condition.lower &&
         !condition.upper && !condition.not_null && std::ranges::all_of(condition.equal, is_given);
}

std::unique_ptr<PointRead> PointRead::make(const PhysicalQuery& query) {
  PhysicalPtr node = query.root;
  const auto* const project = std::get_if<ProjectPlan>(&node->node);
  if (project != nullptr) {
    node = project->input;
  }
  const auto* const scan = std::get_if<ScanPlan>(&node->node);
  if (scan == nullptr || !is_point_scan(*scan)) {
    return nullptr;
  }
  std::vector<catalog::AttributeNumber> attributes;
  for (const OutputColumn& column : query.result) {
    ColumnId id = column.id;
    if (project != nullptr && !follow(*project, id)) {
      return nullptr;
    }
    const auto output = std::ranges::find(node->outputs, id, &OutputColumn::id);
    if (output == node->outputs.end()) {
      return nullptr;
    }
    attributes.push_back(scan->attributes[static_cast<std::size_t>(output - node->outputs.begin())]);
    const bool repeated = std::ranges::count(attributes, attributes.back()) > 1;
    if (attributes.back() <= 0 || repeated) {
      return nullptr;
    }
  }
  std::unique_ptr<PointRead> point(new PointRead(*scan, attributes));
  auto reader = RowReader::make(point->layout_, std::move(attributes));
  if (!reader.ok()) {
    return nullptr;
  }
  point->reader_.emplace(*std::move(reader));
  return point;
}

PointRead::PointRead(const ScanPlan& scan, std::vector<catalog::AttributeNumber> attributes)
    : layout_(scan.table), key_of_row_(layout_, scan) {
  rows_.rows = 1;
  rows_.columns.resize(attributes.size());
}

bool PointKey::make(std::span<const types::Value> parameters, Bytes& key) const {
  key.assign(layout_->row_prefix());
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const types::Value& value = value_of(*values_[i], parameters);
    if (value.is_null()) {
      return false;
    }
    const KeyColumn& column = layout_->primary_key()[i];
    if (values_[i]->type.oid == column.type.oid) [[likely]] {
      types::append_key(key, column.type.oid, value, column.order);
      continue;
    }
    const ColumnValue in_column = value_in_column(value, values_[i]->type.oid, column.type.oid);
    if (in_column.beyond != 0) {
      return false;
    }
    types::append_key(key, column.type.oid, in_column.value, column.order);
  }
  return true;
}

Result<txn::ReadOutcome> PointRead::run(txn::PointAccess& access, std::span<const types::Value> parameters) {
  if (!key_of_row_.make(parameters, key_)) {
    return txn::ReadOutcome::kAbsent;
  }
  PANDO_ASSIGN(const txn::ReadOutcome outcome, access.try_get(key_, row_));
  if (outcome == txn::ReadOutcome::kFound) {
    PANDO_TRY(take(row_));
  }
  return outcome;
}

Status PointRead::take(ByteView row) {
  const ByteView key = key_;
  return reader_->read({&key, 1}, {&row, 1}, rows_);
}

}  // namespace pando::sql::exec
