// Edits of jsonb: concatenation, deletion, set, insert, stripping nulls, casts.

#include <algorithm>
#include <charconv>

#include "types/jsonb.h"
#include "types/numeric.h"

namespace pando::types {
namespace {

Status invalid(std::string_view message) { return {sql_state::kInvalidParameterValue, "{}", message}; }

void add_members(JsonbBuilder& builder, JsonbView object) {
  for (std::size_t i = 0; i < object.size(); ++i) {
    builder.key(object.key(i));
    builder.copy(object.value(i));
  }
}

// The elements of an array; anything else as one element.
void add_elements(JsonbBuilder& builder, JsonbView value) {
  if (value.kind() != JsonKind::kArray) {
    builder.copy(value);
    return;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    builder.copy(value.element(i));
  }
}

enum class PathEdit : uint8_t { kDelete, kReplace, kCreate, kInsertBefore, kInsertAfter };

class PathEditor {
 public:
  PathEditor(std::span<const ByteView> path, const JsonbView* value, PathEdit edit)
      : path_(path), value_(value), edit_(edit) {}

  Result<Bytes> run(JsonbView root) {
    PANDO_TRY(visit(root, 0));
    return builder_.finish();
  }

 private:
  bool creates() const { return edit_ != PathEdit::kDelete && edit_ != PathEdit::kReplace; }
  bool is_last(std::size_t level) const { return level + 1 == path_.size(); }

  // Copies `at` with the edit below it applied. Recursion is as deep as the path.
  Status visit(JsonbView at, std::size_t level) {
    if (at.kind() == JsonKind::kObject) {
      return visit_object(at, level);
    }
    if (at.kind() == JsonKind::kArray) {
      return visit_array(at, level);
    }
    builder_.copy(at);
    return {};
  }

  Status visit_object(JsonbView object, std::size_t level) {
    const ByteView wanted = path_[level];
    bool done = false;
    builder_.begin_object();
    for (std::size_t i = 0; i < object.size(); ++i) {
      const ByteView key = object.key(i);
      if (key != wanted) {
        builder_.key(key);
        builder_.copy(object.value(i));
        continue;
      }
      done = true;
      if (!is_last(level)) {
        builder_.key(key);
        PANDO_TRY(visit(object.value(i), level + 1));
        continue;
      }
      if (edit_ == PathEdit::kInsertBefore || edit_ == PathEdit::kInsertAfter) {
        return Status(invalid("cannot replace existing key"))
            .with_hint("Try using the function jsonb_set to replace key value.");
      }
      if (edit_ != PathEdit::kDelete) {
        builder_.key(key);
        builder_.copy(*value_);
      }
    }
    if (!done && is_last(level) && creates()) {
      builder_.key(wanted);
      builder_.copy(*value_);
    }
    builder_.end_object();
    return {};
  }

  Status visit_array(JsonbView array, std::size_t level) {
    const auto count = static_cast<int64_t>(array.size());
    PANDO_ASSIGN(int64_t index, index_of(level));
    bool before_first = false;
    if (index < 0) {
      before_first = -index > count;
      index = before_first ? -1 : count + index;
    }
    index = std::min(index, count);
    bool done = false;
    builder_.begin_array();
    if ((before_first || count == 0) && is_last(level) && creates()) {
      builder_.copy(*value_);
      done = true;
    }
    for (int64_t i = 0; i < count; ++i) {
      const JsonbView element = array.element(static_cast<std::size_t>(i));
      if (i != index || done) {
        builder_.copy(element);
      } else if (!is_last(level)) {
        PANDO_TRY(visit(element, level + 1));
      } else {
        done = true;
        edit_element(element);
      }
    }
    if (!done && is_last(level) && creates() && index >= count) {
      builder_.copy(*value_);
    }
    builder_.end_array();
    return {};
  }

  void edit_element(JsonbView element) {
    switch (edit_) {
      case PathEdit::kDelete:
        return;
      case PathEdit::kReplace:
      case PathEdit::kCreate:
        return builder_.copy(*value_);
      case PathEdit::kInsertBefore:
        builder_.copy(*value_);
        return builder_.copy(element);
      case PathEdit::kInsertAfter:
        builder_.copy(element);
        return builder_.copy(*value_);
    }
  }

  Result<int64_t> index_of(std::size_t level) const {
    const ByteView text = path_[level];
    int32_t index = 0;
    const char* start = text.data() + (text.starts_with('+') ? 1 : 0);
    const auto parsed = std::from_chars(start, text.data() + text.size(), index);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
      return Status(sql_state::kInvalidTextRepresentation, "path element at position {} is not an integer: \"{}\"",
                    level + 1, text);
    }
    return index;
  }

