#pragma once

// The C++ type in which each physical form stores its values, for code that is written once for all of them.
//
//   with_fixed_type(physical, [&]<typename T>() { hash_column<T>(column); });
//
// Pure; any thread.

#include "base/assert.h"
#include "types/vector.h"

namespace pando::types {

// Calls visit.operator()<T>() with the stored type of a fixed-width form. REQUIRES: not kBytes.
template <typename Visit>
auto with_fixed_type(Physical physical, Visit visit) {
  switch (physical) {
    case Physical::kBool:
      return visit.template operator()<uint8_t>();
    case Physical::kInt16:
      return visit.template operator()<int16_t>();
    case Physical::kInt32:
      return visit.template operator()<int32_t>();
    case Physical::kUint32:
      return visit.template operator()<uint32_t>();
    case Physical::kInt64:
      return visit.template operator()<int64_t>();
    case Physical::kFloat32:
      return visit.template operator()<float>();
    case Physical::kFloat64:
      return visit.template operator()<double>();
    case Physical::kInterval:
      return visit.template operator()<Interval>();
    case Physical::kUuid:
      return visit.template operator()<Uuid>();
    case Physical::kBytes:
      break;
  }
  PANDO_UNREACHABLE("byte strings have no fixed width");
}

// The same for all forms: byte strings are stored as a StringRef.
template <typename Visit>
auto with_stored_type(Physical physical, Visit visit) {
  return physical == Physical::kBytes ? visit.template operator()<StringRef>() : with_fixed_type(physical, visit);
}

}  // namespace pando::types
