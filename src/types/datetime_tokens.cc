#include "types/datetime_tokens.h"

#include <algorithm>
#include <charconv>

namespace pando::types {
namespace {

constexpr std::size_t kWordLengthMax = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_punctuation(char c) { return c > ' ' && c < 127 && !is_alnum(c); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

template <typename T>
constexpr int32_t number(T value) {
  return static_cast<int32_t>(value);
}

constexpr Word kDateWords[] = {
    {"-infinity", WordKind::kSpecial, number(Special::kMinusInfinity)},
    {"ad", WordKind::kEra, 0},
    {"allballs", WordKind::kSpecial, number(Special::kAllBalls)},
    {"am", WordKind::kMeridiem, 0},
    {"apr", WordKind::kMonth, 4},
    {"april", WordKind::kMonth, 4},
    {"at", WordKind::kIgnored, 0},
    {"aug", WordKind::kMonth, 8},
    {"august", WordKind::kMonth, 8},
    {"bc", WordKind::kEra, 1},
    {"d", WordKind::kUnit, number(Unit::kDay)},
    {"dec", WordKind::kMonth, 12},
    {"december", WordKind::kMonth, 12},
    {"dow", WordKind::kUnit, number(Unit::kDayOfWeek)},
    {"doy", WordKind::kUnit, number(Unit::kDayOfYear)},
    {"dst", WordKind::kDaylight, 3600},
    {"epoch", WordKind::kSpecial, number(Special::kEpoch)},
    {"feb", WordKind::kMonth, 2},
    {"february", WordKind::kMonth, 2},
    {"fri", WordKind::kWeekday, 5},
    {"friday", WordKind::kWeekday, 5},
    {"h", WordKind::kUnit, number(Unit::kHour)},
    {"infinity", WordKind::kSpecial, number(Special::kInfinity)},
    {"isodow", WordKind::kUnit, number(Unit::kIsoDayOfWeek)},
    {"isoyear", WordKind::kUnit, number(Unit::kIsoYear)},
    {"j", WordKind::kUnit, number(Unit::kJulian)},
    {"jan", WordKind::kMonth, 1},
    {"january", WordKind::kMonth, 1},
    {"jd", WordKind::kUnit, number(Unit::kJulian)},
    {"jul", WordKind::kMonth, 7},
    {"julian", WordKind::kUnit, number(Unit::kJulian)},
    {"july", WordKind::kMonth, 7},
    {"jun", WordKind::kMonth, 6},
    {"june", WordKind::kMonth, 6},
    {"m", WordKind::kUnit, number(Unit::kMonth)},
    {"mar", WordKind::kMonth, 3},
    {"march", WordKind::kMonth, 3},
    {"may", WordKind::kMonth, 5},
    {"mm", WordKind::kUnit, number(Unit::kMinute)},
    {"mon", WordKind::kWeekday, 1},
    {"monday", WordKind::kWeekday, 1},
    {"nov", WordKind::kMonth, 11},
    {"november", WordKind::kMonth, 11},
    {"now", WordKind::kSpecial, number(Special::kNow)},
    {"oct", WordKind::kMonth, 10},
    {"october", WordKind::kMonth, 10},
    {"on", WordKind::kIgnored, 0},
    {"pm", WordKind::kMeridiem, 1},
    {"s", WordKind::kUnit, number(Unit::kSecond)},
    {"sat", WordKind::kWeekday, 6},
    {"saturday", WordKind::kWeekday, 6},
    {"sep", WordKind::kMonth, 9},
    {"sept", WordKind::kMonth, 9},
    {"september", WordKind::kMonth, 9},
    {"sun", WordKind::kWeekday, 0},
    {"sunday", WordKind::kWeekday, 0},
    {"t", WordKind::kIsoTime, number(Unit::kTimeOfDay)},
    {"thu", WordKind::kWeekday, 4},
    {"thur", WordKind::kWeekday, 4},
    {"thurs", WordKind::kWeekday, 4},
    {"thursday", WordKind::kWeekday, 4},
    {"today", WordKind::kSpecial, number(Special::kToday)},
    {"tomorrow", WordKind::kSpecial, number(Special::kTomorrow)},
    {"tue", WordKind::kWeekday, 2},
    {"tues", WordKind::kWeekday, 2},
    {"tuesday", WordKind::kWeekday, 2},
    {"wed", WordKind::kWeekday, 3},
    {"wednesday", WordKind::kWeekday, 3},
    {"weds", WordKind::kWeekday, 3},
    {"y", WordKind::kUnit, number(Unit::kYear)},
    {"yesterday", WordKind::kSpecial, number(Special::kYesterday)},
};

constexpr Word kIntervalWords[] = {
    {"ago", WordKind::kAgo, 0},
    {"c", WordKind::kUnit, number(Unit::kCentury)},
    {"cent", WordKind::kUnit, number(Unit::kCentury)},
    {"centuries", WordKind::kUnit, number(Unit::kCentury)},
    {"century", WordKind::kUnit, number(Unit::kCentury)},
    {"d", WordKind::kUnit, number(Unit::kDay)},
    {"day", WordKind::kUnit, number(Unit::kDay)},
    {"days", WordKind::kUnit, number(Unit::kDay)},
    {"dec", WordKind::kUnit, number(Unit::kDecade)},
    {"decade", WordKind::kUnit, number(Unit::kDecade)},
    {"decades", WordKind::kUnit, number(Unit::kDecade)},
    {"decs", WordKind::kUnit, number(Unit::kDecade)},
    {"h", WordKind::kUnit, number(Unit::kHour)},
    {"hour", WordKind::kUnit, number(Unit::kHour)},
    {"hours", WordKind::kUnit, number(Unit::kHour)},
    {"hr", WordKind::kUnit, number(Unit::kHour)},
    {"hrs", WordKind::kUnit, number(Unit::kHour)},
    {"m", WordKind::kUnit, number(Unit::kMinute)},
    {"microsecon", WordKind::kUnit, number(Unit::kMicrosecond)},
    {"mil", WordKind::kUnit, number(Unit::kMillennium)},
    {"millennia", WordKind::kUnit, number(Unit::kMillennium)},
    {"millennium", WordKind::kUnit, number(Unit::kMillennium)},
    {"millisecon", WordKind::kUnit, number(Unit::kMillisecond)},
    {"mils", WordKind::kUnit, number(Unit::kMillennium)},
    {"min", WordKind::kUnit, number(Unit::kMinute)},
    {"mins", WordKind::kUnit, number(Unit::kMinute)},
    {"minute", WordKind::kUnit, number(Unit::kMinute)},
    {"minutes", WordKind::kUnit, number(Unit::kMinute)},
    {"mon", WordKind::kUnit, number(Unit::kMonth)},
    {"mons", WordKind::kUnit, number(Unit::kMonth)},
    {"month", WordKind::kUnit, number(Unit::kMonth)},
    {"months", WordKind::kUnit, number(Unit::kMonth)},
    {"ms", WordKind::kUnit, number(Unit::kMillisecond)},
    {"msec", WordKind::kUnit, number(Unit::kMillisecond)},
    {"msecond", WordKind::kUnit, number(Unit::kMillisecond)},
    {"mseconds", WordKind::kUnit, number(Unit::kMillisecond)},
    {"msecs", WordKind::kUnit, number(Unit::kMillisecond)},
    {"qtr", WordKind::kUnit, number(Unit::kQuarter)},
    {"quarter", WordKind::kUnit, number(Unit::kQuarter)},
    {"s", WordKind::kUnit, number(Unit::kSecond)},
    {"sec", WordKind::kUnit, number(Unit::kSecond)},
    {"second", WordKind::kUnit, number(Unit::kSecond)},
    {"seconds", WordKind::kUnit, number(Unit::kSecond)},
    {"secs", WordKind::kUnit, number(Unit::kSecond)},
    {"timezone", WordKind::kUnit, number(Unit::kTimezone)},
    {"timezone_h", WordKind::kUnit, number(Unit::kTimezoneHour)},
    {"timezone_m", WordKind::kUnit, number(Unit::kTimezoneMinute)},
    {"us", WordKind::kUnit, number(Unit::kMicrosecond)},
    {"usec", WordKind::kUnit, number(Unit::kMicrosecond)},
    {"usecond", WordKind::kUnit, number(Unit::kMicrosecond)},
    {"useconds", WordKind::kUnit, number(Unit::kMicrosecond)},
    {"usecs", WordKind::kUnit, number(Unit::kMicrosecond)},
    {"w", WordKind::kUnit, number(Unit::kWeek)},
    {"week", WordKind::kUnit, number(Unit::kWeek)},
    {"weeks", WordKind::kUnit, number(Unit::kWeek)},
    {"y", WordKind::kUnit, number(Unit::kYear)},
    {"year", WordKind::kUnit, number(Unit::kYear)},
    {"years", WordKind::kUnit, number(Unit::kYear)},
    {"yr", WordKind::kUnit, number(Unit::kYear)},
    {"yrs", WordKind::kUnit, number(Unit::kYear)},
};

const Word* find_word(std::span<const Word> words, std::string_view text) {
  const std::string_view key = text.substr(0, kWordLengthMax);
  const auto found = std::ranges::lower_bound(words, key, {}, &Word::text);
  return found != words.end() && found->text == key ? &*found : nullptr;
}

// Reads one field at a time from the front of the text.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : rest_(text) {}

  DateTimeError run(std::vector<DateTimeToken>& tokens) {
    while (!rest_.empty()) {
      if (is_space(rest_[0])) {
        rest_.remove_prefix(1);
        continue;
      }
      DateTimeToken token{DateTimeToken::Kind::kNumber, {}};
      bool skipped = false;
      if (const auto error = take(token, skipped); error != DateTimeError::kNone) {
        return error;
      }
      if (skipped) {
        continue;
      }
      if (tokens.size() == kDateTimeTokensMax) {
        return DateTimeError::kBadFormat;
      }
      tokens.push_back(std::move(token));
    }
    return DateTimeError::kNone;
  }

 private:
  using Kind = DateTimeToken::Kind;

  char front() const { return rest_.empty() ? '\0' : rest_[0]; }
  template <typename Predicate>
  void append_while(DateTimeToken& token, Predicate predicate) {
    while (!rest_.empty() && predicate(rest_[0])) {
      token.text.push_back(lower(rest_[0]));
      rest_.remove_prefix(1);
    }
  }

  DateTimeError take(DateTimeToken& token, bool& skipped) {
    const char first = rest_[0];
    if (is_digit(first)) {
      take_number(token);
    } else if (first == '.') {
      token.text.push_back('.');
      rest_.remove_prefix(1);
      append_while(token, is_digit);
    } else if (is_alpha(first)) {
      take_word(token);
    } else if (first == '+' || first == '-') {
      return take_signed(token);
    } else if (is_punctuation(first)) {
      rest_.remove_prefix(1);
      skipped = true;
    } else {
      return DateTimeError::kBadFormat;
    }
    return DateTimeError::kNone;
  }

  // 12, 12:30:15.5, 2001-02-03, 10-jan-2000, 12.5
  void take_number(DateTimeToken& token) {
    append_while(token, is_digit);
    if (front() == ':') {
      token.kind = Kind::kTime;
      append_while(token, [](char c) { return is_digit(c) || c == ':' || c == '.'; });
      return;
    }
    const char delimiter = front();
    if (delimiter != '-' && delimiter != '/' && delimiter != '.') {
      return;
    }
    token.text.push_back(delimiter);
    rest_.remove_prefix(1);
    if (is_digit(front())) {
      token.kind = delimiter == '.' ? Kind::kNumber : Kind::kDate;
      append_while(token, is_digit);
      if (front() == delimiter) {
        token.kind = Kind::kDate;
        append_while(token, [delimiter](char c) { return is_digit(c) || c == delimiter; });
      }
      return;
    }
    token.kind = Kind::kDate;
    append_while(token, [delimiter](char c) { return is_alnum(c) || c == delimiter; });
  }

  // january, gmt+3, america/new_york, jan-10-2000
  void take_word(DateTimeToken& token) {
    token.kind = Kind::kWord;
    append_while(token, is_alpha);
    const char next = front();
    const bool punctuated = next == '-' || next == '/' || next == '.';
    const bool glued = (next == '+' || is_digit(next)) && find_date_word(token.text) == nullptr;
    if (punctuated || glued) {
      token.kind = Kind::kDate;
      append_while(token, [](char c) {
        return is_alnum(c) || c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':';
      });
    }
  }

  // +05:30, -infinity
  DateTimeError take_signed(DateTimeToken& token) {
    token.text.push_back(rest_[0]);
    rest_.remove_prefix(1);
    while (is_space(front())) {
      rest_.remove_prefix(1);
    }
    if (is_digit(front())) {
      token.kind = Kind::kZone;
      append_while(token, [](char c) { return is_digit(c) || c == ':' || c == '.' || c == '-'; });
      return DateTimeError::kNone;
    }
    if (is_alpha(front())) {
      token.kind = Kind::kSignedWord;
      append_while(token, is_alpha);
      return DateTimeError::kNone;
    }
    return DateTimeError::kBadFormat;
  }

  std::string_view rest_;
};

template <typename T>
bool take_integer_of(const char*& position, T& value) {
  const char* digits = position;
  const bool negative = *digits == '-';
  if (*digits == '-' || *digits == '+') {
    ++digits;
  }
  if (!is_digit(*digits)) {
    value = 0;
    return true;
  }
  const char* end = digits;
  while (is_digit(*end)) {
    ++end;
  }
  const char* start = negative ? digits - 1 : digits;
  const auto parsed = std::from_chars(start, end, value);
  position = end;
  return parsed.ec == std::errc();
}

}  // namespace

Status datetime_status(DateTimeError error, std::string_view text, std::string_view type_name) {
  switch (error) {
    case DateTimeError::kFieldOverflow:
      return {sql_state::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"", text};
    case DateTimeError::kMonthDayOverflow:
      return Status(sql_state::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"", text)
          .with_hint("Perhaps you need a different \"datestyle\" setting.");
    case DateTimeError::kIntervalOverflow:
      return {sql_state::kIntervalFieldOverflow, "interval field value out of range: \"{}\"", text};
    case DateTimeError::kZoneOverflow:
      return {sql_state::kInvalidTimeZoneDisplacement, "time zone displacement out of range: \"{}\"", text};
    default:
      return {sql_state::kInvalidDatetimeFormat, "invalid input syntax for type {}: \"{}\"", type_name, text};
  }
}

DateTimeError tokenize_datetime(std::string_view text, std::vector<DateTimeToken>& tokens) {
  const auto error = Tokenizer(text).run(tokens);
  if (error != DateTimeError::kNone) {
    return error;
  }
  std::size_t bytes = 0;
  for (const DateTimeToken& token : tokens) {
    bytes += token.text.size() + 1;
  }
  return bytes > kDateTimeTextMax + kDateTimeTokensMax ? DateTimeError::kBadFormat : DateTimeError::kNone;
}

const Word* find_date_word(std::string_view text) { return find_word(kDateWords, text); }
const Word* find_interval_word(std::string_view text) { return find_word(kIntervalWords, text); }

Unit find_field(std::string_view lower_text) {
  if (const Word* word = find_interval_word(lower_text); word != nullptr && word->kind == WordKind::kUnit) {
    return static_cast<Unit>(word->value);
  }
  const Word* word = find_date_word(lower_text);
  if (word == nullptr) {
    return Unit::kNone;
  }
  if (word->kind == WordKind::kSpecial && word->value == number(Special::kEpoch)) {
    return Unit::kEpoch;
  }
  return word->kind == WordKind::kUnit ? static_cast<Unit>(word->value) : Unit::kNone;
}

bool take_integer(const char*& position, int32_t& value) { return take_integer_of(position, value); }
bool take_integer(const char*& position, int64_t& value) { return take_integer_of(position, value); }

bool take_fraction(const char* position, double& fraction) {
  const char* end = position + 1;
  while (is_digit(*end)) {
    ++end;
  }
  if (*end != '\0') {
    return false;
  }
  fraction = 0;
  if (end > position + 1) {
    std::from_chars(position, end, fraction);
  }
  return true;
}

}  // namespace pando::types
