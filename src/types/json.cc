#include "types/json.h"

#include <algorithm>

#include "types/json_lexer.h"
#include "types/utf8.h"

namespace pando::types {
namespace {

Status too_deep() {
  return Status(sql_state::kStatementTooComplex, "stack depth limit exceeded")
      .with_hint(
          "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the "
          "platform's stack depth limit is adequate.");
}

// Checks the grammar with a stack of its own, so that depth costs no recursion.
class JsonParser {
 public:
  JsonParser(ByteView text, JsonEvents* events) : lexer_(text, events != nullptr), events_(events) {}

  Status run() {
    PANDO_TRY(lexer_.advance());
    PANDO_TRY(value());
    while (!open_.empty()) {
      PANDO_TRY(open_.back() ? next_member() : next_element());
    }
    return lexer_.token() == JsonToken::kEnd ? Status() : lexer_.unexpected("end of input");
  }

 private:
  // A scalar, or the start of a container: run() goes on with what is in it.
  Status value() {
    switch (lexer_.token()) {
      case JsonToken::kObjectStart:
        return open(true);
      case JsonToken::kArrayStart:
        return open(false);
      case JsonToken::kString:
        return scalar(JsonKind::kString);
      case JsonToken::kNumber:
        return scalar(JsonKind::kNumber);
      case JsonToken::kTrue:
        return scalar(JsonKind::kTrue);
      case JsonToken::kFalse:
        return scalar(JsonKind::kFalse);
      case JsonToken::kNull:
        return scalar(JsonKind::kNull);
      default:
        return lexer_.unexpected("JSON value");
    }
  }

  Status member() {
    if (lexer_.token() != JsonToken::kString) {
      return lexer_.unexpected("string");
    }
    if (events_ != nullptr) {
      PANDO_TRY(events_->key(lexer_.string()));
    }
    PANDO_TRY(lexer_.advance());
    if (lexer_.token() != JsonToken::kColon) {
      return lexer_.unexpected("\":\"");
    }
    PANDO_TRY(lexer_.advance());
    return value();
  }

  Status next_member() {
    if (fresh_) {
      fresh_ = false;
      if (lexer_.token() == JsonToken::kObjectEnd) {
        return close();
      }
      return lexer_.token() == JsonToken::kString ? member() : lexer_.unexpected("string or \"}\"");
    }
    if (lexer_.token() == JsonToken::kComma) {
      PANDO_TRY(lexer_.advance());
      return member();
    }
    return lexer_.token() == JsonToken::kObjectEnd ? close() : lexer_.unexpected("\",\" or \"}\"");
  }

  Status next_element() {
    if (fresh_) {
      fresh_ = false;
      return lexer_.token() == JsonToken::kArrayEnd ? close() : value();
    }
    if (lexer_.token() == JsonToken::kComma) {
      PANDO_TRY(lexer_.advance());
      return value();
    }
    return lexer_.token() == JsonToken::kArrayEnd ? close() : lexer_.unexpected("\",\" or \"]\"");
  }

  Status open(bool object) {
    if (open_.size() == kJsonDepthMax) {
      return too_deep();
    }
    open_.push_back(object);
    if (events_ != nullptr) {
      PANDO_TRY(object ? events_->begin_object() : events_->begin_array());
    }
    fresh_ = true;
    return lexer_.advance();
  }

  Status close() {
    const bool object = open_.back();
    open_.pop_back();
    if (events_ != nullptr) {
      PANDO_TRY(object ? events_->end_object() : events_->end_array());
    }
    return lexer_.advance();
  }

  Status scalar(JsonKind kind) {
    if (events_ != nullptr) {
      PANDO_TRY(events_->scalar(kind, kind == JsonKind::kString ? lexer_.string() : lexer_.token_text()));
    }
    return lexer_.advance();
  }

  JsonLexer lexer_;
  JsonEvents* events_;
  std::vector<bool> open_;  // true for an object
  bool fresh_ = false;      // the innermost container has just been opened
};

// Steps over valid JSON text.
class JsonScanner {
 public:
  explicit JsonScanner(ByteView text) : text_(text) {}

  void skip_spaces() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  char front() {
    skip_spaces();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void step() { ++at_; }

  // The text of the string at the front, quotes included.
  ByteView string() {
    skip_spaces();
    const std::size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    ++at_;
    return text_.substr(start, at_ - start);
  }

  // The text of the value at the front.
  ByteView value() {
    skip_spaces();
    const std::size_t start = at_;
    int depth = 0;
    do {
      const char c = front();
      if (c == '"') {
        string();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        --depth;
        ++at_;
      } else if (c == ',' || c == ':') {
        ++at_;
      } else {
        while (at_ < text_.size() && std::string_view(",:]} \t\n\r").find(text_[at_]) == std::string_view::npos) {
          ++at_;
        }
      }
    } while (depth > 0 && at_ < text_.size());
    return text_.substr(start, at_ - start);
  }

 private:
  ByteView text_;
  std::size_t at_ = 0;
};

Bytes unescape(ByteView quoted) {
  JsonLexer lexer(quoted, true);
  // Escapes that text cannot hold are kept as written: json (unlike jsonb) accepts them on input.
  return lexer.advance().ok() ? Bytes(lexer.string()) : Bytes(quoted.substr(1, quoted.size() - 2));
}

// Calls visit(quoted name, value) for each member until it returns false.
template <typename Visit>
void visit_members(ByteView json, Visit visit) {
  JsonScanner scanner(json);
  scanner.front();
  scanner.step();
  while (scanner.front() == '"' || scanner.front() == ',') {
    if (scanner.front() == ',') {
      scanner.step();
    }
    const ByteView name = scanner.string();
    scanner.front();
    scanner.step();
    visit(name, scanner.value());
  }
}

template <typename Visit>
void visit_elements(ByteView json, Visit visit) {
  JsonScanner scanner(json);
  scanner.front();
  scanner.step();
  while (scanner.front() != ']' && scanner.front() != '\0') {
    if (scanner.front() == ',') {
      scanner.step();
    }
    visit(scanner.value());
  }
}

class NullStripper final : public JsonEvents {
 public:
  explicit NullStripper(Bytes& out) : out_(out) {}

