#include "types/array_text.h"

#include <algorithm>
#include <charconv>

#include "types/array.h"
#include "types/text_io.h"

namespace pando::types {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_null_word(ByteView text) {
  constexpr std::string_view kNull = "null";
  return std::ranges::equal(text, kNull, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

struct Element {
  Bytes text;
  bool null = false;
};

class ArrayParser {
 public:
  ArrayParser(ByteView text, char delimiter) : text_(text), delimiter_(delimiter) {}

  Status run() {
    skip_spaces();
    PANDO_TRY(take_bounds());
    PANDO_TRY(take_contents());
    if (explicit_bounds_.empty()) {
      for (const int32_t length : lengths_) {
        dimensions_.push_back({length, 1});
      }
      return {};
    }
    if (explicit_bounds_.size() != lengths_.size()) {
      return malformed("Specified array dimensions do not match array contents.");
    }
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
      if (explicit_bounds_[i].length != lengths_[i]) {
        return malformed("Specified array dimensions do not match array contents.");
      }
    }
    dimensions_ = explicit_bounds_;
    return {};
  }

  const std::vector<Element>& elements() const { return elements_; }
  const std::vector<ArrayDimension>& dimensions() const { return dimensions_; }

 private:
  // What came last.
  enum class State : uint8_t { kStart, kLevelStarted, kElement, kElementDelimited, kLevelCompleted, kLevelDelimited };

  Status malformed(std::string detail) const {
    return Status(sql_state::kInvalidTextRepresentation, "malformed array literal: \"{}\"", text_)
        .with_detail(std::move(detail));
  }
  Status unexpected(char c) const { return malformed(fmt::format("Unexpected \"{}\" character.", c)); }
  static Status too_many_dimensions() {
    return {sql_state::kProgramLimitExceeded, "number of array dimensions ({}) exceeds the maximum allowed ({})",
            kArrayDimensionsMax + 1, kArrayDimensionsMax};
  }

  bool at_end() const { return at_ == text_.size(); }
  char front() const { return at_end() ? '\0' : text_[at_]; }
  void skip_spaces() {
    while (!at_end() && is_space(text_[at_])) {
      ++at_;
    }
  }

  bool take_number(int32_t& value) {
    const char* start = text_.data() + at_;
    const bool plus = front() == '+';
    const auto parsed = std::from_chars(start + (plus ? 1 : 0), text_.data() + text_.size(), value);
    at_ += parsed.ec == std::errc() ? static_cast<std::size_t>(parsed.ptr - start) : 0;
    return parsed.ec == std::errc();
  }

  // [lower:upper]... =
  Status take_bounds() {
    while (front() == '[') {
      if (explicit_bounds_.size() == static_cast<std::size_t>(kArrayDimensionsMax)) {
        return too_many_dimensions();
      }
      ++at_;
      int32_t lower = 1;
      int32_t upper = 0;
      if (!take_number(upper)) {
        return malformed("\"[\" must introduce explicitly-specified array dimensions.");
      }
      if (front() == ':') {
        ++at_;
        lower = upper;
        if (!take_number(upper)) {
          return malformed("Missing array dimension value.");
        }
      }
      if (front() != ']') {
        return malformed("Missing \"]\" after array dimensions.");
      }
      ++at_;
      if (upper < lower) {
        return {sql_state::kArraySubscriptError, "upper bound cannot be less than lower bound"};
      }
      explicit_bounds_.push_back({upper - lower + 1, lower});
      skip_spaces();
    }
    if (explicit_bounds_.empty()) {
      return front() == '{' ? Status() : malformed("Array value must start with \"{\" or dimension information.");
    }
    if (front() != '=') {
      return malformed("Missing \"=\" after array dimensions.");
    }
    ++at_;
    skip_spaces();
    return front() == '{' ? Status() : malformed("Array contents must start with \"{\".");
  }

  Status take_contents() {
    do {
      skip_spaces();
      if (at_end()) {
        return malformed("Unexpected end of input.");
      }
      const char c = text_[at_];
      if (c == '{') {
        PANDO_TRY(open_level());
      } else if (c == '}') {
        PANDO_TRY(close_level());
      } else if (c == delimiter_) {
        if (state_ != State::kElement && state_ != State::kLevelCompleted) {
          return unexpected(c);
        }
        state_ = state_ == State::kElement ? State::kElementDelimited : State::kLevelDelimited;
        ++at_;
      } else {
        PANDO_TRY(take_element());
      }
    } while (depth_ > 0);
    skip_spaces();
    return at_end() ? Status() : malformed("Junk after closing right brace.");
  }

  Status open_level() {
    if (state_ == State::kElement || state_ == State::kElementDelimited || state_ == State::kLevelCompleted) {
      return unexpected('{');
    }
    if (depth_ == static_cast<std::size_t>(kArrayDimensionsMax)) {
      return too_many_dimensions();
    }
    state_ = State::kLevelStarted;
    counts_[depth_++] = 0;
    ++at_;
    return {};
  }

  Status close_level() {
    const bool empty_array = state_ == State::kLevelStarted && depth_ == 1;
    if (state_ != State::kElement && state_ != State::kLevelCompleted && !empty_array) {
      return unexpected('}');
    }
    --depth_;
    // Levels close innermost first: lengths are known from the end.
    if (lengths_.size() <= depth_) {
      lengths_.resize(depth_ + 1, 0);
    }
    if (lengths_[depth_] != 0 && lengths_[depth_] != counts_[depth_]) {
      return malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
    }
    lengths_[depth_] = counts_[depth_];
    if (empty_array) {
      lengths_.clear();
    }
    if (depth_ > 0) {
      ++counts_[depth_ - 1];
    }
    state_ = State::kLevelCompleted;
    ++at_;
    return {};
  }

  Status take_element() {
    if (state_ != State::kLevelStarted && state_ != State::kElementDelimited) {
      return text_[at_] == '\\' ? unexpected('\\') : malformed("Unexpected array element.");
    }
    // Elements lie at one depth only.
    if (element_depth_ != 0 && element_depth_ != depth_) {
      return malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
    }
    element_depth_ = depth_;
    Element element;
    PANDO_TRY(text_[at_] == '"' ? take_quoted(element) : take_plain(element));
    elements_.push_back(std::move(element));
    ++counts_[depth_ - 1];
    state_ = State::kElement;
    return {};
  }

  Status take_quoted(Element& element) {
    for (++at_; !at_end() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
        if (at_end()) {
          break;
        }
      }
      element.text.push_back(text_[at_]);
    }
    if (at_end()) {
      return malformed("Unexpected end of input.");
    }
    ++at_;
    skip_spaces();
    const char next = front();
    if (!at_end() && next != delimiter_ && next != '}') {
      return next == '{' ? unexpected('{') : malformed("Unexpected array element.");
    }
    return {};
  }

