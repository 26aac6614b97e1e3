#include "sql/function/current_row.h"

#include "sql/function/lift.h"
#include "sql/function/service_call.h"

namespace pando::sql {
namespace {

Result<std::optional<Bytes>> key_of_current_row(EvaluationContext& context, ByteView cursor, uint32_t table) {
  PANDO_ASSIGN(SessionServices* const services, services_of(context));
  const types::Value arguments[] = {types::Value::of_bytes(Bytes(cursor)), types::Value::of_uint32(table)};
  return services->act("current_row", arguments);
}

}  // namespace

const Function& current_row() {
  static const Function function{
      .name = "current_row", .volatility = Volatility::kStable, .scalar = lift<key_of_current_row>};
  return function;
}

}  // namespace pando::sql
