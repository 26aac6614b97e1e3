// to_char() of numbers and to_number(): the template language of manual section 9.8, table 9.30.

#include <algorithm>
#include <charconv>
#include <cmath>

#include "types/formatting.h"
#include "types/numeric.h"

namespace pando::types {

// What a template says as a whole, found before any number is seen.
struct NumberFormat::Description {
  enum class SignPlace : uint8_t { kNone, kBefore, kAfter };

  std::vector<FormatNode> nodes;
  int32_t pre = 0;    // digits before the point
  int32_t post = 0;   // and after
  int32_t shift = 0;  // digits after V
  int32_t zero_start = 0;
  int32_t zero_end = 0;
  int32_t sign_digits = 0;  // digits before S
  SignPlace sign_place = SignPlace::kNone;
  bool point = false, locale_point = false, zero = false, blank = false, fill = false, locale_sign = false,
       bracket = false, minus = false, plus = false, roman = false, multiplied = false, exponent = false;

  Status add(NumberField field);

 private:
  Status add_digit(bool zero_digit);
  Status add_sign(NumberField field);
};

namespace {

constexpr std::size_t kRomanWidth = 15;
constexpr int64_t kRomanMax = 3999;
constexpr int kFloat64Digits = 15;
constexpr int kFloat32Digits = 6;
constexpr int32_t kNumericPrecisionMax = 1000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Status syntax(std::string_view message) { return {sql_state::kSyntaxError, "{}", message}; }

Bytes roman(int64_t number) {
  constexpr std::pair<int64_t, std::string_view> kParts[] = {
      {1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
      {40, "XL"},  {10, "X"},   {9, "IX"},  {5, "V"},    {4, "IV"},  {1, "I"}};
  if (number < 1 || number > kRomanMax) {
    return Bytes(kRomanWidth, '#');
  }
  Bytes out;
  for (const auto& [value, digits] : kParts) {
    for (; number >= value; number -= value) {
      out.append(digits);
    }
  }
  return out;
}

Bytes fixed(double value, int digits) {
  char buffer[400];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed, digits);
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "Infinity" : "-Infinity";
  }
  return {buffer, static_cast<std::size_t>(end.ptr - buffer)};
}

// A number as the printer walks it: digits without their sign.
struct Digits {
  Bytes text;
  char sign = '+';
  int32_t spaces = 0;  // digits the template has before the first of these
};

}  // namespace

Status NumberFormat::Description::add_digit(bool zero_digit) {
  if (bracket) {
    return syntax(zero_digit ? "\"0\" must be ahead of \"PR\"" : "\"9\" must be ahead of \"PR\"");
  }
  if (zero_digit) {
    if (!zero && !point) {
      zero = true;
      zero_start = pre + 1;
    }
    ++(point ? post : pre);
    zero_end = pre + post;
    return {};
  }
  ++(multiplied ? shift : (point ? post : pre));
  return {};
}

