#include "session/copy_plan.h"

#include "sql/expr/walk.h"

namespace pando::session {
namespace {

// Ids of the source's columns: above all that a statement's own columns reach.
constexpr uint32_t kFirstSourceId = 0x40000000;

sql::ColumnId source_id(std::size_t column) { return sql::ColumnId(kFirstSourceId + static_cast<uint32_t>(column)); }

// Parameter i becomes column i of the source.
sql::ExprPtr read_source(const sql::ExprPtr& expr) {
  if (const auto* parameter = sql::as<sql::ParameterExpr>(expr)) {
    return sql::make_expr(expr->type, sql::ColumnExpr{source_id(parameter->index), ""}, expr->position);
  }
  return sql::rewrite_children(expr, [](const sql::ExprPtr& child) { return read_source(child); });
}

// Attribute n becomes the column of the row that goes there.
sql::ExprPtr read_row(const sql::ExprPtr& expr, const std::vector<sql::OutputColumn>& row) {
  if (const auto* column = sql::as<sql::ColumnExpr>(expr)) {
    for (const sql::OutputColumn& output : row) {
      if (static_cast<uint32_t>(output.attribute) == column->column.number()) {
        return sql::make_expr(expr->type, sql::ColumnExpr{output.id, output.name}, expr->position);
      }
    }
    return expr;
  }
  return sql::rewrite_children(expr, [&row](const sql::ExprPtr& child) { return read_row(child, row); });
}

}  // namespace

catalog::TablePtr make_copy_source(const std::vector<CopyColumn>& columns) {
  auto table = std::make_shared<catalog::TableDescriptor>();
  table->name = "copy";
  table->kind = catalog::RelationKind::kVirtual;
  for (const CopyColumn& column : columns) {
    auto& added = table->columns.emplace_back();
    added.number = static_cast<catalog::AttributeNumber>(table->columns.size());
    added.name = column.name;
    added.type = {column.type.oid};
  }
  return table;
}

std::shared_ptr<const sql::PhysicalQuery> plan_copy(const sql::PhysicalQuery& insert, catalog::TablePtr source,
                                                    const sql::ExprPtr& where) {
  const auto* root = std::get_if<sql::InsertPlan>(&insert.root->node);
  const auto* values = root == nullptr ? nullptr : std::get_if<sql::ValuesPlan>(&root->input->node);
  if (values == nullptr || values->rows.size() != 1) {
    return nullptr;
  }
  sql::ScanPlan scan{.table = source, .alias = source->name};
  std::vector<sql::OutputColumn> columns;
  for (const catalog::ColumnDescriptor& column : source->columns) {
    scan.attributes.push_back(column.number);
    columns.push_back({.id = source_id(columns.size()), .name = column.name, .type = column.type});
  }
  sql::ProjectPlan project{.input = sql::make_physical(std::move(columns), std::move(scan))};
  for (std::size_t i = 0; i < root->input->outputs.size(); ++i) {
    project.columns.push_back({root->input->outputs[i], read_source(values->rows[0][i])});
  }
  sql::InsertPlan with_source = *root;
  with_source.input = sql::make_physical(root->input->outputs, std::move(project));
  if (where != nullptr) {
    sql::FilterPlan filter{with_source.input, read_row(where, root->input->outputs)};
    with_source.input = sql::make_physical(root->input->outputs, std::move(filter));
  }
  auto query = std::make_shared<sql::PhysicalQuery>(insert);
  query->root = sql::make_physical(insert.root->outputs, std::move(with_source));
  query->parameters.clear();
  return query;
}

}  // namespace pando::session
