#include "types/jsonpath.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "types/jsonpath_datetime.h"
#include "types/jsonpath_node.h"
#include "types/numeric.h"
#include "types/text_io.h"

namespace pando::types {
namespace {

// SQL/JSON conditions of the standard that have no name in base/sql_state.h.
constexpr SqlState kInvalidDatetimeArgument{"22031"};
constexpr SqlState kNonNumericItem{"22036"};
constexpr SqlState kSingletonRequired{"22038"};
constexpr SqlState kArrayNotFound{"22039"};
constexpr SqlState kMemberNotFound{"2203A"};
constexpr SqlState kNumberNotFound{"2203B"};
constexpr SqlState kObjectNotFound{"2203C"};

enum class Truth : uint8_t { kFalse, kTrue, kUnknown };

// What a path steps over: JSON, or what .datetime() made of it.
struct ItemView {
  ItemView(JsonbView json) : json(json) {}  // NOLINT(google-explicit-constructor): most items are just that
  ItemView(JsonbView json, const PathDateTime* datetime) : json(json), datetime(datetime) {}

  JsonbView json;
  const PathDateTime* datetime = nullptr;
};

struct Item {
  explicit Item(Bytes json) : json(std::move(json)) {}
  explicit Item(ByteView json) : json(json) {}
  explicit Item(ItemView view) : json(view.json.packed()) {
    if (view.datetime != nullptr) {
      datetime = *view.datetime;
    }
  }

  ItemView view() const { return {JsonbView(json), datetime.has_value() ? &*datetime : nullptr}; }
  // Whether it is JSON of this kind.
  bool is(JsonKind kind) const { return !datetime.has_value() && JsonbView(json).kind() == kind; }

  // A date or time is a string here: what it is as a result.
  Bytes json;
  std::optional<PathDateTime> datetime;
};

using Items = std::vector<Item>;

// Errors of the data, which predicates turn to unknown and silent evaluation to nothing; the others are always raised.
bool is_soft(const Status& status) { return status.code().error_class() == "22"; }

Bytes scalar_of(JsonKind kind, ByteView text) {
  JsonbBuilder builder;
  switch (kind) {
    case JsonKind::kNumber:
      builder.number(text);
      break;
    case JsonKind::kString:
      builder.string(text);
      break;
    case JsonKind::kNull:
      builder.null();
      break;
    default:
      builder.boolean(kind == JsonKind::kTrue);
  }
  return builder.finish().value();
}

class Evaluator {
 public:
  Evaluator(JsonbView document, std::optional<JsonbView> variables, bool strict, JsonPath::Options options)
      : document_(document), variables_(variables), strict_(strict), options_(options) {}

  // The items of a path or operator, with `current` for @.
  Status evaluate(const JsonPathNode& node, ItemView current, Items& out) {
    Items items;
    if (node.is_condition()) {
      PANDO_ASSIGN(const Truth truth, test(node, current));
      items.emplace_back(scalar_of(truth == Truth::kUnknown ? JsonKind::kNull
                                   : truth == Truth::kTrue  ? JsonKind::kTrue
                                                            : JsonKind::kFalse,
                                   {}));
    } else {
      PANDO_TRY(start(node, current, items));
    }
    return follow(node.next.get(), std::move(items), out);
  }

 private:
  // --- starts ---
  Status start(const JsonPathNode& node, ItemView current, Items& out) {
    switch (node.kind) {
      case PathKind::kRoot:
        out.emplace_back(document_.packed());
        return {};
      case PathKind::kCurrent:
        out.emplace_back(current);
        return {};
      case PathKind::kLast:
        out.emplace_back(scalar_of(JsonKind::kNumber, numeric::from_int64(last_)));
        return {};
      case PathKind::kNull:
      case PathKind::kTrue:
      case PathKind::kFalse:
        out.emplace_back(scalar_of(node.kind == PathKind::kNull   ? JsonKind::kNull
                                   : node.kind == PathKind::kTrue ? JsonKind::kTrue
                                                                  : JsonKind::kFalse,
                                   {}));
        return {};
      case PathKind::kNumber:
        out.emplace_back(scalar_of(JsonKind::kNumber, node.text));
        return {};
      case PathKind::kString:
        out.emplace_back(scalar_of(JsonKind::kString, node.text));
        return {};
      case PathKind::kVariable: {
        const auto found = variables_ ? variables_->find(node.text) : std::nullopt;
        if (!found) {
          return {sql_state::kUndefinedObject, "could not find jsonpath variable \"{}\"", node.text};
        }
        out.emplace_back(found->packed());
        return {};
      }
      case PathKind::kPlus:
      case PathKind::kMinus:
        return unary(node, current, out);
      default:
        return arithmetic(node, current, out);
    }
  }