Status NumberFormat::Description::add_sign(NumberField field) {
  switch (field) {
    case NumberField::kLocaleSign:
      if (locale_sign) {
        return syntax("cannot use \"S\" twice");
      }
      if (plus || minus || bracket) {
        return syntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
      }
      sign_place = point ? SignPlace::kAfter : SignPlace::kBefore;
      sign_digits = point ? sign_digits : pre;
      locale_sign = true;
      return {};
    case NumberField::kMinus:
      minus = true;
      return locale_sign ? syntax("cannot use \"S\" and \"MI\" together") : Status();
    case NumberField::kPlus:
      plus = true;
      return locale_sign ? syntax("cannot use \"S\" and \"PL\" together") : Status();
    case NumberField::kSign:
      minus = plus = true;
      return locale_sign ? syntax("cannot use \"S\" and \"SG\" together") : Status();
    default:
      if (locale_sign || plus || minus) {
        return syntax("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
      }
      bracket = true;
      return {};
  }
}

Status NumberFormat::Description::add(NumberField field) {
  if (exponent && field != NumberField::kExponent) {
    return syntax("\"EEEE\" must be the last pattern used");
  }
  switch (field) {
    case NumberField::kNine:
    case NumberField::kZero:
      return add_digit(field == NumberField::kZero);
    case NumberField::kBlank:
      blank = blank || (pre == 0 && post == 0 && !zero);
      return {};
    case NumberField::kLocalePoint:
    case NumberField::kPoint:
      locale_point = locale_point || field == NumberField::kLocalePoint;
      if (point) {
        return syntax("multiple decimal points");
      }
      if (multiplied) {
        return syntax("cannot use \"V\" and decimal point together");
      }
      point = true;
      return {};
    case NumberField::kFill:
      fill = true;
      return {};
    case NumberField::kLocaleSign:
    case NumberField::kMinus:
    case NumberField::kPlus:
    case NumberField::kSign:
    case NumberField::kBracket:
      return add_sign(field);
    case NumberField::kRoman:
      roman = true;
      return {};
    case NumberField::kShift:
      if (point) {
        return syntax("cannot use \"V\" and decimal point together");
      }
      multiplied = true;
      return {};
    case NumberField::kExponent:
      if (exponent) {
        return syntax("cannot use \"EEEE\" twice");
      }
      if (blank || fill || locale_sign || bracket || minus || plus || roman || multiplied) {
        return Status(syntax("\"EEEE\" is incompatible with other formats"))
            .with_detail("\"EEEE\" may only be used together with digit and decimal point patterns.");
      }
      exponent = true;
      return {};
    default:
      return {};
  }
}

namespace {

// Walks a template over a number's digits.
template <typename Description>
class NumberPrinter {
 public:
  NumberPrinter(const Description& description, const Digits& digits, Bytes& out)
      : format_(description), digits_(digits), out_(out) {
    const auto& format = format_;
    bracket_ = format.bracket;
    sign_place_ = format.sign_place;
    zero_start_ = format.zero_start > 0 ? format.zero_start - 1 : 0;
    if (format.plus || format.minus) {
      sign_written_ = !(format.plus && !format.minus);
    } else {
      bracket_ = bracket_ && !(digits.sign != '-' && format.fill);
      sign_written_ = digits.sign == '+' && format.fill && !format.locale_sign;
      if (sign_place_ == Description::SignPlace::kBefore && format.pre == format.sign_digits) {
        sign_place_ = Description::SignPlace::kAfter;
      }
    }
    count_ = format.post + format.pre - 1;
    if (format.fill && format.point) {
      find_last_relevant();
    }
    if (!sign_written_ && digits.spaces == 0) {
      ++count_;
    }
  }

  void run() {
    for (const FormatNode& node : format_.nodes) {
      if (node.is_field()) {
        field(node);
      } else {
        out_.append(node.text);
      }
    }
  }

 private:
  static constexpr std::size_t kNone = Bytes::npos;

  char at(std::size_t i) const { return i < digits_.text.size() ? digits_.text[i] : '\0'; }
  void put_unless_fill(char c) {
    if (!format_.fill) {
      out_.push_back(c);
    }
  }

  // With FM zeros at the end are left out, up to the last one that a '0' of the template asks for.
  void find_last_relevant() {
    const auto point = digits_.text.find('.');
    if (point == kNone) {
      return;
    }
    last_relevant_ = point;
    for (std::size_t i = point + 1; i < digits_.text.size(); ++i) {
      last_relevant_ = digits_.text[i] != '0' ? i : last_relevant_;
    }
    if (format_.zero_end > digits_.spaces) {
      const auto last_zero =
          std::min<std::size_t>(digits_.text.size() - 1, static_cast<std::size_t>(format_.zero_end - digits_.spaces));
      last_relevant_ = std::max(last_relevant_, last_zero);
    }
  }

  // '9.9' prints 0.1 as ' .1'.
  bool hides_leading_zero() const { return !format_.zero && position_ == 0 && at(0) == '0' && format_.post != 0; }
  bool ends_at_point() const { return last_relevant_ != kNone && at(last_relevant_) == '.'; }

  void field(const FormatNode& node) {
    const bool negative = digits_.sign == '-';
    switch (node.number_field()) {
      case NumberField::kNine:
      case NumberField::kZero:
      case NumberField::kPoint:
      case NumberField::kLocalePoint:
        return digit(node.number_field());
      case NumberField::kComma:
      case NumberField::kGroup:
        if (in_number_) {
          out_.push_back(',');
        } else {
          put_unless_fill(' ');
        }
        return;
      case NumberField::kCurrency:
        out_.push_back(' ');
        return;
      case NumberField::kRoman:
        return print_roman(node);
      case NumberField::kOrdinal:
        if (!format_.roman && at(0) != '#' && !negative && !format_.point) {
          out_.append(ordinal_suffix(digits_.text, node.keyword->letters == LetterCase::kLower));
        }
        return;
      case NumberField::kMinus:
        return negative ? out_.push_back('-') : put_unless_fill(' ');
      case NumberField::kPlus:
        return negative ? put_unless_fill(' ') : out_.push_back('+');
      case NumberField::kSign:
        out_.push_back(digits_.sign);
        return;
      default:
        return;
    }
  }

  void print_roman(const FormatNode& node) {
    Bytes text = digits_.text;
    if (node.keyword->letters == LetterCase::kLower) {
      for (char& c : text) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      }
    }
    if (!format_.fill && text.size() < kRomanWidth) {
      out_.append(kRomanWidth - text.size(), ' ');
    }
    out_.append(text);
  }

  void write_sign() {
    const bool due = current_ >= digits_.spaces || (format_.zero && zero_start_ == current_);
    if (sign_written_ || !due || (hides_leading_zero() && !ends_at_point())) {
      return;
    }
    if (format_.locale_sign) {
      if (sign_place_ == Description::SignPlace::kBefore) {
        out_.push_back(digits_.sign);
        sign_written_ = true;
      }
    } else if (bracket_) {
      out_.push_back(digits_.sign == '+' ? ' ' : '<');
      sign_written_ = true;
    } else if (digits_.sign == '+') {
      put_unless_fill(' ');
      sign_written_ = true;
    } else {
      out_.push_back('-');
      sign_written_ = true;
    }
  }

  void digit(NumberField field) {
    if (format_.roman) {
      return;
    }
    in_number_ = false;
    write_sign();
    if (current_ < digits_.spaces && (!format_.zero || zero_start_ > current_)) {
      put_unless_fill(' ');
    } else if (format_.zero && current_ < digits_.spaces && zero_start_ <= current_) {
      out_.push_back('0');
      in_number_ = true;
    } else {
      write_digit(field);
    }
    int32_t end = count_ + (digits_.spaces != 0 ? 1 : 0) + (format_.point ? 1 : 0);
    if (last_relevant_ != kNone && last_relevant_ == position_) {
      end = current_;
    }
    if (current_ + 1 == end) {
      if (sign_written_ && bracket_) {
        out_.push_back(digits_.sign == '+' ? ' ' : '>');
      } else if (format_.locale_sign && sign_place_ == Description::SignPlace::kAfter) {
        out_.push_back(digits_.sign);
      }
    }
    ++current_;
  }

  void write_digit(NumberField field) {
    const char c = at(position_);
    if (c == '.') {
      if (!ends_at_point() || format_.fill) {
        out_.push_back('.');
      }
    } else if (last_relevant_ != kNone && position_ > last_relevant_ && field != NumberField::kZero) {
      // A zero that FM leaves out.
    } else if (hides_leading_zero()) {
      if (!format_.fill) {
        out_.push_back(' ');
      } else if (ends_at_point()) {
        out_.push_back('0');
      }
    } else if (c != '\0') {
      out_.push_back(c);
      in_number_ = true;
    }
    if (c != '\0') {
      ++position_;
    }
  }

  const Description& format_;
  const Digits& digits_;
  Bytes& out_;
  bool bracket_ = false;
  bool sign_written_ = false;
  bool in_number_ = false;
  typename Description::SignPlace sign_place_ = Description::SignPlace::kNone;
  int32_t zero_start_ = 0;
  int32_t count_ = 0;
  int32_t current_ = 0;
  std::size_t position_ = 0;
  std::size_t last_relevant_ = kNone;
};

// Reads a number by a template: what the template does not explain is skipped.
template <typename Description>
class NumberReader {
 public:
  NumberReader(const Description& description, ByteView text) : format_(description), text_(text) {}

  // How many digits were read after the decimal point.
  int32_t decimals() const { return read_post_; }

  // The number's text for numeric's parser.
  Bytes run() {
    for (const FormatNode& node : format_.nodes) {
      if (at_end()) {
        break;
      }
      if (!node.is_field()) {
        ++at_;
        continue;
      }
      if (field(node.number_field())) {
        ++at_;
      }
    }
    if (!digits_.empty() && digits_.back() == '.') {
      digits_.pop_back();
    }
    return (sign_ == ' ' ? Bytes() : Bytes(1, sign_)) + digits_;
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char front() const { return at_end() ? '\0' : text_[at_]; }

  void skip_others(int count) {
    for (; count > 0 && !at_end() && std::string_view("0123456789.,+-").find(text_[at_]) == std::string_view::npos;
         --count) {
      ++at_;
    }
  }

  // True when the field took the character at the front.
  bool field(NumberField field) {
    switch (field) {
      case NumberField::kNine:
      case NumberField::kZero:
      case NumberField::kPoint:
      case NumberField::kLocalePoint:
        digit(field);
        return true;
      case NumberField::kComma:
      case NumberField::kGroup:
        return !format_.fill && front() == ',';
      case NumberField::kCurrency:
        skip_others(1);
        return false;
      case NumberField::kOrdinal:
        if (!format_.roman && sign_ != '-' && !format_.point) {
          skip_others(2);
        }
        return false;
      case NumberField::kMinus:
      case NumberField::kPlus:
      case NumberField::kSign: {
        const bool takes_minus = field != NumberField::kPlus;
        const bool takes_plus = field != NumberField::kMinus;
        if ((takes_minus && front() == '-') || (takes_plus && front() == '+')) {
          sign_ = front() == '-' ? '-' : (field == NumberField::kPlus ? '+' : sign_);
          return true;
        }
        skip_others(1);
        return false;
      }
      default:
        return false;
    }
  }

  void digit(NumberField field) {
    bool read = false;
    if (front() == ' ') {
      ++at_;
    }
    if (at_end()) {
      return;
    }
    const bool number_field = field == NumberField::kZero || field == NumberField::kNine;
    if (sign_ == ' ' && number_field && read_pre_ + read_post_ == 0) {
      leading_sign();
    }
    if (at_end()) {
      return;
    }
    if (is_digit(front())) {
      if (read_point_ && read_post_ == format_.post) {
        return;
      }
      digits_.push_back(front());
      ++(read_point_ ? read_post_ : read_pre_);
      read = true;
    } else if (format_.point && !read_point_ && front() == '.') {
      digits_.push_back('.');
      read_point_ = true;
      read = true;
    }
    if (sign_ == ' ' && read_pre_ + read_post_ > 0) {
      trailing_sign(read);
    }
  }

  void leading_sign() {
    const char c = front();
    if (c == '-' || (format_.bracket && c == '<')) {
      sign_ = '-';
      ++at_;
    } else if (c == '+') {
      sign_ = '+';
      ++at_;
    }
  }

  void trailing_sign(bool read) {
    if (format_.locale_sign && read && at_ + 1 < text_.size() && !is_digit(text_[at_ + 1])) {
      const char next = text_[at_ + 1];
      if (next == '-' || next == '+') {
        sign_ = next;
        ++at_;
      }
    } else if (!read && !format_.locale_sign && !format_.plus && !format_.minus && (front() == '-' || front() == '+')) {
      sign_ = front();
    }
  }

  const Description& format_;
  ByteView text_;
  std::size_t at_ = 0;
  char sign_ = ' ';
  Bytes digits_;
  int32_t read_pre_ = 0;
  int32_t read_post_ = 0;
  bool read_point_ = false;
};

// The digits of a plain number against a template of `pre` digits: padded, or '#' when there are too many.
Digits lay_out(Bytes number, int32_t pre, int32_t post) {
  Digits digits;
  if (number.starts_with('-')) {
    digits.sign = '-';
    number.erase(0, 1);
  }
  const auto whole = static_cast<int32_t>(std::min(number.find('.'), number.size()));
  if (whole < pre) {
    digits.spaces = pre - whole;
  } else if (whole > pre) {
    number.assign(static_cast<std::size_t>(pre + post + 1), '#');
    number[static_cast<std::size_t>(pre)] = '.';
  }
  digits.text = std::move(number);
  return digits;
}

template <typename Description>
Bytes print(const Description& description, const Digits& digits) {
  Bytes out;
  NumberPrinter<Description>(description, digits, out).run();
  return out;
}

// EEEE of what has no exponent.
Bytes no_exponent(int32_t pre, int32_t post) {
  Bytes text(static_cast<std::size_t>(pre + post + 6), '#');
  text[0] = ' ';
  text[static_cast<std::size_t>(pre + 1)] = '.';
  return text;
}

template <typename Description>
Bytes print_as_roman(const Description& description, int64_t number) {
  return print(description, {roman(number), '+', 0});
}

template <typename Description>
Bytes scientific(const Description& description, double value) {
  if (std::isnan(value) || std::isinf(value)) {
    return no_exponent(description.pre, description.post);
  }
  char buffer[400];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific, description.post);
  const Bytes text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  return text.starts_with('-') ? text : " " + text;
}

template <typename Description>
Result<Bytes> print_float(const Description& given, double value, int significant) {
  if (given.roman) {
    const double rounded = std::rint(value);
    return print_as_roman(given, std::fabs(rounded) <= kRomanMax ? static_cast<int64_t>(rounded) : 0);
  }
  if (given.exponent) {
    return scientific(given, value);
  }
  Description format = given;
  if (format.multiplied) {
    value *= std::pow(10.0, format.shift);
    format.pre += format.shift;
  }
  const auto whole = static_cast<int32_t>(fixed(std::fabs(value), 0).size());
  if (whole >= significant) {
    format.post = 0;
  } else if (whole + format.post > significant) {
    format.post = significant - whole;
  }
  return print(format, lay_out(fixed(value, format.post), format.pre, format.post));
}

}  // namespace

