#pragma once

// The rows of pg_proc, pg_operator, pg_cast and pg_aggregate: what the signature tables offer. Pure function.

#include <string_view>

#include "catalog/system_relations.h"

namespace pando::session {

// False for any other relation.
bool write_function_rows(std::string_view relation, catalog::SystemRowWriter& writer);

}  // namespace pando::session
