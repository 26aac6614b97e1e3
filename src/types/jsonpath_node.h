#pragma once

// The syntax tree of a jsonpath. Internal to jsonpath*.cc.

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "types/regex.h"

namespace pando::types {

enum class PathKind : uint8_t {
  // Starts of a path.
  kRoot,
  kCurrent,
  kVariable,
  kLast,
  kNull,
  kTrue,
  kFalse,
  kNumber,
  kString,
  // Steps, linked by `next`.
  kKey,
  kAnyKey,
  kAnyElement,
  kSubscripts,
  kAnyLevel,
  kFilter,
  kMethod,
  // Operators over `arguments`.
  kOr,
  kAnd,
  kNot,
  kIsUnknown,
  kExists,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kStartsWith,
  kLikeRegex,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPlus,
  kMinus,
};

enum class PathMethod : uint8_t { kType, kSize, kDouble, kCeiling, kFloor, kAbs, kKeyValue, kDateTime };
inline constexpr std::string_view kPathMethodNames[] = {"type",  "size", "double",   "ceiling",
                                                        "floor", "abs",  "keyvalue", "datetime"};

inline constexpr uint32_t kPathLastLevel = UINT32_MAX;

struct JsonPathNode {
  struct Subscript {
    std::shared_ptr<const JsonPathNode> from;
    std::shared_ptr<const JsonPathNode> to;  // nullptr for a single index
  };

  PathKind kind = PathKind::kRoot;
  Bytes text;   // a name or string; a packed numeric; like_regex's pattern
  Bytes flags;  // like_regex
  PathMethod method = PathMethod::kType;
  uint32_t first_level = 0;
  uint32_t last_level = 0;
  // Of operators; the template of .datetime().
  std::vector<std::shared_ptr<const JsonPathNode>> arguments;
  std::vector<Subscript> subscripts;
  std::shared_ptr<const JsonPathNode> next;

  bool is_condition() const { return kind >= PathKind::kOr && kind <= PathKind::kLikeRegex; }
  // A condition whose truth no step goes on from.
  bool is_predicate() const { return is_condition() && next == nullptr; }
};

using PathPtr = std::shared_ptr<const JsonPathNode>;

struct ParsedPath {
  PathPtr root;
  bool strict = false;
};
Result<ParsedPath> parse_jsonpath_text(ByteView text);
void print_jsonpath(const JsonPathNode& node, bool strict, Bytes& out);

// What like_regex's flags ask of the regular expression.
RegexOptions like_regex_options(ByteView flags);

// How an operator is written.
std::string_view path_operator(PathKind kind);

}  // namespace pando::types
