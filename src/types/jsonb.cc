#include "types/jsonb.h"

#include <algorithm>

#include "base/codec.h"
#include "types/compare.h"
#include "types/numeric.h"

namespace pando::types {
namespace {

constexpr int kKindBits = 3;
constexpr uint32_t kKindMask = (1U << kKindBits) - 1;
constexpr std::size_t kWord = sizeof(uint32_t);
constexpr std::size_t kIndent = 4;

uint32_t load_word(const char* from) {
  uint32_t word = 0;
  std::memcpy(&word, from, kWord);
  return word;
}

bool key_less(ByteView a, ByteView b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

// Well-formedness of a value that must fill `packed` exactly. Depth is bounded as in parsing.
bool check_value(ByteView packed, int depth) {
  if (packed.size() < kWord || depth > kJsonDepthMax) {
    return false;
  }
  const uint32_t header = load_word(packed.data());
  const auto kind = static_cast<JsonKind>(header & kKindMask);
  const std::size_t size = header >> kKindBits;
  const ByteView body = packed.substr(kWord);
  switch (kind) {
    case JsonKind::kNull:
    case JsonKind::kFalse:
    case JsonKind::kTrue:
      return size == 0 && body.empty();
    case JsonKind::kNumber:
      return size > 0 && body.size() == size;
    case JsonKind::kString:
      return body.size() == size;
    case JsonKind::kArray:
    case JsonKind::kObject:
      break;
    default:
      return false;
  }
  const bool object = kind == JsonKind::kObject;
  const std::size_t table = size * kWord * (object ? 2 : 1);
  if (body.size() < table) {
    return false;
  }
  const ByteView data = body.substr(table);
  uint32_t start = 0;
  for (std::size_t i = 0; object && i < size; ++i) {
    const uint32_t end = load_word(body.data() + i * kWord);
    if (end < start || end > data.size()) {
      return false;
    }
    start = end;
  }
  const char* ends = body.data() + (object ? size * kWord : 0);
  for (std::size_t i = 0; i < size; ++i) {
    const uint32_t end = load_word(ends + i * kWord);
    if (end < start || end > data.size() || !check_value(data.substr(start, end - start), depth + 1)) {
      return false;
    }
    start = end;
  }
  return start == data.size();
}

// Builds from the events of JSON text.
class JsonbEvents final : public JsonEvents {
 public:
  explicit JsonbEvents(JsonbBuilder& builder) : builder_(builder) {}
  Status begin_object() override { return builder_.begin_object(), Status(); }
  Status end_object() override { return builder_.end_object(), Status(); }
  Status begin_array() override { return builder_.begin_array(), Status(); }
  Status end_array() override { return builder_.end_array(), Status(); }
  Status key(ByteView name) override { return builder_.key(name), Status(); }
  Status scalar(JsonKind kind, ByteView text) override {
    switch (kind) {
      case JsonKind::kNull:
        builder_.null();
        break;
      case JsonKind::kTrue:
      case JsonKind::kFalse:
        builder_.boolean(kind == JsonKind::kTrue);
        break;
      case JsonKind::kNumber: {
        PANDO_ASSIGN(const Bytes number, numeric::parse(text));
        builder_.number(number);
        break;
      }
      default:
        builder_.string(text);
    }
    return {};
  }

 private:
  JsonbBuilder& builder_;
};

void indent(Bytes& out, std::size_t level) {
  out.push_back('\n');
  out.append(level * kIndent, ' ');
}

// `level` 0 prints on one line; n > 0 indents n levels deep.
void print_value(JsonbView value, bool pretty, std::size_t level, Bytes& out) {
  switch (value.kind()) {
    case JsonKind::kNull:
      out.append("null");
      return;
    case JsonKind::kFalse:
      out.append("false");
      return;
    case JsonKind::kTrue:
      out.append("true");
      return;
    case JsonKind::kNumber:
      return numeric::print(value.numeric(), out);
    case JsonKind::kString:
      return append_json_string(out, value.string());
    default:
      break;
  }
  const bool object = value.kind() == JsonKind::kObject;
  out.push_back(object ? '{' : '[');
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (i > 0) {
      out.append(pretty ? "," : ", ");
    }
    if (pretty) {
      indent(out, level + 1);
    }
    if (object) {
      append_json_string(out, value.key(i));
      out.append(": ");
    }
    print_value(object ? value.value(i) : value.element(i), pretty, level + 1, out);
  }
  if (pretty) {
    indent(out, level);
  }
  out.push_back(object ? '}' : ']');
}

// PostgreSQL's order of kinds.
int rank_of(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull:
      return 0;
    case JsonKind::kString:
      return 1;
    case JsonKind::kNumber:
      return 2;
    case JsonKind::kFalse:
    case JsonKind::kTrue:
      return 3;
    case JsonKind::kArray:
      return 4;
    case JsonKind::kObject:
      return 5;
  }
  return 0;
}

std::strong_ordering compare_nested(JsonbView a, JsonbView b) {
  if (rank_of(a.kind()) != rank_of(b.kind())) {
    return rank_of(a.kind()) <=> rank_of(b.kind());
  }
  switch (a.kind()) {
    case JsonKind::kNull:
      return std::strong_ordering::equal;
    case JsonKind::kFalse:
    case JsonKind::kTrue:
      return a.kind() <=> b.kind();
    case JsonKind::kNumber:
      return numeric::compare(a.numeric(), b.numeric());
    case JsonKind::kString:
      return a.string().compare(b.string()) <=> 0;
    default:
      break;
  }
  if (a.size() != b.size()) {
    return a.size() <=> b.size();
  }
  const bool object = a.kind() == JsonKind::kObject;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (object) {
      if (const auto order = a.key(i).compare(b.key(i)) <=> 0; order != 0) {
        return order;
      }
    }
    const auto order = object ? compare_nested(a.value(i), b.value(i)) : compare_nested(a.element(i), b.element(i));
    if (order != 0) {
      return order;
    }
  }
  return std::strong_ordering::equal;
}

