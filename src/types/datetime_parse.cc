#include "types/datetime_parse.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace pando::types {
namespace {

using Error = DateTimeError;
using Kind = DateTimeToken::Kind;

// Which fields have been seen.
enum Field : uint32_t {
  kYear = 1 << 0,
  kMonth = 1 << 1,
  kDay = 1 << 2,
  kHour = 1 << 3,
  kMinute = 1 << 4,
  kSecond = 1 << 5,
  kMicrosecond = 1 << 6,
  kZone = 1 << 7,
  kDaylightModifier = 1 << 8,
  kDayOfYear = 1 << 9,
  kMeridiem = 1 << 10,
  kEra = 1 << 11,
  kWeekday = 1 << 12,
};
constexpr uint32_t kDateMask = kYear | kMonth | kDay;
constexpr uint32_t kSecondsMask = kSecond | kMicrosecond;
constexpr uint32_t kTimeMask = kHour | kMinute | kSecondsMask;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return c >= 'a' && c <= 'z'; }

int32_t digits_value(std::string_view digits) {
  int32_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

class Decoder {
 public:
  Decoder(DecodeMode mode, const Settings& settings, DecodedDateTime& out)
      : time_only_(mode == DecodeMode::kTimeOnly), settings_(settings), out_(out), civil_(out.civil) {}

  Error run(const std::vector<DateTimeToken>& tokens) {
    tokens_ = &tokens;
    for (index_ = 0; index_ < tokens.size(); ++index_) {
      uint32_t mask = 0;
      bool ignored = false;
      if (const Error error = take(tokens[index_], mask, ignored); error != Error::kNone) {
        return error;
      }
      if (ignored) {
        continue;
      }
      if ((mask & seen_) != 0) {
        return Error::kBadFormat;
      }
      seen_ |= mask;
    }
    if (label_ != Unit::kNone) {
      return Error::kBadFormat;
    }
    if (out_.special) {
      return Error::kNone;
    }
    return finish();
  }

 private:
  // In a time-only text the date is taken as already there, so that numbers are read as times.
  uint32_t context() const { return time_only_ ? seen_ | kDateMask : seen_; }
  Kind kind_at(std::size_t i) const { return (*tokens_)[i].kind; }

  Error take(const DateTimeToken& token, uint32_t& mask, bool& ignored) {
    switch (token.kind) {
      case Kind::kDate:
        return time_only_ ? take_date_in_time(token.text, mask) : take_date(token.text, mask);
      case Kind::kTime:
        return take_time(token.text, mask);
      case Kind::kZone:
        mask = kZone;
        return decode_zone_offset(token.text.c_str(), out_.seconds_west);
      case Kind::kNumber:
        if (label_ != Unit::kNone) {
          return take_labelled(token.text, mask);
        }
        return time_only_ ? take_number_in_time(token.text, mask) : take_number(token.text, mask);
      case Kind::kWord:
      case Kind::kSignedWord:
        return take_word(token.text, mask, ignored);
    }
    return Error::kBadFormat;
  }

  Error take_date(const std::string& text, uint32_t& mask) {
    if (label_ == Unit::kJulian) {
      return take_julian_with_zone(text, mask);
    }
    const bool has_date = (seen_ & (kMonth | kDay)) == (kMonth | kDay);
    if (label_ == Unit::kNone && !has_date) {
      return decode_date(text, mask);
    }
    if (is_digit(text[0]) || label_ != Unit::kNone) {
      if (label_ != Unit::kNone && label_ != Unit::kTimeOfDay) {
        return Error::kBadFormat;
      }
      label_ = Unit::kNone;
      return take_time_with_zone(text, mask);
    }
    return take_named_zone(text, mask);
  }

  Error take_date_in_time(const std::string& text, uint32_t& mask) {
    const std::size_t count = tokens_->size();
    if (index_ == 0 && count >= 2 && (kind_at(count - 1) == Kind::kDate || kind_at(1) == Kind::kTime)) {
      return decode_date(text, mask);
    }
    if (is_digit(text[0])) {
      return take_time_with_zone(text, mask);
    }
    return take_named_zone(text, mask);
  }

  // J2451187-08
  Error take_julian_with_zone(const std::string& text, uint32_t& mask) {
    const char* position = text.c_str();
    int32_t julian = 0;
    if (!take_integer(position, julian) || julian < 0) {
      return Error::kFieldOverflow;
    }
    set_julian(julian);
    label_ = Unit::kNone;
    mask = kDateMask | kTimeMask | kZone;
    return decode_zone_offset(position, out_.seconds_west);
  }

  // 040506-08
  Error take_time_with_zone(const std::string& text, uint32_t& mask) {
    if ((seen_ & kTimeMask) == kTimeMask) {
      return Error::kBadFormat;
    }
    const auto dash = text.find('-');
    if (dash == std::string::npos) {
      return Error::kBadFormat;
    }
    if (const Error error = decode_zone_offset(text.c_str() + dash, out_.seconds_west); error != Error::kNone) {
      return error;
    }
    const Error error = decode_number_field(text.substr(0, dash), context(), mask);
    mask |= kZone;
    return error;
  }

  Error take_named_zone(const std::string& text, uint32_t& mask) {
    zone_ = find_zone(text);
    if (zone_ == nullptr) {
      out_.unknown_zone = text;
      return Error::kUnknownZone;
    }
    mask = kZone;
    return Error::kNone;
  }

  std::shared_ptr<const TimeZone> find_zone(const std::string& name) const {
    if (settings_.time_zones != nullptr) {
      return settings_.time_zones->find(name);
    }
    return nullptr;
  }

  Error take_time(const std::string& text, uint32_t& mask) {
    if (label_ != Unit::kNone) {
      if (label_ != Unit::kTimeOfDay) {
        return Error::kBadFormat;
      }
      label_ = Unit::kNone;
    }
    if (const Error error = decode_time(text, mask); error != Error::kNone) {
      return error;
    }
    return is_valid_time(civil_.hour, civil_.minute, civil_.second, civil_.microsecond) ? Error::kNone
                                                                                        : Error::kFieldOverflow;
  }

  // A number after a unit: "y 2001", "j 2451187.5".
  Error take_labelled(const std::string& text, uint32_t& mask) {
    const char* position = text.c_str();
    int32_t value = 0;
    if (!take_integer(position, value)) {
      return Error::kFieldOverflow;
    }
    const Unit label = label_;
    const bool fractional = *position == '.';
    if (fractional && label != Unit::kJulian && label != Unit::kTimeOfDay && label != Unit::kSecond) {
      return Error::kBadFormat;
    }
    if (!fractional && *position != '\0') {
      return Error::kBadFormat;
    }
    label_ = Unit::kNone;
    switch (label) {
      case Unit::kYear:
        civil_.year = value;
        mask = kYear;
        return Error::kNone;
      case Unit::kMonth:
        // "m" after an hour means minutes.
        if ((seen_ & kMonth) != 0 && (seen_ & kHour) != 0) {
          civil_.minute = value;
          mask = kMinute;
        } else {
          civil_.month = value;
          mask = kMonth;
        }
        return Error::kNone;
      case Unit::kDay:
        civil_.day = value;
        mask = kDay;
        return Error::kNone;
      case Unit::kHour:
        civil_.hour = value;
        mask = kHour;
        return Error::kNone;
      case Unit::kMinute:
        civil_.minute = value;
        mask = kMinute;
        return Error::kNone;
      case Unit::kSecond:
        civil_.second = value;
        mask = kSecond;
        if (fractional) {
          mask = kSecondsMask;
          return set_fraction(position);
        }
        return Error::kNone;
      case Unit::kJulian:
        return take_julian(value, position, mask);
      case Unit::kTimeOfDay: {
        const Error error = decode_number_field(text, seen_ | kDateMask, mask);
        return error == Error::kNone && mask != kTimeMask ? Error::kBadFormat : error;
      }
      default:
        return Error::kBadFormat;
    }
  }

  Error take_julian(int32_t julian, const char* position, uint32_t& mask) {
    if (julian < 0) {
      return Error::kFieldOverflow;
    }
    set_julian(julian);
    mask = kDateMask;
    if (*position == '.') {
      double fraction = 0;
      if (!take_fraction(position, fraction)) {
        return Error::kBadFormat;
      }
      const auto time = static_cast<int64_t>(fraction * static_cast<double>(kMicrosPerDay));
      time_parts(time, civil_.hour, civil_.minute, civil_.second, civil_.microsecond);
      mask |= kTimeMask;
    }
    return Error::kNone;
  }

  void set_julian(int32_t julian) {
    civil_of_julian(julian, civil_.year, civil_.month, civil_.day);
    is_julian_ = true;
  }

  Error take_number(const std::string& text, uint32_t& mask) {
    const auto point = text.find('.');
    if (point != std::string::npos && (seen_ & kDateMask) == 0) {
      return decode_date(text, mask);
    }
    if (point != std::string::npos && point > 2) {
      return decode_number_field(text, seen_, mask);
    }
    const bool incomplete = (seen_ & kDateMask) == 0 || (seen_ & kTimeMask) == 0;
    if (text.size() >= 6 && incomplete) {
      return decode_number_field(text, seen_, mask);
    }
    return decode_number(text, text_month_, seen_, mask);
  }

  Error take_number_in_time(const std::string& text, uint32_t& mask) {
    const auto point = text.find('.');
    const std::size_t count = tokens_->size();
    if (point != std::string::npos) {
      if (index_ == 0 && count >= 2 && kind_at(count - 1) == Kind::kDate) {
        return decode_date(text, mask);
      }
      return point > 2 ? decode_number_field(text, context(), mask) : Error::kBadFormat;
    }
    if (text.size() > 4) {
      return decode_number_field(text, context(), mask);
    }
    return decode_number(text, false, context(), mask);
  }

  Error take_word(const std::string& text, uint32_t& mask, bool& ignored) {
    if (const Abbreviation* abbreviation = find_abbreviation(text); abbreviation != nullptr) {
      mask = kZone;
      if (abbreviation->zone.empty()) {
        out_.seconds_west = -abbreviation->seconds_east;
      } else {
        abbreviation_ = abbreviation;
      }
      return Error::kNone;
    }
    const Word* word = find_date_word(text);
    if (word == nullptr) {
      zone_ = find_zone(text);
      mask = kZone;
      return zone_ != nullptr ? Error::kNone : Error::kBadFormat;
    }
    switch (word->kind) {
      case WordKind::kIgnored:
        ignored = true;
        return Error::kNone;
      case WordKind::kSpecial:
        return take_special(static_cast<Special>(word->value), mask);
      case WordKind::kMonth:
        return take_month(word->value, mask);
      case WordKind::kDaylight:
        mask = kZone | kDaylightModifier;
        // "MET DST": the zone is already there.
        if ((seen_ & kZone) != 0) {
          mask = kDaylightModifier;
        }
        out_.seconds_west -= word->value;
        return Error::kNone;
      case WordKind::kMeridiem:
        meridiem_ = word->value;
        mask = kMeridiem;
        return Error::kNone;
      case WordKind::kEra:
        before_christ_ = word->value != 0;
        mask = kEra;
        return Error::kNone;
      case WordKind::kWeekday:
        mask = kWeekday;
        return time_only_ ? Error::kBadFormat : Error::kNone;
      case WordKind::kUnit:
        if (label_ != Unit::kNone) {
          return Error::kBadFormat;
        }
        label_ = static_cast<Unit>(word->value);
        return Error::kNone;
      case WordKind::kIsoTime:
        return take_iso_time();
      case WordKind::kAgo:
        break;
    }
    return Error::kBadFormat;
  }

  // The "t" between date and time.
  Error take_iso_time() {
    if (!time_only_ && (seen_ & kDateMask) != kDateMask) {
      return Error::kBadFormat;
    }
    if (index_ + 1 >= tokens_->size() || label_ != Unit::kNone) {
      return Error::kBadFormat;
    }
    const Kind next = kind_at(index_ + 1);
    if (next != Kind::kNumber && next != Kind::kTime && next != Kind::kDate) {
      return Error::kBadFormat;
    }
    label_ = Unit::kTimeOfDay;
    return Error::kNone;
  }

  Error take_month(int32_t month, uint32_t& mask) {
    if (time_only_) {
      return Error::kBadFormat;
    }
    mask = kMonth;
    // "01 jan": the number seen was not the month but the day.
    if ((seen_ & kMonth) != 0 && !text_month_ && (seen_ & kDay) == 0 && civil_.month >= 1 && civil_.month <= 31) {
      civil_.day = civil_.month;
      mask = kDay;
    }
    text_month_ = true;
    civil_.month = month;
    return Error::kNone;
  }

  Error take_special(Special special, uint32_t& mask) {
    if (time_only_ && special != Special::kNow && special != Special::kAllBalls) {
      return Error::kBadFormat;
    }
    switch (special) {
      case Special::kNow: {
        const CivilTime now = current_civil(settings_);
        out_.seconds_west = -settings_.time_zone->offset_at(unix_now()).seconds_east;
        if (time_only_) {
          const CivilTime date = civil_;
          civil_ = now;
          civil_.year = date.year;
          civil_.month = date.month;
          civil_.day = date.day;
          mask = kTimeMask;
        } else {
          civil_ = now;
          mask = kDateMask | kTimeMask | kZone;
        }
        return Error::kNone;
      }
      case Special::kToday:
      case Special::kYesterday:
      case Special::kTomorrow: {
        const CivilTime now = current_civil(settings_);
        const int32_t shift = special == Special::kToday ? 0 : (special == Special::kTomorrow ? 1 : -1);
        civil_of_julian(julian_of(now.year, now.month, now.day) + shift, civil_.year, civil_.month, civil_.day);
        mask = kDateMask;
        return Error::kNone;
      }
      case Special::kAllBalls:
        civil_.hour = civil_.minute = civil_.second = civil_.microsecond = 0;
        out_.seconds_west = 0;
        mask = kTimeMask | kZone;
        return Error::kNone;
      case Special::kEpoch:
      case Special::kInfinity:
      case Special::kMinusInfinity:
        out_.special = special;
        mask = kDateMask | kTimeMask | kZone;
        return Error::kNone;
    }
    return Error::kBadFormat;
  }

  int64_t unix_now() const {
    return static_cast<int64_t>(std::floor(static_cast<double>(settings_.now_us) / kMicrosPerSecond)) +
           kUnixToPostgresSeconds;
  }

  // 2001-02-03, 3/feb/2001
  Error decode_date(const std::string& text, uint32_t& mask) {
    std::vector<std::string> parts;
    std::size_t i = 0;
    while (i < text.size() && parts.size() < kDateTimeTokensMax) {
      while (i < text.size() && !is_digit(text[i]) && !is_alpha(text[i])) {
        ++i;
      }
      if (i == text.size()) {
        return Error::kBadFormat;
      }
      const std::size_t start = i;
      const bool digits = is_digit(text[i]);
      while (i < text.size() && (digits ? is_digit(text[i]) : is_alpha(text[i]))) {
        ++i;
      }
      parts.push_back(text.substr(start, i - start));
      i += i < text.size() ? 1 : 0;
    }
    bool has_text_month = false;
    uint32_t seen = seen_;
    mask = 0;
    for (std::string& part : parts) {
      if (!is_alpha(part[0])) {
        continue;
      }
      const Word* word = find_date_word(part);
      if (word != nullptr && word->kind == WordKind::kIgnored) {
        continue;
      }
      if (word == nullptr || word->kind != WordKind::kMonth || (seen & kMonth) != 0) {
        return Error::kBadFormat;
      }
      civil_.month = word->value;
      has_text_month = true;
      seen |= kMonth;
      mask |= kMonth;
      part.clear();
    }
    for (const std::string& part : parts) {
      if (part.empty()) {
        continue;
      }
      uint32_t part_mask = 0;
      if (const Error error = decode_number(part, has_text_month, seen, part_mask); error != Error::kNone) {
        return error;
      }
      if ((seen & part_mask) != 0) {
        return Error::kBadFormat;
      }
      seen |= part_mask;
      mask |= part_mask;
    }
    return (seen & ~(kDayOfYear | kZone)) == kDateMask ? Error::kNone : Error::kBadFormat;
  }

  // One number of a date, placed by what is already known and by DateStyle's order.
  Error decode_number(const std::string& text, bool has_text_month, uint32_t seen, uint32_t& mask) {
    mask = 0;
    const char* position = text.c_str();
    int32_t value = 0;
    if (!take_integer(position, value)) {
      return Error::kFieldOverflow;
    }
    if (position == text.c_str()) {
      return Error::kBadFormat;
    }
    if (*position == '.') {
      if (position - text.c_str() > 2) {
        return decode_number_field(text, seen | kDateMask, mask);
      }
      if (const Error error = set_fraction(position); error != Error::kNone) {
        return error;
      }
    } else if (*position != '\0') {
      return Error::kBadFormat;
    }
    const std::size_t width = text.size();
    if (width == 3 && (seen & kDateMask) == kYear && value >= 1 && value <= 366) {
      mask = kDayOfYear | kMonth | kDay;
      day_of_year_ = value;
      return Error::kNone;
    }
    const bool year_like = width >= 3 || settings_.date_order == DateOrder::kYmd;
    switch (seen & kDateMask) {
      case 0:
        mask = year_like ? kYear : (settings_.date_order == DateOrder::kDmy ? kDay : kMonth);
        break;
      case kYear:
      case kDay:
        mask = kMonth;
        break;
      case kMonth:
        mask = has_text_month && year_like ? kYear : kDay;
        break;
      case kYear | kMonth:
        mask = kDay;
        if (has_text_month && width >= 3 && two_digit_year_) {
          // The first number was the day, not the year.
          civil_.day = civil_.year;
          civil_.year = value;
          two_digit_year_ = false;
          return Error::kNone;
        }
        break;
      case kMonth | kDay:
        mask = kYear;
        break;
      case kDateMask:
        return decode_number_field(text, seen, mask);
      default:
        return Error::kBadFormat;
    }
    (mask == kYear ? civil_.year : (mask == kMonth ? civil_.month : civil_.day)) = value;
    if (mask == kYear) {
      two_digit_year_ = width <= 2;
    }
    return Error::kNone;
  }

  // Run-together digits: 20010203, 040506.789, 0405.
  Error decode_number_field(std::string text, uint32_t seen, uint32_t& mask) {
    if (const auto point = text.find('.'); point != std::string::npos) {
      double fraction = 0;
      if (point + 1 == text.size() || !take_fraction(text.c_str() + point, fraction)) {
        return Error::kBadFormat;
      }
      civil_.microsecond = static_cast<int32_t>(std::rint(fraction * kMicrosPerSecond));
      text.resize(point);
    } else if ((seen & kDateMask) != kDateMask && text.size() >= 6) {
      mask = kDateMask;
      const std::size_t year_width = text.size() - 4;
      const std::string_view digits = text;
      civil_.day = digits_value(digits.substr(year_width + 2));
      civil_.month = digits_value(digits.substr(year_width, 2));
      civil_.year = digits_value(digits.substr(0, year_width));
      if (year_width == 2) {
        two_digit_year_ = true;
      }
      return Error::kNone;
    }
    if ((seen & kTimeMask) != kTimeMask && (text.size() == 6 || text.size() == 4)) {
      mask = kTimeMask;
      const std::string_view digits = text;
      civil_.second = text.size() == 6 ? digits_value(digits.substr(4)) : 0;
      civil_.minute = digits_value(digits.substr(2, 2));
      civil_.hour = digits_value(digits.substr(0, 2));
      return Error::kNone;
    }
    return Error::kBadFormat;
  }

  Error set_fraction(const char* position) {
    double fraction = 0;
    if (!take_fraction(position, fraction)) {
      return Error::kBadFormat;
    }
    civil_.microsecond = static_cast<int32_t>(std::rint(fraction * kMicrosPerSecond));
    return Error::kNone;
  }

  // 04:05, 04:05:06, 04:05:06.789, 05:06.789
  Error decode_time(const std::string& text, uint32_t& mask) {
    mask = kTimeMask;
    const char* position = text.c_str();
    if (!take_integer(position, civil_.hour)) {
      return Error::kFieldOverflow;
    }
    if (*position++ != ':') {
      return Error::kBadFormat;
    }
    if (!take_integer(position, civil_.minute)) {
      return Error::kFieldOverflow;
    }
    civil_.second = civil_.microsecond = 0;
    if (*position == '.') {
      if (const Error error = set_fraction(position); error != Error::kNone) {
        return error;
      }
      civil_.second = civil_.minute;
      civil_.minute = civil_.hour;
      civil_.hour = 0;
    } else if (*position == ':') {
      ++position;
      if (!take_integer(position, civil_.second)) {
        return Error::kFieldOverflow;
      }
      if (*position == '.') {
        if (const Error error = set_fraction(position); error != Error::kNone) {
          return error;
        }
      } else if (*position != '\0') {
        return Error::kBadFormat;
      }
    } else if (*position != '\0') {
      return Error::kBadFormat;
    }
    const bool valid = civil_.hour >= 0 && civil_.minute >= 0 && civil_.minute <= 59 && civil_.second >= 0 &&
                       civil_.second <= 60 && civil_.microsecond >= 0 && civil_.microsecond <= kMicrosPerSecond;
    return valid ? Error::kNone : Error::kFieldOverflow;
  }

  Error validate_date() {
    if ((seen_ & kYear) != 0 && !is_julian_) {
      if (before_christ_) {
        if (civil_.year <= 0) {
          return Error::kFieldOverflow;
        }
        civil_.year = -(civil_.year - 1);
      } else if (two_digit_year_) {
        if (civil_.year < 0) {
          return Error::kFieldOverflow;
        }
        civil_.year += civil_.year < 70 ? 2000 : (civil_.year < 100 ? 1900 : 0);
      } else if (civil_.year <= 0) {
        return Error::kFieldOverflow;
      }
    }
    if ((seen_ & kDayOfYear) != 0) {
      civil_of_julian(julian_of(civil_.year, 1, 1) + day_of_year_ - 1, civil_.year, civil_.month, civil_.day);
    }
    if ((seen_ & kMonth) != 0 && (civil_.month < 1 || civil_.month > kMonthsPerYear)) {
      return Error::kMonthDayOverflow;
    }
    if ((seen_ & kDay) != 0 && (civil_.day < 1 || civil_.day > 31)) {
      return Error::kMonthDayOverflow;
    }
    if ((seen_ & kDateMask) == kDateMask && civil_.day > days_in_month(civil_.year, civil_.month)) {
      return Error::kFieldOverflow;
    }
    return Error::kNone;
  }

  Error apply_meridiem() {
    constexpr int32_t kNoon = 12;
    if (!meridiem_) {
      return Error::kNone;
    }
    if (civil_.hour > kNoon) {
      return Error::kFieldOverflow;
    }
    if (*meridiem_ == 0 && civil_.hour == kNoon) {
      civil_.hour = 0;
    } else if (*meridiem_ == 1 && civil_.hour != kNoon) {
      civil_.hour += kNoon;
    }
    return Error::kNone;
  }

  Error finish() {
    if (const Error error = validate_date(); error != Error::kNone) {
      return error;
    }
    if (const Error error = apply_meridiem(); error != Error::kNone) {
      return error;
    }
    if (time_only_) {
      return finish_time();
    }
    if ((seen_ & kDateMask) != kDateMask) {
      return Error::kBadFormat;
    }
    return resolve_zone(civil_);
  }

  Error finish_time() {
    if (!is_valid_time(civil_.hour, civil_.minute, civil_.second, civil_.microsecond)) {
      return Error::kFieldOverflow;
    }
    if ((seen_ & kTimeMask) != kTimeMask) {
      return Error::kBadFormat;
    }
    const uint32_t date = seen_ & kDateMask;
    CivilTime at = civil_;
    if (date == kDateMask) {
      return resolve_zone(at);
    }
    if (zone_ != nullptr) {
      // A zone whose offset never changes needs no date.
      const int64_t now = unix_now();
      const int32_t offset = zone_->offset_at(now).seconds_east;
      const bool fixed = offset == zone_->offset_at(now + 182LL * kSecondsPerDay).seconds_east &&
                         offset == zone_->offset_at(INT32_MIN).seconds_east;
      if (!fixed) {
        return Error::kBadFormat;
      }
    } else if (date != 0) {
      return Error::kBadFormat;
    }
    const CivilTime now = current_civil(settings_);
    at.year = now.year;
    at.month = now.month;
    at.day = now.day;
    return resolve_zone(at);
  }

  // Offsets that depend on the local time.
  Error resolve_zone(const CivilTime& at) {
    const bool modified = (seen_ & kDaylightModifier) != 0;
    if (zone_ != nullptr) {
      out_.seconds_west = -zone_offset_at(*zone_, at);
    } else if (abbreviation_ != nullptr) {
      const auto zone = find_zone(std::string(abbreviation_->zone));
      if (zone == nullptr) {
        return Error::kBadFormat;
      }
      const int64_t local = local_unix_seconds(at);
      const int64_t instant = local - zone->offset_of_local(local).seconds_east;
      const auto meaning = zone->offset_of_abbreviation(abbreviation_->name, instant);
      out_.seconds_west = -(meaning ? meaning->seconds_east : zone_offset_at(*zone, at));
    } else if ((seen_ & kZone) == 0) {
      out_.seconds_west = -zone_offset_at(*settings_.time_zone, at);
    } else {
      return Error::kNone;
    }
    return modified ? Error::kBadFormat : Error::kNone;
  }

  const bool time_only_;
  const Settings& settings_;
  DecodedDateTime& out_;
  CivilTime& civil_;
  const std::vector<DateTimeToken>* tokens_ = nullptr;
  std::size_t index_ = 0;
  uint32_t seen_ = 0;
  Unit label_ = Unit::kNone;
  bool text_month_ = false;
  bool is_julian_ = false;
  bool two_digit_year_ = false;
  bool before_christ_ = false;
  std::optional<int32_t> meridiem_;
  int32_t day_of_year_ = 0;
  std::shared_ptr<const TimeZone> zone_;
  const Abbreviation* abbreviation_ = nullptr;
};

}  // namespace

DateTimeError decode_datetime(std::string_view text, DecodeMode mode, const Settings& settings,
                              DecodedDateTime& decoded) {
  std::vector<DateTimeToken> tokens;
  if (const Error error = tokenize_datetime(text, tokens); error != Error::kNone) {
    return error;
  }
  return Decoder(mode, settings, decoded).run(tokens);
}

}  // namespace pando::types
