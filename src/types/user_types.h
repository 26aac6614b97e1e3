#pragma once

// UserTypes: the enums and composite types that users have made, as their values' text forms need them. An enum's value
// is a number, its label's place: labels are ordered by it, and it never changes, so that stored values keep their
// meaning when labels are added between others or renamed. A composite's value is a packed record (types/record.h).
//
//   const EnumType* type = settings.user_types->find_enum(oid);
//   PANDO_ASSIGN(int64_t value, type->parse("happy"));
//
// Thread-safety: immutable once shared.

#include <cstdint>
#include <map>
#include <memory>
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

struct CompositeType {
  struct Attribute {
    std::string name;
    Type type;
  };
  // In the order of a value's fields.
  std::vector<Attribute> attributes;
};

class UserTypes {
 public:
  // nullptr when there is none of this OID.
  const EnumType* find_enum(Oid oid) const {
    const auto found = enums_.find(oid);
    return found == enums_.end() ? nullptr : &found->second;
  }
  const CompositeType* find_composite(Oid oid) const {
    const auto found = composites_.find(oid);
    return found == composites_.end() ? nullptr : found->second.get();
  }
  void put(Oid oid, EnumType type) { enums_[oid] = std::move(type); }
  void put(Oid oid, std::shared_ptr<const CompositeType> type) { composites_[oid] = std::move(type); }
  void remove(Oid oid) {
    enums_.erase(oid);
    composites_.erase(oid);
  }

 private:
  std::map<Oid, EnumType> enums_;
  std::map<Oid, std::shared_ptr<const CompositeType>> composites_;
};

}  // namespace pando::types