bool equal(JsonbView a, JsonbView b) { return a.packed() == b.packed() || compare_nested(a, b) == 0; }

bool contains_nested(JsonbView container, JsonbView contained) {
  if (contained.is_scalar() || container.is_scalar()) {
    return contained.is_scalar() && container.is_scalar() && equal(container, contained);
  }
  if (container.kind() != contained.kind()) {
    return false;
  }
  for (std::size_t i = 0; i < contained.size(); ++i) {
    if (contained.kind() == JsonKind::kObject) {
      const auto member = container.find(contained.key(i));
      if (!member || !contains_nested(*member, contained.value(i))) {
        return false;
      }
      continue;
    }
    const JsonbView wanted = contained.element(i);
    bool found = false;
    for (std::size_t j = 0; !found && j < container.size(); ++j) {
      found = contains_nested(container.element(j), wanted);
    }
    if (!found) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool JsonbView::check(ByteView packed) { return check_value(packed, 0); }

uint32_t JsonbView::header() const { return load_word(packed_.data()); }
uint32_t JsonbView::word(std::size_t i) const { return load_word(packed_.data() + (i + 1) * kWord); }
JsonKind JsonbView::kind() const { return static_cast<JsonKind>(header() & kKindMask); }
ByteView JsonbView::string() const { return packed_.substr(kWord, header() >> kKindBits); }
ByteView JsonbView::numeric() const { return packed_.substr(kWord, header() >> kKindBits); }

std::size_t JsonbView::size() const { return is_scalar() ? 0 : header() >> kKindBits; }

JsonbView JsonbView::element(std::size_t i) const {
  const std::size_t data = kWord * (1 + size());
  const uint32_t start = i == 0 ? 0 : word(i - 1);
  return JsonbView(packed_.substr(data + start, word(i) - start));
}

ByteView JsonbView::key(std::size_t i) const {
  const std::size_t data = kWord * (1 + 2 * size());
  const uint32_t start = i == 0 ? 0 : word(i - 1);
  return packed_.substr(data + start, word(i) - start);
}

JsonbView JsonbView::value(std::size_t i) const {
  const std::size_t count = size();
  const std::size_t data = kWord * (1 + 2 * count);
  const uint32_t start = word(count + i - 1);  // of the first value: where the keys end
  return JsonbView(packed_.substr(data + start, word(count + i) - start));
}

std::optional<JsonbView> JsonbView::find(ByteView key) const {
  if (kind() != JsonKind::kObject) {
    return std::nullopt;
  }
  std::size_t low = 0;
  std::size_t high = size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const ByteView at = this->key(middle);
    if (at == key) {
      return value(middle);
    }
    (key_less(at, key) ? low : high) = key_less(at, key) ? middle + 1 : middle;
  }
  return std::nullopt;
}

std::optional<JsonbView> JsonbView::at(int64_t index) const {
  if (kind() != JsonKind::kArray) {
    return std::nullopt;
  }
  const auto count = static_cast<int64_t>(size());
  index += index < 0 ? count : 0;
  if (index < 0 || index >= count) {
    return std::nullopt;
  }
  return element(static_cast<std::size_t>(index));
}

std::optional<JsonbView> JsonbView::path(std::span<const ByteView> path) const {
  std::optional<JsonbView> at = *this;
  for (const ByteView step : path) {
    if (at->kind() == JsonKind::kArray) {
      const bool negative = step.starts_with('-');
      const ByteView digits = step.substr(negative ? 1 : 0);
      constexpr std::size_t kDigitsMax = 9;
      if (digits.empty() || digits.size() > kDigitsMax ||
          !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
      }
      int64_t index = 0;
      for (const char c : digits) {
        index = index * 10 + (c - '0');
      }
      at = at->at(negative ? -index : index);
    } else {
      at = at->find(step);
    }
    if (!at) {
      return at;
    }
  }
  return at;
}

void JsonbBuilder::add(std::size_t offset) {
  const std::size_t size = values_.size() - offset;
  too_large_ = too_large_ || values_.size() > kJsonbElementsMax;
  if (!levels_.empty()) {
    items_.push_back(
        {pending_key_offset_, pending_key_size_, static_cast<uint32_t>(offset), static_cast<uint32_t>(size)});
  }
}

void JsonbBuilder::null() {
  const std::size_t offset = values_.size();
  put_fixed32(values_, static_cast<uint32_t>(JsonKind::kNull));
  add(offset);
}

void JsonbBuilder::boolean(bool value) {
  const std::size_t offset = values_.size();
  put_fixed32(values_, static_cast<uint32_t>(value ? JsonKind::kTrue : JsonKind::kFalse));
  add(offset);
}

void JsonbBuilder::number(ByteView packed_numeric) {
  const std::size_t offset = values_.size();
  put_fixed32(values_,
              static_cast<uint32_t>(packed_numeric.size() << kKindBits) | static_cast<uint32_t>(JsonKind::kNumber));
  values_.append(packed_numeric);
  add(offset);
}

void JsonbBuilder::string(ByteView text) {
  const std::size_t offset = values_.size();
  put_fixed32(values_, static_cast<uint32_t>(text.size() << kKindBits) | static_cast<uint32_t>(JsonKind::kString));
  values_.append(text);
  add(offset);
}

void JsonbBuilder::copy(JsonbView value) {
  const std::size_t offset = values_.size();
  values_.append(value.packed());
  add(offset);
}

void JsonbBuilder::begin_array() {
  levels_.push_back({false, items_.size(), values_.size(), pending_key_offset_, pending_key_size_});
}

void JsonbBuilder::begin_object() {
  levels_.push_back({true, items_.size(), values_.size(), pending_key_offset_, pending_key_size_});
}

void JsonbBuilder::key(ByteView name) {
  pending_key_offset_ = static_cast<uint32_t>(keys_.size());
  pending_key_size_ = static_cast<uint32_t>(name.size());
  keys_.append(name);
}

void JsonbBuilder::end_array() { end_container(); }
void JsonbBuilder::end_object() { end_container(); }

// Replaces the values of the innermost level, which lie at the end of values_, by the container of them.
void JsonbBuilder::end_container() {
  const Level level = levels_.back();
  levels_.pop_back();
  std::vector<Item> items(items_.begin() + static_cast<std::ptrdiff_t>(level.first_item), items_.end());
  items_.resize(level.first_item);
  const auto key_of = [this](const Item& item) { return ByteView(keys_).substr(item.key_offset, item.key_size); };
  if (level.object) {
    std::ranges::sort(items, [&](const Item& a, const Item& b) {
      return key_of(a) != key_of(b) ? key_less(key_of(a), key_of(b)) : a.value_offset < b.value_offset;
    });
    // Of equal keys the last one counts.
    std::vector<Item> unique;
    for (const Item& item : items) {
      if (!unique.empty() && key_of(unique.back()) == key_of(item)) {
        unique.back() = item;
      } else {
        unique.push_back(item);
      }
    }
    items = std::move(unique);
  }
  Bytes container;
  const JsonKind kind = level.object ? JsonKind::kObject : JsonKind::kArray;
  put_fixed32(container, static_cast<uint32_t>(items.size() << kKindBits) | static_cast<uint32_t>(kind));
  uint32_t end = 0;
  for (std::size_t i = 0; level.object && i < items.size(); ++i) {
    end += items[i].key_size;
    put_fixed32(container, end);
  }
  for (const Item& item : items) {
    end += item.value_size;
    put_fixed32(container, end);
  }
  for (std::size_t i = 0; level.object && i < items.size(); ++i) {
    container.append(key_of(items[i]));
  }
  for (const Item& item : items) {
    container.append(values_, item.value_offset, item.value_size);
  }
  values_.resize(level.values_offset);
  values_.append(container);
  pending_key_offset_ = level.key_offset;
  pending_key_size_ = level.key_size;
  if (levels_.empty()) {
    keys_.clear();
  }
  add(level.values_offset);
}

Result<Bytes> JsonbBuilder::finish() {
  PANDO_ASSERT(levels_.empty(), "an unfinished array or object");
  if (too_large_) {
    return Status(sql_state::kProgramLimitExceeded,
                  "total size of jsonb array elements exceeds the maximum of {} bytes", kJsonbElementsMax);
  }
  return std::move(values_);
}

Result<Bytes> parse_jsonb(ByteView text) {
  JsonbBuilder builder;
  JsonbEvents events(builder);
  PANDO_TRY(parse_json(text, events));
  return builder.finish();
}

void print_jsonb(JsonbView value, Bytes& out) { print_value(value, false, 0, out); }
void print_jsonb_pretty(JsonbView value, Bytes& out) { print_value(value, true, 0, out); }

std::optional<Bytes> jsonb_as_text(JsonbView value) {
  if (value.kind() == JsonKind::kNull) {
    return std::nullopt;
  }
  if (value.kind() == JsonKind::kString) {
    return Bytes(value.string());
  }
  Bytes out;
  print_jsonb(value, out);
  return out;
}

std::strong_ordering compare_jsonb(JsonbView a, JsonbView b) {
  // At the top PostgreSQL compares a scalar as an array of one element, so that an empty array is below it.
  if (a.is_scalar() != b.is_scalar()) {
    const JsonbView container = a.is_scalar() ? b : a;
    const bool container_less = container.kind() == JsonKind::kArray && container.size() == 0;
    return a.is_scalar() == container_less ? std::strong_ordering::greater : std::strong_ordering::less;
  }
  return compare_nested(a, b);
}

uint64_t hash_jsonb(JsonbView value) {
  const auto seed = static_cast<uint64_t>(rank_of(value.kind()));
  switch (value.kind()) {
    case JsonKind::kNumber:
      return mix_hash(seed + numeric::hash(value.numeric()));
    case JsonKind::kString:
      return mix_hash(seed + hash_of_bytes(value.string()));
    case JsonKind::kArray:
    case JsonKind::kObject:
      break;
    default:
      return mix_hash(seed + static_cast<uint64_t>(value.kind()) * 16);
  }
  uint64_t hash = seed;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value.kind() == JsonKind::kObject) {
      hash = mix_hash(hash * 31 + hash_of_bytes(value.key(i)));
      hash = hash * 31 + hash_jsonb(value.value(i));
    } else {
      hash = hash * 31 + hash_jsonb(value.element(i));
    }
  }
  return mix_hash(hash);
}

