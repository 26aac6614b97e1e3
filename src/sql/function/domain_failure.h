#pragma once

// What a domain's refusal of a value says, and the function by which an expression says it. No name reaches the
// function: the binder makes it of a cast to a domain.
//
//   domain_failure(domain, constraint)      fails; an empty constraint means NOT NULL
//
// Thread-safety: immutable.

#include "sql/function/function.h"

namespace pando::sql {

// 23514 and 23502.
Status domain_violation(std::string_view domain, std::string_view constraint);
Status domain_null_violation(std::string_view domain);

const Function& domain_failure();

}  // namespace pando::sql