  Status take_plain(Element& element) {
    bool escaped = false;
    std::size_t kept = 0;  // the length without trailing spaces
    while (!at_end()) {
      char c = text_[at_];
      if (c == delimiter_ || c == '}') {
        break;
      }
      if (c == '{') {
        return unexpected(c);
      }
      if (c == '"') {
        return malformed("Unexpected array element.");
      }
      const bool escape = c == '\\';
      if (escape) {
        escaped = true;
        if (++at_; at_end()) {
          break;
        }
        c = text_[at_];
      }
      element.text.push_back(c);
      kept = escape || !is_space(c) ? element.text.size() : kept;
      ++at_;
    }
    if (at_end()) {
      return malformed("Unexpected end of input.");
    }
    element.text.resize(kept);
    element.null = !escaped && is_null_word(element.text);
    return {};
  }

  ByteView text_;
  char delimiter_;
  std::size_t at_ = 0;
  State state_ = State::kStart;
  std::size_t depth_ = 0;
  std::size_t element_depth_ = 0;
  int32_t counts_[kArrayDimensionsMax] = {};
  std::vector<int32_t> lengths_;
  std::vector<ArrayDimension> explicit_bounds_;
  std::vector<ArrayDimension> dimensions_;
  std::vector<Element> elements_;
};

bool needs_quotes(ByteView text, char delimiter) {
  if (text.empty() || is_null_word(text)) {
    return true;
  }
  return std::ranges::any_of(text, [delimiter](char c) {
    return c == '"' || c == '\\' || c == '{' || c == '}' || c == delimiter || is_space(c);
  });
}

class ArrayPrinter {
 public:
  ArrayPrinter(Type element, ByteView packed, const Settings& settings, Bytes& out)
      : element_(element),
        delimiter_(find_type(element.oid)->delimiter),
        array_(packed),
        settings_(settings),
        out_(out) {}

