#pragma once

// How values of each kind compare in SQL, as total functions that the comparison kernels, min, max and the sorts of
// aggregates are made from.

#include <cmath>
#include <compare>
#include <concepts>

#include "base/bytes.h"
#include "types/type.h"

namespace pando::sql {

// NaN is equal to itself and greater than everything else.
template <std::floating_point A, std::floating_point B>
bool is_less(A a, B b) {
  return a < b || (b != b && a == a);
}
template <std::floating_point A, std::floating_point B>
bool is_equal(A a, B b) {
  return a == b || (a != a && b != b);
}
template <std::integral A, std::integral B>
bool is_less(A a, B b) {
  return a < b;
}
template <std::integral A, std::integral B>
bool is_equal(A a, B b) {
  return a == b;
}
inline bool is_less(ByteView a, ByteView b) { return a < b; }
inline bool is_equal(ByteView a, ByteView b) { return a == b; }
inline bool is_less(const types::Uuid& a, const types::Uuid& b) { return a < b; }
inline bool is_equal(const types::Uuid& a, const types::Uuid& b) { return a == b; }

// char(n) compares without the spaces that pad it.
inline ByteView without_padding(ByteView text) {
  const std::size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == ByteView::npos ? 0 : last + 1);
}

}  // namespace pando::sql