NumberFormat::NumberFormat() : description_(std::make_unique<Description>()) {}
NumberFormat::~NumberFormat() = default;
NumberFormat::NumberFormat(const NumberFormat& other)
    : description_(std::make_unique<Description>(*other.description_)) {}
NumberFormat& NumberFormat::operator=(const NumberFormat& other) {
  *description_ = *other.description_;
  return *this;
}
NumberFormat::NumberFormat(NumberFormat&&) noexcept = default;
NumberFormat& NumberFormat::operator=(NumberFormat&&) noexcept = default;

Result<NumberFormat> NumberFormat::compile(ByteView text) {
  NumberFormat format;
  Description& description = *format.description_;
  description.nodes = parse_number_template(text);
  for (const FormatNode& node : description.nodes) {
    if (node.is_field()) {
      PANDO_TRY(description.add(node.number_field()));
    }
  }
  if (description.roman) {
    // RN stands for the whole number.
    description.pre = description.post = 0;
    description.sign_place = Description::SignPlace::kNone;
    description.point = description.zero = description.locale_sign = description.bracket = description.minus =
        description.plus = false;
  }
  return format;
}

Result<Bytes> NumberFormat::print_numeric(ByteView packed) const {
  const Description& format = *description_;
  Bytes value(packed);
  if (format.roman) {
    PANDO_ASSIGN(const int32_t number, numeric::to_int32(value));
    return print_as_roman(format, number);
  }
  if (format.exponent) {
    if (numeric::is_special(value)) {
      return no_exponent(format.pre, format.post);
    }
    Bytes text;
    numeric::print_scientific(value, format.post, text);
    return text.starts_with('-') ? text : " " + text;
  }
  const int32_t pre = format.pre + (format.multiplied ? format.shift : 0);
  if (format.multiplied) {
    Bytes factor;
    PANDO_TRY(numeric::power(numeric::from_int64(10), numeric::from_int64(format.shift), factor));
    PANDO_TRY(numeric::multiply(value, factor, value));
  }
  Bytes rounded;
  numeric::round(value, format.post, rounded);
  Bytes text;
  numeric::print(rounded, text);
  Description adjusted = format;
  adjusted.pre = pre;
  return print(adjusted, lay_out(std::move(text), pre, format.post));
}

