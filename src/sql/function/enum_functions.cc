// enum_first, enum_last, enum_range, and the extremes of enums. Comparison is in generic_comparison.cc.

#include "sql/function/aggregate.h"
#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/array.h"

namespace pando::sql {
namespace {

using OptionalPlace = std::optional<int64_t>;

Result<const types::EnumType*> enum_of(const EvaluationContext& context, types::Oid type) {
  const types::UserTypes* all = context.settings.user_types.get();
  const types::EnumType* found = all == nullptr ? nullptr : all->find_enum(type);
  if (found == nullptr) {
    return Status(sql_state::kUndefinedObject, "type with OID {} does not exist", type);
  }
  if (found->labels.empty()) {
    return Status(sql_state::kObjectNotInPrerequisiteState, "enum {} contains no values", found->name);
  }
  return found;
}

template <bool kLast>
Result<int64_t> extreme_label(EvaluationContext& context, const CallTypes& types, OptionalPlace) {
  PANDO_ASSIGN(const types::EnumType* type, enum_of(context, types.arguments[0].oid));
  return kLast ? type->labels.back().place : type->labels.front().place;
}

// The labels from one to another; a bound that is NULL is no bound.
Result<Bytes> range(EvaluationContext& context, const CallTypes& types, OptionalPlace first, OptionalPlace last) {
  const types::UserTypes* all = context.settings.user_types.get();
  const types::EnumType* type = all == nullptr ? nullptr : all->find_enum(types.arguments[0].oid);
  types::ArrayBuilder labels(types.arguments[0].oid);
  for (std::size_t i = 0; type != nullptr && i < type->labels.size(); ++i) {
    const int64_t place = type->labels[i].place;
    if (place >= first.value_or(place) && place <= last.value_or(place)) {
      labels.add(types::Value::of_int64(place));
    }
  }
  return labels.finish();
}
Result<Bytes> range_all(EvaluationContext& context, const CallTypes& types, OptionalPlace) {
  return range(context, types, std::nullopt, std::nullopt);
}

}  // namespace

KernelTable enum_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"enum_first", lift<extreme_label<false>>},
      {"enum_last", lift<extreme_label<true>>},
      {"enum_range_bounds", lift<range>},
      {"enum_range_all", lift<range_all>},
  };
  return kTable;
}

}  // namespace pando::sql
