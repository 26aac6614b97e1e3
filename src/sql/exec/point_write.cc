#include "sql/exec/point_write.h"

namespace pando::sql::exec {

std::unique_ptr<PointWrite> PointWrite::make(const PhysicalQuery& query) {
  if (!query.result.empty()) {
    return nullptr;
  }
  if (const auto* const update = std::get_if<UpdatePlan>(&query.root->node)) {
    return make_point_update(*update, query);
  }
  if (const auto* const insert = std::get_if<InsertPlan>(&query.root->node)) {
    return make_point_insert(*insert, query);
  }
  return nullptr;
}

Result<PointWrite::Outcome> PointWrite::run(txn::PointAccess& access, ExecutionContext context) {
  access_ = &access;
  context_.emplace(std::move(context));
  rows_affected_ = 0;
  if (runtime_ == nullptr) {
    runtime_ = std::make_unique<Runtime>(*context_);
    PANDO_TRY(prepare());
  } else {
    runtime_->renew();
  }
  auto& slots = runtime_->slots;
  slots.resize(std::max<std::size_t>(parameter_slots_, slots.size()));
  return write();
}

bool PointWrite::evaluate(const std::vector<EvaluatorPtr>& expressions, const types::Chunk& input, types::Chunk& out) {
  out.columns.clear();
  out.rows = 1;
  for (const EvaluatorPtr& expression : expressions) {
    const types::Vector* values = nullptr;
    if (!expression->evaluate({&input, nullptr, 1}, values).ok()) {
      return false;
    }
    out.columns.push_back(*values);
  }
  return true;
}

}  // namespace pando::sql::exec