void append_jsonb_key(Bytes& key, JsonbView value) {
  const auto append_nested = [&key](auto&& self, JsonbView at) -> void {
    key.push_back(static_cast<char>(rank_of(at.kind()) + 2));
    switch (at.kind()) {
      case JsonKind::kNull:
        return;
      case JsonKind::kFalse:
      case JsonKind::kTrue:
        key.push_back(at.kind() == JsonKind::kTrue ? 1 : 0);
        return;
      case JsonKind::kNumber:
        return numeric::append_ordered(key, at.numeric());
      case JsonKind::kString:
        return append_ordered_bytes(key, at.string());
      default:
        break;
    }
    append_ordered_uint32(key, static_cast<uint32_t>(at.size()));
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (at.kind() == JsonKind::kObject) {
        append_ordered_bytes(key, at.key(i));
        self(self, at.value(i));
      } else {
        self(self, at.element(i));
      }
    }
  };
  if (value.kind() == JsonKind::kArray && value.size() == 0) {
    key.push_back(1);  // below every scalar
    return;
  }
  append_nested(append_nested, value);
}

bool jsonb_contains(JsonbView container, JsonbView contained) {
  // An array contains a bare scalar that is one of its elements.
  if (container.kind() == JsonKind::kArray && contained.is_scalar()) {
    for (std::size_t i = 0; i < container.size(); ++i) {
      if (container.element(i).is_scalar() && equal(container.element(i), contained)) {
        return true;
      }
    }
    return false;
  }
  return contains_nested(container, contained);
}

bool jsonb_exists(JsonbView value, ByteView key) {
  switch (value.kind()) {
    case JsonKind::kObject:
      return value.find(key).has_value();
    case JsonKind::kString:
      return value.string() == key;
    case JsonKind::kArray:
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (value.element(i).kind() == JsonKind::kString && value.element(i).string() == key) {
          return true;
        }
      }
      return false;
    default:
      return false;
  }
}

}  // namespace pando::types
