#include "types/json.h"
#include "types/jsonpath_node.h"
#include "types/numeric.h"

namespace pando::types {
namespace {

int priority(PathKind kind) {
  switch (kind) {
    case PathKind::kOr:
      return 0;
    case PathKind::kAnd:
      return 1;
    case PathKind::kEqual:
    case PathKind::kNotEqual:
    case PathKind::kLess:
    case PathKind::kLessEqual:
    case PathKind::kGreater:
    case PathKind::kGreaterEqual:
    case PathKind::kStartsWith:
      return 2;
    case PathKind::kAdd:
    case PathKind::kSubtract:
      return 3;
    case PathKind::kMultiply:
    case PathKind::kDivide:
    case PathKind::kModulo:
      return 4;
    case PathKind::kPlus:
    case PathKind::kMinus:
      return 5;
    default:
      return 6;
  }
}

// Prints a node and its steps as PostgreSQL does.
class PathPrinter {
 public:
  explicit PathPrinter(Bytes& out) : out_(out) {}

  void print(const JsonPathNode& node, bool brackets) {
    if (!print_operator(node, brackets)) {
      print_item(node);
    }
    for (const JsonPathNode* step = node.next.get(); step != nullptr; step = step->next.get()) {
      print_item(*step);
    }
  }

 private:
  void operand(const JsonPathNode& node, PathKind parent) { print(node, priority(node.kind) <= priority(parent)); }

  bool print_operator(const JsonPathNode& node, bool brackets) {
    const auto open = [&] { out_.append(brackets ? "(" : ""); };
    const auto close = [&] { out_.append(brackets ? ")" : ""); };
    switch (node.kind) {
      case PathKind::kNot:
        out_.append("!(");
        print(*node.arguments[0], false);
        out_.push_back(')');
        return true;
      case PathKind::kIsUnknown:
        out_.push_back('(');
        print(*node.arguments[0], false);
        out_.append(") is unknown");
        return true;
      case PathKind::kExists:
        out_.append("exists (");
        print(*node.arguments[0], false);
        out_.push_back(')');
        return true;
      case PathKind::kLikeRegex:
        open();
        operand(*node.arguments[0], node.kind);
        out_.append(" like_regex ");
        append_json_string(out_, node.text);
        if (!node.flags.empty()) {
          out_.append(" flag \"" + ordered_flags(node.flags) + "\"");
        }
        close();
        return true;
      case PathKind::kPlus:
      case PathKind::kMinus:
        open();
        out_.push_back(node.kind == PathKind::kPlus ? '+' : '-');
        operand(*node.arguments[0], node.kind);
        close();
        return true;
      default:
        break;
    }
    const std::string_view symbol = path_operator(node.kind);
    if (symbol.empty()) {
      return false;
    }
    open();
    operand(*node.arguments[0], node.kind);
    out_.append(" ").append(symbol).append(" ");
    operand(*node.arguments[1], node.kind);
    close();
    return true;
  }

  static Bytes ordered_flags(const Bytes& flags) {
    Bytes ordered;
    for (const char c : std::string_view("ismxq")) {
      ordered.append(flags.find(c) != Bytes::npos ? 1 : 0, c);
    }
    return ordered;
  }

  void print_item(const JsonPathNode& node) {
    switch (node.kind) {
      case PathKind::kRoot:
        out_.push_back('$');
        return;
      case PathKind::kCurrent:
        out_.push_back('@');
        return;
      case PathKind::kVariable:
        out_.push_back('$');
        return append_json_string(out_, node.text);
      case PathKind::kLast:
        out_.append("last");
        return;
      case PathKind::kNull:
        out_.append("null");
        return;
      case PathKind::kTrue:
      case PathKind::kFalse:
        out_.append(node.kind == PathKind::kTrue ? "true" : "false");
        return;
      case PathKind::kNumber:
        return print_number(node);
      case PathKind::kString:
        return append_json_string(out_, node.text);
      case PathKind::kKey:
        out_.push_back('.');
        return append_json_string(out_, node.text);
      case PathKind::kAnyKey:
        out_.append(".*");
        return;
      case PathKind::kAnyElement:
        out_.append("[*]");
        return;
      case PathKind::kSubscripts:
        return print_subscripts(node);
      case PathKind::kAnyLevel:
        return print_levels(node);
      case PathKind::kFilter:
        out_.append("?(");
        print(*node.arguments[0], false);
        out_.push_back(')');
        return;
      case PathKind::kMethod:
        out_.append(fmt::format(".{}(", kPathMethodNames[static_cast<std::size_t>(node.method)]));
        if (!node.arguments.empty()) {
          append_json_string(out_, node.arguments[0]->text);
        }
        out_.push_back(')');
        return;
      default:
        return;
    }
  }

  // A number with steps needs parentheses to be read back.
  void print_number(const JsonPathNode& node) {
    out_.append(node.next != nullptr ? "(" : "");
    numeric::print(node.text, out_);
    out_.append(node.next != nullptr ? ")" : "");
  }

  void print_subscripts(const JsonPathNode& node) {
    out_.push_back('[');
    for (std::size_t i = 0; i < node.subscripts.size(); ++i) {
      out_.append(i > 0 ? "," : "");
      print(*node.subscripts[i].from, false);
      if (node.subscripts[i].to != nullptr) {
        out_.append(" to ");
        print(*node.subscripts[i].to, false);
      }
    }
    out_.push_back(']');
  }

  void print_levels(const JsonPathNode& node) {
    const auto name = [](uint32_t level) {
      return level == kPathLastLevel ? std::string("last") : std::to_string(level);
    };
    out_.append(".**");
    if (node.first_level == 0 && node.last_level == kPathLastLevel) {
      return;
    }
    out_.append("{" + name(node.first_level));
    if (node.last_level != node.first_level) {
      out_.append(" to " + name(node.last_level));
    }
    out_.push_back('}');
  }

  Bytes& out_;
};

}  // namespace

std::string_view path_operator(PathKind kind) {
  constexpr std::string_view kSymbols[] = {"||", "&&",          "", "",  "",  "==", "!=", "<", "<=", ">",
                                           ">=", "starts with", "", "+", "-", "*",  "/",  "%", "+",  "-"};
  if (kind < PathKind::kOr) {
    return {};
  }
  return kSymbols[static_cast<std::size_t>(kind) - static_cast<std::size_t>(PathKind::kOr)];
}

void print_jsonpath(const JsonPathNode& node, bool strict, Bytes& out) {
  out.append(strict ? "strict " : "");
  PathPrinter(out).print(node, true);
}

}  // namespace pando::types