Result<Bytes> NumberFormat::print_int64(int64_t value) const {
  const Description& format = *description_;
  if (format.roman) {
    return print_as_roman(format, value);
  }
  if (format.exponent) {
    return print_numeric(numeric::from_int64(value));
  }
  Description adjusted = format;
  if (format.multiplied) {
    const double product = static_cast<double>(value) * std::pow(10.0, format.shift);
    if (std::fabs(product) >= 9223372036854775808.0) {
      return Status(sql_state::kNumericValueOutOfRange, "bigint out of range");
    }
    value = static_cast<int64_t>(product);
    adjusted.pre += format.shift;
  }
  Bytes text = std::to_string(value);
  const auto width = static_cast<int32_t>(text.size()) - (value < 0 ? 1 : 0);
  if (adjusted.post > 0 && width <= adjusted.pre) {
    text.push_back('.');
    text.append(static_cast<std::size_t>(adjusted.post), '0');
  }
  return print(adjusted, lay_out(std::move(text), adjusted.pre, adjusted.post));
}

Result<Bytes> NumberFormat::print_int32(int32_t value) const {
  if (description_->exponent) {
    return scientific(*description_, value);
  }
  return print_int64(value);
}

Result<Bytes> NumberFormat::print_float64(double value) const {
  return print_float(*description_, value, kFloat64Digits);
}