  Status begin_object() override { return open('{'); }
  Status end_object() override { return close('}'); }
  Status begin_array() override { return open('['); }
  Status end_array() override { return close(']'); }
  Status key(ByteView name) override {
    key_ = Bytes(name);
    has_key_ = true;
    return {};
  }
  Status scalar(JsonKind kind, ByteView text) override {
    if (has_key_ && kind == JsonKind::kNull) {
      has_key_ = false;
      return {};
    }
    separate();
    if (kind == JsonKind::kString) {
      append_json_string(out_, text);
    } else {
      out_.append(text);
    }
    return {};
  }

 private:
  void separate() {
    if (!out_.empty() && out_.back() != '{' && out_.back() != '[') {
      out_.push_back(',');
    }
    if (has_key_) {
      append_json_string(out_, key_);
      out_.push_back(':');
      has_key_ = false;
    }
  }
  Status open(char c) {
    separate();
    out_.push_back(c);
    return {};
  }
  Status close(char c) {
    out_.push_back(c);
    return {};
  }

  Bytes& out_;
  Bytes key_;
  bool has_key_ = false;
};

}  // namespace

Status validate_json(ByteView text) { return JsonParser(text, nullptr).run(); }
Status parse_json(ByteView text, JsonEvents& events) { return JsonParser(text, &events).run(); }

JsonKind json_kind(ByteView json) {
  switch (JsonScanner(json).front()) {
    case '{':
      return JsonKind::kObject;
    case '[':
      return JsonKind::kArray;
    case '"':
      return JsonKind::kString;
    case 't':
      return JsonKind::kTrue;
    case 'f':
      return JsonKind::kFalse;
    case 'n':
      return JsonKind::kNull;
    default:
      return JsonKind::kNumber;
  }
}

std::optional<ByteView> json_member(ByteView json, ByteView name) {
  std::optional<ByteView> found;
  if (json_kind(json) != JsonKind::kObject) {
    return found;
  }
  visit_members(json, [&](ByteView quoted, ByteView value) {
    const ByteView plain = quoted.substr(1, quoted.size() - 2);
    const bool equal = plain.find('\\') == ByteView::npos ? plain == name : unescape(quoted) == name;
    if (equal) {
      found = value;
    }
  });
  return found;
}

std::optional<ByteView> json_element(ByteView json, int64_t index) {
  std::optional<ByteView> found;
  if (json_kind(json) != JsonKind::kArray) {
    return found;
  }
  if (index < 0) {
    index += static_cast<int64_t>(json_array_length(json));
  }
  int64_t i = 0;
  visit_elements(json, [&](ByteView value) {
    if (i++ == index) {
      found = value;
    }
  });
  return found;
}

std::optional<ByteView> json_path(ByteView json, std::span<const ByteView> path) {
  std::optional<ByteView> at = json;
  for (const ByteView step : path) {
    if (json_kind(*at) == JsonKind::kArray) {
      int32_t index = 0;
      const bool negative = step.starts_with('-');
      const ByteView digits = negative ? step.substr(1) : step;
      if (digits.empty() || digits.size() > 9 ||
          !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
      }
      for (const char c : digits) {
        index = index * 10 + (c - '0');
      }
      at = json_element(*at, negative ? -index : index);
    } else {
      at = json_member(*at, step);
    }
    if (!at) {
      return at;
    }
  }
  return at;
}

std::size_t json_array_length(ByteView json) {
  std::size_t count = 0;
  visit_elements(json, [&count](ByteView) { ++count; });
  return count;
}

std::vector<JsonMember> json_members(ByteView json) {
  std::vector<JsonMember> members;
  visit_members(json, [&](ByteView name, ByteView value) { members.push_back({unescape(name), value}); });
  return members;
}

std::vector<ByteView> json_elements(ByteView json) {
  std::vector<ByteView> elements;
  visit_elements(json, [&](ByteView value) { elements.push_back(value); });
  return elements;
}

std::optional<Bytes> json_as_text(ByteView json) {
  switch (json_kind(json)) {
    case JsonKind::kNull:
      return std::nullopt;
    case JsonKind::kString:
      return unescape(JsonScanner(json).string());
    default:
      return Bytes(json);
  }
}

Bytes json_strip_nulls(ByteView json) {
  Bytes out;
  NullStripper stripper(out);
  parse_json(json, stripper).ignore("the text is valid by contract");
  return out;
}

void append_json_string(Bytes& out, ByteView text) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\b':
        out.append("\\b");
        break;
      case '\f':
        out.append("\\f");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out.append("\\u00");
          out.push_back(kHexDigits[static_cast<unsigned char>(c) >> 4]);
          out.push_back(kHexDigits[c & 15]);
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

}  // namespace pando::types
