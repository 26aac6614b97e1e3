#pragma once

// StrongId<Tag, T>: an identifier that does not convert to another kind of identifier, nor to a number by accident.
//
//   struct ShardIdTag;
//   using ShardId = StrongId<ShardIdTag, uint64_t>;

#include <compare>
#include <cstdint>
#include <functional>

namespace pando {

template <typename Tag, typename T>
class StrongId {
 public:
  using Number = T;
  constexpr StrongId() = default;
  constexpr explicit StrongId(T number) : number_(number) {}
  constexpr T number() const { return number_; }
  friend constexpr auto operator<=>(const StrongId&, const StrongId&) = default;

 private:
  T number_ = 0;
};

}  // namespace pando

template <typename Tag, typename T>
struct std::hash<pando::StrongId<Tag, T>> {
  std::size_t operator()(const pando::StrongId<Tag, T>& id) const noexcept { return std::hash<T>()(id.number()); }
};
