#include "types/array_stack.h"

namespace pando::types {
namespace {

bool same_shape(const ArrayView& a, const ArrayView& b) {
  if (a.dimensions() != b.dimensions()) {
    return false;
  }
  for (int i = 0; i < a.dimensions(); ++i) {
    if (a.dimension(i) != b.dimension(i)) {
      return false;
    }
  }
  return true;
}

}  // namespace

Status ArrayStack::add(std::optional<ByteView> part) {
  if (!part) {
    return {sql_state::kNullValueNotAllowed, "cannot accumulate null arrays"};
  }
  if (ArrayView(*part).dimensions() == 0) {
    return {sql_state::kArraySubscriptError, "cannot accumulate empty arrays"};
  }
  if (!parts_.empty() && !same_shape(ArrayView(parts_.front()), ArrayView(*part))) {
    return {sql_state::kArraySubscriptError, "cannot accumulate arrays of different dimensionality"};
  }
  parts_.emplace_back(*part);
  bytes_ += sizeof(Bytes) + part->size();
  return {};
}

Status ArrayStack::add_all(const ArrayStack& other) {
  for (const Bytes& part : other.parts_) {
    PANDO_TRY(add(part));
  }
  return {};
}

Result<Bytes> ArrayStack::finish(Oid element) const {
  if (parts_.empty()) {
    return empty_array(element);
  }
  const std::vector<std::optional<ByteView>> views(parts_.begin(), parts_.end());
  return stack_arrays(element, views);
}

}  // namespace pando::types