  // Evaluates and, in lax mode, replaces arrays by their elements.
  Status operand(const JsonPathNode& node, ItemView current, Items& out) {
    Items items;
    PANDO_TRY(evaluate(node, current, items));
    for (Item& item : items) {
      const JsonbView view(item.json);
      if (strict_ || view.kind() != JsonKind::kArray) {
        out.push_back(std::move(item));
        continue;
      }
      for (std::size_t i = 0; i < view.size(); ++i) {
        out.emplace_back(view.element(i).packed());
      }
    }
    return {};
  }

  Status arithmetic(const JsonPathNode& node, ItemView current, Items& out) {
    const auto number = [&](std::size_t side, Bytes& value) -> Status {
      Items items;
      PANDO_TRY(operand(*node.arguments[side], current, items));
      if (items.size() != 1 || !items[0].is(JsonKind::kNumber)) {
        return {kSingletonRequired, "{} operand of jsonpath operator {} is not a single numeric value",
                side == 0 ? "left" : "right", path_operator(node.kind)};
      }
      value = Bytes(JsonbView(items[0].json).numeric());
      return {};
    };
    Bytes left;
    Bytes right;
    PANDO_TRY(number(0, left));
    PANDO_TRY(number(1, right));
    Bytes result;
    switch (node.kind) {
      case PathKind::kAdd:
        PANDO_TRY(numeric::add(left, right, result));
        break;
      case PathKind::kSubtract:
        PANDO_TRY(numeric::subtract(left, right, result));
        break;
      case PathKind::kMultiply:
        PANDO_TRY(numeric::multiply(left, right, result));
        break;
      case PathKind::kDivide:
        PANDO_TRY(numeric::divide(left, right, result));
        break;
      default:
        PANDO_TRY(numeric::modulo(left, right, result));
    }
    out.emplace_back(scalar_of(JsonKind::kNumber, result));
    return {};
  }

  Status unary(const JsonPathNode& node, ItemView current, Items& out) {
    Items items;
    PANDO_TRY(operand(*node.arguments[0], current, items));
    for (const Item& item : items) {
      const JsonbView view(item.json);
      if (!item.is(JsonKind::kNumber)) {
        return {kNumberNotFound, "operand of unary jsonpath operator {} is not a numeric value",
                path_operator(node.kind)};
      }
      Bytes value(view.numeric());
      if (node.kind == PathKind::kMinus) {
        numeric::negate(value, value);
      }
      out.emplace_back(scalar_of(JsonKind::kNumber, value));
    }
    return {};
  }

  // --- steps ---
  // Each item goes to the end of the path before the next one starts: what comes before an error is found.
  Status follow(const JsonPathNode* step, Items items, Items& out) {
    if (step == nullptr) {
      std::ranges::move(items, std::back_inserter(out));
      return {};
    }
    for (const Item& item : items) {
      Items next;
      const Status status = item.datetime.has_value() ? apply_to_datetime(*step, item.view(), next)
                                                      : apply(*step, JsonbView(item.json), next, !strict_);
      // What .** reaches may have any shape: the step after it ignores those it does not fit.
      PANDO_TRY(step->kind == PathKind::kAnyLevel ? follow_leniently(step->next.get(), std::move(next), out)
                                                  : follow(step->next.get(), std::move(next), out));
      PANDO_TRY(status);
    }
    return {};
  }

  Status follow_leniently(const JsonPathNode* step, Items items, Items& out) {
    const bool before = std::exchange(lenient_, true);
    const Status status = follow(step, std::move(items), out);
    lenient_ = before;
    return status;
  }

  bool raises() const { return strict_ && !lenient_; }