Result<Bytes> NumberFormat::print_float32(float value) const {
  return print_float(*description_, value, kFloat32Digits);
}

Result<Bytes> NumberFormat::parse(ByteView text) const {
  const Description& format = *description_;
  if (format.exponent) {
    return Status(sql_state::kFeatureNotSupported, "\"EEEE\" not supported for input");
  }
  if (format.roman) {
    return Status(sql_state::kFeatureNotSupported, "\"RN\" not supported for input");
  }
  NumberReader<Description> reader(format, text);
  const Bytes number = reader.run();
  const auto parsed = numeric::parse(number);
  if (!parsed.ok()) {
    return Status(sql_state::kInvalidTextRepresentation, "invalid input syntax for type numeric: \"{}\"",
                  number.empty() ? " " : number);
  }
  Bytes value = *parsed;
  const int32_t precision = format.pre + format.shift + reader.decimals();
  if (precision > 0 && precision <= kNumericPrecisionMax) {
    const int32_t modifier = ((precision << 16) | reader.decimals()) + kModifierHeader;
    PANDO_TRY(numeric::apply_modifier(value, modifier, value));
  }
  if (format.multiplied) {
    Bytes factor;
    PANDO_TRY(numeric::power(numeric::from_int64(10), numeric::from_int64(-format.shift), factor));
    PANDO_TRY(numeric::multiply(value, factor, value));
  }
  return value;
}

}  // namespace pando::types
