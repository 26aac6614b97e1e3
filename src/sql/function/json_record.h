#pragma once

// Functions that no name reaches, for what the binder makes of json_to_record() and assignments to parts of jsonb.
//
//   json_field(json or jsonb, key, caller)     the member as a value of the call's result type; `caller` names the
//                                              function in errors
//   jsonb_assignment(container, value, path text[])     the container with the value put where the path leads
//
// Thread-safety: immutable.

#include "sql/function/function.h"

namespace pando::sql {

const Function& json_field();
const Function& jsonb_assignment();

}  // namespace pando::sql
