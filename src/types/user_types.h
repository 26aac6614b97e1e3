#pragma once

// UserTypes: the enums that users have made, as their values' text forms need them. An enum's value is a number, its
// label's place: labels are ordered by it, and it never changes, so that stored values keep their meaning when labels
// are added between others or renamed.
//
//   const EnumType* type = settings.user_types->find_enum(oid);
//   PANDO_ASSIGN(int64_t value, type->parse("happy"));
//
// Thread-safety: immutable once shared.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/type.h"

namespace pando::types {

struct EnumType {
  struct Label {
    int64_t place = 0;
    std::string text;
  };
  // For messages; may be a mark (types/type.h).
  std::string name;
  // In their order.
  std::vector<Label> labels;

  // 22P02 'invalid input value for enum mood: "x"'.
  Result<int64_t> parse(std::string_view text) const;
  // Empty for a place that no label has.
  std::string_view label_at(int64_t place) const;
};

class UserTypes {
 public:
  // nullptr when there is none of this OID.
  const EnumType* find_enum(Oid oid) const {
    const auto found = enums_.find(oid);
    return found == enums_.end() ? nullptr : &found->second;
  }
  void put(Oid oid, EnumType type) { enums_[oid] = std::move(type); }
  void remove(Oid oid) { enums_.erase(oid); }

 private:
  std::map<Oid, EnumType> enums_;
};

}  // namespace pando::types