  Status apply(const JsonPathNode& step, JsonbView item, Items& out, bool unwrap) {
    const bool array = item.kind() == JsonKind::kArray;
    const bool takes_elements =
        step.kind == PathKind::kKey || step.kind == PathKind::kAnyKey || step.kind == PathKind::kFilter ||
        (step.kind == PathKind::kMethod && step.method != PathMethod::kType && step.method != PathMethod::kSize);
    if (array && unwrap && takes_elements) {
      for (std::size_t i = 0; i < item.size(); ++i) {
        PANDO_TRY(apply(step, item.element(i), out, false));
      }
      return {};
    }
    switch (step.kind) {
      case PathKind::kKey:
        return key(step, item, out);
      case PathKind::kAnyKey:
        if (item.kind() == JsonKind::kObject) {
          for (std::size_t i = 0; i < item.size(); ++i) {
            out.emplace_back(item.value(i).packed());
          }
          return {};
        }
        return raises() ? Status(kObjectNotFound, "jsonpath wildcard member accessor can only be applied to an object")
                        : Status();
      case PathKind::kAnyElement:
        return elements(item, out);
      case PathKind::kSubscripts:
        return subscripts(step, item, out);
      case PathKind::kAnyLevel:
        levels(step, item, 0, out);
        return {};
      case PathKind::kFilter: {
        PANDO_ASSIGN(const Truth truth, test(*step.arguments[0], item));
        if (truth == Truth::kTrue) {
          out.emplace_back(item.packed());
        }
        return {};
      }
      default:
        return method(step, item, out);
    }
  }

  Status key(const JsonPathNode& step, JsonbView item, Items& out) const {
    if (item.kind() != JsonKind::kObject) {
      return raises() ? Status(kMemberNotFound, "jsonpath member accessor can only be applied to an object") : Status();
    }
    if (const auto found = item.find(step.text)) {
      out.emplace_back(found->packed());
      return {};
    }
    return raises() ? Status(kMemberNotFound, "JSON object does not contain key \"{}\"", step.text) : Status();
  }

  Status elements(JsonbView item, Items& out) const {
    if (item.kind() == JsonKind::kArray) {
      for (std::size_t i = 0; i < item.size(); ++i) {
        out.emplace_back(item.element(i).packed());
      }
      return {};
    }
    if (!strict_) {
      out.emplace_back(item.packed());
      return {};
    }
    return raises() ? Status(kArrayNotFound, "jsonpath wildcard array accessor can only be applied to an array")
                    : Status();
  }

  Status subscripts(const JsonPathNode& step, JsonbView item, Items& out) {
    const bool array = item.kind() == JsonKind::kArray;
    if (!array && strict_) {
      return raises() ? Status(kArrayNotFound, "jsonpath array accessor can only be applied to an array") : Status();
    }
    const int64_t size = array ? static_cast<int64_t>(item.size()) : 1;
    const int64_t outer_last = std::exchange(last_, size - 1);
    Status status;
    for (const auto& subscript : step.subscripts) {
      int64_t from = 0;
      int64_t to = 0;
      status = index(*subscript.from, item, from);
      if (status.ok()) {
        to = from;
        status = subscript.to != nullptr ? index(*subscript.to, item, to) : Status();
      }
      if (!status.ok()) {
        break;
      }
      if (raises() && (from < 0 || from > to || to >= size)) {
        status = Status(sql_state::kInvalidSqlJsonSubscript, "jsonpath array subscript is out of bounds");
        break;
      }
      for (int64_t i = std::max<int64_t>(from, 0); i <= std::min(to, size - 1); ++i) {
        out.emplace_back(array ? item.element(static_cast<std::size_t>(i)).packed() : item.packed());
      }
    }
    last_ = outer_last;
    return status;
  }

  Status index(const JsonPathNode& node, JsonbView item, int64_t& value) {
    Items items;
    PANDO_TRY(evaluate(node, item, items));
    if (items.size() != 1 || !items[0].is(JsonKind::kNumber)) {
      return {sql_state::kInvalidSqlJsonSubscript, "jsonpath array subscript is not a single numeric value"};
    }
    Bytes whole;
    numeric::truncate(JsonbView(items[0].json).numeric(), 0, whole);
    const auto number = numeric::to_int32(whole);
    if (!number.ok()) {
      return {sql_state::kInvalidSqlJsonSubscript, "jsonpath array subscript is out of integer range"};
    }
    value = *number;
    return {};
  }

  void levels(const JsonPathNode& step, JsonbView item, uint32_t level, Items& out) {
    const bool leaves_only = step.first_level == kPathLastLevel;
    const bool inside = leaves_only ? item.is_scalar() : level >= step.first_level;
    if (inside && level <= step.last_level) {
      out.emplace_back(item.packed());
    }
    if (item.is_scalar() || level >= step.last_level) {
      return;
    }
    for (std::size_t i = 0; i < item.size(); ++i) {
      levels(step, item.kind() == JsonKind::kObject ? item.value(i) : item.element(i), level + 1, out);
    }
  }

