// Assigning to a part of a jsonb value: UPDATE t SET j['a'][1] = v.

#include <charconv>

#include "types/jsonb.h"

namespace pando::types {
namespace {

// A step that is a number; nullopt for a key.
std::optional<int64_t> number_of(ByteView step) {
  int32_t number = 0;
  const auto parsed = std::from_chars(step.data(), step.data() + step.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == step.data() + step.size() ? std::optional<int64_t>(number)
                                                                             : std::nullopt;
}

class Assigner {
 public:
  Assigner(std::span<const ByteView> path, JsonbView value) : path_(path), value_(value) {}

  Result<Bytes> run(std::optional<JsonbView> root) {
    PANDO_TRY(root ? change(*root, 0) : create(0));
    return builder_.finish();
  }

 private:
  // What is not there yet, from a step of the path on: arrays and objects with just the one member.
  Status create(std::size_t level) {
    if (level == path_.size()) {
      builder_.copy(value_);
      return {};
    }
    const std::optional<int64_t> index = number_of(path_[level]);
    if (!index) {
      builder_.begin_object();
      builder_.key(path_[level]);
      PANDO_TRY(create(level + 1));
      builder_.end_object();
      return {};
    }
    if (*index < 0) {
      return out_of_range(level, *index);
    }
    builder_.begin_array();
    PANDO_TRY(fill(*index));
    PANDO_TRY(create(level + 1));
    builder_.end_array();
    return {};
  }

  // Copies what is there with the part below it changed. Recursion is as deep as the path.
  Status change(JsonbView at, std::size_t level) {
    if (level == path_.size()) {
      builder_.copy(value_);
      return {};
    }
    switch (at.kind()) {
      case JsonKind::kObject:
        return change_object(at, level);
      case JsonKind::kArray:
        return change_array(at, level);
      default:
        return Status(sql_state::kInvalidParameterValue, "cannot replace existing key")
            .with_detail("The path assumes key is a composite object, but it is a scalar value.");
    }
  }

  Status change_object(JsonbView object, std::size_t level) {
    bool found = false;
    builder_.begin_object();
    for (std::size_t i = 0; i < object.size(); ++i) {
      builder_.key(object.key(i));
      if (object.key(i) != path_[level]) {
        builder_.copy(object.value(i));
        continue;
      }
      found = true;
      PANDO_TRY(change(object.value(i), level + 1));
    }
    if (!found) {
      builder_.key(path_[level]);
      PANDO_TRY(create(level + 1));
    }
    builder_.end_object();
    return {};
  }

  Status change_array(JsonbView array, std::size_t level) {
    const std::optional<int64_t> written = number_of(path_[level]);
    if (!written) {
      return {sql_state::kInvalidTextRepresentation, "path element at position {} is not an integer: \"{}\"", level + 1,
              path_[level]};
    }
    const auto count = static_cast<int64_t>(array.size());
    const int64_t index = *written < 0 ? *written + count : *written;
    if (index < 0) {
      return out_of_range(level, *written);
    }
    builder_.begin_array();
    for (int64_t i = 0; i < count; ++i) {
      const JsonbView element = array.element(static_cast<std::size_t>(i));
      if (i != index) {
        builder_.copy(element);
      } else {
        PANDO_TRY(change(element, level + 1));
      }
    }
    if (index >= count) {
      PANDO_TRY(fill(index - count));
      PANDO_TRY(create(level + 1));
    }
    builder_.end_array();
    return {};
  }

  Status fill(int64_t nulls) {
    if (nulls >= static_cast<int64_t>(kJsonbElementsMax)) {
      return {sql_state::kProgramLimitExceeded, "number of jsonb array elements exceeds the maximum allowed ({})",
              kJsonbElementsMax};
    }
    for (int64_t i = 0; i < nulls; ++i) {
      builder_.null();
    }
    return {};
  }

  static Status out_of_range(std::size_t level, int64_t index) {
    return {sql_state::kInvalidParameterValue, "path element at position {} is out of range: {}", level + 1, index};
  }

  std::span<const ByteView> path_;
  JsonbView value_;
  JsonbBuilder builder_;
};

}  // namespace

Result<Bytes> jsonb_assign(std::optional<JsonbView> container, std::span<const ByteView> path, JsonbView value) {
  return Assigner(path, value).run(container);
}

}  // namespace pando::types