  std::span<const ByteView> path_;
  const JsonbView* value_;
  PathEdit edit_;
  JsonbBuilder builder_;
};

void strip(JsonbView at, JsonbBuilder& builder) {
  if (at.is_scalar()) {
    builder.copy(at);
    return;
  }
  const bool object = at.kind() == JsonKind::kObject;
  object ? builder.begin_object() : builder.begin_array();
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (!object) {
      strip(at.element(i), builder);
    } else if (at.value(i).kind() != JsonKind::kNull) {
      builder.key(at.key(i));
      strip(at.value(i), builder);
    }
  }
  object ? builder.end_object() : builder.end_array();
}

Status cannot_cast(JsonbView value, std::string_view type_name) {
  constexpr std::string_view kNames[] = {"null", "boolean", "boolean", "numeric", "string", "array", "object"};
  return {sql_state::kInvalidParameterValue, "cannot cast jsonb {} to type {}",
          kNames[static_cast<std::size_t>(value.kind())], type_name};
}

}  // namespace

Result<Bytes> jsonb_concat(JsonbView a, JsonbView b) {
  JsonbBuilder builder;
  if (a.kind() == JsonKind::kObject && b.kind() == JsonKind::kObject) {
    builder.begin_object();
    add_members(builder, a);
    add_members(builder, b);
    builder.end_object();
    return builder.finish();
  }
  builder.begin_array();
  add_elements(builder, a);
  add_elements(builder, b);
  builder.end_array();
  return builder.finish();
}

Result<Bytes> jsonb_delete_keys(JsonbView value, std::span<const ByteView> keys) {
  if (value.is_scalar()) {
    return invalid("cannot delete from scalar");
  }
  const auto deleted = [keys](ByteView key) { return std::ranges::find(keys, key) != keys.end(); };
  JsonbBuilder builder;
  const bool object = value.kind() == JsonKind::kObject;
  object ? builder.begin_object() : builder.begin_array();
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (object) {
      if (!deleted(value.key(i))) {
        builder.key(value.key(i));
        builder.copy(value.value(i));
      }
      continue;
    }
    const JsonbView element = value.element(i);
    if (element.kind() != JsonKind::kString || !deleted(element.string())) {
      builder.copy(element);
    }
  }
  object ? builder.end_object() : builder.end_array();
  return builder.finish();
}

Result<Bytes> jsonb_delete_key(JsonbView value, ByteView key) { return jsonb_delete_keys(value, {&key, 1}); }

Result<Bytes> jsonb_delete_index(JsonbView value, int64_t index) {
  if (value.is_scalar()) {
    return invalid("cannot delete from scalar");
  }
  if (value.kind() == JsonKind::kObject) {
    return invalid("cannot delete from object using integer index");
  }
  index += index < 0 ? static_cast<int64_t>(value.size()) : 0;
  JsonbBuilder builder;
  builder.begin_array();
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (static_cast<int64_t>(i) != index) {
      builder.copy(value.element(i));
    }
  }
  builder.end_array();
  return builder.finish();
}

Result<Bytes> jsonb_delete_path(JsonbView value, std::span<const ByteView> path) {
  if (value.is_scalar()) {
    return invalid("cannot delete path in scalar");
  }
  if (path.empty() || value.size() == 0) {
    return Bytes(value.packed());
  }
  return PathEditor(path, nullptr, PathEdit::kDelete).run(value);
}

Result<Bytes> jsonb_set(JsonbView value, std::span<const ByteView> path, JsonbView replacement, bool create_missing) {
  if (value.is_scalar()) {
    return invalid("cannot set path in scalar");
  }
  if (path.empty() || (value.size() == 0 && !create_missing)) {
    return Bytes(value.packed());
  }
  return PathEditor(path, &replacement, create_missing ? PathEdit::kCreate : PathEdit::kReplace).run(value);
}

Result<Bytes> jsonb_insert(JsonbView value, std::span<const ByteView> path, JsonbView inserted, bool after) {
  if (value.is_scalar()) {
    return invalid("cannot set path in scalar");
  }
  if (path.empty()) {
    return Bytes(value.packed());
  }
  return PathEditor(path, &inserted, after ? PathEdit::kInsertAfter : PathEdit::kInsertBefore).run(value);
}

Result<Bytes> jsonb_strip_nulls(JsonbView value) {
  JsonbBuilder builder;
  strip(value, builder);
  return builder.finish();
}

Result<bool> jsonb_to_bool(JsonbView value) {
  if (value.kind() != JsonKind::kTrue && value.kind() != JsonKind::kFalse) {
    return cannot_cast(value, "boolean");
  }
  return value.kind() == JsonKind::kTrue;
}

Result<Bytes> jsonb_to_numeric(JsonbView value, std::string_view type_name) {
  if (value.kind() != JsonKind::kNumber) {
    return cannot_cast(value, type_name);
  }
  return Bytes(value.numeric());
}

}  // namespace pando::types