  Status method(const JsonPathNode& step, JsonbView item, Items& out) {
    const std::string_view name = kPathMethodNames[static_cast<std::size_t>(step.method)];
    switch (step.method) {
      case PathMethod::kType: {
        constexpr std::string_view kNames[] = {"null", "boolean", "boolean", "number", "string", "array", "object"};
        out.emplace_back(scalar_of(JsonKind::kString, kNames[static_cast<std::size_t>(item.kind())]));
        return {};
      }
      case PathMethod::kSize:
        if (item.kind() != JsonKind::kArray && raises()) {
          return {kArrayNotFound, "jsonpath item method .{}() can only be applied to an array", name};
        }
        out.emplace_back(
            scalar_of(JsonKind::kNumber,
                      numeric::from_int64(item.kind() == JsonKind::kArray ? static_cast<int64_t>(item.size()) : 1)));
        return {};
      case PathMethod::kDouble:
        return to_double(item, out);
      case PathMethod::kKeyValue:
        return key_values(item, out);
      case PathMethod::kDateTime:
        return to_datetime(step, item, out);
      default:
        break;
    }
    if (item.kind() != JsonKind::kNumber) {
      return {kNonNumericItem, "jsonpath item method .{}() can only be applied to a numeric value", name};
    }
    Bytes result;
    if (step.method == PathMethod::kAbs) {
      numeric::absolute(item.numeric(), result);
    } else if (step.method == PathMethod::kFloor) {
      numeric::floor(item.numeric(), result);
    } else {
      numeric::ceil(item.numeric(), result);
    }
    out.emplace_back(scalar_of(JsonKind::kNumber, result));
    return {};
  }

  static Status to_double(JsonbView item, Items& out) {
    if (item.kind() == JsonKind::kNumber) {
      if (!numeric::to_float64(item.numeric()).ok()) {
        return {kNonNumericItem,
                "numeric argument of jsonpath item method .double() is out of range for type double precision"};
      }
      out.emplace_back(item.packed());
      return {};
    }
    if (item.kind() != JsonKind::kString) {
      return {kNonNumericItem, "jsonpath item method .double() can only be applied to a string or numeric value"};
    }
    const auto number = parse_float64(item.string());
    if (!number.ok() || std::isnan(*number) || std::isinf(*number)) {
      return {kNonNumericItem,
              "string argument of jsonpath item method .double() is not a valid representation of a double precision "
              "number"};
    }
    out.emplace_back(scalar_of(JsonKind::kNumber, numeric::from_float64(*number)));
    return {};
  }

  Status key_values(JsonbView item, Items& out) {
    if (item.kind() != JsonKind::kObject) {
      return {kObjectNotFound, "jsonpath item method .keyvalue() can only be applied to an object"};
    }
    // An object's id is where it lies in the document, which is 0 for the document itself.
    const char* const base = document_.packed().data();
    const bool inside = item.packed().data() >= base && item.packed().data() < base + document_.packed().size();
    const int64_t id = inside ? item.packed().data() - base : 0;
    for (std::size_t i = 0; i < item.size(); ++i) {
      JsonbBuilder builder;
      builder.begin_object();
      builder.key("key");
      builder.string(item.key(i));
      builder.key("value");
      builder.copy(item.value(i));
      builder.key("id");
      builder.number(numeric::from_int64(id));
      builder.end_object();
      PANDO_ASSIGN(Bytes pair, builder.finish());
      out.emplace_back(std::move(pair));
    }
    return {};
  }

  static Status to_datetime(const JsonPathNode& step, JsonbView item, Items& out) {
    if (item.kind() != JsonKind::kString) {
      return {kInvalidDatetimeArgument, "jsonpath item method .datetime() can only be applied to a string"};
    }
    const auto format = step.arguments.empty() ? std::nullopt : std::optional<ByteView>(step.arguments[0]->text);
    PANDO_ASSIGN(const PathDateTime value, parse_path_datetime(item.string(), format));
    out.emplace_back(scalar_of(JsonKind::kString, print_path_datetime(value)));
    out.back().datetime = value;
    return {};
  }

  // A step from a date or time: to steps that look at what an item is, it is a scalar and no string.
  Status apply_to_datetime(const JsonPathNode& step, ItemView item, Items& out) {
    if (step.kind == PathKind::kFilter) {
      PANDO_ASSIGN(const Truth truth, test(*step.arguments[0], item));
      if (truth == Truth::kTrue) {
        out.emplace_back(item);
      }
      return {};
    }
    if (step.kind == PathKind::kMethod) {
      return datetime_method(step, item, out);
    }
    const std::size_t before = out.size();
    PANDO_TRY(apply(step, item.json, out, false));
    for (std::size_t i = before; i < out.size(); ++i) {
      out[i].datetime = *item.datetime;
    }
    return {};
  }

