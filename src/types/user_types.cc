#include "types/user_types.h"

#include <algorithm>

namespace pando::types {

Result<int64_t> EnumType::parse(std::string_view text) const {
  const auto found = std::ranges::find(labels, text, &Label::text);
  if (found == labels.end()) {
    return Status(sql_state::kInvalidTextRepresentation, "invalid input value for enum {}: \"{}\"", name, text);
  }
  return found->place;
}

std::string_view EnumType::label_at(int64_t place) const {
  const auto found = std::ranges::lower_bound(labels, place, {}, &Label::place);
  return found == labels.end() || found->place != place ? std::string_view() : std::string_view(found->text);
}

}  // namespace pando::types
