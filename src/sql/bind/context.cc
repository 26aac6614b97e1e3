#include "sql/bind/context.h"

#include "types/utf8.h"

namespace pando::sql {

namespace {

// Of each constant the position is asked: counting from the start of a long text would take time by its square.
constexpr std::size_t kPositionStep = 1024;

int characters(std::string_view text) { return static_cast<int>(types::utf8_length(text)); }

}  // namespace

int BindContext::position(ast::Location location) const {
  // Location 0 of an empty text is not a place in the statement.
  if (location < 0 || text.empty() || static_cast<std::size_t>(location) > text.size()) {
    return 0;
  }
  const auto offset = static_cast<std::size_t>(location);
  const std::size_t step = offset / kPositionStep;
  while (characters_before.size() <= step) {
    const std::size_t start = (characters_before.size() - 1) * kPositionStep;
    characters_before.push_back(characters_before.back() + characters(text.substr(start, kPositionStep)));
  }
  const std::size_t start = step * kPositionStep;
  return characters_before[step] + characters(text.substr(start, offset - start)) + 1;
}

const types::CompositeType* BindContext::composite(types::Oid type) const {
  return options.catalog == nullptr ? nullptr : options.catalog->user_types()->find_composite(type);
}

Parameters::Parameters(const BindOptions& options)
    : client_(options.parameter_types.size()), lifted_(options.lifted.size()), fixed_(!options.lifted.empty()) {
  for (std::size_t i = 0; i < client_.size(); ++i) {
    const types::Oid type = options.parameter_types[i];
    client_[i].type = type == types::oid::kUnknown ? types::oid::kInvalid : type;
    client_[i].used = true;
  }
}

Parameters::Parameter& Parameters::at(uint32_t index) {
  return index < client_.size() ? client_[index] : lifted_[index - client_.size()];
}

Result<ExprPtr> Parameters::reference(int32_t number, int position) {
  if (number <= 0 || number > kParameterMax) {
    return Status(sql_state::kUndefinedParameter, "there is no parameter ${}", number).with_position(position);
  }
  const auto index = static_cast<uint32_t>(number - 1);
  if (index >= client_.size()) {
    if (fixed_) {
      return Status(kCannotLift, "a parameter beside lifted constants");
    }
    client_.resize(index + 1);
  }
  Parameter& parameter = client_[index];
  parameter.used = true;
  if (parameter.type == types::oid::kInvalid) {
    ++parameter.unresolved;
    return make_expr({types::oid::kUnknown}, ParameterExpr{index}, position);
  }
  return make_expr({parameter.type}, ParameterExpr{index}, position);
}

ExprPtr Parameters::lifted(std::size_t index, types::Oid type, int position) {
  Parameter& parameter = lifted_[index];
  parameter.used = true;
  if (type == types::oid::kUnknown) {
    ++parameter.unresolved;
  } else {
    parameter.type = type;
  }
  return make_expr({type}, ParameterExpr{static_cast<uint32_t>(client_.size() + index)}, position);
}

Result<ExprPtr> Parameters::coerce(const ExprPtr& reference, types::Type target) {
  const uint32_t index = as<ParameterExpr>(reference)->index;
  if (index >= client_.size() && target.oid == types::oid::kInterval && target.modifier != types::kNoModifier) {
    return Status(kCannotLift, "an interval's fields are part of how its text is read");
  }
  Parameter& parameter = at(index);
  if (parameter.type == types::oid::kInvalid) {
    parameter.type = target.oid;
  } else if (parameter.type != target.oid) {
    return Status(sql_state::kAmbiguousParameter, "inconsistent types deduced for parameter ${}", index + 1)
        .with_detail(
            fmt::format("{} versus {}", types::format_type({parameter.type}), types::format_type({target.oid})))
        .with_position(reference->position);
  }
  --parameter.unresolved;
  return make_expr({target.oid}, ParameterExpr{index}, reference->position);
}

Status Parameters::finish(std::vector<types::Type>& types) const {
  types.clear();
  for (std::size_t i = 0; i < client_.size(); ++i) {
    const Parameter& parameter = client_[i];
    if (parameter.unresolved > 0 || (parameter.used && parameter.type == types::oid::kInvalid) || !parameter.used) {
      return Status(sql_state::kIndeterminateDatatype, "could not determine data type of parameter ${}", i + 1);
    }
    types.push_back({parameter.type});
  }
  for (const Parameter& parameter : lifted_) {
    if (!parameter.used || parameter.unresolved > 0) {
      return Status(kCannotLift, "a lifted constant is needed by the binder");
    }
    types.push_back({parameter.type});
  }
  return {};
}

}  // namespace pando::sql
