#pragma once

// FOR UPDATE and its kin in messages. Internal to sql/bind.

#include "sql/ast/query.h"

namespace pando::sql {

// "FOR UPDATE"
const char* strength_name(ast::LockingClause::Strength strength);

}  // namespace pando::sql
