#include "sql/function/domain_failure.h"

namespace pando::sql {

Status domain_violation(std::string_view domain, std::string_view constraint) {
  return Status(sql_state::kCheckViolation, "value for domain {} violates check constraint \"{}\"", domain, constraint)
      .with_constraint("", "", std::string(constraint));
}

Status domain_null_violation(std::string_view domain) {
  return {sql_state::kNotNullViolation, "domain {} does not allow null values", domain};
}

namespace {

Status fail(EvaluationContext&, const CallTypes&, std::span<const types::Vector* const> arguments, std::size_t rows,
            types::Vector&) {
  if (rows == 0) {
    return {};
  }
  const ByteView domain = arguments[0]->bytes_at(0);
  const ByteView constraint = arguments[1]->bytes_at(0);
  return constraint.empty() ? domain_null_violation(domain) : domain_violation(domain, constraint);
}

}  // namespace

const Function& domain_failure() {
  // Volatile: it must not be computed before a row calls for it.
  static const Function function{
      .name = "domain_failure", .strict = false, .volatility = Volatility::kVolatile, .scalar = fail};
  return function;
}

}  // namespace pando::sql
