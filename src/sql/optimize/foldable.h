#pragma once

// Which queries may be planned once for all values of their constants. Pure.

#include "sql/plan/logical.h"

namespace pando::sql {

// Whether folding would compute or decide a part of the query if its parameters were known: then a plan made without
// them is another one, which may raise errors that the folded one does not, or the other way round.
bool has_foldable_parts(const LogicalQuery& query);

}  // namespace pando::sql
