#pragma once

// Changes of a scope's state for the time of one construct. Internal to sql/bind.

#include <utility>

#include "sql/bind/scope.h"

namespace pando::sql {

// Sets a variable and sets it back at the end of the block.
template <typename T>
class Restore {
 public:
  Restore(T& variable, T value) : variable_(variable), saved_(std::exchange(variable, std::move(value))) {}
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;
  ~Restore() { variable_ = std::move(saved_); }

 private:
  T& variable_;
  T saved_;
};

class PlaceChange : Restore<ExprPlace> {
 public:
  PlaceChange(Scope& scope, ExprPlace place) : Restore(scope.place, place) {}
};

// Inside CASE and its like set-returning functions are refused, and the construct named.
class NoSetFunctions : Restore<const char*> {
 public:
  NoSetFunctions(Scope& scope, const char* construct) : Restore(scope.no_set_functions_in, construct) {}
};

}  // namespace pando::sql