  Status datetime_method(const JsonPathNode& step, ItemView item, Items& out) {
    const std::string_view name = kPathMethodNames[static_cast<std::size_t>(step.method)];
    switch (step.method) {
      case PathMethod::kType:
        out.emplace_back(scalar_of(JsonKind::kString, find_type(item.datetime->type)->sql_name));
        return {};
      case PathMethod::kSize:
      case PathMethod::kKeyValue:
        return method(step, item.json, out);
      case PathMethod::kDateTime:
        return {kInvalidDatetimeArgument, "jsonpath item method .{}() can only be applied to a string", name};
      case PathMethod::kDouble:
        return {kNonNumericItem, "jsonpath item method .{}() can only be applied to a string or numeric value", name};
      default:
        return {kNonNumericItem, "jsonpath item method .{}() can only be applied to a numeric value", name};
    }
  }

  // --- predicates ---
  Result<Truth> test(const JsonPathNode& node, ItemView current) {
    switch (node.kind) {
      case PathKind::kAnd:
      case PathKind::kOr: {
        const Truth decisive = node.kind == PathKind::kAnd ? Truth::kFalse : Truth::kTrue;
        PANDO_ASSIGN(const Truth left, test(*node.arguments[0], current));
        if (left == decisive) {
          return left;
        }
        PANDO_ASSIGN(const Truth right, test(*node.arguments[1], current));
        return right == decisive || left != Truth::kUnknown ? right : left;
      }
      case PathKind::kNot: {
        PANDO_ASSIGN(const Truth truth, test(*node.arguments[0], current));
        return truth == Truth::kUnknown ? truth : (truth == Truth::kTrue ? Truth::kFalse : Truth::kTrue);
      }
      case PathKind::kIsUnknown: {
        PANDO_ASSIGN(const Truth truth, test(*node.arguments[0], current));
        return truth == Truth::kUnknown ? Truth::kTrue : Truth::kFalse;
      }
      case PathKind::kExists: {
        Items items;
        const Status status = evaluate(*node.arguments[0], current, items);
        if (!status.ok()) {
          return is_soft(status) ? Result<Truth>(Truth::kUnknown) : Result<Truth>(status);
        }
        return items.empty() ? Truth::kFalse : Truth::kTrue;
      }
      default:
        return test_pairs(node, current);
    }
  }

  // True for any pair of operands; in strict mode all pairs must be comparable.
  Result<Truth> test_pairs(const JsonPathNode& node, ItemView current) {
    Items left;
    Items right;
    Status status = operand(*node.arguments[0], current, left);
    if (status.ok() && node.arguments.size() > 1) {
      status = operand(*node.arguments[1], current, right);
    } else if (status.ok()) {
      right.emplace_back(scalar_of(JsonKind::kString, node.text));
    }
    if (!status.ok()) {
      return is_soft(status) ? Result<Truth>(Truth::kUnknown) : Result<Truth>(status);
    }
    bool found = false;
    bool unknown = false;
    for (const Item& a : left) {
      for (const Item& b : right) {
        PANDO_ASSIGN(const Truth truth, a.datetime.has_value() || b.datetime.has_value()
                                            ? test_datetimes(node.kind, a, b)
                                            : test_pair(node, JsonbView(a.json), JsonbView(b.json)));
        if (truth == Truth::kUnknown) {
          if (strict_) {
            return Truth::kUnknown;
          }
          unknown = true;
        } else if (truth == Truth::kTrue) {
          if (!strict_) {
            return Truth::kTrue;
          }
          found = true;
        }
      }
    }
    return found ? Truth::kTrue : (unknown ? Truth::kUnknown : Truth::kFalse);
  }

  static Truth truth_of(bool value) { return value ? Truth::kTrue : Truth::kFalse; }
  static Truth truth_of(PathKind comparison, std::strong_ordering order) {
    switch (comparison) {
      case PathKind::kEqual:
        return truth_of(order == 0);
      case PathKind::kNotEqual:
        return truth_of(order != 0);
      case PathKind::kLess:
        return truth_of(order < 0);
      case PathKind::kLessEqual:
        return truth_of(order <= 0);
      case PathKind::kGreater:
        return truth_of(order > 0);
      default:
        return truth_of(order >= 0);
    }
  }

