#pragma once

// The states of aggregates as bytes, so that what one node has added up another can combine. Pure.

#include "sql/function/function.h"

namespace pando::sql {

struct PortableState {
  void (*save)(const void* state, Bytes& out);
  // Makes a state that was created what was saved; false for bytes that are no such state.
  bool (*load)(void* state, ByteView bytes);
};

// nullptr for aggregates whose states stay on their node.
const PortableState* portable_state_of(const Function& aggregate);

}  // namespace pando::sql
