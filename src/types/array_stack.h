#pragma once

// Arrays that come one by one and make an array of one dimension more, as array_agg and ARRAY(SELECT ...) of arrays do.
//
//   ArrayStack stack(oid::kInt4);
//   PANDO_TRY(stack.add(part));
//   PANDO_ASSIGN(Bytes array, stack.finish());
//
// Thread-safety: none.

#include <optional>
#include <vector>

#include "types/array.h"

namespace pando::types {

class ArrayStack {
 public:
  // 22004 for a NULL, 2202E for an empty array or one of another shape than those before.
  Status add(std::optional<ByteView> part);
  Status add_all(const ArrayStack& other);
  bool empty() const { return parts_.empty(); }
  std::size_t memory_bytes() const { return bytes_; }
  // An array without dimensions when there is no part.
  Result<Bytes> finish(Oid element) const;

 private:
  std::vector<Bytes> parts_;
  std::size_t bytes_ = 0;
};

}  // namespace pando::types