  // Where one of the two is a date or time.
  Result<Truth> test_datetimes(PathKind comparison, const Item& a, const Item& b) {
    if (comparison == PathKind::kStartsWith || comparison == PathKind::kLikeRegex) {
      return Truth::kUnknown;
    }
    if (!a.datetime.has_value() || !b.datetime.has_value()) {
      const bool has_null = a.is(JsonKind::kNull) || b.is(JsonKind::kNull);
      return has_null ? truth_of(comparison == PathKind::kNotEqual) : Truth::kUnknown;
    }
    PANDO_ASSIGN(const auto order,
                 compare_path_datetimes(*a.datetime, *b.datetime, options_.use_time_zone, *options_.settings));
    return order.has_value() ? truth_of(comparison, *order) : Truth::kUnknown;
  }

  Result<Truth> test_pair(const JsonPathNode& node, JsonbView a, JsonbView b) {
    if (node.kind == PathKind::kStartsWith || node.kind == PathKind::kLikeRegex) {
      if (a.kind() != JsonKind::kString || b.kind() != JsonKind::kString) {
        return Truth::kUnknown;
      }
      if (node.kind == PathKind::kStartsWith) {
        return truth_of(a.string().starts_with(b.string()));
      }
      PANDO_ASSIGN(const Regex* regex, options_.regexes->get(node.text, like_regex_options(node.flags)));
      PANDO_ASSIGN(const bool matches, regex->matches(a.string()));
      return truth_of(matches);
    }
    const auto group = [](JsonKind kind) { return kind == JsonKind::kFalse ? JsonKind::kTrue : kind; };
    if (group(a.kind()) != group(b.kind())) {
      const bool has_null = a.kind() == JsonKind::kNull || b.kind() == JsonKind::kNull;
      return has_null ? truth_of(node.kind == PathKind::kNotEqual) : Truth::kUnknown;
    }
    if (!a.is_scalar()) {
      return Truth::kUnknown;
    }
    return truth_of(node.kind, compare_jsonb(a, b));
  }

  JsonbView document_;
  std::optional<JsonbView> variables_;
  bool strict_;
  bool lenient_ = false;
  int64_t last_ = -1;
  JsonPath::Options options_;
};

}  // namespace

Result<JsonPath> JsonPath::parse(ByteView text) {
  PANDO_ASSIGN(ParsedPath parsed, parse_jsonpath_text(text));
  JsonPath path;
  path.root_ = std::move(parsed.root);
  path.strict_ = parsed.strict;
  return path;
}

void JsonPath::print(Bytes& out) const { print_jsonpath(*root_, strict_, out); }

Result<std::vector<Bytes>> JsonPath::query(JsonbView document, std::optional<JsonbView> variables,
                                           Options options) const {
  Items items;
  const Status status = Evaluator(document, variables, strict_, options).evaluate(*root_, document, items);
  if (!status.ok() && !(options.silent && is_soft(status))) {
    return status;
  }
  std::vector<Bytes> results;
  results.reserve(items.size());
  for (Item& item : items) {
    results.push_back(std::move(item.json));
  }
  return results;
}

Result<std::optional<bool>> JsonPath::exists(JsonbView document, std::optional<JsonbView> variables,
                                             Options options) const {
  Items items;
  const Status status = Evaluator(document, variables, strict_, options).evaluate(*root_, document, items);
  // In lax mode the first item answers the question.
  if (!status.ok() && (strict_ || items.empty())) {
    return options.silent && is_soft(status) ? Result<std::optional<bool>>(std::optional<bool>())
                                             : Result<std::optional<bool>>(status);
  }
  return std::optional(!items.empty());
}

Result<std::optional<bool>> JsonPath::match(JsonbView document, std::optional<JsonbView> variables,
                                            Options options) const {
  PANDO_ASSIGN(const std::vector<Bytes> items, query(document, variables, options));
  if (items.size() == 1) {
    switch (JsonbView(items[0]).kind()) {
      case JsonKind::kTrue:
      case JsonKind::kFalse:
        return std::optional(JsonbView(items[0]).kind() == JsonKind::kTrue);
      case JsonKind::kNull:
        return std::optional<bool>();
      default:
        break;
    }
  }
  if (options.silent) {
    return std::optional<bool>();
  }
  return Status(kSingletonRequired, "single boolean result is expected");
}

}  // namespace pando::types