  void run() {
    if (array_.dimensions() == 0) {
      out_.append("{}");
      return;
    }
    bool plain = true;
    for (int i = 0; i < array_.dimensions(); ++i) {
      plain = plain && array_.dimension(i).lower == 1;
    }
    for (int i = 0; !plain && i < array_.dimensions(); ++i) {
      const ArrayDimension dimension = array_.dimension(i);
      out_.append(fmt::format("[{}:{}]", dimension.lower, dimension.upper()));
    }
    out_.append(plain ? "" : "=");
    print_level(0);
  }

 private:
  // Recursion is as deep as arrays have dimensions: at most 6.
  void print_level(int level) {
    out_.push_back('{');
    const bool last = level + 1 == array_.dimensions();
    for (int32_t i = 0; i < array_.dimension(level).length; ++i) {
      if (i > 0) {
        out_.push_back(delimiter_);
      }
      if (last) {
        print_element(next_++);
      } else {
        print_level(level + 1);
      }
    }
    out_.push_back('}');
  }

  void print_element(std::size_t i) {
    if (array_.is_null(i)) {
      out_.append("NULL");
      return;
    }
    text_.clear();
    print_text(element_, array_.get(i), settings_, text_);
    if (!needs_quotes(text_, delimiter_)) {
      out_.append(text_);
      return;
    }
    out_.push_back('"');
    for (const char c : text_) {
      if (c == '"' || c == '\\') {
        out_.push_back('\\');
      }
      out_.push_back(c);
    }
    out_.push_back('"');
  }

  Type element_;
  char delimiter_;
  ArrayView array_;
  const Settings& settings_;
  Bytes& out_;
  Bytes text_;
  std::size_t next_ = 0;
};

}  // namespace

Result<Bytes> parse_array(Type array, ByteView text, const Settings& settings) {
  const Oid element = element_of(array.oid);
  ArrayParser parser(text, find_type(element)->delimiter);
  PANDO_TRY(parser.run());
  ArrayBuilder builder(element);
  for (const Element& item : parser.elements()) {
    if (item.null) {
      builder.add_null();
      continue;
    }
    PANDO_ASSIGN(const Value value, parse_text({element, array.modifier}, item.text, settings));
    builder.add(value);
  }
  return builder.finish(parser.dimensions());
}

void print_array(Type array, ByteView packed, const Settings& settings, Bytes& out) {
  ArrayPrinter({element_of(array.oid), array.modifier}, packed, settings, out).run();
}

Result<Bytes> parse_vector_type(Oid element, ByteView text) {
  ArrayBuilder builder(element);
  const std::string_view type_name = element == oid::kInt2 ? "smallint" : "oid";
  while (true) {
    while (!text.empty() && is_space(text[0])) {
      text.remove_prefix(1);
    }
    if (text.empty()) {
      break;
    }
    const auto end = static_cast<std::size_t>(std::ranges::find_if(text, is_space) - text.begin());
    if (element == oid::kInt2) {
      PANDO_ASSIGN(const int16_t number, parse_int16(text.substr(0, end)));
      builder.add(Value::of_int16(number));
    } else {
      PANDO_ASSIGN(const uint32_t number, parse_oid(text.substr(0, end), type_name));
      builder.add(Value::of_uint32(number));
    }
    text.remove_prefix(end);
  }
  if (builder.size() == 0) {
    return builder.finish();
  }
  const ArrayDimension dimension{static_cast<int32_t>(builder.size()), 0};
  return builder.finish({&dimension, 1});
}

void print_vector_type(ByteView packed, Bytes& out) {
  const ArrayView array(packed);
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) {
      out.push_back(' ');
    }
    if (array.element_type() == oid::kInt2) {
      print_int16(array.at<int16_t>(i), out);
    } else {
      print_int64(array.at<uint32_t>(i), out);
    }
  }
}

}  // namespace pando::types
